/* test_report.c - reports, and signed or encrypted messages. */
#include "tests/unit/backend-mail/kit.h"
#include <stdio.h>

#define REPORT(kind, fields)                                                                                                                         \
    "From: MAILER-DAEMON@x\nTo: me@x\nSubject: s\nContent-Type: multipart/report; report-type=" kind "; boundary=b\n\n--b\nContent-Type: text/plain\n\n" \
    "sorry\n--b\nContent-Type: message/" kind "\n\n" fields "\n--b\nContent-Type: text/rfc822-headers\n\n"                                            \
    "Subject: =?utf-8?q?the_original?=\nMessage-ID: <orig@x>\nDate: Mon, 1 Jan 2024 12:00:00 +0000\n--b--\n"

static const struct { const char *eml, *class; } classes[] = {
    { REPORT("delivery-status", "Reporting-MTA: dns; mx\n\nFinal-Recipient: rfc822; a@x\nAction: failed\nStatus: 5.1.1\n"), "REPORT.IPM.Note.NDR" },
    { REPORT("delivery-status", "Reporting-MTA: dns; mx\n\nFinal-Recipient: rfc822; a@x\nAction: delivered\n"), "REPORT.IPM.Note.DR" },
    { REPORT("delivery-status", "Reporting-MTA: dns; mx\n\nFinal-Recipient: rfc822; a@x\nAction: Delayed\n"), "REPORT.IPM.Note.Delayed.DR" },
    { REPORT("delivery-status", "Reporting-MTA: dns; mx\n\nFinal-Recipient: rfc822; a@x\nAction: relayed\n"), "REPORT.IPM.Note.Relayed.DR" },
    { REPORT("delivery-status", "Reporting-MTA: dns; mx\n\nFinal-Recipient: rfc822; a@x\nAction: expanded\n"), "REPORT.IPM.Note.Expanded.DR" },
    { REPORT("delivery-status", "Reporting-MTA: x\n\nFinal-Recipient: rfc822; a@x\nAction: delivered\n\nFinal-Recipient: rfc822; b@x\nAction: failed\n"),
      "REPORT.IPM.Note.NDR" },
    { REPORT("disposition-notification", "Disposition: manual-action/MDN-sent-manually; displayed\nOriginal-Message-ID: <orig@x>\n"), "REPORT.IPM.Note.IPNRN" },
    { REPORT("disposition-notification", "Disposition: automatic-action/MDN-sent-automatically; deleted\n"), "REPORT.IPM.Note.IPNNRN" },
    { REPORT("delivery-status", "nothing to be understood\n"), "IPM.Note" },
    { REPORT("feedback-report", "Feedback-Type: abuse\n"), "IPM.Note" },
    { "Subject: s\n\nplain", "IPM.Note" },
};

TEST(classes_of_reports)
{
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++) {
        struct got *g = got_mail(classes[i].eml);
        if (!CHECK_STR(got_str(g, PidTagMessageClass), classes[i].class))
            fprintf(stderr, "    %s\n", classes[i].eml);
        check_sound(&g->m);
        got_end(g);
    }
}

TEST(a_report_lists_the_recipients_that_it_is_about)
{
    struct got *g = got_mail(REPORT("delivery-status", "Reporting-MTA: dns; mx\n\nOriginal-Recipient: rfc822;<a@x>\nFinal-Recipient: rfc822; other@x\nAction: failed\n"
                                    "Status: 5.1.1\nRemote-MTA: dns; far.example\nDiagnostic-Code: smtp; 550 no such user\n\n"
                                    "Final-Recipient: rfc822; b@x\nAction: failed\nStatus: odd\n"));
    REQUIRE(g->m.nrcpt == 2);
    CHECK_STR(prop_str(g, &g->m.rcpt[0].props, PidTagSmtpAddress), "a@x");
    CHECK_STR(prop_str(g, &g->m.rcpt[0].props, PidTagSupplementaryInfo), "smtp; 550 no such user");
    CHECK_STR(prop_str(g, &g->m.rcpt[0].props, PidTagRemoteMessageTransferAgent), "far.example");
    CHECK_INT(props_i32(&g->m.rcpt[0].props, PidTagNonDeliveryReportStatusCode, 0), 511);
    CHECK_STR(prop_str(g, &g->m.rcpt[1].props, PidTagSmtpAddress), "b@x");
    CHECK(props_find(&g->m.rcpt[1].props, PidTagNonDeliveryReportStatusCode) == NULL);
    CHECK_STR(got_str(g, PidTagOriginalSubject), "the original");
    CHECK_STR(got_str(g, PidTagInReplyToId), "<orig@x>");
    CHECK_INT(props_i64(&g->m.set, PidTagOriginalSubmitTime, 0), (1704110400ll + 11644473600ll) * 10000000ll);
    CHECK_STR(got_str(g, PidTagBody), "sorry");
    CHECK_INT(g->m.natt, 2); /* status and returned header lines stay */
    got_end(g);
}

