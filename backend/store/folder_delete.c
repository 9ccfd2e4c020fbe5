/* folder_delete.c - folders deleted and emptied, with all that is in them. MS-OXCFOLD 3.2.5.3, 3.2.5.9, 3.2.5.10. */
#include "backend/store/folder_int.h"

STMT(FOLDER_CHILD, "SELECT fid, special, deleted FROM folder WHERE parent = ?1 AND fid <> ?1 AND fid > ?2 ORDER BY fid LIMIT 1");
STMT(FOLDER_SOFT_DELETE, "UPDATE folder SET deleted = 1, deleted_at = ?2 WHERE fid = ?1");
STMT(FOLDER_DELETE, "DELETE FROM folder WHERE fid = ?1");
STMT(FOLDER_RIGHTS_DELETE, "DELETE FROM permission WHERE fid = ?1");
STMT(FOLDER_RECEIVE_DELETE, "DELETE FROM receive_folder WHERE fid = ?1");

/* The child after `*child` by id; *child 0: there is none. */
static ec_t next_child(struct mailbox *m, uint64_t fid, uint64_t *child, bool *special, bool *deleted)
{
    DB_QUERY(q, m->db, FOLDER_CHILD);
    db_put_u64(&q, fid);
    db_put_u64(&q, *child);
    *child = 0;
    if (!db_row(&q))
        return db_ec(&q);
    *child = db_u64(&q, 0);
    *special = !db_null(&q, 1);
    *deleted = db_bool(&q, 2);
    return ecNone;
}

static ec_t delete_children(struct mailbox *m, uint64_t fid, bool hard, bool *partial)
{
    bool special = false, deleted = false;
    uint64_t child = 0;
    for (;;) {
        TRY(next_child(m, fid, &child, &special, &deleted));
        if (child == 0)
            return ecNone;
        if (special)
            *partial = true;
        else if (hard || !deleted)
            TRY(folder_delete_tree(m, child, hard, partial));
    }
}

static ec_t run(struct mailbox *m, const struct stmt *s, uint64_t fid)
{
    DB_QUERY(q, m->db, *s);
    db_put_u64(&q, fid);
    return db_run(&q);
}

static ec_t hard_row(struct mailbox *m, struct folder_row *r)
{
    struct msg msg = { .set = r->props };
    TRY(large_count_msg(m, &msg, -1));
    TRY(view_folder_removed(m, r->fid));
    TRY(run(m, &FOLDER_RIGHTS_DELETE, r->fid));
    TRY(run(m, &FOLDER_RECEIVE_DELETE, r->fid));
    return run(m, &FOLDER_DELETE, r->fid);
}

static ec_t soft_row(struct mailbox *m, const struct folder_row *r)
{
    DB_QUERY(q, m->db, FOLDER_SOFT_DELETE);
    db_put_u64(&q, r->fid);
    db_put_u64(&q, m->now);
    TRY(db_run(&q));
    return run(m, &FOLDER_RECEIVE_DELETE, r->fid);
}

/* Contents first; if anything has to stay, the folder stays too. */
ec_t folder_delete_tree(struct mailbox *m, uint64_t fid, bool hard, bool *partial)
{
    struct folder_row r;
    bool stays = false;
    TRY(folder_row_load(m, fid, &r));
    if ((r.rights & RIGHT_FOLDER_OWNER) == 0 || arena_over(m->arena)) {
        *partial = true;
        return ecNone;
    }
    TRY(delete_children(m, fid, hard, &stays));
    TRY(messages_delete_all(m, fid, false, hard, &stays));
    TRY(messages_delete_all(m, fid, true, hard, &stays));
    *partial |= stays;
    if (stays)
        return ecNone;
    TRY(hard ? hard_row(m, &r) : soft_row(m, &r));
    enum tombstone_kind kind = (enum tombstone_kind)(TOMB_FOLDER | (hard ? 0 : TOMB_SOFT));
    TRY(tombstone_add(m, kind, r.parent, fid, counter_cn(m)));
    if (!r.deleted) {
        m->sum.folders--;
        TRY(folder_row_children(m, r.parent, -1));
    }
    return event_write(m, &(struct event){ .kind = EVENT_DELETED, .fid = fid, .parent = r.parent, .total = UINT32_MAX, .unread = UINT32_MAX });
}

static ec_t check_delete(struct mailbox *m, uint64_t parent, const struct folder_row *r)
{
    if (r->fid == r->parent)
        return EC(ecNotSupported); /* OXCFOLD R2509 */
    if (r->parent != parent)
        return EC(ecNotFound);
    for (unsigned sf = 0; sf < SF_COUNT; sf++)
        if (m->info.fid[sf] == r->fid)
            return EC(ecAccessDenied);
    if ((r->rights & (RIGHT_FOLDER_VISIBLE | RIGHT_FOLDER_OWNER)) == 0)
        return EC(ecNotFound); /* OXCFOLD R508 */
    return (r->rights & RIGHT_FOLDER_OWNER) != 0 ? ecNone : EC(ecAccessDenied);
}

ec_t folder_delete(struct mailbox *m, uint64_t parent, uint64_t fid, uint8_t flags, bool *partial)
{
    struct folder_row r;
    bool hard = (flags & DELETE_HARD_DELETE) != 0;
    TRY(store_writing(m));
    TRY(folder_row_load(m, fid, &r));
    if (r.deleted && !hard)
        return EC(ecNotFound);
    TRY(check_delete(m, parent, &r));
    bool messages = r.total + r.assoc != 0 && (flags & DEL_MESSAGES) == 0;
    bool folders = r.subfolders != 0 && (flags & DEL_FOLDERS) == 0;
    *partial = messages || folders; /* OXCFOLD R371, R1079: then nothing happens */
    return *partial ? ecNone : folder_delete_tree(m, fid, hard, partial);
}

ec_t folder_empty(struct mailbox *m, uint64_t fid, bool assoc_too, bool hard, bool *partial)
{
    struct folder_row r;
    *partial = false;
    TRY(store_writing(m));
    TRY(folder_row_load(m, fid, &r));
    if (r.deleted)
        return EC(ecNotFound);
    if (r.fid == r.parent || r.type == FOLDER_SEARCH)
        return EC(ecNotSupported); /* OXCFOLD R1248, R1249 */
    if ((r.rights & (RIGHT_DELETE_ANY | RIGHT_DELETE_OWNED | RIGHT_FOLDER_OWNER)) == 0)
        return EC(ecAccessDenied);
    TRY(messages_delete_all(m, fid, false, hard, partial));
    if (assoc_too)
        TRY(messages_delete_all(m, fid, true, hard, partial));
    return delete_children(m, fid, hard, partial);
}
