/* test_kept.c - nothing of a mail is lost: every part's bytes are found in the body, the HTML or an attachment. */
#include "tests/unit/backend-mail/kit.h"
#include "backend/base/crypto.h"
#include <stdio.h>

/* All text and bytes of a message, those inside of it included. */
static void all_bytes(struct wr *w, const struct msg *m)
{
    wr_put(w, props_str(&m->set, PidTagBody));
    wr_u8(w, 0);
    wr_put(w, props_bin(&m->set, PidTagHtml));
    wr_u8(w, 0);
    for (size_t i = 0; i < m->natt; i++) {
        wr_put(w, props_bin(&m->att[i].set, PidTagAttachDataBinary));
        wr_u8(w, 0);
        if (m->att[i].embedded != NULL)
            all_bytes(w, m->att[i].embedded);
    }
}

static bool holds(struct blob all, const char *token) { return memmem(all.p, all.n, token, strlen(token)) != NULL; }

/* --- mails by chance --------------------------------------------------------------------------------------------------------------------------- */

struct making { struct arena *a; struct wr w; uint32_t seed; unsigned leaves, multis; };

static unsigned chance(struct making *k, unsigned n)
{
    k->seed = k->seed * 1664525 + 1013904223;
    return (k->seed >> 10) % n;
}

static void put(struct making *k, const char *s) { wr_put(&k->w, blob_str(s)); }

/* Leaf n holds "token-n-." in one of the encodings. */
static void leaf(struct making *k)
{
    static const char *const types[] = { "text/plain", "text/html", "text/plain; charset=utf-8", "text/html; charset=koi8-r", "image/png; name=x.png",
                                         "application/octet-stream", "text/calendar", "text/enriched", "message/delivery-status", "text/x-odd", "application/ms-tnef" };
    static const char *const dispositions[] = { "", "", "Content-Disposition: inline\n", "Content-Disposition: attachment\n",
                                                "Content-Disposition: attachment; filename=\"f.bin\"\n", "Content-ID: <one@x>\n", "Content-Disposition: \n" };
    const char *token = arena_printf(k->a, "token-%u-.", k->leaves++), *text = token;
    unsigned how = chance(k, 4);
    put(k, arena_printf(k->a, "Content-Type: %s\n%s", types[chance(k, 11)], dispositions[chance(k, 7)]));
    if (how == 1) {
        put(k, "Content-Transfer-Encoding: base64\n");
        text = base64(k->a, blob_str(token));
    } else if (how == 2) {
        put(k, "Content-Transfer-Encoding: quoted-printable\n");
        text = arena_printf(k->a, "=74oken-=\n%s", token + 6);
    }
    put(k, arena_printf(k->a, "\n%s\n", text));
}

static void node(struct making *k, unsigned depth)
{
    static const char *const kinds[] = { "mixed", "alternative", "related", "signed", "report", "x-odd", "parallel" };
    unsigned what = depth > 5 ? 9 : chance(k, 10);
    if (what < 4) {
        unsigned b = k->multis++, n = 1 + chance(k, 4);
        put(k, arena_printf(k->a, "Content-Type: multipart/%s; boundary=\"b%u\"\n\n", kinds[chance(k, 7)], b));
        for (unsigned i = 0; i < n && k->leaves < 60; i++) {
            put(k, arena_printf(k->a, "--b%u\n", b));
            node(k, depth + 1);
        }
        if (chance(k, 5) != 0)
            put(k, arena_printf(k->a, "--b%u--\n", b));
    } else if (what == 4 && depth > 0) {
        put(k, "Content-Type: message/rfc822\n\nSubject: inner\n");
        node(k, depth + 1);
    } else
        leaf(k);
}

TEST_LIMIT(every_part_of_a_thousand_mails_is_found, 300)
{
    unsigned seen = 0;
    for (uint32_t i = 0; i < 1000; i++) {
        struct making k = { .a = arena_new(1 << 24), .seed = i };
        k.w = wr_in(k.a, 1 << 20);
        put(&k, "From: a@b.c\nSubject: s\n");
        node(&k, 0);
        struct got *g = got_bytes(wr_blob(&k.w));
        struct wr all = wr_in(k.a, 1 << 22);
        all_bytes(&all, &g->m);
        for (unsigned n = 0; n < k.leaves; n++, seen++)
            if (!CHECK(holds(wr_blob(&all), arena_printf(k.a, "token-%u-.", n)))) {
                fprintf(stderr, "    mail %u, leaf %u:\n%.*s\n    %s\n", i, n, (int)k.w.n, (const char *)k.w.p, shape(g));
                unit_leave();
            }
        check_sound(&g->m);
        got_end(g);
        arena_free(k.a);
    }
    CHECK(seen > 2000);
}

/* --- beyond the bounds ------------------------------------------------------------------------------------------------------------------------- */

static void check_tokens(struct making *k, unsigned n)
{
    struct got *g = got_bytes(wr_blob(&k->w));
    struct wr all = wr_in(k->a, (size_t)1 << 28);
    all_bytes(&all, &g->m);
    for (unsigned i = 0; i < n; i++)
        REQUIRE(holds(wr_blob(&all), arena_printf(k->a, "token-%u-.", i)));
    CHECK(g->m.natt <= 1100);
    check_sound(&g->m);
    got_end(g);
    arena_free(k->a);
}

TEST(parts_beyond_the_bound_stay_together)
{
    struct making k = { .a = arena_new(1 << 28) };
    k.w = wr_in(k.a, 1 << 26);
    put(&k, "Content-Type: multipart/mixed; boundary=b\n\n");
    for (unsigned i = 0; i < 1500; i++)
        put(&k, arena_printf(k.a, "--b\nContent-Type: image/png\n\ntoken-%u-.\n", i));
    check_tokens(&k, 1500);
}

TEST(messages_and_parts_share_the_bound)
{
    struct making k = { .a = arena_new(1 << 28) };
    k.w = wr_in(k.a, 1 << 26);
    put(&k, "Content-Type: multipart/mixed; boundary=b\n\n");
    for (unsigned i = 0; i < 60; i++) {
        put(&k, arena_printf(k.a, "--b\nContent-Type: message/rfc822\n\nSubject: x\nContent-Type: multipart/mixed; boundary=c%u\n\n", i));
        for (unsigned n = 0; n < 40; n++)
            put(&k, arena_printf(k.a, "--c%u\nContent-Type: image/png\n\ntoken-%u-.\n", i, i * 40 + n));
    }
    check_tokens(&k, 2400);
}

TEST(nesting_beyond_the_bound_is_kept_unread)
{
    static const char *const kinds[] = { "multipart/mixed", "message/rfc822" };
    for (unsigned kind = 0; kind < 2; kind++) {
        struct making k = { .a = arena_new(1 << 28) };
        k.w = wr_in(k.a, 1 << 26);
        put(&k, "Subject: x\n");
        for (unsigned i = 0; i < 100; i++)
            put(&k, kind == 0 ? arena_printf(k.a, "Content-Type: %s; boundary=b%u\n\n--b%u\nContent-Type: image/png\n\ntoken-%u-.\n--b%u\n", kinds[0], i, i, i, i)
                              : arena_printf(k.a, "Content-Type: multipart/mixed; boundary=b%u\n\n--b%u\nContent-Type: image/png\n\ntoken-%u-.\n--b%u\nContent-Type: %s\n\n",
                                             i, i, i, i, kinds[1]));
        put(&k, "\nend\n");
        check_tokens(&k, 100);
    }
}
