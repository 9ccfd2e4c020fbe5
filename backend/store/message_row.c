/* message_row.c - the row of a message: table message (columns) and message_body (the rest, packed) <-> struct message_row. */
#include "backend/store/message_int.h"

enum kind { INT, OPT, TEXT, BLOB };
enum use  { STATE, MADE, OWN };

static const struct { uint32_t tag; enum kind kind; enum use use; } cols[MCOL_COUNT] = {
#define MCOL(number, name, kind, tag, use) { tag, kind, use },
#include "backend/store/message_col.def"
#undef MCOL
};

#define MCOL(number, name, kind, tag, use) ", m." #name
static const struct stmt MESSAGE_HOT = { "MESSAGE_HOT", "SELECT m.mid"
#include "backend/store/message_col.def"
     " FROM message m WHERE m.mid = ?1" };
static const struct stmt MESSAGE_FULL = { "MESSAGE_FULL", "SELECT m.mid"
#include "backend/store/message_col.def"
     ", b.pcl, b.change_key, b.props, b.rcpts FROM message m JOIN message_body b ON b.mid = m.mid WHERE m.mid = ?1" };
#undef MCOL
STMT(MESSAGE_BODY, "SELECT pcl, change_key, props, rcpts FROM message_body WHERE mid = ?1");

#define MCOL(number, name, kind, tag, use) ", " #name
static const struct stmt MESSAGE_PUT = { "MESSAGE_PUT", "INSERT INTO message (mid"
#include "backend/store/message_col.def"
#undef MCOL
#define MCOL(number, name, kind, tag, use) ", ?" #number
     ") VALUES (?1"
#include "backend/store/message_col.def"
#undef MCOL
#define MCOL(number, name, kind, tag, use) ", " #name " = excluded." #name
     ") ON CONFLICT (mid) DO UPDATE SET mid = excluded.mid"
#include "backend/store/message_col.def"
     };
#undef MCOL
STMT(MESSAGE_BODY_PUT, "INSERT INTO message_body (mid, pcl, change_key, props, rcpts) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (mid) DO UPDATE SET "
     "pcl = excluded.pcl, change_key = excluded.change_key, props = excluded.props, rcpts = excluded.rcpts");
STMT(MESSAGE_DELETE, "DELETE FROM message WHERE mid = ?1");
STMT(MESSAGE_BODY_DELETE, "DELETE FROM message_body WHERE mid = ?1");

/* Asked for every cell of a table. A column without a property has a case that no id meets. */
int message_col_of(uint32_t tag)
{
    enum { ID_0 };
    int id = prop_id(tag);
    switch (id) {
#define MCOL(number, name, kind, tag, use) case (int)ID_##tag != 0 ? (int)ID_##tag : number << 16: return MCOL_##name;
#include "backend/store/message_col.def"
#undef MCOL
    default: return -1;
    }
}

uint32_t message_col_tag(int col) { return cols[col].tag; }

bool message_col_value(const struct message_row *r, int col, struct propval *out)
{
    if (!message_row_is(r, (enum message_col)col))
        return false;
    uint32_t tag = cols[col].tag;
    int64_t i = r->i[col];
    switch (prop_type(tag)) {
    case PtypInteger32: *out = pv_i32(tag, (int32_t)i); break;
    case PtypBoolean:   *out = pv_bool(tag, i != 0); break;
    case PtypTime:      *out = pv_time(tag, (uint64_t)i); break;
    case PtypString:    *out = pv_strn(tag, r->b[col]); break;
    default:            *out = pv_bin(tag, r->b[col]); break;
    }
    return true;
}

/* --- reading --------------------------------------------------------------------------------------------------------------- */
static void read_body(struct message_row *r, const struct query *q, unsigned at, colmask want, struct arena *a)
{
    if ((want & MCOLS_KEYS) != 0) {
        r->pcl = db_blob(q, at, a);
        r->change_key = db_blob(q, at + 1, a);
        at += 2;
    }
    if ((want & MCOLS_PROPS) != 0)
        r->props = db_blob(q, at++, a);
    if ((want & MCOLS_RCPTS) != 0)
        r->rcpts = db_blob(q, at, a);
    r->have |= want & MCOLS_BODY;
}

