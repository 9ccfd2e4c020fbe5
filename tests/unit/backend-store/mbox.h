/* mbox.h - a store in a temporary directory with one new mailbox, for the tests of this room. */
#ifndef TESTS_STORE_MBOX_H
#define TESTS_STORE_MBOX_H
#include "tests/unit.h"
#include "backend/store/store.h"

struct mbox {
    struct store_options o;
    struct store   *s;
    struct guid     id;
    struct arena   *a;       /* of the lease */
    struct mailbox *m;       /* the owner's lease */
};

/* A mailbox "Ada Lovelace" (English) and a lease on it.  Ends the test if it does not work. */
struct mbox mbox_new(void);
/* The same with a driver ("fault") and a locale. */
struct mbox mbox_with(const char *driver, uint32_t locale);
/* Ends the lease (rolling back) and takes a new one, in a new arena. */
void mbox_again(struct mbox *b);
/* The same for somebody else. */
void mbox_as(struct mbox *b, enum actor_kind kind, const char *dn);
void mbox_end(struct mbox *b);

/* mailbox_check finds nothing; prints what it finds. */
void mbox_clean(struct mbox *b);
/* A number that an SQL query of one row and column gives, on a connection of its own. */
int64_t mbox_sql(struct mbox *b, const char *sql);
/* Statements of the test's own, committed at once. */
void mbox_exec(struct mbox *b, const char *sql);
#endif
