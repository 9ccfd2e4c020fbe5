/* nspi_wire.c - bodies of the address-book endpoint <-> fields, by the layouts of nspi.def. */
#include "backend/base/utf.h"
#include "session/nspi/nspi.h"

enum { BODY_MAX = 16 << 20, CP_DEFAULT = 1252 };

uint16_t nspi_code_page(uint32_t code_page)
{
    return code_page == 0 || code_page == CP_WINUNICODE || code_page > UINT16_MAX ? CP_DEFAULT : (uint16_t)code_page;
}

bool nspi_code_page_known(uint32_t code_page)
{
    return code_page == 0 || (code_page <= UINT16_MAX && codepage_known((uint16_t)code_page));
}

/* --- reading -------------------------------------------------------------------------------------------------------------------------------- */

void nspi_stat_read(struct rd *r, struct nspi_stat *s)
{
#define STAT(type, field, name) s->field = (type)rd_u32(r);
#include "session/nspi/nspistat.def"
#undef STAT
}

struct reading { struct rd *r; struct pv_codec codec; struct nspi_args *q; };

static size_t count(struct rd *r, size_t each)
{
    uint32_t n = rd_u32(r);
    if (n > NSPI_COUNT_MAX)
        rd_fail(r, "more than can be asked for");
    return rd_count(r, n, each);
}

static uint32_t *numbers(struct reading *x, size_t *n)
{
    *n = count(x->r, sizeof(uint32_t));
    uint32_t *v = arena_array(x->codec.a, uint32_t, *n);
    for (size_t i = 0; i < *n; i++)
        v[i] = rd_u32(x->r);
    return v;
}

static void strings(struct reading *x, bool wide)
{
    size_t n = count(x->r, wide ? 2 : 1);
    x->q->name = arena_array(x->codec.a, struct blob, n);
    for (size_t i = 0; i < n && rd_ok(x->r); i++)
        x->q->name[i] = wide ? utf8_from_utf16(x->codec.a, rd_utf16z(x->r)) : utf8_from_codepage(x->codec.a, x->codec.code_page, rd_asciiz(x->r));
    x->q->names = n;
}

/* A value takes at least its tag; it is believed when it is there. */
static void values(struct reading *x)
{
    size_t n = count(x->r, sizeof(uint32_t));
    x->q->value = arena_array(x->codec.a, struct propval, n);
    for (; x->q->values < n && rd_ok(x->r); x->q->values++)
        propval_read_tagged(x->r, &x->codec, &x->q->value[x->q->values]);
}

static void entryids(struct reading *x)
{
    size_t n = count(x->r, sizeof(uint32_t));
    x->q->entryid = arena_array(x->codec.a, struct blob, n);
    for (; x->q->entryids < n && rd_ok(x->r); x->q->entryids++)
        x->q->entryid[x->q->entryids] = rd_blob(x->r, rd_u32(x->r));
}

static void read_stat(struct reading *x)
{
    nspi_stat_read(x->r, &x->q->stat);
    x->codec.code_page = nspi_code_page(x->q->stat.code_page);
}

static void read_name(struct reading *x)
{
    rd_blob(x->r, sizeof(struct guid));
    rd_u32(x->r);
}

/* Fields that are always there. */
static void read_plain(struct reading *x, char f)
{
    struct nspi_args *q = x->q;
    switch (f) {
    case 'f': q->flags = rd_u32(x->r); break;
    case 'a': q->arg[q->args++] = rd_u32(x->r); break;
    case 'b': q->wants_delta = rd_u8(x->r) != 0; break;
    case 'e': q->mid = numbers(x, &q->mids); break;
    case 'u': q->text = arena_str(x->codec.a, utf8_from_utf16(x->codec.a, rd_utf16z(x->r))); break;
    default: rd_fail(x->r, "no such field");
    }
}

/* Fields that a byte announces. */
static void read_field(struct reading *x, char f)
{
    struct nspi_args *q = x->q;
    if (f >= 'a' && f <= 'z') {
        read_plain(x, f);
        return;
    }
    if (rd_u8(x->r) == 0)
        return;
    switch (f) {
    case 'S': q->has_stat = true; read_stat(x); break;
    case 'M': q->has_mids = true; q->mid = numbers(x, &q->mids); break;
    case 'T': q->has_tags = true; q->tag = numbers(x, &q->tags); break;
    case 'N': q->has_names = true; strings(x, false); break;
    case 'W': q->has_names = true; strings(x, true); break;
    case 'R': q->has_filter = true; q->filter = restriction_read(x->r, &x->codec); break;
    case 'P': q->has_name = true; read_name(x); break;
    case 'V': q->has_values = true; values(x); break;
    case 'K': q->has_target = true; propval_read_tagged(x->r, &x->codec, &q->target); break;
    case 'B': q->has_entryids = true; entryids(x); break;
    case 'D': q->has_dn = true; q->dn = arena_str(x->codec.a, rd_asciiz(x->r)); break;
    case 'E': q->has_version = true; q->version = rd_u32(x->r); break;
    default: rd_fail(x->r, "no such field");
    }
}

