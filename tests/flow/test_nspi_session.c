/* test_nspi_session.c - sessions of the address book: cookies, sequence, reconnection, changes exactly once, workers that die (MS-OXCMAPIHTTP 3.2.5). */
#include "backend/base/fault.h"
#include "tests/flow/books.h"
#include <signal.h>
#include <stdio.h>

#define ASK(...) (&(struct nspic_ask){ __VA_ARGS__ })

static int code(struct book_client *b, const struct mapic_odd *odd)
{
    b->odd = odd;
    BOOK(b, "QueryColumns", ASK(.flags = 0));
    b->odd = NULL;
    return b->reply.http.code;
}

TEST(cookies_missing_forged_foreign_old)
{
    struct stack *st = stack_shared();
    struct book_client ana, bob;
    book_bound(&ana, st, &st->ana);
    book_bound(&bob, st, &st->bob);
    char bent[512], old[512];
    snprintf(bent, sizeof bent, "%s", ana.c.context);
    snprintf(old, sizeof old, "%s", ana.c.sequence);
    bent[4] = bent[4] == 'A' ? 'B' : 'A';
    struct mapic_odd none = { .context = "", .sequence = "", .keep_cookies = true }, text = { .context = "Invalid cookie", .sequence = "Invalid cookie", .keep_cookies = true };
    struct mapic_odd forged = { .context = bent, .keep_cookies = true }, foreign = { .context = ana.c.context, .sequence = ana.c.sequence, .keep_cookies = true };
    struct mapic_odd stale = { .sequence = old, .keep_cookies = true };
    CHECK_INT(code(&ana, &none), 13);
    CHECK_INT(code(&ana, &text), 6);
    CHECK_INT(code(&ana, &forged), 6);
    CHECK_INT(code(&bob, &foreign), 10);
    CHECK_INT(code(&ana, NULL), 0);      /* errors voided nothing */
    CHECK_INT(code(&ana, NULL), 0);
    CHECK_INT(code(&ana, &stale), 15);
    CHECK_INT(code(&ana, NULL), 0);
    struct mapic_reply r;
    CHECK(mapic_call(&ana.c, ana.a, "QueryRows", blob_of("\1\2\3", 3), NULL, &r, &ana.why));
    CHECK_INT(r.code, 12);               /* a body that cannot be read, after the cookies were taken */
    CHECK_INT(code(&ana, NULL), 0);
    CHECK(mapic_call(&ana.c, ana.a, "Bind", blob_of("\1\2\3", 3), &(struct mapic_odd){ .keep_cookies = true }, &r, &ana.why));
    CHECK_INT(r.code, 12);
    CHECK(mapic_call(&ana.c, ana.a, "PING", blob_of(NULL, 0), &(struct mapic_odd){ .keep_cookies = true }, &r, &ana.why));
    CHECK_INT(r.code, 0);
    CHECK_INT(code(&ana, NULL), 0);
    BOOK(&ana, "Unbind", ASK(.flags = 0));
    book_client_end(&ana);
    BOOK(&bob, "Unbind", ASK(.flags = 0));
    book_client_end(&bob);
}

TEST(a_bind_with_old_cookies_replaces_the_session)
{
    struct stack *st = stack_shared();
    struct book_client b;
    book_bound(&b, st, &st->ana);
    char context[512], sequence[512];
    snprintf(context, sizeof context, "%s", b.c.context);
    snprintf(sequence, sizeof sequence, "%s", b.c.sequence);
    MUST_BOOK(&b, "Bind", ASK(.flags = 0));
    CHECK(strcmp(b.c.context, context) != 0);
    struct mapic_odd old = { .context = context, .sequence = sequence, .keep_cookies = true };
    CHECK_INT(code(&b, &old), 10);
    CHECK_INT(code(&b, NULL), 0);
    struct mapic_odd forged = { .context = "nonsense", .sequence = "nonsense" };
    b.odd = &forged;
    CHECK_INT(BOOK(&b, "Bind", ASK(.flags = 0)), 0); /* a stale cookie is never an error of Bind */
    b.odd = NULL;
    CHECK_INT(code(&b, NULL), 0);
    BOOK(&b, "Unbind", ASK(.flags = 0));
    book_client_end(&b);
}

