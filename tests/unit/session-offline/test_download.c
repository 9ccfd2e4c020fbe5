/* test_download.c - downloads of the offline address book: who may have what, paths of all kinds, the manifest, parts of files.  MS-OXWOAB 2.2. */
#include "session/offline/download.h"
#include "backend/directory/policy.h"
#include "tests/offline_fill.h"
#include "tests/unit.h"
#include <stdio.h>
#include <string.h>

static struct arena *a;
static struct config config;
static struct directory *d;
static struct person ana, eve;
static struct offline_book book, other;
static char guid[GUID_TEXT], other_guid[GUID_TEXT];

static const struct fill_file files[] = {
    { "full-1.lzx", OFFLINE_FULL, 0, 200000 }, { "lng0409-1.lzx", OFFLINE_TEMPLATE, 0x0409, 700 }, { "lng0407-1.lzx", OFFLINE_TEMPLATE, 0x0407, 70 },
};

static struct person add(const char *login)
{
    struct person p = { 0 };
    REQUIRE_EC(directory_add(d, a, &(struct person_new){ .login = login, .display_name = "Somebody", .password = "x", .with_mailbox = true }, &p), ecNone);
    return p;
}

static void begin(const char *name)
{
    const char *why;
    a = arena_new((size_t)1 << 28);
    struct config *c = config_load(a, NULL, &why);
    REQUIRE(c != NULL);
    config = *c;
    config.directory = arena_printf(a, "%s/%s.db", unit_tmpdir(), name);
    config.default_domain = "example.com";
    d = directory_open(&config, a, &why);
    REQUIRE(d != NULL);
    REQUIRE_EC(org_add(d, "Other"), ecNone);
    REQUIRE_EC(org_add_domain(d, "Other", "other.example"), ecNone);
    ana = add("ana@example.com");
    eve = add("eve@other.example");
    REQUIRE_EC(offline_for(d, a, &ana, &book), ecNone);
    REQUIRE_EC(offline_for(d, a, &eve, &other), ecNone);
    guid_text(&book.guid, guid);
    guid_text(&other.guid, other_guid);
}

static void end(void)
{
    directory_close(d);
    arena_free(a);
}

static enum download_outcome find(const struct person *who, const char *path, bool external, struct download *out)
{
    return download_find(&(struct download_call){ a, &config, d, who, path, external }, out);
}

static enum download_outcome look(const struct person *who, const char *book_guid, const char *name)
{
    struct download ignored;
    return find(who, arena_printf(a, "/oab/%s/%s", book_guid, name), false, &ignored);
}

TEST(nothing_is_there_before_the_first_generation)
{
    begin("before");
    CHECK_INT(look(&ana, guid, "oab.xml"), DOWNLOAD_NONE);
    CHECK_INT(look(&ana, guid, "full-1.lzx"), DOWNLOAD_NONE);
    end();
}

TEST(own_organization_only)
{
    begin("own");
    fill_generation(config.directory, a, book.org, 1, files, 3);
    fill_generation(config.directory, a, other.org, 1, (const struct fill_file[]){ { "full-9.lzx", OFFLINE_FULL, 0, 10 } }, 1);
    CHECK_INT(look(&ana, guid, "oab.xml"), DOWNLOAD_FOUND);
    CHECK_INT(look(&ana, guid, "full-1.lzx"), DOWNLOAD_FOUND);
    CHECK_INT(look(&eve, other_guid, "full-9.lzx"), DOWNLOAD_FOUND);
    CHECK_INT(look(&eve, guid, "oab.xml"), DOWNLOAD_NONE);
    CHECK_INT(look(&eve, guid, "full-1.lzx"), DOWNLOAD_NONE);
    CHECK_INT(look(&ana, other_guid, "full-9.lzx"), DOWNLOAD_NONE);
    CHECK_INT(look(&ana, guid, "full-9.lzx"), DOWNLOAD_NONE);
    CHECK_INT(look(&(struct person){ .row = 99999, .login = "gone@example.com" }, guid, "oab.xml"), DOWNLOAD_NONE);
    end();
}

