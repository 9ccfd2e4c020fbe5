/* create.c - a new mailbox: tables, special folders, receive folders, all in one transaction. MS-OXCSTOR 3.2.3. */
#include "backend/mapi/msg.h"
#include "backend/mapi/pcl.h"
#include "backend/store/schema.h"
#include "backend/store/special.h"
#include "backend/store/view_int.h"
#include "backend/base/utf.h"

STMT(INFO_ADD, "INSERT INTO info (one, guid, replica, mapping, owner_dn, display_name, smtp, locale, code_page, quota_warn, quota_send, quota_receive, "
               "created, special, props) VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)");
STMT(COUNTER_ADD, "INSERT INTO counter (one, next_id, last_cn, event_seq, bytes, messages, assoc_messages, deleted_bytes, deleted_messages, folders) "
                  "VALUES (1, 1, 0, 0, 0, 0, 0, 0, 0, 0)");
STMT(SPECIAL_ADD, "INSERT INTO folder (fid, parent, type, special, name, name_fold, class, hidden, subfolders, cn, pcl, created, modified, "
                  "content_at, hierarchy_at, props) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?12, ?12, ?12, ?13)");
STMT(REPLID_ADD, "INSERT INTO replid (replid, guid) VALUES (?1, ?2)");
STMT(RECEIVE_ADD, "INSERT INTO receive_folder (class_fold, class, fid, changed) VALUES (?1, ?2, ?3, ?4)");

static struct blob packed(struct arena *a, const struct props *p)
{
    struct wr w = wr_in(a, 1 << 20);
    props_pack(&w, p);
    return wr_blob(&w);
}

static ec_t add_info(struct mailbox *m)
{
    const struct mailbox_info *i = &m->info;
    struct wr fids = wr_in(m->arena, SF_COUNT * 8);
    for (unsigned k = 0; k < SF_COUNT; k++)
        wr_u64(&fids, i->fid[k]);
    struct props props = { 0 };
    props_set(m->arena, &props, pv_i32(PidTagSortLocaleId, (int32_t)i->locale));
    props_set(m->arena, &props, pv_bin(PidTagSentMailSvrEID, svreid(m->arena, id_wire(REPLID_OWN, i->fid[SF_SENT_ITEMS]), 0, 0)));
    DB_QUERY(q, m->db, INFO_ADD);
    db_put_guid(&q, &i->id);
    db_put_guid(&q, &i->replica);
    db_put_guid(&q, &i->mapping);
    db_put_str(&q, i->owner_dn);
    db_put_str(&q, i->display_name);
    db_put_str(&q, i->smtp);
    db_put_i64(&q, i->locale);
    db_put_i64(&q, i->code_page);
    db_put_i64(&q, i->quota_warn);
    db_put_i64(&q, i->quota_send);
    db_put_i64(&q, i->quota_receive);
    db_put_u64(&q, m->now);
    db_put_blob(&q, wr_blob(&fids));
    db_put_blob(&q, packed(m->arena, &props));
    return db_run(&q);
}

static ec_t add_counter(struct mailbox *m)
{
    {
        DB_QUERY(q, m->db, COUNTER_ADD);
        TRY(db_run(&q));
    }
    return counter_load(m);
}

static unsigned children(enum special_folder sf)
{
    unsigned n = 0;
    for (unsigned k = 0; k < SF_COUNT; k++)
        n += special[k].parent == sf && k != (unsigned)sf;
    return n;
}

