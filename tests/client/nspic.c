/* nspic.c - bodies of address-book requests and answers, field by field. */
#include "tests/client/nspic.h"
#include "backend/base/utf.h"
#include <stdio.h>

enum { BODY_MAX = 16 << 20 };

void nspic_init(struct mapic *c) { c->path = "/mapi/nspi/"; }

/* --- requests: a letter for each field, in the order of the documents --------------------------------------------------------------------------- */

static const struct request { const char *type, *fields, *answer; } requests[] = {
    { "Bind",              "f s",                     "g" },
    { "Unbind",            "f",                       "" },
    { "CompareMIds",       "f s m n",                 "r" },
    { "DNToMId",           "f A",                     "i" },
    { "GetMatches",        "f s M I F N R T",         "s i R" },
    { "GetPropList",       "f m c",                   "t" },
    { "GetProps",          "f s T",                   "c v" },
    { "GetSpecialTable",   "f s V",                   "c n X" },
    { "GetTemplateInfo",   "f y D c l",               "c v" },
    { "ModLinkAtt",        "f t m E",                 "" },
    { "ModProps",          "f s T P",                 "" },
    { "QueryRows",         "f s x R T",               "s R" },
    { "QueryColumns",      "f i",                     "t" },
    { "ResolveNames",      "f s T W",                 "c i R" },
    { "ResortRestriction", "f s M",                   "s i" },
    { "SeekEntries",       "f s K M T",               "s R" },
    { "UpdateStat",        "f s d",                   "s d" },
    { "GetMailboxUrl",     "f u",                     "u" },
    { "GetAddressBookUrl", "f u",                     "u" },
};

static const struct request *request_of(const char *type)
{
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++)
        if (strcmp(requests[i].type, type) == 0)
            return &requests[i];
    return NULL;
}

static bool has(struct wr *w, bool there)
{
    wr_u8(w, there ? 0xFF : 0);
    return there;
}

static void put_stat(struct wr *w, const struct nspic_stat *s)
{
    const uint32_t v[] = { s->sort_type, s->container, s->current, (uint32_t)s->delta, s->num_pos, s->total, s->code_page, s->template_locale, s->sort_locale };
    for (size_t i = 0; i < 9; i++)
        wr_u32(w, v[i]);
}

static void put_numbers(struct wr *w, const uint32_t *v, size_t n)
{
    wr_u32(w, (uint32_t)n);
    for (size_t i = 0; i < n; i++)
        wr_u32(w, v[i]);
}

static void put_value(struct wr *w, struct arena *a, uint16_t code_page, const struct propval *v)
{
    struct pv_codec c = { a, code_page, PV_COUNTS_BOOK };
    struct propval one = *v;
    one.tag = prop_unicode(v->tag);
    wr_u32(w, v->tag);
    propval_write(w, &c, prop_type(v->tag), &one);
}

static void put_names(struct wr *w, struct arena *a, const struct nspic_ask *q, bool wide)
{
    wr_u32(w, (uint32_t)q->nnames);
    for (size_t i = 0; i < q->nnames; i++) {
        if (wide) {
            wr_put(w, utf16_from_utf8(a, blob_str(q->names[i])));
            wr_u16(w, 0);
        } else {
            wr_bytes(w, q->names[i], strlen(q->names[i]) + 1);
        }
    }
}

static void put_values(struct wr *w, struct arena *a, uint16_t code_page, const struct nspic_ask *q)
{
    wr_u32(w, (uint32_t)q->nvalues);
    for (size_t i = 0; i < q->nvalues; i++)
        put_value(w, a, code_page, &q->values[i]);
}

static void put_entryids(struct wr *w, const struct nspic_ask *q)
{
    wr_u32(w, (uint32_t)q->nentryids);
    for (size_t i = 0; i < q->nentryids; i++) {
        wr_u32(w, (uint32_t)q->entryids[i].n);
        wr_put(w, q->entryids[i]);
    }
}

static void put_filter(struct wr *w, struct arena *a, uint16_t code_page, const struct nspic_ask *q)
{
    struct pv_codec c = { a, code_page, PV_COUNTS_BOOK };
    restriction_write(w, &c, q->filter);
}

