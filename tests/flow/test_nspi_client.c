/* test_nspi_client.c - what clients do one after the other, and what they rely on in between: answers that go into the next request as they are (MS-OXNSPI 3.1.4,
 * MS-OXCMAPIHTTP 2.2.5). */
#include "backend/mapi/entryid.h"
#include "session/nspi/nspi.h"
#include "tests/flow/books.h"

#define ASK(...) (&(struct nspic_ask){ __VA_ARGS__ })

static const uint32_t name_only[] = { PidTagDisplayName };

static struct nspic_stat teletex(void)
{
    struct nspic_stat s = book_stat();
    s.code_page = 20261;
    return s;
}

static struct restriction has_a(uint32_t tag)
{
    struct restriction r = { .kind = RES_EXIST };
    r.exist.tag = tag;
    return r;
}

/* Whoever asks for the usual columns finds the ids of the rows in the first, and searches in that list (R1052, R1755). */
TEST(the_usual_columns_tell_the_ids)
{
    struct books k;
    books(&k);
    struct book_client *b = &k.b;
    struct nspic_stat s = teletex();
    uint32_t mids[200];
    size_t n = 0, wanted = SIZE_MAX;
    MUST_BOOK(b, "QueryRows", ASK(.stat = &s, .flags = 1, .rows = 200));
    for (; n < b->reply.rows && n < 200; n++) {
        mids[n] = (uint32_t)b->reply.row[n].v[0].v.i32;
        if (strcmp(book_text(b, &b->reply.row[n], PidTagDisplayName), "Order Form") == 0)
            wanted = n;
    }
    REQUIRE(wanted < n && n > 40);
    CHECK_INT(mids[wanted], k.form);
    struct propval target = pv_str(0x3001001E, "Order Form");
    s = teletex();
    static const uint32_t name8[] = { 0x3001001E };
    MUST_BOOK(b, "SeekEntries", ASK(.stat = &s, .target = &target, .mids = mids, .nmids = n, .tags = name8, .ntags = 1));
    CHECK_INT(b->reply.stat.num_pos, wanted);
    CHECK_INT(b->reply.stat.current, k.form);
    size_t rows = b->reply.rows;
    struct nspic_row *found = b->reply.row;
    struct nspic_stat there = b->reply.stat;
    MUST_BOOK(b, "QueryRows", ASK(.stat = &there, .flags = 2, .mids = mids + wanted, .nmids = n - wanted, .rows = (uint32_t)(n - wanted), .tags = name8, .ntags = 1));
    REQUIRE(b->reply.rows == rows);
    for (size_t i = 0; i < rows; i++)
        CHECK_BLOB(b->reply.row[i].v[0].v.s, found[i].v[0].v.s);
    books_end(&k);
}

/* Without a restriction, and with a ContainerID that names no property or one that says who it is: the object alone (R1131, R1143). */
TEST(the_row_of_one_object)
{
    struct books k;
    books(&k);
    struct book_client *b = &k.b;
    const uint32_t containers[] = { 0, 1, PidTagDisplayName, 0x3001001E, PidTagEntryId, PidTagEmailAddress, k.team };
    for (size_t i = 0; i < sizeof containers / sizeof containers[0]; i++) {
        struct nspic_stat s = teletex();
        s.current = k.bob;
        s.container = containers[i];
        s.delta = (int32_t)i;
        MUST_BOOK(b, "GetMatches", ASK(.stat = &s, .rows = 1, .tags = name_only, .ntags = 1));
        REQUIRE(b->reply.mids == 1 && b->reply.rows == 1);
        CHECK_INT(b->reply.mid[0], k.bob);
        CHECK_STR(book_text(b, &b->reply.row[0], PidTagDisplayName), "Bob");
        CHECK_INT(b->reply.stat.container, k.bob);
        CHECK_INT(b->reply.stat.delta, i);
    }
    struct nspic_stat s = teletex();
    s.current = k.bob;
    CHECK_INT(BOOK(b, "GetMatches", ASK(.stat = &s, .rows = 0)), 0x80040403);
    MUST_BOOK(b, "GetMatches", ASK(.stat = &s, .mids = &k.bob, .nmids = 1, .rows = 1));  /* a list that is reserved, but no search in it */
    CHECK_INT(b->reply.mids, 1);
    s.sort_type = 1001;
    CHECK_INT(BOOK(b, "GetMatches", ASK(.stat = &s, .rows = 1)), 0x80040102);
    s = teletex();
    CHECK_INT(BOOK(b, "GetMatches", ASK(.stat = &s, .rows = 1)), 0x80004005);            /* 0 is no such object (R1138) */
    s.current = k.hidden;                                                                /* who is in no list is somebody (R1132) */
    MUST_BOOK(b, "GetMatches", ASK(.stat = &s, .rows = 1));
    books_end(&k);
}

