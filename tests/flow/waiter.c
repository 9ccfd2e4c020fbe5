/* waiter.c - a thread that sends a NotificationWait and reads its answer piece by piece. */
#include "tests/flow/waiter.h"
#include "backend/base/filetime.h"
#include <sys/socket.h>
#include <unistd.h>

static unsigned count(struct blob piece, const char *word)
{
    unsigned n = 0;
    size_t len = strlen(word);
    for (size_t i = 0; i + len <= piece.n; i++)
        n += memcmp(piece.p + i, word, len) == 0;
    return n;
}

static void on_piece(void *ctx, struct blob piece)
{
    struct waiter *w = ctx;
    if (count(piece, "PROCESSING\r\n") != 0)
        w->head = clock_ms();
    atomic_fetch_add(&w->processing, count(piece, "PROCESSING\r\n"));
    atomic_fetch_add(&w->pendings, count(piece, "PENDING\r\n"));
}

static void *run(void *arg)
{
    struct waiter *w = arg;
    w->answered = mapic_recv(&w->c, w->a, &w->r, &w->odd, &w->why);
    if (!w->answered || !mapic_event_pending(&w->r, &w->event))
        w->event = WAITER_FAILED;
    w->ended = clock_ms();
    atomic_store(&w->over, true);
    return NULL;
}

void waiter_start(struct waiter *w, const struct mapic *session, const char *route)
{
    uint32_t flags = w->flags;
    struct mapic_odd odd = w->odd;
    *w = (struct waiter){ .a = arena_new((size_t)1 << 26), .odd = odd, .flags = flags, .begun = clock_ms() };
    mapic_beside(&w->c, session);
    if (route != NULL)
        w->c.route = route;
    w->odd.piece = on_piece;
    w->odd.ctx = w;
    REQUIRE(mapic_send(&w->c, w->a, "NotificationWait", mapic_wait_body(w->a, flags), &w->odd, &w->why));
    REQUIRE(pthread_create(&w->thread, NULL, run, w) == 0);
}

bool waiter_processing(struct waiter *w)
{
    for (int i = 0; i < 5000 && atomic_load(&w->processing) == 0 && !atomic_load(&w->over); i++)
        usleep(1000);
    return atomic_load(&w->processing) == 1;
}

bool waiter_pending(struct waiter *w, unsigned n)
{
    for (int i = 0; i < 5000 && atomic_load(&w->pendings) < n && !atomic_load(&w->over); i++)
        usleep(1000);
    return atomic_load(&w->pendings) >= n;
}

bool waiter_waits(struct waiter *w, unsigned ms)
{
    for (unsigned i = 0; i < ms && !atomic_load(&w->over); i++)
        usleep(1000);
    return !atomic_load(&w->over);
}

uint32_t waiter_end(struct waiter *w)
{
    for (int i = 0; i < 10000 && !atomic_load(&w->over); i++)
        usleep(1000);
    return atomic_load(&w->over) ? w->event : WAITER_FAILED;
}

void waiter_break(struct waiter *w) { shutdown(tls_fd(w->c.conn), SHUT_RDWR); }

void waiter_free(struct waiter *w)
{
    if (!atomic_load(&w->over) && w->c.conn != NULL)
        waiter_break(w);
    pthread_join(w->thread, NULL);
    mapic_close(&w->c);
    arena_free(w->a);
}
