/* recover.c - a context whose last request ended nobody knows how -> what the journals say it did. */
#include "session/context/context_int.h"
#include "backend/base/log.h"
#include "backend/base/metric.h"
#include "session/context/cookie.h"
#include "session/context/header.h"

struct found { struct journal_row row; struct guid where; struct delta delta; bool any; };

/* Header and the mailboxes noted by the last request; the lock keeps them still. */
static enum begin load(struct context *c, const struct control *k)
{
    struct args x = { c->a, NULL, 0, 0 };
    struct redis_value v;
    args_blob(&x, blob_str("HMGET"));
    args_blob(&x, c->p->key);
    args_blob(&x, field_header(0));
    args_blob(&x, field_header(1));
    args_blob(&x, blob_str("x"));
    if (redis_ask(c->p->redis, x.n, x.v, &v) != REDIS_DONE)
        return BEGIN_DOWN;
    if (v.type != REDIS_ARRAY || v.n != 3 || !private_load(c, k, v.v[0].s, v.v[1].s))
        return BEGIN_NOT_FOUND;
    journals_of(c, v.v[2].s);
    c->p->noted = v.v[2].s.n != 0;
    return BEGIN_RUN;
}

/* Writes the state that was found out; the lock is free then, and ordinary rules apply to the request that waits here. */
static enum redis_result settle(struct context *c, enum state s, const struct found *f, int64_t *said)
{
    struct context_private *p = c->p;
    struct args x = { c->a, NULL, 0, 0 };
    struct redis_value v;
    unsigned slot = p->control.slot ^ 1u;
    args_bytes(&x, p->token, TOKEN);
    args_num(&x, s);
    args_num(&x, p->lease.retention_ms);
    args_bytes(&x, p->run, RUN);
    if (f == NULL) {
        for (int i = 0; i < 5; i++)
            args_blob(&x, blob_of(NULL, 0));
        args_num(&x, 0);
    } else {
        args_num(&x, slot);
        args_num(&x, f->row.seq);
        args_bytes(&x, f->row.digest, DIGEST);
        args_bytes(&x, f->delta.request_id, REQUEST_ID);
        args_num(&x, f->delta.flags);
        args_num(&x, 1 + f->delta.blocks);
        args_blob(&x, field_header(slot));
        args_blob(&x, f->delta.header);
        for (size_t i = 0; i < f->delta.blocks; i++) {
            args_blob(&x, field_object(c->a, f->delta.block[i].handle, f->delta.block[i].slot));
            args_blob(&x, f->delta.block[i].state);
        }
    }
    if (p->noted)
        args_blob(&x, blob_str("x"));
    struct call call = { f != NULL ? SCRIPT_FINISH : SCRIPT_RELEASE, p->key, x.v, x.n, NULL, 0, FAULT_COUNT, p->run, f != NULL };
    enum redis_result res = script_call(p->redis, &call, &v, NULL);
    *said = res == REDIS_DONE && v.type == REDIS_INT ? v.i : 0;
    return res;
}

static enum begin later(struct context *c, const char *reason, const char **why)
{
    *why = reason;
    commit_yield(c);
    return BEGIN_DOWN;
}

/* Redis and the journals do not fit together: what is missing nobody has.  Never a number error for our own loss. */
static enum begin give_up(struct context *c, const char **why)
{
    log_line(LOGL_WARN, "context", "a session with a gap is ended", NULL);
    return destroy_all(c) == ecNone ? BEGIN_NOT_FOUND : later(c, "the session is lost and cannot be ended now", why);
}

/* Redis lost the end of a request that the client may have seen: it goes on with the next number, and that is no repeat.  Had the request
 * changed a store the journal would know; it may have changed the context, unless its answer said that it did not. */
static bool may_have_lost(const struct context *c, const struct control *k, uint64_t number)
{
    const struct context_private *p = c->p;
    bool unreleased = k->was == STATE_RUNNING, foreign = memcmp(k->run, p->run, RUN) != 0;
    bool again = memcmp(k->digest, p->digest, DIGEST) == 0 && memcmp(k->request_id, p->request_id, REQUEST_ID) == 0 && (k->flags & FLAG_IDS_CHANGE) != 0;
    if (number == k->sequence + 1 && (p->told & COOKIE_CLEAN) != 0)
        return false;
    return number > k->sequence + 1 || (unreleased && foreign && number == k->sequence + 1 && !again);
}

static enum begin decide(struct context *c, const struct control *k, uint64_t number, struct found *f, const char **why)
{
    enum redis_result res;
    int64_t said;
    uint64_t known = k->was == STATE_RUNNING && k->sequence > 0 ? k->sequence - 1 : k->sequence; /* Redis has everything up to here */
    if (f->any && f->row.seq > known) {
        struct context after = { .a = c->a };
        if (!delta_load(c->a, f->row.delta, &f->delta) || !header_load(f->delta.header, &after) || f->delta.from != c->version || number > f->row.seq + 1)
            return give_up(c, why);
        res = settle(c, STATE_STORED, f, &said);
    } else {
        if (may_have_lost(c, k, number))
            return give_up(c, why);
        res = settle(c, k->was == STATE_RUNNING ? STATE_ABANDONED : (enum state)k->was, NULL, &said);
    }
    if (res != REDIS_DONE)
        return later(c, redis_why(res), why);
    return BEGIN_RUN;
}

enum begin recover(struct context *c, const struct control *k, uint64_t number, const char **why)
{
    struct found f = { 0 };
    enum begin loaded = load(c, k);
    if (loaded == BEGIN_DOWN)
        return later(c, "Redis cannot be reached", why);
    if (loaded != BEGIN_RUN) {
        commit_yield(c);
        return private_unreadable(c);
    }
    lease_begin(&c->p->lease);
    ec_t ec = journals_fence(c, c->epoch);
    if (ec == ecNone)
        fault_point(FAULT_recover_fenced);
    if (ec == ecNone)
        ec = journals_newest(c, &f.row, &f.any, &f.where);
    lease_end(&c->p->lease);
    log_line(LOGL_INFO, "context", "recovering", NULL);
    metric_add(METRIC_recoveries, 1);
    return ec == ecNone ? decide(c, k, number, &f, why) : later(c, "the mailbox cannot be asked now", why);
}
