/* test_nspi_strings.c - strings in every request that has them; what the documents leave open is answered with a code that they permit (MS-OXNSPI 3.1.4.3). */
#include "tests/client/nspic.h"
#include "tests/flow/books.h"
#include <stdio.h>

#define ASK(...) (&(struct nspic_ask){ __VA_ARGS__ })

static const uint32_t four[] = { PidTagDisplayName, 0x3001001E, PidTagAddressBookDisplayNamePrintable, 0x39FF001E };

/* The name as it is, and in code page 850; the printable name the same in both (OXNSPI R446-R450). */
static void check_row(struct book_client *b, const struct nspic_row *row, const char *what)
{
    static const uint8_t in_850[] = { 'J', 0x81, 'r', 'g', 0 };
    bool ok = row->n == 4 && blob_eq(row->v[0].v.s, blob_str("J\xc3\xbcrg")) && blob_eq(row->v[1].v.s, blob_str("J\xc3\xbcrg"))
           && blob_eq(row->v[2].v.s, blob_str("Jurg")) && blob_eq(row->v[3].v.s, blob_str("Jurg"));
    unit_check(ok, __FILE__, __LINE__, "%s: a row of strings", what);
    unit_check(memmem(b->reply.http.body.p, b->reply.http.body.n, in_850, sizeof in_850) != NULL, __FILE__, __LINE__, "%s: bytes of the code page", what);
}

TEST(strings_of_every_request)
{
    struct books k;
    books(&k);
    struct book_client *b = &k.b;
    struct entry e = { .kind = ENTRY_USER, .display_name = "J\xc3\xbcrg", .smtp = "jurg@example.com" };
    REQUIRE_EC(entry_add(k.d, b->a, &e), ecNone);
    struct container list = { .name = "L\xc3\xbc", .filter = "PidTagDisplayName=J\xc3\xbcrg" };
    REQUIRE_EC(container_add(k.d, b->a, &list), ecNone);
    struct nspic_stat s = book_stat(), at = s;
    const char *names[] = { "j\xc3\xbcrg" };
    uint32_t ids[] = { entry_mid(e.row) };
    s.code_page = at.code_page = 850;
    at.current = ids[0];
    MUST_BOOK(b, "GetProps", ASK(.stat = &at, .tags = four, .ntags = 4));
    check_row(b, &b->reply.values, "GetProps");
    MUST_BOOK(b, "QueryRows", ASK(.stat = &s, .mids = ids, .nmids = 1, .rows = 1, .tags = four, .ntags = 4));
    REQUIRE(b->reply.rows == 1);
    check_row(b, &b->reply.row[0], "QueryRows");
    struct propval target = pv_str(PidTagDisplayName, "j\xc3\xbcrg");
    target.tag = 0x3001001E;
    MUST_BOOK(b, "SeekEntries", ASK(.stat = &s, .target = &target, .tags = four, .ntags = 4));
    CHECK_INT(b->reply.stat.current, ids[0]);
    check_row(b, &b->reply.row[0], "SeekEntries");
    MUST_BOOK(b, "ResolveNames", ASK(.stat = &s, .names = names, .nnames = 1, .tags = four, .ntags = 4));
    REQUIRE(b->reply.rows == 1);
    check_row(b, &b->reply.row[0], "ResolveNames");
    /* values in restrictions: of 8 bits in the code page of the STAT, or Unicode; of a property of either kind (R461-R466) */
    const struct propval wanted[] = { pv_str(PidTagDisplayName, "J\xc3\xbcrg"), { .tag = 0x3001001E, .v.s = blob_str("J\xc3\xbcrg") }, pv_str(PidTagAddressBookDisplayNamePrintable, "Jurg"), { .tag = 0x39FF001E, .v.s = blob_str("Jurg") } };
    for (size_t i = 0; i < 4; i++) {
        struct restriction r = { .kind = RES_PROPERTY };
        r.property.relop = RELOP_EQ;
        r.property.tag = prop_unicode(wanted[i].tag);
        r.property.value = wanted[i];
        r.property.value.tag = prop_unicode(wanted[i].tag);
        struct blob body = nspic_body(b->a, "GetMatches", ASK(.stat = &s, .filter = &r, .rows = 9, .tags = four, .ntags = 4));
        if (i % 2 != 0) { /* the same with a value of 8 bits, as clients write it */
            struct wr w = wr_in(b->a, 4096);
            uint8_t head[4 + 1 + 36 + 1 + 4 + 1];
            memcpy(head, body.p, sizeof head);
            wr_bytes(&w, head, sizeof head);
            wr_bytes(&w, "\x04\x04", 2);
            wr_u32(&w, wanted[i].tag);
            wr_u32(&w, wanted[i].tag);
            wr_u8(&w, 0xFF);
            wr_bytes(&w, i == 1 ? "J\x81rg" : "Jurg", 5);
            wr_u8(&w, 0);
            wr_u32(&w, 9);
            wr_u8(&w, 0xFF);
            wr_u32(&w, 4);
            for (size_t t = 0; t < 4; t++)
                wr_u32(&w, four[t]);
            wr_u32(&w, 0);
            body = wr_blob(&w);
        }
        struct mapic_reply raw;
        REQUIRE(mapic_call(&b->c, b->a, "GetMatches", body, NULL, &raw, &b->why));
        b->reply = (struct nspic_reply){ .http = raw };
        REQUIRE(nspic_decode(b->a, "GetMatches", raw.body, 850, &b->reply));
        CHECK_INT(b->reply.error, 0);
        REQUIRE(b->reply.rows == 1);
        b->reply.http = raw;
        check_row(b, &b->reply.row[0], "GetMatches");
    }
    static const uint8_t list_850[] = { 'L', 0x81, 0 };
    MUST_BOOK(b, "GetSpecialTable", ASK(.stat = &s, .flags = 0));
    CHECK(memmem(b->reply.http.body.p, b->reply.http.body.n, list_850, sizeof list_850) != NULL);
    MUST_BOOK(b, "GetSpecialTable", ASK(.stat = &s, .flags = 4));
    bool found = false;
    for (size_t i = 0; i < b->reply.rows; i++)
        found |= b->reply.row[i].v[4].tag == PidTagDisplayName && blob_eq(b->reply.row[i].v[4].v.s, blob_str("L\xc3\xbc"));
    CHECK(found);
    REQUIRE_EC(container_remove(k.d, list.row), ecNone);
    REQUIRE_EC(entry_remove(k.d, e.row), ecNone);
    books_end(&k);
}