/* A mailbox session is none of the address book, and the other way round. */
TEST(the_two_endpoints_do_not_share_sessions)
{
    struct stack *st = stack_shared();
    struct book_client b;
    struct mapic mail;
    struct mapic_reply r;
    const char *why = NULL;
    book_bound(&b, st, &st->ana);
    stack_client(st, &mail, &st->ana);
    CHECK_INT(mapic_connect(&mail, b.a, st->ana.dn, &r, &why), 0);
    struct mapic_odd mailbox = { .context = mail.context, .sequence = mail.sequence, .keep_cookies = true };
    CHECK_INT(code(&b, &mailbox), 10);
    CHECK_INT(code(&b, NULL), 0);
    struct mapic_rops rops;
    rops_init(&rops, b.a);
    struct mapic_odd book = { .context = b.c.context, .sequence = b.c.sequence, .keep_cookies = true };
    CHECK(mapic_call(&mail, b.a, "Execute", mapic_execute_body(b.a, rops_buffer(&rops), 3, 0x10008), &book, &r, &why));
    CHECK_INT(r.code, 10);
    mapic_disconnect(&mail, b.a, &r, &why);
    mapic_close(&mail);
    book_client_end(&b);
}

/* --- changes ------------------------------------------------------------------------------------------------------------------------------------ */

static bool is_delegate(struct books *k, uint32_t mid)
{
    bool yes = false;
    CHECK_EC(link_has(k->d, LINK_DELEGATE, (int64_t)k->ana - 0x10, (int64_t)mid - 0x10, &yes), ecNone);
    return yes;
}

static struct blob ephemeral(struct books *k, uint32_t mid)
{
    struct nspic_stat s = book_stat();
    static const uint32_t tag[] = { PidTagEntryId };
    s.current = mid;
    MUST_BOOK(&k->b, "GetProps", ASK(.stat = &s, .flags = 2, .tags = tag, .ntags = 1));
    return arena_blob(k->b.a, k->b.reply.values.v[0].v.bin);
}

static uint32_t relink(struct books *k, uint32_t flags, uint32_t tag, uint32_t mid, struct blob id)
{
    return BOOK(&k->b, "ModLinkAtt", ASK(.flags = flags, .tag = tag, .mid = mid, .entryids = &id, .nentryids = id.n != 0));
}

/* OXNSPI 3.1.4.1.15 */
TEST(links_changed_by_who_may)
{
    struct books k;
    books(&k);
    struct blob p1 = ephemeral(&k, k.person[1]), room = ephemeral(&k, k.room_a), own = ephemeral(&k, k.team);
    CHECK_INT(relink(&k, 0, PidTagAddressBookPublicDelegates, k.ana, p1), 0);
    CHECK(is_delegate(&k, k.person[1]));
    uint8_t *other = arena_dup(k.b.a, p1.p, p1.n);
    other[24] = 6;                                                              /* another display type in the id: the same object (R379, R1665) */
    CHECK_INT(relink(&k, 1, PidTagAddressBookPublicDelegates, k.ana, blob_of(other, p1.n)), 0);
    CHECK(!is_delegate(&k, k.person[1]));
    static const uint32_t id_tag[] = { PidTagEntryId };
    struct nspic_stat one = book_stat();
    one.current = k.person[1];
    MUST_BOOK(&k.b, "GetProps", ASK(.stat = &one, .tags = id_tag, .ntags = 1));
    other = arena_dup(k.b.a, k.b.reply.values.v[0].v.bin.p, k.b.reply.values.v[0].v.bin.n);
    other[24] = 6;                                                              /* and in a permanent one (R410, R1666) */
    CHECK_INT(relink(&k, 0, PidTagAddressBookPublicDelegates, k.ana, blob_of(other, k.b.reply.values.v[0].v.bin.n)), 0);
    CHECK(is_delegate(&k, k.person[1]));
    CHECK_INT(relink(&k, 0xFE, PidTagAddressBookPublicDelegates, k.ana, p1), 0);  /* there already; other bits do not count */
    CHECK_INT(relink(&k, 0xFF, PidTagAddressBookPublicDelegates, k.ana, p1), 0);  /* fDelete among them */
    CHECK(!is_delegate(&k, k.person[1]));
    CHECK_INT(relink(&k, 1, PidTagAddressBookPublicDelegates, k.ana, p1), 0);     /* not there: nothing */
    CHECK_INT(relink(&k, 0, PidTagAddressBookMember, k.team, room), 0);           /* Ana owns Team */
    struct nspic_stat s = book_stat();
    s.current = k.team;
    s.container = PidTagAddressBookMember;
    s.sort_type = 1001;
    MUST_BOOK(&k.b, "GetMatches", ASK(.stat = &s, .rows = 10));
    CHECK_INT(k.b.reply.mids, 4);
    CHECK_INT(relink(&k, 1, 0x8009101E, k.team, room), 0);                        /* the same property by another type */
    CHECK_INT(relink(&k, 0, 0x12340003, k.team, room), 0x8004010F);               /* nothing that the server knows */
    CHECK_INT(relink(&k, 0, PidTagAddressBookMember, 0x7FFFFFFF, room), 0x80070057);
    CHECK_INT(relink(&k, 0, PidTagAddressBookMember, k.ana, room), 0x80070005);   /* a user has no members */
    CHECK_INT(relink(&k, 0, PidTagAddressBookMember, k.dynamic, room), 0x80070005);
    CHECK_INT(relink(&k, 0, PidTagAddressBookPublicDelegates, k.bob, room), 0x80070005);
    CHECK_INT(relink(&k, 0, PidTagAddressBookPublicDelegates, k.team, room), 0x80070005);
    CHECK_INT(relink(&k, 0, PidTagAddressBookManager, k.ana, room), 0x80070005);
    CHECK_INT(relink(&k, 0, PidTagAddressBookMember, k.team, own), 0x80070005);   /* not of itself */
    struct blob two[] = { room, blob_str("nonsense") };
    CHECK_INT(BOOK(&k.b, "ModLinkAtt", ASK(.tag = PidTagAddressBookMember, .mid = k.team, .entryids = two, .nentryids = 2)), 0x80070005);
    MUST_BOOK(&k.b, "GetMatches", ASK(.stat = &s, .rows = 10));
    CHECK_INT(k.b.reply.mids, 3);                                               /* all or nothing (R1321) */
    struct book_client bob;
    book_bound(&bob, stack_shared(), &stack_shared()->bob);
    CHECK_INT(BOOK(&bob, "ModLinkAtt", ASK(.tag = PidTagAddressBookMember, .mid = k.team, .entryids = &room, .nentryids = 1)), 0x80070005);
    book_client_end(&bob);
    books_end(&k);
}

