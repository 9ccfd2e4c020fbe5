/* test_hostile.c - mails made to cost time or memory: each takes less than a second, whatever it repeats. */
#include "tests/unit/backend-mail/kit.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#if defined(__SANITIZE_ADDRESS__)
enum { LIMIT_MS = 20000 };   /* instrumented, one malloc for each allocation */
#else
enum { LIMIT_MS = 1000 };
#endif

#define HEAD "From: a@b.c\nDate: Mon, 1 Jan 2024 00:00:00 +0000\n"

/* before, n times (%u: the number, twice), behind */
static const struct { const char *what, *before, *each, *behind; unsigned n; } mails[] = {
    { "header lines", HEAD, "X-H%u: %u\n", "\nbody", 100000 },
    { "equal header lines", HEAD, "X-Same: v\n", "\nbody", 100000 },
    { "To lines", HEAD, "To: r%u@b.c\n", "\nbody", 100000 },
    { "From lines", HEAD, "From: r%u@b.c\n", "\nbody", 100000 },
    { "Received lines", HEAD, "Received: from a by b; %u Jan 2024\n", "\nbody", 100000 },
    { "Content-Type lines", HEAD, "Content-Type: text/plain; charset=utf-8\n", "\nbody", 100000 },
    { "Keywords", HEAD "Keywords: ", "k%u,", "\n\nbody", 100000 },
    { "folds", HEAD "Subject: x\n", " f%u\n", "\nbody", 100000 },
    { "references", HEAD "References: ", " <a%u@b>", "\n\nbody", 100000 },
    { "recipients", HEAD "To: ", "Name %u <r%u@b.c>,\n ", "z@b.c\n\nbody", 10000 },
    { "many recipients", HEAD "To: ", "r%u@b.c, ", "z@b.c\n\nbody", 100000 },
    { "reply addresses", HEAD "Reply-To: ", "r%u@b.c, ", "z@b.c\n\nbody", 100000 },
    { "groups in groups", HEAD "To: ", "g%u:", "\n\nbody", 100000 },
    { "groups", HEAD "To: ", "g%u:a@b;,", "\n\nbody", 50000 },
    { "comments in comments", HEAD "To: ", "(", "\n\nbody", 500000 },
    { "angle brackets", HEAD "To: ", "<", "\n\nbody", 500000 },
    { "quotes", HEAD "To: ", "\"", "\n\nbody", 500000 },
    { "at signs", HEAD "To: ", "a@", "\n\nbody", 200000 },
    { "dots", HEAD "To: ", "a.", "\n\nbody", 200000 },
    { "words", HEAD "To: ", "word ", "<a@b>\n\nbody", 200000 },
    { "commas", HEAD "To: ", ",", "\n\nbody", 500000 },
    { "backslashes", HEAD "To: \"", "\\", "\n\nbody", 500000 },
    { "date comments", "Date: ", "(", "\n\nbody", 500000 },
    { "parameters", HEAD "Content-Type: text/plain", "; p%u=v", "\n\nbody", 100000 },
    { "parameter pieces", HEAD "Content-Disposition: attachment", "; filename*%u=v", "\n\nbody", 100000 },
    { "semicolons", HEAD "Content-Type: text/plain", ";", "\n\nbody", 500000 },
    { "encoded words", HEAD "Subject: ", "=?utf-8?q?a%u?= ", "\n\nbody", 100000 },
    { "words of many charsets", HEAD "Subject: ", "=?koi8-r?q?a%u?= =?big5?q?b?= ", "\n\nbody", 20000 },
    { "beginnings of encoded words", HEAD "Subject: ", "=?", "\n\nbody", 300000 },
    { "raw bytes in encoded words", HEAD "Subject: ", "=?a?q?\xe4", "\n\nbody", 100000 },
    { "parts", HEAD "Content-Type: multipart/mixed; boundary=b\n\n", "--b\nContent-Type: text/plain\n\npart %u\n", "--b--\n", 100000 },
    { "empty parts", HEAD "Content-Type: multipart/mixed; boundary=b\n\n", "--b\n\n", "--b--\n", 100000 },
    { "messages", HEAD "Content-Type: multipart/digest; boundary=b\n\n", "--b\n\nSubject: %u\n\nbody\n", "--b--\n", 100000 },
    { "multiparts in multiparts", HEAD, "Content-Type: multipart/mixed; boundary=b%u\n\n--b%u\n", "\nbody", 50000 },
    { "multiparts of one boundary", HEAD, "Content-Type: multipart/mixed; boundary=b\n\n--b\n", "\nbody", 50000 },
    { "multiparts without delimiter", HEAD "Content-Type: multipart/mixed; boundary=b\n\n", "--b\nContent-Type: multipart/mixed; boundary=x\n\n--y%u\n-- \n", "", 50000 },
    { "messages in messages", HEAD, "Content-Type: message/rfc822\n\n", "\nbody", 50000 },
    { "lines of dashes", HEAD "Content-Type: multipart/mixed; boundary=b\n\n--b\n\n", "--x%u\n", "", 200000 },
    { "content ids", HEAD "Content-Type: text/html\n\n", "<img src=cid:a%u@b>", "", 200000 },
    { "beginnings of commands", HEAD "Content-Type: text/enriched\n\n", "<", "", 500000 },
    { "recipients of a report", HEAD "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\nsorry\n--b\nContent-Type: message/delivery-status\n\n",
      "Final-Recipient: rfc822; r%u@x\nAction: failed\n\n", "--b--\n", 30000 },
    { "base64 padding", HEAD "Content-Transfer-Encoding: base64\n\n", "=", "", 1000000 },
    { "quoted-printable breaks", HEAD "Content-Transfer-Encoding: quoted-printable\n\n", "= ", "", 300000 },
    { "escapes", HEAD "Content-Type: text/plain; charset=iso-2022-jp\n\n", "\x1b$", "", 500000 },
    { "bad bytes", HEAD "Content-Type: text/plain; charset=euc-jp\n\n", "\xff", "", 1000000 },
};

