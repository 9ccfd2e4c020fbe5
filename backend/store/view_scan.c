/* view_scan.c - a walk along the rows of a table from a place on, each with the means to read its values. */
#include "backend/mapi/entryid.h"
#include "backend/store/view_own.h"

STMT(SCAN_FORWARD, "SELECT key, id FROM view_row WHERE view = ?1 AND (key, id) >= (?2, ?3) ORDER BY key, id LIMIT ?4");
STMT(SCAN_BACKWARD, "SELECT key, id FROM view_row WHERE view = ?1 AND (key, id) < (?2, ?3) ORDER BY key DESC, id DESC LIMIT ?4");

enum { TBL_LEAF_ROW = 1 };

#define ROWS "SELECT r.key, r.id, %s FROM view_row r CROSS JOIN message m %s WHERE m.mid = r.id AND r.view = ?1 AND (r.key, r.id) "

static bool take_rows(struct query *q, struct view_hit *hit, size_t limit, view_scan_fn fn, void *ctx)
{
    size_t n = 0;
    hit->q = q;
    for (; db_row(q); n++) {
        hit->at = (struct view_at){ db_bytes(q, 0), db_u64(q, 1) };
        if (!fn(ctx, hit))
            return false;
    }
    return n < limit;
}

static ec_t put_and_take(struct query *q, const struct view_at *from, size_t limit, struct view_hit *hit, view_scan_fn fn, void *ctx, bool *ended)
{
    db_put_i64(q, hit->v->id);
    db_put_blob(q, from->key);
    db_put_u64(q, from->id);
    db_put_u64(q, limit);
    *ended = take_rows(q, hit, limit, fn, ctx);
    return db_ec(q);
}

/* One statement for keys and values. */
static ec_t scan_kept(struct view *v, const struct view_at *from, bool forward, size_t limit, struct view_hit *hit, view_scan_fn fn, void *ctx,
                      bool *ended)
{
    if (hit->ntags == 0) {
        struct query q __attribute__((cleanup(db_end))) = db_query(v->m->db, forward ? &SCAN_FORWARD : &SCAN_BACKWARD);
        return put_and_take(&q, from, limit, hit, fn, ctx, ended);
    }
    struct message_plan *p = &hit->plan;
    TRY(message_plan(v->m, v->table.fid, hit->stored, hit->ntags, p));
    const char *sql = forward ? arena_printf(v->m->arena, ROWS ">= (?2, ?3) ORDER BY r.key, r.id LIMIT ?4", p->select, p->join)
                              : arena_printf(v->m->arena, ROWS "< (?2, ?3) ORDER BY r.key DESC, r.id DESC LIMIT ?4", p->select, p->join);
    DB_QUERY_TEXT(q, v->m->db, "VIEW_ROWS", sql);
    return put_and_take(&q, from, limit, hit, fn, ctx, ended);
}

static ec_t scan_mem(struct view *v, const struct view_at *from, bool forward, size_t limit, struct view_hit *hit, view_scan_fn fn, void *ctx,
                     bool *ended)
{
    size_t at = view_mem_rank(v, from), left = forward ? v->n - at : at;
    *ended = left < limit;
    for (size_t i = 0; i < left && i < limit; i++) {
        hit->mem = &v->row[forward ? at + i : at - 1 - i];
        hit->at = view_mem_at(hit->mem);
        if (!fn(ctx, hit)) {
            *ended = false;
            return ecNone;
        }
    }
    return ecNone;
}

ec_t view_scan(struct view *v, const struct view_at *from, bool forward, size_t limit, const uint32_t *tags, size_t ntags,
               view_scan_fn fn, void *ctx, bool *ended)
{
    uint32_t *stored = arena_array(v->m->arena, uint32_t, ntags + 1);
    struct view_hit hit = { .v = v, .tags = tags, .stored = stored, .ntags = ntags };
    for (size_t i = 0; i < ntags; i++)
        stored[i] = view_def_stored(prop_unicode(tags[i]));
    return (v->kept ? scan_kept : scan_mem)(v, from, forward, limit, &hit, fn, ctx, ended);
}

