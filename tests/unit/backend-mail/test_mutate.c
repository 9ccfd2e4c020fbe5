/* test_mutate.c - whole mails, each truncation and each bit flip: always a sound message, never a crash. */
#include "tests/unit/backend-mail/kit.h"
#include "tests/mutate.h"

static void convert(void *ctx, struct blob variant)
{
    size_t *sound = ctx;
    struct got *g = got_bytes(variant);
    if (variant.n != 0) {
        REQUIRE(g->ok);
        check_sound(&g->m);
        ++*sound;
    }
    got_end(g);
}

static void mutate(const char *eml)
{
    size_t sound = 0, n = mutate_all(blob_str(eml), convert, &sound);
    CHECK_INT(sound, n - 1);
}

TEST_LIMIT(structure, 300)
{
    mutate("From: =?utf-8?q?J=C3=BC?= <a@b.c>\nTo: g: x@y, \"z\" <z@y>;\nSubject: =?koi8-r?B?8NLJ?=\nContent-Type: multipart/mixed; boundary=\"b\"\n\n--b\n"
           "Content-Type: multipart/related; boundary=c\n\n--c\nContent-Type: text/html; charset=shift_jis\n\n<img src=cid:i%40>\x93\xfa\n--c\nContent-ID: <i@>\n"
           "Content-Type: image/png\nContent-Transfer-Encoding: base64\n\nQUJD\n--c--\n--b\nContent-Type: message/rfc822\n\nSubject: in\n\nx=\n--b--\nend\n");
}

TEST_LIMIT(names_and_words, 300)
{
    mutate("Subject: =?utf-8?b?w6Q=?= =?iso-8859-1?q?\xe4_b?=\nDate: Mon, 1 Jan 2024 12:00:00 +0100\nReceived: a; 1 Jan 2024 12:00:00 GMT\nKeywords: a, b\n"
           "Thread-Index: AQHVAAAAAAAAAAAAAAAAAAAAAAAAAA==\nX-A: 1\nReply-To: a@b\nContent-Disposition: attachment; filename*0*=utf-8''%C3%A4;\n filename*1=\"=?b?q?x?=\"\n"
           "Content-Transfer-Encoding: quoted-printable\n\na=3D=\nb=\n");
}

TEST_LIMIT(reports, 300)
{
    mutate("Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\nsorry\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\n"
           "Final-Recipient: rfc822; <a@x>\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550\n\n--b\nContent-Type: text/rfc822-headers\n\nSubject: o\n"
           "Date: 1 Jan 2024 12:00:00 GMT\n--b--\n");
}

TEST_LIMIT(signed_and_odd_encodings, 300)
{
    mutate("Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; boundary=b\n\n--b\nContent-Type: text/enriched; charset=utf-7\n\n<b>+APY-</b><<\n--b\n"
           "Content-Type: application/pkcs7-signature\nContent-Transfer-Encoding: x-uuencode\n\nbegin 644 x\n#86)C\n`\nend\n--b--\n");
}

static void take_apart(void *ctx, struct blob variant)
{
    struct arena *a = arena_new(1 << 20);
    struct mbox_message one;
    size_t last = 0;
    (void)ctx;
    mbox_looks_so(variant);
    for (size_t at = 0, next; mbox_next(variant, at, &one, &next); at = next) {
        struct mail_options o = { 0 };
        REQUIRE(next > at && next <= variant.n);
        mbox_flags(a, mbox_unescaped(a, one.raw), &o);
        last = next;
    }
    CHECK_INT(last, variant.n);
    arena_free(a);
}

TEST_LIMIT(mboxes, 300)
{
    mutate_all(blob_str("From a Mon Jan 1 12:00:00 2024\nStatus: RO\nX-Status: A\nX-Mozilla-Status: 0001\n\n>From x\n>>From y\n\nFrom b Mon Jan 1 12:00:00 2024\r\n\r\nx\r\n\r\n"), take_apart, NULL);
}
