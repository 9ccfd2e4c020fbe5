/* named.c - named properties: a name gets an id once and keeps it. MS-OXCPRPT 3.2.5.9, 3.2.5.10. */
#include "backend/store/named.h"
#include "backend/store/store_int.h"
#include <string.h>

/* OXCPRPT R534, R535: ids above 0x8000 and below 0xFFFF. */
enum { NAMED_FIRST = 0x8001, NAMED_LAST = 0xFFFE };

STMT(NAMED_FIND, "SELECT id FROM named WHERE guid = ?1 AND kind = ?2 AND lid = ?3 AND name = ?4");
STMT(NAMED_NEXT, "SELECT max(id) FROM named");
STMT(NAMED_ADD, "INSERT INTO named (id, guid, kind, lid, name) VALUES (?1, ?2, ?3, ?4, ?5)");
STMT(NAMED_OF, "SELECT id, guid, kind, lid, name FROM named WHERE id = ?1");
STMT(NAMED_ALL, "SELECT id, guid, kind, lid, name FROM named ORDER BY id");
STMT(NAMED_SET, "SELECT id, guid, kind, lid, name FROM named WHERE guid = ?1 ORDER BY id");
STMT(NAMED_MAY, "SELECT 1 FROM permission WHERE member IN (?1, '') AND rights & ?2 <> 0 LIMIT 1");

/* --- one name ----------------------------------------------------------------------------------------------------------------- */
/* The form in which a name is compared and kept: internet headers have no case (R529). */
static struct propname canonical(struct arena *a, const struct propname *n)
{
    struct propname c = *n;
    if (n->kind == PROPNAME_LID)
        c.name = blob_of(NULL, 0);
    else
        c.lid = 0;
    if (n->kind == PROPNAME_STRING && guid_eq(&n->set, &PS_INTERNET_HEADERS)) {
        uint8_t *p = arena_dup(a, n->name.p, n->name.n);
        for (size_t i = 0; i < n->name.n; i++)
            if (p[i] >= 'A' && p[i] <= 'Z')
                p[i] = (uint8_t)(p[i] + ('a' - 'A'));
        c.name = blob_of(p, n->name.n);
    }
    return c;
}

static void put_name(struct query *q, const struct propname *n)
{
    db_put_guid(q, &n->set);
    db_put_i64(q, n->kind);
    db_put_i64(q, n->lid);
    db_put_text(q, n->name);
}

static ec_t find(struct mailbox *m, const struct propname *n, uint16_t *id)
{
    DB_QUERY(q, m->db, NAMED_FIND);
    put_name(&q, n);
    if (db_row(&q))
        *id = (uint16_t)db_i64(&q, 0);
    return db_ec(&q);
}

static ec_t next_id(struct mailbox *m, uint16_t *id)
{
    DB_QUERY(q, m->db, NAMED_NEXT);
    TRY(db_one(&q));
    int64_t last = db_i64(&q, 0);
    if (last >= NAMED_LAST)
        return EC(ecOutOfMemory);
    *id = (uint16_t)(last < NAMED_FIRST ? NAMED_FIRST : last + 1);
    return ecNone;
}

static ec_t add(struct mailbox *m, const struct propname *n, uint16_t *id)
{
    TRY(store_writing(m));
    uint16_t fresh = 0;
    TRY(next_id(m, &fresh));
    DB_QUERY(q, m->db, NAMED_ADD);
    db_put_i64(&q, fresh);
    put_name(&q, n);
    TRY(db_run(&q));
    *id = fresh;
    return ecNone;
}

/* A delegate who may write somewhere may name what he writes. */
static ec_t may_add(struct mailbox *m, bool *may)
{
    *may = m->actor.kind != ACTOR_DELEGATE;
    if (*may)
        return ecNone;
    DB_QUERY(q, m->db, NAMED_MAY);
    db_put_text(&q, member_of_actor(m));
    db_put_i64(&q, RIGHT_CREATE | RIGHT_EDIT_OWNED | RIGHT_EDIT_ANY | RIGHT_FOLDER_OWNER);
    *may = db_row(&q);
    return db_ec(&q);
}

static ec_t id_of(struct mailbox *m, const struct propname *name, bool create, uint16_t *id)
{
    *id = 0;
    if (guid_eq(&name->set, &PS_MAPI)) {  /* R642, R225 */
        *id = name->kind == PROPNAME_LID && name->lid < 0x8000 ? (uint16_t)name->lid : 0;
        return ecNone;
    }
    if (name->kind != PROPNAME_LID && name->kind != PROPNAME_STRING)
        return ecNone;
    struct propname n = canonical(m->arena, name);
    TRY(find(m, &n, id));
    return *id == 0 && create ? add(m, &n, id) : ecNone;
}

/* --- many --------------------------------------------------------------------------------------------------------------------- */
ec_t named_ids(struct mailbox *m, const struct propname *names, size_t n, bool create, uint16_t *ids, bool *missing)
{
    *missing = false;
    if (create)
        TRY(may_add(m, &create));
    for (size_t i = 0; i < n; i++) {
        TRY(id_of(m, &names[i], create, &ids[i]));
        *missing = *missing || ids[i] == 0;
    }
    return ecNone;
}

ec_t named_id(struct mailbox *m, const struct guid *set, uint32_t lid, const char *name, uint16_t *id)
{
    struct propname n = { .kind = name != NULL ? PROPNAME_STRING : PROPNAME_LID, .set = *set, .lid = lid, .name = blob_str(name) };
    return id_of(m, &n, m->writing, id);
}

static bool name_of(const struct query *q, struct arena *a, uint16_t *id, struct propname *out)
{
    *id = (uint16_t)db_i64(q, 0);
    *out = (struct propname){ .kind = (uint8_t)db_i64(q, 2), .lid = (uint32_t)db_i64(q, 3), .name = db_blob(q, 4, a) };
    return db_guid(q, 1, &out->set);
}

static ec_t name_for(struct mailbox *m, uint16_t id, struct propname *out)
{
    if (id < 0x8000) {
        *out = (struct propname){ .kind = PROPNAME_LID, .set = PS_MAPI, .lid = id };
        return ecNone;
    }
    *out = (struct propname){ .kind = PROPNAME_NONE };
    DB_QUERY(q, m->db, NAMED_OF);
    db_put_i64(&q, id);
    if (db_row(&q) && !name_of(&q, m->arena, &id, out))
        return store_damaged(m, "name of a named property");
    return db_ec(&q);
}

ec_t named_names(struct mailbox *m, const uint16_t *ids, size_t n, struct propname *out)
{
    for (size_t i = 0; i < n; i++)
        TRY(name_for(m, ids[i], &out[i]));
    return ecNone;
}

ec_t named_list(struct mailbox *m, const struct guid *set, struct propname **names, uint16_t **ids, size_t *n)
{
    size_t cap_names = 0, cap_ids = 0;
    *names = NULL;
    *ids = NULL;
    *n = 0;
    struct query q __attribute__((cleanup(db_end))) = db_query(m->db, set != NULL ? &NAMED_SET : &NAMED_ALL);
    if (set != NULL)
        db_put_guid(&q, set);
    while (db_row(&q)) {
        *names = arena_grow(m->arena, *names, &cap_names, *n, sizeof **names);
        *ids = arena_grow(m->arena, *ids, &cap_ids, *n, sizeof **ids);
        if (!name_of(&q, m->arena, &(*ids)[*n], &(*names)[*n]))
            return store_damaged(m, "name of a named property");
        ++*n;
    }
    return db_ec(&q);
}