/* The printable name is of 8 bits and counts case: shorter is smaller, among equally long ones bytes decide; the display name is compared as Unicode
 * (OXNSPI R484, R488-R493, R1599, R1601). */
TEST(comparing_strings_of_8_bits)
{
    static const char *const names[] = { "zz 8bit", "Zz 8bit", "aaa 8bit", "b 8bit" };
    static const struct { uint32_t tag; uint8_t relop; const char *text; unsigned want; } cases[] = {   /* bits: which of the names match */
        { PidTagAddressBookDisplayNamePrintable, RELOP_EQ, "zz 8bit", 1 }, { PidTagAddressBookDisplayNamePrintable, RELOP_EQ, "ZZ 8BIT", 0 },
        { PidTagDisplayName, RELOP_EQ, "ZZ 8BIT", 3 }, { PidTagAddressBookDisplayNamePrintable, RELOP_LT, "aaa 8bit", 11 },
        { PidTagAddressBookDisplayNamePrintable, RELOP_LE, "Zz 8bit", 10 }, { PidTagAddressBookDisplayNamePrintable, RELOP_GT, "zz 8bit", 4 },
        { PidTagAddressBookDisplayNamePrintable, RELOP_GE, "Zz 8bit", 7 }, { PidTagAddressBookDisplayNamePrintable, RELOP_NE, "b 8bit", 7 },
        { PidTagDisplayName, RELOP_LT, "b", 4 }, { 0x39FF001E, RELOP_EQ, "aaa 8bit", 4 }
    };
    struct books k;
    books(&k);
    struct nspic_stat s = book_stat();
    struct entry e[4];
    for (size_t i = 0; i < 4; i++) {
        e[i] = (struct entry){ .kind = ENTRY_USER, .display_name = names[i] };
        REQUIRE_EC(entry_add(k.d, k.b.a, &e[i]), ecNone);
    }
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        struct restriction both[2] = { { .kind = RES_CONTENT }, { .kind = RES_PROPERTY } }, and = { .kind = RES_AND };
        and.list.v = both;
        and.list.n = 2;
        both[0].content.level = FL_SUBSTRING;
        both[0].content.value = pv_str(PidTagDisplayName, "8bit");
        both[0].content.tag = PidTagDisplayName;
        both[1].property.relop = cases[c].relop;
        both[1].property.tag = cases[c].tag;
        both[1].property.value = pv_str(prop_unicode(cases[c].tag), cases[c].text);
        both[1].property.value.tag = cases[c].tag;
        CHECK_INT(BOOK(&k.b, "GetMatches", ASK(.stat = &s, .filter = &and, .rows = 10)), 0);
        unsigned got = 0;
        for (size_t m = 0; m < k.b.reply.mids; m++)
            for (size_t i = 0; i < 4; i++)
                got |= (unsigned)(k.b.reply.mid[m] == entry_mid(e[i].row)) << i;
        unit_check(got == cases[c].want, __FILE__, __LINE__, "case %zu: %x", c, got);
    }
    for (size_t i = 0; i < 4; i++)
        REQUIRE_EC(entry_remove(k.d, e[i].row), ecNone);
    books_end(&k);
}

