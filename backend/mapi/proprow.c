/* proprow.c - rows of property values (MS-OXCDATA 2.8). */
#include "backend/mapi/proprow.h"
#include "backend/mapi/propval_int.h"

enum { ROW_STANDARD = 0, ROW_FLAGGED = 1 };
enum { VALUE_PRESENT = 0x00, VALUE_ABSENT = 0x01, VALUE_ERROR = 0x0A };

/* Can any of the counts of a row not say this value's size? */
static bool beyond_count(const struct pv_codec *c, const struct propval *v)
{
    uint16_t type = type_single(prop_type(v->tag));
    if (c->counts != PV_COUNTS_ROP && type != PtypServerId)
        return false;
    if (!type_array(prop_type(v->tag)))
        return (type == PtypBinary || type == PtypObject || type == PtypServerId) && v->v.bin.n > UINT16_MAX;
    for (size_t i = 0; type == PtypBinary && i < v->v.mv.n; i++)
        if (v->v.mv.bin[i].n > UINT16_MAX)
            return true;
    return false;
}

/* The error of an erroneous value: never ecNone, whatever came off the wire. */
static ec_t own_error(const struct propval *v) { return v->v.err != ecNone ? v->v.err : ecNotFound; }

/* ecNone if the value can be written in a column of this type. */
static ec_t column_error(const struct pv_codec *c, uint16_t type, const struct propval *v)
{
    if (v == NULL)
        return ecNotFound;
    if (prop_type(v->tag) == PtypErrorCode && type != PtypErrorCode)
        return own_error(v);
    if (!propval_fits(v, type))
        return ecNotFound;
    return v->large || beyond_count(c, v) ? ecOutOfMemory : ecNone;
}

static bool has_limit(const struct propval *v)
{
    uint16_t type = type_single(prop_type(v->tag));
    return type_array(prop_type(v->tag)) || type_fixed_size(type) == 0;
}

/* Writes one column; the error instead of it leaves nothing behind. */
static ec_t write_column(struct wr *w, const struct pv_codec *c, uint16_t type, const struct propval *v, size_t limit)
{
    ec_t ec = column_error(c, type, v);
    if (ec != ecNone)
        return ec;
    size_t mark = wr_mark(w), room = wr_room(w);
    propval_write(w, c, type, v);
    if (limit == 0 || !has_limit(v))
        return ecNone;
    /* what did not fit into the row may be just what is too large for it */
    size_t n = w->full ? propval_size(v) : wr_mark(w) - mark - (type == PtypUnspecified ? 2 : 0);
    if (n <= limit)
        return ecNone;
    if (room != 0)
        wr_rewind(w, mark);
    return ecOutOfMemory;
}

/* The values of a row: by property id, or one per column. */
struct source { const struct props *by_id; const struct propval *by_column; };

static const struct propval *column(const struct source *s, const uint32_t *tags, size_t i)
{
    return s->by_column != NULL ? &s->by_column[i] : props_find(s->by_id, tags[i]);
}

static bool write_standard(struct wr *w, const struct pv_codec *c, const uint32_t *tags, size_t n, const struct source *values, size_t limit)
{
    size_t mark = wr_mark(w);
    bool   full = w->full;
    wr_u8(w, ROW_STANDARD);
    for (size_t i = 0; i < n; i++)
        if (write_column(w, c, prop_type(tags[i]), column(values, tags, i), limit) != ecNone) {
            wr_rewind(w, mark);
            w->full = full;
            return false;
        }
    return true;
}

static void write_flagged_column(struct wr *w, const struct pv_codec *c, uint16_t type, const struct propval *v, size_t limit)
{
    size_t mark = wr_mark(w);
    bool   full = w->full;
    if (type == PtypUnspecified && v != NULL)
        wr_u16(w, prop_type(v->tag));
    wr_u8(w, VALUE_PRESENT);
    uint16_t as = type == PtypUnspecified && v != NULL ? prop_type(v->tag) : type;
    ec_t     ec = type == PtypUnspecified && v != NULL && as == PtypErrorCode ? own_error(v) : write_column(w, c, as, v, limit);
    if (ec == ecNone)
        return;
    wr_rewind(w, mark);
    w->full = full;
    if (type == PtypUnspecified)
        wr_u16(w, PtypErrorCode);
    wr_u8(w, VALUE_ERROR);
    wr_u32(w, ec);
}

static void write_row(struct wr *w, const struct pv_codec *c, const uint32_t *tags, size_t n, const struct source *values, size_t limit)
{
    if (write_standard(w, c, tags, n, values, limit))
        return;
    wr_u8(w, ROW_FLAGGED);
    for (size_t i = 0; i < n; i++)
        write_flagged_column(w, c, prop_type(tags[i]), column(values, tags, i), limit);
}

void proprow_write(struct wr *w, const struct pv_codec *c, const uint32_t *tags, size_t n, const struct props *values, size_t limit)
{
    write_row(w, c, tags, n, &(struct source){ .by_id = values }, limit);
}

void proprow_write_columns(struct wr *w, const struct pv_codec *c, const uint32_t *tags, const struct propval *values, size_t n, size_t limit)
{
    write_row(w, c, tags, n, &(struct source){ .by_column = values }, limit);
}

/* --- reading --- */

static void read_flagged_column(struct rd *r, const struct pv_codec *c, uint32_t tag, struct propval *out)
{
    if (prop_type(tag) == PtypUnspecified)
        tag = prop_retype(tag, rd_u16(r));
    switch (rd_u8(r)) {
    case VALUE_PRESENT:
        if (prop_type(tag) == PtypUnspecified)
            rd_fail(r, "type in a row");
        propval_read(r, c, tag, out);
        break;
    case VALUE_ABSENT:
        *out = pv_err(tag, ecNotFound);
        break;
    case VALUE_ERROR:
        *out = pv_err(tag, rd_u32(r));
        break;
    default:
        rd_fail(r, "flag in a row");
        *out = (struct propval){ .tag = tag };
    }
}

void proprow_read(struct rd *r, const struct pv_codec *c, const uint32_t *tags, size_t n, struct propval *out)
{
    uint8_t flag = rd_u8(r);
    if (flag > ROW_FLAGGED)
        rd_fail(r, "flag of a row");
    for (size_t i = 0; i < n; i++) {
        if (flag == ROW_STANDARD)
            propval_read(r, c, tags[i], &out[i]);
        else
            read_flagged_column(r, c, tags[i], &out[i]);
    }
}
