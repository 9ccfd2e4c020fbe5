/* execute.c - the body of an Execute -> ROP list and handle table -> the ladder -> the body of the answer, in as many buffers as it may have. */
#include "session/rop/execute.h"
#include "session/rop/notify.h"
#include "backend/base/must.h"

enum { RPC_X_BAD_STUB_DATA = 0x6F7, ROP_WRITE_STREAM_EXTENDED = 0xA3, ROP_QUERY_ROWS = 0x15 };
enum { ROP_NAMES_MAX = 2048, HANDLES_PER_TABLE = 256, BODY_HEAD = 16, PAYLOAD_MAX = 0x10000 };

/* --- in ------------------------------------------------------------------------------------------------------------------------------- */

/* A payload: RopSize (counting itself), RopsList, and the rest is the handle table (OXCROPS 2.2.1). */
static bool payload_parse(struct blob payload, struct blob *rops, struct blob *table)
{
    struct rd r = rd_blob_of(payload);
    size_t size = rd_u16(&r);
    if (size < 2)
        return false;
    *rops = rd_blob(&r, size - 2);
    *table = rd_rest(&r);
    return rd_ok(&r) && table->n % 4 == 0;
}

static void handles_parse(struct execute *q, struct arena *a, struct blob table)
{
    struct rd r = rd_blob_of(table);
    q->handles = table.n / 4 < HANDLES_PER_TABLE ? table.n / 4 : HANDLES_PER_TABLE;
    q->handle = arena_array(a, uint32_t, q->handles);
    for (size_t i = 0; i < q->handles; i++)
        q->handle[i] = rd_u32(&r);
}

static ec_t buffer_parse(struct execute *q, struct arena *a, struct blob buffer)
{
    struct blob *payload, table;
    size_t n;
    if (buffer.n == 0) /* nothing to do but to collect notifications */
        return ecNone;
    if (buffer.n < RPCEXT_HEADER)
        return EC(ecRpcFailed);
    if (!rpcext_unwrap(buffer, a, &payload, &n) || !payload_parse(payload[0], &q->rops, &table))
        return EC(ecRpcFormat);
    handles_parse(q, a, table);
    q->nmore = n - 1;
    q->more = arena_array(a, struct blob, q->nmore);
    for (size_t i = 0; i < q->nmore; i++)
        if (!payload_parse(payload[i + 1], &q->more[i], &table))
            return EC(ecRpcFormat);
    return ecNone;
}

/* Sizes as OXCRPC R1373, R666001, R678, R663, R1379 bound them. */
static void sizes_check(struct execute *q, size_t buffer, size_t aux)
{
    if (buffer > ROPBUFFER_MAX || q->max_out > MAXROPOUT_MAX || aux > AUX_MAX)
        q->status = RPC_X_BAD_STUB_DATA;
    else if (q->max_out < RPCEXT_HEADER || (aux > 0 && aux < RPCEXT_HEADER))
        q->error = EC(ecRpcFailed);
}

void execute_parse(struct execute *q, struct arena *a, struct blob body)
{
    struct rd r = rd_blob_of(body);
    *q = (struct execute){ .flags = rd_u32(&r) };
    struct blob buffer = rd_blob(&r, rd_u32(&r));
    q->max_out = rd_u32(&r);
    struct blob aux = rd_blob(&r, rd_u32(&r));
    if (!rd_ok(&r)) {
        q->bad_body = true;
        return;
    }
    sizes_check(q, buffer.n, aux.n);
    if (q->status == 0 && q->error == ecNone)
        q->error = buffer_parse(q, a, buffer);
}

/* --- packed uploads: each further payload is one RopWriteStreamExtended (OXCRPC R1649008) ------------------------------------------------ */

static bool write_data(struct rop_request q, struct wr *joined)
{
    struct rd r = rd_blob_of(q.bytes);
    rd_take(&r, 3);
    wr_put(joined, rd_blob(&r, rd_u16(&r)));
    return rd_ok(&r);
}

static bool upload_join(struct exec *x, const struct execute *q, struct rop_request last)
{
    struct wr joined = wr_in(x->a, (size_t)(q->nmore + 1) * PAYLOAD_MAX);
    if (last.id != ROP_WRITE_STREAM_EXTENDED || !write_data(last, &joined))
        return false;
    for (size_t i = 0; i < q->nmore; i++) {
        struct rop_request *v;
        size_t n;
        if (!rop_split(q->more[i], x->a, &v, &n) || n != 1 || v[0].id != ROP_WRITE_STREAM_EXTENDED || !write_data(v[0], &joined))
            return false;
    }
    x->upload = wr_blob(&joined);
    return true;
}

