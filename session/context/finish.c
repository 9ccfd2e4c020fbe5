/* finish.c - the end of a request: journal and store, then Redis, then the lock, in the order that keeps "exactly once". */
#include "session/context/context_int.h"
#include "backend/base/log.h"
#include "session/context/cookie.h"
#include "backend/base/metric.h"
#include "backend/event/bell.h"
#include "backend/store/event.h"

/* --- Redis ------------------------------------------------------------------------------------------------------------------------ */
static enum redis_result put_new(struct context *c)
{
    struct context_private *p = c->p;
    struct wr w = wr_in(c->a, CONTROL_BYTES);
    struct args x = { c->a, NULL, 0, 0 };
    struct control k = { .state = STATE_CLEAN, .sequence = c->sequence, .epoch = c->epoch };
    struct redis_value v;
    memcpy(k.identity, p->identity, IDENTITY);
    memcpy(k.digest, p->digest, DIGEST);
    memcpy(k.request_id, p->request_id, REQUEST_ID);
    memcpy(k.token, p->token, TOKEN);
    control_save(&w, &k);
    args_num(&x, p->lease.retention_ms);
    args_bytes(&x, p->token, TOKEN);
    args_bytes(&x, wr_blob(&w).p, CONTROL_BYTES - RUN); /* its last field is that of the Redis which gets it */
    args_bytes(&x, p->run, RUN);
    struct args pairs = { c->a, NULL, 0, 0 };
    commit_pairs(c, commit_header(c), 0, &pairs);
    for (size_t i = 1; i < pairs.n; i++)
        args_blob(&x, pairs.v[i]);
    args_blob(&x, blob_str("s"));
    args_blob(&x, service_save(c->a, (uint64_t)time(NULL) * 1000, p->lease.retention_ms, p->env.where != NULL ? p->env.where : ""));
    struct call call = { SCRIPT_CREATE, p->key, x.v, x.n, NULL, 0, FAULT_create_sent, p->run, true };
    enum redis_result res = script_call(p->redis, &call, &v, NULL);
    return res == REDIS_DONE && v.i != 1 ? REDIS_REFUSED : res;
}

static enum redis_result put_changed(struct context *c, enum state s, struct blob header, const struct rings *rings, int64_t *said)
{
    struct context_private *p = c->p;
    struct args x = { c->a, NULL, 0, 0 };
    struct redis_value v;
    unsigned slot = p->control.slot ^ 1u;
    args_bytes(&x, p->token, TOKEN);
    args_num(&x, s);
    args_num(&x, p->lease.retention_ms);
    args_bytes(&x, p->run, RUN);
    args_num(&x, slot);
    for (int i = 0; i < 4; i++)
        args_blob(&x, blob_of(NULL, 0));
    commit_pairs(c, header, slot, &x);
    commit_trash(c, &x);
    if (p->noted)
        args_blob(&x, blob_str("x"));
    struct call call = { SCRIPT_FINISH, p->key, x.v, x.n, NULL, 0, FAULT_commit_sent, p->run, true };
    enum redis_result res = script_call_rings(p->redis, &call, rings, &v);
    *said = res == REDIS_DONE && v.type == REDIS_INT ? v.i : 0;
    return res;
}

/* The lock is not ours: somebody took it, or the Redis that knew of it is not the one that answers now. */
static enum finish not_ours(const struct context *c)
{
    if (memcmp(c->p->begun, c->p->run, RUN) == 0)
        return CONTEXT_OVERTAKEN;
    log_line(LOGL_WARN, "context", "a session was lost with its Redis", NULL);
    return CONTEXT_GONE;
}

/* --- a request that touched no store ------------------------------------------------------------------------------------------------- */
static enum finish redis_only(struct context *c)
{
    int64_t said = 1;
    c->version = c->sequence;
    enum redis_result res = c->p->fresh ? put_new(c) : put_changed(c, STATE_CHANGED, commit_header(c), NULL, &said);
    if (res != REDIS_DONE) {
        log_line(LOGL_ERROR, "context", "the session could not be saved", "error", redis_why(res), NULL);
        if (!c->p->fresh)
            commit_release(c, STATE_ABANDONED, false);
        return CONTEXT_FAILED;
    }
    metric_add(METRIC_sessions_created, c->p->fresh);
    fault_point(c->p->fresh ? FAULT_connect_created : FAULT_commit_redis);
    return said != 0 ? CONTEXT_DONE : not_ours(c);
}

/* --- a request that changed a store --------------------------------------------------------------------------------------------------- */
/* A takeover asks the mailboxes of the saved header; one that it does not name is noted in Redis before anything happens there. */
static bool note_mailbox(struct context *c, const struct guid *id)
{
    struct context_private *p = c->p;
    for (size_t i = 0; i < p->nknown; i++)
        if (guid_eq(&p->known[i], id))
            return true;
    struct args x = { c->a, NULL, 0, 0 };
    struct redis_value v;
    args_bytes(&x, p->token, TOKEN);
    args_bytes(&x, id->b, sizeof id->b);
    struct call call = { SCRIPT_NOTE, p->key, x.v, x.n, NULL, 0, FAULT_COUNT, NULL, true };
    p->noted = true;
    return script_call(p->redis, &call, &v, NULL) == REDIS_DONE && v.type == REDIS_INT && v.i == 1;
}

