/* steps.c - ROP requests as a client writes them, their responses as it reads them (MS-OXCROPS 2.2). */
#include "tests/client/steps.h"
#include "backend/mapi/proprow.h"

void steps_init(struct steps *s, struct mapic *c, struct arena *a) { *s = (struct steps){ .c = c, .a = a, .code = -1 }; }

static struct pv_codec codec(struct steps *s) { return (struct pv_codec){ .a = s->a, .code_page = 1252, .counts = PV_COUNTS_ROP }; }

uint32_t step_run(struct steps *s, struct mapic_rops *r, struct mapic_result *out, struct rop_head *head)
{
    s->why = NULL;
    s->code = -1;
    if (s->before != NULL)
        s->before(s->c);
    if (!mapic_execute(s->c, r, s->odd, out, &s->why)) {
        s->code = out->reply.code;
        return STEP_LOST;
    }
    s->code = out->reply.code;
    if (out->reply.code != 0) {
        s->why = "the Execute was refused";
        return STEP_LOST;
    }
    if (out->status != 0 || out->error != 0)
        return out->status != 0 ? out->status : out->error;
    *head = (struct rop_head){ 0 };
    return mapic_rop(out, head) ? head->ec : ecNone;
}

uint32_t step_connect(struct steps *s, const char *user_dn)
{
    struct mapic_reply reply;
    if (s->before != NULL)
        s->before(s->c);
    uint32_t ec = mapic_connect(s->c, s->a, user_dn, &reply, &s->why);
    s->code = reply.code;
    return ec == UINT32_MAX ? STEP_LOST : ec;
}

uint32_t step_logon(struct steps *s, const char *mailbox_dn)
{
    struct mapic_rops r;
    struct mapic_result out;
    struct rop_head h;
    rops_init(&r, s->a);
    rops_head(&r, 0xFE, rops_handle(&r, 0xFFFFFFFF));
    wr_u8(&r.list, 1);                                  /* LogonFlags: Private */
    wr_u32(&r.list, 0x01000000);                        /* OpenFlags: USE_PER_MDB_REPLID_MAPPING */
    wr_u32(&r.list, 0);
    wr_u16(&r.list, (uint16_t)(strlen(mailbox_dn) + 1));
    wr_bytes(&r.list, mailbox_dn, strlen(mailbox_dn) + 1);
    TRY(step_run(s, &r, &out, &h));
    rd_u8(&out.rops);
    for (int i = 0; i < 13; i++)
        s->fid[i] = rd_u64(&out.rops);
    rd_u8(&out.rops);
    struct blob mailbox = rd_blob(&out.rops, 16);
    s->replid = rd_u16(&out.rops);
    struct blob replguid = rd_blob(&out.rops, 16);
    if (!rd_ok(&out.rops) || out.handles == 0)
        return STEP_LOST;
    memcpy(s->mailbox.b, mailbox.p, 16);
    memcpy(s->replguid.b, replguid.p, 16);
    s->logon = out.handle[0];
    return ecNone;
}

/* A ROP on `handle` that gives a new object: the caller has appended what stands behind the two indexes. */
static void head_out(struct mapic_rops *r, struct arena *a, uint8_t id, uint32_t handle)
{
    rops_init(r, a);
    rops_head(r, id, rops_handle(r, handle));
    wr_u8(&r->list, rops_handle(r, 0xFFFFFFFF));
}

static void head_in(struct mapic_rops *r, struct arena *a, uint8_t id, uint32_t handle)
{
    rops_init(r, a);
    rops_head(r, id, rops_handle(r, handle));
}

static uint32_t run_out(struct steps *s, struct mapic_rops *r, struct mapic_result *out, uint32_t *handle)
{
    struct rop_head h;
    TRY(step_run(s, r, out, &h));
    if (out->handles < 2)
        return STEP_LOST;
    *handle = out->handle[1];
    return ecNone;
}

uint32_t step_open_folder(struct steps *s, uint64_t fid, uint32_t *handle)
{
    struct mapic_rops r;
    struct mapic_result out;
    head_out(&r, s->a, 0x02, s->logon);
    wr_u64(&r.list, fid);
    wr_u8(&r.list, 0);
    return run_out(s, &r, &out, handle);
}

