/* test_dialog.c - the dialogs of the address book: what they are made of, in every language, in code pages. */
#include "backend/base/utf.h"
#include "backend/directory/dialog.h"
#include "tests/mutate.h"
#include "tests/unit.h"

static const uint32_t types[] = { 0, 1, 2, 3, 6, TEMPLATE_SEARCH, 0x10001 };
static const uint32_t lcids[] = { 0x0409, 0x0407 };
enum { TYPES = sizeof types / sizeof types[0] };

struct seen { unsigned pages, edits, lists, strings; const char *first_page; };

/* Reads the rows as a client does (MS-OXOABKT 2.2.2.1): every string lies behind the rows and ends, every control lies on its page. */
static struct seen read_rows(struct arena *a, struct blob b)
{
    struct rd r = rd_blob_of(b);
    struct seen s = { 0 };
    CHECK_INT(rd_u32(&r), 1);
    uint32_t n = rd_u32(&r);
    REQUIRE(rd_count(&r, n, 36) == n && n > 0);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t x = rd_u32(&r), w = rd_u32(&r), y = rd_u32(&r), h = rd_u32(&r), control = rd_u32(&r), flags = rd_u32(&r), type = rd_u32(&r), size = rd_u32(&r),
                 at = rd_u32(&r);
        CHECK(x + w <= 370 && y + h <= 190);
        CHECK(i != 0 || control == 8);
        s.pages += control == 8;
        s.edits += control == 1;
        s.lists += control == 2 || control == 11;
        if (control == 1)
            CHECK(type != 0 && size != 0 && (flags & 0x20) != 0);
        if (control == 2) /* a table of objects */
            CHECK_INT(prop_type(type), PtypObject);
        if (control == 11)
            CHECK_INT(prop_type(type), PtypMultipleFlag | PtypString);
        if (control == 7)
            CHECK_INT(type, 0x6704000D);
        if (control == 0 || control == 6 || control == 8)
            CHECK(type == 0 && size == 0 && at != 0);
        if (at == 0)
            continue;
        struct rd text = rd_blob_of(b);
        CHECK(at >= 8 + 36 * n);
        rd_take(&text, at);
        struct blob words = rd_asciiz(&text);
        CHECK(rd_ok(&text) && words.n > 0 && words.n < 128);
        s.strings++;
        if (control == 8 && s.first_page == NULL)
            s.first_page = arena_str(a, words);
    }
    CHECK(rd_ok(&r));
    return s;
}

TEST(every_dialog_can_be_read_in_every_language)
{
    struct arena *a = arena_new(1 << 24);
    for (size_t l = 0; l < 2; l++)
        for (size_t i = 0; i < TYPES; i++) {
            struct seen s = read_rows(a, dialog_bytes(a, types[i], lcids[l]));
            CHECK(s.pages >= 1 && s.edits >= 2);
            CHECK_STR(s.first_page, l == 0 ? "General" : "Allgemein");
        }
    struct seen user = read_rows(a, dialog_bytes(a, 0, 0x0409));
    CHECK_INT(user.pages, 5);
    CHECK_INT(user.lists, 6);
    CHECK_INT(dialog_bytes(a, 0x55, 0x0409).n, 0);
    CHECK_INT(dialog_bytes(a, 0, 0x040C).n, 0);
    arena_free(a);
}

TEST(languages_have_the_same_controls)
{
    struct arena *a = arena_new(1 << 24);
    for (size_t i = 0; i < TYPES; i++) {
        struct seen en = read_rows(a, dialog_bytes(a, types[i], 0x0409)), de = read_rows(a, dialog_bytes(a, types[i], 0x0407));
        CHECK_INT(en.strings, de.strings);
        CHECK_INT(en.edits, de.edits);
    }
    arena_free(a);
}

static bool contains(struct blob b, const char *bytes)
{
    size_t n = strlen(bytes);
    for (size_t i = 0; i + n <= b.n; i++)
        if (memcmp(b.p + i, bytes, n) == 0)
            return true;
    return false;
}

static bool has_edit(struct blob b, uint32_t property)
{
    struct rd r = rd_blob_of(b);
    rd_u32(&r);
    for (uint32_t n = rd_u32(&r), i = 0; i < n; i++) {
        rd_take(&r, 16);
        uint32_t control = rd_u32(&r);
        rd_take(&r, 4);
        bool here = rd_u32(&r) == property;
        rd_take(&r, 8);
        if (control == 1 && here)
            return true;
    }
    return false;
}

