/* test_decode.c - what mapictl decode prints of bodies of the address book: every request type and answer, as written by the client library and by the server,
 * whole, cut, bent, and around them the HTTP message that a capture has. */
#include "tests/client/nspic.h"
#include "deploy/mapictl/decode.h"
#include "session/nspi/nspi_row.h"
#include "tests/mutate.h"
#include "tests/unit.h"
#include "tests/unit/backend-mapi/shared.h"
#include <stdio.h>
#include <stdlib.h>

/* One print: what was said, whether the body was whole, and where it could not go on. */
struct print { char *text; bool whole; const char *why; size_t stop; struct decode_place place; };

static char  *memory; /* what stdout is while a decoder prints */
static size_t memory_n;
static FILE  *screen;

static void begin(void)
{
    fflush(stdout);
    screen = stdout;
    stdout = open_memstream(&memory, &memory_n);
    REQUIRE(stdout != NULL);
}

static char *end(void)
{
    fclose(stdout);
    stdout = screen;
    return memory;
}

/* The text is the caller's to free. */
static struct print print(struct arena *a, const char *type, struct blob body, bool answer)
{
    struct print p = { 0 };
    struct rd r = rd_blob_of(body);
    begin();
    p.whole = decode_book(a, &r, decode_book_find(type), answer, 0, &p.place);
    p.text = end();
    p.why = r.err;
    p.stop = body.n != 0 ? (size_t)(r.p - body.p) : 0;
    return p;
}

static bool has(const char *text, const char *what, const char *file, int line)
{
    return unit_check(strstr(text, what) != NULL, file, line, "\"%s\" is not in:\n%s", what, text);
}
#define HAS(text, what) has((text), (what), __FILE__, __LINE__)

static void prints(const char *type, struct blob body, bool answer, const char *const *what)
{
    struct arena *a = arena_new(1 << 24);
    struct print p = print(a, type, body, answer);
    unit_check(p.whole, __FILE__, __LINE__, "%s: %s at %zu", type, p.why != NULL ? p.why : "", p.stop);
    for (; *what != NULL; what++)
        HAS(p.text, *what);
    free(p.text);
    arena_free(a);
}

/* --- requests ---------------------------------------------------------------------------------------------------------------------------------- */

static const struct nspic_stat stat = { 0, 0x21, 0, -3, 7, 9, 1251, 0x407, 0x407 };
static const uint32_t ids[] = { 0x11, 0x12, 0x13 }, tags[] = { PidTagDisplayName, PROP_TAG(0x3A18, PtypString8), PROP_TAG(0x6F01, PtypInteger32) };
static const char *const names[] = { "ana", "sm\xc3\xb6rg\xc3\xa5s" };

/* Everything that a request can have; each takes its part. */
static struct blob request(struct arena *a, const char *type)
{
    static const struct guid set = { { 1, 2, 3 } }, server = { { 9 } };
    static struct restriction exist = { .kind = RES_EXIST }, both = { .kind = RES_AND }, list[2];
    static struct blob cert, link[2];
    struct propval *v = arena_array(a, struct propval, 2), *target = arena_one(a, struct propval);
    exist.exist.tag = PidTagTitle;
    list[0] = exist;
    list[1] = (struct restriction){ .kind = RES_PROPERTY, .property = { RELOP_EQ, PROP_TAG(0x3001, PtypString8), pv_str(PROP_TAG(0x3001, PtypString8), "x") } };
    list[1].property.value.tag = PidTagDisplayName;
    both.list.n = 2;
    both.list.v = list;
    cert = blob_str("certificate");
    v[0] = (struct propval){ .tag = PidTagUserX509Certificate, .v.mv = { .n = 1, .bin = &cert } };
    v[1] = pv_i32(PidTagObjectType, 6);
    *target = pv_str(PidTagDisplayName, "Bob");
    link[0] = nspi_permanent_id(a, 0, "/o=Demo/cn=ana");
    link[1] = nspi_ephemeral_id(a, &server, 1, 0x44);
    const struct nspic_ask q = { .flags = 3, .mid = 0x15, .mid2 = 0x16, .tag = PROP_TAG(0x8009, PtypObject), .code_page = 1252, .locale = 0x409, .type = 0x102,
                                 .version = 5, .rows = 50, .interface_flags = 0x80000001, .stat = &stat, .mids = ids, .nmids = 3, .tags = tags, .ntags = 3, .names = names,
                                 .nnames = 2, .filter = &both, .values = v, .nvalues = 2, .target = target, .entryids = link, .nentryids = 2, .name_guid = &set,
                                 .name_id = 0x8102, .dn = "/o=Demo/cn=t", .text = "/o=Demo/cn=\xe2\x82\xac", .has_version = true, .wants_delta = true };
    return nspic_body(a, type, &q);
}

