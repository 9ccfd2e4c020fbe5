/* folder.c - folders opened and made. MS-OXCFOLD 3.2.5.1, 3.2.5.2. */
#include "backend/base/utf.h"
#include "backend/store/folder_int.h"

enum { NAME_MAX_ = 1024, DEPTH_MAX = 200 };

STMT(PERMISSION_INHERIT, "INSERT INTO permission (fid, member, dn, rights, member_id) SELECT ?1, member, dn, rights, member_id FROM permission WHERE fid = ?2");
STMT(PERMISSION_CREATOR, "INSERT INTO permission (fid, member, dn, rights, member_id) "
     "VALUES (?1, ?2, ?3, ?4, (SELECT coalesce(max(member_id), 0) + 1 FROM permission)) ON CONFLICT (fid, member) DO UPDATE SET rights = excluded.rights");

/* A folder that the actor may not see is one that is not there for him (OXCFOLD R470), but the caller is told apart. */
ec_t folder_open(struct mailbox *m, uint64_t fid, bool deleted_too, struct folder *out)
{
    struct folder_row r;
    TRY(folder_row_load(m, fid, &r));
    if (r.deleted && !deleted_too)
        return EC(ecNotFound);
    if ((r.rights & (RIGHT_FOLDER_VISIBLE | RIGHT_FOLDER_OWNER)) == 0)
        return EC(ecAccessDenied);
    *out = (struct folder){
        .fid = fid, .parent = r.parent, .search = r.type == FOLDER_SEARCH, .hidden = r.hidden, .type = r.type, .total = r.total, .unread = r.unread,
        .assoc = r.assoc, .subfolders = r.subfolders, .rights = r.rights, .cn = r.cn,
    };
    return ecNone;
}

/* A new folder has its parent's permissions; a delegate who makes one owns it. */
static ec_t give_rights(struct mailbox *m, uint64_t parent, uint64_t fid)
{
    {
        DB_QUERY(q, m->db, PERMISSION_INHERIT);
        db_put_u64(&q, fid);
        db_put_u64(&q, parent);
        TRY(db_run(&q));
    }
    if (m->actor.kind != ACTOR_DELEGATE)
        return ecNone;
    DB_QUERY(q, m->db, PERMISSION_CREATOR);
    db_put_u64(&q, fid);
    db_put_text(&q, utf8_fold(m->arena, blob_str(m->actor.dn)));
    db_put_str(&q, m->actor.dn);
    db_put_i64(&q, RIGHTS_ALL);
    return db_run(&q);
}

static ec_t check_parent(struct mailbox *m, uint64_t parent, struct folder_row *p)
{
    TRY(folder_row_load(m, parent, p));
    if (p->deleted)
        return EC(ecNotFound); /* OXCFOLD R1073 */
    if (p->type == FOLDER_SEARCH)
        return EC(ecNotSupported);
    return (p->rights & RIGHT_CREATE_SUBFOLDER) != 0 ? ecNone : EC(ecAccessDenied);
}

/* The tree stays so shallow that whoever walks it may recurse. */
static ec_t check_depth(struct mailbox *m, const struct folder_row *p)
{
    struct folder_row up = *p;
    for (int depth = 0; up.fid != up.parent; depth++) {
        if (depth >= DEPTH_MAX)
            return EC(ecTooComplex);
        TRY(folder_row_load(m, up.parent, &up));
    }
    return ecNone;
}

static ec_t create(struct mailbox *m, const struct folder_row *p, struct blob name, const char *comment, uint64_t *fid)
{
    struct folder_row r = {
        .fid = counter_id(m), .parent = p->fid, .type = FOLDER_GENERIC, .name = name, .class = p->class,
        .comment = comment != NULL && *comment != '\0' ? blob_str(comment) : blob_of(NULL, 0),
    };
    TRY(check_depth(m, p));
    TRY(folder_row_insert(m, &r));
    TRY(give_rights(m, p->fid, r.fid));
    TRY(view_folder_added(m, r.fid));
    *fid = r.fid;
    return event_write(m, &(struct event){ .kind = EVENT_CREATED, .fid = r.fid, .parent = p->fid, .total = UINT32_MAX, .unread = UINT32_MAX });
}

ec_t folder_create(struct mailbox *m, uint64_t parent, const char *name, const char *comment, bool search, bool open_existing, uint64_t *fid, bool *existed)
{
    struct folder_row p;
    struct blob n = blob_str(name);
    TRY(store_writing(m));
    if (search)
        return EC(ecNotSupported);
    if (n.n == 0 || n.n > NAME_MAX_)
        return EC(ecInvalidParameter);
    TRY(check_parent(m, parent, &p));
    ec_t ec = folder_row_named(m, parent, n, fid);
    *existed = ec == ecNone;
    if (ec == ecNone)
        return open_existing ? ecNone : EC(ecCollidingNames);
    return ec == (ec_t)ecNotFound ? create(m, &p, n, comment, fid) : ec;
}