static struct propval certificates(uint32_t tag, struct blob *v, size_t n)
{
    struct propval p = { .tag = tag };
    p.v.mv.n = n;
    p.v.mv.bin = v;
    return p;
}

static uint32_t modify(struct books *k, uint32_t mid, const uint32_t *tags, size_t ntags, const struct propval *v, size_t n)
{
    struct nspic_stat s = book_stat();
    s.current = mid;
    return BOOK(&k->b, "ModProps", ASK(.flags = 5, .stat = &s, .tags = tags, .ntags = ntags, .empty_tags = tags != NULL, .values = v, .nvalues = n));
}

/* OXNSPI 3.1.4.1.14 */
TEST(certificates_of_ones_own)
{
    struct books k;
    books(&k);
    static const uint32_t both[] = { PidTagUserX509Certificate, PidTagAddressBookX509Certificate }, other[] = { PidTagTitle };
    struct blob cert[2] = { blob_of("\1\2\3", 3), blob_of("\4", 1) };
    struct propval v = certificates(PidTagUserX509Certificate, cert, 2), title = pv_str(PidTagTitle, "King");
    struct nspic_stat s = book_stat();
    CHECK_INT(modify(&k, k.ana, both, 1, &v, 1), 0);
    s.current = k.ana;
    CHECK_INT(BOOK(&k.b, "GetProps", ASK(.stat = &s, .tags = both, .ntags = 1)), 0);
    REQUIRE(k.b.reply.values.v[0].tag == PidTagUserX509Certificate && k.b.reply.values.v[0].v.mv.n == 2);
    CHECK_BLOB(k.b.reply.values.v[0].v.mv.bin[0], cert[0]);
    v = certificates(PidTagUserX509Certificate, cert + 1, 1);
    CHECK_INT(modify(&k, k.ana, both, 0, &v, 1), 0);             /* in place of those before (R1299) */
    CHECK_INT(BOOK(&k.b, "GetProps", ASK(.stat = &s, .tags = both, .ntags = 1)), 0);
    CHECK_INT(k.b.reply.values.v[0].v.mv.n, 1);
    CHECK_INT(modify(&k, k.ana, NULL, 0, &v, 1), 0x80070057);    /* no tags (R1291) */
    CHECK_INT(modify(&k, 0x7FFFFFFF, both, 2, NULL, 0), 0x80070057);
    CHECK_INT(modify(&k, k.team, both, 2, NULL, 0), 0x80040108); /* of another display type (R1295) */
    CHECK_INT(modify(&k, k.bob, both, 2, NULL, 0), 0x80070005);
    CHECK_INT(modify(&k, k.ana, other, 1, NULL, 0), 0x80070005);
    struct propval mixed[2] = { v, title };
    CHECK_INT(modify(&k, k.ana, both, 1, mixed, 2), 0x80070005); /* and nothing of it happened (R1284) */
    CHECK_INT(BOOK(&k.b, "GetProps", ASK(.stat = &s, .tags = both, .ntags = 1)), 0);
    CHECK_INT(modify(&k, k.ana, both, 2, NULL, 0), 0);
    CHECK_INT(BOOK(&k.b, "GetProps", ASK(.stat = &s, .tags = both, .ntags = 1)), 0x00040380);
    books_end(&k);
}

