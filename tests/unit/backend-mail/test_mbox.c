/* test_mbox.c - files of many messages, and the key by which an import knows a message. */
#include "tests/unit/backend-mail/kit.h"
#include <stdio.h>

#define FROM "From a@b.c Mon Jan  1 12:00:00 2024\n"

static const char *taken_apart(struct arena *a, const char *file)
{
    struct mbox_message one;
    const char *all = "";
    for (size_t at = 0, next; mbox_next(blob_str(file), at, &one, &next); at = next) {
        struct blob b = mbox_unescaped(a, one.raw);
        all = arena_printf(a, "%s%zu[%.*s]", all, one.offset, (int)b.n, b.n != 0 ? (const char *)b.p : "");
    }
    return all;
}

static const struct { const char *file, *messages; } files[] = {
    { FROM "Subject: 1\n\none\n\n" FROM "Subject: 2\n\ntwo\n", "0[Subject: 1\n\none\n]53[Subject: 2\n\ntwo\n]" },
    { FROM "Subject: 1\n\none", "0[Subject: 1\n\none]" },
    { FROM, "0[]" },
    { FROM FROM, "0[" FROM "]" },                                              /* no empty line before it: a line of the message */
    { FROM "a\n\nFrom the desk of nobody\n", "0[a\n\nFrom the desk of nobody\n]" }, /* no date */
    { FROM "a\n\nFrom 2010 until 2024 we\n\nFrom 12:30 on\n", "0[a\n\nFrom 2010 until 2024 we\n\nFrom 12:30 on\n]" },
    { FROM "a\n>From me\n>>From you\n> From\n", "0[a\nFrom me\n>From you\n> From\n]" },
    { "From a Mon Jan 1 12:00:00 2024\r\nS: 1\r\n\r\none\r\n\r\nFrom b Mon Jan 1 12:00:00 2024\r\nS: 2\r\n", "0[S: 1\r\n\r\none\r\n]47[S: 2\r\n]" },
};

TEST(mboxes_taken_apart)
{
    struct arena *a = arena_new(1 << 20);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        CHECK(mbox_looks_so(blob_str(files[i].file)));
        CHECK_STR(taken_apart(a, files[i].file), files[i].messages);
    }
    CHECK(!mbox_looks_so(blob_str("Subject: x\n")));
    CHECK(!mbox_looks_so(blob_str("From me to you\n")));
    CHECK(!mbox_looks_so(blob_of(NULL, 0)));
    arena_free(a);
}

TEST(an_mbox_is_walked_without_copies)
{
    struct arena *a = arena_new(1 << 30);
    struct wr w = wr_in(a, 1 << 28);
    struct mbox_message one;
    size_t n = 0;
    for (int i = 0; i < 20000; i++)
        wr_put(&w, blob_str(FROM "Subject: x\n\nbody of some length, so that there is something\n\n"));
    size_t used = arena_used(a);
    for (size_t at = 0, next; mbox_next(wr_blob(&w), at, &one, &next); at = next, n++)
        CHECK(mbox_unescaped(a, one.raw).p == one.raw.p);
    CHECK_INT(n, 20000);
    CHECK_INT(arena_used(a), used);
    arena_free(a);
}

TEST(flags_of_mbox_programs)
{
    static const struct { const char *head; bool read, answered, flagged, draft; } rows[] = {
        { "Status: RO\n", true, false, false, false }, { "Status: O\nX-Status: AF\n", false, true, true, false }, { "X-Status: T\n", false, false, false, true },
        { "X-Mozilla-Status: 0007\n", true, true, true, false }, { "X-Mozilla-Status: 0001\n", true, false, false, false }, { "", false, false, false, false },
    };
    struct arena *a = arena_new(1 << 20);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct mail_options o = { 0 };
        CHECK(mbox_flags(a, blob_str(arena_printf(a, "%sSubject: x\n\nStatus: R", rows[i].head)), &o));
        CHECK_INT(o.read, rows[i].read);
        CHECK_INT(o.answered, rows[i].answered);
        CHECK_INT(o.flagged, rows[i].flagged);
        CHECK_INT(o.draft, rows[i].draft);
    }
    arena_free(a);
}

TEST(what_mozilla_expunged_is_gone)
{
    struct arena *a = arena_new(1 << 20);
    struct mail_options o = { 0 };
    CHECK(!mbox_flags(a, blob_str("X-Mozilla-Status: 0009\nSubject: x\n\n"), &o));
    CHECK(mbox_flags(a, blob_str("X-Mozilla-Status: 0010\nSubject: x\n\n"), &o));
    arena_free(a);
}

TEST(the_key_does_not_see_line_ends)
{
    uint8_t unix_[32], dos[32], other[32];
    mail_key(blob_str("Subject: x\n\na\nb\n"), unix_);
    mail_key(blob_str("Subject: x\r\n\r\na\r\nb\r\n"), dos);
    mail_key(blob_str("Subject: x\n\na\nB\n"), other);
    CHECK(memcmp(unix_, dos, 32) == 0);
    CHECK(memcmp(unix_, other, 32) != 0);
    mail_key(blob_str("a\rb"), unix_);
    mail_key(blob_str("ab"), other);
    CHECK(memcmp(unix_, other, 32) != 0);
}
