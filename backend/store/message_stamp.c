/* message_stamp.c - what the store itself writes on a message that is saved: subject parts, first values, flags, times, change number. */
#include "backend/mapi/pcl.h"
#include "backend/store/message_save_int.h"

enum { CLASS_MAX = 255 };

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
    int32_t importance = props_i32(&v->whole.set, PidTagImportance, -1);
    if (importance < 0 || importance > 2)
        props_set(m->arena, &v->whole.set, pv_i32(PidTagImportance, 1)); /* OXCMSG R71, R341 */
    if (!v->exists) {
        set_default(v, pv_i32(PidTagSensitivity, 0));
        set_default(v, pv_bin(PidTagSearchKey, random_key(m->arena)));
        set_default(v, pv_str(PidTagCreatorName, actor_name(m)));
        set_default(v, pv_bin(PidTagCreatorEntryId, actor_entryid(m)));
    }
    bool given = (v->s->keep_times || !v->exists) && props_find(&v->over->set, PidTagLastModifierName) != NULL;
    if (given || m->actor.kind == ACTOR_SYSTEM)
        return;
    props_set(m->arena, &v->whole.set, pv_str(PidTagLastModifierName, actor_name(m)));
    props_set(m->arena, &v->whole.set, pv_bin(PidTagLastModifierEntryId, actor_entryid(m)));
}

void message_stamp_props(struct saving *v)
{
    set_subject(v);
    set_defaults(v);
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

void message_stamp_columns(struct saving *v)
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