static uint32_t table(struct steps *s, uint8_t id, uint32_t folder, uint8_t flags, uint32_t *handle, uint32_t *rows)
{
    struct mapic_rops r;
    struct mapic_result out;
    head_out(&r, s->a, id, folder);
    wr_u8(&r.list, flags);
    TRY(run_out(s, &r, &out, handle));
    *rows = rd_u32(&out.rops);
    return rd_ok(&out.rops) ? ecNone : STEP_LOST;
}

uint32_t step_contents(struct steps *s, uint32_t folder, uint8_t flags, uint32_t *handle, uint32_t *rows)
{
    return table(s, 0x05, folder, flags, handle, rows);
}

uint32_t step_hierarchy(struct steps *s, uint32_t folder, uint8_t flags, uint32_t *handle, uint32_t *rows)
{
    return table(s, 0x04, folder, flags, handle, rows);
}

uint32_t step_set_columns(struct steps *s, uint32_t handle, const uint32_t *tags, size_t n)
{
    struct mapic_rops r;
    struct mapic_result out;
    struct rop_head h;
    head_in(&r, s->a, 0x12, handle);
    wr_u8(&r.list, 0);
    wr_u16(&r.list, (uint16_t)n);
    for (size_t i = 0; i < n; i++)
        wr_u32(&r.list, tags[i]);
    return step_run(s, &r, &out, &h);
}

uint32_t step_sort(struct steps *s, uint32_t handle, uint32_t tag, uint8_t order)
{
    struct mapic_rops r;
    struct mapic_result out;
    struct rop_head h;
    head_in(&r, s->a, 0x13, handle);
    wr_u8(&r.list, 0);
    wr_u16(&r.list, 1);
    wr_u16(&r.list, 0);
    wr_u16(&r.list, 0);
    wr_u32(&r.list, tag);
    wr_u8(&r.list, order);
    return step_run(s, &r, &out, &h);
}

uint32_t step_restrict(struct steps *s, uint32_t handle, const struct restriction *res)
{
    struct mapic_rops r;
    struct mapic_result out;
    struct rop_head h;
    struct pv_codec c = codec(s);
    struct wr w = wr_in(s->a, 32768);
    if (res != NULL)
        restriction_write(&w, &c, res);
    head_in(&r, s->a, 0x14, handle);
    wr_u8(&r.list, 0);
    wr_u16(&r.list, (uint16_t)w.n);
    wr_put(&r.list, wr_blob(&w));
    return step_run(s, &r, &out, &h);
}

uint32_t step_query_rows(struct steps *s, uint32_t handle, bool forward, uint16_t n, const uint32_t *tags, size_t ntags, struct propval **rows,
                         uint16_t *n_out)
{
    struct mapic_rops r;
    struct mapic_result out;
    struct rop_head h;
    struct pv_codec c = codec(s);
    head_in(&r, s->a, 0x15, handle);
    wr_u8(&r.list, 0);
    wr_u8(&r.list, forward);
    wr_u16(&r.list, n);
    TRY(step_run(s, &r, &out, &h));
    rd_u8(&out.rops);
    *n_out = rd_u16(&out.rops);
    *rows = arena_array(s->a, struct propval, (size_t)*n_out * ntags);
    for (size_t i = 0; i < *n_out; i++)
        proprow_read(&out.rops, &c, tags, ntags, *rows + i * ntags);
    return rd_ok(&out.rops) ? ecNone : STEP_LOST;
}

uint32_t step_position(struct steps *s, uint32_t handle, uint32_t *row, uint32_t *rows)
{
    struct mapic_rops r;
    struct mapic_result out;
    struct rop_head h;
    head_in(&r, s->a, 0x17, handle);
    TRY(step_run(s, &r, &out, &h));
    *row = rd_u32(&out.rops);
    *rows = rd_u32(&out.rops);
    return rd_ok(&out.rops) ? ecNone : STEP_LOST;
}

