/* test_header.c - subjects, dates, importance and the other header lines. */
#include "tests/unit/backend-mail/kit.h"
#include <stdio.h>

static const struct { const char *line, *subject; } subjects[] = {
    { "plain", "plain" },
    { "  much   blank  ", "much   blank" },
    { "folded\n over\n\ttwo", "folded over\ttwo" },
    { "folded\r\n in CRLF", "folded in CRLF" },
    { "=?utf-8?Q?M=C3=BCller?=", "Müller" },
    { "=?UTF-8?B?TcO8bGxlcg==?=", "Müller" },
    { "=?iso-8859-1?q?a_b=E4?=", "a bä" },
    { "=?utf-8?q?one?= =?utf-8?q?two?=", "onetwo" },
    { "=?utf-8?q?one?=\n =?utf-8?q?two?=", "onetwo" },
    { "=?utf-8?b?w6?= =?utf-8?b?Q=?=", NULL },                      /* anything, but no crash */
    { "=?utf-8?q?a=C3?= =?utf-8?q?=A4?=", "aä" },                   /* a character cut in two */
    { "=?iso-2022-jp?B?GyRCRnxLXBsoQg==?=", "日本" },
    { "=?x-unknown?q?a?=", "a" },
    { "=?iso-8859-1?Q?Fr\xf6sche?=", "Frösche" },                   /* raw bytes inside an encoded word */
    { "Re: =?utf-8?q?=C3=A4?= and more", "Re: ä and more" },
    { "M\xc3\xbcller", "Müller" },
    { "M\xfcller", "Müller" },
    { "\x1b$BF|K\\\x1b(B", "日本" },
    { "=?", "=?" },
    { "=?utf-8?q?open", "=?utf-8?q?open" },
    { "100% =20 sure?", "100% =20 sure?" },
};

TEST(subjects_of_every_kind)
{
    struct arena *a = arena_new(1 << 20);
    for (size_t i = 0; i < sizeof subjects / sizeof subjects[0]; i++) {
        struct got *g = got_mail(arena_printf(a, "From: a@b.c\nSubject: %s\n\nx", subjects[i].line));
        if (subjects[i].subject != NULL)
            CHECK_STR(got_str(g, PidTagSubject), subjects[i].subject);
        check_sound(&g->m);
        got_end(g);
    }
    arena_free(a);
}

/* Raw bytes in the header are of the charset that the body declares. */
TEST(raw_subject_in_the_charset_of_the_body)
{
    struct got *g = got_mail("Subject: \xf0\xd2\xc9\nContent-Type: text/plain; charset=koi8-r\n\nx");
    CHECK_STR(got_str(g, PidTagSubject), "При");
    got_end(g);
    g = got_mail("Subject: \xf0\xd2\xc9\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain; charset=koi8-r\n\nx\n--b--\n");
    CHECK_STR(got_str(g, PidTagSubject), "При");
    got_end(g);
}

static const struct { const char *subject, *topic; } topics[] = {
    { "Re: topic", "topic" }, { "AW: topic", "topic" }, { "Fwd: topic", "topic" }, { "\xe5\x9b\x9e\xe5\xa4\x8d: x", "x" }, { "Note: topic", "Note: topic" },
    { "Re:topic", "Re:topic" }, { "R2: topic", "R2: topic" }, { ": topic", ": topic" }, { "Re: ", "Re:" }, { "Re: Re: topic", "Re: topic" }, { "", "" },
};

/* OXCMSG R64: up to three letters, a colon and a blank. */
TEST(conversation_topic_is_the_subject_without_its_prefix)
{
    struct arena *a = arena_new(1 << 20);
    for (size_t i = 0; i < sizeof topics / sizeof topics[0]; i++) {
        struct got *g = got_mail(arena_printf(a, "Subject: %s\n\nx", topics[i].subject));
        CHECK_STR(got_str(g, PidTagConversationTopic), topics[i].topic);
        got_end(g);
    }
    struct got *g = got_mail("Subject: Re: x\nThread-Topic: =?utf-8?q?the_topic?=\n\nx");
    CHECK_STR(got_str(g, PidTagConversationTopic), "the topic");
    got_end(g);
    arena_free(a);
}

/* --- dates ----------------------------------------------------------------------------------------------------------------------------------- */

static int64_t unix_of(const struct got *g, uint32_t tag)
{
    int64_t t = props_i64(&g->m.set, tag, -1);
    return t < 0 ? -1 : t / 10000000 - 11644473600ll;
}

static const struct { const char *date; int64_t time; } dates[] = {
    { "Mon, 01 Jan 2024 12:00:00 +0000", 1704110400 },
    { "Mon, 1 Jan 2024 13:00:00 +0100", 1704110400 },
    { "1 Jan 2024 12:00:00 GMT", 1704110400 },
    { "Mon, 1 Jan 2024 07:00:00 EST", 1704110400 },
    { "Mon, 1 Jan 2024 12:00:00 -0000 (comment)", 1704110400 },
    { "Mon,\n 1 Jan 2024\n 12:00:00 +0000", 1704110400 },
    { "Fri, 19 May 2000 00:53:25 -0400", 958712005 },
    { "Mon, 1 Jan 24 12:00:00 +0000", 1704110400 },
};