static ec_t add_folder(struct mailbox *m, const struct special *s, struct blob pointers)
{
    const struct mailbox_info *i = &m->info;
    struct blob name = blob_str(special_name(s, i->locale));
    uint64_t cn = counter_cn(m);
    bool points = s->sf == SF_ROOT || s->sf == SF_INBOX;
    DB_QUERY(q, m->db, SPECIAL_ADD);
    db_put_u64(&q, i->fid[s->sf]);
    db_put_u64(&q, i->fid[s->parent]);
    db_put_i64(&q, s->type);
    db_put_i64(&q, s->sf);
    db_put_text(&q, name);
    db_put_text(&q, utf8_fold(m->arena, name));
    db_put_str(&q, s->class);
    db_put_i64(&q, s->hidden);
    db_put_i64(&q, children(s->sf));
    db_put_u64(&q, cn);
    db_put_blob(&q, pcl_add(m->arena, blob_of(NULL, 0), &i->replica, cn));
    db_put_u64(&q, m->now);
    db_put_blob(&q, points ? pointers : packed(m->arena, &(struct props){ 0 }));
    m->sum.folders++;
    TRY(db_run(&q));
    return view_folder_added(m, i->fid[s->sf]);
}

static ec_t add_folders(struct mailbox *m)
{
    struct props pointers = { 0 };
    special_pointers(m->arena, &m->info, &pointers);
    struct blob b = packed(m->arena, &pointers);
    for (unsigned k = 0; k < SF_COUNT; k++)
        TRY(add_folder(m, &special[k], b));
    return ecNone;
}

static ec_t add_replid(struct mailbox *m, uint16_t replid, const struct guid *g)
{
    DB_QUERY(q, m->db, REPLID_ADD);
    db_put_i64(&q, replid);
    db_put_guid(&q, g);
    return db_run(&q);
}

/* OXCSTOR R782. */
static ec_t add_receive_folders(struct mailbox *m)
{
    static const struct { const char *class; enum special_folder sf; } first[] = {
        { "", SF_INBOX }, { "IPM", SF_INBOX }, { "REPORT.IPM", SF_INBOX }, { "IPC", SF_ROOT },
    };
    DB_QUERY(q, m->db, RECEIVE_ADD);
    for (size_t k = 0; k < sizeof first / sizeof *first; k++) {
        db_put_text(&q, utf8_fold(m->arena, blob_str(first[k].class)));
        db_put_str(&q, first[k].class);
        db_put_u64(&q, m->info.fid[first[k].sf]);
        db_put_u64(&q, m->now);
        TRY(db_run(&q));
        db_again(&q);
    }
    return ecNone;
}

static void fill_info(struct mailbox *m, const struct mailbox_new *n)
{
    m->info = (struct mailbox_info){
        .id = n->id, .replica = guid_new(), .mapping = guid_new(), .owner_dn = n->owner_dn, .display_name = n->display_name, .smtp = n->smtp,
        .locale = n->locale, .quota_warn = n->quota_warn, .quota_send = n->quota_send, .quota_receive = n->quota_receive,
        .code_page = special_code_page(n->locale),
    };
}

static ec_t fill(struct mailbox *m, const struct mailbox_new *n)
{
    TRY(mailbox_write(m));
    TRY(schema_create(m->db));
    fill_info(m, n);
    TRY(add_counter(m));
    uint64_t fid = counter_ids(m, SF_COUNT);
    for (unsigned k = 0; k < SF_COUNT; k++)
        m->info.fid[k] = fid + k;
    TRY(add_folders(m));
    TRY(add_info(m));
    TRY(add_replid(m, REPLID_OWN, &m->info.replica));
    TRY(add_replid(m, REPLID_MAPPING, &m->info.mapping));
    TRY(add_receive_folders(m));
    return mailbox_commit(m);
}

/* A file without tables is what a creation that failed leaves: it counts as no mailbox and is filled by the next try. */
ec_t mailbox_create(struct store *s, struct arena *a, const struct mailbox_new *n)
{
    struct conn *c;
    TRY(pool_take(s, &n->id, true, &c));
    struct mailbox *m = lease_new(s, a, c, &(struct actor){ ACTOR_SYSTEM, "" });
    m->creating = true;
    ec_t ec = fill(m, n);
    mailbox_close(m);
    return ec;
}

ec_t mailbox_destroy(struct store *s, const struct guid *id)
{
    pool_forget(s, id);
    return s->ops->remove(s->o.path, id);
}
