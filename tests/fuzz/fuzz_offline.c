/* fuzz_offline.c - offline address books: any bytes into their container and out again by libmspack; any values into a record, which is read back. */
#include "backend/base/must.h"
#include "backend/directory/offline/offline_format.h"
#include "tests/oab.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static ec_t take(void *ctx, struct blob b)
{
    wr_put(ctx, b);
    return ecNone;
}

static void container(struct arena *a, struct blob in)
{
    struct wr w = wr_in(a, SIZE_MAX);
    struct offline_pack k;
    struct blob out;
    must(offline_pack_begin(&k, a, in.n, take, &w) == ecNone && offline_pack_add(&k, in) == ecNone && offline_pack_end(&k) == ecNone);
    must(oab_open(a, wr_blob(&w), &out) && blob_eq(out, in));
}

/* The values of a column each: as many bytes as the next byte says. */
static struct propval value(struct arena *a, struct rd *r, uint32_t tag)
{
    uint8_t n = rd_u8(r);
    struct blob b = rd_blob(r, n < r->n ? n : r->n);
    struct propval v = { .tag = prop_unicode(tag) };
    if (n == 0 || prop_type(tag) == PtypObject)
        return pv_err(tag, ecNotFound);
    switch (prop_type(tag)) {
    case PtypInteger32: return pv_i32(tag, (int32_t)(n * 0x01020304u));
    case PtypBoolean:   return pv_bool(tag, n & 1);
    case PtypString8:
    case PtypString:
    case PtypBinary:    v.v.s = b; return v;
    default:
        v.v.mv.n = prop_type(tag) == PtypMultipleString8 ? 1 : n % 5; /* the DNs of others differ */
        v.v.mv.s = arena_array(a, struct blob, v.v.mv.n);
        for (size_t i = 0; i < v.v.mv.n; i++)
            v.v.mv.s[i] = blob_of(b.p, b.n / (i + 1));
        return v;
    }
}

static void record(struct arena *a, struct rd *r)
{
    const struct offline_column *c;
    size_t n = offline_columns(&c);
    struct propval *v = arena_array(a, struct propval, n);
    for (size_t i = 0; i < n; i++)
        v[i] = value(a, r, c[i].tag);
    v[0] = pv_str(PidTagEmailAddress, "/o=x");
    struct wr rest = wr_in(a, SIZE_MAX), w = wr_in(a, SIZE_MAX);
    struct oab o;
    offline_meta(&rest, c, 0, c, n, PidTagSmtpAddress);
    wr_u32(&rest, sizeof(uint32_t));
    offline_record(&rest, a, c, v, n, NULL);
    offline_header(&w, OFFLINE_VERSION_FULL, offline_crc(OFFLINE_CRC_BEGIN, wr_blob(&rest)), 1);
    wr_put(&w, wr_blob(&rest));
    must(oab_read(a, wr_blob(&w), &o) && o.n == 1);
}

/* A few bytes are told again and again, so that inputs reach beyond a frame. */
static struct blob repeated(struct arena *a, struct blob in, size_t times)
{
    struct wr w = wr_in(a, SIZE_MAX);
    for (size_t i = 0; i < times; i++) {
        wr_put(&w, in);
        wr_u8(&w, (uint8_t)(i * i));
    }
    return wr_blob(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct arena *a = arena_new(SIZE_MAX);
    struct rd r = rd_over(p, n);
    size_t times = 1 + rd_u8(&r) % 64u;
    struct blob in = rd_rest(&r);
    if (in.n != 0) {
        struct rd again = rd_blob_of(in);
        container(a, in);
        container(a, repeated(a, in, times));
        record(a, &again);
    }
    arena_free(a);
    return 0;
}
