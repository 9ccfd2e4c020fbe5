/* folder_row.c - the row of a folder: table folder <-> struct folder_row. */
#include "backend/base/utf.h"
#include "backend/mapi/pcl.h"
#include "backend/store/folder_int.h"

STMT(FOLDER_LOAD, "SELECT parent, type, special, deleted, deleted_at, name, class, comment, hidden, total, unread, assoc, subfolders, bytes, deleted_total, "
     "deleted_assoc, ever_deleted, cn, pcl, change_key, created, modified, content_at, hierarchy_at, props FROM folder WHERE fid = ?1");
STMT(FOLDER_CHANGE, "UPDATE folder SET name = ?2, name_fold = ?3, class = ?4, comment = ?5, hidden = ?6, cn = ?7, pcl = ?8, change_key = NULL, "
     "modified = ?9, props = ?10 WHERE fid = ?1");
STMT(FOLDER_INSERT, "INSERT INTO folder (fid, parent, type, name, name_fold, class, comment, hidden, cn, pcl, created, modified, content_at, hierarchy_at, props) "
     "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?11, ?11, ?11, ?12)");
STMT(FOLDER_CHILDREN, "UPDATE folder SET subfolders = subfolders + ?2, hierarchy_at = ?3, props = ?4 WHERE fid = ?1");
STMT(FOLDER_NAMED, "SELECT fid FROM folder WHERE parent = ?1 AND name_fold = ?2 AND deleted = 0");

enum { PACKED_MAX = 16 << 20 };

static struct blob text_or_none(const struct query *q, unsigned i, struct arena *a)
{
    return db_null(q, i) ? blob_of(NULL, 0) : blob_str(db_text(q, i, a));
}

static void read_columns(const struct query *q, struct arena *a, struct folder_row *r)
{
    r->parent = db_u64(q, 0);
    r->type = (uint32_t)db_i64(q, 1);
    r->special = !db_null(q, 2);
    r->deleted = db_bool(q, 3);
    r->deleted_at = db_null(q, 4) ? 0 : db_u64(q, 4);
    r->name = db_blob(q, 5, a);
    r->class = text_or_none(q, 6, a);
    r->comment = text_or_none(q, 7, a);
    r->hidden = db_bool(q, 8);
    uint32_t *const counts[] = { &r->total, &r->unread, &r->assoc, &r->subfolders };
    for (unsigned i = 0; i < 4; i++)
        *counts[i] = (uint32_t)db_i64(q, 9 + i);
    r->bytes = db_i64(q, 13);
    r->deleted_total = (uint32_t)db_i64(q, 14);
    r->deleted_assoc = (uint32_t)db_i64(q, 15);
    r->ever_deleted = (uint32_t)db_i64(q, 16);
    r->cn = db_u64(q, 17);
    r->pcl = db_blob(q, 18, a);
    r->change_key = db_blob(q, 19, a);
    uint64_t *const times[] = { &r->created, &r->modified, &r->content_at, &r->hierarchy_at };
    for (unsigned i = 0; i < 4; i++)
        *times[i] = db_u64(q, 20 + i);
    r->packed = db_blob(q, 24, a);
}

ec_t folder_row_load(struct mailbox *m, uint64_t fid, struct folder_row *out)
{
    *out = (struct folder_row){ .fid = fid };
    DB_QUERY(q, m->db, FOLDER_LOAD);
    db_put_u64(&q, fid);
    TRY(db_one(&q));
    read_columns(&q, m->arena, out);
    if (!props_unpack(out->packed, m->arena, &out->props))
        return store_damaged(m, "properties of a folder");
    return rights_of(m, fid, &out->rights);
}

static void put_text(struct query *q, struct blob s)
{
    if (s.p != NULL)
        db_put_text(q, s);
    else
        db_put_null(q);
}

static struct blob pack(struct mailbox *m, const struct props *p)
{
    struct wr w = wr_in(m->arena, PACKED_MAX);
    props_pack(&w, p);
    return wr_blob(&w);
}

