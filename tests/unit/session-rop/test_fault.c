/* test_fault.c - a message is written step by step while the store fails at every call in turn: a failed request has no effect, and repeated it succeeds. */
#include "backend/store/fault/dbfault.h"
#include "tests/unit/session-rop/steps.h"

struct made { uint32_t message, attachment, stream, embedded; uint64_t mid; };

static ec_t create(struct rig *g, struct made *x)
{
    return rig_rop(g, RIG_LOGON, ROP_CREATE_MESSAGE, rig_args(g, "wqb", 0x0FFFull, rig_wire(g->fid[SF_DRAFTS]), 0ull), NULL, &x->message);
}

static char *long_text(struct rig *g)
{
    char *s = arena_alloc(g->life, 9001);
    memset(s, 'f', 9000);
    return s;
}

static ec_t set_body(struct rig *g, struct made *x)
{
    struct blob v = rig_args(g, "wds", 1ull, (uint64_t)PidTagBody, long_text(g));
    return rig_rop(g, x->message, ROP_SET_PROPS, rig_args(g, "wB", (uint64_t)v.n, &v), NULL, NULL);
}

static ec_t attach(struct rig *g, struct made *x) { return rig_rop(g, x->message, ROP_CREATE_ATT, blob_of(NULL, 0), NULL, &x->attachment); }

static ec_t stream(struct rig *g, struct made *x)
{
    return rig_rop(g, x->attachment, ROP_OPEN_STREAM, rig_args(g, "db", (uint64_t)PidTagAttachDataBinary, 2ull), NULL, &x->stream);
}

static ec_t write_more(struct rig *g, struct made *x)
{
    struct blob b = blob_str(long_text(g));
    return rig_rop(g, x->stream, ROP_WRITE_STREAM, rig_args(g, "wB", (uint64_t)b.n, &b), NULL, NULL);
}

static ec_t commit(struct rig *g, struct made *x) { return rig_rop(g, x->stream, ROP_COMMIT_STREAM, blob_of(NULL, 0), NULL, NULL); }
static ec_t keep(struct rig *g, struct made *x)   { return rig_rop(g, x->attachment, ROP_SAVE_ATT, rig_args(g, "b", 2ull), NULL, NULL); }

static ec_t save(struct rig *g, struct made *x)
{
    struct rd r;
    ec_t ec = rig_rop(g, x->message, ROP_SAVE_MESSAGE, rig_args(g, "b", 2ull), &r, NULL);
    if (ec == ecNone) {
        rd_u8(&r);
        x->mid = rd_u64(&r);
    }
    return ec;
}

static ec_t let_go(struct rig *g, struct made *x) { return rig_rop(g, x->stream, ROP_RELEASE, blob_of(NULL, 0), NULL, NULL); }

static ec_t read_back(struct rig *g, struct made *x)
{
    struct rd r;
    return rig_rop(g, x->attachment, ROP_GET_PROPS, rig_args(g, "wwwd", 0ull, 1ull, 1ull, (uint64_t)PidTagAttachDataBinary), &r, NULL);
}

TEST(every_call_of_every_step_fails_once)
{
    static ec_t (*const step[])(struct rig *, struct made *) = { create, set_body, attach, stream, write_more, write_more, read_back, commit, keep, save, let_go };
    struct rig *g = rig_with("fault");
    struct made x = { 0 };
    uint32_t size, failures = 0;
    for (size_t i = 0; i < sizeof step / sizeof *step; i++)
        for (unsigned n = 2; ; n++) { /* the first call looks whether a pooled connection is still good: another is opened */
            dbfault_arm(n);
            ec_t ec = step[i](g, &x);
            unsigned calls = dbfault_calls();
            dbfault_arm(0);
            failures += ec != ecNone;
            if (ec == ecNone && calls < n)
                break;
            REQUIRE(n < 500);
            if (ec == ecNone) /* the failing call was one of tidying up */
                break;
        }
    CHECK(failures > 50);
    uint32_t o = open_message(g, x.mid, 0);
    CHECK_STR(text_of(g, o, PidTagBody), long_text(g));
    uint32_t s = open_stream(g, open_attachment(g, o, 0, 0), PidTagAttachDataBinary, 0, &size);
    CHECK_INT(size, 18000);
    CHECK_BYTES(read_stream(g, s, 2), "66 66");
    rig_end(g);
}