/* --- values ---------------------------------------------------------------------------------------------------------------------------------- */
static ec_t message_values(struct view_hit *hit, const uint32_t *tags, struct arena *a, struct propval *out)
{
    struct mailbox *m = hit->v->m;
    if (hit->sql == NULL) {
        TRY(message_plan(m, hit->v->table.fid, tags, hit->ntags, &hit->plan));
        hit->sql = arena_printf(m->arena, "SELECT %s FROM message m %s WHERE m.mid = ?1", hit->plan.select, hit->plan.join);
    }
    DB_QUERY_TEXT(q, m->db, "VIEW_ROW", hit->sql);
    db_put_u64(&q, hit->at.id);
    TRY(db_one(&q));
    return message_row_read(m, &hit->plan, &q, 0, hit->at.id, a, out);
}

/* Instance keys end with the number of the instance. */
static void number_key(struct propval *v, uint32_t instance, struct arena *a)
{
    if (prop_type(v->tag) != PtypBinary || v->v.bin.n < 4)
        return;
    uint8_t *p = arena_dup(a, v->v.bin.p, v->v.bin.n);
    for (size_t i = 0; i < 4; i++)
        p[v->v.bin.n - 4 + i] = (uint8_t)(instance >> 8 * i);
    v->v.bin.p = p;
}

/* Of a property whose values are rows each, a row shows its own (OXCTABL R433); rows of one message differ in number and key (R12). */
static void show_instance(const struct view_hit *hit, uint32_t tag, struct arena *a, struct propval *v)
{
    uint32_t expanded = hit->v->def.instance, instance = expanded != 0 ? view_key_instance(hit->at.key) : 0;
    if (view_def_is_instance(tag) && prop_type(v->tag) != PtypErrorCode && type_array(prop_type(v->tag))) {
        size_t i = prop_id(tag) == prop_id(expanded) ? instance : 0;
        *v = i < propval_count(v) ? propval_element(v, i) : pv_err(tag, ecNotFound);
    }
    if (expanded != 0 && tag == PidTagInstanceNum)
        *v = pv_i32(tag, (int32_t)instance);
    if (expanded != 0 && tag == PidTagInstanceKey)
        number_key(v, instance, a);
}

/* What a row is in its table, which a folder does not know (OXCTABL R8, R12, R15). */
static bool row_value(const struct view_hit *hit, uint32_t tag, struct propval *out)
{
    switch (tag) {
    case PidTagInstID:      *out = pv_i64(tag, (int64_t)id_wire(REPLID_OWN, hit->at.id)); return true;
    case PidTagInstanceNum: *out = pv_i32(tag, 0); return true;
    case PidTagRowType:     *out = pv_i32(tag, TBL_LEAF_ROW); return true;
    case PidTagDepth:       *out = pv_i32(tag, hit->mem != NULL ? (int32_t)hit->mem->depth : 0); return true;
    default:                return false;
    }
}

static ec_t folder_values(struct view_hit *hit, struct propval *out)
{
    struct props p = { 0 };
    TRY(folder_props(hit->v->m, hit->at.id, hit->tags, hit->ntags, &p));
    for (size_t i = 0; i < hit->ntags; i++)
        if (!row_value(hit, hit->tags[i], &out[i]))
            out[i] = i < p.n ? p.v[i] : pv_err(hit->tags[i], ecNotFound);
    return ecNone;
}

ec_t view_scan_values(struct view_hit *hit, struct arena *a, struct propval *out)
{
    if (hit->ntags == 0)
        return ecNone;
    if (hit->v->table.kind == TABLE_HIERARCHY)
        return folder_values(hit, out);
    TRY(hit->q != NULL ? message_row_read(hit->v->m, &hit->plan, hit->q, 2, hit->at.id, a, out) : message_values(hit, hit->stored, a, out));
    for (size_t i = 0; i < hit->ntags; i++)
        show_instance(hit, hit->tags[i], a, &out[i]);
    return ecNone;
}

ec_t view_scan_stored(struct view_hit *hit, struct arena *a, struct propval *out) { return message_values(hit, hit->tags, a, out); }

size_t view_scan_sub(struct view_hit *hit, uint32_t subobject, const struct restriction *r, struct arena *a)
{
    return hit->v->table.kind == TABLE_CONTENTS ? message_row_sub(hit->v->m, hit->at.id, subobject, r, a) : 0;
}
