/* test_drafts.c - what a session has not saved survives every change of worker: messages in messages, recipients, twenty megabytes of a stream. */
#include "backend/base/crypto.h"
#include "tests/flow/walk.h"
#include <signal.h>

enum { LEVELS = 3 };

static void hop(struct mapic *c) { stack_next_worker(c); }

static void begin(struct walk *w)
{
    struct stack *st = stack_shared();
    walk_init(w, st, &st->bob);
    w->s.before = hop;
    MUST_STEP(w, step_connect(&w->s, st->bob.dn));
    MUST_STEP(w, step_logon(&w->s, st->bob.dn));
}

/* One ROP with an output handle. */
static uint32_t opened(struct walk *w, uint8_t id, uint32_t in, struct blob rest)
{
    struct mapic_rops r;
    struct mapic_result out;
    struct rop_head h;
    rops_init(&r, w->a);
    rops_head(&r, id, rops_handle(&r, in));
    wr_u8(&r.list, rops_handle(&r, 0xFFFFFFFF));
    wr_put(&r.list, rest);
    MUST_STEP(w, step_run(&w->s, &r, &out, &h));
    return out.handle[1];
}

/* SaveChangesMessage and SaveChangesAttachment: the response handle index comes first. */
static void saved(struct walk *w, uint8_t id, uint32_t in)
{
    struct mapic_rops r;
    struct mapic_result out;
    struct rop_head h;
    rops_init(&r, w->a);
    rops_head(&r, id, rops_handle(&r, in));
    wr_u8(&r.list, 0);
    wr_u8(&r.list, 0x0A);
    MUST_STEP(w, step_run(&w->s, &r, &out, &h));
}

static void subject(struct walk *w, uint32_t handle, const char *text)
{
    struct props p = { 0 };
    props_set(w->a, &p, pv_str(PidTagSubject, text));
    MUST_STEP(w, step_set_props(&w->s, handle, &p, NULL));
}

static const char *subject_of(struct walk *w, uint32_t handle)
{
    struct propval v = { 0 };
    uint32_t tag = PidTagSubject;
    MUST_STEP(w, step_get_props(&w->s, handle, &tag, 1, &v));
    return prop_type(v.tag) == PtypString ? arena_str(w->a, v.v.s) : NULL;
}

static const char *const name[] = { "outer", "first", "second", "third" };

TEST_LIMIT(messages_in_messages_while_every_request_has_another_worker, 120)
{
    struct walk w;
    uint32_t folder, message[LEVELS + 1], attachment[LEVELS], num[LEVELS];
    uint64_t mid;
    begin(&w);
    MUST_STEP(&w, step_open_folder(&w.s, w.s.fid[SF_INBOX], &folder));
    MUST_STEP(&w, step_create_message(&w.s, folder, w.s.fid[SF_INBOX], &message[0]));
    for (unsigned i = 0; i < LEVELS; i++) {
        MUST_STEP(&w, step_create_attachment(&w.s, message[i], &attachment[i], &num[i]));
        message[i + 1] = opened(&w, 0x46, attachment[i], blob_of("\xFF\x0F\x02", 3));
    }
    for (unsigned i = 0; i <= LEVELS; i++)
        subject(&w, message[i], name[i]);
    for (unsigned i = LEVELS; i-- > 0; ) {
        saved(&w, 0x0C, message[i + 1]);
        saved(&w, 0x25, attachment[i]);
    }
    MUST_STEP(&w, step_save_message(&w.s, message[0], 0x0A, &mid));

    MUST_STEP(&w, step_open_message(&w.s, w.s.fid[SF_INBOX], mid, 0, &message[0]));
    for (unsigned i = 0; i <= LEVELS; i++) {
        CHECK_STR(subject_of(&w, message[i]), name[i]);
        if (i < LEVELS) {
            uint8_t rest[5] = { 0, (uint8_t)num[i] };
            message[i + 1] = opened(&w, 0x46, opened(&w, 0x22, message[i], blob_of(rest, 5)), blob_of("\xFF\x0F\x00", 3));
        }
    }
    STEP(&w, step_disconnect(&w.s));
    walk_end(&w);
    CHECK_INT(walk_findings(w.stack, w.who), 0);
}

