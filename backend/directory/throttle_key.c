/* throttle_key.c - users and addresses become keys of Redis, and what is stored there counters. */
#include "backend/directory/throttle_int.h"
#include <stdlib.h>

static const char *digest(struct arena *a, const char *text)
{
    uint8_t sum[SHA256];
    crypto_sha256(blob_str(text), sum);
    return base64url(a, blob_of(sum, 15));
}

/* A name without blanks for the index, cut: it comes from who wants in. */
static const char *plain(struct arena *a, const char *text)
{
    enum { MOST = 100 };
    size_t n = strlen(text);
    char *s = arena_str(a, blob_of(text, n < MOST ? n : MOST));
    for (char *p = s; *p != '\0'; p++)
        if ((unsigned char)*p <= ' ' || *p == 0x7f)
            *p = '_';
    return *s != '\0' ? s : "_";
}

/* ... of a user; what begins with @ are addresses. */
const char *throttle_user_name(struct arena *a, const char *login)
{
    const char *name = plain(a, login);
    return *name == '@' ? arena_printf(a, "_%s", name) : name;
}

/* An IPv6 customer has a whole /64. */
const char *throttle_network(struct arena *a, const char *addr)
{
    const char *p = addr;
    if (strchr(addr, ':') == NULL || strncmp(addr, "::ffff:", 7) == 0)
        return plain(a, addr);
    for (int groups = 0; *p != '\0'; p++)
        if (*p == ':' && (p[1] == ':' || ++groups == 4))
            break;
    return plain(a, arena_printf(a, "%s::/64", arena_str(a, blob_of(addr, (size_t)(p - addr)))));
}

const char *throttle_user_key(const struct throttle *t, struct arena *a, const char *login) { return arena_printf(a, "%s{auth}:u:%s", t->config->redis_prefix, digest(a, throttle_user_name(a, login))); }
const char *throttle_address_key(const struct throttle *t, struct arena *a, const char *net) { return arena_printf(a, "%s{auth}:a:%s", t->config->redis_prefix, net); }
const char *throttle_index_key(const struct throttle *t, struct arena *a) { return arena_printf(a, "%s{auth}:index", t->config->redis_prefix); }
struct slot_state throttle_parse(struct arena *a, const struct redis_value *v)
{
    struct slot_state s = { 0 };
    uint64_t *const to[] = { &s.failures, &s.guesses, &s.last_ms, &s.until_ms, &s.good_ms };
    char *p = v->type == REDIS_STRING ? arena_str(a, v->s) : "";
    for (size_t i = 0; i < sizeof to / sizeof to[0]; i++) {
        char *end = p;
        *to[i] = strtoull(p, &end, 10);
        p = end;
    }
    return s;
}

/* An answer to TIME. */
uint64_t throttle_ms_of(struct arena *a, const struct redis_value *time)
{
    return strtoull(arena_str(a, time->v[0].s), NULL, 10) * 1000 + strtoull(arena_str(a, time->v[1].s), NULL, 10) / 1000;
}