/* The STAT of an answer goes into the next request: its ContainerID is an object then (R1146), and the list is the global one. */
TEST(searching_again_with_the_stat_of_a_search)
{
    struct books k;
    books(&k);
    struct book_client *b = &k.b;
    struct nspic_stat s = teletex();
    struct restriction all = has_a(PidTagEntryId);
    static const uint32_t tags[] = { PidTagEntryId, PidTagDisplayType, PidTagObjectType };
    s.current = k.person[3];
    MUST_BOOK(b, "GetMatches", ASK(.stat = &s, .filter = &all, .rows = 1000, .tags = tags, .ntags = 3));
    CHECK_INT(b->reply.stat.container, k.person[3]);
    size_t n = b->reply.mids;
    uint32_t *mid = b->reply.mid;
    struct nspic_stat again = b->reply.stat;
    /* the rows are those of the ids, with ids of the session in them (R1696) */
    for (size_t i = 0; i < n; i++) {
        struct rd r = rd_blob_of(b->reply.row[i].v[0].v.bin);
        rd_blob(&r, 28);
        CHECK_INT(rd_u32(&r), mid[i]);
    }
    struct blob rows = b->reply.http.body;
    MUST_BOOK(b, "GetMatches", ASK(.stat = &again, .filter = &all, .interface_flags = 1, .rows = 1000, .tags = tags, .ntags = 3));
    REQUIRE(b->reply.mids == n);
    CHECK(memcmp(b->reply.mid, mid, n * sizeof *mid) == 0);
    CHECK_BLOB(b->reply.http.body, rows);
    MUST_BOOK(b, "QueryRows", ASK(.stat = &again, .flags = 2, .mids = mid, .nmids = n, .rows = (uint32_t)n + 1, .tags = tags, .ntags = 3));
    CHECK_INT(b->reply.rows, n);
    CHECK_INT(b->reply.stat.container, again.container);
    again.container = 0x7FFFFFFF;            /* nobody, and no list */
    CHECK_INT(BOOK(b, "GetMatches", ASK(.stat = &again, .filter = &all, .rows = 1000)), 0x80040405);
    books_end(&k);
}

/* R985, R986: rows that have nothing of what is asked for are rows of errors, as many as were asked for. */
TEST(a_column_that_no_row_has)
{
    struct books k;
    books(&k);
    struct book_client *b = &k.b;
    const struct { uint32_t tag; uint32_t error; } columns[] = { { PidTagUserX509Certificate, 0x8004010F }, { PidTagSpokenName, 0x8004010F }, { 0x12340003, 0x8004010F },
                                                                 { prop_retype(PidTagDisplayName, PtypErrorCode), 0x8004010F } };
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
        struct nspic_stat s = teletex();
        MUST_BOOK(b, "QueryRows", ASK(.stat = &s, .flags = 2, .rows = 10, .tags = &columns[i].tag, .ntags = 1));
        REQUIRE(b->reply.rows == 10 && b->reply.tags == 1);
        CHECK_INT(b->reply.tag[0], columns[i].tag);
        for (size_t r = 0; r < 10; r++) {
            CHECK_INT(b->reply.row[r].v[0].tag, prop_retype(columns[i].tag, PtypErrorCode));
            CHECK_INT(b->reply.row[r].v[0].v.err, columns[i].error);
        }
        CHECK_INT(b->reply.stat.num_pos, 10);
    }
    books_end(&k);
}

