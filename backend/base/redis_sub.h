/* redis_sub.h - listening to channels of Redis: one connection with a thread of its own, made anew when it is lost.
 *
 * The connection knows no channels: whoever uses it keeps the list, and names all of them again each time that `connected` is called.  What is published
 * while there is no connection is lost, so whoever hears `confirmed` looks for himself what he may have missed.
 *
 * It goes to the master (with Sentinel asked for before each attempt), in a cluster to any node: what is published at one reaches all. */
#ifndef BASE_REDIS_SUB_H
#define BASE_REDIS_SUB_H
#include "backend/base/redis.h"

struct redis_sub;

/* All are called by the connection's thread, which does nothing else meanwhile: they must not block.  Blobs live until they return. */
struct redis_sub_user {
    void *ctx;
    void (*connected)(void *ctx);                                             /* nothing is listened to: add every channel */
    void (*confirmed)(void *ctx, struct blob channel);                        /* from here on nothing of this channel is missed */
    void (*heard)(void *ctx, struct blob channel, struct blob message);
    void (*lost)(void *ctx);
};

/* Starts the thread; NULL if it cannot be started.  `timeout_ms`: for any sign of life when asked for one.  `r` lives longer. */
struct redis_sub *redis_sub_begin(struct redis *r, const struct redis_sub_user *u, uint64_t timeout_ms);
void redis_sub_end(struct redis_sub *s);

/* From any thread, also from within the calls above; without effect while there is no connection. */
void redis_sub_add(struct redis_sub *s, struct blob channel);
void redis_sub_remove(struct redis_sub *s, struct blob channel);
#endif
