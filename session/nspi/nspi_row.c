/* nspi_row.c - objects become rows of the columns that a client asked for. */
#include "backend/base/fault.h"
#include "backend/base/filetime.h"
#include "backend/base/log.h"
#include "backend/mapi/msg.h"
#include "session/nspi/nspi_row.h"

enum { HOLD_MS = 100, ROWS_BYTES = 4 << 20, ROW_OK = 0, ROW_FLAGGED = 1, VALUE_THERE = 0, VALUE_ERROR = 0xA };

/* --- one object ----------------------------------------------------------------------------------------------------------------------------- */

ec_t nspi_object(struct nspi_ctx *c, uint32_t mid, uint32_t flags, struct nspi_object *out)
{
    *out = (struct nspi_object){ .c = c, .flags = flags, .what = OF_OBJECTS };
    int64_t row = (int64_t)mid - MID_FIRST;
    if (row <= 0 || !book_shown(&c->look, c->a, row, &out->e))
        return nspi_list_object(c, mid, flags, out);
    out->there = true;
    return ecNone;
}

bool nspi_asked(struct nspi_object *o, ec_t ec)
{
    if (ec != ecNone && ec != ecNotFound)
        o->failed = ec;
    return ec == ecNone;
}

const struct props *nspi_props(struct nspi_object *o)
{
    struct blob packed = blob_of(NULL, 0);
    if (o->unpacked || o->what != OF_OBJECTS)
        return &o->e.props;
    o->unpacked = true;
    nspi_asked(o, entry_packed(o->c->reader, o->c->a, o->e.row, &packed));
    if (packed.n != 0 && !props_unpack(packed, o->c->a, &o->e.props))
        log_line(LOGL_WARN, "directory", "the properties of an object are damaged", "value", o->e.dn, NULL);
    return &o->e.props;
}

const struct entry *nspi_origin(struct nspi_object *o)
{
    if (!o->origin && o->what == OF_OBJECTS)
        nspi_asked(o, entry_origin(o->c->reader, o->c->a, &o->e));
    o->origin = true;
    return &o->e;
}

/* The objects at the other end that can be seen. */
static size_t linked(struct nspi_object *o, enum link_kind k, bool back, int64_t **row)
{
    size_t n = 0;
    bool dynamic = k == LINK_MEMBER && !back && o->e.kind == ENTRY_DYNAMIC;
    if (dynamic && o->chosen) {
        *row = o->member;
        return o->members;
    }
    if (!nspi_asked(o, nspi_links(o->c, k, o->e.row, back, row, &n)))
        return 0;
    if (dynamic) {
        o->chosen = true;
        o->member = *row;
        o->members = n;
    }
    return n;
}

/* That somebody may not send is said; who may is not, and so it does not matter who can be seen (MS-OXOABK 2.2.4.42-2.2.4.45). */
static bool restricted(struct nspi_object *o, enum link_kind k, uint32_t tag, struct propval *out)
{
    int64_t *row;
    size_t   n = 0;
    uint16_t type = prop_type(tag);
    *out = (struct propval){ .tag = prop_retype(tag, PtypObject) };
    return (type == PtypUnspecified || type == PtypObject) && nspi_asked(o, link_list(o->c->reader, o->c->a, k, o->e.row, false, &row, &n)) && n != 0;
}

/* As a table (PtypObject), or as the DNs of what is in it. */
static bool link_value(struct nspi_object *o, enum link_kind k, bool back, uint32_t tag, struct propval *out)
{
    if (link_restricts(k))
        return restricted(o, k, tag, out);
    uint16_t type = prop_type(tag);
    int64_t *row;
    size_t   n = linked(o, k, back, &row), dns = 0;
    *out = (struct propval){ .tag = prop_retype(tag, PtypObject) };
    if (n == 0 || type == PtypUnspecified || type == PtypObject)
        return n != 0;
    if (!type_string(type))
        return false;
    struct blob *dn = arena_array(o->c->a, struct blob, n);
    for (size_t i = 0; i < n; i++) {
        struct entry e;
        if (nspi_asked(o, entry_brief(o->c->reader, o->c->a, row[i], &e)))
            dn[dns++] = blob_str(e.dn);
    }
    if (dns == 0)
        return false;
    out->tag = prop_unicode(tag);
    if (type_array(type)) {
        out->v.mv.n = dns;
        out->v.mv.s = dn;
    } else {
        out->v.s = dn[0];
    }
    return true;
}

static bool made_value(struct nspi_object *o, const struct nspi_property *p, uint32_t tag, struct propval *out)
{
    bool has = (p->of & o->what) != 0 && p->make(o, p->native, out);
    if (p->table && (prop_type(tag) == PtypObject || prop_type(tag) == PtypUnspecified))
        *out = (struct propval){ .tag = prop_retype(p->native, PtypObject) };
    return has;
}