/* The same place by QueryRows, by UpdateStat and by SeekEntries (R1694, R1695, R1701). */
TEST(one_place_three_ways)
{
    struct books k;
    books(&k);
    struct book_client *b = &k.b;
    static const uint32_t tags[] = { PidTagEntryId, PidTagDisplayName, PidTagDisplayType, PidTagObjectType };
    struct nspic_stat s = teletex(), moved = s;
    MUST_BOOK(b, "QueryRows", ASK(.stat = &s, .flags = 1, .rows = 3, .tags = tags, .ntags = 4));
    struct nspic_row third = b->reply.row[2];
    struct nspic_stat after = b->reply.stat;
    moved.delta = 3;
    MUST_BOOK(b, "UpdateStat", ASK(.stat = &moved));
    CHECK(memcmp(&b->reply.stat, &after, sizeof after) == 0);
    moved.delta = 2;
    MUST_BOOK(b, "UpdateStat", ASK(.stat = &moved, .wants_delta = true));
    CHECK_INT(b->reply.delta, 2);
    struct nspic_stat there = b->reply.stat;
    MUST_BOOK(b, "GetProps", ASK(.stat = &there, .flags = 1, .tags = tags, .ntags = 4));
    for (size_t i = 0; i < 4; i++)
        CHECK_INT(b->reply.values.v[i].tag, third.v[i].tag);
    CHECK_BLOB(b->reply.values.v[0].v.bin, third.v[0].v.bin);
    struct propval target = pv_str(PidTagDisplayName, arena_str(b->a, third.v[1].v.s));
    s = teletex();
    MUST_BOOK(b, "SeekEntries", ASK(.stat = &s, .target = &target, .tags = tags, .ntags = 4));
    CHECK_INT(b->reply.stat.current, there.current);
    CHECK_INT(b->reply.stat.num_pos, 2);
    struct nspic_stat sought = b->reply.stat;
    size_t n = b->reply.rows;
    struct nspic_row *row = b->reply.row;
    REQUIRE(n >= 1);
    MUST_BOOK(b, "QueryRows", ASK(.stat = &sought, .flags = 2, .rows = (uint32_t)n, .tags = tags, .ntags = 4));
    REQUIRE(b->reply.rows == n);
    for (size_t i = 0; i < n; i++)
        CHECK_BLOB(b->reply.row[i].v[0].v.bin, row[i].v[0].v.bin);
    books_end(&k);
}

/* Bytes that the code page does not have stand behind all names (R1048). */
TEST(seeking_behind_the_end)
{
    struct books k;
    books(&k);
    struct book_client *b = &k.b;
    struct nspic_stat s = teletex();
    struct nspic_ask q = { .stat = &s };
    struct propval target = pv_str(0x3001001E, "????");
    q.target = &target;
    q.tags = name_only;
    q.ntags = 1;
    struct blob body = arena_blob(b->a, nspic_body(b->a, "SeekEntries", &q));
    uint8_t *bytes = arena_dup(b->a, body.p, body.n), *marks = memmem(bytes, body.n, "????", 4);
    struct mapic_reply reply;
    struct nspic_reply out = { 0 };
    REQUIRE(marks != NULL);
    memset(marks, 0xFF, 4);
    REQUIRE(mapic_call(&b->c, b->a, "SeekEntries", blob_of(bytes, body.n), NULL, &reply, &b->why));
    CHECK_INT(reply.code, 0);
    CHECK(nspic_decode(b->a, "SeekEntries", reply.body, 1252, &out));
    CHECK_INT(out.error, 0x8004010F);
    CHECK(!out.has_stat && !out.has_rows);
    books_end(&k);
}

