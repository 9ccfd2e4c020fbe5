/* mailbox.c - leases on a mailbox and their write transaction. */
#include "backend/store/store_int.h"
#include "backend/base/filetime.h"
#include "backend/base/log.h"
#include "backend/base/metric.h"
#include "backend/base/must.h"

ec_t store_damaged(struct mailbox *m, const char *what)
{
    char id[GUID_TEXT];
    log_line(LOGL_ERROR, "store", "damaged bytes in the database", "value", what, "mailbox", guid_text(&m->conn->id, id), NULL);
    return EC(ecDiskError);
}

STMT(INFO_LOAD, "SELECT guid, replica, mapping, owner_dn, display_name, smtp, locale, code_page, quota_warn, quota_send, quota_receive, special "
                "FROM info WHERE one = 1");

/* --- what it is ----------------------------------------------------------------------------------------------------------- */
static bool special_read(struct blob b, uint64_t fid[SF_COUNT])
{
    struct rd r = rd_blob_of(b);
    for (unsigned i = 0; i < SF_COUNT; i++)
        fid[i] = rd_u64(&r);
    return rd_ok(&r);
}

ec_t info_load(struct mailbox *m)
{
    struct mailbox_info *i = &m->info;
    DB_QUERY(q, m->db, INFO_LOAD);
    TRY(db_one(&q));
    bool ok = db_guid(&q, 0, &i->id) && db_guid(&q, 1, &i->replica) && db_guid(&q, 2, &i->mapping);
    i->owner_dn = arena_str(m->arena, db_bytes(&q, 3));
    i->display_name = arena_str(m->arena, db_bytes(&q, 4));
    i->smtp = arena_str(m->arena, db_bytes(&q, 5));
    i->locale = (uint32_t)db_i64(&q, 6);
    i->code_page = (uint32_t)db_i64(&q, 7);
    i->quota_warn = db_i64(&q, 8);
    i->quota_send = db_i64(&q, 9);
    i->quota_receive = db_i64(&q, 10);
    return ok && special_read(db_bytes(&q, 11), i->fid) ? ecNone : store_damaged(m, "info row");
}

const struct mailbox_info *mailbox_info(struct mailbox *m) { return &m->info; }
const struct actor *mailbox_actor(struct mailbox *m) { return &m->actor; }
struct arena *mailbox_arena(struct mailbox *m) { return m->arena; }

/* --- leases ----------------------------------------------------------------------------------------------------------------- */
static struct mailbox *lease_of(struct store *s, const struct arena *a, const struct guid *id)
{
    pthread_mutex_lock(&s->lock);
    struct mailbox *m = s->leases;
    while (m != NULL && !(m->arena == a && guid_eq(&m->conn->id, id)))
        m = m->next;
    pthread_mutex_unlock(&s->lock);
    return m;
}

static void lease_link(struct mailbox *m)
{
    pthread_mutex_lock(&m->store->lock);
    m->next = m->store->leases;
    m->store->leases = m;
    pthread_mutex_unlock(&m->store->lock);
}

static void lease_end(void *lease)
{
    struct mailbox *m = lease;
    struct conn *c = m->conn;
    if (c == NULL)
        return;
    mailbox_abort(m);
    mailbox_let_go(m);
    pthread_mutex_lock(&m->store->lock);
    struct mailbox **at = &m->store->leases;
    while (*at != m)
        at = &(*at)->next;
    *at = m->next;
    pthread_mutex_unlock(&m->store->lock);
    m->conn = NULL;
    m->db = NULL;
    pool_give(m->store, c, !db_failed(c->db));
}

struct mailbox *lease_new(struct store *s, struct arena *a, struct conn *c, const struct actor *as)
{
    struct mailbox *m = arena_one(a, struct mailbox);
    *m = (struct mailbox){ .db = c->db, .arena = a, .actor = *as, .store = s, .conn = c, .opened = 1, .now = filetime_now() };
    lease_link(m);
    arena_defer(a, lease_end, m);
    return m;
}

ec_t mailbox_open(struct store *s, struct arena *a, const struct guid *id, const struct actor *as, struct mailbox **out)
{
    struct mailbox *m = lease_of(s, a, id);
    if (m != NULL) {
        if (as->kind == ACTOR_DELEGATE)
            m->actor = *as;
        m->opened++;
        *out = m;
        return ecNone;
    }
    struct conn *c;
    TRY(pool_take(s, id, false, &c));
    m = lease_new(s, a, c, as);
    ec_t ec = info_load(m);
    if (ec != ecNone) {
        lease_end(m);
        return ec;
    }
    *out = m;
    return ecNone;
}

uint64_t mailbox_stamp(struct store *s, const struct guid *id) { return s->ops->stamp(s->o.path, id); }

void mailbox_close(struct mailbox *m)
{
    if (m != NULL && m->conn != NULL && --m->opened == 0)
        lease_end(m);
}

ec_t mailbox_hold(struct mailbox *m) { return db_hold(m->db); }
void mailbox_let_go(struct mailbox *m) { db_let_go(m->db); }

/* --- the write transaction ---------------------------------------------------------------------------------------------------- */
ec_t store_writing(struct mailbox *m)
{
    must(m->writing);
    return ecNone;
}

ec_t mailbox_write(struct mailbox *m)
{
    if (m->writing)
        return ecNone;
    TRY(db_begin(m->db));
    m->writing = true;
    m->in_savepoint = false;
    m->now = filetime_now();
    m->changes_base = db_changes(m->db);
    ec_t ec = m->creating ? ecNone : counter_load(m);
    if (ec != ecNone)
        mailbox_abort(m);
    return ec;
}

bool mailbox_writing(const struct mailbox *m) { return m->writing; }

bool mailbox_changed(const struct mailbox *m)
{
    return m->writing && (m->dirty || db_changes(m->db) != m->changes_base);
}

ec_t mailbox_savepoint(struct mailbox *m)
{
    TRY(store_writing(m));
    must(!m->in_savepoint);
    TRY(db_savepoint(m->db));
    m->in_savepoint = true;
    m->sum_before = m->sum;
    m->event_seq_before = m->event_seq;
    m->changed_before = db_changes(m->db) != m->changes_base;
    return ecNone;
}

ec_t mailbox_release(struct mailbox *m)
{
    must(m->in_savepoint);
    m->in_savepoint = false;
    return db_release(m->db);
}

ec_t mailbox_rollback(struct mailbox *m)
{
    must(m->in_savepoint);
    m->in_savepoint = false;
    m->sum = m->sum_before;
    m->event_seq = m->event_seq_before;
    ec_t ec = db_rollback_to(m->db);
    m->changes_base = db_changes(m->db) - (m->changed_before ? 1 : 0);
    return ec;
}

static void ended(struct mailbox *m)
{
    m->writing = m->in_savepoint = m->dirty = false;
}

ec_t mailbox_commit(struct mailbox *m)
{
    TRY(store_writing(m));
    must(!m->in_savepoint);
    uint64_t from = clock_us();
    ec_t ec = counter_store(m);
    if (ec == ecNone)
        ec = db_commit(m->db);
    metric_us(METRIC_store_seconds, clock_us() - from);
    if (ec != ecNone) {
        mailbox_abort(m);
        return ec;
    }
    m->first_id = m->next_id;
    ended(m);
    return ecNone;
}

void mailbox_abort(struct mailbox *m)
{
    if (!m->writing)
        return;
    db_rollback(m->db);
    ended(m);
    counter_keep(m);
}
