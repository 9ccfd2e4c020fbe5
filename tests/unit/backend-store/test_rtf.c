/* The text of RTF. */
#include "backend/store/message_rtf.h"
#include "tests/mutate.h"
#include "tests/unit.h"

static struct arena *a;

TEST(text_of_rtf)
{
    a = arena_new(1 << 20);
    static const struct { const char *rtf, *text; } t[] = {
        { "{\\rtf1\\ansi{\\fonttbl{\\f0 Arial;}}{\\colortbl;\\red0;}\\pard a\\par b\\tab c\\line d}", "a\r\nb\tc\r\nd" },
        { "{\\rtf1\\ansicpg1251 \\'cf\\'f0\\'e8\\'e2\\'e5\\'f2}", "\xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82" },
        { "{\\rtf1\\ansicpg932 \\'83e\\'83X}", "\xe3\x83\x86\xe3\x82\xb9" },
        { "{\\rtf1\\uc1 \\u228?\\u-10179?\\u-8704?x}", "\xc3\xa4\xf0\x9f\x98\x80x" },
        { "{\\rtf1{\\*\\htmltag <b>}x{\\*\\generator y;}\\\\\\{z\\}\\~\\emdash}", "x\\{z} \xe2\x80\x94" },
        { "{\\rtf1 a\r\nb {\\b bold} c}", "ab bold c" },
        { "{\\rtf1 {\\pict\\bin5 }}}}}x}y", "y" },
        { "}}}x", "x" }, { "", "" }, { "{\\", "" }, { "{\\'", "" }, { "{\\u", "" },
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++)
        CHECK_STR(arena_str(a, message_rtf_text(a, blob_str(t[i].rtf))), t[i].text);
    arena_free(a);
}

static void read_variant(void *ctx, struct blob variant)
{
    struct arena *own = arena_new(1 << 20);
    (void)ctx;
    CHECK(message_rtf_text(own, variant).n <= variant.n * 3 + 16);
    arena_free(own);
}

TEST(damaged_rtf)
{
    static const char rtf[] = "{\\rtf1\\ansicpg1252\\uc1{\\fonttbl x;}a\\'e4\\u228?{\\*\\y z}\\bin3 abc\\par\\b0 }";
    CHECK(mutate_all(blob_of(rtf, sizeof rtf - 1), read_variant, NULL) > 300);
    struct blob deep = blob_of(arena_alloc(a = arena_new(1 << 20), 5000), 5000);
    memset((void *)(uintptr_t)deep.p, '{', deep.n);
    read_variant(NULL, deep);
    arena_free(a);
}
