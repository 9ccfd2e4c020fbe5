/* test_attach.c - names and properties of attachments. */
#include "tests/unit/backend-mail/kit.h"
#include <stdio.h>

static const struct { const char *lines, *name; } names[] = {
    { "Content-Disposition: attachment; filename=plain.txt", "plain.txt" },
    { "Content-Disposition: attachment; filename=\"with blank.txt\"", "with blank.txt" },
    { "Content-Disposition: attachment; filename=with blank.txt", NULL },
    { "Content-Disposition: attachment;\n\tfilename=\"folded.txt\"", "folded.txt" },
    { "Content-Disposition: attachment; filename*=UTF-8''M%C3%BCller.txt", "Müller.txt" },
    { "Content-Disposition: attachment; filename*=iso-8859-1'de'M%FCller.txt", "Müller.txt" },
    { "Content-Disposition: attachment; filename*0=\"one \"; filename*1=\"two.txt\"", "one two.txt" },
    { "Content-Disposition: attachment; filename*1=\"two.txt\"; filename*0=\"one \"", "one two.txt" },
    { "Content-Disposition: attachment; filename*0*=UTF-8''M%C3%BC; filename*1*=ller; filename*2=.txt", "Müller.txt" },
    { "Content-Disposition: attachment; filename=\"=?UTF-8?Q?M=C3=BCller.txt?=\"", "Müller.txt" },
    { "Content-Disposition: attachment; filename==?UTF-8?B?TcO8bGxlci50eHQ=?=", "Müller.txt" },
    { "Content-Disposition: attachment; filename=\"=?UTF-8?Q?M=C3=BC?=\n =?UTF-8?Q?ller.txt?=\"", "Müller.txt" },
    { "Content-Disposition: attachment; filename*0=\"=?UTF-8?Q?M=C3=BCll\"; filename*1=\"er.txt?=\"", "Müller.txt" },
    { "Content-Disposition: attachment; filename=\"M\xc3\xbcller.txt\"", "Müller.txt" },
    { "Content-Disposition: attachment; filename=\"M\xfcller.txt\"", "Müller.txt" },
    { "Content-Type: application/pdf; name=\"type.pdf\"", "type.pdf" },
    { "Content-Type: application/pdf; name=type.pdf\nContent-Disposition: attachment; filename=disposition.pdf", "disposition.pdf" },
    { "Content-Type: application/pdf; name=type.pdf\nContent-Disposition: attachment", "type.pdf" },
    { "Content-Type: application/pdf\nContent-Description: report.pdf", "report.pdf" },
    { "Content-Type: application/pdf\nContent-Description: A report", "document.pdf" },
    { "Content-Type: application/x-unknown", "part2.dat" },
    { "Content-Type: application/pdf; name=\"../../etc/passwd\"", "passwd" },
    { "Content-Type: application/pdf; name=\"C:\\\\dir\\\\evil.exe\"", "evil.exe" },
    { "Content-Type: application/pdf; name=\"a:b*c?.pdf\"", "a_b_c_.pdf" },
    { "Content-Type: application/pdf; name=\"\"", "document.pdf" },
    { "Content-Type: application/pdf; name=\"/\"", "_" },
    { "Content-Disposition: attachment; filename*=bogus''a%zz.txt", NULL },
    { "Content-Disposition: attachment; filename*=UTF-8", NULL },
    { "Content-Disposition: ; filename=x.bin\nContent-Type: application/x", "x.bin" },
};

TEST(names_in_every_encoding)
{
    struct arena *a = arena_new(1 << 20);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct got *g = got_mail(arena_printf(a, "Content-Type: multipart/mixed; boundary=b\n\n--b\n%s\n\nDATA\n--b--\n", names[i].lines));
        REQUIRE(g->m.natt == 1);
        if (names[i].name != NULL && !CHECK_STR(prop_str(g, &g->m.att[0].set, PidTagAttachLongFilename), names[i].name))
            fprintf(stderr, "    %s\n", names[i].lines);
        CHECK_BLOB(props_bin(&g->m.att[0].set, PidTagAttachDataBinary), blob_str("DATA"));
        check_sound(&g->m);
        got_end(g);
    }
    arena_free(a);
}

TEST(properties_of_an_attachment)
{
    struct got *g = got_mail("Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: Text/CSV; charset=koi8-r; name=x.csv\nContent-ID: <id@x>\n"
                             "Content-Location: http://x/y\nContent-Disposition: attachment; filename=\"x.csv\";\n modification-date=\"Mon, 1 Jan 2024 12:00:00 +0000\"\n\nDATA\n--b--\n");
    REQUIRE(g->m.natt == 1);
    const struct props *p = &g->m.att[0].set;
    CHECK_INT(props_i32(p, PidTagAttachMethod, 0), 1);
    CHECK_INT(props_i32(p, PidTagRenderingPosition, 0), -1);
    CHECK_STR(prop_str(g, p, PidTagAttachMimeTag), "text/csv");
    CHECK_STR(prop_str(g, p, PidTagAttachExtension), ".csv");
    CHECK_STR(prop_str(g, p, PidTagAttachContentId), "id@x");
    CHECK_STR(prop_str(g, p, PidTagAttachContentLocation), "http://x/y");
    CHECK_STR(prop_str(g, p, PidTagTextAttachmentCharset), "koi8-r");
    CHECK_INT(props_i64(p, PidTagLastModificationTime, 0), (1704110400ll + 11644473600ll) * 10000000ll);
    CHECK(!props_bool(p, PidTagAttachmentHidden, false));
    CHECK(g->m.att[0].fresh);
    CHECK_INT(g->m.next_att, 1);
    got_end(g);
}

TEST(a_long_name_keeps_its_extension)
{
    char eml[1000], name[500];
    memset(name, 'n', sizeof name);
    name[400] = '\0';
    snprintf(eml, sizeof eml, "Content-Type: application/pdf; name=\"%s.pdf\"\n\nDATA", name);
    struct got *g = got_mail(eml);
    REQUIRE(g->m.natt == 1);
    const char *s = prop_str(g, &g->m.att[0].set, PidTagAttachLongFilename);
    CHECK_INT(strlen(s), 255);
    CHECK_STR(s + 251, ".pdf");
    got_end(g);
}