TEST(strings_come_in_the_code_page_asked_for)
{
    struct arena *a = arena_new(1 << 24);
    struct blob utf8 = dialog_bytes(a, 0, 0x0407), latin, oem;
    CHECK(contains(utf8, "&B\xc3\xbcro:"));
    REQUIRE(dialog_reencode(a, utf8, 1252, &latin));
    CHECK(contains(latin, "&B\xfcro:"));
    CHECK(!contains(latin, "\xc3\xbc"));
    read_rows(a, latin);
    REQUIRE(dialog_reencode(a, utf8, 850, &oem));
    read_rows(a, oem);
    REQUIRE(dialog_reencode(a, utf8, 65001, &oem));
    CHECK_BLOB(oem, utf8);
    arena_free(a);
}

static void reencode(void *ctx, struct blob bytes)
{
    struct arena *a = arena_new(1 << 24);
    struct blob out;
    (void)ctx;
    if (dialog_reencode(a, bytes, 1252, &out))
        CHECK(out.n >= 8);
    arena_free(a);
}

TEST(damaged_templates_are_refused_or_read)
{
    struct arena *a = arena_new(1 << 24);
    struct blob out;
    mutate_all(dialog_bytes(a, 2, 0x0407), reencode, NULL);
    CHECK(!dialog_reencode(a, blob_of("\1\0\0\0\xff\xff\xff\xff", 8), 1252, &out));
    CHECK(!dialog_reencode(a, blob_of("\2\0\0\0\0\0\0\0", 8), 1252, &out));
    arena_free(a);
}

TEST(a_new_installation_has_them_and_keeps_its_own)
{
    static struct config c;
    struct arena *a = arena_new(1 << 24);
    const char *why;
    struct template t, own = { .purpose = TEMPLATE_DETAILS, .type = 1, .lcid = 0x0407, .name = "Eigene", .data = blob_str("own") };
    c = (struct config){ .directory = arena_printf(a, "%s/dialogs.db", unit_tmpdir()), .organization = "Demo", .default_domain = "example.com", .session_retention = 900 };
    struct directory *d = directory_open(&c, a, &why);
    REQUIRE(d != NULL);
    for (size_t i = 0; i < TYPES; i++) {
        REQUIRE_EC(template_find(d, a, types[i] == 0x10001 ? TEMPLATE_CREATE : TEMPLATE_DETAILS, types[i], 0x0807, &t), ecNone); /* Swiss German */
        CHECK_INT(t.lcid, 0x0407);
        CHECK_BLOB(t.data, dialog_bytes(a, types[i], 0x0407));
    }
    REQUIRE_EC(template_put(d, a, &own), ecNone);
    directory_close(d);
    d = directory_open(&c, a, &why);
    REQUIRE(d != NULL);
    REQUIRE_EC(template_find(d, a, TEMPLATE_DETAILS, 1, 0x0407, &t), ecNone);
    CHECK_BLOB(t.data, blob_str("own"));
    CHECK_BLOB(template_render(a, &t, 1252), blob_str("own"));
    directory_close(d);
    arena_free(a);
}

/* Runs a script as a client does (MS-OXOABKT 2.2.2.2): a count of words, then instructions; the string begins empty.  False: it ends in an error. */
static bool run_script(struct arena *a, struct blob script, uint32_t property, const char *typed, const char **out)
{
    struct rd r = rd_blob_of(script);
    uint32_t words = rd_u32(&r);
    REQUIRE(rd_count(&r, words, 4) == words && script.n == 4 + 4 * (size_t)words);
    *out = "";
    for (;;) {
        uint32_t opcode = rd_u32(&r);
        if (opcode != 2)
            return rd_ok(&r) && opcode == 0;
        if (rd_u32(&r) == property)
            *out = arena_printf(a, "%s%s", *out, typed);
    }
}

/* What a client makes of a display name and an address that were typed: both have 8 bits in the form and in the script. */
TEST(an_internet_address_can_be_made)
{
    static struct config c;
    struct arena *a = arena_new(1 << 24);
    const char *why;
    struct template *t;
    size_t n;
    c = (struct config){ .directory = arena_printf(a, "%s/creation.db", unit_tmpdir()), .organization = "Demo", .default_domain = "example.com", .session_retention = 900 };
    struct directory *d = directory_open(&c, a, &why);
    REQUIRE(d != NULL);
    for (size_t l = 0; l < 2; l++) {
        REQUIRE_EC(template_creation(d, a, lcids[l], &t, &n), ecNone);
        REQUIRE(n == 1);
        CHECK_STR(t[0].name, l == 0 ? "Internet Address" : "Internetadresse");
        CHECK_STR(t[0].address_type, "SMTP");
        CHECK_BYTES(t[0].script, "03 00 00 00 02 00 00 00 1e 00 03 30 00 00 00 00");
        const char *address;
        CHECK(run_script(a, t[0].script, 0x3003001E, "ana@example.com", &address));
        CHECK_STR(address, "ana@example.com");
        CHECK(has_edit(t[0].data, 0x3003001E) && has_edit(t[0].data, 0x3001001E));
    }
    directory_close(d);
    arena_free(a);
}
