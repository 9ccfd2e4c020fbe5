/* request.c - one request and what befalls it: sent again, as it was, until there is an answer. */
#include "tests/soak/soak.h"
#include "backend/base/fault.h"
#include "backend/base/filetime.h"
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_MS = 45000, REFUSED_MS = 12000, ANSWER_MS = 30000 };

enum fate { GOES_WELL, WORKER_DIES, WORKER_STALLS, WORKER_ENDS, CLIENT_HANGS_UP, CLIENT_SENDS_HALF, REDIS_DIES, REDIS_CUTS, ANSWER_IS_LOST, HEAD_ONLY, FATES };
static const char *const fate_name[FATES] = { "sent", "sent, worker to die", "sent, worker to stall", "sent, worker ends", "sent, hung up", "sent after a half one",
                                              "sent, Redis dies", "sent, Redis connections cut", "sent, answer thrown away", "sent, head only" };
static const unsigned weight[FATES] = { 640, 130, 20, 15, 60, 20, 6, 25, 42, 42 };

static enum fate draw(struct soaker *k)
{
    unsigned n = soak_roll(k, 1000);
    for (unsigned f = 0; f < FATES; f++) {
        if (n < weight[f])
            return k->quiet != 0 ? GOES_WELL : (enum fate)f;
        n -= weight[f];
    }
    return GOES_WELL;
}

static void pause_ms(unsigned ms)
{
    struct timespec t = { ms / 1000, (long)(ms % 1000) * 1000000 };
    nanosleep(&t, NULL);
}

/* One request as it is sent again and again. */
struct sending {
    struct soaker *k;
    const char    *type, *id;
    struct blob    body;
    char           context[512], sequence[512];
    unsigned       worker;
    struct mapic_reply *reply;
    const char    *trail;        /* what was tried */
    bool           new_each_time;/* RopLogon says what time it is */
};

static void cut_redis(struct soaker *k)
{
    struct arena *a = arena_new(1 << 20);
    struct redis_conn *c = redis_take(k->redis, a);
    struct blob argv[] = { blob_str("CLIENT"), blob_str("KILL"), blob_str("TYPE"), blob_str("normal"), blob_str("SKIPME"), blob_str("yes") };
    struct redis_value v;
    if (c != NULL)
        redis_cmd(c, 6, argv, &v);
    arena_free(a);
    atomic_fetch_add(&soak_counts(k)->redis_cuts, 1);
}

/* What happens before, or while, it is served.  Drawn in any case, so that the dice fall the same whatever fate they decide. */
static void befall(struct sending *s, enum fate fate)
{
    struct soaker *k = s->k;
    unsigned where = soak_roll(k, FAULT_COUNT), passage = 1 + soak_roll(k, 2);
    struct soak_counts *n = soak_counts(k);
    switch (fate) {
    case WORKER_DIES:
        soak_arm(k, s->worker, arena_printf(k->a, "%s:%u:kill", fault_name((enum fault)where), passage));
        atomic_fetch_add(&n->kills, 1);
        break;
    case WORKER_STALLS:
        soak_arm(k, s->worker, arena_printf(k->a, "%s:%u:stop", fault_name((enum fault)where), passage));
        atomic_fetch_add(&n->stops, 1);
        break;
    case WORKER_ENDS:
        soak_term(k, s->worker);
        atomic_fetch_add(&n->terms, 1);
        break;
    case REDIS_DIES:
        soak_kill_redis(k);
        atomic_fetch_add(&n->redis_kills, 1);
        break;
    case REDIS_CUTS: cut_redis(k); break;
    default: break;
    }
}

/* nginx throws an unfinished request away: the worker never hears of it. */
static void send_half(struct sending *s)
{
    const char *why;
    struct mapic half = s->k->c;
    half.conn = NULL;
    half.to.timeout_ms = 1000;
    struct tls *t = tls_connect(&half.to, s->k->a, &why);
    static const char begun[] = "POST /mapi/emsmdb/ HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nhalf";
    if (t != NULL)
        tls_write(t, begun, sizeof begun - 1);
    tls_close(t);
}