TEST(requests_are_printed)
{
#define STATED_ "SortType               0x00000000 (0)  SortTypeDisplayName", "ContainerID            0x00000021 (33)", "CurrentRec             0x00000000 (0)  MID_BEGINNING_OF_TABLE", \
                "Delta                  -3", "NumPos                 0x00000007 (7)", "CodePage               0x000004e3 (1251)", "SortLocale             0x00000407 (1031)"
#define TAGS_ "3 tags", "0x3001001f PidTagDisplayName", "0x3a18001e PidTagDepartmentName", "0x6f010003 -"
    static const struct { const char *type, *what[24]; } v[] = {
        { "Bind", { "Bind request\n", "Flags                    0x00000003 (3)  0x3", STATED_ } },
        { "Unbind", { "Unbind request\n", "Reserved                 0x00000003 (3)" } },
        { "CompareMIds", { STATED_, "MinimalId1               0x00000015 (21)", "MinimalId2               0x00000016 (22)" } },
        { "DNToMId", { "Names                    2 names", "    \"ana\"" } },
        { "GetMatches", { STATED_, "MinimalIds               3 ids", "    0x00000011 0x00000012 0x00000013", "InterfaceOptionFlags", "(exists PidTagTitle and PidTagDisplayName==\"x\")",
                          "lid 0x8102", "RowCount                 0x00000032 (50)", TAGS_ } },
        { "GetPropList", { "fSkipObjects | fEphID", "MinimalId                0x00000015 (21)", "CodePage                 0x000004e4 (1252)" } },
        { "GetProps", { "fSkipObjects | fEphID", STATED_, TAGS_ } },
        { "GetSpecialTable", { "NspiAddressCreationTemplates | 0x1", "Version                  0x00000005 (5)" } },
        { "GetTemplateInfo", { "TI_TEMPLATE | 0x2", "DT_ADDRESS_TEMPLATE", "TemplateDn               \"/o=Demo/cn=t\"", "LocaleId                 0x00000409 (1033)" } },
        { "ModLinkAtt", { "fDelete | 0x2", "PidTagAddressBookMember", "EntryIds                 2 entry ids", "\"permanent DT_MAILUSER, /o=Demo/cn=ana\"",
                          "\"ephemeral DT_DISTLIST, MinimalId 0x00000044, server " } },
        { "ModProps", { STATED_, TAGS_, "PropertyValues           2 values", "PidTagUserX509Certificate = {6365", "0x0ffe0003 PidTagObjectType = 6" } },
        { "QueryRows", { "ExplicitTable            3 ids", "RowCount                 0x00000032 (50)", TAGS_ } },
        { "QueryColumns", { "NspiUnicodeProptypes | 0x1" } },
        { "ResolveNames", { STATED_, TAGS_, "2 names", "\"sm\xc3\xb6rg\xc3\xa5s\"" } },
        { "ResortRestriction", { STATED_, "MinimalIds               3 ids" } },
        { "SeekEntries", { "Target\n    0x3001001f PidTagDisplayName = \"Bob\"", "ExplicitTable            3 ids", TAGS_ } },
        { "UpdateStat", { STATED_, "DeltaRequested           0x01 (true)" } },
        { "GetMailboxUrl", { "ServerDn                 \"/o=Demo/cn=\xe2\x82\xac\"" } },
        { "GetAddressBookUrl", { "UserDn                   \"/o=Demo/cn=\xe2\x82\xac\"" } },
    };
    struct arena *a = arena_new(1 << 24);
    CHECK_INT(sizeof v / sizeof v[0], nspi_count);
    for (size_t i = 0; i < sizeof v / sizeof v[0]; i++)
        prints(v[i].type, request(a, v[i].type), false, v[i].what);
    prints("PING", blob_of(NULL, 0), false, (const char *const[]){ "PING request: no body", NULL });
    prints("PING", blob_of(NULL, 0), true, (const char *const[]){ "PING response: no body", NULL });
    prints("Unbind", blob_of(NULL, 0), false, (const char *const[]){ "Unbind request: no body", NULL });
    prints("NotificationWait", blob_of("\0\0\0\0\0\0\0\0", 8), false, (const char *const[]){ "Reserved", NULL });
    prints("NotificationWait", blob_of("\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0", 16), true, (const char *const[]){ "EventPending             0x00000001 (1)", NULL });
    prints("Disconnect", blob_of("\0\0\0\0\0\0\0\0\0\0\0\0", 12), true, (const char *const[]){ "Disconnect response: StatusCode 0, ErrorCode ecNone", NULL });
    arena_free(a);
}