static bool kept_value(struct nspi_object *o, uint32_t native, struct propval *out)
{
    const struct propval *v = props_find(nspi_props(o), native);
    if (v == NULL || (native == PidTagAddressBookHierarchicalIsHierarchicalGroup && nspi_org_hierarchy(o) == HIERARCHY_DEPARTMENTS))
        return false;
    *out = *v;
    return true;
}

static bool value(struct nspi_object *o, uint32_t tag, struct propval *out)
{
    const struct nspi_property *p = nspi_property(tag);
    if (!o->there || p == NULL || arena_over(o->c->a)) /* a client can ask a hundred thousand times for what is large */
        return false;
    if (p->make != NULL)
        return made_value(o, p, tag, out);
    if (o->what != OF_OBJECTS)
        return false;
    return p->linked ? link_value(o, p->link, p->back, tag, out) : kept_value(o, p->native, out);
}

void nspi_value(struct nspi_object *o, uint32_t tag, struct propval *out)
{
    uint16_t type = prop_type(tag);
    bool     has = value(o, tag, out);
    if (has)
        out->tag = prop_unicode(out->tag); /* one is listed with 8 bits in the documents */
    if (!has || !propval_fits(out, type)) {
        *out = pv_err(tag, EC(ecNotFound));
        return;
    }
    out->tag = prop_retype(tag, type == PtypUnspecified ? prop_type(out->tag) : type);
}

void nspi_list(struct nspi_object *o, uint32_t flags, uint16_t string_type, uint32_t **out, size_t *n)
{
    struct propval v;
    const struct nspi_property *all;
    size_t count = nspi_properties(&all);
    *out = arena_array(o->c->a, uint32_t, count);
    *n = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t tag = nspi_listed(&all[i], string_type);
        if (prop_type(tag) == PtypObject && (flags & FLAG_SKIP_OBJECTS) != 0)
            continue;
        if (value(o, all[i].native, &v))
            (*out)[(*n)++] = tag;
    }
}

/* --- rows ----------------------------------------------------------------------------------------------------------------------------------- */

/* What a client gets that names no columns (OXNSPI R1627). */
static const uint32_t usual[] = {
    PidTagAddressBookContainerId, PidTagObjectType, PidTagDisplayType, PROP_TAG(0x3001, PtypString8), PROP_TAG(0x3A1A, PtypString8),
    PROP_TAG(0x3A18, PtypString8), PROP_TAG(0x3A19, PtypString8)
};

void nspi_columns(struct nspi_ctx *c)
{
    c->out->tags = c->in->has_tags ? c->in->tags : sizeof usual / sizeof usual[0];
    c->out->tag = arena_dup(c->a, c->in->has_tags ? c->in->tag : usual, c->out->tags * sizeof *usual);
    c->out->rows = wr_in(c->a, ROWS_BYTES);
    c->out->has_rows = true;
    c->out->since = c->out->rested = clock_ms();
}

static bool is_error(const struct propval *v) { return prop_type(v->tag) == PtypErrorCode; }

static void write_value(struct wr *w, const struct pv_codec *codec, uint32_t column, const struct propval *v, bool flagged)
{
    struct propval one = *v;
    uint16_t       type = prop_type(v->tag);
    if (prop_type(column) == PtypUnspecified)
        wr_u16(w, type);
    if (flagged)
        wr_u8(w, is_error(v) ? VALUE_ERROR : VALUE_THERE);
    one.tag = prop_unicode(one.tag);
    propval_write(w, codec, type, &one);
}

/* A client that asks for what is dear gets fewer rows, and asks again from there. */
static bool late(const struct nspi_ctx *c) { return c->out->nrows != 0 && clock_ms() - c->out->since > c->env->config->book_rows_time; }

bool nspi_rest(struct nspi_ctx *c)
{
    uint64_t now = clock_ms();
    if (now - c->out->rested <= HOLD_MS)
        return false;
    book_pause(&c->look);
    c->out->rested = now;
    return true;
}

bool nspi_row(struct nspi_ctx *c, uint32_t mid, uint32_t flags)
{
    if (late(c))
        return false;
    struct nspi_object o;
    struct wr *w = &c->out->rows;
    size_t mark = wr_mark(w);
    bool   flagged = false;
    struct propval *v = arena_array(c->a, struct propval, c->out->tags);
    fault_point(FAULT_book_row);
    if (nspi_object(c, mid, flags, &o) != ecNone)
        return false;
    for (size_t i = 0; i < c->out->tags; i++) {
        nspi_value(&o, c->out->tag[i], &v[i]);
        flagged |= is_error(&v[i]);
    }
    wr_u8(w, flagged ? ROW_FLAGGED : ROW_OK);
    for (size_t i = 0; i < c->out->tags; i++)
        write_value(w, &c->codec, c->out->tag[i], &v[i], flagged);
    if (w->full || arena_over(c->a) || nspi_failed(&o) != ecNone) {
        wr_rewind(w, mark);
        return false;
    }
    c->out->nrows++;
    return true;
}
