/* test_nspi.c - the address book over real nginx and Redis: tables, objects, names, groups (MS-OXCMAPIHTTP 2.2.5, MS-OXNSPI 3.1.4.1). */
#include "backend/base/utf.h"
#include "backend/directory/policy.h"
#include "backend/directory/template.h"
#include "backend/mapi/entryid.h"
#include "tests/flow/book.h"
#include "tests/flow/books.h"
#include <stdio.h>

#define ASK(...) (&(struct nspic_ask){ __VA_ARGS__ })

static const uint32_t name_only[] = { PidTagDisplayName };

/* --- sessions ---------------------------------------------------------------------------------------------------------------------------------- */

/* OXNSPI 3.1.4.1.1, 3.1.4.1.2 */
TEST(bind_and_unbind)
{
    struct book_client b;
    struct nspic_stat s = book_stat(), unicode = s, odd = s;
    struct guid server;
    unicode.code_page = 1200;
    odd.code_page = 255;
    REQUIRE_EC(directory_server_guid(stack_shared()->directory, &server), ecNone);
    book_client(&b, stack_shared(), &stack_shared()->ana);
    CHECK_INT(BOOK(&b, "Bind", ASK(.stat = &s, .flags = 0x20)), 0x80040102); /* nobody is taken without saying who he is */
    CHECK_STR(b.c.context, "");
    CHECK_INT(BOOK(&b, "Bind", ASK(.stat = &unicode)), 0x8004011E);
    CHECK_INT(BOOK(&b, "Bind", ASK(.stat = &odd)), 0x8004011E);
    CHECK_INT(BOOK(&b, "Bind", ASK(.stat = &s, .flags = 0xFFFFFFDF)), 0);    /* bits that mean nothing */
    CHECK(guid_eq(&b.reply.guid, &server));
    CHECK_INT(b.reply.status, 0);
    CHECK(*b.c.context != '\0' && *b.c.sequence != '\0');
    CHECK_INT(BOOK(&b, "Unbind", ASK(.flags = 77)), 1);                     /* UnbindSuccess */
    CHECK_INT(BOOK(&b, "QueryColumns", ASK(.flags = 0)), UINT32_MAX);
    CHECK_INT(b.reply.http.code, 10);
    CHECK_INT(BOOK(&b, "Bind", ASK(.flags = 0)), 0);                        /* no STAT at all, old cookies */
    struct mapic_reply r;
    REQUIRE(mapic_call(&b.c, b.a, "Unbind", blob_of(NULL, 0), NULL, &r, &b.why)); /* no body at all */
    CHECK_INT(r.code, 0);
    book_client_end(&b);
}

/* --- tables ------------------------------------------------------------------------------------------------------------------------------------ */

static const char *first_name(struct book_client *b)
{
    return b->reply.rows != 0 ? book_text(b, &b->reply.row[0], PidTagDisplayName) : "";
}

/* OXNSPI 3.1.4.1.4, 3.1.4.5 */
TEST(positions)
{
    struct books k;
    books(&k);
    struct book_client *b = &k.b;
    struct nspic_stat s = book_stat(), t;
    MUST_BOOK(b, "UpdateStat", ASK(.stat = &s, .wants_delta = true));
    uint32_t total = b->reply.stat.total, first = b->reply.stat.current;
    CHECK(total > 40);
    CHECK(first >= 0x10);
    CHECK_INT(b->reply.stat.num_pos, 0);
    CHECK(b->reply.has_delta && b->reply.delta == 0);
    s.delta = 10;
    MUST_BOOK(b, "UpdateStat", ASK(.stat = &s, .flags = 99));
    t = b->reply.stat;
    CHECK(!b->reply.has_delta);
    CHECK_INT(t.num_pos, 10);
    CHECK_INT(t.delta, 0);
    CHECK(t.code_page == s.code_page && t.template_locale == s.template_locale && t.sort_locale == s.sort_locale && t.sort_type == s.sort_type && t.container == 0);
    t.delta = -100;                          /* back beyond the first row */
    MUST_BOOK(b, "UpdateStat", ASK(.stat = &t, .wants_delta = true));
    CHECK_INT(b->reply.delta, -10);
    CHECK_INT(b->reply.stat.current, first);
    t.delta = 1000000;                       /* behind the last */
    MUST_BOOK(b, "UpdateStat", ASK(.stat = &t, .wants_delta = true));
    CHECK_INT(b->reply.stat.current, 2);
    CHECK_INT(b->reply.stat.num_pos, total);
    CHECK_INT(b->reply.delta, (int)total - 10);
    s = book_stat();
    s.current = 2;
    s.delta = -1;
    s.num_pos = 4711;                        /* absolute: what the client says here does not count */
    s.total = 7;
    MUST_BOOK(b, "UpdateStat", ASK(.stat = &s));
    CHECK_INT(b->reply.stat.num_pos, total - 1);
    CHECK_INT(b->reply.stat.total, total);
    s.current = 1;                           /* MID_CURRENT: a fraction */
    s.delta = 0;
    s.num_pos = 50;
    s.total = 100;
    MUST_BOOK(b, "UpdateStat", ASK(.stat = &s));
    CHECK_INT(b->reply.stat.num_pos, total / 2);
    s.delta = 2;
    MUST_BOOK(b, "UpdateStat", ASK(.stat = &s));
    CHECK_INT(b->reply.stat.num_pos, total / 2 + 2);
    s.num_pos = 500;
    MUST_BOOK(b, "UpdateStat", ASK(.stat = &s));
    CHECK_INT(b->reply.stat.current, 2);
    s.total = 0;
    s.delta = 0;
    MUST_BOOK(b, "UpdateStat", ASK(.stat = &s));
    CHECK_INT(b->reply.stat.num_pos, 0);
    s = book_stat();
    s.current = 0x7FFFFFFF;
    CHECK_INT(BOOK(b, "UpdateStat", ASK(.stat = &s)), 0x8004010F);
    CHECK(!b->reply.has_stat && !b->reply.has_delta);
    s = book_stat();
    s.container = 0x7FFFFFFF;
    CHECK_INT(BOOK(b, "UpdateStat", ASK(.stat = &s)), 0x80040405);
    s.container = 1;
    CHECK_INT(BOOK(b, "UpdateStat", ASK(.stat = &s)), 0x80040405);
    CHECK_INT(BOOK(b, "UpdateStat", ASK(.flags = 0)), 0x80070057); /* no STAT */
    books_end(&k);
}

