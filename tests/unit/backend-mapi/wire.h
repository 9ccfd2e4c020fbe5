/* wire.h - the shape that most tests of wire values have: a fresh arena and codec, bytes read to their end, bytes written. */
#ifndef TESTS_MAPI_WIRE_H
#define TESTS_MAPI_WIRE_H
#include "backend/mapi/propval.h"
#include "tests/mutate.h"
#include "tests/unit.h"

static struct arena   *arena;
static struct pv_codec rop, wide;

static inline void fresh(void)
{
    arena_free(arena);
    arena = arena_new(1 << 24);
    rop = (struct pv_codec){ arena, 1252, PV_COUNTS_ROP };
    wide = (struct pv_codec){ arena, 1252, PV_COUNTS_WIDE };
}

static inline struct wr fresh_wr(void) { return wr_in(arena, 1 << 20); }

/* The bytes of "0a 1b" in the arena, unlike unhex not overwritten by later calls. */
static inline struct blob hex(const char *text) { return arena_blob(arena, unhex(text)); }

static inline struct propval read_value(const struct pv_codec *c, uint32_t tag, const char *bytes)
{
    struct propval v;
    struct blob    b = hex(bytes);
    struct rd      r = rd_blob_of(b);
    propval_read(&r, c, tag, &v);
    CHECK(rd_done(&r));
    return v;
}

static inline struct blob write_value(const struct pv_codec *c, uint16_t type, const struct propval *v)
{
    struct wr w = fresh_wr();
    propval_write(&w, c, type, v);
    CHECK(!w.full);
    return wr_blob(&w);
}

static inline struct blob write_tagged(const struct pv_codec *c, const struct propval *v)
{
    struct wr w = fresh_wr();
    propval_write_tagged(&w, c, v);
    return wr_blob(&w);
}
#endif