/* Processor time, so that a busy machine fails no test. */
static uint64_t cpu_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static struct blob made(struct arena *a, size_t i)
{
    struct wr w = wr_in(a, (size_t)1 << 30);
    char one[200];
    wr_put(&w, blob_str(mails[i].before));
    for (unsigned n = 0; n < mails[i].n; n++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(one, sizeof one, mails[i].each, n, n);
#pragma GCC diagnostic pop
        wr_put(&w, blob_str(one));
    }
    wr_put(&w, blob_str(mails[i].behind));
    return wr_blob(&w);
}

TEST_LIMIT(hostile_mails_take_less_than_a_second, 600)
{
    for (size_t i = 0; i < sizeof mails / sizeof mails[0]; i++) {
        struct arena *a = arena_new((size_t)1 << 32);
        struct blob eml = made(a, i);
        uint64_t start = cpu_ms();
        struct got *g = got_bytes(eml);
        uint64_t ms = cpu_ms() - start;
        size_t used = arena_used(g->a);
        bool fast = CHECK(ms < LIMIT_MS), small = CHECK(used < eml.n * 40 + (32u << 20));
        if (!fast || !small || getenv("HOSTILE_TIMES") != NULL)
            fprintf(stderr, "    %-32s %8zu bytes: %5llu ms, %zu bytes\n", mails[i].what, eml.n, (unsigned long long)ms, used);
        check_sound(&g->m);
        got_end(g);
        arena_free(a);
    }
}

TEST(ten_thousand_recipients_are_all_there)
{
    struct arena *a = arena_new((size_t)1 << 30);
    struct got *g = got_bytes(made(a, 9));
    CHECK_INT(g->m.nrcpt, 10000);
    CHECK_STR(prop_str(g, &g->m.rcpt[9998].props, PidTagSmtpAddress), "r9998@b.c");
    got_end(g);
    arena_free(a);
}
