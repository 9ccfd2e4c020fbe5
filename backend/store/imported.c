/* imported.c - digests of imported messages. */
#include "backend/store/imported.h"
#include "backend/store/store_int.h"

STMT(IMPORTED_SEEN, "SELECT 1 FROM imported WHERE key = ?1");
STMT(IMPORTED_NOTE, "INSERT INTO imported (key) VALUES (?1)");

ec_t imported_note(struct mailbox *m, const uint8_t key[IMPORT_KEY], bool *seen)
{
    DB_QUERY(q, m->db, IMPORTED_SEEN);
    db_put_blob(&q, blob_of(key, IMPORT_KEY));
    ec_t ec = db_one(&q);
    *seen = ec == ecNone;
    if (ec != ecNotFound)
        return ec;
    DB_QUERY(n, m->db, IMPORTED_NOTE);
    db_put_blob(&n, blob_of(key, IMPORT_KEY));
    return db_run(&n);
}