/* Wherever the worker dies, the repeat of the same bytes is answered with success and the change has happened once: if it had happened and was taken back since, it
 * does not happen again. */
static void change_dies_at(const char *fault, bool durable)
{
    struct stack *st = stack_shared();
    struct books k;
    books(&k);
    struct book_client *b = &k.b;
    struct blob id = ephemeral(&k, k.person[2]);
    struct blob body = nspic_body(b->a, "ModLinkAtt", ASK(.tag = PidTagAddressBookPublicDelegates, .mid = k.ana, .entryids = &id, .nentryids = 1));
    struct mapic_reply reply;
    const char *why = NULL, *request = "{0f0f0f0f-2222-3333-4444-666666666666}:9";
    char arm[64], context[512], sequence[512];
    struct mapic_odd odd = { .request_id = request };
    snprintf(arm, sizeof arm, "%s:1:kill", fault);
    snprintf(context, sizeof context, "%s", b->c.context);
    snprintf(sequence, sizeof sequence, "%s", b->c.sequence);
    stack_arm(st, 0, arm);
    mapic_close(&b->c);
    b->c.route = stack_route[0];
    bool answered = mapic_send(&b->c, b->a, "ModLinkAtt", body, &odd, &why) && mapic_recv(&b->c, b->a, &reply, &odd, &why);
    unit_check(stack_worker_ended(st, 0), __FILE__, __LINE__, "the worker died at %s", fault);
    CHECK(!answered || reply.http.status != 200 || !reply.done || reply.code != 0);
    unit_check(is_delegate(&k, k.person[2]) == durable, __FILE__, __LINE__, "%s: durable or not", fault);
    if (durable) /* somebody takes it back before the repeat comes */
        CHECK_EC(link_remove(k.d, LINK_DELEGATE, (int64_t)k.ana - 0x10, (int64_t)k.person[2] - 0x10), ecNone);
    mapic_close(&b->c);
    b->c.route = stack_route[1];
    struct mapic_odd again = { .request_id = request, .context = context, .sequence = sequence };
    REQUIRE(mapic_call(&b->c, b->a, "ModLinkAtt", body, &again, &reply, &why));
    unit_int(reply.code, 0, fault, __FILE__, __LINE__);
    struct nspic_reply out = { 0 };
    CHECK(nspic_decode(b->a, "ModLinkAtt", reply.body, 1252, &out));
    unit_int(out.error, 0, fault, __FILE__, __LINE__);
    unit_check(is_delegate(&k, k.person[2]) == !durable, __FILE__, __LINE__, "%s: once", fault);
    CHECK_EC(link_remove(k.d, LINK_DELEGATE, (int64_t)k.ana - 0x10, (int64_t)k.person[2] - 0x10), ecNone);
    CHECK_INT(code(b, NULL), 0);
    stack_arm(st, 0, NULL);
    stack_worker(st, 0);
    b->c.route = NULL;
    books_end(&k);
}

TEST_LIMIT(a_change_happens_once_wherever_the_worker_dies, 120)
{
    change_dies_at("begin_sent", false);
    change_dies_at("begin_done", false);
    change_dies_at("book_begun", false);
    change_dies_at("book_changed", true);
}

