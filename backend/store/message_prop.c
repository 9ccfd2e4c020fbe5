/* message_prop.c - the functions of messageprop.def except the bodies: ids, keys, flags, names, rights. */
#include "backend/store/message_int.h"
#include "backend/mapi/pcl.h"

#define PROP(name) bool message_prop_##name(struct message_src *s, uint32_t asked, struct propval *out)

/* Messages of a mailbox are made by its own replica: every id becomes {replica, counter}. */
static struct blob xid(struct message_src *s, uint64_t gc)
{
    struct wr w = wr_in(s->a, XID);
    xid_write(&w, &s->m->info.replica, gc);
    return wr_blob(&w);
}

static bool row_int(struct message_src *s, enum message_col c, int64_t *v)
{
    if (!message_need(s, 1ull << c) || !message_row_is(s->row, c))
        return false;
    *v = s->row->i[c];
    return true;
}

PROP(plain) { return message_plain(s, asked, out); }

PROP(none)
{
    (void)s; (void)asked; (void)out;
    return false;
}

/* Values that a message has from its creation on (OXCMSG R341-R343, R352). */
PROP(initial)
{
    if (message_plain(s, asked, out))
        return true;
    static const struct { uint32_t tag; int32_t v; const char *text; } first[] = {
        { PidTagImportance, 1, NULL }, { PidTagSensitivity, 0, NULL }, { PidTagMessageStatus, 0, NULL }, { PidTagTrustSender, 1, NULL },
        { PidTagMessageClass, 0, "IPM.Note" },
    };
    for (size_t i = 0; i < sizeof first / sizeof *first; i++)
        if (prop_id(first[i].tag) == prop_id(asked)) {
            *out = first[i].text != NULL ? pv_str(first[i].tag, first[i].text) : pv_i32(first[i].tag, first[i].v);
            return true;
        }
    return false;
}

/* --- subject, display names -------------------------------------------------------------------------------------------------- */
static const struct msg *loaded_subject(struct message_src *s)
{
    static const uint32_t tags[] = { PidTagSubject, PidTagSubjectPrefix, PidTagNormalizedSubject };
    struct msg *copy = arena_one(s->a, struct msg);
    copy->del = s->over->del;
    bool large = false;
    for (size_t i = 0; i < 3; i++) {
        const struct propval *v = props_find(&s->over->set, tags[i]);
        struct propval here;
        if (v == NULL || (v->large && large_load(s->m, v, &here) != ecNone))
            continue;
        large |= v->large;
        props_set(s->a, &copy->set, v->large ? here : *v);
    }
    return large ? copy : s->over;
}

struct subject message_subject_of(struct message_src *s)
{
    struct subject now = { .set = false };
    if (message_need(s, MCOL_BIT(subject_prefix) | MCOL_BIT(normalized_subject))) {
        now.prefix = s->row->b[MCOL_subject_prefix];
        now.normal = s->row->b[MCOL_normalized_subject];
        now.set = message_row_is(s->row, MCOL_normalized_subject) || message_row_is(s->row, MCOL_subject_prefix);
    }
    return s->over != NULL ? message_subject_change(&now, loaded_subject(s)) : now;
}

PROP(subject)
{
    struct subject sub = message_subject_of(s);
    if (prop_id(asked) == prop_id(PidTagSubject))
        *out = pv_strn(PidTagSubject, message_subject_join(s->a, &sub));
    else if (prop_id(asked) == prop_id(PidTagSubjectPrefix))
        *out = pv_strn(PidTagSubjectPrefix, sub.prefix);
    else
        *out = pv_strn(PidTagNormalizedSubject, sub.normal);
    return sub.set;
}

static bool rcpts_changed(const struct message_src *s) { return s->over != NULL && (s->over->rcpts_replaced || s->over->nrcpt != 0); }

