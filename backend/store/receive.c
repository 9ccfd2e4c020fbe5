/* receive.c - which folder messages of a class are delivered to. MS-OXCSTOR 3.2.5.2 - 3.2.5.4. */
#include "backend/store/store_int.h"
#include "backend/base/utf.h"

/* Rows whose folder is deleted do not count. */
STMT(RECEIVE_GET, "SELECT r.class, r.fid, r.changed FROM receive_folder r JOIN folder f ON f.fid = r.fid AND f.deleted = 0 WHERE r.class_fold = ?1");
STMT(RECEIVE_ALL, "SELECT r.class, r.fid, r.changed FROM receive_folder r JOIN folder f ON f.fid = r.fid AND f.deleted = 0 ORDER BY r.class_fold");
STMT(RECEIVE_SET, "INSERT INTO receive_folder (class_fold, class, fid, changed) VALUES (?1, ?2, ?3, ?4) "
                  "ON CONFLICT (class_fold) DO UPDATE SET class = excluded.class, fid = excluded.fid, changed = excluded.changed");
STMT(RECEIVE_DROP, "DELETE FROM receive_folder WHERE class_fold = ?1");
STMT(RECEIVE_FOLDER, "SELECT 1 FROM folder WHERE fid = ?1 AND deleted = 0");

static void row_of(const struct query *q, struct arena *a, struct receive_folder *out)
{
    *out = (struct receive_folder){ .message_class = db_text(q, 0, a), .fid = db_u64(q, 1), .changed = db_u64(q, 2) };
}

static ec_t exact(struct mailbox *m, struct blob folded, struct receive_folder *out)
{
    DB_QUERY(q, m->db, RECEIVE_GET);
    db_put_text(&q, folded);
    TRY(db_one(&q));
    row_of(&q, m->arena, out);
    return ecNone;
}

/* "IPM.Note.X" -> "IPM.Note" -> "IPM" -> "". */
static struct blob parent_class(struct blob c)
{
    while (c.n > 0 && c.p[c.n - 1] != '.')
        c.n--;
    return blob_of(c.p, c.n > 0 ? c.n - 1 : 0);
}

ec_t receive_folder_get(struct mailbox *m, const char *message_class, struct receive_folder *out)
{
    struct blob c = utf8_fold(m->arena, blob_str(message_class));
    for (;; c = parent_class(c)) {
        ec_t ec = exact(m, c, out);
        if (ec != ecNotFound)
            return ec;
        if (c.n == 0)
            break;
    }
    *out = (struct receive_folder){ .message_class = "", .fid = m->info.fid[SF_INBOX] };  /* R852, R1223 */
    return ecNone;
}

static ec_t drop(struct mailbox *m, struct blob folded)
{
    DB_QUERY(q, m->db, RECEIVE_DROP);
    db_put_text(&q, folded);
    return db_run(&q);
}

static ec_t folder_there(struct mailbox *m, uint64_t fid)
{
    DB_QUERY(q, m->db, RECEIVE_FOLDER);
    db_put_u64(&q, fid);
    return db_one(&q);
}

ec_t receive_folder_set(struct mailbox *m, const char *message_class, uint64_t fid)
{
    TRY(store_writing(m));
    TRY(need_owner(m));
    struct blob folded = utf8_fold(m->arena, blob_str(message_class));
    if (blob_eq(folded, utf8_fold(m->arena, blob_str("IPM"))) || blob_eq(folded, utf8_fold(m->arena, blob_str("REPORT.IPM"))))
        return EC(ecAccessDenied);  /* R859, R272 */
    if (folded.n == 0 && fid == 0)
        return EC(ecGeneralFailure);         /* R860 */
    if (fid == 0)
        return drop(m, folded);
    TRY(folder_there(m, fid));
    DB_QUERY(q, m->db, RECEIVE_SET);
    db_put_text(&q, folded);
    db_put_str(&q, message_class);
    db_put_u64(&q, fid);
    db_put_u64(&q, m->now);
    return db_run(&q);
}

ec_t receive_folder_list(struct mailbox *m, struct receive_folder **out, size_t *n)
{
    size_t cap = 0;
    *out = NULL;
    *n = 0;
    DB_QUERY(q, m->db, RECEIVE_ALL);
    while (db_row(&q)) {
        *out = arena_grow(m->arena, *out, &cap, *n, sizeof **out);
        row_of(&q, m->arena, &(*out)[(*n)++]);
    }
    return db_ec(&q);
}