/* --- answers ----------------------------------------------------------------------------------------------------------------------------------- */

/* Three rows of name, department (8 bits, in the code page of the STAT) and a column without a type: whole; with an error; with a value that is not there. */
static void put_rows(struct arena *a, struct nspi_answer *o)
{
    static uint32_t columns[] = { PidTagDisplayName, PROP_TAG(0x3A18, PtypString8), PROP_TAG(0x0FFE, PtypUnspecified), PidTagEntryId };
    struct pv_codec c = { a, 1251, PV_COUNTS_BOOK };
    struct propval name = pv_str(PidTagDisplayName, "Ana\nAdams"), part = pv_str(PidTagDepartmentName, "\xd0\xaf"), kind = pv_i32(PidTagObjectType, 6),
                   id = pv_bin(PidTagEntryId, nspi_permanent_id(a, 0, "/o=Demo/cn=ana"));
    o->tag = columns;
    o->tags = 4;
    o->rows = wr_in(a, 4096);
    o->nrows = 3;
    o->has_rows = true;
    for (int i = 0; i < 3; i++) {
        wr_u8(&o->rows, i != 0);
        if (i != 0)
            wr_u8(&o->rows, 0);
        propval_write(&o->rows, &c, PtypString, &name);
        if (i == 0)
            propval_write(&o->rows, &c, PtypString8, &part);
        wr_bytes(&o->rows, i == 1 ? "\x0a\x0f\x01\x04\x80" : "\x01", i == 0 ? 0 : i == 1 ? 5 : 1);
        wr_u16(&o->rows, PtypInteger32);
        if (i != 0)
            wr_u8(&o->rows, 0);
        propval_write(&o->rows, &c, PtypInteger32, &kind);
        if (i != 0)
            wr_u8(&o->rows, 0);
        propval_write(&o->rows, &c, PtypBinary, &id);
    }
}

static struct blob answer(struct arena *a, const char *type, ec_t ec)
{
    struct nspi_answer o = { .guid = { { 0x11 } }, .result = -1, .delta = -5, .code_page = 1251, .version = 8, .has_stat = true, .has_mids = true, .has_tags = true,
                             .has_values = true, .has_version = true, .has_table = true, .url = "https://mail.example.com/mapi/emsmdb/" };
    uint32_t three[] = { MID_UNRESOLVED, MID_AMBIGUOUS, MID_RESOLVED };
    struct propval *v = arena_array(a, struct propval, 3);
    struct nspi_values *table = arena_array(a, struct nspi_values, 2);
    o.stat = (struct nspi_stat){ .sort_type = SORT_PHONETIC, .current = MID_END, .total = 4, .code_page = 1251 };
    o.mid = arena_dup(a, three, sizeof three);
    o.mids = 3;
    v[0] = pv_str(PROP_TAG(0x3001, PtypString8), "\xd0\x94");
    v[1] = pv_err(PidTagTitle, ecNotFound);
    v[2] = (struct propval){ .tag = PROP_TAG(0x8009, PtypObject) };
    o.values = (struct nspi_values){ v, 3 };
    table[0] = (struct nspi_values){ v, 2 };
    table[1] = (struct nspi_values){ v, 1 };
    o.table = table;
    o.table_rows = 2;
    put_rows(a, &o);
    return nspi_write(a, nspi_find(type), ec, &o);
}

