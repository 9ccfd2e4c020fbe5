/* test_body.c - which part is the body: alternative, related, mixed and others in all nestings.  Expected results as kit.h's shape. */
#include "tests/unit/backend-mail/kit.h"
#include <stdio.h>

#define MULTI(kind, b) "Content-Type: multipart/" kind "; boundary=" b "\n\n"
#define TEXT "Content-Type: text/plain\n\n"
#define HTML "Content-Type: text/html\n\n"
#define PNG(id) "Content-Type: image/png; name=" id ".png\nContent-ID: <" id ">\n\n"
#define FILE_(name) "Content-Type: application/pdf\nContent-Disposition: attachment; filename=" name "\n\n"

static const struct { const char *what, *eml, *shape; } bodies[] = {
    { "plain", TEXT "hello", "T[hello]" },
    { "html", HTML "<b>hello", "H[<b>hello]" },
    { "lines end in CRLF", "\na\nb\r\nc", "T[a/b/c]" },
    { "a named part alone is the body", "Content-Type: text/plain; name=x.txt\n\nhello", "T[hello]" },
    { "an attachment alone", "Content-Type: text/plain\nContent-Disposition: attachment; filename=x.txt\n\nhello", "a[x.txt=hello]" },
    { "a picture alone", "Content-Type: image/png\n\nPNG", "a[image.png=PNG]" },
    { "alternative", MULTI("alternative", "b") "--b\n" TEXT "t\n--b\n" HTML "h\n--b--\n", "T[t] H[h]" },
    { "alternative, html first", MULTI("alternative", "b") "--b\n" HTML "h\n--b\n" TEXT "t\n--b--\n", "T[t] H[h]" },
    { "alternative with a third form", MULTI("alternative", "b") "--b\n" TEXT "t\n--b\nContent-Type: text/x-amp-html\n\namp\n--b\n" HTML "h\n--b--\n",
      "T[t] H[h] a[text3.txt=amp]" },
    { "alternative with a calendar", MULTI("alternative", "b") "--b\n" TEXT "t\n--b\nContent-Type: text/calendar; method=REQUEST\n\nBEGIN:VCALENDAR\n--b--\n",
      "T[t] a[calendar.ics=BEGIN:VCALENDAR]" },
    { "alternative twice the same", MULTI("alternative", "b") "--b\n" TEXT "one\n--b\n" TEXT "two\n--b--\n", "T[one] a[text.txt=two]" },
    { "mixed", MULTI("mixed", "b") "--b\n" TEXT "t\n--b\n" FILE_("x.pdf") "PDF\n--b--\n", "T[t] a[x.pdf=PDF]" },
    { "mixed, attachment first", MULTI("mixed", "b") "--b\n" FILE_("x.pdf") "PDF\n--b\n" TEXT "t\n--b--\n", "T[t] a[x.pdf=PDF]" },
    { "mixed, more text", MULTI("mixed", "b") "--b\n" TEXT "one\n--b\n" TEXT "two\n--b--\n", "T[one] a[text.txt=two]" },
    { "mixed, html behind text is not its other form", MULTI("mixed", "b") "--b\n" TEXT "t\n--b\n" HTML "h\n--b--\n", "T[t] a[text.html=h]" },
    { "mixed, blank text first", MULTI("mixed", "b") "--b\n" TEXT "\n\n--b\n" HTML "h\n--b--\n", "T[/] H[h]" },
    { "mixed, blank text last", MULTI("mixed", "b") "--b\n" TEXT "t\n--b\n" FILE_("x.pdf") "PDF\n--b\n" TEXT " \n--b--\n", "T[t] a[x.pdf=PDF]" },
    { "mixed around alternative", MULTI("mixed", "b") "--b\n" MULTI("alternative", "c") "--c\n" TEXT "t\n--c\n" HTML "h\n--c--\n--b\n" FILE_("x.pdf") "PDF\n--b--\n",
      "T[t] H[h] a[x.pdf=PDF]" },
    { "alternative around mixed", MULTI("alternative", "b") "--b\n" TEXT "t\n--b\n" MULTI("mixed", "c") "--c\n" HTML "h1\n--c\n" FILE_("x.pdf") "PDF\n--c\n" HTML
      "h2\n--c--\n--b--\n", "T[t] H[h1] a[x.pdf=PDF] a[text.html=h2]" },
    { "related", MULTI("related", "b") "--b\n" HTML "<img src=cid:one>\n--b\n" PNG("one") "1\n--b\n" PNG("two") "2\n--b--\n",
      "H[<img src=cid:one>] h[one.png=1] a[two.png=2]" },
    { "related names its root", "Content-Type: multipart/related; boundary=b; start=\"<r>\"\n\n--b\n" PNG("one") "1\n--b\nContent-ID: <r>\n" HTML
      "<img src='cid:one'>\n--b--\n", "H[<img src='cid:one'>] h[one.png=1]" },
    { "related around alternative", MULTI("related", "b") "--b\n" MULTI("alternative", "c") "--c\n" TEXT "t\n--c\n" HTML "<img src=\"CID:one\">\n--c--\n--b\n" PNG("one")
      "1\n--b--\n", "T[t] H[<img src=\"CID:one\">] h[one.png=1]" },
    { "alternative around related", MULTI("alternative", "b") "--b\n" TEXT "t\n--b\n" MULTI("related", "c") "--c\n" HTML "cid:one\n--c\n" PNG("one") "1\n--c--\n--b--\n",
      "T[t] H[cid:one] h[one.png=1]" },
    { "inline pictures without related", MULTI("mixed", "b") "--b\n" HTML "<img src=\"cid:a%40b\">\n--b\nContent-Type: image/png; name=x.png\nContent-ID: <a@b>\n\n1\n--b--\n",
      "H[<img src=\"cid:a%40b\">] h[x.png=1]" },
    { "a content id that nobody names", MULTI("mixed", "b") "--b\n" HTML "cid:oneandmore\n--b\n" PNG("one") "1\n--b--\n", "H[cid:oneandmore] a[one.png=1]" },
    { "content location", MULTI("related", "b") "--b\n" HTML "<img src=x.png>\n--b\nContent-Type: image/png\nContent-Location: http://a/x.png\n\n1\n--b--\n",
      "H[<img src=x.png>] h[image.png=1]" },
    { "digest", MULTI("digest", "b") "--b\n\nSubject: one\n\n1\n--b\n\nSubject: two\n\n2\n--b--\n", "m[one: T[1]] m[two: T[2]]" },
    { "unknown multipart", MULTI("x-new", "b") "--b\n" TEXT "t\n--b\n" FILE_("x.pdf") "PDF\n--b--\n", "T[t] a[x.pdf=PDF]" },
    { "signed by PGP", MULTI("signed; protocol=\"application/pgp-signature\"", "b") "--b\n" TEXT "t\n--b\nContent-Type: application/pgp-signature\n\nSIG\n--b--\n",
      "T[t] a[signature.asc=SIG]" },
    { "enriched", "Content-Type: text/enriched\n\n<bold>fat</bold> a<<b <color><param>red</param>red</color>",
      "T[fat a<b red] a[text.rtx=<bold>fat</bold> a<<b <color><param>red</param>red</color>]" },
    { "unusual text alone", "Content-Type: text/markdown\n\n# hello", "T[# hello]" },
    { "calendar alone", "Content-Type: text/calendar\n\nBEGIN:VCALENDAR", "a[calendar.ics=BEGIN:VCALENDAR]" },
    { "TNEF", MULTI("mixed", "b") "--b\n" TEXT "t\n--b\nContent-Type: application/ms-tnef; name=winmail.dat\n\nTNEF\n--b--\n", "T[t] a[winmail.dat=TNEF]" },
    { "uuencoded lines stay in the body", "\nbegin 644 x.txt\n#86)C\n`\nend", "T[begin 644 x.txt/#86)C/`/end]" },
    { "uuencoded part", "Content-Type: application/x; name=x.txt\nContent-Transfer-Encoding: x-uuencode\n\nbegin 644 x.txt\n#86)C\n`\nend\n", "a[x.txt=abc]" },
    { "quoted-printable", "Content-Transfer-Encoding: quoted-printable\n\na=3Db =\nc=  \nd=XY=", "T[a=b cd=XY]" },
    { "base64", "Content-Transfer-Encoding: BASE64\n\naGVs\nbG8=\n", "T[hello]" },
    { "base64 in two pieces", "Content-Transfer-Encoding: base64\n\naGU=\nbGxv\n", "T[hello]" },
    { "base64 cut off", "Content-Transfer-Encoding: base64\n\naGVsbG", "T[hell]" },
    { "a footer behind base64", "Content-Transfer-Encoding: base64\n\naGVsbG8K\n____\nlist footer", "T[hello/____/list footer]" },
    { "text that only claims base64", "Content-Transfer-Encoding: base64\n\nhello, world!", "T[hello, world!]" },
    { "bytes that only claim base64", "Content-Type: image/png\nContent-Transfer-Encoding: base64\n\n\x89PNG\x1a\n", "a[image.png=\x89PNG\x1a/]" },
    { "unknown transfer encoding", "Content-Transfer-Encoding: x-odd\n\nhello", "T[hello]" },
    /* broken structure */
    { "no delimiter at all", MULTI("mixed", "b") "hello", "T[hello]" },
    { "no boundary given", "Content-Type: multipart/mixed\n\n--x\n" TEXT "t\n--x\n" FILE_("x.pdf") "PDF\n--x--\n", "T[t] a[x.pdf=PDF]" },
    { "another boundary than given", MULTI("mixed", "b") "--x\n" TEXT "t\n--x\n" FILE_("x.pdf") "PDF\n--x--\n", "T[t] a[x.pdf=PDF]" },
    { "not closed", MULTI("mixed", "b") "--b\n" TEXT "t\n--b\n" FILE_("x.pdf") "PDF", "T[t] a[x.pdf=PDF]" },
    { "inner not closed", MULTI("mixed", "b") "--b\n" MULTI("alternative", "c") "--c\n" TEXT "t\n--b\n" FILE_("x.pdf") "PDF\n--b--\n", "T[t] a[x.pdf=PDF]" },
    { "one boundary begins with the other", MULTI("mixed", "ab") "--ab\n" MULTI("mixed", "abc") "--abc\n" TEXT "t\n--abc--\n--ab\n" FILE_("x.pdf") "PDF\n--ab--\n",
      "T[t] a[x.pdf=PDF]" },
    { "blanks behind the delimiter", MULTI("mixed", "b") "--b  \t\n" TEXT "t\n--b-- \n", "T[t]" },
    { "delimiter inside of a line", MULTI("mixed", "b") "--b\n" TEXT "t --b\n--bc\n--b--\n", "T[t --b/--bc]" },
    { "quoted boundary", "Content-Type: multipart/mixed; boundary=\"a b:c\"\n\n--a b:c\n" TEXT "t\n--a b:c--\n", "T[t]" },
    { "no parts", MULTI("mixed", "b") "--b--\n", "" },
    { "usual preamble", MULTI("mixed", "b") "This is a multi-part message in MIME format.\n--b\n" TEXT "t\n--b--\n\n", "T[t]" },
    { "text around the parts is kept", MULTI("mixed", "b") "before\n--b\n" TEXT "t\n--b--\nbehind\n", "T[t] a[preamble.txt=before] a[epilogue.txt=behind/]" },
    { "text behind the parts is never usual", MULTI("mixed", "b") "--b\n" TEXT "t\n--b--\nMIME is dead\n", "T[t] a[epilogue.txt=MIME is dead/]" },
    { "a part without header", MULTI("mixed", "b") "--b\n\nt\n--b--\n", "T[t]" },
    { "a part without empty line", MULTI("mixed", "b") "--b\nContent-Type: text/plain\n--b--\n", "T[]" },
    { "no type", "Content-Type: \n\nhello", "T[hello]" },
    { "half a type", "Content-Type: text\n\nhello", "T[hello]" },
    { "odd type", "Content-Type: foo; bar\n\nhello", "T[hello]" },
    { "CRLF", "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nt\r\n\r\n--b\r\nContent-Type: application/x; name=y\r\n\r\nz\r\n--b--\r\n", "T[t/] a[y=z]" },
};