static struct msg seen_as_msg(const struct props *p) { return (struct msg){ .set = *p }; }

/* Large values of folders move and are counted like those of messages. */
static ec_t take_large(struct mailbox *m, struct folder_row *r)
{
    struct props before = { 0 };
    if (r->packed.p != NULL && !props_unpack(r->packed, m->arena, &before))
        return store_damaged(m, "properties of a folder");
    struct msg now = seen_as_msg(&r->props), was = seen_as_msg(&before);
    TRY(large_take(m, &now));
    TRY(large_count_msg(m, &now, 1));
    TRY(large_count_msg(m, &was, -1));
    r->props = now.set;
    r->packed = pack(m, &r->props);
    return ecNone;
}

static void next_change(struct mailbox *m, struct folder_row *r)
{
    r->cn = counter_cn(m);
    r->pcl = pcl_add(m->arena, r->pcl, &m->info.replica, r->cn);
    r->change_key = blob_of(NULL, 0);
    r->modified = m->now;
}

ec_t folder_row_change(struct mailbox *m, struct folder_row *r)
{
    TRY(take_large(m, r));
    next_change(m, r);
    DB_QUERY(q, m->db, FOLDER_CHANGE);
    db_put_u64(&q, r->fid);
    db_put_text(&q, r->name);
    db_put_text(&q, utf8_fold(m->arena, r->name));
    put_text(&q, r->class);
    put_text(&q, r->comment);
    db_put_i64(&q, r->hidden);
    db_put_u64(&q, r->cn);
    db_put_blob(&q, r->pcl);
    db_put_u64(&q, r->modified);
    db_put_blob(&q, r->packed);
    return db_run(&q);
}

ec_t folder_row_insert(struct mailbox *m, struct folder_row *r)
{
    TRY(take_large(m, r));
    next_change(m, r);
    DB_QUERY(q, m->db, FOLDER_INSERT);
    db_put_u64(&q, r->fid);
    db_put_u64(&q, r->parent);
    db_put_i64(&q, r->type);
    db_put_text(&q, r->name);
    db_put_text(&q, utf8_fold(m->arena, r->name));
    put_text(&q, r->class);
    put_text(&q, r->comment);
    db_put_i64(&q, r->hidden);
    db_put_u64(&q, r->cn);
    db_put_blob(&q, r->pcl);
    db_put_u64(&q, m->now);
    db_put_blob(&q, r->packed);
    TRY(db_run(&q));
    m->sum.folders++;
    return folder_row_children(m, r->parent, 1);
}

/* PidTagHierarchyChangeNumber only grows (OXCFOLD R352), so it is kept and not counted. */
ec_t folder_row_children(struct mailbox *m, uint64_t parent, int delta)
{
    struct folder_row p;
    TRY(folder_row_load(m, parent, &p));
    int32_t number = props_i32(&p.props, PidTagHierarchyChangeNumber, (int32_t)p.subfolders);
    props_set(m->arena, &p.props, pv_i32(PidTagHierarchyChangeNumber, number + 1));
    DB_QUERY(q, m->db, FOLDER_CHILDREN);
    db_put_u64(&q, parent);
    db_put_i64(&q, delta);
    db_put_u64(&q, m->now);
    db_put_blob(&q, pack(m, &p.props));
    TRY(db_run(&q));
    return event_write(m, &(struct event){ .kind = EVENT_MODIFIED, .fid = parent, .parent = p.parent, .total = UINT32_MAX, .unread = UINT32_MAX });
}

ec_t folder_row_named(struct mailbox *m, uint64_t parent, struct blob name, uint64_t *fid)
{
    DB_QUERY(q, m->db, FOLDER_NAMED);
    db_put_u64(&q, parent);
    db_put_text(&q, utf8_fold(m->arena, name));
    TRY(db_one(&q));
    *fid = db_u64(&q, 0);
    return ecNone;
}