/* The text of a template that begins so; its place is checked as a client needs it (MS-OXOABKT 2.2.2.1.1): behind the rows, ended. */
static struct blob template_text(struct blob t, struct blob with)
{
    struct rd r = rd_blob_of(t);
    struct blob found = { NULL, 0 };
    CHECK_INT(rd_u32(&r), 1);
    uint32_t n = rd_u32(&r);
    REQUIRE(n > 3 && rd_count(&r, n, 36) == n);
    for (uint32_t i = 0; i < n; i++) {
        for (unsigned k = 0; k < 8; k++)
            rd_u32(&r);
        uint32_t at = rd_u32(&r);
        struct rd text = rd_blob_of(t);
        if (at == 0)
            continue;
        CHECK(at >= 8 + 36 * n && at < t.n);
        rd_take(&text, at);
        struct blob s = rd_asciiz(&text);
        CHECK(rd_ok(&text));
        if (s.n >= with.n && memcmp(s.p, with.p, with.n) == 0)
            found = s;
    }
    CHECK(rd_ok(&r));
    return found;
}

/* Each dialog in English and German, also for another country of the language, in the code page asked for (OXNSPI 3.1.4.1.18). */
TEST(dialogs_in_languages_and_code_pages)
{
    static const uint32_t types[] = { 0, 1, 2, 3, 6, 0x200 };
    static const struct { uint32_t lcid, cp; const char *page, *field; } cases[] = {
        { 0x409, 1252, "General", "&Office:" }, { 0x809, 850, "General", "&Office:" }, { 0x407, 1252, "Allgemein", "&B\xfcro:" }, { 0x407, 850, "Allgemein", "&B\x81ro:" },
        { 0xC07, 65001, "Allgemein", "&B\xc3\xbcro:" }, { 0x807, 28591, "Allgemein", "&B\xfcro:" }, { 0x407, 932, "Allgemein", "&B" }
    };
    struct books k;
    books(&k);
    struct book_client *b = &k.b;
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++)
        for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
            MUST_BOOK(b, "GetTemplateInfo", ASK(.flags = 1, .type = types[i], .code_page = cases[c].cp, .locale = cases[c].lcid));
            CHECK_INT(b->reply.code_page, cases[c].cp);
            REQUIRE(b->reply.values.n == 1 && b->reply.values.v[0].tag == PidTagTemplateData);
            struct blob t = b->reply.values.v[0].v.bin;
            CHECK(template_text(t, blob_str(cases[c].page)).n != 0);
            if (types[i] == 0 || types[i] == 6)
                unit_check(template_text(t, blob_str(cases[c].field)).n != 0, __FILE__, __LINE__, "case %zu, dialog %x", c, types[i]);
        }
    books_end(&k);
}

static bool permitted(uint32_t ec)
{
    static const uint32_t codes[] = { 0, 1, 2, 0x00040380, 0x80004005, 0x80040102, 0x80040108, 0x8004010E, 0x8004010F, 0x80040111, 0x80040117, 0x8004011E, 0x8004011F,
                                      0x80040403, 0x80040405, 0x80070005, 0x8007000E, 0x80070057 };
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        if (codes[i] == ec)
            return true;
    return false;
}

/* OXNSPI R680, R732, R780, R873, R935, R1016, R1101, R1181, R1223, R1280, R1410: a STAT in CP_WINUNICODE; R939, R1024, R1109, R1185, R1414: other cases of which the
 * documents only say that the code is one of theirs. */
TEST(cases_that_the_documents_leave_open)
{
    static const char *const types[] = { "GetSpecialTable", "UpdateStat", "GetProps", "QueryRows", "SeekEntries", "GetMatches", "ResortRestriction", "CompareMIds", "ModProps", "ResolveNames" };
    struct books k;
    books(&k);
    struct nspic_stat s = book_stat();
    struct propval target = pv_str(PidTagDisplayName, "a");
    struct restriction exist = { .kind = RES_EXIST };
    exist.exist.tag = PidTagDisplayName;
    const char *names[] = { "ana" };
    uint32_t ids[] = { k.ana, k.bob };
    const uint32_t eight[] = { 0x3001001E };
    for (unsigned odd = 0; odd < 4; odd++)
        for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
            s = book_stat();
            s.current = k.ana;
            s.code_page = odd == 0 ? 1200 : 1252;
            s.sort_type = odd == 2 ? 1000 : odd == 3 ? 0xFFFFFFFF : 0;
            struct nspic_ask q = { .flags = odd == 1 ? 0xFFFFFFFF : 0, .stat = &s, .rows = odd == 1 ? 0 : 100, .mid = k.ana, .mid2 = k.bob, .tags = eight, .ntags = 1, .target = &target,
                                   .filter = &exist, .names = names, .nnames = 1 };
            if (strcmp(types[i], "ResortRestriction") == 0 || (strcmp(types[i], "SeekEntries") == 0 && odd == 3)) {
                q.mids = ids;
                q.nmids = 2;
            }
            uint32_t ec = BOOK(&k.b, types[i], &q);
            unit_check(permitted(ec), __FILE__, __LINE__, "%s, case %u: %08x (%s)", types[i], odd, ec, k.b.why != NULL ? k.b.why : "");
        }
    CHECK_INT(BOOK(&k.b, "QueryColumns", ASK(.flags = 0)), 0);
    books_end(&k);
}
