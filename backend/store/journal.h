/* journal.h - one row per session context: what its last state-changing request did and answered.
 *
 * Written in the transaction of the request's effects, so both happen or neither.  Each write is a fence: it takes effect only if the row's epoch is
 * not newer and its sequence is older, else journal_put refuses and everything is rolled back. */
#ifndef STORE_JOURNAL_H
#define STORE_JOURNAL_H
#include "backend/store/store.h"

enum { CONTEXT_ID = 16, DIGEST = 32 };

struct journal_row {
    uint64_t    epoch, seq;        /* of the lock that wrote it; request number */
    uint8_t     digest[DIGEST];    /* of the request */
    bool        running;           /* a bulk operation between two of its steps: `cursor` tells where */
    struct blob cursor, delta, answer; /* bulk position; session fields to apply; response body */
};

/* ecNotFound: the context never changed this mailbox. In the arena. */
ec_t journal_get(struct mailbox *m, const uint8_t context[CONTEXT_ID], struct journal_row *out);

/* Compare and set inside the open write transaction: done if there is no row, or row.epoch <= epoch and row.seq < seq (or the same seq with
 * `running` set there).  Otherwise ecInvalidObject: the caller was overtaken and rolls back. */
ec_t journal_put(struct mailbox *m, const uint8_t context[CONTEXT_ID], const struct journal_row *row);

/* Raises the epoch, keeping the rest: whoever holds an older lock can write no more.  Own transaction unless one is open. */
ec_t journal_fence(struct mailbox *m, const uint8_t context[CONTEXT_ID], uint64_t epoch);
ec_t journal_drop(struct mailbox *m, const uint8_t context[CONTEXT_ID]);
#endif
