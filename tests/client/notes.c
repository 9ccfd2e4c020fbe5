/* notes.c - see notes.h. */
#include "tests/client/notes.h"

bool client_notes_read(struct arena *a, struct rd *r, struct client_notes *out)
{
    if (out->last == NULL)
        out->last = &out->first;
    out->pending = false;
    while (r->n > 0 && r->p[0] == ROP_NOTIFY) {
        struct client_note *note = arena_one(a, struct client_note);
        if (!notify_data_read(r, a, &note->data))
            return false;
        *out->last = note;
        out->last = &note->next;
        out->n++;
    }
    if (r->n > 0) {
        out->pending = rd_u8(r) == ROP_PENDING;
        rd_u16(r);
    }
    return rd_done(r) && (out->pending || rd_ok(r));
}

uint32_t step_register(struct steps *s, uint16_t types, uint64_t fid, uint64_t mid, uint32_t *handle)
{
    struct mapic_rops r;
    struct mapic_result out;
    struct rop_head h;
    rops_init(&r, s->a);
    uint8_t in = rops_handle(&r, s->logon);
    rops_head(&r, 0x29, in);
    wr_u8(&r.list, rops_handle(&r, 0xFFFFFFFF));
    wr_u16(&r.list, types);
    wr_u8(&r.list, fid == 0);
    if (fid != 0) {
        wr_u64(&r.list, fid);
        wr_u64(&r.list, mid);
    }
    TRY(step_run(s, &r, &out, &h));
    if (out.handles < 2)
        return STEP_LOST;
    *handle = out.handle[1];
    return ecNone;
}

uint32_t step_collect(struct steps *s, uint32_t max_out, struct client_notes *out)
{
    struct mapic_rops r;
    struct mapic_reply reply;
    struct mapic_result got = { .error = UINT32_MAX };
    rops_init(&r, s->a);
    s->why = NULL;
    s->code = -1;
    if (s->before != NULL)
        s->before(s->c);
    if (!mapic_call(s->c, s->a, "Execute", mapic_execute_body(s->a, rops_buffer(&r), 3, max_out), s->odd, &reply, &s->why))
        return STEP_LOST;
    s->code = reply.code;
    if (reply.code != 0 || !mapic_decode(s->a, reply.body, &got) || got.status != 0)
        return STEP_LOST;
    if (got.error != ecNone)
        return got.error;
    return client_notes_read(s->a, &got.rops, out) ? ecNone : STEP_LOST;
}

uint32_t step_collect_all(struct steps *s, uint32_t max_out, struct client_notes *out)
{
    do
        TRY(step_collect(s, max_out, out));
    while (out->pending);
    return ecNone;
}
