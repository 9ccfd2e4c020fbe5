/* redis_sub.c - SUBSCRIBE out, messages in: a thread that owns a connection and waits for either side. */
#include "backend/base/redis_sub.h"
#include "backend/base/redis_int.h"
#include "backend/base/filetime.h"
#include "backend/base/log.h"
#include "backend/base/must.h"
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    SIGN_EVERY = 5000,           /* ms of silence, then a PING */
    PAUSE_MIN  = 20,             /* ms between two attempts to connect, doubled up to ... */
    PAUSE_MAX  = 1000
};

struct redis_sub {
    struct redis_sub_user user;
    uint64_t        timeout;
    pthread_t       thread;
    int             wake;
    atomic_bool     stop;
    struct redis   *home;
    struct redis_link *link;
    redisContext   *c;               /* of the link */
    uint64_t        heard, asked;    /* clock_ms(): last sign of life; when one was asked for, 0 = it came */
    bool            down;            /* an outage was logged */
    pthread_mutex_t lock;            /* of what is below */
    bool            open;            /* channels may be named */
    char           *out;             /* commands that wait to be sent */
    size_t          n, cap;
};

/* --- commands, from any thread ------------------------------------------------------------------------------------------------------------ */

static void append(struct redis_sub *s, const void *p, size_t n)
{
    if (s->cap - s->n < n) { /* as long as the connection; bounded by the channels of its user */
        s->cap = 2 * s->cap + n + 1024;
        s->out = realloc(s->out, s->cap);
        must(s->out != NULL);
    }
    memcpy(s->out + s->n, p, n);
    s->n += n;
}

static void ring_thread(const struct redis_sub *s)
{
    uint64_t one = 1;
    ssize_t n = write(s->wake, &one, sizeof one);
    (void)n; /* full means awake */
}

static void command(struct redis_sub *s, const char *word, struct blob channel)
{
    char head[64];
    int n = snprintf(head, sizeof head, "*2\r\n$%zu\r\n%s\r\n$%zu\r\n", strlen(word), word, channel.n);
    pthread_mutex_lock(&s->lock);
    bool open = s->open, first = s->n == 0;
    if (open) {
        append(s, head, (size_t)n);
        append(s, channel.p, channel.n);
        append(s, "\r\n", 2);
    }
    pthread_mutex_unlock(&s->lock);
    if (open && first && !pthread_equal(pthread_self(), s->thread))
        ring_thread(s);
}

void redis_sub_add(struct redis_sub *s, struct blob channel) { command(s, "SUBSCRIBE", channel); }
void redis_sub_remove(struct redis_sub *s, struct blob channel) { command(s, "UNSUBSCRIBE", channel); }

/* --- the connection, by its thread --------------------------------------------------------------------------------------------------------- */

static void outage(struct redis_sub *s, const char *what)
{
    if (!s->down)
        log_line(LOGL_ERROR, "redis", "channels cannot be listened to", "error", what, NULL);
    s->down = true;
}

static bool connect_now(struct redis_sub *s)
{
    char why[REDIS_WHY] = "";
    s->link = redis_link_any(s->home, why);
    if (s->link == NULL) {
        outage(s, why);
        return false;
    }
    s->c = s->link->c;
    s->heard = clock_ms();
    s->asked = 0;
    pthread_mutex_lock(&s->lock);
    s->open = true;
    s->n = 0;
    pthread_mutex_unlock(&s->lock);
    s->user.connected(s->user.ctx);
    return true;
}

static void disconnect(struct redis_sub *s)
{
    pthread_mutex_lock(&s->lock);
    bool was = s->open;
    s->open = false;
    s->n = 0;
    pthread_mutex_unlock(&s->lock);
    redis_link_close(s->link);
    s->link = NULL;
    s->c = NULL;
    if (was)
        s->user.lost(s->user.ctx);
}

/* Redis reads what it is sent, or is lost after the timeout of the socket. */
static bool send_out(struct redis_sub *s)
{
    pthread_mutex_lock(&s->lock);
    bool ok = s->n == 0 || redisAppendFormattedCommand(s->c, s->out, s->n) == REDIS_OK;
    s->n = 0;
    pthread_mutex_unlock(&s->lock);
    for (int done = 0; ok && done == 0; )
        ok = redisBufferWrite(s->c, &done) == REDIS_OK;
    return ok;
}