uint32_t step_seek(struct steps *s, uint32_t handle, uint8_t origin, int32_t delta, int32_t *moved)
{
    struct mapic_rops r;
    struct mapic_result out;
    struct rop_head h;
    head_in(&r, s->a, 0x18, handle);
    wr_u8(&r.list, origin);
    wr_u32(&r.list, (uint32_t)delta);
    wr_u8(&r.list, 1);
    TRY(step_run(s, &r, &out, &h));
    rd_u8(&out.rops);
    *moved = (int32_t)rd_u32(&out.rops);
    return rd_ok(&out.rops) ? ecNone : STEP_LOST;
}

uint32_t step_create_message(struct steps *s, uint32_t folder_handle, uint64_t fid, uint32_t *handle)
{
    struct mapic_rops r;
    struct mapic_result out;
    head_out(&r, s->a, 0x06, folder_handle);
    wr_u16(&r.list, 0x0FFF);
    wr_u64(&r.list, fid);
    wr_u8(&r.list, 0);
    return run_out(s, &r, &out, handle);
}

uint32_t step_set_props(struct steps *s, uint32_t handle, const struct props *p, uint16_t *problems)
{
    struct mapic_rops r;
    struct mapic_result out;
    struct rop_head h;
    struct pv_codec c = codec(s);
    head_in(&r, s->a, 0x0A, handle);
    size_t at = wr_mark(&r.list);
    wr_u16(&r.list, 0);
    wr_u16(&r.list, (uint16_t)p->n);
    for (size_t i = 0; i < p->n; i++)
        propval_write_tagged(&r.list, &c, &p->v[i]);
    wr_patch_u16(&r.list, at, (uint16_t)(r.list.n - at - 2));
    TRY(step_run(s, &r, &out, &h));
    uint16_t n = rd_u16(&out.rops);
    if (problems != NULL)
        *problems = n;
    return rd_ok(&out.rops) ? ecNone : STEP_LOST;
}

uint32_t step_get_props(struct steps *s, uint32_t handle, const uint32_t *tags, size_t n, struct propval *values)
{
    struct mapic_rops r;
    struct mapic_result out;
    struct rop_head h;
    struct pv_codec c = codec(s);
    head_in(&r, s->a, 0x07, handle);
    wr_u16(&r.list, 0);
    wr_u16(&r.list, 1);
    wr_u16(&r.list, (uint16_t)n);
    for (size_t i = 0; i < n; i++)
        wr_u32(&r.list, tags[i]);
    TRY(step_run(s, &r, &out, &h));
    proprow_read(&out.rops, &c, tags, n, values);
    return rd_ok(&out.rops) ? ecNone : STEP_LOST;
}

uint32_t step_save_message(struct steps *s, uint32_t handle, uint8_t flags, uint64_t *mid)
{
    struct mapic_rops r;
    struct mapic_result out;
    struct rop_head h;
    rops_init(&r, s->a);
    rops_head(&r, 0x0C, 0);                             /* ResponseHandleIndex */
    wr_u8(&r.list, rops_handle(&r, handle));            /* InputHandleIndex */
    wr_u8(&r.list, flags);
    TRY(step_run(s, &r, &out, &h));
    rd_u8(&out.rops);
    *mid = rd_u64(&out.rops);
    return rd_ok(&out.rops) ? ecNone : STEP_LOST;
}

uint32_t step_open_message(struct steps *s, uint64_t fid, uint64_t mid, uint8_t mode, uint32_t *handle)
{
    struct mapic_rops r;
    struct mapic_result out;
    head_out(&r, s->a, 0x03, s->logon);
    wr_u16(&r.list, 0x0FFF);
    wr_u64(&r.list, fid);
    wr_u8(&r.list, mode);
    wr_u64(&r.list, mid);
    return run_out(s, &r, &out, handle);
}

uint32_t step_delete_messages(struct steps *s, uint32_t folder, const uint64_t *mids, uint16_t n, bool hard)
{
    struct mapic_rops r;
    struct mapic_result out;
    struct rop_head h;
    head_in(&r, s->a, hard ? 0x91 : 0x1E, folder);
    wr_u8(&r.list, 0);
    wr_u8(&r.list, 0);
    wr_u16(&r.list, n);
    for (size_t i = 0; i < n; i++)
        wr_u64(&r.list, mids[i]);
    return step_run(s, &r, &out, &h);
}

