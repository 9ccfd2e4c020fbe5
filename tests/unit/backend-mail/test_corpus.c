/* test_corpus.c - real mail: all of the shared corpus converts, and what is known of it comes out. */
#include "tests/unit/backend-mail/kit.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

TEST(every_file_converts)
{
    struct dirent **list;
    int n = scandir(corpus_dir("eml"), &list, NULL, alphasort), mails = 0;
    REQUIRE(n > 0);
    for (int i = 0; i < n; i++) {
        struct arena *a = arena_new((size_t)1 << 30);
        if (list[i]->d_name[0] != '.') {
            struct got *g = got_bytes(corpus_file(a, arena_printf(a, "eml/%s", list[i]->d_name)));
            CHECK(g->ok);
            check_sound(&g->m);
            got_end(g);
            mails++;
        }
        arena_free(a);
        free(list[i]);
    }
    free(list);
    CHECK(mails >= 40);
}

TEST(the_mbox_converts)
{
    corpus_dir(""); /* skips before anything is allocated */
    struct arena *a = arena_new((size_t)1 << 30);
    struct blob file = corpus_file(a, "mbox/complex.mbox");
    struct mbox_message one;
    unsigned n = 0;
    CHECK(mbox_looks_so(file));
    for (size_t at = 0, next; mbox_next(file, at, &one, &next); at = next, n++) {
        struct got *g = got_bytes(mbox_unescaped(a, one.raw));
        CHECK(props_str(&g->m.set, PidTagSubject).n != 0);
        CHECK(props_str(&g->m.set, PidTagSenderEmailAddress).n != 0);
        CHECK(props_str(&g->m.set, PidTagInternetMessageId).n != 0);
        check_sound(&g->m);
        got_end(g);
    }
    CHECK_INT(n, 3);
    arena_free(a);
}

/* `body` is how the text begins; attachments: names with '|' between them. */
static const struct { const char *file, *subject, *sender, *body, *attachments; int64_t sent; } known[] = {
    { "delivery-status", "Delivery Status Notification (Failure)", "MAILER-DAEMON@amazonses.com", "An error occurred while trying", "delivery-status.txt|Example Subject", 1613437026 },
    { "large_text", "[Bug 381598] Re: ubiquity crashes in ubuntu 9.04 installation", "ubuntu-bugs-bounces@lists.ubuntu.com", "Exception during installation:\r\n", "", 0 },
    { "mixed", "", NULL, "\r\nThis e-mail message has been scanned", "text.txt", 0 },
    { "mp-legacy-000", "Test message from Microsoft Outlook 00", "doug@example.com", NULL, "redball.png", 958606505 },
    { "mp-legacy-002", "Die Hasen und die Frösche", "dwsauder@example.com", NULL, "", 958710660 },
    { "mp-legacy-008", "Test message from Microsoft Outlook 00", "doug@example.com", "\r\nThe Hare and the Tortoise", "blueball.png|greenball.png|redball.png", 958606367 },
    { "mp-legacy-010", "Die Hasen und die Frösche", "dwsauder@example.com", "Die Hasen und die Frösche\r\n", "", 958713027 },
    { "mp-legacy-016", "Die Hasen und die Frösche", "dwsauder@example.com", "Die Hasen und die Frösche\r\n", "blueball.png|HasenundFrösche.txt", 958712005 },
    { "mp-legacy-018", "Die Hasen und die Frösche", "dwsauder@example.com", "blueball.png", "blueball.png|redball.png", 958710781 },
    { "mp-legacy-026", "Die Hasen und die Frösche", "dwsauder@example.com", "Die Hasen und die Frösche\r\n", "HasenundFrösche.txt|farmerandstork.txt", 958712371 },
    { "mp-legacy-036", "Die Hasen und die Frösche", "doug@penguin.example.com", "Die Hasen und die Frösche\r\n", "", 958745883 },
    { "mp-legacy-048", "Test message from Netscape Communicator 4.7", "dwsauder@example.com", "\r\nThe Hare and the Tortoise", "redball.png|greenball.png|blueball.png", 958621452 },
    { "mp-malformed-008", "", NULL, "body", "text.html", 0 },
    { "mp-malformed-012", "", NULL, NULL, "message|message|message", 0 },
    { "mp-malformed-018", "", NULL, "Best\r\nEnviado desde mi BlackBerry® de Vodafone<?xml", "", 0 },
    { "mp-malformed-022", "broken rfc822 attachment", "a@example.com", "hello", "broken.eml", 0 },
    { "nested", "", "u@example.com", "\r\nDear Sir,", "text.txt|text.html", 0 },
    { "nodemailer", "Nodemailer is unicode friendly ✔ (1476358788189)", "andris@kreata.ee", "Hello to myself!", "text4.txt|image.png|nyan cat ✔.gif|notes.txt", 1476358788 },
    { "testEmailWithPNGAtt", "Test Attachment Email", "XXXX@apache.org", "This email has a PNG attachment", "testPNG.png", 1469032502 },
    { "testGroupWiseEml", "test333", "$$$.$$$.$$$", "test", "test2|Neues Textdokument.txt", 1372332597 },
    { "testRFC822_multipart_attachments", "EML 1", "Bugs.Bunny@acme.com", "Hi,\r\n\r\nThis is test email", "Test TxtA.txt|Test TxtB.txt", 0 },
};

static const char *attachments(struct got *g)
{
    const char *all = "";
    for (size_t i = 0; i < g->m.natt; i++)
        all = arena_printf(g->a, "%s%s%s", all, i > 0 ? "|" : "", prop_str(g, &g->m.att[i].set, PidTagDisplayName));
    return all;
}

TEST(what_is_known_of_real_mails)
{
    corpus_dir(""); /* skips before anything is allocated */
    struct arena *a = arena_new((size_t)1 << 30);
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        struct got *g = got_bytes(corpus_file(a, arena_printf(a, "eml/%s.eml", known[i].file)));
        bool ok = CHECK_STR(got_str(g, PidTagSubject), known[i].subject);
        ok = (known[i].sender == NULL || CHECK_STR(got_str(g, PidTagSenderEmailAddress), known[i].sender)) && ok;
        const char *body = got_str(g, PidTagBody);
        ok = (known[i].body == NULL || CHECK(body != NULL && strncmp(body, known[i].body, strlen(known[i].body)) == 0)) && ok;
        ok = CHECK_STR(attachments(g), known[i].attachments) && ok;
        if (known[i].sent != 0)
            ok = CHECK_INT(props_i64(&g->m.set, PidTagClientSubmitTime, 0) / 10000000 - 11644473600ll, known[i].sent) && ok;
        if (!ok)
            fprintf(stderr, "    %s\n", known[i].file);
        got_end(g);
    }
    arena_free(a);
}

/* Pictures that the HTML shows are not in the list of attachments. */
TEST(inline_pictures_of_real_mails)
{
    corpus_dir(""); /* skips before anything is allocated */
    struct arena *a = arena_new((size_t)1 << 30);
    struct got *g = got_bytes(corpus_file(a, "eml/nodemailer.eml"));
    REQUIRE(g->m.natt == 4);
    CHECK(!props_bool(&g->m.att[0].set, PidTagAttachmentHidden, false));
    CHECK(props_bool(&g->m.att[1].set, PidTagAttachmentHidden, false));
    CHECK(props_bool(&g->m.att[2].set, PidTagAttachmentHidden, false));
    CHECK(!props_bool(&g->m.att[3].set, PidTagAttachmentHidden, false));
    got_end(g);
    arena_free(a);
}