TEST(paths)
{
    begin("paths");
    fill_generation(config.directory, a, book.org, 1, files, 3);
    static const char *const good[] = { "/oab/%s/oab.xml", "/OAB/%s/OAB.XML", "/Oab/%s/full-1.lzx" };
    static const char *const bad[] = {
        "/oab", "/oab/", "/oab/%s", "/oab/%s/", "/oab//%s/oab.xml", "/oab/%s//oab.xml", "/oab/%s/oab.xml/", "/oab/%s/../%s/oab.xml", "/oab/%s/./oab.xml",
        "/oab/{%s}/oab.xml", "/oab/%sx/oab.xml", "/oab/x%s/oab.xml", "/oab/%s/oab.xml%%00", "/oab/%s/full-1.lzx?", "/oab/%s/full_1.lzx", "/oab/%s/full-1.lzx ",
        "/oab/%s/FULL-1.LZX", "/oab/%s/..", "/oab/%s/%%2e%%2e", "/oab/%s/\xc3\xa9.lzx", "/oab/%s/' OR 1=1 --", "/oab/%s/full-2.lzx", "/mapi/%s/oab.xml", "", "oab/%s/oab.xml",
    };
    char upper[GUID_TEXT];
    for (size_t i = 0; i < sizeof guid; i++)
        upper[i] = (char)(guid[i] >= 'a' && guid[i] <= 'f' ? guid[i] - 32 : guid[i]);
    struct download f;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        char path[256];
        snprintf(path, sizeof path, good[i], i == 1 ? upper : guid);
        unit_check(find(&ana, path, false, &f) == DOWNLOAD_FOUND, __FILE__, __LINE__, "%s", path);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char path[256];
        snprintf(path, sizeof path, bad[i], guid, guid);
        unit_check(find(&ana, path, false, &f) == DOWNLOAD_NONE, __FILE__, __LINE__, "%s", path);
    }
    CHECK_INT(find(&ana, NULL, false, &f), DOWNLOAD_NONE);
    char *deep = arena_alloc(a, 100000);
    memset(deep, 'x', 99999);
    CHECK_INT(look(&ana, guid, deep), DOWNLOAD_NONE);
    CHECK_INT(look(&ana, deep, "oab.xml"), DOWNLOAD_NONE);
    CHECK(download_path("/oab/") && download_path("/OAB/x") && !download_path("/oab") && !download_path("/oabx/") && !download_path(NULL) && !download_path(""));
    end();
}

TEST(switches)
{
    begin("switches");
    fill_generation(config.directory, a, book.org, 1, files, 3);
    struct download f;
    const char *path = arena_printf(a, "/oab/%s/oab.xml", guid);
    CHECK_EC(mailbox_policy_set(d, "ana", &(struct mailbox_policy){ TRI_NULL, true, 0 }), ecNone);
    CHECK_INT(find(&ana, path, false, &f), DOWNLOAD_FOUND);
    CHECK_INT(find(&ana, path, true, &f), DOWNLOAD_OFF);
    CHECK_EC(mailbox_policy_set(d, "ana", &(struct mailbox_policy){ TRI_FALSE, false, 0 }), ecNone);
    CHECK_INT(find(&ana, path, false, &f), DOWNLOAD_OFF);
    CHECK_EC(mailbox_policy_set(d, "ana", &(struct mailbox_policy){ TRI_NULL, false, 0 }), ecNone);
    CHECK_INT(find(&ana, path, true, &f), DOWNLOAD_FOUND);
    config.offline_address_book = false;
    CHECK_INT(find(&ana, path, false, &f), DOWNLOAD_NONE);
    end();
}

static void has(const char *text, const char *want)
{
    unit_check(strstr(text, want) != NULL, __FILE__, __LINE__, "\"%s\" is not in:\n%s", want, text);
}