PROP(display)
{
    struct msg msg = { 0 };
    uint8_t type = prop_id(asked) == prop_id(PidTagDisplayTo) ? 1 : prop_id(asked) == prop_id(PidTagDisplayCc) ? 2 : 3;
    uint32_t tag = prop_retype(asked, PtypString);
    if (s->row != NULL && !rcpts_changed(s))
        return message_need(s, 1ull << message_col_of(tag)) && message_col_value(s->row, message_col_of(tag), out);
    if (message_need(s, MCOLS_RCPTS) && !rcpts_unpack(s->row->rcpts, s->a, &msg))
        return false;
    if (s->over != NULL)
        msg_apply(s->a, &msg, &(struct msg){ .rcpts_replaced = s->over->rcpts_replaced, .rcpt = s->over->rcpt, .nrcpt = s->over->nrcpt });
    struct blob names = message_display(s->a, &msg, type);
    if (names.n == 0 && msg.nrcpt == 0 && message_plain(s, tag, out))
        return true;
    *out = pv_strn(tag, names);
    return true;
}

/* --- flags ------------------------------------------------------------------------------------------------------------------- */
static int64_t attachments(struct message_src *s)
{
    int64_t n = 0;
    row_int(s, MCOL_natt, &n);
    for (size_t i = 0; s->over != NULL && i < s->over->natt; i++) {
        const struct attachment *att = &s->over->att[i];
        if (att->deleted)
            n -= s->row != NULL && !att->fresh && n > 0;
        else
            n += att->fresh || s->row == NULL;
    }
    return n;
}

static uint32_t flags_of(struct message_src *s)
{
    int64_t v = MF_READ | MF_UNSENT | MF_EVERREAD; /* OXCMSG R347, R1480 */
    if (s->row == NULL || !row_int(s, MCOL_flags, &v)) {
        const struct props none = { 0 }, *set = s->over != NULL ? &s->over->set : &none;
        v = props_i32(set, PidTagMessageFlags, (int32_t)v);
        bool read = props_bool(set, PidTagRead, (v & MF_READ) != 0);
        v = read ? v | MF_READ | MF_EVERREAD : v & ~(int64_t)MF_READ;
    }
    uint32_t flags = (uint32_t)v & ~(uint32_t)MF_HASATTACH;
    return flags | (attachments(s) > 0 ? MF_HASATTACH : 0);
}

PROP(flags)
{
    (void)asked;
    *out = pv_i32(PidTagMessageFlags, (int32_t)flags_of(s));
    return true;
}

PROP(read)
{
    (void)asked;
    int64_t v = 0;
    *out = pv_bool(PidTagRead, row_int(s, MCOL_is_read, &v) ? v != 0 : (flags_of(s) & MF_READ) != 0);
    return true;
}

PROP(has_attach)
{
    (void)asked;
    *out = pv_bool(PidTagHasAttachments, attachments(s) > 0);
    return true;
}

PROP(associated)
{
    (void)asked;
    int64_t v = 0;
    row_int(s, MCOL_assoc, &v);
    *out = pv_bool(PidTagAssociated, v != 0);
    return s->row != NULL;
}

PROP(size)
{
    int64_t v = 0;
    if (!row_int(s, MCOL_size, &v) && s->over != NULL)
        v = (int64_t)message_size(s->a, s->over);
    if (prop_type(asked) == PtypInteger64)
        *out = pv_i64(PidTagMessageSizeExtended, v);
    else
        *out = pv_i32(PidTagMessageSize, v > INT32_MAX ? INT32_MAX : (int32_t)v);
    return true;
}

PROP(article)
{
    (void)asked;
    int64_t v = 0;
    if (!row_int(s, MCOL_article, &v) || v == 0)
        return false;
    *out = pv_i32(PidTagInternetArticleNumber, (int32_t)v);
    return true;
}

PROP(has_named)
{
    (void)asked;
    bool named = s->over != NULL && message_has_named(&s->over->set);
    if (!named && message_need(s, MCOLS_PROPS)) {
        const struct props *all = message_row_unpacked(s->row, s->a);
        named = all != NULL && message_has_named(all);
    }
    *out = pv_bool(PidTagHasNamedProperties, named);
    return true;
}

/* --- times ------------------------------------------------------------------------------------------------------------------- */
PROP(time)
{
    int c = message_col_of(asked);
    if (s->row != NULL)
        return message_need(s, 1ull << c) && message_col_value(s->row, c, out);
    if (message_plain(s, asked, out))
        return true;
    *out = pv_time(prop_retype(asked, PtypTime), s->m->now);
    return !s->embedded;
}

/* --- rights ------------------------------------------------------------------------------------------------------------------ */
PROP(access)
{
    (void)asked;
    *out = pv_i32(PidTagAccess, (int32_t)message_access(s));
    return true;
}

