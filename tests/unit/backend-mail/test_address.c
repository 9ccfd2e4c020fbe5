/* test_address.c - senders and recipients. */
#include "tests/unit/backend-mail/kit.h"
#include "backend/mapi/entryid.h"
#include <stdio.h>

static const struct { const char *line, *name, *address; } people[] = {
    { "joe@example.com", "joe@example.com", "joe@example.com" },
    { "<joe@example.com>", "joe@example.com", "joe@example.com" },
    { "Joe Blow <joe@example.com>", "Joe Blow", "joe@example.com" },
    { "\"Blow, Joe\" <joe@example.com>", "Blow, Joe", "joe@example.com" },
    { "joe@example.com (Joe Blow)", "Joe Blow", "joe@example.com" },
    { "=?utf-8?Q?J=C3=BCrgen?= <j@example.com>", "Jürgen", "j@example.com" },
    { "\"=?utf-8?Q?J=C3=BCrgen?=\" <j@example.com>", "Jürgen", "j@example.com" },
    { "=?iso-8859-1?Q?J\xfcrgen?= <j@example.com>", "Jürgen", "j@example.com" },
    { "J\xc3\xbcrgen <j@example.com>", "Jürgen", "j@example.com" },
    { "J\xfcrgen <j@example.com>", "Jürgen", "j@example.com" },
    { "Folded\n Name\n <j@example.com>", "Folded Name", "j@example.com" },
    { "Joe <joe@example.com", "Joe", "joe@example.com" },
    { "Joe <@relay.example:joe@example.com>", "Joe", "joe@example.com" },
    { "A Group: joe@example.com, b@example.com;", "joe@example.com", "joe@example.com" },
    { "Only A Name", "Only A Name", "" },
    { "MAILER DAEMON <>", "MAILER DAEMON", "" },
    { "root", "root", NULL },
    { "\xf0\x9f\x98\x80 <smile@example.com>", "😀", "smile@example.com" },
    { "j\xc3\xbcrgen@ex\xc3\xa4mple.com", NULL, NULL },
    { "\"very\\\"quoted\" <q@example.com>", "very\"quoted", "q@example.com" },
};

TEST(senders_of_every_kind)
{
    struct arena *a = arena_new(1 << 20);
    for (size_t i = 0; i < sizeof people / sizeof people[0]; i++) {
        struct got *g = got_mail(arena_printf(a, "From: %s\nSubject: x\n\nx", people[i].line));
        bool ok = people[i].name == NULL || CHECK_STR(got_str(g, PidTagSenderName), people[i].name);
        ok = (people[i].address == NULL || CHECK_STR(got_str(g, PidTagSenderEmailAddress), people[i].address)) && ok;
        if (!ok)
            fprintf(stderr, "    %s\n", people[i].line);
        check_sound(&g->m);
        got_end(g);
    }
    arena_free(a);
}

TEST(sender_is_who_sent_and_from_is_for_whom)
{
    struct got *g = got_mail("From: Boss <boss@example.com>\nSender: Desk <desk@example.com>\nSubject: x\n\nx");
    struct oneoff id;
    CHECK_STR(got_str(g, PidTagSenderSmtpAddress), "desk@example.com");
    CHECK_STR(got_str(g, PidTagSentRepresentingSmtpAddress), "boss@example.com");
    CHECK_STR(got_str(g, PidTagSentRepresentingName), "Boss");
    CHECK_STR(got_str(g, PidTagSenderAddressType), "SMTP");
    CHECK_BLOB(props_bin(&g->m.set, PidTagSenderSearchKey), blob_of("SMTP:DESK@EXAMPLE.COM", 22));
    REQUIRE(entryid_oneoff_parse(g->a, props_bin(&g->m.set, PidTagSenderEntryId), &id));
    CHECK_BLOB(id.address, blob_str("desk@example.com"));
    got_end(g);
    g = got_mail("Sender: Desk <desk@example.com>\nSubject: x\n\nx");
    CHECK_STR(got_str(g, PidTagSentRepresentingSmtpAddress), "desk@example.com");
    got_end(g);
    g = got_mail("Subject: x\n\nx");
    CHECK(props_find(&g->m.set, PidTagSenderName) == NULL);
    got_end(g);
}

static const char *rows(struct got *g)
{
    const char *all = "";
    for (size_t i = 0; i < g->m.nrcpt; i++)
        all = arena_printf(g->a, "%s%s%d:%s<%s>", all, i > 0 ? " " : "", g->m.rcpt[i].type, prop_str(g, &g->m.rcpt[i].props, PidTagDisplayName),
                           prop_str(g, &g->m.rcpt[i].props, PidTagSmtpAddress));
    return all;
}

static const struct { const char *head, *rows; } lists[] = {
    { "To: a@x, B <b@x>\nCc: c@x\nBcc: d@x\n", "1:a@x<a@x> 1:B<b@x> 2:c@x<c@x> 3:d@x<d@x>" },
    { "To: a@x\nTo: b@x\n", "1:a@x<a@x> 1:b@x<b@x>" },
    { "To: a@x,,, b@x,\n", "1:a@x<a@x> 1:b@x<b@x>" },
    { "To: a@x; b@x\n", "1:a@x<a@x> 1:b@x<b@x>" },
    { "To: undisclosed-recipients:;\n", "" },
    { "To: Team: a@x, b@x;, c@x\n", "1:a@x<a@x> 1:b@x<b@x> 1:c@x<c@x>" },
    { "To: \n", "" },
    { "TO: a@x\ncc : b@x\n", "1:a@x<a@x> 2:b@x<b@x>" },
};

TEST(recipients_of_every_kind)
{
    struct arena *a = arena_new(1 << 20);
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        struct got *g = got_mail(arena_printf(a, "%sSubject: x\n\nx", lists[i].head));
        CHECK_STR(rows(g), lists[i].rows);
        check_sound(&g->m);
        got_end(g);
    }
    arena_free(a);
}

TEST(reply_to_becomes_an_entry_list)
{
    struct got *g = got_mail("Reply-To: One <one@x>, two@x\nSubject: x\n\nx");
    CHECK_STR(got_str(g, PidTagReplyRecipientNames), "One; two@x");
    struct rd r = rd_blob_of(props_bin(&g->m.set, PidTagReplyRecipientEntries));
    CHECK_INT(rd_u32(&r), 2);
    uint32_t size = rd_u32(&r);
    CHECK_INT(size, r.n);
    for (int i = 0; i < 2; i++) {
        struct oneoff id;
        uint32_t n = rd_u32(&r);
        REQUIRE(entryid_oneoff_parse(g->a, rd_blob(&r, n), &id));
        CHECK_BLOB(id.address, blob_str(i == 0 ? "one@x" : "two@x"));
        rd_blob(&r, (4 - n % 4) % 4);
    }
    CHECK(rd_done(&r));
    got_end(g);
}