TEST(dates_of_every_kind)
{
    struct arena *a = arena_new(1 << 20);
    for (size_t i = 0; i < sizeof dates / sizeof dates[0]; i++) {
        struct got *g = got_mail(arena_printf(a, "Subject: x\nDate: %s\n\nx", dates[i].date));
        if (!CHECK_INT(unix_of(g, PidTagClientSubmitTime), dates[i].time))
            fprintf(stderr, "    %s\n", dates[i].date);
        CHECK_INT(unix_of(g, PidTagMessageDeliveryTime), dates[i].time);
        got_end(g);
    }
    arena_free(a);
}

TEST(delivery_time_is_that_of_the_newest_received_line)
{
    struct got *g = got_mail("Received: from a (b; c) by d; Mon, 1 Jan 2024 12:00:10 +0000\nReceived: from x by y; Mon, 1 Jan 2024 12:00:05 +0000\n"
                             "Date: Mon, 1 Jan 2024 12:00:00 +0000\nSubject: x\n\nx");
    CHECK_INT(unix_of(g, PidTagClientSubmitTime), 1704110400);
    CHECK_INT(unix_of(g, PidTagMessageDeliveryTime), 1704110410);
    got_end(g);
    g = got_mail("Received: no date at all\nReceived: from x by y; Mon, 1 Jan 2024 12:00:05 +0000\nSubject: x\n\nx");
    CHECK_INT(unix_of(g, PidTagMessageDeliveryTime), 1704110405);
    CHECK_INT(unix_of(g, PidTagClientSubmitTime), 1704110405);
    got_end(g);
}

TEST(no_date_or_a_bad_one)
{
    static const char *const bad[] = { "", "Date: \n", "Date: yesterday\n", "Date: Mon, 99 Foo 99999 99:99:99 +9999\n", "Date: 32 Jan 2024 12:00:00\n" };
    struct arena *a = arena_new(1 << 20);
    got_options.now = 116444736000000000ull + 5 * 10000000ull;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct got *g = got_mail(arena_printf(a, "%sSubject: x\n\nx", bad[i]));
        CHECK_INT(unix_of(g, PidTagMessageDeliveryTime), 5);
        got_end(g);
    }
    got_options.now = 0;
    arena_free(a);
}

/* --- words ----------------------------------------------------------------------------------------------------------------------------------- */

static const struct { const char *line; int importance, sensitivity; } words[] = {
    { "Importance: high", 2, 0 }, { "Importance: Low", 0, 0 }, { "X-Priority: 1 (Highest)", 2, 0 }, { "X-Priority: 5", 0, 0 }, { "Priority: urgent", 2, 0 },
    { "Priority: non-urgent", 0, 0 }, { "X-MSMail-Priority: High", 2, 0 }, { "Importance: whatever", 1, 0 }, { "Sensitivity: Private", 1, 2 },
    { "Sensitivity: Company-Confidential", 1, 3 }, { "Sensitivity: personal", 1, 1 }, { "X-None: 1", 1, 0 },
};

TEST(importance_and_sensitivity)
{
    struct arena *a = arena_new(1 << 20);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        struct got *g = got_mail(arena_printf(a, "Subject: x\n%s\n\nx", words[i].line));
        CHECK_INT(props_i32(&g->m.set, PidTagImportance, -1), words[i].importance);
        CHECK_INT(props_i32(&g->m.set, PidTagSensitivity, 0), words[i].sensitivity);
        got_end(g);
    }
    arena_free(a);
}

TEST(threads_receipts_lists_and_times)
{
    struct got *g = got_mail("Message-ID: <one@x> junk\nIn-Reply-To: <two@x>\nReferences: <three@x>\n\t<two@x>\nThread-Index: AQHV\n AAAAAAAAAAAAAAAAAAAAAAAAAA==\n"
                             "List-Unsubscribe: <mailto:u@x>\nDisposition-Notification-To: a@b\nReply-By: Mon, 1 Jan 2024 12:00:00 +0000\nSubject: x\n\nx");
    CHECK_STR(got_str(g, PidTagInternetMessageId), "<one@x>");
    CHECK_STR(got_str(g, PidTagInReplyToId), "<two@x>");
    CHECK_STR(got_str(g, PidTagInternetReferences), "<three@x>\t<two@x>");
    CHECK_STR(got_str(g, PidTagListUnsubscribe), "<mailto:u@x>");
    CHECK(props_bool(&g->m.set, PidTagReadReceiptRequested, false));
    CHECK_STR(got_str(g, PidTagReadReceiptSmtpAddress), "a@b");
    CHECK_INT(unix_of(g, PidTagReplyTime), 1704110400);
    CHECK_INT(props_bin(&g->m.set, PidTagConversationIndex).n, 22);
    got_end(g);
    g = got_mail("Thread-Index: !!!\nSubject: x\n\nx");
    CHECK(props_find(&g->m.set, PidTagConversationIndex) == NULL);
    got_end(g);
}