static void put_plain(struct wr *w, struct arena *a, char f, const struct nspic_ask *q)
{
    switch (f) {
    case 'f': wr_u32(w, q->flags); break;
    case 'm': wr_u32(w, q->mid); break;
    case 'n': wr_u32(w, q->mid2); break;
    case 'c': wr_u32(w, q->code_page); break;
    case 'l': wr_u32(w, q->locale); break;
    case 'y': wr_u32(w, q->type); break;
    case 't': wr_u32(w, q->tag); break;
    case 'i': wr_u32(w, q->interface_flags); break;
    case 'I': wr_u32(w, q->interface_flags); break;
    case 'R': wr_u32(w, q->rows); break;
    case 'd': wr_u8(w, q->wants_delta); break;
    case 'x': put_numbers(w, q->mids, q->nmids); break;
    default:
        wr_put(w, utf16_from_utf8(a, blob_str(q->text != NULL ? q->text : "")));
        wr_u16(w, 0);
    }
}

static void put_field(struct wr *w, struct arena *a, char f, const struct nspic_ask *q)
{
    uint16_t cp = q->stat != NULL && q->stat->code_page != 0 && q->stat->code_page != 1200 ? (uint16_t)q->stat->code_page : 1252;
    switch (f) {
    case 's': if (has(w, q->stat != NULL)) put_stat(w, q->stat); break;
    case 'M': if (has(w, q->nmids != 0)) put_numbers(w, q->mids, q->nmids); break;
    case 'T': if (has(w, q->ntags != 0 || q->empty_tags)) put_numbers(w, q->tags, q->ntags); break;
    case 'A': if (has(w, q->nnames != 0)) put_names(w, a, q, false); break;
    case 'W': if (has(w, q->nnames != 0)) put_names(w, a, q, true); break;
    case 'F': if (has(w, q->filter != NULL)) put_filter(w, a, cp, q); break;
    case 'P': if (has(w, q->nvalues != 0)) put_values(w, a, cp, q); break;
    case 'K': if (has(w, q->target != NULL)) put_value(w, a, cp, q->target); break;
    case 'E': if (has(w, q->nentryids != 0)) put_entryids(w, q); break;
    case 'D': if (has(w, q->dn != NULL)) wr_bytes(w, q->dn, strlen(q->dn) + 1); break;
    case 'V': if (has(w, q->has_version)) wr_u32(w, q->version); break;
    case 'N':
        if (has(w, q->name_guid != NULL)) {
            wr_bytes(w, q->name_guid->b, sizeof q->name_guid->b);
            wr_u32(w, q->name_id);
        }
        break;
    default: put_plain(w, a, f, q);
    }
}

struct blob nspic_body(struct arena *a, const char *type, const struct nspic_ask *q)
{
    struct wr w = wr_in(a, BODY_MAX);
    const struct request *r = request_of(type);
    for (const char *f = r != NULL ? r->fields : ""; *f != '\0'; f++)
        if (*f != ' ')
            put_field(&w, a, *f, q);
    wr_u32(&w, 0);
    return wr_blob(&w);
}

/* --- answers ------------------------------------------------------------------------------------------------------------------------------------- */

struct reading { struct rd *r; struct pv_codec codec; struct nspic_reply *o; };

static uint32_t *get_numbers(struct reading *x, size_t *n)
{
    *n = rd_count(x->r, rd_u32(x->r), sizeof(uint32_t));
    uint32_t *v = arena_array(x->codec.a, uint32_t, *n);
    for (size_t i = 0; i < *n; i++)
        v[i] = rd_u32(x->r);
    return v;
}

static void get_stat(struct rd *r, struct nspic_stat *s)
{
    s->sort_type = rd_u32(r);
    s->container = rd_u32(r);
    s->current = rd_u32(r);
    s->delta = (int32_t)rd_u32(r);
    s->num_pos = rd_u32(r);
    s->total = rd_u32(r);
    s->code_page = rd_u32(r);
    s->template_locale = rd_u32(r);
    s->sort_locale = rd_u32(r);
}

/* Values keep the tag that was sent, String8 included. */
static void get_value(struct reading *x, uint32_t tag, struct propval *v)
{
    propval_read(x->r, &x->codec, tag, v);
    v->tag = tag;
}

static void get_list(struct reading *x, struct nspic_row *row)
{
    row->n = rd_count(x->r, rd_u32(x->r), sizeof(uint32_t));
    row->v = arena_array(x->codec.a, struct propval, row->n);
    for (size_t i = 0; i < row->n && rd_ok(x->r); i++)
        get_value(x, rd_u32(x->r), &row->v[i]);
}

