/* mailbox_props.c - properties of the logon object: made from the mailbox, or stored by clients. MS-OXCSTOR 2.2.2.1. */
#include "backend/mapi/msg.h"
#include "backend/store/special.h"

/* Of all that clients store here, packed. */
enum { STORED_MAX = 65536 };

STMT(LOGON_STORED, "SELECT props FROM info WHERE one = 1");
STMT(LOGON_STORE, "UPDATE info SET props = ?1 WHERE one = 1");
STMT(LOGON_REPLIDS, "SELECT replid, guid FROM replid ORDER BY replid LIMIT 1024");

struct source { struct mailbox *m; struct mailbox_stat stat; };

/* --- how values are made --------------------------------------------------------------------------------------------------------- */
enum { RULE_SIZE_LIMIT = 98304, MAPI_STORE = 1, FOLDERS_VALID = 0xFF /* MAPI: all eight of its own folders */ };

static struct propval none(struct source *s, uint32_t tag)
{
    (void)s;
    return pv_err(tag, ecNotFound);
}

static int32_t clipped(int64_t v) { return v > INT32_MAX ? INT32_MAX : (int32_t)v; }

static struct propval quota(uint32_t tag, int64_t kib) { return pv_i32(tag, kib < 0 ? -1 : clipped(kib)); }
static struct propval folder_eid(struct source *s, uint32_t tag, enum special_folder sf)
{
    const struct mailbox_info *i = &s->m->info;
    return pv_bin(tag, entryid_folder(s->m->arena, &i->id, &i->replica, i->fid[sf]));
}

static struct propval rule_size(struct source *s, uint32_t tag)   { (void)s; return pv_i32(tag, RULE_SIZE_LIMIT); }
static struct propval submit_size(struct source *s, uint32_t tag) { (void)s; return pv_i32(tag, (int32_t)(STAGE_MAX / 1024)); }
static struct propval store_state(struct source *s, uint32_t tag) { (void)s; return pv_i32(tag, 0); } /* no active search folders */
static struct propval object_type(struct source *s, uint32_t tag) { (void)s; return pv_i32(tag, MAPI_STORE); }
static struct propval folder_mask(struct source *s, uint32_t tag) { (void)s; return pv_i32(tag, FOLDERS_VALID); }
static struct propval out_of_office(struct source *s, uint32_t tag) { (void)s; return pv_bool(tag, false); }
static struct propval quota_receive(struct source *s, uint32_t tag) { return quota(tag, s->m->info.quota_receive); }
static struct propval quota_send(struct source *s, uint32_t tag)    { return quota(tag, s->m->info.quota_send); }
static struct propval content_count(struct source *s, uint32_t tag) { return pv_i32(tag, clipped(s->stat.messages)); }
static struct propval assoc_count(struct source *s, uint32_t tag)   { return pv_i32(tag, clipped(s->stat.assoc_messages)); }
static struct propval size(struct source *s, uint32_t tag)          { return pv_i32(tag, clipped(s->stat.bytes)); }
static struct propval size_extended(struct source *s, uint32_t tag) { return pv_i64(tag, s->stat.bytes); }
static struct propval owner_name(struct source *s, uint32_t tag)    { return pv_str(tag, s->m->info.display_name); }
static struct propval locale(struct source *s, uint32_t tag)        { return pv_i32(tag, (int32_t)s->m->info.locale); }
static struct propval mapping(struct source *s, uint32_t tag)       { return pv_bin(tag, blob_of(s->m->info.mapping.b, sizeof s->m->info.mapping.b)); }
static struct propval record_key(struct source *s, uint32_t tag)    { return pv_bin(tag, blob_of(s->m->info.id.b, sizeof s->m->info.id.b)); }
static struct propval ipm_subtree(struct source *s, uint32_t tag)   { return folder_eid(s, tag, SF_IPM_SUBTREE); }
static struct propval ipm_outbox(struct source *s, uint32_t tag)    { return folder_eid(s, tag, SF_OUTBOX); }
static struct propval ipm_wastebasket(struct source *s, uint32_t tag) { return folder_eid(s, tag, SF_DELETED_ITEMS); }
static struct propval ipm_sent(struct source *s, uint32_t tag)      { return folder_eid(s, tag, SF_SENT_ITEMS); }
static struct propval views(struct source *s, uint32_t tag)         { return folder_eid(s, tag, SF_VIEWS); }
static struct propval common_views(struct source *s, uint32_t tag)  { return folder_eid(s, tag, SF_COMMON_VIEWS); }
static struct propval finder(struct source *s, uint32_t tag)        { return folder_eid(s, tag, SF_FINDER); }

static struct propval owner_entryid(struct source *s, uint32_t tag)
{
    return pv_bin(tag, entryid_addressbook(s->m->arena, 0, s->m->info.owner_dn));
}

/* OXCSTOR R4003004, R4003005: pairs of REPLID and GUID, as many as there is room for. */
static struct propval replids(struct source *s, uint32_t tag)
{
    struct wr w = wr_in(s->m->arena, 18 * 1024);
    DB_QUERY(q, s->m->db, LOGON_REPLIDS);
    while (db_row(&q)) {
        wr_u16(&w, (uint16_t)db_i64(&q, 0));
        wr_put(&w, db_bytes(&q, 1));
    }
    return db_ec(&q) == ecNone ? pv_bin(tag, wr_blob(&w)) : pv_err(tag, db_ec(&q));
}

