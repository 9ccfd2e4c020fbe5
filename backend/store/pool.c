/* pool.c - open mailbox files of this process, by least recent use, never more than options.pool_files. */
#include "backend/store/schema.h"
#include "backend/store/store_int.h"
#include "backend/base/must.h"
#include <stdlib.h>
#include <time.h>

static void unlink_conn(struct store *s, struct conn *c)
{
    *(c->newer != NULL ? &c->newer->older : &s->newest) = c->older;
    *(c->older != NULL ? &c->older->newer : &s->oldest) = c->newer;
    c->newer = c->older = NULL;
}

static void link_newest(struct store *s, struct conn *c)
{
    c->older = s->newest;
    c->newer = NULL;
    *(s->newest != NULL ? &s->newest->newer : &s->oldest) = c;
    s->newest = c;
}

static void conn_end(struct conn *c)
{
    db_close(c->db);
    free(c);
}

/* --- under the lock ------------------------------------------------------------------------------------------------------- */
static struct conn *idle_of(struct store *s, const struct guid *id)
{
    for (struct conn *c = s->newest; c != NULL; c = c->older)
        if (!c->leased && guid_eq(&c->id, id))
            return c;
    return NULL;
}

static struct conn *idle_oldest(struct store *s)
{
    struct conn *c = s->oldest;
    while (c != NULL && c->leased)
        c = c->newer;
    return c;
}

/* A place for one more file: free, or taken from an idle connection, which the caller closes. False: all are in use. */
static bool make_room(struct store *s, struct conn **evicted)
{
    if (s->open < s->o.pool_files) {
        s->open++;
        return true;
    }
    *evicted = idle_oldest(s);
    if (*evicted == NULL)
        return false;
    unlink_conn(s, *evicted);
    return true;
}

static struct timespec deadline(unsigned ms)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += ms / 1000;
    t.tv_nsec += (long)(ms % 1000) * 1000000;
    if (t.tv_nsec >= 1000000000) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000;
    }
    return t;
}

/* An idle connection (*out), or a place for a new one (*out NULL, perhaps with one to close). */
static ec_t reserve(struct store *s, const struct guid *id, struct conn **out, struct conn **evicted)
{
    struct timespec until = deadline(s->o.busy_ms);
    for (;;) {
        struct conn *c = idle_of(s, id);
        if (c != NULL) {
            c->leased = true;
            unlink_conn(s, c);
            link_newest(s, c);
            *out = c;
            return ecNone;
        }
        if (make_room(s, evicted))
            return ecNone;
        if (pthread_cond_timedwait(&s->freed, &s->lock, &until) != 0)
            return EC(ecServerBusy);
    }
}

static void drop(struct store *s, struct conn *c)
{
    pthread_mutex_lock(&s->lock);
    unlink_conn(s, c);
    s->open--;
    pthread_cond_signal(&s->freed);
    pthread_mutex_unlock(&s->lock);
    conn_end(c);
}

/* --- outside it -------------------------------------------------------------------------------------------------------------- */
static ec_t open_new(struct store *s, const struct guid *id, bool create, struct conn **out)
{
    struct db_open o = { s->o.path, *id, create, s->o.cache_kib, s->o.busy_ms };
    struct db *db = NULL;
    ec_t ec = db_open(s->ops, &o, &db);
    if (ec == ecNone && !create && (ec = schema_migrate(db)) != ecNone)
        db_close(db);
    pthread_mutex_lock(&s->lock);
    if (ec == ecNone) {
        struct conn *c = calloc(1, sizeof *c);
        must(c != NULL);
        *c = (struct conn){ .id = *id, .db = db, .leased = true };
        link_newest(s, c);
        *out = c;
    } else {
        s->open--;
        pthread_cond_signal(&s->freed);
    }
    pthread_mutex_unlock(&s->lock);
    return ec;
}

/* An idle connection is used again only if its file is still the mailbox and nobody has migrated it meanwhile. */
static bool fresh(struct conn *c)
{
    int64_t version;
    return db_current(c->db) && db_version(c->db, &version) == ecNone && version == schema_version();
}

ec_t pool_take(struct store *s, const struct guid *id, bool create, struct conn **out)
{
    for (;;) {
        struct conn *evicted = NULL;
        *out = NULL;
        pthread_mutex_lock(&s->lock);
        ec_t ec = reserve(s, id, out, &evicted);
        pthread_mutex_unlock(&s->lock);
        if (evicted != NULL)
            conn_end(evicted);
        TRY(ec);
        if (*out == NULL)
            return open_new(s, id, create, out);
        if (fresh(*out))
            return ecNone;
        drop(s, *out);
    }
}

void pool_give(struct store *s, struct conn *c, bool keep)
{
    if (!keep) {
        drop(s, c);
        return;
    }
    pthread_mutex_lock(&s->lock);
    c->leased = false;
    pthread_cond_signal(&s->freed);
    pthread_mutex_unlock(&s->lock);
}

void pool_forget(struct store *s, const struct guid *id)
{
    for (;;) {
        pthread_mutex_lock(&s->lock);
        struct conn *c = idle_of(s, id);
        if (c != NULL)
            c->leased = true;
        pthread_mutex_unlock(&s->lock);
        if (c == NULL)
            return;
        drop(s, c);
    }
}