static struct blob text_of(const redisReply *r) { return r->type == REDIS_REPLY_STRING ? blob_of(r->str, (size_t)r->len) : blob_of(NULL, 0); }

static bool take(struct redis_sub *s, const redisReply *r)
{
    s->heard = clock_ms();
    s->asked = 0;
    if (r->type == REDIS_REPLY_ERROR) {
        outage(s, r->str);
        return false;
    }
    if (r->type != REDIS_REPLY_ARRAY || r->elements < 3)
        return true; /* the answer to a PING */
    struct blob what = text_of(r->element[0]), channel = text_of(r->element[1]);
    if (blob_eq(what, blob_str("message")))
        s->user.heard(s->user.ctx, channel, text_of(r->element[2]));
    else if (blob_eq(what, blob_str("subscribe")))
        s->user.confirmed(s->user.ctx, channel);
    if (s->down)
        log_line(LOGL_INFO, "redis", "channels are listened to again", NULL);
    s->down = false;
    return true;
}

static bool read_in(struct redis_sub *s)
{
    if (redisBufferRead(s->c) != REDIS_OK)
        return false;
    for (;;) {
        void *r = NULL;
        if (redisGetReplyFromReader(s->c, &r) != REDIS_OK)
            return false;
        if (r == NULL)
            return true;
        bool ok = take(s, r);
        freeReplyObject(r);
        if (!ok)
            return false;
    }
}

/* A peer that is gone without a word is noticed by its silence. */
static bool alive(struct redis_sub *s)
{
    static const char ping[] = "*1\r\n$4\r\nPING\r\n";
    uint64_t now = clock_ms();
    if (s->asked != 0)
        return now - s->asked <= s->timeout;
    if (now - s->heard < SIGN_EVERY)
        return true;
    s->asked = now;
    pthread_mutex_lock(&s->lock);
    append(s, ping, sizeof ping - 1);
    pthread_mutex_unlock(&s->lock);
    return send_out(s);
}

static bool turn(struct redis_sub *s)
{
    struct pollfd p[2] = { { s->c->fd, POLLIN, 0 }, { s->wake, POLLIN, 0 } };
    uint64_t rung;
    if (!send_out(s))
        return false;
    if (poll(p, 2, (int)(s->asked != 0 ? s->timeout / 4 + 1 : SIGN_EVERY)) < 0 && errno != EINTR)
        return false;
    if (p[1].revents != 0 && read(s->wake, &rung, sizeof rung) < 0 && errno != EAGAIN)
        return false;
    return (p[0].revents == 0 || read_in(s)) && alive(s);
}

static void rest(const struct redis_sub *s, int ms)
{
    struct pollfd p = { s->wake, POLLIN, 0 };
    uint64_t rung;
    if (poll(&p, 1, ms) > 0 && read(s->wake, &rung, sizeof rung) < 0)
        return;
}

static void *listen_thread(void *arg)
{
    struct redis_sub *s = arg;
    for (int pause = PAUSE_MIN; !atomic_load(&s->stop); pause = pause * 2 < PAUSE_MAX ? pause * 2 : PAUSE_MAX) {
        if (connect_now(s)) {
            while (!atomic_load(&s->stop) && turn(s))
                continue;
            if (!s->down)
                pause = PAUSE_MIN;
            if (!atomic_load(&s->stop))
                outage(s, s->c->err != 0 ? s->c->errstr : "no sign of life");
        }
        disconnect(s);
        if (!atomic_load(&s->stop))
            rest(s, pause);
    }
    return NULL;
}

/* --- beginning and end ----------------------------------------------------------------------------------------------------------------------- */

struct redis_sub *redis_sub_begin(struct redis *r, const struct redis_sub_user *u, uint64_t timeout_ms)
{
    struct redis_sub *s = calloc(1, sizeof *s);
    must(s != NULL);
    s->home = r;
    s->user = *u;
    s->timeout = timeout_ms;
    s->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pthread_mutex_init(&s->lock, NULL);
    if (s->wake >= 0 && pthread_create(&s->thread, NULL, listen_thread, s) == 0)
        return s;
    if (s->wake >= 0)
        close(s->wake);
    free(s);
    return NULL;
}

void redis_sub_end(struct redis_sub *s)
{
    if (s == NULL)
        return;
    atomic_store(&s->stop, true);
    ring_thread(s);
    pthread_join(s->thread, NULL);
    close(s->wake);
    pthread_mutex_destroy(&s->lock);
    free(s->out);
    free(s);
}
