/* test_nspi_odd.c - the address book asked in odd ways: STATs of any numbers, counts at their limits, strings of other scripts, a directory that changes between two
 * requests, every kind of restriction, sessions that end (MS-OXNSPI 3.1.4, MS-OXCMAPIHTTP 3.2.5). */
#include "backend/base/utf.h"
#include "tests/flow/books.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ASK(...) (&(struct nspic_ask){ __VA_ARGS__ })

static const uint32_t name_only[] = { PidTagDisplayName };

static const char *name_of(struct book_client *b, size_t i) { return i < b->reply.rows ? book_text(b, &b->reply.row[i], PidTagDisplayName) : ""; }

static bool permitted(uint32_t ec)
{
    static const uint32_t codes[] = { 0, 0x00040380, 0x80004005, 0x80040102, 0x80040108, 0x8004010E, 0x8004010F, 0x80040111, 0x80040117, 0x8004011E, 0x8004011F,
                                      0x80040403, 0x80040405, 0x80070005, 0x8007000E, 0x80070057 };
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        if (codes[i] == ec)
            return true;
    return false;
}

/* --- any numbers ------------------------------------------------------------------------------------------------------------------------------- */

static uint32_t odd_number(struct books *k)
{
    const uint32_t v[] = { 0, 1, 2, 3, 0x0F, 0x10, 0x11, 1000, 1001, 1200, 1252, 65001, 0x409, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFF0000, k->ana, k->team, k->rooms, k->hidden };
    return v[(size_t)random() % (sizeof v / sizeof v[0])];
}

static struct nspic_stat odd_stat(struct books *k)
{
    struct nspic_stat s = book_stat();
    uint32_t *field[] = { &s.sort_type, &s.container, &s.current, (uint32_t *)&s.delta, &s.num_pos, &s.total, &s.code_page, &s.template_locale, &s.sort_locale };
    for (unsigned changes = 1 + (unsigned)random() % 3; changes != 0; changes--)
        *field[random() % 9] = odd_number(k);
    return s;
}

/* Every request with any STAT, flags, ids and tags is answered with one of the codes that the documents know, and the session goes on. */
TEST_LIMIT(any_numbers_are_answered, 60)
{
    static const char *const types[] = { "GetSpecialTable", "UpdateStat", "GetProps", "GetPropList", "QueryRows", "QueryColumns", "SeekEntries", "GetMatches", "ResortRestriction",
                                         "CompareMIds", "ModProps", "ModLinkAtt", "ResolveNames", "GetTemplateInfo" };
    struct books k;
    books(&k);
    struct arena *life = k.b.a;
    struct restriction exist = { .kind = RES_EXIST };
    const char *names[] = { "ana", "=", "=ana", "EX:", "SMTP:", "/", "@", " \t", "a b c d e f g h i j", "%", "*", "\x01" };
    struct blob id = blob_of("\0\0\0\0", 4);
    srandom(4);
    for (unsigned i = 0; i < 700; i++) {
        const char *type = types[i % (sizeof types / sizeof types[0])];
        struct nspic_stat s = odd_stat(&k);
        uint32_t ids[] = { odd_number(&k), odd_number(&k), k.ana }, tags[] = { PidTagDisplayName, odd_number(&k), odd_number(&k) << 16 | 0x1F, PidTagAddressBookMember };
        struct propval target = pv_str(random() % 2 != 0 ? PidTagDisplayName : PidTagTitle, names[random() % 12]);
        exist.exist.tag = tags[random() % 4];
        struct nspic_ask q = { .flags = odd_number(&k), .mid = odd_number(&k), .mid2 = odd_number(&k), .tag = tags[random() % 4], .code_page = odd_number(&k), .locale = odd_number(&k),
                               .type = odd_number(&k), .version = odd_number(&k), .has_version = random() % 2 != 0, .rows = odd_number(&k), .interface_flags = odd_number(&k),
                               .stat = random() % 20 != 0 ? &s : NULL, .mids = ids, .nmids = (size_t)random() % 4, .tags = tags, .ntags = (size_t)random() % 5, .target = &target,
                               .filter = &exist, .names = names, .nnames = 12, .entryids = &id, .nentryids = (size_t)random() % 2, .wants_delta = true };
        k.b.a = arena_new((size_t)64 << 20);
        uint32_t ec = BOOK(&k.b, type, &q);
        if (ec == UINT32_MAX && k.b.reply.http.code == 0) /* answered, in a code page that the client cannot read */
            ec = nspic_decode(k.b.a, type, k.b.reply.http.body, 1252, &k.b.reply) ? k.b.reply.error : UINT32_MAX;
        unit_check(permitted(ec), __FILE__, __LINE__, "%u, %s: %08x, code %d (%s)", i, type, ec, k.b.reply.http.code, k.b.why != NULL ? k.b.why : "");
        arena_free(k.b.a);
        k.b.a = life;
    }
    MUST_BOOK(&k.b, "QueryColumns", ASK(.flags = 0));
    books_end(&k);
}