/* --- S/MIME ------------------------------------------------------------------------------------------------------------------------------------ */

static const char signed_mail[] =
    "Subject: s\nContent-Type: multipart/signed; protocol=\"application/pkcs7-signature\";\n\tmicalg=sha-256; boundary=b\n\n--b\nContent-Type: multipart/mixed; boundary=c\n\n"
    "--c\nContent-Type: text/plain\n\nread me\n--c\nContent-Type: application/pdf; name=x.pdf\n\nPDF\n--c--\n--b\nContent-Type: application/pkcs7-signature\n\nSIG\n--b--\n";

TEST(a_signed_message_stays_whole)
{
    struct got *g = got_mail(signed_mail);
    CHECK_STR(got_str(g, PidTagMessageClass), "IPM.Note.SMIME.MultipartSigned");
    CHECK_STR(got_str(g, PidTagBody), "read me");
    REQUIRE(g->m.natt == 1);
    CHECK_STR(prop_str(g, &g->m.att[0].set, PidTagAttachMimeTag), "multipart/signed");
    CHECK_STR(prop_str(g, &g->m.att[0].set, PidTagAttachLongFilename), "smime.p7m");
    struct blob whole = props_bin(&g->m.att[0].set, PidTagAttachDataBinary);
    static const char want[] =
        "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\";\r\n\tmicalg=sha-256; boundary=b\r\n\r\n--b\r\n"
        "Content-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\nContent-Type: text/plain\r\n\r\nread me\r\n--c\r\nContent-Type: application/pdf; name=x.pdf\r\n\r\nPDF\r\n"
        "--c--\r\n--b\r\nContent-Type: application/pkcs7-signature\r\n\r\nSIG\r\n--b--\r\n";
    CHECK_BLOB(whole, blob_str(want));
    got_end(g);
}

TEST(an_encrypted_message_is_its_bytes)
{
    static const char *const heads[] = {
        "Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m\n", "Content-Type: application/x-pkcs7-mime; name=smime.p7m\n",
        "Content-Type: application/octet-stream; name=\"smime.P7M\"\n",
    };
    struct arena *a = arena_new(1 << 20);
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        struct got *g = got_mail(arena_printf(a, "Subject: s\n%sContent-Transfer-Encoding: base64\n\nQ01T\n", heads[i]));
        CHECK_STR(got_str(g, PidTagMessageClass), "IPM.Note.SMIME");
        CHECK_STR(shape(g), "a[smime.p7m=CMS]");
        got_end(g);
    }
    arena_free(a);
}

TEST(a_signed_part_inside_of_a_list_mail_is_read)
{
    struct arena *a = arena_new(1 << 20);
    struct got *g = got_mail(arena_printf(a, "Content-Type: multipart/mixed; boundary=z\n\n--z\n%s\n--z\n\nfooter\n--z--\n", signed_mail));
    CHECK_STR(got_str(g, PidTagMessageClass), "IPM.Note");
    CHECK_STR(shape(g), "T[read me] a[x.pdf=PDF] a[smime.p7s=SIG] a[text.txt=footer]");
    got_end(g);
    arena_free(a);
}