TEST(answers_are_printed)
{
#define STATE_ "SortTypePhoneticDisplayName", "MID_END_OF_TABLE", "TotalRecs              0x00000004 (4)"
#define ROWS_ "4 tags", "0x0ffe0000 PidTagObjectType", "RowCount                 3", "    row 1\n      0x3001001f PidTagDisplayName = \"Ana\\x0aAdams\"\n",                                 \
              "0x3a18001e PidTagDepartmentName = \"\xd0\xaf\"\n      0x0ffe0003 PidTagObjectType = 6\n", "\"permanent DT_MAILUSER, /o=Demo/cn=ana\"",                                       \
              "    row 2 (with flags)\n", "0x3a18000a PidTagDepartmentName = ecNotFound(0x8004010F)\n", "    row 3 (with flags)\n", "0x3a180001 PidTagDepartmentName (absent)\n"
#define VALUES_ "0x3001001e PidTagDisplayName = \"\xd0\x94\"", "PidTagTitle = ecNotFound(0x8004010F)", "PidTagAddressBookMember = (a table)", "3 values"
    static const struct { const char *type, *what[24]; } v[] = {
        { "Bind", { "Bind response: StatusCode 0, ErrorCode ecErrorsReturned (0x00040380)", "ServerGuid               00000011-" } },
        { "Unbind", { "Unbind response", "AuxiliaryBufferSize      0" } },
        { "CompareMIds", { "Result                   -1" } },
        { "DNToMId", { "3 ids", "0x00000000 0x00000001 0x00000002" } },
        { "GetMatches", { STATE_, "3 ids", ROWS_ } },
        { "GetPropList", { "PropertyTags             4 tags" } },
        { "GetProps", { "CodePage                 0x000004e3 (1251)", VALUES_ } },
        { "GetSpecialTable", { "Version                  0x00000008 (8)", "Rows                     2 rows", "row 1: 2 values", "row 2: 1 values" } },
        { "GetTemplateInfo", { "Row                      3 values", VALUES_ } },
        { "ModLinkAtt", { "ModLinkAtt response" } },
        { "ModProps", { "ModProps response" } },
        { "QueryRows", { STATE_, ROWS_ } },
        { "QueryColumns", { "Columns                  4 tags" } },
        { "ResolveNames", { "0x00000000  MID_UNRESOLVED\n    0x00000001  MID_AMBIGUOUS\n    0x00000002  MID_RESOLVED\n", ROWS_ } },
        { "ResortRestriction", { STATE_, "3 ids" } },
        { "SeekEntries", { STATE_, ROWS_ } },
        { "UpdateStat", { STATE_, "Delta                    -5" } },
        { "GetMailboxUrl", { "ServerUrl                \"https://mail.example.com/mapi/emsmdb/\"" } },
        { "GetAddressBookUrl", { "ServerUrl                \"https://mail.example.com/mapi/emsmdb/\"" } },
    };
    struct arena *a = arena_new(1 << 24);
    CHECK_INT(sizeof v / sizeof v[0], nspi_count);
    for (size_t i = 0; i < sizeof v / sizeof v[0]; i++)
        prints(v[i].type, answer(a, v[i].type, ecErrorsReturned), true, v[i].what);
    struct nspi_answer none = { .delta = INT32_MIN };
    for (size_t i = 0; i < nspi_count; i++)
        prints(nspi_table[i].name, nspi_write(a, &nspi_table[i], ecAccessDenied, &none), true, (const char *const[]){ "ErrorCode ecAccessDenied (0x80070005)", NULL });
    prints("GetProps", blob_of("\0\0\0\0\5\0\7\x80\0\0\0\0", 12), true, (const char *const[]){ "ecAccessDenied", NULL }); /* an error, and no fields at all */
    prints("GetProps", blob_of("\1\0\0\0\0\0\0\0", 8), true, (const char *const[]){ "Failure response: StatusCode", NULL });
    arena_free(a);
}