/* Counts as high as they may be, and one more (OXCMAPIHTTP R25). */
TEST_LIMIT(counts_at_their_limits, 60)
{
    enum { MOST = 100000 };
    struct books k;
    books(&k);
    struct book_client *b = &k.b;
    struct nspic_stat s = book_stat();
    uint32_t *ids = arena_array(b->a, uint32_t, MOST + 1);
    const char **names = arena_array(b->a, const char *, MOST + 1);
    for (size_t i = 0; i <= MOST; i++) {
        ids[i] = i % 3 == 0 ? k.ana : i % 3 == 1 ? (uint32_t)i : k.person[i % 40];
        names[i] = "ana";
    }
    MUST_BOOK(b, "QueryRows", ASK(.stat = &s, .rows = 0xFFFFFFFF, .tags = name_only, .ntags = 1));
    CHECK_INT(b->reply.rows, b->reply.stat.total);
    MUST_BOOK(b, "QueryRows", ASK(.stat = &s, .rows = 0xFFFFFFFF, .mids = ids, .nmids = MOST, .tags = name_only, .ntags = 1));
    CHECK(b->reply.rows > 1000); /* what fits into an answer */
    MUST_BOOK(b, "ResortRestriction", ASK(.stat = &s, .mids = ids, .nmids = MOST));
    CHECK(b->reply.mids > MOST / 3);
    MUST_BOOK(b, "ResolveNames", ASK(.stat = &s, .names = names, .nnames = 20000, .tags = name_only, .ntags = 1));
    CHECK_INT(b->reply.rows, 20000);
    BOOK(b, "QueryRows", ASK(.stat = &s, .rows = 1, .mids = ids, .nmids = MOST + 1, .tags = name_only, .ntags = 1));
    CHECK_INT(b->reply.http.code, 12);
    MUST_BOOK(b, "QueryColumns", ASK(.flags = 0));
    books_end(&k);
}

/* --- a directory that changes ------------------------------------------------------------------------------------------------------------------ */

static int64_t add_user(struct books *k, const char *name)
{
    struct entry e = { .kind = ENTRY_USER, .display_name = name };
    REQUIRE_EC(entry_add(k->d, k->b.a, &e), ecNone);
    return e.row;
}

