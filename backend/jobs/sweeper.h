/* sweeper.h - one quiet thread per process that takes away what nobody needs any more: staged bytes and journals of dead sessions, unreferenced large
 * values, old tombstones and events, unused views.
 *
 * Several processes may sweep the same mailbox: each step is a short transaction that decides and deletes in one, so they only share the work. */
#ifndef JOBS_SWEEPER_H
#define JOBS_SWEEPER_H
#include "backend/directory/directory.h"
#include "backend/store/store.h"

struct sweeper;

struct sweeper_options {
    struct store     *store;
    struct directory *directory;
    unsigned          interval_s;   /* between two rounds over all mailboxes */
    uint32_t          max_age_s;    /* younger things stay, whoever they belong to */
    /* Does this session context live?  Must answer true when it cannot know. */
    bool            (*alive)(void *ctx, const uint8_t context[16]);
    void             *ctx;
};

/* Starts the thread; its first round begins after a random part of the interval, so that processes do not sweep together.  NULL: no thread to be had. */
struct sweeper *sweeper_start(const struct sweeper_options *o);
/* Ends it after the step that it is in, and frees it.  NULL is allowed. */
void sweeper_stop(struct sweeper *s);

/* One round now, in the calling thread: how many mailboxes could not be swept. */
size_t sweeper_round(const struct sweeper_options *o, bool (*stop)(void *ctx), void *stop_ctx);
#endif