/* --- out ------------------------------------------------------------------------------------------------------------------------------ */

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

/* A fresh RopsList with the room that a payload of at most `max` bytes leaves beside RopSize and handle table. */
static void open_list(struct exec *x, size_t max)
{
    size_t rest = 2 + 4 * x->handles, room = least(max, RPCEXT_PAYLOAD_MAX);
    x->ceiling = room > rest ? room - rest : 0;
    x->out = wr_in(x->a, x->ceiling);
    x->full = false;
}

static struct blob payload_of(struct exec *x)
{
    struct wr w = wr_in(x->a, PAYLOAD_MAX);
    wr_u16(&w, (uint16_t)(x->out.n + 2));
    wr_put(&w, wr_blob(&x->out));
    for (size_t i = 0; i < x->handles; i++)
        wr_u32(&w, x->handle[i]);
    must(!w.full);
    return wr_blob(&w);
}

static unsigned wrap_flags(const struct execute *q)
{
    return ((q->flags & EXECUTE_NO_COMPRESSION) != 0 ? 0u : RPCEXT_COMPRESSED) | ((q->flags & EXECUTE_NO_XOR) != 0 ? 0u : RPCEXT_XOR);
}

/* Is there room for one more payload of a packed answer (OXCRPC R968, R969)? */
static bool may_pack(const struct execute *q, const struct rop_packs *packs, const struct wr *out, unsigned payloads)
{
    size_t need = packs->request.id == ROP_QUERY_ROWS ? 0x8000 : 0x2000;
    return packs->possible && (q->flags & EXECUTE_CHAIN) != 0 && payloads < RPCEXT_PAYLOADS && q->max_out - out->n >= need;
}

static void buffers_write(struct exec *x, const struct execute *q, struct rop_packs *packs, struct wr *out)
{
    size_t last = wr_mark(out);
    rpcext_wrap(out, x->a, payload_of(x), wrap_flags(q));
    for (unsigned payloads = 1; may_pack(q, packs, out, payloads); payloads++) {
        open_list(x, q->max_out - out->n - RPCEXT_HEADER);
        if (!rop_continue(x, packs))
            break;
        last = wr_mark(out);
        rpcext_wrap(out, x->a, payload_of(x), wrap_flags(q));
    }
    must(!out->full);
    struct rd r = rd_over(out->p + last + 2, 2);
    wr_patch_u16(out, last + 2, (uint16_t)(rd_u16(&r) | RPCEXT_LAST));
}

static struct blob body_failure(struct arena *a, uint32_t status)
{
    struct wr w = wr_in(a, BODY_HEAD);
    wr_u32(&w, status);
    wr_u32(&w, 0);
    return wr_blob(&w);
}

static struct blob body_success(struct arena *a, ec_t error, struct blob buffer)
{
    struct wr w = wr_in(a, BODY_HEAD + buffer.n + 4);
    wr_u32(&w, 0);
    wr_u32(&w, error);
    wr_u32(&w, 0);
    wr_u32(&w, (uint32_t)buffer.n);
    wr_put(&w, buffer);
    wr_u32(&w, 0);
    return wr_blob(&w);
}

/* --- all of it ------------------------------------------------------------------------------------------------------------------------- */

/* Answers may name places behind the end of the client's table (OXCROPS R4563): it grows before the room for answers is counted. */
static void cover(struct exec *x, const struct rop_request *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct rop_def *op = rop_find(v[i].id);
        size_t places = op->kinds == K_NONE || (op->flags & RESP) != 0 ? 1 : (op->flags & OUT1) != 0 ? 2 : 0;
        for (size_t k = 0; k < places; k++) {
            uint8_t index = v[i].bytes.p[2 + k];
            if (index >= x->handles)
                exec_set_handle(x, index, (uint32_t)HANDLE_NONE);
        }
    }
}

/* Behind all answers (OXCROPS R452201): not behind requests that are given back, and not before the rest of an answer that goes on in further buffers. */
static bool may_notify(const struct exec *x, const struct execute *q, const struct rop_packs *packs)
{
    return x->error == ecNone && x->status == 0 && !x->damaged && !x->full && !(packs->possible && (q->flags & EXECUTE_CHAIN) != 0);
}

/* --- later ------------------------------------------------------------------------------------------------------------------------------ */

enum { ROP_BACKOFF = 0xF9, ROP_RELEASE = 0x01, RPC_S_SERVER_TOO_BUSY = 0x6BB };