static ec_t journal(struct context *c, struct mailbox *m, uint64_t from, struct blob header, struct blob answer)
{
    struct context_private *p = c->p;
    struct delta d = { .from = from, .flags = p->control.flags & FLAG_IDS_CHANGE, .header = header };
    memcpy(d.request_id, p->request_id, REQUEST_ID);
    d.block = arena_array(c->a, struct block, p->blocks);
    for (size_t i = 0; i < p->blocks; i++) {
        const struct handle_entry *h = context_handle(c, p->block[i].handle);
        if (p->block[i].dirty && h != NULL && !h->staged)
            d.block[d.blocks++] = p->block[i];
    }
    struct journal_row row = { .epoch = c->epoch, .seq = c->sequence, .delta = delta_save(c->a, &d), .answer = answer };
    memcpy(row.digest, p->digest, DIGEST);
    return journal_put(m, c->id, &row);
}

static void abort_all(const struct work *w)
{
    for (size_t i = 0; i < w->n; i++)
        mailbox_abort(w->m[i]);
}

/* The journal has this very number from an older lock: the request took effect before, in a mailbox that the Redis which is asked now was never told of. */
static bool done_before(struct context *c, struct mailbox *m)
{
    struct journal_row row;
    return journal_get(m, c->id, &row) == ecNone && row.seq == c->sequence && row.epoch <= c->epoch;
}

static enum finish refused(struct context *c, struct work *w, ec_t ec)
{
    bool before = ec == ecInvalidObject && w->n != 0 && done_before(c, w->m[0]);
    abort_all(w);
    if (ec == ecInvalidObject)
        return before ? CONTEXT_GONE : CONTEXT_OVERTAKEN;
    log_line(LOGL_ERROR, "context", "the request was rolled back", "code", err_name(ec), "place", err_place(), NULL);
    commit_release(c, STATE_ABANDONED, false);
    return CONTEXT_FAILED;
}

/* The first mailbox decides; the others follow it. */
static ec_t commit_stores(struct work *w)
{
    TRY(mailbox_commit(w->m[0]));
    fault_point(FAULT_commit_store);
    for (size_t i = 1; i < w->n; i++)
        if (mailbox_commit(w->m[i]) != ecNone)
            log_line(LOGL_ERROR, "context", "a second mailbox did not commit", "place", err_place(), NULL);
    return ecNone;
}

/* Whoever waits for one of these mailboxes is to look; asked while the transactions are open. */
static void collect_rings(struct context *c, const struct work *w, struct rings *out)
{
    uint64_t seq;
    out->n = 0;
    for (size_t i = 0; i < w->n && out->n < LOGONS_MAX; i++)
        if (event_written(w->m[i], &seq))
            out->v[out->n++] = bell_command(c->a, c->p->env.config, &mailbox_info(w->m[i])->id, seq);
}

static enum finish store_first(struct context *c, struct work *w, struct blob answer)
{
    uint64_t from = c->version;
    struct rings rings;
    const struct guid *id = &mailbox_info(w->m[0])->id;
    if (!note_mailbox(c, id))
        return refused(c, w, EC(ecServerBusy));
    c->version = c->sequence;
    c->journal = *id;
    struct blob header = commit_header(c);
    ec_t ec = journal(c, w->m[0], from, header, answer);
    if (ec != ecNone)
        return refused(c, w, ec);
    fault_point(FAULT_commit_journal);
    collect_rings(c, w, &rings);
    ec = commit_stores(w);
    if (ec != ecNone)
        return refused(c, w, ec);
    /* From here on the request has succeeded: what Redis does not learn now, it learns from the journal. */
    int64_t said;
    enum redis_result res = put_changed(c, STATE_STORED, header, &rings, &said);
    if (res != REDIS_DONE || said == 0)
        log_line(LOGL_WARN, "context", "committed, but the session will have to be recovered", "error", redis_why(res), NULL);
    if (res == REDIS_OOM || res == REDIS_REFUSED) /* a Redis that is there: nobody shall wait for the end of the lease */
        commit_yield(c);
    fault_point(FAULT_commit_redis);
    return CONTEXT_DONE;
}

static enum finish finish(struct context *c, struct mailbox **changed, size_t n, struct blob answer)
{
    struct work w = { NULL, 0, 0 };
    fault_point(FAULT_commit_before);
    for (size_t i = 0; i < n; i++) {
        if (!mailbox_writing(changed[i]))
            continue;
        if (!mailbox_changed(changed[i])) {
            mailbox_abort(changed[i]);
            continue;
        }
        w.m = arena_grow(c->a, w.m, &w.cap, w.n, sizeof *w.m);
        w.m[w.n++] = changed[i];
    }
    ec_t ec = spill_all(c, &w);
    if (!c->p->fresh)
        private_let_go(c);
    if (ec != ecNone)
        return refused(c, &w, ec);
    if (w.n != 0)
        return store_first(c, &w, answer);
    if (c->p->changed)
        return redis_only(c);
    c->p->ended = COOKIE_ENDED | COOKIE_CLEAN;
    commit_release(c, STATE_CLEAN, false);
    return CONTEXT_DONE;
}

enum finish context_finish(struct context *c, struct mailbox **changed, size_t n, struct blob answer)
{
    enum finish f = finish(c, changed, n, answer);
    if (f == CONTEXT_DONE || f == CONTEXT_FAILED)
        c->p->ended |= COOKIE_ENDED;
    if (f == CONTEXT_DONE && !c->p->fresh)
        wait_tell_logons(c);
    return f;
}
