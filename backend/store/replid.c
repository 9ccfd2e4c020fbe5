/* replid.c - replica GUIDs and their short forms. MS-OXCSTOR 3.2.5.8, 3.2.5.9: a pair once made stays. */
#include "backend/store/store_int.h"

enum { REPLID_LAST = 0x8000 }; /* OXCSTOR R1123 */

STMT(REPLID_OF, "SELECT replid FROM replid WHERE guid = ?1");
STMT(REPLID_GUID, "SELECT guid FROM replid WHERE replid = ?1");
STMT(REPLID_MAX, "SELECT max(replid) FROM replid");
STMT(REPLID_NEW, "INSERT INTO replid (replid, guid) VALUES (?1, ?2)");

static ec_t find(struct mailbox *m, const struct guid *g, uint16_t *out)
{
    DB_QUERY(q, m->db, REPLID_OF);
    db_put_guid(&q, g);
    TRY(db_one(&q));
    *out = (uint16_t)db_i64(&q, 0);
    return ecNone;
}

static ec_t add(struct mailbox *m, const struct guid *g, uint16_t *out)
{
    TRY(store_writing(m));
    int64_t last;
    {
        DB_QUERY(q, m->db, REPLID_MAX);
        TRY(db_one(&q));
        last = db_i64(&q, 0);
    }
    if (last >= REPLID_LAST)  /* R1249 */
        return EC(ecParameterOverflow);
    DB_QUERY(q, m->db, REPLID_NEW);
    db_put_i64(&q, last + 1);
    db_put_guid(&q, g);
    TRY(db_run(&q));
    *out = (uint16_t)(last + 1);
    return ecNone;
}

ec_t replid_of(struct mailbox *m, const struct guid *g, bool create, uint16_t *out)
{
    if (guid_eq(g, &m->info.replica)) {
        *out = REPLID_OWN;
        return ecNone;
    }
    ec_t ec = find(m, g, out);
    return ec == ecNotFound && create ? add(m, g, out) : ec;
}

ec_t replguid_of(struct mailbox *m, uint16_t replid, struct guid *out)
{
    DB_QUERY(q, m->db, REPLID_GUID);
    db_put_i64(&q, replid);
    TRY(db_one(&q));
    return db_guid(&q, 0, out) ? ecNone : store_damaged(m, "replica GUID");
}
