/* test_nspi_repeat.c - every request of the address book asked twice with the same cookies: because its answer was lost, or because its worker died at one of the
 * places that it passes.  The client hears what it would have heard, and what changes is changed once (MS-OXCMAPIHTTP 3.2.5, 3.1.5.6). */
#include "backend/base/fault.h"
#include "backend/directory/book.h"
#include "session/nspi/nspi_row.h"
#include "tests/flow/book.h"
#include <signal.h>
#include <stdio.h>

enum { LATER = 0x7000 };

/* An installation of its own, in which a dead worker's lock is soon over. */
struct desk {
    struct stack *st;
    struct book_client b;
    struct directory  *d;
    int64_t ana, bob, group;
    struct nspic_stat list, own;          /* the global list from its beginning; ana's own row */
    struct restriction named;
    struct propval sought, certificate;
    struct blob cert, bobs_id;
    uint32_t mids[2], tags[2];
    const char *names[1], *dns[1];
};

static struct stack *quick_stack(void)
{
    static struct stack *st;
    if (st == NULL)
        st = stack_start(&(struct stack_options){ .workers = 2, .config = "lock_lease = 300\n" });
    return st;
}

static void desk(struct desk *k)
{
    struct stack *st = quick_stack();
    *k = (struct desk){ .st = st, .d = st->directory, .ana = st->ana.row, .bob = st->bob.row, .list = book_stat(), .own = book_stat(), .cert = blob_of("\1\2\3", 3),
                        .tags = { PidTagDisplayName, PidTagEntryId }, .mids = { entry_mid(st->bob.row), entry_mid(st->ana.row) }, .names = { "bob" } };
    book_bound(&k->b, st, &st->ana);
    k->own.current = entry_mid(k->ana);
    k->dns[0] = st->bob.dn;
    k->sought = pv_str(PidTagDisplayName, "b");
    k->named = (struct restriction){ .kind = RES_EXIST };
    k->named.exist.tag = PidTagDisplayName;
    k->certificate = (struct propval){ .tag = PidTagUserX509Certificate };
    k->certificate.v.mv.n = 1;
    k->certificate.v.mv.bin = &k->cert;
    k->bobs_id = nspi_permanent_id(k->b.a, 0, st->bob.dn);
}

static void desk_end(struct desk *k) { book_client_end(&k->b); }

/* --- what is asked: one of each -------------------------------------------------------------------------------------------------------------- */

struct asked { const char *type; struct nspic_ask q; };