/* OXNSPI 3.1.4.1.8 */
TEST(rows_of_a_table)
{
    struct books k;
    books(&k);
    struct book_client *b = &k.b;
    struct nspic_stat s = book_stat();
    /* page by page it is the whole table, each row once, in order */
    uint32_t seen = 0, total = 1;
    const char *before = "";
    while (s.current != 2 && seen < 1000) {
        MUST_BOOK(b, "QueryRows", ASK(.stat = &s, .rows = 7, .tags = name_only, .ntags = 1));
        REQUIRE(b->reply.has_rows && b->reply.has_stat && b->reply.rows > 0);
        for (size_t i = 0; i < b->reply.rows; i++, seen++) {
            const char *name = book_text(b, &b->reply.row[i], PidTagDisplayName);
            CHECK(utf8_cmp(blob_str(before), blob_str(name), UTF_FOLD | UTF_BASE) <= 0);
            before = name;
        }
        s = b->reply.stat;
        total = s.total;
        CHECK_INT(s.num_pos, seen);
        CHECK_INT(s.delta, 0);
    }
    CHECK_INT(seen, total);
    MUST_BOOK(b, "QueryRows", ASK(.stat = &s, .rows = 7, .tags = name_only, .ntags = 1)); /* at the end: no more */
    CHECK_INT(b->reply.rows, 0);
    CHECK_INT(b->reply.stat.current, 2);
    /* from a place on, Delta included; more than there is gives what there is */
    s = book_stat();
    s.delta = 3;
    MUST_BOOK(b, "QueryRows", ASK(.stat = &s, .rows = 100000, .tags = name_only, .ntags = 1));
    CHECK_INT(b->reply.rows, total - 3);
    CHECK_INT(b->reply.stat.num_pos, total);
    /* the usual columns */
    s = book_stat();
    MUST_BOOK(b, "QueryRows", ASK(.stat = &s, .rows = 1));
    static const uint32_t usual[] = { 0xFFFD0003, 0x0FFE0003, 0x39000003, 0x3001001E, 0x3A1A001E, 0x3A18001E, 0x3A19001E };
    REQUIRE(b->reply.tags == 7);
    for (size_t i = 0; i < 7; i++)
        CHECK_INT(b->reply.tag[i], usual[i]);
    CHECK_INT(BOOK(b, "QueryRows", ASK(.stat = &s, .rows = 0)), 0x80070057);
    s.container = 0x7FFFFFFF;
    CHECK_INT(BOOK(b, "QueryRows", ASK(.stat = &s, .rows = 1)), 0x80040405);
    CHECK(!b->reply.has_rows && !b->reply.has_stat);
    s = book_stat();
    s.current = 1;                           /* MID_CURRENT is nobody outside of UpdateStat */
    CHECK_INT(BOOK(b, "QueryRows", ASK(.stat = &s, .rows = 1)), 0x8004010F);
    s = book_stat();
    s.code_page = 255;
    CHECK_INT(BOOK(b, "QueryRows", ASK(.stat = &s, .rows = 1)), 0x8004011E);
    s = book_stat();
    s.container = k.rooms;                   /* another list */
    MUST_BOOK(b, "QueryRows", ASK(.stat = &s, .rows = 10, .tags = name_only, .ntags = 1));
    CHECK_INT(b->reply.rows, 3);
    CHECK_STR(first_name(b), "Room A");
    books_end(&k);
}

/* The explicit table (OXNSPI R505, R958, R971): the client's ids in the client's order; who is nobody has no values (R907, R985, R1694). */
TEST(rows_of_ids)
{
    struct books k;
    books(&k);
    struct book_client *b = &k.b;
    struct nspic_stat s = book_stat();
    uint32_t ids[] = { k.team, 5, k.ana, 0x7FFFFFFF, k.ana, 1 };
    s.container = 0x7FFFFFFF;                /* not looked at (R948) */
    s.delta = 3;
    MUST_BOOK(b, "QueryRows", ASK(.stat = &s, .mids = ids, .nmids = 6, .rows = 6, .tags = name_only, .ntags = 1));
    REQUIRE(b->reply.rows == 6);
    CHECK_STR(book_text(b, &b->reply.row[0], PidTagDisplayName), "Team");
    CHECK_STR(book_text(b, &b->reply.row[2], PidTagDisplayName), "Ana");
    CHECK_STR(book_text(b, &b->reply.row[4], PidTagDisplayName), "Ana");
    for (size_t i = 1; i < 6; i += 2) {
        CHECK_INT(prop_type(b->reply.row[i].v[0].tag), PtypErrorCode);
        CHECK_INT(b->reply.row[i].v[0].v.err, 0x8004010F);
    }
    CHECK_INT(b->reply.stat.delta, 0);
    CHECK_INT(b->reply.stat.container, 0x7FFFFFFF);
    MUST_BOOK(b, "QueryRows", ASK(.stat = &s, .mids = ids, .nmids = 6, .rows = 2, .tags = name_only, .ntags = 1));
    CHECK_INT(b->reply.rows, 2);
    /* with other flags the same (R921, R1926) */
    struct blob once = b->reply.http.body;
    MUST_BOOK(b, "QueryRows", ASK(.stat = &s, .flags = 0xFFFFFFFC, .mids = ids, .nmids = 6, .rows = 2, .tags = name_only, .ntags = 1));
    CHECK_BLOB(b->reply.http.body, once);
    books_end(&k);
}

