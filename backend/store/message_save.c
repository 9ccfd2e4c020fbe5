/* message_save.c - the changes to a message become the stored message: one row, one change number, one event. MS-OXCMSG 3.2.5.3. */
#include "backend/base/utf.h"
#include "backend/mapi/pcl.h"
#include "backend/store/message_int.h"

enum { PACKED_MAX = 64 << 20, CLASS_MAX = 255 };

STMT(SAVE_FOLDER, "SELECT type, deleted FROM folder WHERE fid = ?1");

struct saving {
    struct mailbox *m;
    struct message_save *s;
    const struct msg *over;
    bool   exists;
    struct message_row was, now;
    struct msg whole;             /* properties and recipients as they will be */
    struct msg atts_were;         /* attachments before the change, if it touches them */
    struct msg parts;             /* those of them that are packed, with large values moved out */
};

/* --- may it be saved? ------------------------------------------------------------------------------------------------------ */
static ec_t check_folder(struct saving *v)
{
    DB_QUERY(q, v->m->db, SAVE_FOLDER);
    db_put_u64(&q, v->s->fid);
    TRY(db_one(&q));
    if (db_bool(&q, 1))
        return EC(ecNotFound);
    return db_i64(&q, 0) == 2 ? EC(ecSearchFolder) : need_rights(v->m, v->s->fid, RIGHT_CREATE);
}

static ec_t check_message(struct saving *v)
{
    struct message_src src = { .m = v->m, .a = v->m->arena, .row = &v->was, .mid = v->s->mid };
    ec_t ec = message_row_load(v->m, v->m->arena, v->s->mid, MCOLS_ALL | MCOLS_BODY, &v->was);
    if (ec == (ec_t)ecNotFound || (ec == ecNone && v->was.i[MCOL_deleted] != 0))
        return EC(ecObjectDeleted);
    TRY(ec);
    v->s->fid = src.fid = (uint64_t)v->was.i[MCOL_fid];
    v->s->assoc = v->was.i[MCOL_assoc] != 0;
    TRY(rights_of(v->m, src.fid, &src.rights));
    if ((message_access(&src) & ACCESS_MODIFY) == 0)
        return EC(ecAccessDenied);
    bool changed = v->s->base_cn != 0 && v->s->base_cn != (uint64_t)v->was.i[MCOL_cn];
    return changed && !v->s->force ? EC(ecObjectChanged) : src.ec;
}

/* An id that the caller brings must have been given out, and to nobody. */
static ec_t give_id(struct saving *v)
{
    struct message_row other;
    if (v->s->mid == 0)
        v->s->mid = counter_id(v->m);
    else if (!v->exists) {
        if (v->s->mid >= v->m->next_id)
            return EC(ecInvalidParameter);
        ec_t ec = message_row_load(v->m, v->m->arena, v->s->mid, 0, &other);
        return ec == (ec_t)ecNotFound ? ecNone : ec == ecNone ? EC(ecDuplicateObject) : ec;
    }
    return ecNone;
}

static ec_t begin(struct saving *v)
{
    v->exists = v->s->mid != 0 && !v->s->fresh;
    TRY(v->exists ? check_message(v) : check_folder(v));
    TRY(give_id(v));
    v->now = v->was;
    v->now.mid = v->s->mid;
    v->now.is_unpacked = false;
    return ecNone;
}

/* --- properties and recipients ---------------------------------------------------------------------------------------------- */
static bool is_subject(uint32_t tag)
{
    return prop_id(tag) == prop_id(PidTagSubject) || prop_id(tag) == prop_id(PidTagSubjectPrefix) || prop_id(tag) == prop_id(PidTagNormalizedSubject);
}

static bool given_at_creation(uint32_t tag)
{
    static const uint32_t tags[] = {
        PidTagSearchKey, PidTagCreatorName, PidTagCreatorEntryId, PidTagLastModifierName, PidTagLastModifierEntryId, PidTagSourceKey,
    };
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++)
        if (prop_id(tags[i]) == prop_id(tag))
            return true;
    return false;
}

static bool takes(const struct saving *v, uint32_t tag)
{
    if (is_subject(tag) || prop_id(tag) == prop_id(PidTagMessageFlags) || prop_id(tag) == prop_id(PidTagRead))
        return false;
    return message_prop_settable(tag, v->exists) == ecNone || ((!v->exists || v->s->keep_times) && given_at_creation(tag));
}

/* Values with a column are short by nature: one that the session kept as a large value comes back, cut. */
static ec_t inline_columns(struct saving *v, struct propval *val)
{
    if (!val->large || message_col_of(val->tag) < 0)
        return ecNone;
    struct propval here;
    TRY(large_load(v->m, val, &here));
    if (prop_type(here.tag) == PtypString)
        here.v.s = utf8_cut(here.v.s, LARGE_MIN);
    *val = here;
    return ecNone;
}

