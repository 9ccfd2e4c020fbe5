/* throttle_int.h - what the counting in Redis and the counting in the process share. */
#ifndef DIRECTORY_THROTTLE_INT_H
#define DIRECTORY_THROTTLE_INT_H
#include "backend/directory/throttle.h"
#include "backend/base/crypto.h"
#include <pthread.h>

enum { LOCAL_SLOTS = 2048, TAGS = 8, TAG_TEXT = 5, DOUBLINGS = 4, TRUST_S = 14 * 86400 };

#define FIELD_ALL "all"               /* of a hash: what holds for all addresses, or all users */

/* What is known of one pair, user or address. */
struct slot_state { uint64_t failures, guesses, last_ms, until_ms, good_ms; };

struct local_slot { uint8_t mac[SHA256]; struct slot_state state; uint16_t tag[TAGS]; size_t tags; };

struct throttle {
    const struct config *config;
    struct redis        *redis;
    uint8_t              key[SHA256];   /* of this process */
    pthread_mutex_t      lock;          /* of local */
    struct local_slot    local[LOCAL_SLOTS];
};

/* throttle_key.c: keys in one slot, of a user (by login) and of a network; the name of a user in the index (an address is "@" and its network); the network of an
 * address (itself, or an IPv6 /64); a stored field; an answer to TIME. */
const char *throttle_user_key(const struct throttle *t, struct arena *a, const char *login);
const char *throttle_address_key(const struct throttle *t, struct arena *a, const char *net);
const char *throttle_index_key(const struct throttle *t, struct arena *a);
const char *throttle_user_name(struct arena *a, const char *login);
const char *throttle_network(struct arena *a, const char *addr);
struct slot_state throttle_parse(struct arena *a, const struct redis_value *v);
uint64_t throttle_ms_of(struct arena *a, const struct redis_value *time);

/* throttle_local.c: one of the process's own counters, by what it counts for. */
struct slot_state throttle_local_look(struct throttle *t, struct arena *a, const char *kind, const char *x, const char *y);
bool throttle_local_fail(struct throttle *t, struct arena *a, const char *kind, const char *x, const char *y, uint16_t tag, uint64_t limit, struct slot_state *out, bool *fresh);
void throttle_local_pass(struct throttle *t, struct arena *a, const char *kind, const char *x, const char *y);

/* The verdict over the three counters. */
bool throttle_verdict(const struct slot_state *pair, const struct slot_state *user, const struct slot_state *address, uint64_t now_ms);
#endif