/* OXNSPI 3.1.4.1.9 */
TEST(seeking_a_name)
{
    struct books k;
    books(&k);
    struct book_client *b = &k.b;
    struct nspic_stat s = book_stat(), phonetic = s;
    struct propval name = pv_str(PidTagDisplayName, "person 01"), eight = pv_str(PidTagDisplayName, "PERSON 01"), title = pv_str(PidTagTitle, "x"), last = pv_str(PidTagDisplayName, "zzz");
    eight.tag = 0x3001001E;
    s.delta = 5;
    MUST_BOOK(b, "SeekEntries", ASK(.stat = &s, .target = &name, .tags = name_only, .ntags = 1));
    CHECK_STR(first_name(b), "Person 010");
    CHECK_INT(b->reply.stat.delta, 5);       /* R1055 */
    CHECK(b->reply.rows > 1);
    struct nspic_stat found = b->reply.stat;
    /* the rows are those of a QueryRows there (R1695, R105801), with the ephemeral flag */
    struct blob rows = b->reply.http.body;
    struct nspic_stat there = found;
    there.delta = 0;
    uint32_t n = (uint32_t)b->reply.rows;
    MUST_BOOK(b, "QueryRows", ASK(.stat = &there, .flags = 2, .rows = n, .tags = name_only, .ntags = 1));
    CHECK_INT(b->reply.rows, n);
    CHECK_STR(first_name(b), "Person 010");
    CHECK(rows.n > 45 && b->reply.http.body.n == rows.n);
    CHECK_BLOB(blob_of(b->reply.http.body.p + 45, rows.n - 45), blob_of(rows.p + 45, rows.n - 45));
    MUST_BOOK(b, "SeekEntries", ASK(.stat = &s, .target = &eight));
    CHECK_INT(b->reply.stat.current, found.current);
    CHECK_INT(b->reply.stat.num_pos, found.num_pos);
    CHECK(!b->reply.has_rows);               /* no columns, no rows */
    MUST_BOOK(b, "SeekEntries", ASK(.stat = &s, .target = &eight, .flags = 4711)); /* Reserved does not count */
    CHECK_INT(BOOK(b, "SeekEntries", ASK(.stat = &s, .target = &last)), 0x8004010F);
    CHECK(!b->reply.has_stat && !b->reply.has_rows);
    CHECK_INT(BOOK(b, "SeekEntries", ASK(.stat = &s, .target = &title)), 0x80004005);
    phonetic.sort_type = 3;
    CHECK_INT(BOOK(b, "SeekEntries", ASK(.stat = &phonetic, .target = &name)), 0x80004005);
    phonetic.sort_type = 55;
    CHECK_INT(BOOK(b, "SeekEntries", ASK(.stat = &phonetic, .target = &name)), 0x80004005);
    s.container = 1;
    CHECK_INT(BOOK(b, "SeekEntries", ASK(.stat = &s, .target = &name)), 0x80040405);
    /* in a list of ids */
    s = book_stat();
    uint32_t ids[] = { k.ana, k.person[3], k.person[7], k.team };
    struct propval p5 = pv_str(PidTagDisplayName, "Person 005");
    MUST_BOOK(b, "SeekEntries", ASK(.stat = &s, .target = &p5, .mids = ids, .nmids = 4, .tags = name_only, .ntags = 1));
    CHECK_INT(b->reply.stat.current, k.person[7]);
    CHECK_INT(b->reply.stat.num_pos, 2);
    CHECK_INT(b->reply.stat.total, 4);
    CHECK_INT(b->reply.rows, 2);
    CHECK_STR(first_name(b), "Person 007");
    CHECK_INT(BOOK(b, "SeekEntries", ASK(.stat = &s, .target = &last, .mids = ids, .nmids = 4)), 0x8004010F);
    books_end(&k);
}

/* OXNSPI 3.1.4.1.12, 3.1.4.1.11 */
TEST(comparing_and_sorting_ids)
{
    struct books k;
    books(&k);
    struct book_client *b = &k.b;
    struct nspic_stat s = book_stat();
    MUST_BOOK(b, "CompareMIds", ASK(.stat = &s, .mid = k.ana, .mid2 = k.team));
    CHECK(b->reply.result < 0);
    MUST_BOOK(b, "CompareMIds", ASK(.stat = &s, .mid = k.team, .mid2 = k.ana, .flags = 3));
    CHECK(b->reply.result > 0);
    MUST_BOOK(b, "CompareMIds", ASK(.stat = &s, .mid = k.team, .mid2 = k.team));
    CHECK_INT(b->reply.result, 0);
    CHECK_INT(BOOK(b, "CompareMIds", ASK(.stat = &s, .mid = k.team, .mid2 = k.hidden)), 0x80004005);
    CHECK_INT(BOOK(b, "CompareMIds", ASK(.stat = &s, .mid = 2, .mid2 = k.ana)), 0x80004005);
    s.container = 0x7FFFFFFF;
    CHECK_INT(BOOK(b, "CompareMIds", ASK(.stat = &s, .mid = k.team, .mid2 = k.ana)), 0x80040405);
    s = book_stat();
    uint32_t ids[] = { k.team, 0x7FFFFFFF, k.person[9], 1, k.ana, k.person[2] };
    s.current = k.person[9];
    s.num_pos = 99;
    MUST_BOOK(b, "ResortRestriction", ASK(.stat = &s, .mids = ids, .nmids = 6));
    REQUIRE(b->reply.mids == 4);
    CHECK(b->reply.mid[0] == k.ana && b->reply.mid[1] == k.person[2] && b->reply.mid[2] == k.person[9] && b->reply.mid[3] == k.team);
    CHECK(b->reply.stat.total == 4 && b->reply.stat.num_pos == 2 && b->reply.stat.current == k.person[9] && b->reply.stat.container == 0);
    s.current = k.person[1];
    MUST_BOOK(b, "ResortRestriction", ASK(.stat = &s, .mids = ids, .nmids = 6, .flags = 9));
    CHECK(b->reply.stat.num_pos == 0 && b->reply.stat.current == 0);
    s.sort_type = 3;
    MUST_BOOK(b, "ResortRestriction", ASK(.stat = &s, .mids = ids, .nmids = 6));
    CHECK_INT(b->reply.mids, 4);
    s.sort_type = 1000;
    CHECK_INT(BOOK(b, "ResortRestriction", ASK(.stat = &s, .mids = ids, .nmids = 6)), 0x80004005);
    CHECK(!b->reply.has_mids && !b->reply.has_stat);
    books_end(&k);
}

/* --- objects ------------------------------------------------------------------------------------------------------------------------------------- */

static struct nspic_stat at(uint32_t mid)
{
    struct nspic_stat s = book_stat();
    s.current = mid;
    return s;
}