/* The row on which a client stands goes, is hidden, moves; rows come before it. */
TEST(a_directory_that_changes_between_requests)
{
    struct books k;
    books(&k);
    struct book_client *b = &k.b;
    struct nspic_stat s = book_stat(), t;
    int64_t row[3] = { add_user(&k, "Aaa 1"), add_user(&k, "Aaa 2"), add_user(&k, "Aaa 3") };
    MUST_BOOK(b, "QueryRows", ASK(.stat = &s, .rows = 1, .tags = name_only, .ntags = 1));
    s = b->reply.stat;
    CHECK_INT(s.current, entry_mid(row[1]));
    CHECK_INT(s.num_pos, 1);
    int64_t before = add_user(&k, "Aaa 0");                     /* a row before it: it stands one further */
    MUST_BOOK(b, "QueryRows", ASK(.stat = &s, .rows = 1, .tags = name_only, .ntags = 1));
    CHECK_STR(name_of(b, 0), "Aaa 2");
    CHECK_INT(b->reply.stat.num_pos, 3);
    CHECK_INT(b->reply.stat.total, s.total + 1);
    struct entry e;
    REQUIRE_EC(entry_get(k.d, b->a, row[1], &e), ecNone);
    e.display_name = "Zzz 2";                                   /* it moves, and the client with it */
    REQUIRE_EC(entry_set(k.d, b->a, &e), ecNone);
    MUST_BOOK(b, "UpdateStat", ASK(.stat = &s));
    CHECK_INT(b->reply.stat.current, s.current);
    CHECK_INT(b->reply.stat.num_pos, b->reply.stat.total - 1);
    e.display_name = "Aaa 2";
    e.hidden = true;                                            /* hidden: it stands in no table */
    REQUIRE_EC(entry_set(k.d, b->a, &e), ecNone);
    CHECK_INT(BOOK(b, "QueryRows", ASK(.stat = &s, .rows = 1)), 0x8004010F);
    e.hidden = false;
    REQUIRE_EC(entry_set(k.d, b->a, &e), ecNone);
    MUST_BOOK(b, "QueryRows", ASK(.stat = &s, .rows = 1, .tags = name_only, .ntags = 1));
    CHECK_STR(name_of(b, 0), "Aaa 2");
    REQUIRE_EC(entry_remove(k.d, row[1]), ecNone);              /* gone: nobody gets its number */
    CHECK_INT(BOOK(b, "QueryRows", ASK(.stat = &s, .rows = 1)), 0x8004010F);
    CHECK_INT(BOOK(b, "UpdateStat", ASK(.stat = &s)), 0x8004010F);
    row[1] = add_user(&k, "Aaa 2");
    CHECK(entry_mid(row[1]) != s.current);
    t = s;
    t.current = 1;                                              /* a client goes on by the fraction that it remembers (3.1.4.5.2) */
    t.num_pos = 2;
    t.total = s.total + 1;
    MUST_BOOK(b, "UpdateStat", ASK(.stat = &t));
    CHECK_INT(b->reply.stat.current, entry_mid(row[1]));
    for (size_t i = 0; i < 3; i++)
        REQUIRE_EC(entry_remove(k.d, row[i]), ecNone);
    REQUIRE_EC(entry_remove(k.d, before), ecNone);
    books_end(&k);
}

/* --- other scripts ----------------------------------------------------------------------------------------------------------------------------- */

