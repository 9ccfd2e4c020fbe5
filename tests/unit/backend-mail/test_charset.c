/* test_charset.c - text in all charsets, declared rightly, wrongly, and not at all. */
#include "tests/unit/backend-mail/kit.h"
#include <stdio.h>

static const struct { const char *charset, *bytes, *text; } texts[] = {
    { "us-ascii", "plain", "plain" },
    { "utf-8", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "ä€😀" },
    { "UTF8", "\xc3\xa4", "ä" },
    { "utf-8", "\xef\xbb\xbfmark", "mark" },
    { "iso-8859-1", "\xe4\xf6", "äö" },
    { "iso-8859-1", "\x93smart\x94 \x80", "“smart” €" },          /* windows-1252 under the usual wrong name */
    { "ISO-8859-15", "\xa4", "€" },
    { "iso-8859-2", "\xb1\xb3", "ął" },
    { "iso-8859-5", "\xbf\xe0\xd8", "При" },
    { "iso-8859-7", "\xe1\xe2", "αβ" },
    { "iso-8859-8-i", "\xf9\xec\xe5\xed", "שלום" },
    { "iso-8859-9", "\xfd", "ı" },
    { "windows-1250", "\x9a\x9d", "šť" },
    { "windows-1251", "\xcf\xf0\xe8", "При" },
    { "cp1251", "\xcf\xf0\xe8", "При" },
    { "windows-1255", "\xf9\xec\xe5\xed", "שלום" },
    { "windows-1256", "\xe3\xd1", "مر" },
    { "windows-1258", "a\xec", "á" },                              /* the last character waits for a combining one */
    { "tis-620", "\xa1\xd2", "กา" },
    { "koi8-r", "\xf0\xd2\xc9", "При" },
    { "koi8-u", "\xa4", "є" },
    { "ibm866", "\x8f\xe0\xa8", "При" },
    { "cp437", "\x84", "ä" },
    { "macintosh", "\x8a", "ä" },
    { "shift_jis", "\x93\xfa\x96\x7b", "日本" },
    { "x-sjis", "\x87\x40", "①" },                                 /* vendor characters */
    { "iso-2022-jp", "\x1b$BF|K\\\x1b(B", "日本" },
    { "us-ascii", "\x1b$BF|K\\\x1b(B", "日本" },                   /* undeclared, but it gives itself away */
    { "euc-jp", "\xc6\xfc\xcb\xdc", "日本" },
    { "gb2312", "\xd6\xd0\xce\xc4", "中文" },
    { "gb18030", "\xd6\xd0", "中" },
    { "big5", "\xa4\xa4\xa4\xe5", "中文" },
    { "euc-kr", "\xc7\xd1", "한" },
    { "ks_c_5601-1987", "\xc7\xd1", "한" },
    { "utf-7", "+APY-", "ö" },
    /* wrong or unknown */
    { "x-unknown", "\xe4", "ä" },
    { "unknown-8bit", "\xc3\xa4", "ä" },
    { "../../../etc/passwd", "\xe4", "ä" },
    { "UTF-8//IGNORE", "\xe4", "ä" },
    { "", "\xe4", "ä" },
    { "us-ascii", "\xe4", "ä" },
    { "us-ascii", "\xc3\xa4", "ä" },
    { "utf-8", "\xe4 und \xf6", "ä und ö" },                       /* Latin-1 under the name of UTF-8 */
    { "utf-8", "\xc3\xa4\xc3\xb6\xc3\xbc\xe4", "äöü\xef\xbf\xbd" },/* one broken character in good UTF-8 */
    { "iso-8859-1", "\xc3\xa4", "ä" },                             /* UTF-8 under the name of Latin-1 */
    { "windows-1251", "\xd0\xb0", "Р°" },                          /* that is not guessed for others */
    { "shift_jis", "a\x80" "b", "a\xef\xbf\xbd" "b" },
    { "utf-16le", "a", "\xef\xbf\xbd" },                           /* half a character */
    { "iso-2022-jp", "ok\xff", "ok\xef\xbf\xbd" },
};