uint32_t step_move_messages(struct steps *s, uint32_t from, uint32_t to, const uint64_t *mids, uint16_t n, bool copy)
{
    struct mapic_rops r;
    struct mapic_result out;
    struct rop_head h;
    head_in(&r, s->a, 0x33, from);
    wr_u8(&r.list, rops_handle(&r, to));
    wr_u16(&r.list, n);
    for (size_t i = 0; i < n; i++)
        wr_u64(&r.list, mids[i]);
    wr_u8(&r.list, 0);
    wr_u8(&r.list, copy);
    return step_run(s, &r, &out, &h);
}

uint32_t step_open_stream(struct steps *s, uint32_t handle, uint32_t tag, uint8_t mode, uint32_t *stream, uint32_t *size)
{
    struct mapic_rops r;
    struct mapic_result out;
    head_out(&r, s->a, 0x2B, handle);
    wr_u32(&r.list, tag);
    wr_u8(&r.list, mode);
    TRY(run_out(s, &r, &out, stream));
    *size = rd_u32(&out.rops);
    return rd_ok(&out.rops) ? ecNone : STEP_LOST;
}

uint32_t step_write_stream(struct steps *s, uint32_t stream, struct blob bytes, uint16_t *written)
{
    struct mapic_rops r;
    struct mapic_result out;
    struct rop_head h;
    head_in(&r, s->a, 0x2D, stream);
    wr_u16(&r.list, (uint16_t)bytes.n);
    wr_put(&r.list, bytes);
    TRY(step_run(s, &r, &out, &h));
    *written = rd_u16(&out.rops);
    return rd_ok(&out.rops) ? ecNone : STEP_LOST;
}

uint32_t step_read_stream(struct steps *s, uint32_t stream, uint16_t n, struct blob *bytes)
{
    struct mapic_rops r;
    struct mapic_result out;
    struct rop_head h;
    head_in(&r, s->a, 0x2C, stream);
    wr_u16(&r.list, n);
    TRY(step_run(s, &r, &out, &h));
    *bytes = rd_blob(&out.rops, rd_u16(&out.rops));
    return rd_ok(&out.rops) ? ecNone : STEP_LOST;
}

uint32_t step_commit_stream(struct steps *s, uint32_t stream)
{
    struct mapic_rops r;
    struct mapic_result out;
    struct rop_head h;
    head_in(&r, s->a, 0x5D, stream);
    return step_run(s, &r, &out, &h);
}

uint32_t step_create_attachment(struct steps *s, uint32_t message, uint32_t *handle, uint32_t *num)
{
    struct mapic_rops r;
    struct mapic_result out;
    head_out(&r, s->a, 0x23, message);
    TRY(run_out(s, &r, &out, handle));
    *num = rd_u32(&out.rops);
    return rd_ok(&out.rops) ? ecNone : STEP_LOST;
}

uint32_t step_save_attachment(struct steps *s, uint32_t message, uint32_t attachment)
{
    struct mapic_rops r;
    struct mapic_result out;
    struct rop_head h;
    rops_init(&r, s->a);
    rops_head(&r, 0x25, rops_handle(&r, message));
    wr_u8(&r.list, rops_handle(&r, attachment));
    wr_u8(&r.list, 0x0A);                               /* KeepOpenReadWrite */
    return step_run(s, &r, &out, &h);
}

uint32_t step_release(struct steps *s, uint32_t handle)
{
    struct mapic_rops r;
    struct mapic_result out;
    struct rop_head h;
    head_in(&r, s->a, 0x01, handle);
    return step_run(s, &r, &out, &h);
}

uint32_t step_disconnect(struct steps *s)
{
    struct mapic_reply reply;
    if (s->before != NULL)
        s->before(s->c);
    bool ok = mapic_disconnect(s->c, s->a, &reply, &s->why);
    s->code = reply.code;
    return ok && reply.code == 0 && reply.done ? ecNone : STEP_LOST; /* a head alone, which says 0, may come from a worker that died behind it */
}