TEST(bodies_of_every_structure)
{
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        struct got *g = got_mail(bodies[i].eml);
        if (!CHECK_STR(shape(g), bodies[i].shape))
            fprintf(stderr, "    %s\n", bodies[i].what);
        check_sound(&g->m);
        got_end(g);
    }
}

/* A message in a message: all of it again, with its own body, recipients and attachments. */
TEST(messages_in_messages)
{
    struct got *g = got_mail(MULTI("mixed", "b") "--b\n" TEXT "outer\n--b\nContent-Type: message/rfc822\n\nFrom: in@x\nTo: a@x, b@x\nSubject: inner\n" MULTI("mixed", "c")
                             "--c\n" HTML "<p>\n--c\n" FILE_("x.pdf") "PDF\n--c\nContent-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n"
                             "U3ViamVjdDogZGVlcAoKaGVsbG8=\n--c--\n--b--\n");
    CHECK_STR(shape(g), "T[outer] m[inner: H[<p>] a[x.pdf=PDF] m[deep: T[hello]]]");
    REQUIRE(g->m.natt == 1 && g->m.att[0].embedded != NULL);
    CHECK_INT(g->m.att[0].embedded->nrcpt, 2);
    CHECK_INT(props_i32(&g->m.att[0].set, PidTagAttachMethod, 0), 5);
    check_sound(&g->m);
    got_end(g);
}

TEST(what_is_no_message_in_a_message_part_is_kept)
{
    struct got *g = got_mail(MULTI("mixed", "b") "--b\nContent-Type: message/rfc822; name=x.eml\n\nnot a message, sorry\n--b\nContent-Type: message/rfc822\n\n\n--b--\n");
    CHECK_STR(shape(g), "a[x.eml=not a message, sorry] a[message.eml=]");
    got_end(g);
}

TEST(partial_and_external_bodies_keep_their_header)
{
    struct got *g = got_mail("Content-Type: message/partial; id=\"i@x\"; number=2; total=3\n\npiece");
    CHECK_STR(shape(g), "a[partial.eml=Content-Type: message/partial; id=\"i@x\"; number=2; total=3//piece]");
    got_end(g);
    g = got_mail(MULTI("mixed", "b") "--b\nContent-Type: message/external-body; access-type=URL;\n URL=\"http://x/y\"\n\nContent-Type: image/png\n\n--b--\n");
    CHECK_STR(shape(g), "a[external-body.txt=Content-Type: message/external-body; access-type=URL;/ URL=\"http://x/y\"//Content-Type: image/png/]");
    got_end(g);
}