/* A request whose optional fields are not there is answered: by what it is without them, or by an error code of its own, never by a refused body. */
TEST(without_what_is_optional)
{
    struct books k;
    books(&k);
    struct book_client *b = &k.b;
    for (size_t i = 0; i < nspi_count; i++) {
        const struct nspi_def *d = &nspi_table[i];
        if ((d->flags & (OPENS | ENDS | ASIDE)) != 0)
            continue;
        uint32_t ec = BOOK(b, d->name, ASK(.flags = 0));
        unit_check(b->reply.http.code == 0 && b->why == NULL, __FILE__, __LINE__, "%s: %s", d->name, b->why != NULL ? b->why : "");
        unit_int(b->reply.status, 0, d->name, __FILE__, __LINE__);
        unit_check((d->flags & STATED) == 0 || ec == 0x80070057, __FILE__, __LINE__, "%s without a STAT: %08x", d->name, ec);
    }
    struct nspic_stat s = teletex();
    MUST_BOOK(b, "ResolveNames", ASK(.stat = &s));
    CHECK(b->reply.has_mids && b->reply.mids == 0);
    MUST_BOOK(b, "ResortRestriction", ASK(.stat = &s));
    CHECK(b->reply.has_mids && b->reply.mids == 0);
    MUST_BOOK(b, "GetTemplateInfo", ASK(.flags = 0, .code_page = 20261, .locale = 0x409));
    CHECK(b->reply.has_values && b->reply.values.n == 0);
    MUST_BOOK(b, "GetTemplateInfo", ASK(.flags = 2, .code_page = 20261, .locale = 0x409));
    CHECK(b->reply.has_values && b->reply.values.n == 0);
    const char *names[] = { stack_shared()->ana.dn, "", "person", "xxxxxx" };
    MUST_BOOK(b, "ResolveNames", ASK(.stat = &s, .names = names, .nnames = 4, .tags = name_only, .ntags = 1));
    REQUIRE(b->reply.mids == 4);
    CHECK(b->reply.mid[0] == 2 && b->reply.mid[1] == 0 && b->reply.mid[2] == 1 && b->reply.mid[3] == 0);
    books_end(&k);
}

/* A certificate property with no value at all: there is none then, whatever the bytes behind it are. */
TEST(certificates_without_a_value)
{
    struct books k;
    books(&k);
    struct book_client *b = &k.b;
    struct nspic_stat s = teletex();
    s.current = k.ana;
    static const uint32_t tags[] = { PidTagAddressBookX509Certificate };
    struct nspic_ask q = { .stat = &s, .tags = tags, .ntags = 1 };
    struct blob head = nspic_body(b->a, "ModProps", &q);
    struct wr w = wr_in(b->a, 1 << 12);
    wr_put(&w, blob_of(head.p, head.n - 5));  /* without the mark of the values and the auxiliary buffer */
    wr_u8(&w, 1);
    wr_u32(&w, 1);
    wr_u32(&w, PidTagAddressBookX509Certificate);
    wr_u8(&w, 0);                             /* no value */
    wr_u8(&w, 0);
    wr_u32(&w, 0);
    struct mapic_reply reply;
    struct nspic_reply out = { 0 };
    REQUIRE(mapic_call(&b->c, b->a, "ModProps", wr_blob(&w), NULL, &reply, &b->why));
    CHECK_INT(reply.code, 0);
    CHECK(nspic_decode(b->a, "ModProps", reply.body, 1252, &out));
    CHECK(out.status == 0 && out.error == 0);
    CHECK_INT(BOOK(b, "GetProps", ASK(.stat = &s, .tags = tags, .ntags = 1)), 0x00040380);
    books_end(&k);
}

/* ModLinkAtt knows the properties that lead to objects, and no others (R1326, R1338). */
TEST(links_of_no_link)
{
    struct books k;
    books(&k);
    struct book_client *b = &k.b;
    struct blob id = entryid_addressbook(b->a, 0, stack_shared()->bob.dn);
    const struct { uint32_t tag, mid, error; } tries[] = {
        { PidTagDisplayName, k.ana, 0x8004010F }, { PidTagTitle, k.ana, 0x8004010F }, { 0x12340003, k.ana, 0x8004010F }, { PidTagAddressBookMember, k.form, 0x80070005 },
        { PidTagAddressBookPublicDelegates, k.form, 0x80070005 }, { PidTagAddressBookMember, 0x7FFFFFFF, 0x80070057 }, { PidTagAddressBookReports, k.ana, 0x80070005 },
        { PidTagAddressBookIsMemberOfDistributionList, k.ana, 0x80070005 }
    };
    for (size_t i = 0; i < sizeof tries / sizeof tries[0]; i++)
        unit_int(BOOK(b, "ModLinkAtt", ASK(.tag = tries[i].tag, .mid = tries[i].mid, .entryids = &id, .nentryids = 1)), tries[i].error, "ModLinkAtt", __FILE__, (int)i + 1);
    books_end(&k);
}