/* OXNSPI 3.1.4.1.7 */
TEST(properties_of_an_object)
{
    struct books k;
    books(&k);
    struct book_client *b = &k.b;
    struct nspic_stat s = at(k.ana);
    const uint32_t tags[] = { PidTagTitle, PidTagDisplayName, 0x3001001E, PidTagObjectType, PidTagDisplayName, PidTagPagerTelephoneNumber, 0x30010000, 0x3001000B, 0x12340003 };
    CHECK_INT(BOOK(b, "GetProps", ASK(.stat = &s, .tags = tags, .ntags = 9)), 0x00040380);
    REQUIRE(b->reply.has_values && b->reply.values.n == 9);
    CHECK_INT(b->reply.code_page, 1252);
    const uint32_t want[] = { PidTagTitle, PidTagDisplayName, 0x3001001E, PidTagObjectType, PidTagDisplayName, 0x3A21000A, PidTagDisplayName, 0x3001000A, 0x1234000A };
    for (size_t i = 0; i < 9; i++)
        CHECK_INT(b->reply.values.v[i].tag, want[i]);
    CHECK_INT(b->reply.values.v[5].v.err, 0x8004010F);
    /* all there: Success; the list of the server, which is that of GetPropList, with strings of 8 bits */
    CHECK_INT(BOOK(b, "GetProps", ASK(.stat = &s, .tags = tags, .ntags = 5)), 0);
    CHECK_INT(BOOK(b, "GetProps", ASK(.stat = &s, .flags = 0)), 0);
    struct nspic_row all = b->reply.values;
    MUST_BOOK(b, "GetPropList", ASK(.mid = k.ana, .code_page = 1252));
    REQUIRE(b->reply.tags == all.n);
    bool objects = false;
    for (size_t i = 0; i < all.n; i++) {
        CHECK_INT(all.v[i].tag, b->reply.tag[i]);
        CHECK(!type_string(prop_type(all.v[i].tag)) || type_single(prop_type(all.v[i].tag)) == PtypString8);
        objects |= prop_type(all.v[i].tag) == PtypObject;
    }
    CHECK(objects);                          /* Ana has a manager and groups */
    CHECK_INT(BOOK(b, "GetProps", ASK(.stat = &s, .flags = 1)), 0);
    for (size_t i = 0; i < b->reply.values.n; i++)
        CHECK(prop_type(b->reply.values.v[i].tag) != PtypObject);
    /* what every object has (OXNSPI 3.1.4.2) */
    static const uint32_t required[] = {
        PidTagObjectType, PidTagInitialDetailsPane, PidTagAddressBookDisplayNamePrintable, PidTagAddressBookContainerId, PidTagEntryId, PidTagInstanceKey, PidTagSearchKey,
        PidTagRecordKey, PidTagAddressType, PidTagEmailAddress, PidTagDisplayType, PidTagTemplateid, PidTagTransmittableDisplayName, PidTagDisplayName, PidTagMappingSignature,
        PidTagAddressBookObjectDistinguishedName
    };
    const uint32_t kinds[] = { k.ana, k.team, k.person[0], k.contact, k.room_a, k.folder, k.dynamic, k.form, k.hidden };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        s = at(kinds[i]);
        CHECK_INT(BOOK(b, "GetProps", ASK(.stat = &s, .tags = required, .ntags = 16)), 0);
    }
    static const uint32_t of_groups[] = { PidTagContainerContents, PidTagContainerFlags };
    s = at(k.team);
    CHECK_INT(BOOK(b, "GetProps", ASK(.stat = &s, .tags = of_groups, .ntags = 2)), 0);
    s = at(k.ana);
    CHECK_INT(BOOK(b, "GetProps", ASK(.stat = &s, .tags = of_groups, .ntags = 2)), 0x00040380);
    /* nobody, and MID_CURRENT, which is nobody here (R1985): no values */
    const uint32_t nobodies[] = { 0x7FFFFFFF, 1, 2, 0x10, 0x0F };
    for (size_t i = 0; i < 5; i++) {
        s = at(nobodies[i]);
        CHECK_INT(BOOK(b, "GetProps", ASK(.stat = &s, .tags = name_only, .ntags = 1)), 0x00040380);
        CHECK(b->reply.values.n == 1 && b->reply.values.v[0].tag == 0x3001000A);
    }
    s = at(k.ana);
    s.container = 0x7FFFFFFF;
    CHECK_INT(BOOK(b, "GetProps", ASK(.stat = &s, .tags = name_only, .ntags = 1)), 0x80040405);
    CHECK(!b->reply.has_values);
    s = at(k.ana);
    s.code_page = 255;
    CHECK_INT(BOOK(b, "GetProps", ASK(.stat = &s, .tags = name_only, .ntags = 1)), 0x8004011E);
    static const uint32_t database[] = { 0x8006001E, 0x8006001F, 0x80060000 };
    s = at(k.ana);
    CHECK_INT(BOOK(b, "GetProps", ASK(.stat = &s, .tags = database, .ntags = 3)), 0);
    uint32_t many[10001] = { 0 };
    s = at(k.ana);
    CHECK_INT(BOOK(b, "GetProps", ASK(.stat = &s, .tags = many, .ntags = 10001)), 0x80040403);
    books_end(&k);
}

/* OXNSPI 2.2.9, 3.1.4.6 */
TEST(entry_ids)
{
    struct books k;
    books(&k);
    struct book_client *b = &k.b;
    static const uint32_t tags[] = { PidTagEntryId, PidTagRecordKey, PidTagTemplateid, PidTagInstanceKey, PidTagSearchKey };
    const struct { uint32_t mid, type; } kinds[] = { { k.ana, 0 }, { k.team, 1 }, { k.folder, 2 }, { k.dynamic, 3 }, { k.contact, 6 }, { k.room_a, 0 } };
    struct guid server;
    REQUIRE_EC(directory_server_guid(stack_shared()->directory, &server), ecNone);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct nspic_stat s = at(kinds[i].mid);
        uint32_t type = 99;
        struct blob dn;
        MUST_BOOK(b, "GetProps", ASK(.stat = &s, .tags = tags, .ntags = 5));
        struct blob permanent = b->reply.values.v[0].v.bin;
        CHECK(entryid_addressbook_parse(permanent, &type, &dn));
        CHECK_INT(type, kinds[i].type);
        CHECK_BYTES(blob_of(permanent.p, 4), "00000000");
        CHECK_BYTES(blob_of(permanent.p + 4, 20), "dca740c8c042101ab4b908002b2fe182 01000000");
        CHECK_BLOB(b->reply.values.v[1].v.bin, permanent);
        CHECK_BLOB(b->reply.values.v[2].v.bin, permanent);
        CHECK_INT(b->reply.values.v[3].v.bin.n, 4);
        CHECK_BLOB(blob_of(b->reply.values.v[4].v.bin.p, 6), blob_of("EX:/O=", 6));
        MUST_BOOK(b, "GetProps", ASK(.stat = &s, .flags = 2, .tags = tags, .ntags = 1));
        struct rd r = rd_blob_of(b->reply.values.v[0].v.bin);
        CHECK_INT(rd_u32(&r), 0x87);
        CHECK_BLOB(rd_blob(&r, 16), blob_of(server.b, 16));
        CHECK_INT(rd_u32(&r), 1);
        CHECK_INT(rd_u32(&r), kinds[i].type);
        CHECK_INT(rd_u32(&r), kinds[i].mid);
        CHECK(rd_done(&r));
        /* its DN leads back to it, in another session too */
        struct book_client other;
        book_bound(&other, stack_shared(), &stack_shared()->bob);
        CHECK_INT(book_mid(&other, arena_str(b->a, dn)), kinds[i].mid);
        book_client_end(&other);
    }
    books_end(&k);
}