static bool attempt_once(struct sending *s, enum fate fate, const char *context, const char *sequence, struct mapic_reply *out)
{
    struct soaker *k = s->k;
    const char *why;
    struct mapic_odd odd = { .request_id = s->id, .context = context, .sequence = sequence, .keep_cookies = true };
    s->worker = soak_roll(k, soak_workers(k));
    k->c.route = stack_route[s->worker];
    mapic_close(&k->c);
    befall(s, fate);
    atomic_fetch_add(&soak_counts(k)->requests, 1);
    if (fate == CLIENT_SENDS_HALF)
        send_half(s);
    if (!mapic_send(&k->c, k->a, s->type, s->body, &odd, &why))
        return false;
    if (fate == CLIENT_HANGS_UP) {
        pause_ms(soak_roll(k, 4));
        mapic_close(&k->c);
        atomic_fetch_add(&soak_counts(k)->hang_ups, 1);
        return false;
    }
    bool ok = mapic_recv(&k->c, k->a, out, &odd, &why);
    if (ok && out->code != 0)
        atomic_fetch_add(&soak_counts(k)->shut_out, out->code == 18);
    return ok;
}

/* True: an answer of any kind was read. */
static bool attempt(struct sending *s, enum fate fate, const char *context, const char *sequence, struct mapic_reply *out)
{
    uint64_t begun = clock_ms();
    bool ok = attempt_once(s, fate, context, sequence, out);
    s->trail = arena_printf(s->k->a, "%s\n    %s to %s at %llu: %s %d/%d after %llu ms", s->trail, fate_name[fate], stack_route[s->worker], (unsigned long long)begun % 1000000,
                            ok ? "answered" : "no answer", ok ? out->http.status : 0, ok ? out->code : 0, (unsigned long long)(clock_ms() - begun));
    return ok;
}

static void copy_cookie(const struct mapic_reply *r, const char *name, char *to, size_t room)
{
    size_t n = strlen(name);
    for (size_t i = 0; i < r->http.headers; i++) {
        const char *v = r->http.header[i].value;
        if (strcmp(r->http.header[i].name, "Set-Cookie") == 0 && strncmp(v, name, n) == 0 && v[n] == '=')
            snprintf(to, room, "%.*s", (int)strcspn(v + n + 1, ";"), v + n + 1);
    }
}

static void take_cookies(struct soaker *k, const struct mapic_reply *r)
{
    copy_cookie(r, "MapiContext", k->c.context, sizeof k->c.context);
    copy_cookie(r, "MapiSequence", k->c.sequence, sizeof k->c.sequence);
}

static bool answered(const struct mapic_reply *r) { return r->http.status == 200 && r->code == 0 && r->done; }

/* When a worker dies in the middle of an answer whose head left early, nginx (1.22, unbuffered) ends it as if it were whole: only the length of the ROP
 * buffer shows that it is not. */
static bool has_buffer(struct soaker *k, struct blob body)
{
    struct mapic_result out = { 0 };
    return mapic_decode(k->a, body, &out) && out.status == 0 && out.error == 0 && out.payloads != 0;
}

/* The answer is repeated although it came: with the old cookies if it was lost whole, with the new ones if only its end was. */
static void ask_again(struct sending *s, enum fate fate)
{
    struct soaker *k = s->k;
    struct mapic_reply again = { 0 };
    const char *context = fate == HEAD_ONLY ? k->c.context : s->context, *sequence = fate == HEAD_ONLY ? k->c.sequence : s->sequence;
    atomic_fetch_add(&soak_counts(k)->answers_lost, 1);
    for (uint64_t until = clock_ms() + PATIENCE_MS; clock_ms() < until; pause_ms(20)) {
        if (!attempt(s, GOES_WELL, context, sequence, &again))
            continue;
        if (answered(&again) && has_buffer(k, again.body)) {
            if (!s->new_each_time && !blob_eq(again.body, s->reply->body))
                soak_fault(k, "a repeated %s (%s) got another answer: %zu bytes, before %zu%s", s->type, s->id, again.body.n, s->reply->body.n, s->trail);
            take_cookies(k, &again);
            return;
        }
        if (again.code == 10 && soak_forgiven(k)) {
            atomic_fetch_add(&soak_counts(k)->lost, 1);
            return;
        }
        if (again.code == 10 || again.code == 15) {
            soak_fault(k, "a repeated %s (%s) got X-ResponseCode %d%s", s->type, s->id, again.code, s->trail);
            return;
        }
    }
    soak_fault(k, "a repeated %s (%s) gets no answer%s", s->type, s->id, s->trail);
}