/* --- the table ------------------------------------------------------------------------------------------------------------------- */
enum access { READ, WRITE };
static const struct logonprop { uint32_t tag; enum access access; struct propval (*make)(struct source *, uint32_t); } known[] = {
#define LOGONPROP(name, access, value) { name, access, value },
#include "backend/store/logonprop.def"
#undef LOGONPROP
};
enum { KNOWN = sizeof known / sizeof *known };

/* proptag.def's constants are variables to a compiler, so the table cannot be sorted at compile time; it is short. */
static const struct logonprop *known_of(uint32_t tag)
{
    for (size_t i = 0; i < KNOWN; i++)
        if (prop_id(known[i].tag) == prop_id(tag) && (prop_type(known[i].tag) == prop_type(tag) || prop_type(tag) == PtypUnspecified ||
                                                       (type_string(prop_type(tag)) && type_string(prop_type(known[i].tag)))))
            return &known[i];
    return NULL;
}

static ec_t stored(struct mailbox *m, struct props *out)
{
    DB_QUERY(q, m->db, LOGON_STORED);
    TRY(db_one(&q));
    *out = (struct props){ 0 };
    return props_unpack(db_blob(&q, 0, m->arena), m->arena, out) ? ecNone : store_damaged(m, "properties of the mailbox");
}

static struct propval value(struct source *s, const struct props *kept, uint32_t tag)
{
    const struct propval *v = props_find(kept, tag);
    if (v != NULL && propval_fits(v, prop_type(tag)))
        return *v;
    const struct logonprop *k = known_of(tag);
    return k != NULL ? k->make(s, k->tag) : pv_err(tag, ecNotFound);
}

ec_t mailbox_props(struct mailbox *m, const uint32_t *tags, size_t n, struct props *out)
{
    struct source s = { .m = m };
    struct props kept;
    TRY(mailbox_stat(m, &s.stat));
    TRY(stored(m, &kept));
    *out = (struct props){ .v = arena_array(m->arena, struct propval, n), .n = n, .cap = n };
    for (size_t i = 0; i < n; i++)
        out->v[i] = value(&s, &kept, tags[i]);
    return ecNone;
}

ec_t mailbox_props_all(struct mailbox *m, struct props *out)
{
    struct source s = { .m = m };
    TRY(mailbox_stat(m, &s.stat));
    TRY(stored(m, out));
    for (size_t i = 0; i < KNOWN; i++) {
        struct propval v = props_find(out, known[i].tag) == NULL ? known[i].make(&s, known[i].tag) : pv_err(known[i].tag, ecNotFound);
        if (prop_type(v.tag) != PtypErrorCode)
            props_set(m->arena, out, v);
    }
    return ecNone;
}

/* --- changing -------------------------------------------------------------------------------------------------------------------- */
static ec_t store(struct mailbox *m, const struct props *p)
{
    struct wr w = wr_in(m->arena, STORED_MAX);
    props_pack(&w, p);
    if (w.full)
        return EC(ecTooBig);
    DB_QUERY(q, m->db, LOGON_STORE);
    db_put_blob(&q, wr_blob(&w));
    return db_run(&q);
}

/* The mailbox is its owner's: delegates read. */
static ec_t settable(struct mailbox *m, uint32_t tag)
{
    TRY(need_owner(m));
    for (size_t i = 0; i < KNOWN; i++)
        if (prop_id(known[i].tag) == prop_id(tag))
            return known[i].access == READ ? EC(ecAccessDenied) : known_of(tag) == NULL ? EC(ecUnexpectedType) : ecNone;
    return ecNone;
}

ec_t mailbox_props_set(struct mailbox *m, const struct props *set, ec_t *problems)
{
    struct props kept;
    bool any = false;
    TRY(store_writing(m));
    TRY(stored(m, &kept));
    for (size_t i = 0; i < set->n; i++) {
        const struct propval *v = &set->v[i];
        problems[i] = v->large || prop_type(v->tag) == PtypErrorCode ? EC(ecNotSupported) : settable(m, v->tag);
        if (problems[i] == ecNone) {
            props_set(m->arena, &kept, *v);
            any = true;
        }
    }
    return any ? store(m, &kept) : ecNone;
}

ec_t mailbox_props_del(struct mailbox *m, const uint32_t *tags, size_t n, ec_t *problems)
{
    struct props kept;
    size_t had;
    TRY(store_writing(m));
    TRY(stored(m, &kept));
    had = kept.n;
    for (size_t i = 0; i < n; i++) {
        const struct logonprop *k = known_of(tags[i]);
        problems[i] = need_owner(m);
        if (problems[i] == ecNone && k != NULL && k->access == READ)
            problems[i] = EC(ecAccessDenied);
        if (problems[i] == ecNone)
            props_del(&kept, tags[i]);
    }
    return kept.n != had ? store(m, &kept) : ecNone;
}