/* Each name of each layout is printed: nothing is in the table that is not shown. */
TEST(every_field_has_its_name)
{
    struct arena *a = arena_new(1 << 24);
    for (size_t i = 0; i < nspi_count; i++)
        for (int k = 0; k < 2; k++) {
            const struct nspi_def *d = &nspi_table[i];
            const char *field = k == 0 ? d->request_fields : d->answer_fields, *layout = k == 0 ? d->request : d->answer;
            struct print p = print(a, d->name, k == 0 ? request(a, d->name) : answer(a, d->name, ecNone), k != 0);
            size_t n = 0;
            for (; *field != '\0'; field += strcspn(field, " "), field += strspn(field, " "), n++)
                HAS(p.text, arena_printf(a, "\n  %.*s", (int)strcspn(field, ":| "), field));
            unit_int((long long)n, (long long)strlen(layout), d->name, __FILE__, __LINE__);
            free(p.text);
        }
    arena_free(a);
}

/* --- cut and bent --------------------------------------------------------------------------------------------------------------------------------- */

struct cut { const char *type, *whole; bool answer; size_t n, faults; };

/* What is said of a body that was cut is the begin of what is said of the whole one; where it stops lies in it. */
static void cut_is_a_begin(void *ctx, struct blob body)
{
    struct cut *c = ctx;
    struct arena *a = arena_new(1 << 24);
    struct print p = print(a, c->type, body, c->answer);
    if (body.n < c->n) {
        bool none = p.whole && strstr(p.text, "no body") != NULL;
        unit_check(none || strncmp(p.text, c->whole, strlen(p.text)) == 0, __FILE__, __LINE__, "%s of %zu bytes:\n%s", c->type, body.n, p.text);
        unit_check(p.whole || p.why != NULL, __FILE__, __LINE__, "%s of %zu bytes: no reason", c->type, body.n);
        unit_check(p.stop <= body.n && p.place.begin <= body.n, __FILE__, __LINE__, "%s of %zu bytes stops at %zu", c->type, body.n, p.stop);
        c->faults += !p.whole;
    }
    free(p.text);
    arena_free(a);
}

TEST_LIMIT(every_truncation_shows_what_came_before_and_every_bit_flip_is_survived, 120)
{
    struct arena *a = arena_new(1 << 26);
    for (size_t i = 0; i < nspi_count; i++)
        for (int k = 0; k < 2; k++) {
            struct blob body = k == 0 ? request(a, nspi_table[i].name) : answer(a, nspi_table[i].name, ecNone);
            struct print p = print(a, nspi_table[i].name, body, k != 0);
            struct cut c = { nspi_table[i].name, p.text, k != 0, body.n, 0 };
            mutate_all(body, cut_is_a_begin, &c);
            unit_check(c.faults + 2 >= body.n, __FILE__, __LINE__, "%s: %zu of %zu", c.type, c.faults, body.n);
            free(p.text);
        }
    arena_free(a);
}

