/* begin.c - cookies and a request's digest -> the lock, the header, the objects that the request names; or the answer that was given already. */
#include "session/context/context_int.h"
#include "backend/base/filetime.h"
#include "backend/base/log.h"
#include "backend/base/metric.h"
#include "session/context/cookie.h"
#include <time.h>

enum {
    GRANT_NONE, GRANT_RUN, GRANT_RECOVER, GRANT_ANSWER, GRANT_SAME_RUNS, GRANT_OTHER_RUNS, GRANT_SEQUENCE, GRANT_DEADLY, GRANT_TWIN_RUNS, GRANT_FINDS_OUT, /* what BEGIN says */
    WAIT_OTHER_MS = 100, WAIT_ENDED_MS = 20, PAUSE_MAX_MS = 50, NAMED_MAX = 255, RECOVERIES = 4
};

static enum begin read_cookies(const struct session_env *e, struct arena *a, const struct begin_args *args, uint8_t id[CONTEXT_ID], uint64_t *number)
{
    if (args->context_cookie == NULL)
        return BEGIN_MISSING;
    enum cookie k = cookie_read_context(e->keys, a, args->context_cookie, id);
    if (k == COOKIE_FORGED)
        return BEGIN_FORGED;
    if (k == COOKIE_OLD)
        return BEGIN_NOT_FOUND;
    if (args->sequence_cookie == NULL)
        return BEGIN_MISSING;
    k = cookie_read_sequence(e->keys, a, args->sequence_cookie, id, number);
    return k == COOKIE_GOOD ? BEGIN_RUN : k == COOKIE_OLD ? BEGIN_NOT_FOUND : BEGIN_FORGED;
}

/* --- one round trip: the script, and behind it everything that the request will need --------------------------------------------------- */
/* The objects that the request names, and the first one, which is nearly always the logon; each once, since a state takes as long to send as the rest of begin. */
struct named { uint32_t v[NAMED_MAX + 1]; size_t n; };

static void name(struct named *x, uint32_t handle)
{
    for (size_t i = 0; i < x->n; i++)
        if (x->v[i] == handle)
            return;
    if (handle < NO_HANDLE)
        x->v[x->n++] = handle;
}

static void name_all(struct named *x, const struct begin_args *args)
{
    x->n = 0;
    name(x, FIRST_HANDLE);
    for (size_t i = 0; i < args->nhandles && i < NAMED_MAX; i++)
        name(x, args->handles[i]);
}

/* Both places of each of them. */
static void name_fields(struct context *c, const struct named *named, struct args *x)
{
    args_blob(x, blob_str("HMGET"));
    args_blob(x, c->p->key);
    args_blob(x, field_header(0));
    args_blob(x, field_header(1));
    for (size_t i = 0; i < named->n; i++)
        for (unsigned slot = 0; slot < 2; slot++)
            args_blob(x, field_object(c->a, named->v[i], slot));
}

static struct blob text_of(const struct redis_value *v, size_t i) { return v->v[i].type == REDIS_STRING ? v->v[i].s : blob_of(NULL, 0); }

/* The values in the order in which they were named, but for the two headers. */
static void keep_blocks(struct context *c, const struct named *named, const struct redis_value *got)
{
    for (size_t i = 0; i < named->n; i++) {
        const struct handle_entry *h = context_handle(c, named->v[i]);
        if (h == NULL || h->staged)
            continue;
        struct blob state = text_of(got, 2 + 2 * i + h->slot);
        if (state.n == h->size)
            block_add_raw(c, named->v[i], h->slot, state);
    }
}

struct grant { int64_t code; struct control k; struct redis_value got; struct named named; };

static enum redis_result ask(struct context *c, const struct begin_args *args, uint64_t number, bool twin, bool left, struct grant *g)
{
    struct context_private *p = c->p;
    struct args x = { c->a, NULL, 0, 0 }, get = { c->a, NULL, 0, 0 };
    args_bytes(&x, p->identity, IDENTITY);
    args_num(&x, number);
    args_bytes(&x, p->digest, DIGEST);
    args_bytes(&x, p->request_id, REQUEST_ID);
    args_bytes(&x, p->token, TOKEN);
    args_num(&x, p->lease.lease_ms);
    args_num(&x, p->lease.retention_ms);
    args_bytes(&x, p->run, RUN);
    args_num(&x, twin);
    args_blob(&x, blob_of(p->env.where, p->env.where != NULL ? strnlen(p->env.where, SERVED_MAX) : 0));
    args_num(&x, left);
    name_all(&g->named, args);
    name_fields(c, &g->named, &get);
    struct call call = { SCRIPT_BEGIN, p->key, x.v, x.n, get.v, get.n, FAULT_begin_sent, p->run, false };
    struct redis_value v;
    p->lease.asked = clock_ms();
    enum redis_result res = script_call(p->redis, &call, &v, &g->got);
    if (res != REDIS_DONE)
        return res;
    bool sane = v.type == REDIS_ARRAY && v.n >= 1 && v.v[0].type == REDIS_INT && g->got.type == REDIS_ARRAY && g->got.n == get.n - 2;
    g->code = sane ? v.v[0].i : GRANT_NONE;
    if (g->code != GRANT_NONE && (v.n < 2 || !control_load(text_of(&v, 1), &g->k)))
        g->code = GRANT_NONE;
    if (v.n == 4) {
        metric_add(METRIC_resumed_elsewhere, v.v[2].i == 1);
        metric_add(METRIC_replays, v.v[3].i == 1);
    }
    return REDIS_DONE;
}