TEST(unwanted_automatic_answers)
{
    static const struct { const char *line; int bits; } rows[] = { { "OOF, AutoReply", 48 }, { "DR,NDR,rn", 7 }, { "All", -1 }, { "None", 0 }, { "OOFX", 0 } };
    struct arena *a = arena_new(1 << 20);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct got *g = got_mail(arena_printf(a, "Subject: x\nX-Auto-Response-Suppress: %s\n\nx", rows[i].line));
        CHECK_INT(props_i32(&g->m.set, PidTagAutoResponseSuppress, 0), rows[i].bits);
        got_end(g);
    }
    arena_free(a);
}

TEST(header_lines_stay_as_they_are)
{
    struct got *g = got_mail("X-One: =?utf-8?q?a?=\n folded\nSubject: s\nno header\nX-Two: M\xfcller\n\nbody");
    CHECK_STR(got_str(g, PidTagTransportMessageHeaders), "X-One: =?utf-8?q?a?=\r\n folded\r\nSubject: s\r\nno header\r\nX-Two: Müller\r\n");
    CHECK_STR(got_str(g, PidTagBody), "body");
    got_end(g);
}

TEST(x_headers_and_keywords_are_named_properties)
{
    struct got *g = got_mail("X-Spam-Score: 5.1\nx-MIXED-case: yes\nKeywords: red, green;=?utf-8?q?bl=C3=A4u?=\nSubject: s\n\nx");
    const struct propval *score = got_named(g, &PS_INTERNET_HEADERS, "x-spam-score"), *mixed = got_named(g, &PS_INTERNET_HEADERS, "x-mixed-case");
    const struct propval *words_ = got_named(g, &PS_PUBLIC_STRINGS, "Keywords");
    REQUIRE(score != NULL && mixed != NULL && words_ != NULL);
    CHECK_BLOB(score->v.s, blob_str("5.1"));
    CHECK_BLOB(mixed->v.s, blob_str("yes"));
    REQUIRE(words_->v.mv.n == 3);
    CHECK_BLOB(words_->v.mv.s[1], blob_str("green"));
    CHECK_BLOB(words_->v.mv.s[2], blob_str("bläu"));
    got_end(g);
}

TEST(flags_of_the_file_become_flags_of_the_message)
{
    got_options = (struct mail_options){ .read = true, .flagged = true, .answered = true, .draft = true };
    struct got *g = got_mail("Subject: x\n\nx");
    CHECK_INT(props_i32(&g->m.set, PidTagMessageFlags, -1), 9);
    CHECK_INT(props_i32(&g->m.set, PidTagFlagStatus, 0), 2);
    CHECK_INT(props_i32(&g->m.set, PidTagLastVerbExecuted, 0), 102);
    got_options = (struct mail_options){ 0 };
    got_end(g);
    g = got_mail("Subject: x\n\nx");
    CHECK_INT(props_i32(&g->m.set, PidTagMessageFlags, -1), 0);
    CHECK(props_find(&g->m.set, PidTagFlagStatus) == NULL);
    got_end(g);
}

/* --- what is a header ------------------------------------------------------------------------------------------------------------------------ */

static const struct { const char *eml, *subject, *body; } ends[] = {
    { "Subject: s\n\nbody", "s", "body" },
    { "Subject: s\r\n\r\nbody\r\n", "s", "body\r\n" },
    { "Subject: s", "s", "" },
    { "Subject: s\n", "s", "" },
    { "Subject: s\n\n", "s", "" },
    { "Subject : s\n\nbody", "s", "body" },
    { "Subject:s\n\nbody", "s", "body" },
    { "From someone Mon Jan 1 00:00:00 2024\nSubject: s\n\nbody", "s", "body" },
    { ">From someone Mon Jan 1 00:00:00 2024\nSubject: s\n\nbody", "s", "body" },
    { "Subject: s\nthis is no header\nbut the body", "s", "this is no header\r\nbut the body" },
    { "no header at all", "", "no header at all" },
    { "\nonly a body", "", "only a body" },
    { "From the desk of nobody\n\nSubject: s", "", "From the desk of nobody\r\n\r\nSubject: s" },
    { ":\n\nx", "", ":\r\n\r\nx" },
};

TEST(where_the_header_ends)
{
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        struct got *g = got_mail(ends[i].eml);
        CHECK_STR(got_str(g, PidTagSubject), ends[i].subject);
        CHECK_STR(got_str(g, PidTagBody), ends[i].body);
        got_end(g);
    }
}

TEST(nothing_is_no_mail)
{
    struct got *g = got_bytes(blob_of(NULL, 0));
    CHECK(!g->ok);
    got_end(g);
}