/* Names in other scripts, one outside of the first plane: as strings of 8 bits in their code pages, as Unicode, to and fro. */
TEST(strings_of_other_scripts)
{
    static const struct { const char *name, *given; uint32_t cp; const char *bytes, *lossy; } people[] = {
        { "\xe5\xb1\xb1\xe7\x94\xb0 \xe5\xa4\xaa\xe9\x83\x8e", "\xe5\xa4\xaa\xe9\x83\x8e", 932, "8e5293 6320 91be98 59", "?? ??" },
        { "\xd0\x98\xd0\xb2\xd0\xb0\xd0\xbd", "\xd0\x98\xd0\xb2", 1251, "c8e2e0ed", "????" },
        { "\xe7\x8e\x8b\xe5\xb0\x8f\xe6\x98\x8e", "\xe5\xb0\x8f\xe6\x98\x8e", 936, "cdf5d0a1c3f7", "???" },
        { "Smile \xf0\x9f\x98\x80 Face", "Smile", 65001, "536d696c6520f09f988020", "Smile ? Face" }
    };
    enum { N = sizeof people / sizeof people[0] };
    struct books k;
    books(&k);
    struct book_client *b = &k.b;
    int64_t row[N];
    for (size_t i = 0; i < N; i++) {
        struct entry e = { .kind = ENTRY_USER, .display_name = people[i].name };
        props_set(b->a, &e.props, pv_str(PidTagGivenName, people[i].given));
        REQUIRE_EC(entry_add(k.d, b->a, &e), ecNone);
        row[i] = e.row;
    }
    for (size_t i = 0; i < N; i++) {
        static const uint32_t tags[] = { PidTagDisplayName, 0x3001001E, 0x3A06001E };
        struct nspic_stat s = book_stat(), at = s;
        struct blob want = unhex(people[i].bytes), name = blob_str(people[i].name);
        uint32_t mid = entry_mid(row[i]);
        at.current = mid;
        at.code_page = s.code_page = people[i].cp;
        MUST_BOOK(b, "GetProps", ASK(.stat = &at, .tags = tags, .ntags = 3));
        CHECK_BLOB(b->reply.values.v[0].v.s, name);
        CHECK_BLOB(b->reply.values.v[1].v.s, name);
        CHECK_BLOB(b->reply.values.v[2].v.s, blob_str(people[i].given));
        CHECK(memmem(b->reply.http.body.p, b->reply.http.body.n, want.p, want.n) != NULL);
        MUST_BOOK(b, "QueryRows", ASK(.stat = &s, .mids = &mid, .nmids = 1, .rows = 1, .tags = tags, .ntags = 3));
        CHECK_BLOB(b->reply.row[0].v[1].v.s, name);
        struct propval target = pv_str(PidTagDisplayName, people[i].name);
        for (unsigned eight = 0; eight < 2; eight++) {
            target.tag = eight != 0 ? 0x3001001E : PidTagDisplayName;
            MUST_BOOK(b, "SeekEntries", ASK(.stat = &s, .target = &target));
            CHECK_INT(b->reply.stat.current, mid);
            struct restriction r = { .kind = RES_PROPERTY };
            r.property.relop = RELOP_EQ;
            r.property.tag = target.tag;
            r.property.value = target;
            MUST_BOOK(b, "GetMatches", ASK(.stat = &s, .filter = &r, .rows = 10));
            unit_check(b->reply.mids == 1 && b->reply.mid[0] == mid, __FILE__, __LINE__, "code page %u, %u: %zu", people[i].cp, eight, b->reply.mids);
        }
        MUST_BOOK(b, "ResolveNames", ASK(.stat = &s, .names = &people[i].name, .nnames = 1, .tags = tags, .ntags = 3));
        CHECK_INT(b->reply.mid[0], 2);
        CHECK_BLOB(b->reply.row[0].v[0].v.s, name);
        at.code_page = 1252;                                     /* what a code page has not is a question mark */
        MUST_BOOK(b, "GetProps", ASK(.stat = &at, .tags = tags, .ntags = 2));
        CHECK_BLOB(b->reply.values.v[0].v.s, name);
        unit_check(blob_eq(b->reply.values.v[1].v.s, blob_str(people[i].lossy)), __FILE__, __LINE__, "in 1252: %s", arena_str(b->a, b->reply.values.v[1].v.s));
    }
    for (size_t i = 0; i < N; i++)
        REQUIRE_EC(entry_remove(k.d, row[i]), ecNone);
    books_end(&k);
}

/* --- restrictions ------------------------------------------------------------------------------------------------------------------------------ */

static void selects(struct books *k, const struct restriction *r, uint32_t ec, uint32_t mid, int line)
{
    struct nspic_stat s = book_stat();
    uint32_t got = BOOK(&k->b, "GetMatches", ASK(.stat = &s, .filter = r, .rows = 1000));
    bool right = got == ec && (ec != 0 || (k->b.reply.mids == (mid != 0) && (mid == 0 || k->b.reply.mid[0] == mid)));
    unit_check(right, __FILE__, line, "%zu objects, %08x, code %d", k->b.reply.mids, got, k->b.reply.http.code);
}

