/* steps.c - see steps.h. */
#include "tests/unit/session-rop/steps.h"

uint32_t make_message(struct rig *g)
{
    struct rd r;
    uint32_t h = 0;
    REQUIRE_EC(rig_rop(g, RIG_LOGON, ROP_CREATE_MESSAGE, rig_args(g, "wqb", 0x0FFFull, rig_wire(g->fid[SF_DRAFTS]), 0ull), &r, &h), ecNone);
    CHECK_BYTES(rd_rest(&r), "00");
    return h;
}

uint32_t open_message(struct rig *g, uint64_t mid, uint8_t mode)
{
    uint32_t h = 0;
    struct blob args = rig_args(g, "wqbq", 0x0FFFull, rig_wire(g->fid[SF_DRAFTS]), (uint64_t)mode, mid);
    REQUIRE_EC(rig_rop(g, RIG_LOGON, ROP_OPEN_MESSAGE, args, NULL, &h), ecNone);
    return h;
}

uint64_t save_message(struct rig *g, uint32_t h)
{
    struct rd r;
    REQUIRE_EC(rig_rop(g, h, ROP_SAVE_MESSAGE, rig_args(g, "b", 0x0Aull), &r, NULL), ecNone);
    CHECK_INT(rd_u8(&r), 0);
    uint64_t mid = rd_u64(&r);
    CHECK(rd_done(&r));
    return mid;
}

static void set_value(struct rig *g, uint32_t h, struct blob v)
{
    struct rd r;
    REQUIRE_EC(rig_rop(g, h, ROP_SET_PROPS, rig_args(g, "wB", (uint64_t)v.n, &v), &r, NULL), ecNone);
    CHECK_BYTES(rd_rest(&r), "00 00");
}

void set_text(struct rig *g, uint32_t h, uint32_t tag, const char *text)
{
    set_value(g, h, rig_args(g, "wds", 1ull, (uint64_t)tag, text));
}

void set_number(struct rig *g, uint32_t h, uint32_t tag, uint32_t v)
{
    set_value(g, h, rig_args(g, "wdd", 1ull, (uint64_t)tag, (uint64_t)v));
}

void delete_property(struct rig *g, uint32_t h, uint32_t tag)
{
    struct rd r;
    REQUIRE_EC(rig_rop(g, h, ROP_DELETE_PROPS, rig_args(g, "wd", 1ull, (uint64_t)tag), &r, NULL), ecNone);
    CHECK_BYTES(rd_rest(&r), "00 00");
}

struct propval property(struct rig *g, uint32_t h, uint32_t tag)
{
    struct rd r;
    struct propval v = { 0 };
    struct pv_codec c = { NULL, 1252, PV_COUNTS_ROP };
    REQUIRE_EC(rig_rop(g, h, ROP_GET_PROPS, rig_args(g, "wwwd", 0ull, 1ull, 1ull, (uint64_t)tag), &r, NULL), ecNone);
    c.a = g->a;
    if (rd_u8(&r) == 0) {
        propval_read(&r, &c, tag, &v);
    } else {
        CHECK_INT(rd_u8(&r), 0x0A);
        v = pv_err(tag, rd_u32(&r));
    }
    CHECK(rd_done(&r));
    return v;
}

const char *text_of(struct rig *g, uint32_t h, uint32_t tag)
{
    struct propval v = property(g, h, tag);
    return prop_type(v.tag) == PtypString ? arena_str(g->a, v.v.s) : NULL;
}

void release(struct rig *g, uint32_t h)
{
    CHECK_EC(rig_rop(g, h, ROP_RELEASE, blob_of(NULL, 0), NULL, NULL), ecNone);
}

/* --- attachments --------------------------------------------------------------------------------------------------------------------- */
uint32_t make_attachment(struct rig *g, uint32_t message, uint32_t *num)
{
    struct rd r;
    uint32_t h = 0;
    REQUIRE_EC(rig_rop(g, message, ROP_CREATE_ATT, blob_of(NULL, 0), &r, &h), ecNone);
    *num = rd_u32(&r);
    CHECK(rd_done(&r));
    return h;
}

uint32_t open_attachment(struct rig *g, uint32_t message, uint32_t num, uint8_t flags)
{
    uint32_t h = 0;
    REQUIRE_EC(rig_rop(g, message, ROP_OPEN_ATT, rig_args(g, "bd", (uint64_t)flags, (uint64_t)num), NULL, &h), ecNone);
    return h;
}

void save_attachment(struct rig *g, uint32_t h)
{
    struct rd r;
    REQUIRE_EC(rig_rop(g, h, ROP_SAVE_ATT, rig_args(g, "b", 0x0Aull), &r, NULL), ecNone);
    CHECK(rd_done(&r));
}

uint32_t open_embedded(struct rig *g, uint32_t attachment, uint8_t mode)
{
    uint32_t h = 0;
    REQUIRE_EC(rig_rop(g, attachment, ROP_OPEN_EMBEDDED, rig_args(g, "wb", 0x0FFFull, (uint64_t)mode), NULL, &h), ecNone);
    return h;
}

/* --- streams -------------------------------------------------------------------------------------------------------------------------- */
uint32_t open_stream(struct rig *g, uint32_t h, uint32_t tag, uint8_t mode, uint32_t *size)
{
    struct rd r;
    uint32_t s = 0;
    REQUIRE_EC(rig_rop(g, h, ROP_OPEN_STREAM, rig_args(g, "db", (uint64_t)tag, (uint64_t)mode), &r, &s), ecNone);
    *size = rd_u32(&r);
    CHECK(rd_done(&r));
    return s;
}

void write_stream(struct rig *g, uint32_t h, struct blob b)
{
    struct rd r;
    struct arena *a = arena_new(1 << 20); /* long writes do not stay */
    struct wr w = wr_in(a, 1 << 20);
    wr_u16(&w, (uint16_t)b.n);
    wr_put(&w, b);
    REQUIRE_EC(rig_rop(g, h, ROP_WRITE_STREAM, wr_blob(&w), &r, NULL), ecNone);
    CHECK_INT(rd_u16(&r), b.n);
    CHECK(rd_done(&r));
    arena_free(a);
}

struct blob read_stream(struct rig *g, uint32_t h, uint16_t n)
{
    struct rd r;
    REQUIRE_EC(rig_rop(g, h, ROP_READ_STREAM, rig_args(g, "w", (uint64_t)n), &r, NULL), ecNone);
    struct blob b = rd_blob(&r, rd_u16(&r));
    CHECK(rd_done(&r));
    return b;
}