/* OXNSPI 3.1.4.3: strings in the client's code page, or as they are. */
TEST(strings_and_code_pages)
{
    struct books k;
    books(&k);
    struct book_client *b = &k.b;
    static const uint32_t tags[] = { PidTagDisplayName, 0x3001001E, PidTagAddressBookDisplayNamePrintable, 0x39FF001E, 0x3003001E, PidTagEmailAddress };
    const struct { uint32_t cp; const char *bytes; } pages[] = { { 1252, "4dfc6c6c657220a7" }, { 65001, "4dc3bc6c6c657220c2a7" }, { 850, "4d816c6c657220f5" }, { 20261, "4dc8756c6c657220a7" } };
    struct entry e;
    REQUIRE_EC(entry_get(k.d, b->a, (int64_t)k.person[5] - 0x10, &e), ecNone);
    e.display_name = "M\xc3\xbcller \xc2\xa7";
    REQUIRE_EC(entry_set(k.d, b->a, &e), ecNone);
    for (size_t i = 0; i < 4; i++) {
        struct nspic_stat s = at(k.person[5]);
        s.code_page = pages[i].cp;
        MUST_BOOK(b, "GetProps", ASK(.stat = &s, .tags = tags, .ntags = 6));
        CHECK_INT(b->reply.code_page, pages[i].cp);
        CHECK_BLOB(b->reply.values.v[0].v.s, blob_str(e.display_name));
        struct blob want = unhex(pages[i].bytes), body = b->reply.http.body;
        CHECK(memmem(body.p, body.n, want.p, want.n) != NULL);
        CHECK_STR(arena_str(b->a, b->reply.values.v[2].v.s), "Muller ?");
        CHECK_STR(arena_str(b->a, b->reply.values.v[3].v.s), "Muller ?"); /* the same in every code page */
        CHECK_BLOB(b->reply.values.v[4].v.s, blob_str(e.dn));
        CHECK_BLOB(b->reply.values.v[5].v.s, blob_str(e.dn));
    }
    /* a target of 8 bits is in the code page of the STAT (R464, R465) */
    struct nspic_stat s = book_stat();
    struct propval target = pv_str(PidTagDisplayName, "M\xc3\xbcl");
    target.tag = 0x3001001E;
    s.code_page = 850;
    MUST_BOOK(b, "SeekEntries", ASK(.stat = &s, .target = &target));
    CHECK_INT(b->reply.stat.current, k.person[5]);
    /* a session in Unicode: strings of their own kind */
    s = at(k.person[5]);
    s.code_page = 1200;
    MUST_BOOK(b, "GetProps", ASK(.stat = &s));
    for (size_t i = 0; i < b->reply.values.n; i++)
        CHECK(type_single(prop_type(b->reply.values.v[i].tag)) != PtypString8);
    e.display_name = "Person 005";
    REQUIRE_EC(entry_set(k.d, b->a, &e), ecNone);
    books_end(&k);
}

/* OXNSPI 3.1.4.1.5, 3.1.4.1.6, 3.1.4.1.13 */
TEST(lists_of_properties_and_dns)
{
    struct books k;
    books(&k);
    struct book_client *b = &k.b;
    MUST_BOOK(b, "QueryColumns", ASK(.interface_flags = 0x80000000));
    size_t n = b->reply.tags;
    CHECK(n > 80);
    for (size_t i = 0; i < n; i++)
        CHECK(type_single(prop_type(b->reply.tag[i])) != PtypString8);
    MUST_BOOK(b, "QueryColumns", ASK(.flags = 5, .interface_flags = 0x7FFFFFFF));
    CHECK_INT(b->reply.tags, n);
    for (size_t i = 0; i < n; i++)
        CHECK(type_single(prop_type(b->reply.tag[i])) != PtypString);
    MUST_BOOK(b, "GetPropList", ASK(.mid = 0, .code_page = 1252));
    CHECK_INT(b->reply.tags, n);             /* of nobody in particular: all that there are */
    MUST_BOOK(b, "GetPropList", ASK(.mid = k.team, .code_page = 1252, .flags = 0xFFFFFFFE));
    size_t with = b->reply.tags;
    MUST_BOOK(b, "GetPropList", ASK(.mid = k.team, .code_page = 1252, .flags = 1));
    CHECK(b->reply.tags < with);
    const char *dns[] = { stack_shared()->ana.dn, "/o=Nobody/cn=x", "", k.hidden_dn, k.foreign_dn, stack_shared()->ana.dn };
    MUST_BOOK(b, "DNToMId", ASK(.flags = 12, .names = dns, .nnames = 6));
    REQUIRE(b->reply.mids == 6);
    CHECK(b->reply.mid[0] == k.ana && b->reply.mid[5] == k.ana);
    CHECK(b->reply.mid[1] == 0 && b->reply.mid[2] == 0);
    CHECK_INT(b->reply.mid[3], k.hidden);    /* hidden from lists, not from those who know it */
    CHECK_INT(b->reply.mid[4], 0);           /* another organization's does not exist */
    books_end(&k);
}

/* --- names ---------------------------------------------------------------------------------------------------------------------------------------- */