TEST(a_fault_has_its_place)
{
    struct arena *a = arena_new(1 << 24);
    struct blob body = answer(a, "QueryRows", ecNone);
    struct print p = print(a, "QueryRows", blob_of(body.p, 8 + 1 + 36 + 1 + 4 + 16 + 4 + 1 + 5), true);
    CHECK(!p.whole);
    CHECK_STR(p.place.field, "Columns");
    CHECK_INT(p.place.begin, 45);
    CHECK_INT(p.place.row, 1);
    CHECK_INT(p.place.tag, PidTagDisplayName);
    CHECK_INT(p.stop, 72);
    free(p.text);
    p = print(a, "QueryRows", blob_of(body.p, 8 + 1 + 10), true);
    CHECK_STR(p.place.field, "STAT, CurrentRec");
    CHECK_INT(p.stop, 17);
    free(p.text);
    body = request(a, "GetProps");
    p = print(a, "GetProps", blob_of(body.p, 4 + 37 + 1 + 4 + 6), false); /* three tags are said, half of one is there */
    CHECK_STR(p.place.field, "PropertyTags");
    CHECK_STR(p.why, "count exceeds data");
    HAS(p.text, "PropertyTags             3 tags");
    free(p.text);
    struct wr w = wr_in(a, 1 << 16);
    wr_put(&w, body);
    wr_u8(&w, 0);
    p = print(a, "GetProps", wr_blob(&w), false);
    CHECK_STR(p.why, "bytes behind the auxiliary buffer");
    CHECK_INT(p.stop, body.n);
    free(p.text);
    arena_free(a);
}

/* --- without its type, and with what is around it --------------------------------------------------------------------------------------------------- */

static bool guessed(struct arena *a, struct blob body, bool is_answer, const char *type, size_t *n)
{
    const struct nspi_def **v = decode_book_guess(a, rd_blob_of(body), is_answer);
    bool found = false;
    for (*n = 0; v[*n] != NULL; ++*n)
        found |= strcmp(v[*n]->name, type) == 0;
    return found;
}

TEST(the_type_is_among_those_that_fit)
{
    struct arena *a = arena_new(1 << 24);
    size_t n, one = 0;
    for (size_t i = 0; i < nspi_count; i++) {
        const char *type = nspi_table[i].name;
        unit_check(guessed(a, request(a, type), false, type, &n), __FILE__, __LINE__, "%s request", type);
        one += n == 1;
        unit_check(guessed(a, answer(a, type, ecNone), true, type, &n), __FILE__, __LINE__, "%s answer", type);
        CHECK(!decode_whole_execute(rd_blob_of(request(a, type)), false));
        CHECK(!decode_whole_execute(rd_blob_of(answer(a, type, ecNone)), true));
    }
    CHECK(one >= 9);
    CHECK(!guessed(a, mapic_connect_body(a, "/o=Demo/cn=ana"), false, "", &n) && n == 0);
    CHECK(decode_whole_connect(rd_blob_of(mapic_connect_body(a, "/o=Demo/cn=ana")), false));
    struct mapic_rops rops;
    rops_init(&rops, a);
    rops_head(&rops, 0x12, rops_handle(&rops, 7));
    CHECK(decode_whole_execute(rd_blob_of(mapic_execute_body(a, rops_buffer(&rops), 3, 0x8000)), false));
    arena_free(a);
}

static struct decode_capture take(struct arena *a, const char *text, size_t n, bool ok, const char *why)
{
    struct decode_capture c;
    const char *got;
    size_t at;
    CHECK_INT(decode_capture(a, blob_of(text, n), &c, &got, &at), ok);
    if (!ok)
        CHECK_STR(got, why);
    CHECK(at <= n);
    return c;
}
#define TAKE(text, ok, why) take(a, (text), sizeof(text) - 1, (ok), (why))

