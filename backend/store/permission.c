/* permission.c - who may do what in a folder: the one place where rights are decided. MS-OXCPERM 2.2.7. */
#include "backend/store/store_int.h"
#include "backend/base/utf.h"

STMT(PERMISSION_GET, "SELECT member, rights FROM permission WHERE fid = ?1 AND member IN (?2, '')");
STMT(PERMISSION_ANY, "SELECT 1 FROM permission WHERE member IN (?1, '') AND (rights & ?2) <> 0 LIMIT 1");
STMT(PERMISSION_SET, "INSERT INTO permission (fid, member, dn, rights, member_id) "
                     "VALUES (?1, ?2, ?3, ?4, (SELECT coalesce(max(member_id), 0) + 1 FROM permission)) "
                     "ON CONFLICT (fid, member) DO UPDATE SET rights = excluded.rights");

struct blob member_of_actor(struct mailbox *m) { return utf8_fold(m->arena, blob_str(m->actor.dn)); }

ec_t need_owner(struct mailbox *m) { return m->actor.kind == ACTOR_DELEGATE ? EC(ecAccessDenied) : ecNone; }

/* The member's own row decides, the Default row only if there is none. */
ec_t rights_of(struct mailbox *m, uint64_t fid, uint32_t *rights)
{
    *rights = RIGHTS_ALL;
    if (m->actor.kind != ACTOR_DELEGATE)
        return ecNone;
    *rights = 0;
    bool own = false;
    DB_QUERY(q, m->db, PERMISSION_GET);
    db_put_u64(&q, fid);
    db_put_text(&q, member_of_actor(m));
    while (db_row(&q)) {
        bool mine = db_bytes(&q, 0).n != 0;
        if (mine || !own)
            *rights = (uint32_t)db_i64(&q, 1) & RIGHTS_ALL;
        own = own || mine;
    }
    if (*rights & RIGHT_FOLDER_OWNER)
        *rights |= RIGHT_FOLDER_VISIBLE;
    return db_ec(&q);
}

ec_t need_rights(struct mailbox *m, uint64_t fid, uint32_t rights)
{
    uint32_t has;
    TRY(rights_of(m, fid, &has));
    return (has & rights) == rights ? ecNone : EC(ecAccessDenied);
}

ec_t permission_set(struct mailbox *m, uint64_t fid, const char *member_dn, uint32_t rights)
{
    TRY(store_writing(m));
    TRY(need_rights(m, fid, RIGHT_FOLDER_OWNER));
    DB_QUERY(q, m->db, PERMISSION_SET);
    db_put_u64(&q, fid);
    db_put_text(&q, utf8_fold(m->arena, blob_str(member_dn)));
    db_put_str(&q, member_dn);
    db_put_i64(&q, rights & RIGHTS_ALL);
    return db_run(&q);
}

ec_t permission_get(struct mailbox *m, uint64_t fid, uint32_t *rights_of_actor) { return rights_of(m, fid, rights_of_actor); }

ec_t permission_any(struct mailbox *m, bool *any)
{
    *any = true;
    if (m->actor.kind != ACTOR_DELEGATE)
        return ecNone;
    DB_QUERY(q, m->db, PERMISSION_ANY);
    db_put_text(&q, member_of_actor(m));
    db_put_i64(&q, RIGHT_READ_ANY | RIGHT_FOLDER_OWNER | RIGHT_FOLDER_VISIBLE);
    *any = db_row(&q);
    return db_ec(&q);
}
