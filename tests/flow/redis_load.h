/* redis_load.h - clients that save, copy and move messages as fast as they can, each with a list of what it was told was done; and the mailbox compared with it.
 *
 * A client that hears code 10 connects again; one that hears code 1, or whose connection breaks, repeats the request with the same cookies, as Outlook does. */
#ifndef FLOW_REDIS_LOAD_H
#define FLOW_REDIS_LOAD_H
#include "tests/flow/walk.h"
#include <pthread.h>
#include <stdatomic.h>

enum { LOAD_CLIENTS = 4, LOAD_CHANGES = 1500 };

enum load_kind { LOAD_MADE, LOAD_COPIED, LOAD_MOVED, LOAD_DRAFT };
struct load_change { enum load_kind kind; bool done; char subject[24]; };   /* done: the answer said so; else nobody knows */

struct load_client {
    struct load *load;
    unsigned    number;
    const struct person *who;
    pthread_t   thread;
    struct load_change change[LOAD_CHANGES];
    size_t      n;
    unsigned    code[32];           /* how often which X-ResponseCode was heard */
    unsigned    broken, connects, other; /* connections; sessions; ReturnValues that are no consequence of a lost session */
    atomic_uint good;               /* changes that were done */
    uint32_t    last_other;
};

struct load {
    struct stack *st;
    atomic_bool   stop;
    unsigned      pause_us;         /* between two changes */
    struct load_client client[LOAD_CLIENTS];
};

void load_begin(struct load *l, struct stack *st, unsigned pause_us);
/* Waits until every client has done `n` more changes; ends the test after 30 s, which only a client that hangs needs. */
void load_await(struct load *l, unsigned n);
void load_end(struct load *l);
/* Nothing missing that was said to be done, nothing twice, no code 15, no damage; prints what happened. */
void load_check(struct load *l, const char *name);
unsigned load_codes(const struct load *l, int code);
unsigned load_connects(const struct load *l);
#endif