void message_row_read_cols(struct message_row *r, const struct query *q, unsigned at, colmask want, struct arena *a)
{
    for (unsigned c = 0; c < MCOL_COUNT; c++) {
        if ((want >> c & 1) == 0)
            continue;
        struct cell v = db_cell(q, at++);
        if (v.null)
            continue;
        r->set |= 1ull << c;
        if (cols[c].kind == INT || cols[c].kind == OPT)
            r->i[c] = v.i;
        else
            r->b[c] = arena_blob(a, v.b);
    }
    r->have |= want & MCOLS_ALL;
    read_body(r, q, at, want, a);
}

static ec_t read_one(struct message_row *r, struct query *q, colmask want, struct arena *a)
{
    db_put_u64(q, r->mid);
    TRY(db_one(q));
    if ((want & MCOLS_ALL) != 0)
        message_row_read_cols(r, q, 1, want, a);
    else
        read_body(r, q, 0, want, a);
    return ecNone;
}

ec_t message_row_more(struct mailbox *m, struct arena *a, struct message_row *r, colmask want)
{
    want &= ~r->have;
    if (want == 0)
        return ecNone;
    colmask body = (want & MCOLS_BODY) != 0 ? MCOLS_BODY : 0;
    if ((want & MCOLS_ALL) == 0) {
        DB_QUERY(q, m->db, MESSAGE_BODY);
        return read_one(r, &q, body, a);
    }
    if (body != 0) {
        DB_QUERY(q, m->db, MESSAGE_FULL);
        return read_one(r, &q, MCOLS_ALL | body, a);
    }
    DB_QUERY(q, m->db, MESSAGE_HOT);
    return read_one(r, &q, MCOLS_ALL, a);
}

/* Opening a message and answering for it asks for the same row four times in a request. */
static const struct message_row *remembered(const struct mailbox *m, uint64_t mid)
{
    bool same = m->row != NULL && m->row->mid == mid && m->row_moment == db_moment(m->db) && m->row_moment != 0;
    return same ? m->row : NULL;
}

static void remember(struct mailbox *m, const struct arena *a, const struct message_row *r)
{
    if (db_moment(m->db) == 0 || a != m->arena)
        return;
    if (m->row == NULL)
        m->row = arena_one(m->arena, struct message_row);
    *m->row = *r;
    m->row_moment = db_moment(m->db);
}

ec_t message_row_load(struct mailbox *m, struct arena *a, uint64_t mid, colmask want, struct message_row *out)
{
    const struct message_row *known = remembered(m, mid);
    *out = known != NULL ? *known : (struct message_row){ .mid = mid };
    TRY(message_row_more(m, a, out, want | MCOL_BIT(fid)));
    remember(m, a, out);
    return ecNone;
}

/* Column expressions for `want` in the order in which message_row_read_cols takes them. */
const char *message_row_select(struct arena *a, colmask want)
{
#define MCOL(number, name, kind, tag, use) "m." #name,
    static const char *const names[MCOL_COUNT] = {
#include "backend/store/message_col.def"
    };
#undef MCOL
    struct wr w = wr_in(a, 4096);
    for (unsigned c = 0; c < MCOL_COUNT; c++)
        if ((want >> c & 1) != 0) {
            wr_put(&w, blob_str(w.n != 0 ? "," : ""));
            wr_put(&w, blob_str(names[c]));
        }
    static const struct { colmask bit; const char *text; } body[] = {
        { MCOLS_KEYS, "b.pcl,b.change_key" }, { MCOLS_PROPS, "b.props" }, { MCOLS_RCPTS, "b.rcpts" },
    };
    for (size_t i = 0; i < sizeof body / sizeof *body; i++)
        if ((want & body[i].bit) != 0) {
            wr_put(&w, blob_str(w.n != 0 ? "," : ""));
            wr_put(&w, blob_str(body[i].text));
        }
    return w.n != 0 ? arena_str(a, wr_blob(&w)) : "m.mid";
}