static ec_t apply(struct saving *v)
{
    struct arena *a = v->m->arena;
    struct msg clean = { .rcpts_replaced = v->over->rcpts_replaced, .rcpt = v->over->rcpt, .nrcpt = v->over->nrcpt, .rcpt_cap = v->over->nrcpt };
    for (size_t i = 0; i < v->over->set.n; i++) {
        struct propval val = v->over->set.v[i];
        if (!takes(v, val.tag))
            continue;
        TRY(inline_columns(v, &val));
        props_set(a, &clean.set, val);
    }
    for (size_t i = 0; i < v->over->del.n; i++)
        if (takes(v, v->over->del.v[i]))
            tags_add(a, &clean.del, v->over->del.v[i]);
    if (v->exists) {
        TRY(message_row_props(&v->was, a, &v->whole.set));
        if (!rcpts_unpack(v->was.rcpts, a, &v->whole))
            return EC(ecDiskError);
    }
    msg_apply(a, &v->whole, &clean);
    message_drop_stale_bodies(&v->whole.set, &clean);
    return ecNone;
}

static void set_subject(struct saving *v)
{
    struct message_src src = { .m = v->m, .a = v->m->arena, .row = v->exists ? &v->was : NULL, .over = v->over };
    struct subject sub = message_subject_of(&src);
    struct props *set = &v->whole.set;
    props_del(set, PidTagSubjectPrefix);
    props_del(set, PidTagNormalizedSubject);
    if (!sub.set)
        return;
    props_set(v->m->arena, set, pv_strn(PidTagSubjectPrefix, sub.prefix));
    props_set(v->m->arena, set, pv_strn(PidTagNormalizedSubject, sub.normal));
}

/* OXCMSG R19, R501, R502; a class that none of this is true of becomes the plain one. */
static bool good_class(struct blob s)
{
    bool good = s.n > 0 && s.n <= CLASS_MAX && s.p[s.n - 1] != '.';
    for (size_t i = 0; good && i < s.n; i++)
        good = s.p[i] >= 0x20 && s.p[i] < 0x80;
    return good;
}

static void set_default(struct saving *v, struct propval value)
{
    if (props_find(&v->whole.set, value.tag) == NULL)
        props_set(v->m->arena, &v->whole.set, value);
}

static struct blob random_key(struct arena *a)
{
    struct guid g = guid_new();
    return arena_blob(a, blob_of(g.b, sizeof g.b));
}

/* The display name of the actor, as far as the store knows it: the mailbox owner's, else the last part of the DN. */
static const char *actor_name(struct mailbox *m)
{
    if (m->actor.kind != ACTOR_DELEGATE)
        return m->info.display_name;
    const char *last = strrchr(m->actor.dn, '=');
    return last != NULL ? last + 1 : m->actor.dn;
}

static struct blob actor_entryid(struct mailbox *m)
{
    return entryid_addressbook(m->arena, 0, m->actor.kind == ACTOR_DELEGATE ? m->actor.dn : m->info.owner_dn);
}

static void set_defaults(struct saving *v)
{
    struct mailbox *m = v->m;
    if (!good_class(props_str(&v->whole.set, PidTagMessageClass)))
        props_set(m->arena, &v->whole.set, pv_str(PidTagMessageClass, "IPM.Note"));
    if (!v->exists) {
        set_default(v, pv_i32(PidTagImportance, 1));
        set_default(v, pv_i32(PidTagSensitivity, 0));
        set_default(v, pv_bin(PidTagSearchKey, random_key(m->arena)));
        set_default(v, pv_str(PidTagCreatorName, actor_name(m)));
        set_default(v, pv_bin(PidTagCreatorEntryId, actor_entryid(m)));
    }
    bool given = v->s->keep_times && props_find(&v->over->set, PidTagLastModifierName) != NULL;
    if (given || m->actor.kind == ACTOR_SYSTEM)
        return;
    props_set(m->arena, &v->whole.set, pv_str(PidTagLastModifierName, actor_name(m)));
    props_set(m->arena, &v->whole.set, pv_bin(PidTagLastModifierEntryId, actor_entryid(m)));
}

/* --- columns ------------------------------------------------------------------------------------------------------------------ */
static uint32_t first_flags(const struct saving *v)
{
    const struct props *set = &v->over->set;
    uint32_t all = ~(uint32_t)(MF_HASATTACH | MF_FAI);
    uint32_t flags = (uint32_t)props_i32(set, PidTagMessageFlags, MF_READ | MF_UNSENT) & (v->s->keep_times ? all : MF_CLIENT);
    if (!props_bool(set, PidTagRead, (flags & MF_READ) != 0))
        flags &= ~(uint32_t)MF_READ;
    else
        flags |= MF_READ;
    if ((flags & (MF_UNSENT | MF_READ)) == 0) {
        flags |= props_bool(&v->whole.set, PidTagReadReceiptRequested, false) ? MF_NOTIFYREAD : 0;
        flags |= props_bool(&v->whole.set, PidTagNonReceiptNotificationRequested, false) ? MF_NOTIFYUNREAD : 0;
    }
    return flags | MF_UNMODIFIED | (v->s->assoc ? MF_FAI : 0);
}