/* --- how a grant ends ------------------------------------------------------------------------------------------------------------------- */
static bool load(struct context *c, const struct grant *g)
{
    if (!private_load(c, &g->k, text_of(&g->got, 0), text_of(&g->got, 1)))
        return false;
    keep_blocks(c, &g->named, &g->got);
    return true;
}

static enum begin run(struct context *c, const struct grant *g)
{
    if (!load(c, g)) {
        commit_release(c, STATE_ABANDONED, false);
        return private_unreadable(c);
    }
    memcpy(c->p->begun, c->p->run, RUN);
    private_held(c);
    fault_point(FAULT_begin_done);
    return BEGIN_RUN;
}

static enum begin stored_answer(struct context *c, const struct grant *g, struct blob *answer, const char **why)
{
    struct journal_row row;
    struct guid where;
    bool found;
    if (!load(c, g))
        return private_unreadable(c);
    c->p->known[0] = c->journal; /* the header names the one mailbox that has it */
    c->p->nknown = 1;
    if (journals_newest(c, &row, &found, &where) != ecNone) {
        *why = "the mailbox cannot be read now";
        return BEGIN_DOWN;
    }
    if (!found || row.seq != c->sequence || memcmp(row.digest, c->p->digest, DIGEST) != 0) {
        log_line(LOGL_ERROR, "context", "no journal row for a repeated request", NULL);
        return BEGIN_NOT_FOUND;
    }
    *answer = row.answer;
    c->p->ended = COOKIE_ENDED;
    metric_add(METRIC_replays, 1);
    return BEGIN_ANSWER;
}

static enum begin refuse(struct context *c, const struct grant *g)
{
    c->sequence = g->k.sequence;
    if (g->k.state < STATE_RUNNING)
        c->p->ended = COOKIE_ENDED | (g->k.state == STATE_CLEAN || g->k.state == STATE_ABANDONED ? COOKIE_CLEAN : 0);
    return BEGIN_SEQUENCE;
}

static enum begin deadly(const char **why)
{
    log_line(LOGL_ERROR, "context", "a request in which two workers died is refused", NULL);
    *why = "this request cannot be served";
    return BEGIN_DOWN;
}

static void pause_ms(uint64_t ms)
{
    struct timespec t = { (time_t)(ms / 1000), (long)(ms % 1000) * 1000000 };
    nanosleep(&t, NULL);
}

/* A repeat waits as long as the request it repeats runs; that one's holder renews the lock, or loses it.  A `twin` differs in its X-RequestId: only
 * the death of the other's worker makes it a repeat; else these were two requests at once (R1228), of which one is refused. */
static enum begin begin(struct context *c, const struct begin_args *args, uint64_t number, struct blob *answer, const char **why)
{
    uint64_t start = clock_ms(), pause = 1;
    bool twin = false, left = false;
    for (unsigned recoveries = 0;;) {
        struct grant g = { 0 };
        enum redis_result res = ask(c, args, number, twin, left, &g);
        if (res != REDIS_DONE) {
            *why = redis_why(res);
            return BEGIN_DOWN;
        }
        switch (g.code) {
        case GRANT_RUN: return run(c, &g);
        case GRANT_ANSWER: return stored_answer(c, &g, answer, why);
        case GRANT_SEQUENCE: return refuse(c, &g);
        case GRANT_RECOVER: {
            if (recoveries++ == RECOVERIES) {
                log_line(LOGL_ERROR, "context", "a session cannot be recovered: it is taken over again and again", NULL);
                *why = "the session cannot be recovered now";
                return BEGIN_DOWN;
            }
            enum begin b = recover(c, &g.k, number, why);
            if (b != BEGIN_RUN)
                return b;
            private_new_token(c);
            twin = left = false; /* its worker died */
            continue;
        }
        case GRANT_OTHER_RUNS: /* or it has ended, as the cookie says, and Redis did not hear of it */
            if (!left && (c->p->told & COOKIE_ENDED) != 0) {
                left = clock_ms() - start >= WAIT_ENDED_MS;
                break;
            }
            if (clock_ms() - start >= WAIT_OTHER_MS)
                return refuse(c, &g);
            break;
        case GRANT_SAME_RUNS: break;
        case GRANT_FINDS_OUT: break; /* until its lease ends */
        case GRANT_TWIN_RUNS: twin = true; break;
        case GRANT_DEADLY: return deadly(why);
        default: return BEGIN_NOT_FOUND;
        }
        pause_ms(pause);
        pause = pause < PAUSE_MAX_MS ? pause + 2 : PAUSE_MAX_MS;
    }
}

enum begin context_begin(const struct session_env *e, struct arena *a, const struct begin_args *args, struct context **out, struct blob *answer, const char **why)
{
    uint8_t  id[CONTEXT_ID];
    uint64_t number = 0;
    *out = NULL;
    enum begin b = read_cookies(e, a, args, id, &number);
    if (b != BEGIN_RUN)
        return b;
    struct context *c = private_new(e, a, id, args);
    c->p->told = number & ~COOKIE_NUMBER;
    c->p->head_due = args->head_due_ms;
    number &= COOKIE_NUMBER;
    log_context("session", context_digest(a, id));
    if (!private_connect(c)) {
        *why = "Redis cannot be reached";
        return BEGIN_DOWN;
    }
    b = begin(c, args, number, answer, why);
    if (b == BEGIN_RUN || b == BEGIN_ANSWER || b == BEGIN_SEQUENCE)
        *out = c;
    return b;
}
