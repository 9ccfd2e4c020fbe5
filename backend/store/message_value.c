/* message_value.c - the value of a property of a message: overlay, column, blob, or made by a function of messageprop.def. */
#include "backend/store/message_int.h"

enum { RO = 1, ONCE = 2, LIST = 4 };
#define C(column) MCOL_BIT(column)
#define BODY MCOLS_PROPS
#define KEYS MCOLS_KEYS

struct prop { uint32_t tag; message_fn fn; colmask needs; unsigned flags; };
static const struct prop made[] = {
#define MSGPROP(tag, fn, needs, flags) { tag, message_prop_##fn, needs, flags },
#include "backend/store/messageprop.def"
#undef MSGPROP
};

enum {
#define MSGPROP(tag, fn, needs, flags) AT_##tag,
#include "backend/store/messageprop.def"
#undef MSGPROP
};

static const struct prop *made_of(uint32_t tag)
{
    switch (prop_id(tag)) {
#define MSGPROP(tag, fn, needs, flags) case ID_##tag: return &made[AT_##tag];
#include "backend/store/messageprop.def"
#undef MSGPROP
    default: return NULL;
    }
}

colmask message_needs(const uint32_t *tags, size_t n)
{
    colmask need = 0;
    for (size_t i = 0; i < n; i++) {
        const struct prop *p = made_of(tags[i]);
        int c = p == NULL ? message_col_of(tags[i]) : -1;
        need |= p != NULL ? p->needs : c >= 0 ? 1ull << c : MCOLS_PROPS;
    }
    return need;
}

bool message_need(struct message_src *s, colmask want)
{
    if (s->row == NULL || s->ec != ecNone)
        return false;
    if ((want & ~s->row->have) != 0)
        s->ec = message_row_more(s->m, s->a, s->row, want);
    return s->ec == ecNone;
}

static bool from_blob(struct message_src *s, uint32_t tag, struct propval *out)
{
    if (!message_need(s, MCOLS_PROPS))
        return false;
    if (!s->many && !s->row->is_unpacked)
        return props_pick(s->row->props, s->a, tag, out);
    const struct props *all = message_row_unpacked(s->row, s->a);
    const struct propval *v = all != NULL ? props_find(all, tag) : NULL;
    if (v != NULL)
        *out = *v;
    return v != NULL;
}

bool message_plain(struct message_src *s, uint32_t tag, struct propval *out)
{
    const struct propval *v = s->over != NULL ? props_find(&s->over->set, tag) : NULL;
    if (v != NULL)
        *out = *v;
    if (v != NULL || (s->over != NULL && tags_has(&s->over->del, tag)))
        return v != NULL;
    if (s->row == NULL)
        return false;
    int c = message_col_of(tag);
    if (c < 0)
        return from_blob(s, tag, out);
    return message_need(s, 1ull << c) && message_col_value(s->row, c, out);
}

struct propval message_value(struct message_src *s, uint32_t tag)
{
    const struct prop *p = made_of(tag);
    struct propval v;
    bool there = p != NULL ? p->fn(s, tag, &v) : message_plain(s, tag, &v);
    if (!there || (prop_type(tag) != PtypUnspecified && !propval_fits(&v, prop_type(tag))))
        return pv_err(tag, (ec_t)ecNotFound);
    return v;
}

/* --- what a client may change ---------------------------------------------------------------------------------------------- */
ec_t message_prop_settable(uint32_t tag, bool saved_once)
{
    const struct prop *p = made_of(tag);
    if (p != NULL && ((p->flags & RO) != 0 || ((p->flags & ONCE) != 0 && saved_once)))
        return EC(ecAccessDenied);
    if (prop_type(tag) == PtypUnspecified)
        return ecNone; /* asked for a deletion, which goes by the id */
    if (!type_known(prop_type(tag)) || prop_type(tag) == PtypErrorCode || prop_type(tag) == PtypNull)
        return EC(ecNotSupported);
    int c = message_col_of(tag);
    struct propval v = { .tag = prop_unicode(tag) };
    uint32_t kept = c >= 0 ? message_col_tag(c) : v.tag;
    return kept == v.tag ? ecNone : EC(ecNotSupported);
}