/* Each kind that MS-OXCDATA 2.12 has, on properties and on links. */
TEST(every_kind_of_restriction)
{
    struct books k;
    books(&k);
    struct entry e = { .kind = ENTRY_ROOM, .display_name = "Kind Hall" };
    props_set(k.b.a, &e.props, pv_i32(PidTagAddressBookRoomCapacity, 0x15));
    props_set(k.b.a, &e.props, pv_str(PidTagGivenName, "Same"));
    props_set(k.b.a, &e.props, pv_str(PidTagNickname, "Same"));
    REQUIRE_EC(entry_add(k.d, k.b.a, &e), ecNone);
    REQUIRE_EC(link_add(k.d, LINK_DELEGATE, e.row, (int64_t)k.bob - MID_FIRST), ecNone);
    uint32_t mid = entry_mid(e.row);
    struct restriction r = { .kind = RES_BITMASK };
    r.bitmask.relop = 1;
    r.bitmask.tag = PidTagAddressBookRoomCapacity;
    r.bitmask.mask = 4;
    selects(&k, &r, 0, mid, __LINE__);
    r.bitmask.mask = 2;
    selects(&k, &r, 0, 0, __LINE__);
    r = (struct restriction){ .kind = RES_COMPAREPROPS };
    r.compare.relop = RELOP_EQ;
    r.compare.tag1 = PidTagGivenName;
    r.compare.tag2 = PidTagNickname;
    selects(&k, &r, 0, mid, __LINE__);
    r = (struct restriction){ .kind = RES_SIZE };
    r.size.relop = RELOP_EQ;
    r.size.tag = PidTagNickname;
    r.size.size = 8;
    selects(&k, &r, 0, mid, __LINE__);
    r = (struct restriction){ .kind = RES_EXIST };
    r.exist.tag = PidTagAddressBookPublicDelegates;              /* a link */
    selects(&k, &r, 0, mid, __LINE__);
    struct restriction size = { .kind = RES_COMMENT };
    size.comment.r = &r;
    selects(&k, &size, 0, mid, __LINE__);
    size = (struct restriction){ .kind = RES_COUNT };
    size.count.count = 5;
    size.count.r = &r;
    selects(&k, &size, 0, mid, __LINE__);
    /* members, reports and managers as DNs: whose they are */
    const char *bob = stack_shared()->bob.dn;
    r = (struct restriction){ .kind = RES_PROPERTY };
    r.property.relop = RELOP_EQ;
    r.property.tag = 0x8015101F;                                 /* delegates */
    r.property.value = pv_str(0x8015001F, bob);
    selects(&k, &r, 0, mid, __LINE__);
    r.property.tag = 0x8009101F;                                 /* members */
    r.property.value = pv_str(0x8009001F, bob);
    selects(&k, &r, 0, k.team, __LINE__);
    r.property.tag = 0x8005001F;                                 /* the manager */
    r.property.value = pv_str(0x8005001F, bob);
    selects(&k, &r, 0, k.ana, __LINE__);
    r.property.tag = 0x800E101F;                                 /* reports */
    r.property.value = pv_str(0x800E001F, stack_shared()->ana.dn);
    selects(&k, &r, 0, k.bob, __LINE__);
    REQUIRE_EC(entry_remove(k.d, e.row), ecNone);
    books_end(&k);
}

/* Too many names, too many nodes, too deep. */
TEST(restrictions_that_are_too_much)
{
    struct books k;
    books(&k);
    struct restriction *v = arena_array(k.b.a, struct restriction, 1100), or = { .kind = RES_OR }, deep[300], title = { .kind = RES_EXIST };
    or.list.v = v;
    for (size_t i = 0; i < 17; i++) {
        v[i] = (struct restriction){ .kind = RES_PROPERTY };
        v[i].property.relop = RELOP_EQ;
        v[i].property.tag = PidTagAnr;
        v[i].property.value = pv_str(PidTagAnr, "chief");
    }
    or.list.n = 16;
    selects(&k, &or, 0, 0, __LINE__);
    or.list.n = 17;
    selects(&k, &or, 0x80040117, 0, __LINE__);
    title.exist.tag = PidTagTitle;
    for (size_t i = 0; i < 1100; i++)
        v[i] = title;
    or.list.n = 1100;
    selects(&k, &or, 0x80040117, 0, __LINE__);
    for (size_t i = 0; i < 300; i++) {
        deep[i] = (struct restriction){ .kind = RES_NOT };
        deep[i].one.r = i + 1 < 300 ? &deep[i + 1] : &title;
    }
    selects(&k, deep, UINT32_MAX, 0, __LINE__);
    CHECK_INT(k.b.reply.http.code, 12);
    MUST_BOOK(&k.b, "QueryColumns", ASK(.flags = 0));
    books_end(&k);
}