TEST(manifest)
{
    begin("manifest");
    fill_generation(config.directory, a, book.org, 1, files, 3);
    struct download f, again;
    const char *path = arena_printf(a, "/oab/%s/oab.xml", guid);
    REQUIRE(find(&ana, path, false, &f) == DOWNLOAD_FOUND && f.whole);
    const char *text = arena_str(a, f.text);
    uint8_t sum[20];
    const char *hex = "";
    crypto_sha1(fill_bytes(a, "full-1.lzx", 200000), sum);
    for (size_t i = 0; i < 20; i++)
        hex = arena_printf(a, "%s%02x", hex, sum[i]);
    has(text, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
    has(text, "<OAB>");
    has(text, arena_printf(a, "<OAL id=\"%s\" dn=\"%s\" name=\"%s\">", guid, book.dn, book.name));
    has(text, arena_printf(a, "<Full seq=\"1\" ver=\"32\" size=\"200000\" uncompressedsize=\"400000\" SHA=\"%s\">full-1.lzx</Full>", hex));
    has(text, "<Template seq=\"1\" ver=\"7\" size=\"700\" uncompressedsize=\"1400\" SHA=\"");
    has(text, "\" langid=\"0409\" type=\"windows\">lng0409-1.lzx</Template>");
    has(text, "\" langid=\"0407\" type=\"windows\">lng0407-1.lzx</Template>");
    CHECK_INT(f.size, f.text.n);
    CHECK_STR(f.type, "text/xml; charset=utf-8");
    CHECK(f.made != 0);
    crypto_sha1(f.text, sum);
    CHECK(memcmp(sum, f.sha1, sizeof sum) == 0);
    REQUIRE(find(&ana, path, false, &again) == DOWNLOAD_FOUND);
    CHECK(blob_eq(f.text, again.text)); /* the same on every host: its digest is its tag */
    fill_generation(config.directory, a, book.org, 2, (const struct fill_file[]){ { "full-2.lzx", OFFLINE_FULL, 0, 5 } }, 1);
    REQUIRE(find(&ana, path, false, &again) == DOWNLOAD_FOUND);
    CHECK(memcmp(f.sha1, again.sha1, sizeof sum) != 0 && again.made > f.made);
    end();
}

TEST(files_and_their_parts)
{
    begin("parts");
    fill_generation(config.directory, a, book.org, 1, files, 3);
    struct download f, later;
    const char *path = arena_printf(a, "/oab/%s/full-1.lzx", guid);
    REQUIRE(find(&ana, path, false, &f) == DOWNLOAD_FOUND && !f.whole);
    struct blob all = fill_bytes(a, "full-1.lzx", 200000), part;
    CHECK_INT(f.size, 200000);
    CHECK_STR(f.type, "application/octet-stream");
    static const struct { uint64_t at; size_t n; } parts[] = { { 0, 1 }, { 0, 65536 }, { 65535, 2 }, { 65536, 65536 }, { 100, 150000 }, { 199999, 1 }, { 0, 200000 } };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        REQUIRE_EC(download_read(d, a, &f, parts[i].at, parts[i].n, &part), ecNone);
        CHECK(blob_eq(part, blob_of(all.p + parts[i].at, parts[i].n)));
    }
    CHECK_EC(download_read(d, a, &f, 199999, 2, &part), ecNotFound);
    /* the next generation: the file is still there, and as it was */
    fill_generation(config.directory, a, book.org, 2, (const struct fill_file[]){ { "full-2.lzx", OFFLINE_FULL, 0, 5 } }, 1);
    REQUIRE(find(&ana, path, false, &later) == DOWNLOAD_FOUND);
    CHECK(memcmp(f.sha1, later.sha1, 20) == 0 && f.made == later.made && f.size == later.size);
    fill_generation(config.directory, a, book.org, 3, (const struct fill_file[]){ { "full-3.lzx", OFFLINE_FULL, 0, 5 } }, 1);
    CHECK_INT(find(&ana, path, false, &later), DOWNLOAD_NONE);
    end();
}