/* RopModifyRecipients: no columns, one row of 21 bytes: SMTP, Unicode, a@x, "Ada". */
static void one_recipient(struct walk *w, uint32_t message)
{
    struct mapic_rops r;
    struct mapic_result out;
    struct rop_head h;
    rops_init(&r, w->a);
    rops_head(&r, 0x0E, rops_handle(&r, message));
    wr_put(&r.list, unhex("00 00 01 00  00 00 00 00 01 15 00  1b 02  61 00 40 00 78 00 00 00  41 00 64 00 61 00 00 00  00 00 00"));
    MUST_STEP(w, step_run(&w->s, &r, &out, &h));
}

TEST_LIMIT(twenty_megabytes_that_nobody_committed, 240)
{
    enum { STEP_BYTES = 32000, STEPS = 656 };
    struct walk w;
    uint32_t folder, message, attachment, num, stream, size;
    uint64_t mid;
    begin(&w);
    MUST_STEP(&w, step_open_folder(&w.s, w.s.fid[SF_INBOX], &folder));
    MUST_STEP(&w, step_create_message(&w.s, folder, w.s.fid[SF_INBOX], &message));
    subject(&w, message, "large");
    one_recipient(&w, message);
    MUST_STEP(&w, step_create_attachment(&w.s, message, &attachment, &num));
    MUST_STEP(&w, step_open_stream(&w.s, attachment, PidTagAttachDataBinary, 2, &stream, &size));
    struct sha256 *sent = sha256_new(w.a), *got = sha256_new(w.a);
    uint8_t *b = arena_alloc(w.a, STEP_BYTES), x[SHA256], y[SHA256];
    for (unsigned i = 0; i < STEPS; i++) {
        uint16_t written = 0;
        for (unsigned k = 0; k < STEP_BYTES; k++)
            b[k] = (uint8_t)(i * 31 + k * 7 + (k >> 8));
        sha256_add(sent, blob_of(b, STEP_BYTES));
        MUST_STEP(&w, step_write_stream(&w.s, stream, blob_of(b, STEP_BYTES), &written));
        CHECK_INT(written, STEP_BYTES);
        if (i == STEPS / 2) /* both of a host are gone, the others go on; then they come back */
            for (unsigned k = 0; k < STACK_WORKERS; k++) {
                stack_kill(w.stack, k, SIGKILL);
                stack_worker(w.stack, k);
            }
    }
    saved(&w, 0x25, attachment); /* without RopCommitStream: what was written is the value (OXCPRPT R56404) */
    MUST_STEP(&w, step_save_message(&w.s, message, 0x0A, &mid));

    MUST_STEP(&w, step_open_message(&w.s, w.s.fid[SF_INBOX], mid, 0, &message));
    CHECK_STR(subject_of(&w, message), "large");
    uint8_t rest[5] = { 0, (uint8_t)num };
    attachment = opened(&w, 0x22, message, blob_of(rest, 5));
    MUST_STEP(&w, step_open_stream(&w.s, attachment, PidTagAttachDataBinary, 0, &stream, &size));
    CHECK_INT(size, STEP_BYTES * STEPS);
    for (struct blob piece = { NULL, 1 }; piece.n != 0; sha256_add(got, piece))
        MUST_STEP(&w, step_read_stream(&w.s, stream, 30000, &piece));
    sha256_end(sent, x);
    sha256_end(got, y);
    CHECK_BLOB(blob_of(y, SHA256), blob_of(x, SHA256));
    STEP(&w, step_disconnect(&w.s));
    walk_end(&w);
    CHECK_INT(walk_findings(w.stack, w.who), 0);
}
