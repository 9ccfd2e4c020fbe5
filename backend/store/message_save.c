/* message_save.c - the changes to a message become the stored message: one row, one change number, one event. MS-OXCMSG 3.2.5.3. */
#include "backend/base/utf.h"
#include "backend/store/message_save_int.h"

enum { PACKED_MAX = 64 << 20 };

STMT(SAVE_FOLDER, "SELECT type, deleted FROM folder WHERE fid = ?1");

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
        TRY(message_row_props(v->m, &v->was, a, &v->whole.set));
        if (!rcpts_unpack(v->was.rcpts, a, &v->whole))
            return store_damaged(v->m, "recipients of a message");
    }
    msg_apply(a, &v->whole, &clean);
    message_drop_stale_bodies(&v->whole.set, &clean);
    return ecNone;
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

/* --- bytes -------------------------------------------------------------------------------------------------------------------- */
static ec_t was_parts(struct saving *v, struct msg *out)
{
    const struct props *rest = message_row_unpacked(&v->was, v->m->arena);
    if (rest == NULL || !rcpts_unpack(v->was.rcpts, v->m->arena, out))
        return store_damaged(v->m, "recipients of a message");
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

static ec_t tell_arrival(struct saving *v)
{
    struct receive_folder f;
    struct propval class;
    const char *name = message_col_value(&v->now, MCOL_class, &class) ? arena_str(v->m->arena, class.v.s) : "";
    TRY(receive_folder_get(v->m, name, &f));
    if (f.fid != v->s->fid)
        return ecNone;
    return event_write(v->m, &(struct event){ .kind = EVENT_NEW_MAIL, .fid = v->s->fid, .mid = v->s->mid, .total = UINT32_MAX, .unread = UINT32_MAX,
                                              .message_class = name, .flags = (uint32_t)v->now.i[MCOL_flags] });
}

static ec_t tell_events(struct saving *v, const struct folder_delta *d)
{
    struct event e = { .kind = v->exists ? EVENT_MODIFIED : EVENT_CREATED, .assoc = v->s->assoc, .fid = v->s->fid, .mid = v->s->mid };
    TRY(folder_delta_event(v->m, d, &e));
    for (size_t i = 0; v->exists && i < v->over->set.n; i++)
        tags_add(v->m->arena, &e.changed, v->over->set.v[i].tag);
    for (size_t i = 0; v->exists && i < v->over->del.n; i++)
        tags_add(v->m->arena, &e.changed, v->over->del.v[i]);
    if (v->exists)
        tags_add(v->m->arena, &e.changed, PidTagLastModificationTime);
    TRY(event_write(v->m, &e));
    return v->s->arrived && !v->exists && !v->s->assoc ? tell_arrival(v) : ecNone;
}

static ec_t tell(struct saving *v)
{
    struct folder_delta d = { 0 };
    folder_delta_add(&d, &v->now, 1);
    if (v->exists)
        folder_delta_add(&d, &v->was, -1);
    TRY(folder_delta_apply(v->m, v->s->fid, &d));
    TRY(tell_views(v));
    return tell_events(v, &d);
}

ec_t message_save(struct mailbox *m, struct message_save *s)
{
    static const struct msg nothing;
    struct saving v = { .m = m, .s = s, .over = s->over != NULL ? s->over : &nothing };
    TRY(store_writing(m));
    TRY(begin(&v));
    TRY(apply(&v));
    message_stamp_props(&v);
    TRY(set_attachments(&v));
    message_stamp_columns(&v);
    TRY(pack(&v));
    TRY(set_size(&v));
    TRY(message_row_save(m, &v.now));
    return tell(&v);
}
