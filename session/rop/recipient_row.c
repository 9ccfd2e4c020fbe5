/* recipient_row.c - a recipient between its row on the wire and its properties (MS-OXCDATA 2.8.3). */
#include "session/rop/recipient_row.h"
#include "backend/base/utf.h"
#include "backend/mapi/entryid.h"
#include "backend/mapi/proprow.h"

enum { /* RecipientFlags */
    F_TYPE = 0x0007, F_EMAIL = 0x0008, F_DISPLAY = 0x0010, F_TRANSMIT = 0x0020, F_SAME = 0x0040, F_RESPONSIBLE = 0x0080,
    F_NO_RICH = 0x0100, F_UNICODE = 0x0200, F_SIMPLE = 0x0400, F_ADDRTYPE = 0x8000
};

static const char *const type_name[] = { NULL, "EX", "MS", "SMTP", "FAX", "PROFS", "MAPIPDL", "MAPIPDL" };

/* --- reading ------------------------------------------------------------------------------------------------------------------ */
struct row {
    uint16_t    flags;
    uint8_t     kind, display_type;
    struct blob dn, entry_id, search_key, addrtype, email, display, simple, transmit;
};

static struct blob read_string(struct rd *r, const struct pv_codec *c, const struct row *w)
{
    if ((w->flags & F_UNICODE) != 0)
        return utf8_from_utf16(c->a, rd_utf16z(r));
    return utf8_from_codepage(c->a, c->code_page, rd_asciiz(r));
}

static void read_address(struct rd *r, const struct pv_codec *c, struct row *w)
{
    if (w->kind == RCPT_X500DN) {
        rd_u8(r); /* AddressPrefixUsed: the DnPrefix that Connect announces is empty, so there is nothing to put in front */
        w->display_type = rd_u8(r);
        w->dn = utf8_from_codepage(c->a, c->code_page, rd_asciiz(r));
    } else if (w->kind == RCPT_PDL1 || w->kind == RCPT_PDL2) {
        w->entry_id = rd_blob(r, rd_u16(r));
        w->search_key = rd_blob(r, rd_u16(r));
    } else if (w->kind == RCPT_NONE && (w->flags & F_ADDRTYPE) != 0) {
        w->addrtype = utf8_from_codepage(c->a, c->code_page, rd_asciiz(r));
    }
}

static void read_names(struct rd *r, const struct pv_codec *c, struct row *w)
{
    if ((w->flags & F_EMAIL) != 0)
        w->email = read_string(r, c, w);
    if ((w->flags & F_DISPLAY) != 0)
        w->display = read_string(r, c, w);
    if ((w->flags & F_SIMPLE) != 0)
        w->simple = read_string(r, c, w);
    if ((w->flags & F_TRANSMIT) != 0)
        w->transmit = read_string(r, c, w);
}

static void set_text(struct arena *a, struct props *out, uint32_t tag, struct blob s, bool there)
{
    if (there)
        props_set(a, out, pv_strn(tag, s));
}

static void set_address(struct arena *a, const struct row *w, struct props *out)
{
    struct blob type = type_name[w->kind] != NULL ? blob_str(type_name[w->kind]) : w->addrtype;
    struct blob address = w->kind == RCPT_X500DN ? w->dn : w->email;
    set_text(a, out, PidTagAddressType, type, type.n != 0);
    set_text(a, out, PidTagEmailAddress, address, address.n != 0);
    if (w->entry_id.n != 0) {
        props_set(a, out, pv_bin(PidTagEntryId, w->entry_id));
        props_set(a, out, pv_bin(PidTagSearchKey, w->search_key));
    } else if (type.n != 0 && address.n != 0) {
        const char *t = arena_str(a, type), *e = arena_str(a, address);
        struct blob id = w->kind == RCPT_X500DN ? entryid_addressbook(a, w->display_type, e) : entryid_oneoff(a, arena_str(a, w->display), t, e);
        props_set(a, out, pv_bin(PidTagEntryId, id));
        props_set(a, out, pv_bin(PidTagSearchKey, search_key(a, t, e)));
    }
    if (w->kind == RCPT_X500DN)
        props_set(a, out, pv_i32(PidTagDisplayType, w->display_type));
    if (w->kind == RCPT_SMTP)
        set_text(a, out, PidTagSmtpAddress, address, address.n != 0);
}

static void set_row(struct arena *a, const struct row *w, struct props *out)
{
    set_text(a, out, PidTagDisplayName, w->display, (w->flags & F_DISPLAY) != 0);
    set_address(a, w, out);
    set_text(a, out, PidTagAddressBookDisplayNamePrintable, w->simple, (w->flags & F_SIMPLE) != 0);
    if ((w->flags & F_SAME) != 0)
        set_text(a, out, PidTagTransmittableDisplayName, w->display, (w->flags & F_DISPLAY) != 0);
    else
        set_text(a, out, PidTagTransmittableDisplayName, w->transmit, (w->flags & F_TRANSMIT) != 0);
    props_set(a, out, pv_bool(PidTagSendRichInfo, (w->flags & F_NO_RICH) == 0));
    props_set(a, out, pv_bool(PidTagResponsibility, (w->flags & F_RESPONSIBLE) != 0));
}

void recipient_row_read(struct rd *r, const struct pv_codec *c, const uint32_t *cols, size_t ncols, struct props *out)
{
    struct row w = { .flags = rd_u16(r) };
    w.kind = w.flags & F_TYPE;
    read_address(r, c, &w);
    read_names(r, c, &w);
    size_t n = rd_u16(r);
    if (n > ncols)
        rd_fail(r, "more columns than named");
    struct propval *v = arena_array(c->a, struct propval, rd_ok(r) ? n : 0);
    if (rd_ok(r) && (n != 0 || r->n != 0)) /* a row of no columns may have no flag either */
        proprow_read(r, c, cols, n, v);
    *out = (struct props){ 0 };
    if (!rd_ok(r))
        return;
    set_row(c->a, &w, out);
    for (size_t i = 0; i < n; i++)
        if (prop_type(v[i].tag) != PtypErrorCode)
            props_set(c->a, out, v[i]);
}