/* OXNSPI 3.1.4.1.17, 3.1.4.7 */
TEST(names_resolved)
{
    struct books k;
    books(&k);
    struct book_client *b = &k.b;
    struct nspic_stat s = book_stat();
    const char *names[] = { "ana", "person", "nobody at all", "", "=team", "Team", "person 003", "SMTP:person003@example.com", stack_shared()->bob.dn, "ghost@example.com", "Ghost", "them@other.example" };
    const uint32_t want[] = { 2, 1, 0, 0, 2, 2, 2, 2, 2, 2, 0, 0 };
    MUST_BOOK(b, "ResolveNames", ASK(.stat = &s, .names = names, .nnames = 12, .tags = name_only, .ntags = 1));
    REQUIRE(b->reply.mids == 12);
    for (size_t i = 0; i < 12; i++)
        unit_check(b->reply.mid[i] == want[i], __FILE__, __LINE__, "\"%s\": %u", names[i], b->reply.mid[i]);
    static const char *const rows[] = { "Ana", "Team", "Team", "Person 003", "Person 003", "Bob", "Ghost" };
    REQUIRE(b->reply.rows == 7);
    for (size_t i = 0; i < 7; i++)
        CHECK_STR(book_text(b, &b->reply.row[i], PidTagDisplayName), rows[i]);
    static const uint32_t id[] = { PidTagEntryId };
    MUST_BOOK(b, "ResolveNames", ASK(.stat = &s, .flags = 8, .names = names, .nnames = 1, .tags = id, .ntags = 1));
    CHECK_BYTES(blob_of(b->reply.row[0].v[0].v.bin.p, 4), "00000000"); /* permanent */
    MUST_BOOK(b, "ResolveNames", ASK(.stat = &s, .names = names, .nnames = 1));
    CHECK_INT(b->reply.tags, 7);
    s.container = k.rooms;
    const char *in_rooms[] = { "room a", "ana" };
    MUST_BOOK(b, "ResolveNames", ASK(.stat = &s, .names = in_rooms, .nnames = 2, .tags = name_only, .ntags = 1));
    CHECK(b->reply.mid[0] == 2 && b->reply.mid[1] == 0);
    s.container = 0x7FFFFFFF;
    CHECK_INT(BOOK(b, "ResolveNames", ASK(.stat = &s, .names = in_rooms, .nnames = 2)), 0x80040405);
    CHECK(!b->reply.has_mids && !b->reply.has_rows);
    books_end(&k);
}

/* --- restrictions and links ------------------------------------------------------------------------------------------------------------------------ */

static struct restriction property(uint8_t relop, struct propval v)
{
    struct restriction r = { .kind = RES_PROPERTY };
    r.property.relop = relop;
    r.property.tag = v.tag;
    r.property.value = v;
    return r;
}

static struct restriction content(uint16_t level, uint16_t fuzzy, struct propval v)
{
    struct restriction r = { .kind = RES_CONTENT };
    r.content.level = level;
    r.content.fuzzy = fuzzy;
    r.content.tag = v.tag;
    r.content.value = v;
    return r;
}

static void matches(struct books *k, const struct restriction *r, uint32_t n, int line)
{
    struct nspic_stat s = book_stat();
    uint32_t ec = BOOK(&k->b, "GetMatches", ASK(.stat = &s, .filter = r, .rows = 1000, .tags = name_only, .ntags = 1));
    unit_check(ec == 0 && k->b.reply.mids == n && k->b.reply.rows == n, __FILE__, line, "%zu matches, ErrorCode %x", k->b.reply.mids, ec);
}

/* OXNSPI 3.1.4.1.10, R1908-R1914 */
TEST(objects_that_match)
{
    struct books k;
    books(&k);
    struct book_client *b = &k.b;
    struct restriction eq = property(RELOP_EQ, pv_str(PidTagDisplayName, "PERSON 004")), ge = property(RELOP_GE, pv_str(PidTagDisplayName, "Person 038"));
    struct restriction prefix = content(FL_PREFIX, FL_IGNORECASE, pv_str(PidTagDisplayName, "person 01")), sub = content(FL_SUBSTRING, FL_IGNORECASE, pv_str(PidTagTitle, "HIE"));
    struct restriction anr = property(RELOP_EQ, pv_str(PidTagAnr, "person")), type = property(RELOP_EQ, pv_i32(PidTagDisplayTypeEx, 7));
    struct restriction exist = { .kind = RES_EXIST }, no = { .kind = RES_NOT }, both[2], and = { .kind = RES_AND }, or = { .kind = RES_OR };
    exist.exist.tag = PidTagTitle;
    matches(&k, &eq, 1, __LINE__);
    CHECK_INT(b->reply.mid[0], k.person[4]);
    CHECK_INT(b->reply.stat.container, 0);   /* = CurrentRec (R1146) */
    matches(&k, &prefix, 10, __LINE__);
    CHECK_STR(book_text(b, &b->reply.row[3], PidTagDisplayName), "Person 013"); /* in the order of the table (R1128) */
    matches(&k, &sub, 1, __LINE__);
    matches(&k, &anr, 40, __LINE__);
    matches(&k, &type, 3, __LINE__);
    matches(&k, &exist, 1, __LINE__);
    both[0] = anr;
    both[1] = ge;
    and.list.v = or.list.v = both;
    and.list.n = or.list.n = 2;
    matches(&k, &and, 2, __LINE__);
    both[1] = eq;
    both[0] = sub;
    matches(&k, &or, 2, __LINE__);
    no.one.r = &anr;
    struct nspic_stat s = book_stat();
    MUST_BOOK(b, "UpdateStat", ASK(.stat = &s));
    matches(&k, &no, b->reply.stat.total - 40, __LINE__);
    struct restriction nobody = property(RELOP_EQ, pv_str(PidTagDisplayName, "x"));
    matches(&k, &nobody, 0, __LINE__);
    /* a value of 8 bits, of a property by name */
    CHECK_INT(BOOK(b, "GetMatches", ASK(.stat = &s, .filter = &anr, .rows = 39)), 0x80040403);
    CHECK(!b->reply.has_mids && !b->reply.has_rows && !b->reply.has_stat);
    CHECK_INT(BOOK(b, "GetMatches", ASK(.stat = &s, .filter = &anr, .rows = 40, .interface_flags = 12, .flags = 4)), 0);
    uint32_t ids[] = { k.ana };
    CHECK_INT(BOOK(b, "GetMatches", ASK(.stat = &s, .filter = &eq, .mids = ids, .nmids = 1, .rows = 10)), 0x80040117);
    struct restriction sub_object = { .kind = RES_SUBRESTRICTION };
    sub_object.sub.subobject = 0x0E12000D;
    sub_object.sub.r = &eq;
    matches(&k, &sub_object, 0, __LINE__);
    struct restriction odd = property(RELOP_RE, pv_str(PidTagDisplayName, "x"));
    CHECK_INT(BOOK(b, "GetMatches", ASK(.stat = &s, .filter = &odd, .rows = 10)), 0x80040117);
    s.container = 0x7FFFFFFF;
    CHECK_INT(BOOK(b, "GetMatches", ASK(.stat = &s, .filter = &eq, .rows = 10)), 0x80040405);
    s = book_stat();
    s.sort_type = 4;
    CHECK_INT(BOOK(b, "GetMatches", ASK(.stat = &s, .filter = &eq, .rows = 10)), 0x80004005);
    for (s.sort_type = 1000; s.sort_type < 1002; s.sort_type++) { /* the orders of links: by name */
        MUST_BOOK(b, "GetMatches", ASK(.stat = &s, .filter = &prefix, .rows = 10, .tags = name_only, .ntags = 1));
        REQUIRE(b->reply.mids == 10);
        CHECK_STR(book_text(b, &b->reply.row[3], PidTagDisplayName), "Person 013");
        CHECK_INT(b->reply.stat.sort_type, s.sort_type);
    }
    s = book_stat();
    s.container = k.rooms;
    CHECK_INT(BOOK(b, "GetMatches", ASK(.stat = &s, .filter = &anr, .rows = 10)), 0);
    CHECK_INT(b->reply.mids, 0);
    books_end(&k);
}

