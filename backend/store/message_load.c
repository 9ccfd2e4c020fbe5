/* message_load.c - a stored message: its facts, its parts, its status. */
#include "backend/store/message_int.h"

static ec_t open_src(struct mailbox *m, uint64_t mid, colmask want, struct message_row *row, struct message_src *s)
{
    TRY(message_row_load(m, m->arena, mid, want, row));
    *s = (struct message_src){ .m = m, .a = m->arena, .row = row, .mid = mid, .fid = (uint64_t)row->i[MCOL_fid] };
    TRY(rights_of(m, s->fid, &s->rights));
    return ecNone;
}

static ec_t may(struct message_src *s, uint32_t access)
{
    bool can = (message_access(s) & access) == access;
    return s->ec != ecNone ? s->ec : can ? ecNone : EC(ecAccessDenied);
}

/* OXCMSG R333, R1477, R335, R2184 */
ec_t message_open(struct mailbox *m, uint64_t fid, uint64_t mid, bool deleted_too, struct message_info *out)
{
    struct message_row r;
    struct message_src s;
    TRY(open_src(m, mid, MCOLS_ALL, &r, &s));
    if ((fid != 0 && fid != s.fid) || (r.i[MCOL_deleted] != 0 && !deleted_too))
        return EC(ecNotFound);
    TRY(may(&s, ACCESS_READ));
    *out = (struct message_info){
        .mid = mid, .fid = s.fid, .cn = (uint64_t)r.i[MCOL_cn],
        .assoc = r.i[MCOL_assoc] != 0, .read = r.i[MCOL_is_read] != 0, .deleted = r.i[MCOL_deleted] != 0,
        .flags = (uint32_t)r.i[MCOL_flags], .status = (uint32_t)r.i[MCOL_status],
        .natt = (uint32_t)r.i[MCOL_natt], .nrcpt = (uint32_t)r.i[MCOL_nrcpt], .access = message_access(&s),
    };
    return s.ec;
}

static void add_state(struct message_row *r, struct arena *a, struct props *out)
{
    static const enum message_col state[] = { MCOL_flags, MCOL_created, MCOL_modified };
    struct propval v;
    for (size_t i = 0; i < sizeof state / sizeof *state; i++)
        if (message_col_value(r, (int)state[i], &v))
            props_set(a, out, v);
}

ec_t message_attachment(struct mailbox *m, uint64_t mid, uint32_t num, struct msg *out)
{
    struct message_row r;
    struct message_src s;
    TRY(open_src(m, mid, MCOLS_ALL, &r, &s));
    TRY(may(&s, ACCESS_READ));
    *out = (struct msg){ 0 };
    return attach_load_one(m, m->arena, mid, num, out);
}

ec_t message_load(struct mailbox *m, uint64_t mid, unsigned parts, struct msg *out)
{
    struct message_row *r = arena_one(m->arena, struct message_row);
    struct message_src s;
    TRY(open_src(m, mid, MCOLS_ALL | MCOLS_BODY, r, &s));
    TRY(may(&s, ACCESS_READ));
    *out = (struct msg){ .next_att = (uint32_t)r->i[MCOL_next_att] };
    if ((parts & LOAD_PROPS) != 0) {
        TRY(message_row_props(m, r, m->arena, &out->set));
        add_state(r, m->arena, &out->set);
    }
    if ((parts & LOAD_RCPTS) != 0 && !rcpts_unpack(r->rcpts, m->arena, out))
        return store_damaged(m, "recipients of a message");
    return (parts & LOAD_ATTS) != 0 ? attach_load(m, m->arena, mid, out) : ecNone;
}