static void set_flags(struct saving *v)
{
    uint32_t flags = v->exists ? (uint32_t)v->was.i[MCOL_flags] & ~(uint32_t)MF_UNMODIFIED : first_flags(v);
    if (v->exists && v->s->keep_times && props_find(&v->over->set, PidTagMessageFlags) != NULL)
        flags = first_flags(v) & ~(uint32_t)MF_UNMODIFIED;
    flags = v->now.i[MCOL_natt] > 0 ? flags | MF_HASATTACH : flags & ~(uint32_t)MF_HASATTACH;
    flags |= (flags & MF_READ) != 0 ? MF_EVERREAD : 0; /* OXCMSG R1141 */
    message_row_int(&v->now, MCOL_flags, flags);
    message_row_int(&v->now, MCOL_is_read, (flags & MF_READ) != 0);
    message_row_int(&v->now, MCOL_has_attach, (flags & MF_HASATTACH) != 0);
}

static uint64_t given_time(const struct saving *v, uint32_t tag, bool allowed, uint64_t otherwise)
{
    const struct propval *t = props_find(&v->over->set, tag);
    return allowed && t != NULL && prop_type(t->tag) == PtypTime ? (uint64_t)t->v.i64 : otherwise;
}

static void set_times(struct saving *v)
{
    uint64_t now = v->m->now, created = v->exists ? (uint64_t)v->was.i[MCOL_created] : now;
    message_row_int(&v->now, MCOL_created, (int64_t)given_time(v, PidTagCreationTime, !v->exists || v->s->keep_times, created));
    message_row_int(&v->now, MCOL_modified, (int64_t)given_time(v, PidTagLastModificationTime, v->s->keep_times, now));
    message_row_int(&v->now, MCOL_committed, (int64_t)now); /* OXCMSG R1890 */
}

static void set_display(struct saving *v, enum message_col col, uint32_t tag, uint8_t type)
{
    struct blob names = message_display(v->m->arena, &v->whole, type);
    if (v->whole.nrcpt == 0 && props_find(&v->over->set, tag) != NULL)
        names = props_str(&v->over->set, tag);
    v->now.b[col] = names;
    v->now.set |= 1ull << col;
}

/* A new change: number, key and list of predecessors; a key and list that an upload brought stay (OXCFXICS R1906, R1911). */
static void set_change(struct saving *v)
{
    struct arena *a = v->m->arena;
    const struct props *set = &v->over->set;
    v->s->cn = counter_cn(v->m);
    message_row_int(&v->now, MCOL_cn, (int64_t)v->s->cn);
    bool brought = v->s->keep_times && props_bin(set, PidTagChangeKey).n != 0;
    v->now.change_key = brought ? props_bin(set, PidTagChangeKey) : blob_of(NULL, 0);
    struct blob list = brought ? props_bin(set, PidTagPredecessorChangeList) : blob_of(NULL, 0);
    v->now.pcl = list.n != 0 ? list : pcl_add(a, v->was.pcl, &v->m->info.replica, v->s->cn);
}

static ec_t set_attachments(struct saving *v)
{
    uint32_t n = 0;
    uint64_t bytes = 0;
    if (v->exists && v->over->natt != 0)
        TRY(attach_load(v->m, v->m->arena, v->s->mid, &v->atts_were));
    TRY(attach_save(v->m, v->s->mid, v->over));
    TRY(attach_sum(v->m, v->s->mid, &n, &bytes));
    uint32_t next = v->over->next_att != 0 ? v->over->next_att : (uint32_t)v->was.i[MCOL_next_att];
    for (size_t i = 0; i < v->over->natt; i++)
        if (next <= v->over->att[i].num)
            next = v->over->att[i].num + 1;
    message_row_int(&v->now, MCOL_natt, n);
    message_row_int(&v->now, MCOL_next_att, next);
    message_row_int(&v->now, MCOL_size, (int64_t)bytes); /* the rest is added by set_size */
    return ecNone;
}