static struct nspic_stat link_of(uint32_t mid, uint32_t tag, uint32_t sort)
{
    struct nspic_stat s = book_stat();
    s.current = mid;
    s.container = tag;
    s.sort_type = sort;
    return s;
}

/* OXNSPI R1130-R1145, 3.1.4.4.2.2 */
TEST(objects_that_are_linked)
{
    struct books k;
    books(&k);
    struct book_client *b = &k.b;
    struct nspic_stat s = link_of(k.team, PidTagAddressBookMember, 1000);
    s.delta = 17;                            /* not looked at (R1131) */
    MUST_BOOK(b, "GetMatches", ASK(.stat = &s, .rows = 100, .tags = name_only, .ntags = 1));
    REQUIRE(b->reply.mids == 3);
    CHECK(b->reply.mid[0] == k.ana && b->reply.mid[2] == k.person[0]);
    CHECK_STR(first_name(b), "Ana");
    CHECK_INT(b->reply.stat.container, k.team);
    CHECK_INT(b->reply.stat.delta, 17);
    const struct { uint32_t mid, tag, n; } links[] = {
        { k.ana, 0x8008000D, 1 }, { k.ana, 0x8008101E, 1 }, { k.ana, PidTagAddressBookManager, 1 }, { k.bob, PidTagAddressBookReports, 1 }, { k.team, PidTagAddressBookOwner, 1 },
        { k.ana, PidTagAddressBookOwnerBackLink, 1 }, { k.ana, PidTagAddressBookPublicDelegates, 0 }, { k.dynamic, PidTagAddressBookMember, 3 }, { k.person[1], PidTagAddressBookReports, 0 }
    };
    for (size_t i = 0; i < sizeof links / sizeof links[0]; i++) {
        s = link_of(links[i].mid, links[i].tag, 1000);
        MUST_BOOK(b, "GetMatches", ASK(.stat = &s, .rows = 100));
        unit_check(b->reply.mids == links[i].n, __FILE__, __LINE__, "%08x: %zu", links[i].tag, b->reply.mids);
    }
    s = link_of(0x7FFFFFFF, PidTagAddressBookMember, 1000);
    CHECK_INT(BOOK(b, "GetMatches", ASK(.stat = &s, .rows = 100)), 0x80004005);
    s = link_of(k.team, PidTagTitle, 1000);  /* leads to nobody, whatever it says (R1140) */
    CHECK_INT(BOOK(b, "GetMatches", ASK(.stat = &s, .rows = 100)), 0x80040102);
    struct guid named = { { 1 } };
    s = link_of(k.team, PidTagAddressBookMember, 1000);
    CHECK_INT(BOOK(b, "GetMatches", ASK(.stat = &s, .rows = 100, .name_guid = &named, .name_id = 3)), 0x80040102);
    s = link_of(k.ana, 0x8008000D, 1001);    /* writable: that one is not */
    CHECK_INT(BOOK(b, "GetMatches", ASK(.stat = &s, .rows = 100)), 0x80040102);
    s = link_of(k.team, PidTagAddressBookMember, 1001);
    CHECK_INT(BOOK(b, "GetMatches", ASK(.stat = &s, .rows = 100)), 0);
    CHECK_INT(BOOK(b, "GetMatches", ASK(.stat = &s, .rows = 2)), 0x80040403);
    /* GetProps of a row whose container is the group */
    struct nspic_stat member = at(k.ana);
    member.container = k.team;
    CHECK_INT(BOOK(b, "GetProps", ASK(.stat = &member, .tags = name_only, .ntags = 1)), 0);
    books_end(&k);
}

/* --- special tables -------------------------------------------------------------------------------------------------------------------------------- */

/* OXNSPI 3.1.4.1.3, 3.1.4.4.3 */
TEST(hierarchy_and_templates)
{
    struct books k;
    books(&k);
    struct book_client *b = &k.b;
    struct nspic_stat s = book_stat(), de = s;
    static const uint32_t columns[] = { PidTagEntryId, PidTagContainerFlags, PidTagDepth, PidTagAddressBookContainerId, PidTagDisplayName, PidTagAddressBookIsMaster, PidTagAddressBookParentEntryId };
    MUST_BOOK(b, "GetSpecialTable", ASK(.stat = &s, .flags = 4));
    REQUIRE(b->reply.has_table && b->reply.rows >= 3 && b->reply.has_version);
    uint32_t version = b->reply.version, type;
    struct blob dn;
    for (size_t i = 0; i < b->reply.rows; i++) {
        const struct nspic_row *row = &b->reply.row[i];
        REQUIRE(row->n == 6 || row->n == 7);
        for (size_t c = 0; c < row->n; c++)
            CHECK_INT(row->v[c].tag, columns[c]);
        CHECK(entryid_addressbook_parse(row->v[0].v.bin, &type, &dn) && type == 0x100);
        CHECK_STR(arena_str(b->a, dn), i == 0 ? "/" : arena_printf(b->a, "/guid=%.32s", dn.p + 6));
        CHECK_INT(row->n == 7, row->v[2].v.i32 > 0);
        CHECK_INT(row->v[1].v.i32 & 9, 9);
    }
    CHECK_INT(b->reply.row[0].v[3].v.i32, 0);
    CHECK_INT(b->reply.row[1].v[3].v.i32, k.rooms);
    CHECK_INT(b->reply.row[1].v[1].v.i32, 11);          /* has a list below it */
    CHECK_BLOB(b->reply.row[2].v[6].v.bin, b->reply.row[1].v[0].v.bin);
    MUST_BOOK(b, "GetSpecialTable", ASK(.stat = &s, .flags = 0xFFFFFFF9)); /* strings of 8 bits; other bits do not count */
    CHECK_INT(b->reply.row[0].v[4].tag, 0x3001001E);
    MUST_BOOK(b, "GetSpecialTable", ASK(.stat = &s, .flags = 4, .has_version = true, .version = version));
    CHECK(b->reply.has_table && b->reply.rows == 0 && b->reply.version == version);
    struct container fresh = { .name = "Fresh", .filter = "kind=user" };
    REQUIRE_EC(container_add(k.d, b->a, &fresh), ecNone);
    MUST_BOOK(b, "GetSpecialTable", ASK(.stat = &s, .flags = 4, .has_version = true, .version = version));
    CHECK(b->reply.rows > 0 && b->reply.version != version);
    REQUIRE_EC(container_remove(k.d, fresh.row), ecNone);
    MUST_BOOK(b, "GetSpecialTable", ASK(.stat = &s, .flags = 2));
    REQUIRE(b->reply.rows >= 1);
    struct blob one = b->reply.http.body;
    MUST_BOOK(b, "GetSpecialTable", ASK(.stat = &s, .flags = 6));           /* Unicode does not count here (R741) */
    CHECK_BLOB(b->reply.http.body, one);
    const struct propval *id = nspic_find(&b->reply.row[0], PidTagEntryId);
    CHECK(id != NULL && entryid_addressbook_parse(id->v.bin, &type, &dn) && type == 0x102);
    de.template_locale = 0x0436;
    MUST_BOOK(b, "GetSpecialTable", ASK(.stat = &de, .flags = 2));
    CHECK(b->reply.has_table && b->reply.rows == 0);                        /* no such locale: no rows, no error (R757, R758) */
    s.code_page = 255;
    CHECK_INT(BOOK(b, "GetSpecialTable", ASK(.stat = &s)), 0x8004011E);
    CHECK(!b->reply.has_table);
    books_end(&k);
}