static bool repeatable(const char *type) { return strcmp(type, "Execute") == 0; }

enum soak_end soak_request(struct soaker *k, const char *type, struct blob body, struct mapic_reply *reply)
{
    struct sending s = { .k = k, .type = type, .id = arena_printf(k->a, "%s:%u", k->guid, ++k->requests), .body = body, .reply = reply, .trail = "" };
    s.new_each_time = k->logon == 0;
    snprintf(s.context, sizeof s.context, "%s", k->c.context);
    snprintf(s.sequence, sizeof s.sequence, "%s", k->c.sequence);
    k->c.timeout_ms = ANSWER_MS;
    uint64_t begun = clock_ms();
    for (unsigned tries = 0;; tries++) {
        enum fate fate = draw(k);
        if (tries != 0 && fate != CLIENT_HANGS_UP && fate != REDIS_CUTS) /* a request in which a second worker dies may be refused */
            fate = GOES_WELL;
        bool ok = attempt(&s, fate, s.context, s.sequence, reply);
        soak_arm(k, s.worker, "");
        if (ok && answered(reply) && (!repeatable(type) || has_buffer(k, reply->body))) {
            take_cookies(k, reply);
            if ((fate == ANSWER_IS_LOST || fate == HEAD_ONLY) && repeatable(type))
                ask_again(&s, fate);
            return SOAK_DONE;
        }
        uint64_t took = clock_ms() - begun;
        if (ok && reply->code == 15) {
            soak_fault(k, "%s (%s) got X-ResponseCode 15%s", type, s.id, s.trail);
            return SOAK_LOST;
        }
        if (ok && reply->code == 10) {
            if (strcmp(type, "Execute") == 0 && soak_forgiven(k))
                atomic_fetch_add(&soak_counts(k)->lost, 1);
            else if (strcmp(type, "Execute") == 0) /* nothing else that happens here costs a session */
                soak_fault(k, "%s (%s) got X-ResponseCode 10%s", type, s.id, s.trail);
            return SOAK_LOST;
        }
        if (ok && reply->code == 1 && took > REFUSED_MS) {
            atomic_fetch_add(&soak_counts(k)->refused, 1);
            return SOAK_LOST;
        }
        if (took > PATIENCE_MS) {
            soak_fault(k, "%s (%s) gets no answer%s", type, s.id, s.trail);
            return SOAK_LOST;
        }
        atomic_fetch_add(&soak_counts(k)->repeats, 1);
        pause_ms(5 + soak_roll(k, 30));
    }
}

void soak_is_over(struct soaker *k)
{
    struct mapic_reply reply = { 0 };
    struct sending s = { .k = k, .type = "PING", .id = arena_printf(k->a, "%s:%u", k->guid, ++k->requests), .reply = &reply, .trail = "" };
    for (uint64_t until = clock_ms() + PATIENCE_MS; clock_ms() < until; pause_ms(20)) {
        if (!attempt(&s, GOES_WELL, k->c.context, k->c.sequence, &reply))
            continue;
        if (reply.code == 10)
            return;
        if (reply.code == 0)
            break;
    }
    soak_fault(k, "a session lives on after its Disconnect%s", s.trail);
}

enum soak_end soak_execute(struct soaker *k, struct mapic_rops *r, struct mapic_result *out)
{
    *out = (struct mapic_result){ .error = UINT32_MAX };
    enum soak_end end = soak_request(k, "Execute", mapic_execute_body(k->a, rops_buffer(r), 3, 0x10008), &out->reply);
    if (end == SOAK_DONE)
        mapic_decode(k->a, out->reply.body, out);
    return end;
}
