/* propval_wire.c - property values between the wire and memory (MS-OXCDATA 2.11.2). */
#include "backend/base/must.h"
#include "backend/base/utf.h"
#include "backend/mapi/action.h"
#include "backend/mapi/propval_int.h"
#include "backend/mapi/restriction.h"

static uint16_t page_of(const struct pv_codec *c) { return c->code_page != 0 ? c->code_page : 1252; }

/* --- reading --- */

static float f32_of(uint32_t bits)
{
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

static double f64_of(uint64_t bits)
{
    double f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

static struct blob read_text(struct rd *r, const struct pv_codec *c, uint16_t type)
{
    if (type == PtypString)
        return utf8_from_utf16(c->a, rd_utf16z(r));
    return utf8_from_codepage(c->a, page_of(c), rd_asciiz(r));
}

/* The byte of the address book before what has no fixed size. */
enum { THERE = 0xFF };

static bool varies(uint16_t type)
{
    return type_array(type) || type_string(type) || type_single(type) == PtypBinary;
}

static bool read_there(struct rd *r, const struct pv_codec *c, uint16_t type)
{
    if (c->counts != PV_COUNTS_BOOK || !varies(type))
        return true;
    uint8_t there = rd_u8(r);
    if (there != THERE && there != 0)
        rd_fail(r, "neither there nor absent");
    return there != 0;
}

static struct blob read_counted(struct rd *r, const struct pv_codec *c)
{
    return rd_blob(r, c->counts != PV_COUNTS_ROP ? rd_u32(r) : rd_u16(r));
}

static size_t least_size(const struct pv_codec *c, uint16_t type)
{
    size_t fixed = type_fixed_size(type);
    if (fixed != 0)
        return fixed;
    if (c->counts == PV_COUNTS_BOOK)
        return 1;
    return type == PtypString8 ? 1 : type == PtypString || c->counts == PV_COUNTS_ROP ? 2 : 4;
}

static void read_array(struct rd *r, const struct pv_codec *c, uint16_t type, struct propval *out)
{
    size_t n = rd_count(r, rd_u32(r), least_size(c, type)), fixed = type_fixed_size(type);
    if (!rd_ok(r))
        return;
    if (fixed != 0) { /* elements lie in memory as on the wire */
        struct blob b = rd_blob(r, n * fixed);
        out->v.mv.i16 = arena_dup(c->a, b.p, b.n);
    } else {
        out->v.mv.s = arena_array(c->a, struct blob, n);
        for (size_t i = 0; i < n && rd_ok(r); i++)
            if (read_there(r, c, type))
                out->v.mv.s[i] = type == PtypBinary ? read_counted(r, c) : read_text(r, c, type);
    }
    out->v.mv.n = n;
}

static void read_single(struct rd *r, const struct pv_codec *c, uint16_t type, struct propval *out)
{
    switch (type) {
    case PtypNull:
        break;
    case PtypBoolean:
        out->v.b = rd_u8(r) != 0;
        break;
    case PtypInteger16:
        out->v.i16 = (int16_t)rd_u16(r);
        break;
    case PtypInteger32:
        out->v.i32 = (int32_t)rd_u32(r);
        break;
    case PtypErrorCode:
        out->v.err = rd_u32(r);
        break;
    case PtypFloating32:
        out->v.f32 = f32_of(rd_u32(r));
        break;
    case PtypFloating64:
    case PtypFloatingTime:
        out->v.f64 = f64_of(rd_u64(r));
        break;
    case PtypCurrency:
    case PtypInteger64:
    case PtypTime:
        out->v.i64 = (int64_t)rd_u64(r);
        break;
    case PtypGuid:
        rd_copy(r, out->v.guid.b, sizeof out->v.guid.b);
        break;
    case PtypString:
    case PtypString8:
        out->v.s = read_text(r, c, type);
        break;
    case PtypServerId: /* always a narrow count, 2.11.1 */
        out->v.bin = rd_blob(r, rd_u16(r));
        break;
    case PtypBinary:
        out->v.bin = read_counted(r, c);
        break;
    case PtypObject:
        if (c->counts == PV_COUNTS_BOOK)
            rd_u32(r);
        else
            out->v.bin = read_counted(r, c);
        break;
    case PtypRestriction:
        out->v.res = restriction_read(r, c);
        break;
    case PtypRuleAction:
        out->v.actions = action_read(r, c);
        break;
    default:
        rd_fail(r, "unknown property type");
    }
}

void propval_read(struct rd *r, const struct pv_codec *c, uint32_t tag, struct propval *out)
{
    if (prop_type(tag) == PtypUnspecified)
        tag = prop_retype(tag, rd_u16(r));
    *out = (struct propval){ .tag = prop_unicode(tag) };
    if (!type_known(prop_type(tag)))
        rd_fail(r, "unknown property type");
    else if (!read_there(r, c, prop_type(tag)))
        ; /* empty */
    else if (type_array(prop_type(tag)))
        read_array(r, c, type_single(prop_type(tag)), out);
    else
        read_single(r, c, type_single(prop_type(tag)), out);
    if (!rd_ok(r))
        *out = (struct propval){ .tag = out->tag };
}

void propval_read_tagged(struct rd *r, const struct pv_codec *c, struct propval *out)
{
    if (c->counts == PV_COUNTS_BOOK && r->n != 0 && r->p[0] == THERE) /* no type begins so */
        rd_u8(r);
    propval_read(r, c, rd_u32(r), out);
}

void props_read(struct rd *r, const struct pv_codec *c, struct props *out)
{
    *out = (struct props){ 0 };
    size_t n = rd_count(r, rd_u16(r), sizeof(uint32_t));
    for (size_t i = 0; i < n && rd_ok(r); i++) {
        struct propval v;
        propval_read_tagged(r, c, &v);
        if (rd_ok(r))
            props_set(c->a, out, v);
    }
}

/* --- writing --- */

static void write_text(struct wr *w, const struct pv_codec *c, uint16_t type, struct blob s)
{
    s = wire_text(s);
    if (type == PtypString) {
        size_t   n = utf16_size(s);
        uint8_t *p = wr_need(w, n + 2);
        if (p != NULL) {
            utf16_put(p, s);
            p[n] = p[n + 1] = 0;
        }
        return;
    }
    wr_put(w, codepage_from_utf8(c->a, page_of(c), s));
    wr_u8(w, 0);
}

static void write_counted(struct wr *w, size_t width, struct blob b)
{
    if (width < sizeof b.n && b.n >> 8 * width != 0) {
        w->full = true;
        return;
    }
    wr_le(w, b.n, width);
    wr_put(w, b);
}

static size_t count_width(const struct pv_codec *c) { return c->counts != PV_COUNTS_ROP ? 4 : 2; }

static void write_there(struct wr *w, const struct pv_codec *c, uint16_t type)
{
    if (c->counts == PV_COUNTS_BOOK && varies(type))
        wr_u8(w, THERE);
}

static void write_array(struct wr *w, const struct pv_codec *c, uint16_t type, const struct propval *v)
{
    size_t n = v->v.mv.n, fixed = type_fixed_size(type);
    wr_u32(w, (uint32_t)n);
    if (fixed != 0) {
        wr_bytes(w, v->v.mv.i16, n * fixed);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        write_there(w, c, type);
        if (type == PtypBinary)
            write_counted(w, count_width(c), v->v.mv.bin[i]);
        else
            write_text(w, c, type, v->v.mv.s[i]);
    }
}

static void write_single(struct wr *w, const struct pv_codec *c, uint16_t type, const struct propval *v)
{
    switch (type) {
    case PtypNull:
        break;
    case PtypBoolean:
        wr_u8(w, v->v.b);
        break;
    case PtypInteger16:
        wr_u16(w, (uint16_t)v->v.i16);
        break;
    case PtypInteger32:
        wr_u32(w, (uint32_t)v->v.i32);
        break;
    case PtypErrorCode:
        wr_u32(w, v->v.err);
        break;
    case PtypFloating32:
        wr_bytes(w, &v->v.f32, sizeof v->v.f32);
        break;
    case PtypFloating64:
    case PtypFloatingTime:
        wr_bytes(w, &v->v.f64, sizeof v->v.f64);
        break;
    case PtypCurrency:
    case PtypInteger64:
    case PtypTime:
        wr_u64(w, (uint64_t)v->v.i64);
        break;
    case PtypGuid:
        wr_bytes(w, v->v.guid.b, sizeof v->v.guid.b);
        break;
    case PtypString:
    case PtypString8:
        write_text(w, c, type, v->v.s);
        break;
    case PtypServerId:
        write_counted(w, 2, v->v.bin);
        break;
    case PtypBinary:
        write_counted(w, count_width(c), v->v.bin);
        break;
    case PtypObject:
        if (c->counts == PV_COUNTS_BOOK)
            wr_u32(w, 0);
        else
            write_counted(w, count_width(c), v->v.bin);
        break;
    case PtypRestriction:
        restriction_write(w, c, v->v.res);
        break;
    case PtypRuleAction:
        action_write(w, c, v->v.actions);
        break;
    default:
        must(!"a value of a type that does not exist");
    }
}

void propval_write(struct wr *w, const struct pv_codec *c, uint16_t type, const struct propval *v)
{
    must(!v->large && propval_fits(v, type));
    if (type == PtypUnspecified) {
        type = prop_type(v->tag);
        wr_u16(w, type);
    }
    write_there(w, c, type);
    if (type_array(type))
        write_array(w, c, type_single(type), v);
    else
        write_single(w, c, type_single(type), v);
}

void propval_write_tagged(struct wr *w, const struct pv_codec *c, const struct propval *v)
{
    wr_u32(w, v->tag);
    propval_write(w, c, prop_type(v->tag), v);
}