static void check_body(const char *charset, const char *bytes, const char *text)
{
    struct arena *a = arena_new(1 << 20);
    struct got *g = got_mail(arena_printf(a, "Subject: x\nContent-Type: text/plain; charset=\"%s\"\n\n%s", charset, bytes));
    if (!CHECK_STR(got_str(g, PidTagBody), text))
        fprintf(stderr, "    charset %s\n", charset);
    got_end(g);
    arena_free(a);
}

TEST(bodies_in_every_charset)
{
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        check_body(texts[i].charset, texts[i].bytes, texts[i].text);
}

TEST(no_charset_at_all)
{
    struct got *g = got_mail("Subject: x\n\nM\xc3\xbcller");
    CHECK_STR(got_str(g, PidTagBody), "Müller");
    got_end(g);
    g = got_mail("Subject: x\n\nM\xfcller");
    CHECK_STR(got_str(g, PidTagBody), "Müller");
    got_end(g);
}

TEST(nul_in_text_is_dropped_and_the_bytes_are_attached)
{
    static const char eml[] = "Subject: a\0b\n\nx\0y\0\0z";
    struct got *g = got_bytes(blob_of(eml, sizeof eml - 1));
    CHECK_STR(got_str(g, PidTagSubject), "ab");
    CHECK_STR(got_str(g, PidTagBody), "xyz");
    REQUIRE(g->m.natt == 1);
    CHECK_BLOB(props_bin(&g->m.att[0].set, PidTagAttachDataBinary), blob_of("x\0y\0\0z", 6));
    got_end(g);
}

/* --- HTML: bytes and code page go together ---------------------------------------------------------------------------------------------------- */

static const struct { const char *type, *bytes, *html; int page; } htmls[] = {
    { "; charset=utf-8", "<p>\xc3\xa4", "<p>\xc3\xa4", 65001 },
    { "; charset=iso-8859-1", "<p>\xe4", "<p>\xe4", 28591 },
    { "; charset=iso-8859-1", "<p>\x80", "<p>\x80", 1252 },
    { "; charset=iso-8859-1", "<p>\xc3\xa4", "<p>\xc3\xa4", 65001 },
    { "; charset=utf-8", "<p>\xe4", "<p>\xc3\xa4", 65001 },
    { "; charset=koi8-r", "<p>\xf0", "<p>\xf0", 20866 },
    { "; charset=shift_jis", "<p>\x93\xfa", "<p>\x93\xfa", 932 },
    { "; charset=iso-2022-jp", "<p>\x1b$BF|\x1b(B", "<p>\x1b$BF|\x1b(B", 50220 },
    { "; charset=macintosh", "<p>\x8a", "<p>\xc3\xa4", 65001 },
    { "; charset=us-ascii", "<p>x", "<p>x", 65001 },
    { "", "<meta charset=\"koi8-r\"><p>\xf0", "<meta charset=\"koi8-r\"><p>\xf0", 20866 },
    { "", "<meta content='text/html; charset=windows-1251'>\xcf", "<meta content='text/html; charset=windows-1251'>\xcf", 1251 },
    { "; charset=bogus", "<meta charset=koi8-r>\xf0", "<meta charset=koi8-r>\xf0", 20866 },
    { "", "<p>\xe4", "<p>\xc3\xa4", 65001 },
};

TEST(html_keeps_its_bytes_where_clients_know_the_code_page)
{
    struct arena *a = arena_new(1 << 20);
    for (size_t i = 0; i < sizeof htmls / sizeof htmls[0]; i++) {
        struct got *g = got_mail(arena_printf(a, "Content-Type: text/html%s\n\n%s", htmls[i].type, htmls[i].bytes));
        CHECK_BLOB(props_bin(&g->m.set, PidTagHtml), blob_str(htmls[i].html));
        if (!CHECK_INT(props_i32(&g->m.set, PidTagInternetCodepage, 0), htmls[i].page))
            fprintf(stderr, "    %s\n", htmls[i].type);
        CHECK_INT(props_i32(&g->m.set, PidTagNativeBody, 0), 3);
        got_end(g);
    }
    arena_free(a);
}

TEST(utf16_bodies)
{
    static const char eml[] = "Content-Type: text/plain; charset=utf-16\nContent-Transfer-Encoding: base64\n\n//5hAOQA\n";
    struct got *g = got_mail(eml);
    CHECK_STR(got_str(g, PidTagBody), "aä");
    got_end(g);
}