/* The same request twice, its answer lost on the way: the second is answered, nothing happens twice. */
TEST(a_repeat_of_a_change_is_answered)
{
    struct books k;
    books(&k);
    struct book_client *b = &k.b;
    struct blob id = ephemeral(&k, k.person[3]);
    struct nspic_ask *q = ASK(.tag = PidTagAddressBookPublicDelegates, .mid = k.ana, .entryids = &id, .nentryids = 1);
    char context[512], sequence[512];
    snprintf(context, sizeof context, "%s", b->c.context);
    snprintf(sequence, sizeof sequence, "%s", b->c.sequence);
    struct mapic_odd odd = { .request_id = "{0f0f0f0f-2222-3333-4444-777777777777}:1" }, again = { .request_id = odd.request_id, .context = context, .sequence = sequence };
    b->odd = &odd;
    MUST_BOOK(b, "ModLinkAtt", q);
    CHECK(is_delegate(&k, k.person[3]));
    CHECK_EC(link_remove(k.d, LINK_DELEGATE, (int64_t)k.ana - 0x10, (int64_t)k.person[3] - 0x10), ecNone);
    b->odd = &again;
    MUST_BOOK(b, "ModLinkAtt", q);
    CHECK(!is_delegate(&k, k.person[3]));
    b->odd = NULL;
    MUST_BOOK(b, "ModLinkAtt", q);   /* a new request is a new change */
    CHECK(is_delegate(&k, k.person[3]));
    CHECK_EC(link_remove(k.d, LINK_DELEGATE, (int64_t)k.ana - 0x10, (int64_t)k.person[3] - 0x10), ecNone);
    books_end(&k);
}

/* Every worker and both hosts say the same: ids, GUID, positions; and a change made through one is seen through all at once. */
TEST(every_worker_says_the_same)
{
    struct books k;
    books(&k);
    struct book_client *b = &k.b;
    struct nspic_stat s = book_stat();
    static const uint32_t name[] = { PidTagDisplayName };
    struct blob first = { NULL, 0 };
    for (unsigned i = 0; i < STACK_WORKERS; i++) {
        b->c.route = stack_route[i];
        MUST_BOOK(b, "QueryRows", ASK(.stat = &s, .rows = 20));
        if (i == 0)
            first = arena_blob(b->a, b->reply.http.body);
        CHECK_BLOB(b->reply.http.body, first);
    }
    struct entry e = { .kind = ENTRY_USER, .display_name = "Aaron First" };
    REQUIRE_EC(entry_add(k.d, b->a, &e), ecNone);
    for (unsigned i = 0; i < STACK_WORKERS; i++) {
        b->c.route = stack_route[i];
        MUST_BOOK(b, "QueryRows", ASK(.stat = &s, .rows = 1, .tags = name, .ntags = 1));
        CHECK_STR(book_text(b, &b->reply.row[0], PidTagDisplayName), "Aaron First");
    }
    REQUIRE_EC(entry_remove(k.d, e.row), ecNone);
    for (unsigned i = 0; i < STACK_WORKERS; i++) {
        b->c.route = stack_route[i];
        MUST_BOOK(b, "QueryRows", ASK(.stat = &s, .rows = 1, .tags = name, .ntags = 1));
        CHECK_STR(book_text(b, &b->reply.row[0], PidTagDisplayName), "All Rooms");
    }
    b->c.route = NULL;
    books_end(&k);
}

/* A worker is killed between any two requests of a session: the client cannot tell. */
TEST_LIMIT(workers_killed_between_requests, 60)
{
    struct stack *st = stack_shared();
    struct books k;
    books(&k);
    struct book_client *b = &k.b;
    struct nspic_stat s = book_stat();
    const char *names[] = { "person 003" };
    for (unsigned i = 0; i < 4; i++) {
        b->c.route = stack_route[i % 2];
        MUST_BOOK(b, "QueryRows", ASK(.stat = &s, .rows = 5));
        s = b->reply.stat;
        CHECK_INT(s.num_pos, 5 * (i + 1));
        mapic_close(&b->c);
        stack_kill(st, i % 2, SIGKILL);
        b->c.route = stack_route[(i + 1) % 2];
        struct nspic_stat all = book_stat();
        MUST_BOOK(b, "ResolveNames", ASK(.stat = &all, .names = names, .nnames = 1));
        CHECK_INT(b->reply.mid[0], 2);
        stack_worker(st, i % 2);
    }
    b->c.route = NULL;
    books_end(&k);
}