/* AddressBookPropertyRow: 0 all there, 1 each with a flag; columns without a type have it in the row. */
static void get_row(struct reading *x, struct nspic_row *row)
{
    uint8_t flagged = rd_u8(x->r);
    if (flagged > 1)
        rd_fail(x->r, "row flag");
    row->n = x->o->tags;
    row->v = arena_array(x->codec.a, struct propval, row->n);
    for (size_t i = 0; i < row->n && rd_ok(x->r); i++) {
        uint32_t tag = x->o->tag[i];
        if (prop_type(tag) == PtypUnspecified)
            tag = prop_retype(tag, rd_u16(x->r));
        uint8_t flag = flagged != 0 ? rd_u8(x->r) : 0;
        if (flag == 0xA)
            tag = prop_retype(tag, PtypErrorCode);
        else if (flag == 1)
            tag = prop_retype(tag, PtypNull);
        else if (flag != 0)
            rd_fail(x->r, "value flag");
        get_value(x, tag, &row->v[i]);
    }
}

static void get_rows(struct reading *x)
{
    x->o->tag = get_numbers(x, &x->o->tags);
    size_t n = rd_count(x->r, rd_u32(x->r), 1);
    x->o->row = arena_array(x->codec.a, struct nspic_row, n);
    for (; x->o->rows < n && rd_ok(x->r); x->o->rows++)
        get_row(x, &x->o->row[x->o->rows]);
}

static void get_table(struct reading *x)
{
    size_t n = rd_count(x->r, rd_u32(x->r), sizeof(uint32_t));
    x->o->row = arena_array(x->codec.a, struct nspic_row, n);
    for (; x->o->rows < n && rd_ok(x->r); x->o->rows++)
        get_list(x, &x->o->row[x->o->rows]);
}

static void get_field(struct reading *x, char f)
{
    struct nspic_reply *o = x->o;
    if (f == 'g')
        rd_copy(x->r, o->guid.b, sizeof o->guid.b);
    else if (f == 'r')
        o->result = (int32_t)rd_u32(x->r);
    else if (f == 'c')
        o->code_page = rd_u32(x->r);
    else if (f == 'u')
        o->url = arena_str(x->codec.a, utf8_from_utf16(x->codec.a, rd_utf16z(x->r)));
    else if (rd_u8(x->r) == 0)
        return;
    else if (f == 's')
        o->has_stat = true, get_stat(x->r, &o->stat);
    else if (f == 'i')
        o->has_mids = true, o->mid = get_numbers(x, &o->mids);
    else if (f == 't')
        o->has_tags = true, o->tag = get_numbers(x, &o->tags);
    else if (f == 'v')
        o->has_values = true, get_list(x, &o->values);
    else if (f == 'n')
        o->has_version = true, o->version = rd_u32(x->r);
    else if (f == 'R')
        o->has_rows = true, get_rows(x);
    else if (f == 'X')
        o->has_table = true, get_table(x);
    else if (f == 'd')
        o->has_delta = true, o->delta = (int32_t)rd_u32(x->r);
}

bool nspic_decode(struct arena *a, const char *type, struct blob body, uint16_t code_page, struct nspic_reply *out)
{
    struct rd r = rd_blob_of(body);
    struct reading x = { &r, { a, code_page, PV_COUNTS_BOOK }, out };
    const struct request *q = request_of(type);
    out->error = UINT32_MAX;
    out->status = rd_u32(&r);
    uint32_t error = rd_u32(&r);
    for (const char *f = q != NULL ? q->answer : ""; *f != '\0'; f++)
        if (*f != ' ')
            get_field(&x, *f);
    rd_blob(&r, rd_u32(&r));
    if (!rd_done(&r))
        return false;
    out->error = error;
    return true;
}

uint32_t nspic_call(struct mapic *c, struct arena *a, const char *type, const struct nspic_ask *q, const struct mapic_odd *odd, struct nspic_reply *out, const char **why)
{
    uint16_t cp = q->stat != NULL && q->stat->code_page != 0 && q->stat->code_page != 1200 ? (uint16_t)q->stat->code_page : 1252;
    *out = (struct nspic_reply){ .error = UINT32_MAX };
    if (!mapic_call(c, a, type, nspic_body(a, type, q), odd, &out->http, why))
        return UINT32_MAX;
    if (out->http.code != 0) {
        *why = arena_printf(a, "X-ResponseCode %d", out->http.code);
        return UINT32_MAX;
    }
    struct mapic_reply http = out->http;
    if (!nspic_decode(a, type, http.body, cp, out)) {
        *why = "a body that cannot be read";
        return UINT32_MAX;
    }
    return out->error;
}

const struct propval *nspic_find(const struct nspic_row *row, uint32_t tag)
{
    for (size_t i = 0; i < row->n; i++)
        if (prop_id(row->v[i].tag) == prop_id(tag))
            return &row->v[i];
    return NULL;
}