TEST(captures_are_taken_apart)
{
    struct arena *a = arena_new(1 << 20);
    struct decode_capture c = TAKE("\0\1\2", true, NULL);
    CHECK(!c.told && c.body.n == 3);
    c = TAKE("PROCESSING\r\nPENDING\r\nDONE\r\nX-ElapsedTime: 3\r\n\r\nbody", true, NULL);
    CHECK(c.told && c.answer);
    CHECK_BLOB(c.body, blob_str("body"));
    c = TAKE("POST /mapi/nspi/?MailboxId=x HTTP/1.1\r\nHost: h\r\nx-requesttype:   GetProps\r\n\r\nbody", true, NULL);
    CHECK(c.told && !c.answer && c.book);
    CHECK_STR(c.type, "GetProps");
    CHECK_BLOB(c.body, blob_str("body"));
    c = TAKE("POST /mapi/emsmdb/ HTTP/1.1\r\nX-RequestType: PING\r\n\r\n", true, NULL);
    CHECK(!c.book && c.body.n == 0);
    c = TAKE("HTTP/1.1 200 OK\r\nX-RequestType: Bind\r\nTransfer-Encoding: Chunked\r\n\r\nc;x=y\r\nPROCESSING\r\n\r\n8\r\nDONE\r\n\r\n\r\nA\r\n0123456789\r\n2\r\nab\r\n0\r\n\r\n", true, NULL);
    CHECK_STR(c.type, "Bind");
    CHECK_BLOB(c.body, blob_str("0123456789ab"));
    c = TAKE("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n10\r\nef", false, "a chunk breaks off");
    CHECK_BLOB(c.body, blob_str("abcdef"));
    c = TAKE("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n", false, "a line of a chunk's size breaks off");
    CHECK_BLOB(c.body, blob_str("abcd"));
    TAKE("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffffffffff\r\n", false, "a chunk breaks off");
    TAKE("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", false, "no chunk where one must begin");
    TAKE("HTTP/1.1 200 OK\r\nX-Request", false, "the head of the message has no end");
    TAKE("PROCESSING\r\nPEND", false, "the lines after PROCESSING have no end");
    c = take(a, "", 0, true, NULL);
    CHECK_INT(c.body.n, 0);
    arena_free(a);
}

/* --- the other bodies: those of a real server, every cut and every bit --------------------------------------------------------------------------------- */

static void any(void *ctx, struct blob body)
{
    bool is_answer = *(bool *)ctx;
    struct arena *a = arena_new(1 << 24);
    struct decode_capture c;
    const char *why;
    size_t at;
    begin();
    decode_capture(a, body, &c, &why, &at);
    struct rd r = rd_blob_of(c.body), again = r, third = r;
    if (is_answer) {
        decode_connect_answer(a, &r);
        decode_execute_answer(a, &again);
        decode_failure(a, &third);
    } else {
        decode_connect_request(a, &r);
        decode_execute_request(a, &again);
    }
    free(end());
    decode_book_guess(a, rd_blob_of(c.body), is_answer);
    arena_free(a);
}

TEST_LIMIT(bodies_of_a_real_server_are_whole_and_survived, 120)
{
    static const char *const files[] = { "01-connect.request", "01-connect.response", "02-execute.request", "02-execute.response", "03-execute.request", "03-execute.response" };
    struct arena *look = arena_new(1 << 22);
    bool here = shared_file(look, "vectors/exchange-se/hierarchy-01-connect.request.bin").n != 0;
    arena_free(look);
    if (!here)
        SKIP("no shared vectors");
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        struct arena *a = arena_new(1 << 22);
        struct blob body = shared_file(a, arena_printf(a, "vectors/exchange-se/hierarchy-%s.bin", files[i]));
        bool is_answer = i % 2 == 1;
        struct decode_capture c;
        const char *why;
        size_t at;
        REQUIRE(decode_capture(a, body, &c, &why, &at));
        struct rd r = rd_blob_of(c.body);
        begin();
        bool ok = i == 0 ? decode_connect_request(a, &r) : i == 1 ? decode_connect_answer(a, &r) : is_answer ? decode_execute_answer(a, &r) : decode_execute_request(a, &r);
        free(end());
        unit_check(ok, __FILE__, __LINE__, "%s", files[i]);
        CHECK(!guessed(a, c.body, is_answer, "", &at) && at == 0);
        CHECK(i < 2 ? decode_whole_connect(rd_blob_of(c.body), is_answer) : decode_whole_execute(rd_blob_of(c.body), is_answer));
        mutate_all(body, any, &is_answer);
        arena_free(a);
    }
}
