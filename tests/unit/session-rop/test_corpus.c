/* test_corpus.c - real mails, where this machine has them: stored, then read through the ROPs, every property, recipient, stream, attachment and message in
 * it. */
#include "backend/mail/mail.h"
#include "tests/unit/backend-mapi/shared.h"
#include "tests/unit/session-rop/steps.h"
#include <dirent.h>

struct seen { unsigned mails, attachments, embedded, streams; uint64_t bytes; };

static uint64_t store(struct rig *g, struct blob bytes, struct msg *out)
{
    struct arena *a = arena_new((size_t)1 << 30);
    struct mailbox *m = rig_mailbox(g, a);
    struct mail_options o = { 0 };
    struct msg msg = { 0 };
    mail_in(a, bytes, &o, &msg);
    REQUIRE_EC(mailbox_write(m), ecNone);
    struct message_save s = { .fid = g->fid[SF_DRAFTS], .over = &msg, .keep_times = true };
    CHECK_EC(message_save(m, &s), ecNone);
    REQUIRE_EC(mailbox_commit(m), ecNone);
    out->nrcpt = msg.nrcpt;
    out->natt = msg.natt;
    arena_free(a);
    return rig_wire(s.mid);
}

static void read_all(struct rig *g, uint32_t h, uint32_t tag, struct seen *n)
{
    struct rd r;
    uint32_t s = 0, got = 0;
    ec_t ec = rig_rop(g, h, ROP_OPEN_STREAM, rig_args(g, "db", (uint64_t)tag, 0ull), &r, &s);
    if (!CHECK_EC(ec, ecNone))
        return;
    uint32_t size = rd_u32(&r);
    for (struct blob piece; (piece = read_stream(g, s, 30000)).n != 0; )
        got += (uint32_t)piece.n;
    CHECK_INT(got, size);
    release(g, s);
    n->streams++;
    n->bytes += size;
}

/* All values; those that are too long for the answer as streams. */
static void read_values(struct rig *g, uint32_t h, struct seen *n)
{
    struct rd r;
    struct tags streams = { 0 };
    REQUIRE_EC(rig_rop(g, h, ROP_GET_ALL, rig_args(g, "ww", 0ull, 1ull), &r, NULL), ecNone);
    struct pv_codec c = { g->a, 1252, PV_COUNTS_ROP };
    for (size_t i = rd_u16(&r); i > 0; i--) {
        struct propval v;
        propval_read_tagged(&r, &c, &v);
        if (prop_type(v.tag) == PtypErrorCode)
            CHECK_EC(v.v.err, 0x8007000E);
    }
    CHECK(rd_done(&r));
    REQUIRE_EC(rig_rop(g, h, ROP_GET_LIST, blob_of(NULL, 0), &r, NULL), ecNone);
    for (size_t i = rd_u16(&r); i > 0; i--) {
        uint32_t tag = rd_u32(&r);
        if (prop_type(tag) == PtypString || prop_type(tag) == PtypBinary)
            tags_add(g->life, &streams, tag);
    }
    CHECK(rd_done(&r));
    for (size_t i = 0; i < streams.n; i++)
        if (prop_id(streams.v[i]) >= 0x1000 && prop_id(streams.v[i]) < 0x3800)
            read_all(g, h, streams.v[i], n);
}

static void read_recipients(struct rig *g, uint32_t h, size_t want)
{
    size_t seen = 0;
    for (uint32_t next = 0; seen < want; ) {
        struct rd r;
        REQUIRE_EC(rig_rop(g, h, ROP_READ_RCPTS, rig_args(g, "dw", (uint64_t)next, 0ull), &r, NULL), ecNone);
        size_t n = rd_u8(&r);
        for (size_t i = 0; i < n; i++) {
            uint32_t row = rd_u32(&r);
            rd_blob(&r, 5);
            rd_blob(&r, rd_u16(&r));
            seen += next == 0 || row != next;
            if (i + 1 == n)
                next = row;
        }
        CHECK(rd_done(&r) && n > 0);
        if (!rd_done(&r) || (n == 1 && seen < want && next != 0))
            break;
    }
    CHECK_INT(seen, want);
}

static void read_message(struct rig *g, uint32_t h, unsigned depth, struct seen *n)
{
    struct rd r;
    uint32_t num[256];
    read_values(g, h, n);
    REQUIRE_EC(rig_rop(g, h, ROP_VALID_ATTS, blob_of(NULL, 0), &r, NULL), ecNone);
    size_t natt = rd_u32(&r);
    for (size_t i = 0; i < natt && i < 256; i++)
        num[i] = rd_u32(&r);
    for (size_t i = 0; i < natt && i < 256; i++) {
        uint32_t a = open_attachment(g, h, num[i], 0), e = 0;
        n->attachments++;
        if (property(g, a, PidTagAttachMethod).v.i32 == 5 && depth < 20) {
            REQUIRE_EC(rig_rop(g, a, ROP_OPEN_EMBEDDED, rig_args(g, "wb", 0x0FFFull, 0ull), NULL, &e), ecNone);
            n->embedded++;
            read_message(g, e, depth + 1, n);
            release(g, e);
        } else {
            read_values(g, a, n);
        }
        release(g, a);
    }
}

static void one_file(struct rig *g, const char *name, struct seen *n)
{
    struct arena *a = arena_new(1 << 24);
    struct blob bytes = shared_file(a, arena_printf(a, "corpus/eml/%s", name));
    struct msg facts = { 0 };
    if (bytes.n != 0) {
        uint64_t mid = store(g, bytes, &facts);
        uint32_t h = open_message(g, mid, 0);
        CHECK_INT(property(g, h, PidTagHasAttachments).v.b, facts.natt > 0);
        if (facts.nrcpt != 0)
            read_recipients(g, h, facts.nrcpt);
        read_message(g, h, 0, n);
        release(g, h);
        n->mails++;
    }
    arena_free(a);
}

TEST_LIMIT(every_mail_of_the_corpus_can_be_read_completely, 240)
{
    const char *root = getenv("MAPIHTTPD_SHARED");
    struct arena *a = arena_new(1 << 20);
    struct dirent **entry;
    struct seen n = { 0 };
    int files = scandir(arena_printf(a, "%s/corpus/eml", root != NULL ? root : "../shared"), &entry, NULL, alphasort);
    arena_free(a);
    if (files <= 0)
        SKIP("no corpus here");
    struct rig *g = rig_new();
    for (int i = 0; i < files; i++) {
        one_file(g, entry[i]->d_name, &n);
        free(entry[i]);
    }
    free(entry);
    CHECK(n.mails > 10 && n.attachments > 10 && n.streams > n.mails);
    rig_end(g);
}