static struct nspic_ask asked(const struct desk *k, const char *type)
{
    const struct asked all[] = {
        { "Bind", { .stat = &k->list } },
        { "Unbind", { .flags = 0 } },
        { "CompareMIds", { .stat = &k->list, .mid = k->mids[0], .mid2 = k->mids[1] } },
        { "DNToMId", { .names = k->dns, .nnames = 1 } },
        { "GetMatches", { .stat = &k->list, .filter = &k->named, .rows = 100, .tags = k->tags, .ntags = 2 } },
        { "GetPropList", { .mid = k->mids[1], .code_page = 1252 } },
        { "GetProps", { .stat = &k->own, .tags = k->tags, .ntags = 2 } },
        { "GetSpecialTable", { .stat = &k->list, .flags = 4 } },
        { "GetTemplateInfo", { .flags = 1, .code_page = 1252, .locale = 0x409 } },
        { "ModLinkAtt", { .tag = PidTagAddressBookPublicDelegates, .mid = k->mids[1], .entryids = &k->bobs_id, .nentryids = 1 } },
        { "ModProps", { .stat = &k->own, .tags = &k->certificate.tag, .ntags = 1, .values = &k->certificate, .nvalues = 1 } },
        { "QueryColumns", { .flags = 0 } },
        { "QueryRows", { .stat = &k->list, .rows = 100, .tags = k->tags, .ntags = 2 } },
        { "ResolveNames", { .stat = &k->list, .names = k->names, .nnames = 1, .tags = k->tags, .ntags = 2 } },
        { "ResortRestriction", { .stat = &k->list, .mids = k->mids, .nmids = 2 } },
        { "SeekEntries", { .stat = &k->list, .target = &k->sought, .tags = k->tags, .ntags = 2 } },
        { "UpdateStat", { .stat = &k->list, .wants_delta = true } },
        { "GetMailboxUrl", { .text = "/o=x" } },
        { "GetAddressBookUrl", { .text = "/o=x" } },
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (strcmp(all[i].type, type) == 0)
            return all[i].q;
    unit_check(false, __FILE__, __LINE__, "%s: a request that is never repeated here", type);
    return (struct nspic_ask){ 0 };
}

/* --- what has changed ------------------------------------------------------------------------------------------------------------------------ */

static bool has_certificate(const struct desk *k)
{
    struct entry e;
    REQUIRE_EC(entry_get(k->d, k->b.a, k->ana, &e), ecNone);
    return props_find(&e.props, PidTagUserX509Certificate) != NULL;
}

static bool has_delegate(const struct desk *k)
{
    bool yes = false;
    REQUIRE_EC(link_has(k->d, LINK_DELEGATE, k->ana, k->bob, &yes), ecNone);
    return yes;
}

static bool changed(const struct desk *k, const struct nspi_def *d)
{
    return strcmp(d->name, "ModProps") == 0 ? has_certificate(k) : strcmp(d->name, "ModLinkAtt") == 0 && has_delegate(k);
}

/* Somebody takes it back. */
static void take_back(const struct desk *k)
{
    struct entry e;
    REQUIRE_EC(link_remove(k->d, LINK_DELEGATE, k->ana, k->bob), ecNone);
    REQUIRE_EC(entry_get(k->d, k->b.a, k->ana, &e), ecNone);
    props_del(&e.props, PidTagUserX509Certificate);
    REQUIRE_EC(entry_set(k->d, k->b.a, &e), ecNone);
}

/* --- twice ----------------------------------------------------------------------------------------------------------------------------------- */

/* A request as it is sent, and the cookies that it is sent with. */
struct request { const struct nspi_def *d; struct blob body; char id[64], context[512], sequence[512]; struct mapic_odd odd; };

static void prepare(struct desk *k, const struct nspi_def *d, struct request *q)
{
    static unsigned counter = LATER;
    struct nspic_ask ask = asked(k, d->name);
    *q = (struct request){ .d = d, .body = nspic_body(k->b.a, d->name, &ask) };
    snprintf(q->id, sizeof q->id, "{0f0f0f0f-2222-3333-4444-888888888888}:%u", ++counter);
    snprintf(q->context, sizeof q->context, "%s", (d->flags & OPENS) != 0 ? "" : k->b.c.context);
    snprintf(q->sequence, sizeof q->sequence, "%s", (d->flags & OPENS) != 0 ? "" : k->b.c.sequence);
    q->odd = (struct mapic_odd){ .request_id = q->id, .context = q->context, .sequence = q->sequence };
}

static int call(struct desk *k, const struct request *q, unsigned worker, struct mapic_reply *reply)
{
    const char *why = NULL;
    k->b.c.route = stack_route[worker];
    unit_check(mapic_call(&k->b.c, k->b.a, q->d->name, q->body, &q->odd, reply, &why), __FILE__, __LINE__, "%s: %s", q->d->name, why != NULL ? why : "");
    return reply->code;
}

static uint32_t error_of(struct desk *k, const struct request *q, struct blob body)
{
    struct nspic_reply out = { .error = UINT32_MAX };
    unit_check(nspic_decode(k->b.a, q->d->name, body, 1252, &out), __FILE__, __LINE__, "%s: a body that cannot be read", q->d->name);
    return out.error;
}

/* The session goes on with the cookies of the last answer. */
static void goes_on(struct desk *k, const char *what)
{
    uint32_t ec = book_call(&k->b, "QueryColumns", &(struct nspic_ask){ 0 });
    unit_check(ec == 0, __FILE__, __LINE__, "%s: the next request %08x, %s", what, ec, k->b.why != NULL ? k->b.why : "");
}

static void answered_twice(const struct nspi_def *d)
{
    struct desk k;
    struct request q;
    struct mapic_reply first, second;
    desk(&k);
    prepare(&k, d, &q);
    unit_int(call(&k, &q, 0, &first), 0, d->name, __FILE__, __LINE__);
    unit_check(changed(&k, d) == ((d->flags & WRITES) != 0), __FILE__, __LINE__, "%s: changed or not", d->name);
    take_back(&k);
    int code = call(&k, &q, 1, &second);
    unit_check(!changed(&k, d), __FILE__, __LINE__, "%s: happened twice", d->name);
    if ((d->flags & ENDS) != 0) {
        unit_int(code, 10, d->name, __FILE__, __LINE__);  /* it is over, and who asks again hears that */
    } else {
        unit_int(code, 0, d->name, __FILE__, __LINE__);
        unit_check(blob_eq(first.body, second.body), __FILE__, __LINE__, "%s: another answer", d->name);
        goes_on(&k, d->name);
    }
    desk_end(&k);
}

/* OXCMAPIHTTP 3.2.5: an answer that did not arrive is had by asking again. */
TEST_LIMIT(a_lost_answer_is_had_by_asking_again, 60)
{
    for (size_t i = 0; i < nspi_count; i++)
        answered_twice(&nspi_table[i]);
}

/* --- workers that die ------------------------------------------------------------------------------------------------------------------------ */

/* The places that a request passes, in their order; at and behind `durable` its effect is there.  No request here changes the context of its session, so that nothing of
 * it is saved: its lock is let go. */
static const struct place { enum fault fault; unsigned none_of, all_of; bool durable; } places[] = {
    { FAULT_begin_sent,        OPENS | ASIDE,        0,      false },
    { FAULT_begin_done,        OPENS | ASIDE,        0,      false },
    { FAULT_book_begun,        0,                    WRITES, false },
    { FAULT_book_changed,      0,                    WRITES, true },
    { FAULT_commit_before,     ASIDE | ENDS,         0,      true },
    { FAULT_create_sent,       0,                    OPENS,  true },
    { FAULT_connect_created,   0,                    OPENS,  true },
    { FAULT_destroy_store,     0,                    ENDS,   false },
    { FAULT_disconnect_done,   0,                    ENDS,   true },
    { FAULT_answer_half,       0,                    0,      true },
};

static bool passes(const struct nspi_def *d, const struct place *p) { return (d->flags & p->none_of) == 0 && (d->flags & p->all_of) == p->all_of; }

/* It is sent to worker 0, which dies; what arrived of the answer counts for nothing. */
static void dies(struct desk *k, const struct request *q, const char *at)
{
    char arm[64];
    struct mapic_reply lost;
    const char *why = NULL;
    snprintf(arm, sizeof arm, "%s:1:kill", at);
    stack_arm(k->st, 0, arm);
    mapic_close(&k->b.c);
    k->b.c.route = stack_route[0];
    struct mapic_odd odd = q->odd;
    odd.keep_cookies = true;
    if (mapic_send(&k->b.c, k->b.a, q->d->name, q->body, &odd, &why))
        (void)mapic_recv(&k->b.c, k->b.a, &lost, &odd, &why);
    mapic_close(&k->b.c);
    unit_check(stack_worker_ended(k->st, 0), __FILE__, __LINE__, "%s: the worker died at %s", q->d->name, at);
    stack_arm(k->st, 0, NULL);
}

/* `well`: what a worker answers that lives. */
static void dies_at(const struct nspi_def *d, const struct place *p, struct blob well)
{
    struct desk k;
    struct request q;
    struct mapic_reply reply;
    const char *at = fault_name(p->fault);
    desk(&k);
    prepare(&k, d, &q);
    dies(&k, &q, at);
    bool writes = (d->flags & WRITES) != 0, ended = (d->flags & ENDS) != 0 && p->durable;
    unit_check(changed(&k, d) == (writes && p->durable), __FILE__, __LINE__, "%s at %s: durable or not", d->name, at);
    take_back(&k);
    int code = call(&k, &q, 1, &reply);
    unit_check(code == (ended ? 10 : 0), __FILE__, __LINE__, "%s at %s: X-ResponseCode %d", d->name, at, code);
    unit_check(changed(&k, d) == (writes && !p->durable), __FILE__, __LINE__, "%s at %s: not once", d->name, at);
    if (!ended)
        unit_check(blob_eq(reply.body, well), __FILE__, __LINE__, "%s at %s: another answer, %08x", d->name, at, error_of(&k, &q, reply.body));
    if ((d->flags & ENDS) == 0)
        goes_on(&k, at);
    take_back(&k);
    stack_worker(k.st, 0);
    desk_end(&k);
}

static void dies_everywhere(const struct nspi_def *d)
{
    struct desk k;
    struct request q;
    struct mapic_reply well;
    struct arena *a = arena_new(1 << 24);
    desk(&k);
    prepare(&k, d, &q);
    unit_int(call(&k, &q, 1, &well), 0, d->name, __FILE__, __LINE__);
    struct blob body = arena_blob(a, well.body);
    take_back(&k);
    desk_end(&k);
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        if (passes(d, &places[i]))
            dies_at(d, &places[i], body);
    arena_free(a);
}

/* Both changes at every place; of the others one of each kind at every place that it passes. */
TEST_LIMIT(changes_are_made_once_wherever_the_worker_dies, 120)
{
    for (size_t i = 0; i < nspi_count; i++)
        if ((nspi_table[i].flags & WRITES) != 0)
            dies_everywhere(&nspi_table[i]);
}

TEST_LIMIT(sessions_begin_and_end_wherever_the_worker_dies, 120)
{
    for (size_t i = 0; i < nspi_count; i++)
        if ((nspi_table[i].flags & (OPENS | ENDS | ASIDE)) != 0)
            dies_everywhere(&nspi_table[i]);
}

TEST_LIMIT(questions_are_answered_wherever_the_worker_dies, 180)
{
    for (size_t i = 0; i < nspi_count; i++)
        if ((nspi_table[i].flags & (OPENS | ENDS | ASIDE | WRITES)) == 0)
            dies_everywhere(&nspi_table[i]);
}
