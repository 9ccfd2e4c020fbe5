/* tombstone.c - what left a folder, for clients that synchronize later. */
#include "backend/store/store_int.h"

STMT(TOMBSTONE_ADD, "INSERT INTO tombstone (fid, mid, cn, kind, at) VALUES (?1, ?2, ?3, ?4, ?5)");

ec_t tombstone_add(struct mailbox *m, enum tombstone_kind kind, uint64_t fid, uint64_t mid, uint64_t cn)
{
    TRY(store_writing(m));
    DB_QUERY(q, m->db, TOMBSTONE_ADD);
    db_put_u64(&q, fid);
    db_put_u64(&q, mid);
    db_put_u64(&q, cn);
    db_put_i64(&q, kind);
    db_put_u64(&q, m->now);
    return db_run(&q);
}