/* OXNSPI 3.1.4.1.18 */
TEST(display_templates)
{
    struct books k;
    books(&k);
    struct book_client *b = &k.b;
    MUST_BOOK(b, "GetTemplateInfo", ASK(.flags = 1, .type = 0, .code_page = 1252, .locale = 0x409));
    CHECK(b->reply.has_values && b->reply.values.n == 1 && b->reply.values.v[0].tag == PidTagTemplateData);
    CHECK_INT(b->reply.code_page, 1252);
    struct blob data = b->reply.http.body;
    MUST_BOOK(b, "GetTemplateInfo", ASK(.flags = 0xFFFFFFFB, .type = 0, .code_page = 1252, .locale = 0x409)); /* other bits do not count */
    CHECK_BLOB(b->reply.http.body, data);
    MUST_BOOK(b, "GetTemplateInfo", ASK(.flags = 5, .type = 0, .code_page = 1252, .locale = 0x409));
    CHECK(b->reply.values.n == 2 && b->reply.values.v[1].tag == PidTagScriptData);
    struct template t;
    REQUIRE_EC(template_find(k.d, b->a, TEMPLATE_DETAILS, 0, 0x409, &t), ecNone);
    MUST_BOOK(b, "GetTemplateInfo", ASK(.flags = 1, .type = 77, .dn = t.dn, .code_page = 1252, .locale = 0xFFFF));
    CHECK_BLOB(b->reply.http.body, data);
    CHECK_INT(BOOK(b, "GetTemplateInfo", ASK(.flags = 1, .type = 0, .code_page = 1200, .locale = 0x409)), 0x8004011E);
    CHECK(!b->reply.has_values);
    CHECK_INT(BOOK(b, "GetTemplateInfo", ASK(.flags = 1, .type = 0, .code_page = 255, .locale = 0x409)), 0x8004011E);
    CHECK_INT(BOOK(b, "GetTemplateInfo", ASK(.flags = 1, .type = 0, .code_page = 1252, .locale = 0x436)), 0x8004011F);
    CHECK_INT(BOOK(b, "GetTemplateInfo", ASK(.flags = 1, .type = 0x77, .code_page = 1252, .locale = 0x409)), 0x8004011F);
    CHECK_INT(BOOK(b, "GetTemplateInfo", ASK(.flags = 1, .dn = "/o=x", .code_page = 1252, .locale = 0x409)), 0x8004011F);
    books_end(&k);
}

/* OXCMAPIHTTP 2.2.5.18, 2.2.5.19: where the endpoints are; the cookies stay as they are over these. */
TEST(urls)
{
    struct books k;
    books(&k);
    struct book_client *b = &k.b;
    struct vdir was, v = { "https://in.example/mapi", "https://out.example/mapi", 15, 15 };
    char id[GUID_TEXT];
    REQUIRE_EC(vdir_get(k.d, b->a, &was), ecNone);
    REQUIRE_EC(vdir_set(k.d, &v), ecNone);
    guid_text(&stack_shared()->ana.mailbox, id);
    struct mapic_odd keep = { .keep_cookies = true };
    b->odd = &keep;
    MUST_BOOK(b, "GetMailboxUrl", ASK(.flags = 0, .text = "/o=Demo/ou=x/cn=Configuration/cn=Servers/cn=x"));
    CHECK_STR(b->reply.url, arena_printf(b->a, "https://out.example/mapi/emsmdb/?MailboxId=%s@example.com", id));
    MUST_BOOK(b, "GetAddressBookUrl", ASK(.flags = 7, .text = stack_shared()->ana.dn));
    CHECK_STR(b->reply.url, arena_printf(b->a, "https://out.example/mapi/nspi/?MailboxId=%s@example.com", id));
    guid_text(&stack_shared()->bob.mailbox, id);
    MUST_BOOK(b, "GetMailboxUrl", ASK(.flags = 0, .text = arena_printf(b->a, "/o=Demo/ou=x/cn=Configuration/cn=Servers/cn=%s@example.com/cn=Microsoft Private MDB", id)));
    CHECK(strstr(b->reply.url, id) != NULL);
    b->odd = NULL;
    MUST_BOOK(b, "QueryColumns", ASK(.flags = 0)); /* with the cookies from before */
    v.external_url = "";
    REQUIRE_EC(vdir_set(k.d, &v), ecNone);
    MUST_BOOK(b, "GetAddressBookUrl", ASK(.text = stack_shared()->ana.dn));
    CHECK(strncmp(b->reply.url, "https://in.example/mapi/nspi/", 29) == 0);
    REQUIRE_EC(vdir_set(k.d, &was), ecNone);
    books_end(&k);
}
