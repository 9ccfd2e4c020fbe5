/* attach.c - the attachments of stored messages: a row each, packed properties, an embedded message packed whole. */
#include "backend/store/message_int.h"

enum { PACKED_MAX = 64 << 20 };

STMT(ATTACH_ALL, "SELECT num, props, embedded FROM attachment WHERE mid = ?1 ORDER BY num");
STMT(ATTACH_ONE, "SELECT num, props, embedded FROM attachment WHERE mid = ?1 AND num = ?2");
STMT(ATTACH_PUT, "INSERT INTO attachment (mid, num, method, size, props, embedded) VALUES (?1, ?2, ?3, ?4, ?5, ?6) "
     "ON CONFLICT (mid, num) DO UPDATE SET method = excluded.method, size = excluded.size, props = excluded.props, embedded = excluded.embedded");
STMT(ATTACH_DELETE, "DELETE FROM attachment WHERE mid = ?1 AND num = ?2");
STMT(ATTACH_DELETE_ALL, "DELETE FROM attachment WHERE mid = ?1");
STMT(ATTACH_SUM, "SELECT count(*), coalesce(sum(size), 0) FROM attachment WHERE mid = ?1");

static ec_t read_row(struct mailbox *m, const struct query *q, struct arena *a, struct msg *into)
{
    struct attachment *att = msg_att_add(a, into, (uint32_t)db_i64(q, 0));
    if (!props_unpack(db_blob(q, 1, a), a, &att->set))
        return store_damaged(m, "properties of an attachment");
    if (!db_null(q, 2)) {
        att->embedded = arena_one(a, struct msg);
        if (!msg_unpack(db_blob(q, 2, a), a, att->embedded))
            return store_damaged(m, "embedded message");
    }
    return ecNone;
}

ec_t attach_load(struct mailbox *m, struct arena *a, uint64_t mid, struct msg *out)
{
    DB_QUERY(q, m->db, ATTACH_ALL);
    db_put_u64(&q, mid);
    while (db_row(&q))
        TRY(read_row(m, &q, a, out));
    return db_ec(&q);
}

ec_t attach_load_one(struct mailbox *m, struct arena *a, uint64_t mid, uint32_t num, struct msg *into)
{
    DB_QUERY(q, m->db, ATTACH_ONE);
    db_put_u64(&q, mid);
    db_put_i64(&q, num);
    TRY(db_one(&q));
    return read_row(m, &q, a, into);
}

ec_t attach_sum(struct mailbox *m, uint64_t mid, uint32_t *n, uint64_t *bytes)
{
    DB_QUERY(q, m->db, ATTACH_SUM);
    db_put_u64(&q, mid);
    TRY(db_one(&q));
    *n = (uint32_t)db_i64(&q, 0);
    *bytes = db_u64(&q, 1);
    return ecNone;
}

/* --- sizes ----------------------------------------------------------------------------------------------------------------- */
static struct blob pack_embedded(struct arena *a, const struct attachment *att)
{
    if (att->embedded == NULL)
        return blob_of(NULL, 0);
    struct wr w = wr_in(a, PACKED_MAX);
    msg_pack(&w, att->embedded);
    return wr_blob(&w);
}

/* Seen as a message that has nothing but this attachment: so large values inside are found at any depth. */
static struct msg alone(const struct attachment *att) { return (struct msg){ .att = (struct attachment *)(uintptr_t)att, .natt = 1, .att_cap = 1 }; }

uint64_t attach_size(struct arena *a, const struct attachment *att)
{
    struct msg only = alone(att);
    return message_pack_props(a, &att->set).n + pack_embedded(a, att).n + message_refs_size(&only);
}

/* --- writing ----------------------------------------------------------------------------------------------------------------- */
static ec_t put(struct mailbox *m, uint64_t mid, struct attachment *att)
{
    struct arena *a = m->arena;
    struct msg only = alone(att);
    TRY(large_take(m, &only));
    TRY(large_count_msg(m, &only, 1));
    struct blob props = message_pack_props(a, &att->set), embedded = pack_embedded(a, att);
    DB_QUERY(q, m->db, ATTACH_PUT);
    db_put_u64(&q, mid);
    db_put_i64(&q, att->num);
    db_put_i64(&q, attach_value(m, att, PidTagAttachMethod).v.i32);
    db_put_u64(&q, props.n + embedded.n + message_refs_size(&only));
    db_put_blob(&q, props);
    if (att->embedded != NULL)
        db_put_blob(&q, embedded);
    else
        db_put_null(&q);
    return db_run(&q);
}

/* Attachment properties that only the store gives, and times that it fills in. */
static void clean(struct mailbox *m, struct attachment *att)
{
    for (size_t i = att->set.n; i-- > 0; )
        if (attachment_prop_settable(att->set.v[i].tag) != ecNone)
            props_del(&att->set, att->set.v[i].tag);
    if (props_find(&att->set, PidTagCreationTime) == NULL)
        props_set(m->arena, &att->set, pv_time(PidTagCreationTime, m->now));
    if (props_find(&att->set, PidTagLastModificationTime) == NULL)
        props_set(m->arena, &att->set, pv_time(PidTagLastModificationTime, m->now));
    att->fresh = att->deleted = false;
    att->del = (struct tags){ 0 };
}

static ec_t drop(struct mailbox *m, uint64_t mid, uint32_t num, const struct msg *was)
{
    TRY(large_count_msg(m, was, -1));
    DB_QUERY(q, m->db, ATTACH_DELETE);
    db_put_u64(&q, mid);
    db_put_i64(&q, num);
    return db_run(&q);
}

static ec_t save_one(struct mailbox *m, uint64_t mid, const struct attachment *change)
{
    struct msg was = { 0 }, now = { 0 };
    ec_t ec = attach_load_one(m, m->arena, mid, change->num, &was);
    if (ec != ecNone && ec != (ec_t)ecNotFound)
        return ec;
    if (change->deleted)
        return ec == ecNone ? drop(m, mid, change->num, &was) : ecNone;
    if (ec == ecNone && !change->fresh)
        TRY(attach_load_one(m, m->arena, mid, change->num, &now));
    struct attachment one = *change;
    one.fresh |= now.natt == 0;
    msg_apply(m->arena, &now, &(struct msg){ .att = &one, .natt = 1, .att_cap = 1 });
    struct attachment *att = msg_att(&now, change->num);
    if (att == NULL)
        return EC(ecNotFound);
    clean(m, att);
    TRY(put(m, mid, att));
    return large_count_msg(m, &was, -1);
}

ec_t attach_save(struct mailbox *m, uint64_t mid, const struct msg *over)
{
    for (size_t i = 0; i < over->natt; i++)
        TRY(save_one(m, mid, &over->att[i]));
    return ecNone;
}

ec_t attach_delete_all(struct mailbox *m, uint64_t mid)
{
    DB_QUERY(q, m->db, ATTACH_DELETE_ALL);
    db_put_u64(&q, mid);
    return db_run(&q);
}