/* --- writing --------------------------------------------------------------------------------------------------------------- */
static ec_t save_body(struct mailbox *m, const struct message_row *r)
{
    DB_QUERY(q, m->db, MESSAGE_BODY_PUT);
    db_put_u64(&q, r->mid);
    db_put_blob(&q, r->pcl);
    if (r->change_key.n != 0)
        db_put_blob(&q, r->change_key);
    else
        db_put_null(&q);
    db_put_blob(&q, r->props);
    db_put_blob(&q, r->rcpts);
    return db_run(&q);
}

ec_t message_row_save(struct mailbox *m, const struct message_row *r)
{
    DB_QUERY(q, m->db, MESSAGE_PUT);
    db_put_u64(&q, r->mid);
    for (unsigned c = 0; c < MCOL_COUNT; c++) {
        if (!message_row_is(r, (enum message_col)c))
            db_put_null(&q);
        else if (cols[c].kind == TEXT)
            db_put_text(&q, r->b[c]);
        else if (cols[c].kind == BLOB)
            db_put_blob(&q, r->b[c]);
        else
            db_put_i64(&q, r->i[c]);
    }
    TRY(db_run(&q));
    return (r->have & MCOLS_BODY) == MCOLS_BODY ? save_body(m, r) : ecNone;
}

ec_t message_row_delete(struct mailbox *m, uint64_t mid)
{
    DB_QUERY(q, m->db, MESSAGE_DELETE);
    db_put_u64(&q, mid);
    TRY(db_run(&q));
    DB_QUERY(b, m->db, MESSAGE_BODY_DELETE);
    db_put_u64(&b, mid);
    return db_run(&b);
}

/* --- properties -------------------------------------------------------------------------------------------------------------- */
const struct props *message_row_unpacked(struct message_row *r, struct arena *a)
{
    if (!r->is_unpacked && !props_unpack(r->props, a, &r->unpacked))
        return NULL;
    r->is_unpacked = true;
    return &r->unpacked;
}

ec_t message_row_props(struct mailbox *m, struct message_row *r, struct arena *a, struct props *out)
{
    const struct props *rest = message_row_unpacked(r, a);
    if (rest == NULL)
        return store_damaged(m, "properties of a message");
    props_copy(a, out, rest);
    struct propval v;
    for (int c = 0; c < MCOL_COUNT; c++)
        if (cols[c].use == OWN && message_col_value(r, c, &v))
            props_set(a, out, v);
    return ecNone;
}

static void take(struct message_row *r, int c, const struct propval *v)
{
    r->set |= 1ull << c;
    switch (prop_type(v->tag)) {
    case PtypInteger32: r->i[c] = v->v.i32; break;
    case PtypBoolean:   r->i[c] = v->v.b; break;
    case PtypTime:      r->i[c] = v->v.i64; break;
    case PtypString:    r->b[c] = v->v.s; break;
    default:            r->b[c] = v->v.bin; break;
    }
}

void message_row_take(struct message_row *r, struct arena *a, const struct props *set, struct props *rest)
{
    *rest = (struct props){ 0 };
    for (int c = 0; c < MCOL_COUNT; c++)
        if (cols[c].use == OWN)
            r->set &= ~(1ull << c);
    for (size_t i = 0; i < set->n; i++) {
        int c = message_col_of(set->v[i].tag);
        if (c < 0)
            props_set(a, rest, set->v[i]);
        else if (cols[c].use == OWN && cols[c].tag == set->v[i].tag && !set->v[i].large)
            take(r, c, &set->v[i]);
    }
}

uint64_t message_row_bytes(const struct message_row *r)
{
    uint64_t n = r->props.n + r->rcpts.n;
    for (int c = 0; c < MCOL_COUNT; c++)
        if (message_row_is(r, (enum message_col)c))
            n += cols[c].kind == TEXT || cols[c].kind == BLOB ? r->b[c].n : 0;
    return n;
}
