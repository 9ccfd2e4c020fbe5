/* test_oabc.c - manifests of offline address books as a client reads them: whole, of other servers, broken.  MS-OXWOAB 2.2. */
#include "tests/client/oabc.h"
#include "tests/mutate.h"
#include "tests/unit.h"

#define SHA "0123456789abcdefABCDEF0123456789abcdef01"
#define LIST "<OAL id=\"ab\" dn=\"/\" name=\"\\Global &amp; all\">"
#define FULL "<Full seq=\"7\" ver=\"32\" size=\"1000\" uncompressedsize=\"3000\" SHA=\"" SHA "\">ab-data-7.lzx</Full>"
#define DIFF "<Diff seq=\"7\" ver=\"32\" size=\"100\" uncompressedsize=\"3000\" SHA=\"" SHA "\">ab-binpatch-7.lzx</Diff>"
#define TEMPLATE(attributes) "<Template seq=\"1\" ver=\"32\" size=\"10\" uncompressedsize=\"30\" SHA=\"" SHA "\" " attributes ">ab-lng.lzx</Template>"

static const char good[] = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n<OAB>" LIST FULL TEMPLATE("langid=\"0409\" type=\"windows\"") "\r\n"
                           TEMPLATE("type=\"mac\" langid=\"0C07\"") "</OAL></OAB>";

static struct arena *a;

TEST(manifests_are_read)
{
    struct oabc_manifest m;
    a = arena_new(SIZE_MAX);
    REQUIRE(oabc_read(a, blob_str(good), &m));
    CHECK_STR(m.id, "ab");
    CHECK_STR(m.dn, "/");
    CHECK_INT(m.n, 3);
    const struct oabc_file *f = oabc_full(&m);
    REQUIRE(f != NULL);
    CHECK_INT(f->seq, 7);
    CHECK_INT(f->ver, 32);
    CHECK_INT(f->size, 1000);
    CHECK_INT(f->uncompressed, 3000);
    CHECK_INT(f->sha[1], 0x23);
    CHECK_INT(f->sha[19], 0x01);
    CHECK_STR(f->name, "ab-data-7.lzx");
    CHECK(m.file[1].is_template && !m.file[1].mac && m.file[1].langid == 0x409);
    CHECK(m.file[2].is_template && m.file[2].mac && m.file[2].langid == 0xC07);
    REQUIRE(oabc_read(a, blob_str("<OAB>" LIST DIFF FULL "</OAL><OAL id=\"2\" dn=\"/x\" name=\"y\">" FULL "</OAL></OAB>"), &m)); /* of another server */
    CHECK(m.n == 3 && m.file[0].is_diff && oabc_full(&m) == &m.file[1]);
    CHECK_STR(m.id, "ab");
    REQUIRE(oabc_read(a, blob_str("<OAB>" LIST "</OAL></OAB>"), &m));
    CHECK(m.n == 0 && oabc_full(&m) == NULL);
    arena_free(a);
}

TEST(what_is_no_manifest_is_refused)
{
    static const char *const bad[] = {
        "", "no", "<OAB>", "<OAB></OAB>", "<OAL/>", "<html><body/></html>", "<OAB><Other/></OAB>", "<OAB><OAL id=\"1\"/></OAB>", "<OAB>" LIST "<Other/></OAL></OAB>",
        "<OAB>" LIST "<Full>x</Full></OAL></OAB>", "<OAB>" LIST TEMPLATE("") "</OAL></OAB>",
        "<OAB>" LIST TEMPLATE("langid=\"0409\"") "</OAL></OAB>", "<OAB>" LIST TEMPLATE("langid=\"x\" type=\"mac\"") "</OAL></OAB>",
        "<OAB>" LIST TEMPLATE("langid=\"10000\" type=\"mac\"") "</OAL></OAB>", "<OAB>" LIST TEMPLATE("langid=\"409\" type=\"palm\"") "</OAL></OAB>",
        "<OAB>" LIST "<Full seq=\"-1\" ver=\"32\" size=\"1\" uncompressedsize=\"1\" SHA=\"" SHA "\">x</Full></OAL></OAB>",
        "<OAB>" LIST "<Full seq=\"1\" ver=\"32\" size=\"\" uncompressedsize=\"1\" SHA=\"" SHA "\">x</Full></OAL></OAB>",
        "<OAB>" LIST "<Full seq=\"1\" ver=\"32\" size=\"1\" uncompressedsize=\"1\" SHA=\"00\">x</Full></OAL></OAB>",
        "<OAB>" LIST "<Full seq=\"1\" ver=\"32\" size=\"1\" uncompressedsize=\"1\" SHA=\"" SHA "\"></Full></OAL></OAB>",
        "<OAB>" LIST "<Full seq=\"1\" ver=\"32\" size=\"1\" uncompressedsize=\"1\" SHA=\"" SHA "\"><a/>x</Full></OAL></OAB>",
        "<!DOCTYPE OAB [<!ENTITY x \"y\">]><OAB>" LIST "</OAL></OAB>" };
    struct oabc_manifest m;
    a = arena_new(SIZE_MAX);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        unit_check(!oabc_read(a, blob_str(bad[i]), &m), __FILE__, __LINE__, "%s", bad[i]);
    arena_free(a);
}

static void read_broken(void *ctx, struct blob b)
{
    struct arena *own = arena_new(SIZE_MAX);
    struct oabc_manifest m;
    size_t *accepted = ctx;
    bool ok = oabc_read(own, b, &m);
    *accepted += ok;
    for (size_t i = 0; ok && i < m.n; i++)
        CHECK(m.file[i].name != NULL && *m.file[i].name != '\0');
    arena_free(own);
}

TEST(broken_manifests)
{
    size_t accepted = 0, n = mutate_all(blob_str(good), read_broken, &accepted);
    CHECK(accepted > 0 && accepted < n);
}