PROP(access_level)
{
    (void)asked;
    *out = pv_i32(PidTagAccessLevel, (message_access(s) & ACCESS_MODIFY) != 0);
    return true;
}

/* --- identity ---------------------------------------------------------------------------------------------------------------- */
PROP(object_type) { (void)s; (void)asked; *out = pv_i32(PidTagObjectType, 5); return true; }
PROP(row_type)    { (void)s; (void)asked; *out = pv_i32(PidTagRowType, 1); return true; }
PROP(zero)        { (void)s; *out = pv_i32(prop_retype(asked, PtypInteger32), 0); return true; }

PROP(mid)
{
    *out = pv_i64(prop_retype(asked, PtypInteger64), (int64_t)id_wire(REPLID_OWN, s->mid));
    return s->mid != 0;
}

PROP(fid)
{
    *out = pv_i64(prop_retype(asked, PtypInteger64), (int64_t)id_wire(REPLID_OWN, s->fid));
    return s->fid != 0;
}

PROP(entry_id)
{
    (void)asked;
    if (s->mid == 0 || s->fid == 0)
        return false;
    *out = pv_bin(PidTagEntryId, entryid_message(s->a, &s->m->info.id, &s->m->info.replica, s->fid, s->mid));
    return true;
}

PROP(parent_entry_id)
{
    (void)asked;
    if (s->fid == 0)
        return false;
    *out = pv_bin(PidTagParentEntryId, entryid_folder(s->a, &s->m->info.id, &s->m->info.replica, s->fid));
    return true;
}

PROP(record_key)
{
    (void)asked;
    *out = pv_bin(PidTagRecordKey, s->mid != 0 ? xid(s, s->mid) : blob_of(NULL, 0));
    return s->mid != 0;
}

/* Folder, message, instance: the same for every column set and table that shows this row. */
PROP(instance_key)
{
    (void)asked;
    if (s->mid == 0)
        return false;
    struct wr w = wr_in(s->a, 20);
    wr_u64(&w, id_wire(REPLID_OWN, s->fid));
    wr_u64(&w, id_wire(REPLID_OWN, s->mid));
    wr_u32(&w, 0);
    *out = pv_bin(PidTagInstanceKey, wr_blob(&w));
    return true;
}

/* A foreign key that an upload brought stays; else it is made from the id (OXCFXICS R2077-R2079). */
PROP(source_key)
{
    if (message_plain(s, asked, out))
        return true;
    *out = pv_bin(PidTagSourceKey, s->mid != 0 ? xid(s, s->mid) : blob_of(NULL, 0));
    return s->mid != 0;
}

PROP(parent_source_key)
{
    (void)asked;
    *out = pv_bin(PidTagParentSourceKey, s->fid != 0 ? xid(s, s->fid) : blob_of(NULL, 0));
    return s->fid != 0;
}

PROP(change_key)
{
    (void)asked;
    if (!message_need(s, MCOL_BIT(cn) | MCOLS_KEYS))
        return false;
    *out = pv_bin(PidTagChangeKey, s->row->change_key.n != 0 ? s->row->change_key : xid(s, (uint64_t)s->row->i[MCOL_cn]));
    return true;
}

PROP(change_list)
{
    (void)asked;
    if (!message_need(s, MCOLS_KEYS))
        return false;
    *out = pv_bin(PidTagPredecessorChangeList, s->row->pcl);
    return true;
}

PROP(change_number)
{
    (void)asked;
    int64_t cn = 0;
    if (!row_int(s, MCOL_cn, &cn))
        return false;
    *out = pv_i64(PidTagChangeNumber, (int64_t)id_wire(REPLID_OWN, (uint64_t)cn));
    return true;
}

PROP(store_entry_id)
{
    (void)asked;
    *out = pv_bin(PidTagStoreEntryId, entryid_store(s->a, s->m->info.smtp, s->m->info.owner_dn));
    return true;
}

PROP(store_key) { (void)asked; *out = pv_bin(PidTagStoreRecordKey, blob_of(s->m->info.id.b, sizeof s->m->info.id.b)); return true; }
PROP(mapping)   { (void)asked; *out = pv_bin(PidTagMappingSignature, blob_of(s->m->info.mapping.b, sizeof s->m->info.mapping.b)); return true; }
