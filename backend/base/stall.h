/* stall.h - a thread that serves and has to wait for a server that is silent or failing says so, and whoever runs such threads lets another one serve meanwhile.
 *
 * Who runs threads calls stall_join on each of them, with functions that any of them may call at any time.  Other threads need not: for them the calls do nothing. */
#ifndef BASE_STALL_H
#define BASE_STALL_H
#include <stdbool.h>

struct stall_pool {
    bool (*begun)(void *ctx);    /* the calling thread waits from now on; false: as many as may do so already */
    void (*ended)(void *ctx);    /* it does not any more */
    bool (*full)(void *ctx);     /* would begun say false? */
    void *ctx;
};

/* The calling thread is one of the pool's, which lives as long as the thread; NULL: of none. */
void stall_join(const struct stall_pool *p);
/* Around a wait; they nest.  False: nobody works in this thread's place; it may wait all the same, but had better not.  stall_end in either case. */
bool stall_begin(void);
void stall_end(void);
bool stall_full(void);
#endif