/* --- writing ------------------------------------------------------------------------------------------------------------------ */

/* What a row says outside its columns, or what is not the client's (MS-OXCROPS 2.2.6.5.1). */
static bool own_field(uint32_t tag)
{
    static const uint32_t own[] = {
        PidTagAddressType, PidTagDisplayName, PidTagEmailAddress, PidTagEntryId, PidTagInstanceKey, PidTagRecipientType, PidTagRowid,
        PidTagResponsibility, PidTagSearchKey, PidTagSendRichInfo, PidTagTransmittableDisplayName, PidTagAddressBookDisplayNamePrintable
    };
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (prop_id(own[i]) == prop_id(tag))
            return true;
    return false;
}

void recipient_columns(struct arena *a, const struct msg *m, struct tags *out)
{
    *out = (struct tags){ 0 };
    for (size_t i = 0; i < m->nrcpt; i++)
        for (size_t k = 0; k < m->rcpt[i].props.n; k++)
            if (!own_field(m->rcpt[i].props.v[k].tag))
                tags_add(a, out, m->rcpt[i].props.v[k].tag);
}

static bool is_text(struct blob s, const char *text)
{
    struct blob t = blob_str(text);
    return s.n == t.n && utf8_cmp(s, t, UTF_FOLD) == 0;
}

/* A personal list needs its ids, a DN its text; what lacks them goes as an address of a named type. */
static uint8_t kind_of(const struct props *p, struct blob type, struct blob email)
{
    if (is_text(type, "MAPIPDL"))
        return props_bin(p, PidTagEntryId).n != 0 ? RCPT_PDL1 : RCPT_NONE;
    if (is_text(type, "EX"))
        return email.n != 0 ? RCPT_X500DN : RCPT_NONE;
    for (uint8_t k = RCPT_MSMAIL; k <= RCPT_PROFS; k++)
        if (is_text(type, type_name[k]))
            return k;
    return RCPT_NONE;
}

static void put_utf16z(struct wr *w, const struct pv_codec *c, struct blob s)
{
    struct propval v = pv_strn(PidTagDisplayName, s);
    propval_write(w, c, PtypString, &v);
}

static void put_asciiz(struct wr *w, const struct pv_codec *c, struct blob s)
{
    struct propval v = pv_strn(PidTagDisplayName, s);
    propval_write(w, c, PtypString8, &v);
}

static void put_counted(struct wr *w, struct blob b)
{
    if (b.n > 0xFFFF) {
        w->full = true;
        return;
    }
    wr_u16(w, (uint16_t)b.n);
    wr_put(w, b);
}

static void put_address(struct wr *w, const struct pv_codec *c, uint8_t kind, struct blob type, struct blob email, const struct props *p)
{
    if (kind == RCPT_X500DN) {
        wr_u8(w, 0);
        wr_u8(w, (uint8_t)props_i32(p, PidTagDisplayType, 0));
        put_asciiz(w, c, email);
    } else if (kind == RCPT_PDL1) {
        put_counted(w, props_bin(p, PidTagEntryId));
        put_counted(w, props_bin(p, PidTagSearchKey));
    } else if (kind == RCPT_NONE && type.n != 0) {
        put_asciiz(w, c, type);
    }
}

static const struct propval *text_of(const struct props *p, uint32_t tag)
{
    const struct propval *v = props_find(p, tag);
    return v != NULL && prop_type(v->tag) == PtypString && !v->large ? v : NULL;
}

void recipient_row_write(struct wr *w, const struct pv_codec *c, const uint32_t *cols, size_t ncols, const struct props *p)
{
    struct blob type = props_str(p, PidTagAddressType), email = props_str(p, PidTagEmailAddress);
    uint8_t kind = kind_of(p, type, email);
    const struct propval *name[] = { /* in the order of the row */
        kind != RCPT_X500DN && email.n != 0 ? text_of(p, PidTagEmailAddress) : NULL, text_of(p, PidTagDisplayName),
        text_of(p, PidTagAddressBookDisplayNamePrintable), text_of(p, PidTagTransmittableDisplayName)
    };
    static const uint16_t name_flag[] = { F_EMAIL, F_DISPLAY, F_SIMPLE, F_TRANSMIT };
    uint16_t flags = (uint16_t)(F_UNICODE | kind | (kind == RCPT_NONE && type.n != 0 ? F_ADDRTYPE : 0));
    if (name[1] != NULL && (name[3] == NULL || blob_eq(name[1]->v.s, name[3]->v.s))) {
        flags |= F_SAME;
        name[3] = NULL;
    }
    for (size_t i = 0; i < 4; i++)
        flags |= name[i] != NULL ? name_flag[i] : 0;
    flags |= props_bool(p, PidTagSendRichInfo, true) ? 0 : F_NO_RICH;
    flags |= props_bool(p, PidTagResponsibility, false) ? F_RESPONSIBLE : 0;

    wr_u16(w, flags);
    put_address(w, c, kind, type, email, p);
    for (size_t i = 0; i < 4; i++)
        if (name[i] != NULL)
            put_utf16z(w, c, name[i]->v.s);
    wr_u16(w, (uint16_t)ncols);
    proprow_write(w, c, cols, ncols, p, 0);
}
