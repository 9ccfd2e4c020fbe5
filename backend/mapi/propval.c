/* propval.c - one property value: made, measured, compared, copied. */
#include "backend/mapi/propval.h"
#include "backend/base/utf.h"
#include "backend/mapi/propval_int.h"

struct propval pv_i16(uint32_t tag, int16_t v)   { return (struct propval){ .tag = tag, .v.i16 = v }; }
struct propval pv_i32(uint32_t tag, int32_t v)   { return (struct propval){ .tag = tag, .v.i32 = v }; }
struct propval pv_i64(uint32_t tag, int64_t v)   { return (struct propval){ .tag = tag, .v.i64 = v }; }
struct propval pv_bool(uint32_t tag, bool v)     { return (struct propval){ .tag = tag, .v.b = v }; }
struct propval pv_time(uint32_t tag, uint64_t t) { return (struct propval){ .tag = tag, .v.i64 = (int64_t)t }; }
struct propval pv_str(uint32_t tag, const char *utf8) { return pv_strn(tag, blob_str(utf8)); }
struct propval pv_strn(uint32_t tag, struct blob utf8) { return (struct propval){ .tag = tag, .v.s = utf8 }; }
struct propval pv_bin(uint32_t tag, struct blob b)    { return (struct propval){ .tag = tag, .v.bin = b }; }
struct propval pv_guid(uint32_t tag, struct guid g)   { return (struct propval){ .tag = tag, .v.guid = g }; }

struct propval pv_err(uint32_t tag, ec_t ec)
{
    return (struct propval){ .tag = prop_retype(tag, PtypErrorCode), .v.err = ec };
}

size_t type_fixed_size(uint16_t type)
{
    switch (type) {
    case PtypBoolean:
        return 1;
    case PtypInteger16:
        return 2;
    case PtypInteger32:
    case PtypFloating32:
    case PtypErrorCode:
        return 4;
    case PtypFloating64:
    case PtypCurrency:
    case PtypFloatingTime:
    case PtypInteger64:
    case PtypTime:
        return 8;
    case PtypGuid:
        return 16;
    default:
        return 0;
    }
}

/* --- size --- */

static size_t text_size(struct blob s) { return utf16_size(wire_text(s)) + 2; }

static size_t array_size(uint16_t type, const struct propval *v)
{
    size_t fixed = type_fixed_size(type), n = 4;
    if (fixed != 0)
        return n + v->v.mv.n * fixed;
    for (size_t i = 0; i < v->v.mv.n; i++)
        n += type == PtypBinary ? 2 + v->v.mv.bin[i].n : text_size(v->v.mv.s[i]);
    return n;
}

/* Restrictions and actions are measured by writing them. */
static size_t written_size(const struct propval *v)
{
    struct arena   *a = arena_new(SIZE_MAX);
    struct pv_codec c = { a, 0, PV_COUNTS_ROP };
    struct wr       w = wr_in(a, SIZE_MAX / 4);
    propval_write(&w, &c, prop_type(v->tag), v);
    size_t n = wr_mark(&w);
    arena_free(a);
    return n;
}

size_t propval_size(const struct propval *v)
{
    uint16_t type = type_single(prop_type(v->tag));
    if (v->large) /* the units of a large string are not known without its text; most have as many as bytes */
        return type == PtypString ? (size_t)v->v.large.size * 2 + 2 : (size_t)v->v.large.size + 2;
    if (type_array(prop_type(v->tag)))
        return array_size(type, v);
    switch (type) {
    case PtypString:
    case PtypString8:
        return text_size(v->v.s);
    case PtypBinary:
    case PtypObject:
    case PtypServerId:
        return 2 + v->v.bin.n;
    case PtypRestriction:
    case PtypRuleAction:
        return written_size(v);
    default:
        return type_fixed_size(type);
    }
}

bool propval_fits(const struct propval *v, uint16_t type)
{
    uint16_t have = prop_type(v->tag);
    if (type == PtypUnspecified || have == type)
        return true;
    if (type_array(have) != type_array(type))
        return false;
    return type_single(have) == type_single(type) || (type_single(have) == PtypString && type_single(type) == PtypString8);
}

/* --- order --- */

static int order(bool less, bool more) { return more - less; }
static int cmp_i64(int64_t a, int64_t b) { return order(a < b, a > b); }

/* Every NaN is equal to every NaN and above all numbers, so that sorting ends. */
static int cmp_f64(double a, double b)
{
    if (a != a || b != b)
        return (a != a) - (b != b);
    return order(a < b, a > b);
}

static int cmp_guid(const struct guid *a, const struct guid *b)
{
    int c = memcmp(a->b, b->b, sizeof a->b);
    return order(c < 0, c > 0);
}

