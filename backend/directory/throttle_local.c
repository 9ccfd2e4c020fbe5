/* throttle_local.c - failures counted by this process alone, in a table of fixed size; for while Redis does not answer. */
#include "backend/directory/throttle_int.h"
#include "backend/base/filetime.h"
#include "backend/base/wr.h"

static struct local_slot *slot_of(struct throttle *t, struct arena *a, const char *kind, const char *x, const char *y, uint8_t mac[SHA256])
{
    struct wr w = wr_in(a, SIZE_MAX / 4);
    wr_bytes(&w, kind, strlen(kind) + 1);
    wr_bytes(&w, x, strlen(x) + 1);
    wr_bytes(&w, y, strlen(y) + 1);
    crypto_hmac(t->key, wr_blob(&w), mac);
    return &t->local[((size_t)mac[0] | (size_t)mac[1] << 8) % LOCAL_SLOTS];
}

static bool mine(const struct local_slot *s, const uint8_t mac[SHA256]) { return memcmp(s->mac, mac, SHA256) == 0; }

struct slot_state throttle_local_look(struct throttle *t, struct arena *a, const char *kind, const char *x, const char *y)
{
    uint8_t mac[SHA256];
    struct local_slot *s = slot_of(t, a, kind, x, y, mac);
    pthread_mutex_lock(&t->lock);
    struct slot_state state = mine(s, mac) ? s->state : (struct slot_state){ 0 };
    pthread_mutex_unlock(&t->lock);
    return state;
}

static bool is_new(struct local_slot *s, uint16_t tag)
{
    for (size_t i = 0; i < s->tags && i < TAGS; i++)
        if (s->tag[i] == tag)
            return false;
    s->tag[s->tags++ % TAGS] = tag;
    return true;
}

bool throttle_local_fail(struct throttle *t, struct arena *a, const char *kind, const char *x, const char *y, uint16_t tag, uint64_t limit, struct slot_state *out, bool *fresh)
{
    uint8_t mac[SHA256];
    uint64_t now = clock_ms();
    struct local_slot *s = slot_of(t, a, kind, x, y, mac);
    pthread_mutex_lock(&t->lock);
    struct slot_state *p = &s->state;
    if (!mine(s, mac) || now - p->last_ms > t->config->auth_lock_window * 1000) {
        uint64_t good = mine(s, mac) ? p->good_ms : 0;
        *s = (struct local_slot){ .state = { .good_ms = good } };
        memcpy(s->mac, mac, SHA256);
    }
    p->failures++;
    p->last_ms = now;
    *fresh = is_new(s, tag);
    p->guesses += *fresh;
    bool reached = limit != 0 && p->guesses >= limit;
    if (reached) {
        p->until_ms = now + t->config->auth_lock_time * 1000;
        p->guesses = 0;
        s->tags = 0;
    }
    *out = *p;
    pthread_mutex_unlock(&t->lock);
    return reached;
}

void throttle_local_pass(struct throttle *t, struct arena *a, const char *kind, const char *x, const char *y)
{
    uint8_t mac[SHA256];
    struct local_slot *s = slot_of(t, a, kind, x, y, mac);
    pthread_mutex_lock(&t->lock);
    *s = (struct local_slot){ .state = { .good_ms = clock_ms() } };
    memcpy(s->mac, mac, SHA256);
    pthread_mutex_unlock(&t->lock);
}