/* Does the client know RopBackoff (OXCROPS R4542)?  One that did not tell its version is not taken to. */
static bool knows_backoff(const struct context *c)
{
    static const uint16_t after[4] = { 12, 0, 4228, 0 };
    for (size_t i = 0; i < 4; i++)
        if (c->client_version[i] != after[i])
            return c->client_version[i] > after[i];
    return false;
}

/* The ROP that is put off and all behind it have no answer (OXCROPS R4514, R4541 - R4543). */
static void back_off(struct exec *x, const struct rop_request *first, uint32_t ms)
{
    if (!knows_backoff(x->context)) {
        x->status = RPC_S_SERVER_TOO_BUSY;
        return;
    }
    x->out.max = x->ceiling;
    wr_u8(&x->out, ROP_BACKOFF);
    wr_u8(&x->out, first->bytes.p[1]);
    wr_u32(&x->out, ms);
    wr_u8(&x->out, 0);  /* no ROPs of their own times */
    wr_u16(&x->out, 0); /* no AdditionalData */
    if (x->out.full)
        x->status = RPC_S_SERVER_TOO_BUSY;
}

/* Releases cost nothing, have no answer, and free what is held: those in front are done at once. */
static size_t releases(const struct rop_request *v, size_t n)
{
    size_t i = 0;
    while (i < n && v[i].id == ROP_RELEASE)
        i++;
    return i;
}

static struct blob run(struct exec *x, const struct execute *q)
{
    struct rop_request *v;
    struct rop_packs packs;
    size_t n;
    if (!rop_split(q->rops, x->a, &v, &n) || (q->nmore > 0 && (n == 0 || !upload_join(x, q, v[n - 1])))) {
        x->error = EC(ecRpcFormat);
        return blob_of(NULL, 0);
    }
    cover(x, v, n);
    x->ceiling_max = q->max_out - RPCEXT_HEADER >= RPCEXT_PAYLOAD_MAX;
    open_list(x, q->max_out - RPCEXT_HEADER);
    size_t now = q->backoff_ms != 0 ? releases(v, n) : n;
    rop_run(x, v, now, &packs);
    if (now < n)
        back_off(x, &v[now], q->backoff_ms);
    else if (may_notify(x, q, &packs))
        notify_append(x);
    struct wr out = wr_in(x->a, (size_t)q->max_out + PAYLOAD_MAX);
    if (x->error == ecNone && x->status == 0 && !x->damaged)
        buffers_write(x, q, &packs, &out);
    if (out.n > q->max_out && x->status == 0)
        x->status = ecBufferTooSmall;
    return wr_blob(&out);
}

/* What is open and unchanged is closed; what is changed is the caller's to commit. */
static void sort_leases(struct exec *x, struct execute_result *out)
{
    out->changed = arena_array(x->a, struct mailbox *, x->leases);
    for (size_t i = 0; i < x->leases; i++) {
        struct mailbox *m = x->lease[i].m;
        mailbox_let_go(m);
        if (!mailbox_writing(m))
            continue;
        if (!out->failed && mailbox_changed(m))
            out->changed[out->nchanged++] = m;
        else
            mailbox_abort(m);
    }
}

void execute_run(const struct rop_env *env, struct context *c, const struct execute *q, struct execute_result *out)
{
    struct exec x = { .env = env, .a = c->a, .context = c, .objects = objects_new(c), .status = q->status, .error = q->error };
    struct blob buffer = blob_of(NULL, 0);
    x.codec = (struct pv_codec){ c->a, (uint16_t)c->code_page, PV_COUNTS_ROP };
    x.trace = strcmp(env->config->log_level, "debug") == 0;
    x.ran = wr_in(c->a, env->config->access_rops ? ROP_NAMES_MAX : 0);
    for (size_t i = 0; i < q->handles; i++)
        exec_set_handle(&x, (uint8_t)i, q->handle[i]);
    if (x.status == 0 && x.error == ecNone)
        buffer = run(&x, q);
    *out = (struct execute_result){ .damaged = x.damaged, .failed = x.damaged || x.status != 0 || x.error != ecNone };
    if (x.error != ecNone)
        buffer.n = 0;
    out->body = x.status != 0 ? body_failure(c->a, x.status) : body_success(c->a, x.error, buffer);
    if (x.ran.n != 0)
        out->rops = arena_str(c->a, wr_blob(&x.ran));
    if (!out->failed)
        objects_save(x.objects);
    sort_leases(&x, out);
}