static int cmp_single(uint16_t type, const struct propval *a, const struct propval *b)
{
    switch (type) {
    case PtypInteger16:
        return cmp_i64(a->v.i16, b->v.i16);
    case PtypInteger32:
        return cmp_i64(a->v.i32, b->v.i32);
    case PtypInteger64:
    case PtypCurrency:
        return cmp_i64(a->v.i64, b->v.i64);
    case PtypTime: /* unsigned: the far end of time lies beyond the sign */
        return order((uint64_t)a->v.i64 < (uint64_t)b->v.i64, (uint64_t)a->v.i64 > (uint64_t)b->v.i64);
    case PtypFloating32:
        return cmp_f64((double)a->v.f32, (double)b->v.f32);
    case PtypFloating64:
    case PtypFloatingTime:
        return cmp_f64(a->v.f64, b->v.f64);
    case PtypBoolean:
        return a->v.b - b->v.b;
    case PtypErrorCode:
        return order(a->v.err < b->v.err, a->v.err > b->v.err);
    case PtypString:
    case PtypString8:
        return utf8_cmp(a->v.s, b->v.s, UTF_FOLD);
    case PtypBinary:
    case PtypObject:
    case PtypServerId:
        return blob_cmp(a->v.bin, b->v.bin);
    case PtypGuid:
        return cmp_guid(&a->v.guid, &b->v.guid);
    default:
        return 0;
    }
}

struct propval propval_element(const struct propval *v, size_t i)
{
    struct propval e = { .tag = prop_retype(v->tag, type_single(prop_type(v->tag))) };
    switch (prop_type(e.tag)) {
    case PtypInteger16:
        e.v.i16 = v->v.mv.i16[i];
        break;
    case PtypInteger32:
        e.v.i32 = v->v.mv.i32[i];
        break;
    case PtypFloating32:
        e.v.f32 = v->v.mv.f32[i];
        break;
    case PtypFloating64:
    case PtypFloatingTime:
        e.v.f64 = v->v.mv.f64[i];
        break;
    case PtypGuid:
        e.v.guid = v->v.mv.guid[i];
        break;
    case PtypString:
    case PtypString8:
    case PtypBinary:
        e.v.s = v->v.mv.s[i];
        break;
    default:
        e.v.i64 = v->v.mv.i64[i];
        break;
    }
    return e;
}

size_t propval_count(const struct propval *v) { return type_array(prop_type(v->tag)) ? v->v.mv.n : 1; }

static int cmp_arrays(const struct propval *a, const struct propval *b)
{
    size_t n = a->v.mv.n < b->v.mv.n ? a->v.mv.n : b->v.mv.n;
    for (size_t i = 0; i < n; i++) {
        struct propval x = propval_element(a, i), y = propval_element(b, i);
        int            c = cmp_single(prop_type(x.tag), &x, &y);
        if (c != 0)
            return c;
    }
    return order(a->v.mv.n < b->v.mv.n, a->v.mv.n > b->v.mv.n);
}

int propval_cmp(const struct propval *a, const struct propval *b)
{
    uint16_t ta = type_single(prop_type(prop_unicode(a->tag))), tb = type_single(prop_type(prop_unicode(b->tag)));
    bool     ma = type_array(prop_type(a->tag)), mb = type_array(prop_type(b->tag));
    if (ta != tb || ma != mb)
        return ta != tb ? order(ta < tb, ta > tb) : ma - mb;
    if (a->large || b->large)
        return a->large - b->large;
    return ma ? cmp_arrays(a, b) : cmp_single(ta, a, b);
}

/* --- copies --- */

static void dup_array(struct arena *a, uint16_t type, struct propval *v)
{
    size_t n = v->v.mv.n, fixed = type_fixed_size(type);
    if (fixed != 0) {
        v->v.mv.i16 = arena_dup(a, v->v.mv.i16, n * fixed);
        return;
    }
    v->v.mv.s = arena_dup(a, v->v.mv.s, n * sizeof *v->v.mv.s);
    for (size_t i = 0; i < n; i++)
        v->v.mv.s[i] = arena_blob(a, v->v.mv.s[i]);
}

/* Trees are copied by way of the wire: one walk to keep, not two. */
static void dup_tree(struct arena *a, struct propval *v)
{
    struct pv_codec c = { a, 0, PV_COUNTS_WIDE };
    struct wr       w = wr_in(a, SIZE_MAX / 4);
    propval_write(&w, &c, prop_type(v->tag), v);
    struct rd r = rd_blob_of(wr_blob(&w));
    propval_read(&r, &c, v->tag, v);
}

struct propval propval_dup(struct arena *a, const struct propval *v)
{
    struct propval d = *v;
    uint16_t       type = type_single(prop_type(v->tag));
    if (v->large)
        return d;
    if (type_array(prop_type(v->tag)))
        dup_array(a, type, &d);
    else if (type == PtypString || type == PtypString8)
        d.v.s = arena_blob(a, v->v.s);
    else if (type == PtypBinary || type == PtypObject || type == PtypServerId)
        d.v.bin = arena_blob(a, v->v.bin);
    else if (type == PtypRestriction || type == PtypRuleAction)
        dup_tree(a, &d);
    return d;
}