static void set_columns(struct saving *v)
{
    message_row_int(&v->now, MCOL_fid, (int64_t)v->s->fid);
    message_row_int(&v->now, MCOL_assoc, v->s->assoc);
    message_row_int(&v->now, MCOL_deleted, 0);
    message_row_int(&v->now, MCOL_status, v->was.i[MCOL_status]);
    message_row_int(&v->now, MCOL_read_cn, v->was.i[MCOL_read_cn]);
    message_row_int(&v->now, MCOL_article, v->was.i[MCOL_article]);
    message_row_int(&v->now, MCOL_nrcpt, (int64_t)v->whole.nrcpt);
    set_display(v, MCOL_display_to, PidTagDisplayTo, 1);
    set_display(v, MCOL_display_cc, PidTagDisplayCc, 2);
    set_display(v, MCOL_display_bcc, PidTagDisplayBcc, 3);
    set_flags(v);
    set_times(v);
    set_change(v);
}

/* --- bytes -------------------------------------------------------------------------------------------------------------------- */
static ec_t was_parts(struct saving *v, struct msg *out)
{
    const struct props *rest = message_row_unpacked(&v->was, v->m->arena);
    if (rest == NULL || !rcpts_unpack(v->was.rcpts, v->m->arena, out))
        return EC(ecDiskError);
    out->set = *rest;
    return ecNone;
}

static ec_t pack(struct saving *v)
{
    struct mailbox *m = v->m;
    message_row_take(&v->now, m->arena, &v->whole.set, &v->parts.set);
    v->parts.rcpt = v->whole.rcpt;
    v->parts.nrcpt = v->parts.rcpt_cap = v->whole.nrcpt;
    TRY(large_take(m, &v->parts));
    TRY(large_count_msg(m, &v->parts, 1));
    if (v->exists) {
        struct msg was = { 0 };
        TRY(was_parts(v, &was));
        TRY(large_count_msg(m, &was, -1));
    }
    struct wr w = wr_in(m->arena, PACKED_MAX);
    rcpts_pack(&w, &v->parts);
    v->now.rcpts = wr_blob(&w);
    v->now.props = message_pack_props(m->arena, &v->parts.set);
    v->now.unpacked = v->parts.set;
    v->now.is_unpacked = true;
    v->now.have = MCOLS_ALL | MCOLS_BODY;
    return arena_over(m->arena) ? EC(ecOutOfMemory) : ecNone;
}

/* A mailbox that is full takes nothing that makes it larger. */
static ec_t set_size(struct saving *v)
{
    int64_t size = (int64_t)(message_row_bytes(&v->now) + message_refs_size(&v->parts)) + v->now.i[MCOL_size];
    message_row_int(&v->now, MCOL_size, size);
    int64_t more = size - (v->exists ? v->was.i[MCOL_size] : 0), limit = v->m->info.quota_receive;
    return limit >= 0 && more > 0 && v->m->sum.bytes + more > limit * 1024 ? EC(ecQuotaExceeded) : ecNone;
}

/* --- everybody is told ---------------------------------------------------------------------------------------------------------- */
static struct message_src src_of(struct saving *v, struct message_row *row)
{
    return (struct message_src){ .m = v->m, .a = v->m->arena, .row = row, .mid = v->s->mid, .fid = v->s->fid, .rights = RIGHTS_ALL, .many = true };
}

static ec_t tell_views(struct saving *v)
{
    struct message_src was = src_of(v, &v->was), now = src_of(v, &v->now);
    struct view_msg w, n;
    message_view(&now, &n);
    if (!v->exists)
        return view_message_added(v->m, &n);
    was.atts = v->over->natt != 0 ? &v->atts_were : NULL;
    message_view(&was, &w);
    return view_message_changed(v->m, &w, &n, NULL);
}

static ec_t tell(struct saving *v)
{
    struct folder_delta d = { 0 };
    folder_delta_add(&d, &v->now, 1);
    if (v->exists)
        folder_delta_add(&d, &v->was, -1);
    TRY(folder_delta_apply(v->m, v->s->fid, &d));
    TRY(tell_views(v));
    struct event e = { .kind = v->exists ? EVENT_MODIFIED : EVENT_CREATED, .assoc = v->s->assoc, .fid = v->s->fid, .mid = v->s->mid };
    TRY(folder_counts(v->m, v->s->fid, &e.total, &e.unread));
    for (size_t i = 0; v->exists && i < v->over->set.n; i++)
        tags_add(v->m->arena, &e.changed, v->over->set.v[i].tag);
    for (size_t i = 0; v->exists && i < v->over->del.n; i++)
        tags_add(v->m->arena, &e.changed, v->over->del.v[i]);
    return event_write(v->m, &e);
}

ec_t message_save(struct mailbox *m, struct message_save *s)
{
    static const struct msg nothing;
    struct saving v = { .m = m, .s = s, .over = s->over != NULL ? s->over : &nothing };
    TRY(store_writing(m));
    TRY(begin(&v));
    TRY(apply(&v));
    set_subject(&v);
    set_defaults(&v);
    TRY(set_attachments(&v));
    set_columns(&v);
    TRY(pack(&v));
    TRY(set_size(&v));
    TRY(message_row_save(m, &v.now));
    return tell(&v);
}