/* --- sessions ---------------------------------------------------------------------------------------------------------------------------------- */

/* Who is asked does not matter: the same ServerGuid, which is not that of another installation (OXNSPI R608, R611). */
TEST(every_worker_has_the_same_guid)
{
    struct stack *st = stack_shared();
    struct book_client b;
    struct nspic_stat s = book_stat();
    struct guid first = { { 0 } }, none = first;
    book_client(&b, st, &st->ana);
    for (unsigned i = 0; i < STACK_WORKERS; i++) {
        b.c.route = stack_route[i];
        MUST_BOOK(&b, "Bind", ASK(.stat = &s));
        first = i == 0 ? b.reply.guid : first;
        CHECK(guid_eq(&b.reply.guid, &first) && !guid_eq(&first, &none));
        CHECK_INT(BOOK(&b, "Unbind", ASK(.flags = 0)), 1);
        stack_kill(st, i, SIGKILL);
        mapic_close(&b.c);
        stack_worker(st, i);                                     /* nor whether it was started anew */
        MUST_BOOK(&b, "Bind", ASK(.stat = &s));
        CHECK(guid_eq(&b.reply.guid, &first));
        CHECK_INT(BOOK(&b, "Unbind", ASK(.flags = 0)), 1);
    }
    book_client_end(&b);
}

TEST_LIMIT(ping_keeps_a_session_of_the_book_and_silence_ends_it, 60)
{
    struct stack *st = stack_start(&(struct stack_options){ .workers = 2, .config = "session_retention = 2\n" });
    struct book_client b;
    struct mapic_reply r;
    book_bound(&b, st, &st->ana);
    for (unsigned i = 0; i < 3; i++) {
        usleep(900000);
        CHECK(mapic_call(&b.c, b.a, "PING", blob_of(NULL, 0), NULL, &r, &b.why));
        CHECK_INT(r.code, 0);
        CHECK_STR(http_header(&r.http, "X-ExpirationInfo"), "2000");
    }
    MUST_BOOK(&b, "QueryColumns", ASK(.flags = 0));
    usleep(2600000);
    CHECK_INT(BOOK(&b, "QueryColumns", ASK(.flags = 0)), UINT32_MAX);
    CHECK_INT(b.reply.http.code, 10);
    struct nspic_stat s = book_stat();
    MUST_BOOK(&b, "Bind", ASK(.stat = &s));
    MUST_BOOK(&b, "QueryColumns", ASK(.flags = 0));
    book_client_end(&b);
    stack_stop(st);
}

/* A request without its headers, or of a type that there is not (codes 7, 4, 5). */
TEST(headers_of_the_book)
{
    static const char *const required[] = { "Content-Type", "Content-Length", "X-RequestType", "X-RequestId" };
    struct books k;
    books(&k);
    struct mapic_reply r;
    for (size_t i = 0; i < 4; i++) {
        CHECK(mapic_call(&k.b.c, k.b.a, "PING", blob_of(NULL, 0), &(struct mapic_odd){ .without = required[i], .keep_cookies = true }, &r, &k.b.why));
        CHECK_INT(r.code, 7);
    }
    CHECK(mapic_call(&k.b.c, k.b.a, "PING", blob_of(NULL, 0), &(struct mapic_odd){ .request_id = "one", .keep_cookies = true }, &r, &k.b.why));
    CHECK_INT(r.code, 4);
    static const char *const none[] = { "Execute", "Connect", "NotificationWait", "CompareMinIds", "ResolveNamesW", "" };
    for (size_t i = 0; i < 6; i++) {
        CHECK(mapic_call(&k.b.c, k.b.a, none[i], blob_of(NULL, 0), &(struct mapic_odd){ .keep_cookies = true }, &r, &k.b.why));
        CHECK_INT(r.code, 5);
    }
    MUST_BOOK(&k.b, "QueryColumns", ASK(.flags = 0));
    books_end(&k);
}