bool nspi_read(struct arena *a, const struct nspi_def *d, uint32_t code_page, struct blob body, struct nspi_args *out)
{
    struct rd      r = rd_blob_of(body);
    struct reading x = { &r, { a, nspi_code_page(code_page), PV_COUNTS_BOOK }, out };
    *out = (struct nspi_args){ .dn = "", .text = "" };
    if ((d->flags & ENDS) != 0 && body.n == 0) /* an Unbind may have no body (OXCMAPIHTTP R1165) */
        return true;
    for (const char *f = d->request; *f != '\0' && rd_ok(&r); f++)
        read_field(&x, *f);
    rd_blob(&r, rd_u32(&r));
    return rd_ok(&r) && !arena_over(a);
}

/* --- writing -------------------------------------------------------------------------------------------------------------------------------- */

void nspi_stat_write(struct wr *w, const struct nspi_stat *s)
{
#define STAT(type, field, name) wr_u32(w, (uint32_t)s->field);
#include "session/nspi/nspistat.def"
#undef STAT
}

static void write_numbers(struct wr *w, const uint32_t *v, size_t n)
{
    wr_u32(w, (uint32_t)n);
    for (size_t i = 0; i < n; i++)
        wr_u32(w, v[i]);
}

/* Strings have been made for the client: what is not PtypString travels in the code page of the answer. */
static void write_values(struct wr *w, const struct pv_codec *c, const struct nspi_values *v)
{
    wr_u32(w, (uint32_t)v->n);
    for (size_t i = 0; i < v->n; i++) {
        struct propval one = v->v[i];
        uint16_t type = prop_type(one.tag);
        wr_u32(w, one.tag);
        one.tag = prop_unicode(one.tag);
        propval_write(w, c, type, &one);
    }
}

static void write_url(struct wr *w, struct arena *a, const char *url)
{
    wr_put(w, utf16_from_utf8(a, blob_str(url != NULL ? url : "")));
    wr_u16(w, 0);
}

static bool announced(struct wr *w, bool there)
{
    wr_u8(w, there ? 0xFF : 0);
    return there;
}

static void write_rows(struct wr *w, const struct nspi_answer *o)
{
    write_numbers(w, o->tag, o->tags);
    wr_u32(w, o->nrows);
    wr_put(w, wr_blob(&o->rows));
}

static void write_table(struct wr *w, const struct pv_codec *c, const struct nspi_answer *o)
{
    wr_u32(w, (uint32_t)o->table_rows);
    for (size_t i = 0; i < o->table_rows; i++)
        write_values(w, c, &o->table[i]);
}

static void write_field(struct wr *w, const struct pv_codec *c, char f, const struct nspi_answer *o)
{
    switch (f) {
    case 'g': wr_bytes(w, o->guid.b, sizeof o->guid.b); break;
    case 'i': wr_u32(w, (uint32_t)o->result); break;
    case 'c': wr_u32(w, o->code_page); break;
    case 'u': write_url(w, c->a, o->url); break;
    case 'S': if (announced(w, o->has_stat)) nspi_stat_write(w, &o->stat); break;
    case 'M': if (announced(w, o->has_mids)) write_numbers(w, o->mid, o->mids); break;
    case 'T': if (announced(w, o->has_tags)) write_numbers(w, o->tag, o->tags); break;
    case 'V': if (announced(w, o->has_values)) write_values(w, c, &o->values); break;
    case 'E': if (announced(w, o->has_version)) wr_u32(w, o->version); break;
    case 'L': if (announced(w, o->has_rows)) write_rows(w, o); break;
    case 'X': if (announced(w, o->has_table)) write_table(w, c, o); break;
    case 'I': if (announced(w, o->delta != INT32_MIN)) wr_u32(w, (uint32_t)o->delta); break;
    default: break;
    }
}

struct blob nspi_write(struct arena *a, const struct nspi_def *d, ec_t ec, const struct nspi_answer *out)
{
    struct wr       w = wr_in(a, BODY_MAX);
    struct pv_codec c = { a, nspi_code_page(out->code_page), PV_COUNTS_BOOK };
    wr_u32(&w, 0); /* StatusCode: 0 in failures too (OXCMAPIHTTP R2092 and its like) */
    wr_u32(&w, ec);
    for (const char *f = d->answer; *f != '\0'; f++)
        write_field(&w, &c, *f, out);
    wr_u32(&w, 0); /* no auxiliary buffer */
    if (!w.full)
        return wr_blob(&w);
    const struct nspi_answer none = { .delta = INT32_MIN };
    return nspi_write(a, d, EC(ecOutOfResources), &none);
}
