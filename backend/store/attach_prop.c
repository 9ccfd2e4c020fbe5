/* attach_prop.c - the value of a property of an attachment: set by the client, or made by a function of attachprop.def. */
#include "backend/store/message_int.h"
#include "backend/base/utf.h"

enum { RO = 1, LIST = 4 };
enum { METHOD_NONE, METHOD_VALUE, METHOD_EMBEDDED = 5, SIZE_NEW = 0 };

struct src { struct mailbox *m; const struct attachment *att; };
typedef bool (*attach_fn)(const struct src *s, uint32_t asked, struct propval *out);
#define PROP(name) static bool attach_prop_##name(const struct src *s, uint32_t asked, struct propval *out)

static bool plain(const struct src *s, uint32_t tag, struct propval *out)
{
    const struct propval *v = props_find(&s->att->set, tag);
    if (v != NULL)
        *out = *v;
    return v != NULL;
}

PROP(number)       { (void)asked; *out = pv_i32(PidTagAttachNumber, (int32_t)s->att->num); return true; }
PROP(access)       { (void)s; (void)asked; *out = pv_i32(PidTagAccess, ACCESS_MODIFY | ACCESS_READ); return true; }
PROP(access_level) { (void)s; (void)asked; *out = pv_i32(PidTagAccessLevel, 1); return true; }
PROP(object_type)  { (void)s; (void)asked; *out = pv_i32(PidTagObjectType, 7); return true; }
PROP(has_named)    { (void)asked; *out = pv_bool(PidTagHasNamedProperties, message_has_named(&s->att->set)); return true; }
PROP(mapping)      { (void)asked; *out = pv_bin(PidTagMappingSignature, blob_of(s->m->info.mapping.b, 16)); return true; }
PROP(store_key)    { (void)asked; *out = pv_bin(PidTagStoreRecordKey, blob_of(s->m->info.id.b, 16)); return true; }

PROP(size)
{
    (void)asked;
    uint64_t n = attach_size(s->m->arena, s->att);
    *out = pv_i32(PidTagAttachSize, n > INT32_MAX ? INT32_MAX : (int32_t)n);
    return true;
}

/* One that nobody described is what its content says (OXCMSG R588 ff). */
PROP(method)
{
    struct propval v;
    if (plain(s, asked, out))
        return true;
    bool bytes = plain(s, PidTagAttachDataBinary, &v);
    *out = pv_i32(PidTagAttachMethod, s->att->embedded != NULL ? METHOD_EMBEDDED : bytes ? METHOD_VALUE : METHOD_NONE);
    return true;
}

PROP(position)
{
    if (!plain(s, asked, out))
        *out = pv_i32(PidTagRenderingPosition, -1); /* OXCMSG R451 */
    return true;
}

/* Unique and the same for as long as the attachment is there: its number, in four bytes. */
PROP(record_key)
{
    (void)asked;
    struct wr w = wr_in(s->m->arena, 4);
    wr_u32(&w, s->att->num);
    *out = pv_bin(PidTagRecordKey, wr_blob(&w));
    return true;
}

PROP(time) { return plain(s, asked, out); }

static struct blob name_of(const struct src *s)
{
    struct propval v;
    bool there = plain(s, PidTagAttachLongFilename, &v) && !v.large && prop_type(v.tag) == PtypString;
    return there ? v.v.s : blob_of(NULL, 0);
}

/* OXCMSG R228 */
PROP(display_name)
{
    if (plain(s, asked, out))
        return true;
    *out = pv_strn(PidTagDisplayName, name_of(s));
    return name_of(s).n != 0;
}

static size_t dot_of(struct blob name)
{
    size_t at = name.n;
    while (at > 0 && name.p[at - 1] != '.')
        at--;
    return at > 0 ? at - 1 : name.n;
}

PROP(extension)
{
    struct blob name = name_of(s);
    size_t dot = dot_of(name);
    if (plain(s, asked, out))
        return true;
    *out = pv_strn(PidTagAttachExtension, blob_of(name.p + dot, name.n - dot));
    return dot < name.n;
}

/* The 8.3 form of the long name: eight characters, a dot and three (OXCMSG R602). */
PROP(short_name)
{
    struct blob name = name_of(s);
    if (plain(s, asked, out) || name.n == 0)
        return name.n != 0 || plain(s, asked, out);
    size_t dot = dot_of(name);
    struct blob stem = utf8_cut(blob_of(name.p, dot), 8), ext = utf8_cut(blob_of(name.p + dot, name.n - dot), 4);
    struct wr w = wr_in(s->m->arena, stem.n + ext.n);
    wr_put(&w, stem);
    wr_put(&w, ext);
    *out = pv_strn(PidTagAttachFilename, wr_blob(&w));
    return true;
}

/* PidTagAttachDataBinary and PidTagAttachDataObject share an id: the object of an embedded message is opened, not read. */
PROP(data) { return plain(s, asked, out); }

static const struct { uint32_t tag; attach_fn fn; unsigned flags; } made[] = {
#define ATTPROP(tag, fn, flags) { tag, attach_prop_##fn, flags },
#include "backend/store/attachprop.def"
#undef ATTPROP
};
enum { MADE = sizeof made / sizeof *made };

static int made_of(uint32_t tag)
{
    for (int i = 0; i < MADE; i++)
        if (prop_id(made[i].tag) == prop_id(tag))
            return i;
    return -1;
}

struct propval attach_value(struct mailbox *m, const struct attachment *att, uint32_t tag)
{
    struct src s = { m, att };
    struct propval v;
    int i = made_of(tag);
    bool there = i >= 0 ? made[i].fn(&s, tag, &v) : plain(&s, tag, &v);
    if (!there || (prop_type(tag) != PtypUnspecified && !propval_fits(&v, prop_type(tag))))
        return pv_err(tag, (ec_t)ecNotFound);
    return v;
}

ec_t attachment_props(struct mailbox *m, const struct attachment *att, const uint32_t *tags, size_t n, struct props *out)
{
    *out = (struct props){ arena_array(m->arena, struct propval, n), n, n };
    for (size_t i = 0; i < n; i++)
        out->v[i] = attach_value(m, att, tags[i]);
    return ecNone;
}

ec_t attachment_props_all(struct mailbox *m, const struct attachment *att, struct props *out)
{
    *out = (struct props){ 0 };
    for (int i = 0; i < MADE; i++) {
        struct src s = { m, att };
        struct propval v;
        bool listed = (made[i].flags & LIST) != 0 || props_find(&att->set, made[i].tag) != NULL;
        if (listed && made[i].fn(&s, made[i].tag, &v))
            props_set(m->arena, out, v);
    }
    for (size_t i = 0; i < att->set.n; i++)
        if (made_of(att->set.v[i].tag) < 0)
            props_set(m->arena, out, att->set.v[i]);
    return ecNone;
}

ec_t attachment_prop_settable(uint32_t tag)
{
    int i = made_of(tag);
    if (i >= 0 && (made[i].flags & RO) != 0)
        return EC(ecAccessDenied);
    bool real = type_known(prop_type(tag)) && prop_type(tag) != PtypErrorCode && prop_type(tag) != PtypNull;
    return real || prop_type(tag) == PtypUnspecified ? ecNone : EC(ecNotSupported);
}