/* --- many properties ------------------------------------------------------------------------------------------------------- */
static void open_src(struct message_src *s, struct mailbox *m, const struct msg *over, uint64_t mid, uint64_t fid)
{
    *s = (struct message_src){ .m = m, .a = m->arena, .over = over, .mid = mid, .fid = fid };
}

static ec_t may_read(struct message_src *s)
{
    if ((s->rights & RIGHT_READ_ANY) != 0 || (message_access(s) & ACCESS_READ) != 0)
        return s->ec;
    return EC(ecAccessDenied);
}

/* A message that somebody deleted for good while it was open is no unsaved one. */
static ec_t open_stored(struct message_src *s, colmask want)
{
    if (s->mid == 0)
        return rights_of(s->m, s->fid, &s->rights);
    s->row = arena_one(s->a, struct message_row);
    ec_t ec = message_row_load(s->m, s->a, s->mid, want, s->row);
    if (ec == (ec_t)ecNotFound)
        return EC(ecObjectDeleted);
    TRY(ec);
    s->fid = (uint64_t)s->row->i[MCOL_fid];
    TRY(rights_of(s->m, s->fid, &s->rights));
    return may_read(s);
}

static ec_t answer(struct message_src *s, const uint32_t *tags, size_t n, struct props *out)
{
    *out = (struct props){ arena_array(s->a, struct propval, n), n, n };
    s->many = n > 3;
    for (size_t i = 0; i < n; i++) {
        out->v[i] = message_value(s, tags[i]);
        if (s->ec != ecNone)
            return s->ec;
    }
    return ecNone;
}

ec_t message_props(struct mailbox *m, uint64_t mid, uint64_t fid, const struct msg *over, const uint32_t *tags, size_t n, struct props *out)
{
    struct message_src s;
    open_src(&s, m, over, mid, fid);
    TRY(open_stored(&s, message_needs(tags, n)));
    return answer(&s, tags, n, out);
}

ec_t embedded_props(struct mailbox *m, const struct msg *whole, const uint32_t *tags, size_t n, struct props *out)
{
    struct message_src s;
    open_src(&s, m, whole, 0, 0);
    s.embedded = true;
    s.rights = RIGHTS_ALL;
    return answer(&s, tags, n, out);
}

/* Everything that is stored or set, then what is listed although only made. */
static ec_t answer_all(struct message_src *s, struct props *out)
{
    struct props plain = { 0 };
    if (message_need(s, MCOLS_ALL | MCOLS_BODY))
        s->ec = message_row_props(s->m, s->row, s->a, &plain);
    TRY(s->ec);
    if (s->over != NULL) {
        props_copy(s->a, &plain, &s->over->set);
        for (size_t i = 0; i < s->over->del.n; i++)
            props_del(&plain, s->over->del.v[i]);
    }
    *out = (struct props){ 0 };
    s->many = true;
    for (size_t i = 0; i < sizeof made / sizeof *made; i++) {
        bool listed = (made[i].flags & LIST) != 0 || props_find(&plain, made[i].tag) != NULL;
        struct propval v;
        if (listed && made[i].fn(s, prop_retype(made[i].tag, PtypUnspecified), &v))
            props_set(s->a, out, v);
        props_del(&plain, made[i].tag);
        TRY(s->ec);
    }
    props_copy(s->a, out, &plain);
    return s->ec;
}

ec_t message_props_all(struct mailbox *m, uint64_t mid, uint64_t fid, const struct msg *over, struct props *out)
{
    struct message_src s;
    open_src(&s, m, over, mid, fid);
    TRY(open_stored(&s, MCOLS_ALL | MCOLS_BODY));
    return answer_all(&s, out);
}

ec_t embedded_props_all(struct mailbox *m, const struct msg *whole, struct props *out)
{
    struct message_src s;
    open_src(&s, m, whole, 0, 0);
    s.embedded = true;
    s.rights = RIGHTS_ALL;
    return answer_all(&s, out);
}
