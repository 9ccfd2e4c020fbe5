/* rate.c - a request's time -> go on, or wait. */
#include "session/rate.h"
#include "backend/base/shared.h"
#include <stdatomic.h>

enum { CELLS = 1 << 14, PROBES = 8, SHORTEST_MS = 50 };

struct cell { _Atomic uint64_t user, paid_ns; };
struct rate { struct cell cell[CELLS]; };

struct rate *rate_open(const char *dir, struct arena *a, const char **why)
{
    return dir != NULL ? shared_map(dir, "rate", sizeof(struct rate), a, why) : arena_one(a, struct rate);
}

static uint64_t hash(const char *s)
{
    uint64_t h = 14695981039346656037u;
    for (; *s != '\0'; s++)
        h = (h ^ (uint8_t)*s) * 1099511628211u;
    return h | 1; /* 0: nobody */
}

/* The user's place, or one whose owner owes nothing any more; NULL: all around are in use. */
static struct cell *find(struct rate *r, uint64_t user, uint64_t now_ns)
{
    struct cell *quiet = NULL;
    uint64_t quiet_user = 0;
    for (size_t i = 0; i < PROBES; i++) {
        struct cell *c = &r->cell[(user + i) % CELLS];
        uint64_t is = atomic_load_explicit(&c->user, memory_order_relaxed);
        if (is == user)
            return c;
        if (quiet == NULL && (is == 0 || atomic_load_explicit(&c->paid_ns, memory_order_relaxed) <= now_ns)) {
            quiet = c;
            quiet_user = is;
        }
    }
    return quiet != NULL && atomic_compare_exchange_strong(&quiet->user, &quiet_user, user) ? quiet : NULL;
}

uint32_t rate_take(struct rate *r, const char *user, uint64_t per_second, uint64_t burst, uint64_t now_us)
{
    uint64_t now = now_us * 1000, each = per_second != 0 ? 1000000000u / per_second : 0, most = each * burst;
    struct cell *c = each != 0 ? find(r, hash(user), now) : NULL;
    uint64_t was = c != NULL ? atomic_load(&c->paid_ns) : 0, next;
    if (was > now + most) /* after a restart of the host, or with a smaller limit, it can be far ahead */
        atomic_compare_exchange_strong(&c->paid_ns, &was, now + most);
    do {
        next = (was > now + most ? now + most : was > now ? was : now) + each;
        if (c != NULL && next > now + most) {
            uint64_t ms = (next - now - most) / 1000000 + 1;
            return ms < SHORTEST_MS ? SHORTEST_MS : (uint32_t)ms;
        }
    } while (c != NULL && !atomic_compare_exchange_weak(&c->paid_ns, &was, next));
    return 0;
}
