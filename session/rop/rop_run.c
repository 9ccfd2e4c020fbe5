/* rop_run.c - the ladder: a list of requests -> for each what its line in rop.def says, its handler, its answer or its undoing. */
#include "backend/base/fault.h"
#include "backend/base/filetime.h"
#include "backend/base/log.h"
#include "backend/base/metric.h"
#include "session/rop/execute.h"
#include "session/rop/notify.h"
#include "session/rop/stream.h"
#include <stdatomic.h>
#include <stdio.h>

enum { NULL_DESTINATION = ecNullDestinationObject };

/* Rows of the metrics, made when a ROP is first run. */
static struct { struct metric_row *_Atomic seconds, *_Atomic errors; } stats[256];

static void rows_of(uint8_t id, struct metric_row **seconds, struct metric_row **errors)
{
    char label[80];
    *seconds = atomic_load_explicit(&stats[id].seconds, memory_order_acquire);
    *errors = atomic_load_explicit(&stats[id].errors, memory_order_acquire);
    if (*seconds != NULL && *errors != NULL)
        return;
    snprintf(label, sizeof label, "rop=\"%.60s\"", rop_find(id)->name);
    atomic_store(&stats[id].seconds, *seconds = metric_row(METRIC_rop_seconds, label));
    atomic_store(&stats[id].errors, *errors = metric_row(METRIC_rop_errors, label));
}

struct rop_stat rop_stat(uint8_t id)
{
    struct metric_row *seconds, *errors;
    rows_of(id, &seconds, &errors);
    return (struct rop_stat){ metric_row_cell(seconds, 0), metric_row_cell(errors, 0), metric_row_cell(seconds, 1) };
}

static void count(uint8_t id, ec_t ec, uint64_t us)
{
    struct metric_row *seconds, *errors;
    rows_of(id, &seconds, &errors);
    metric_row_us(METRIC_rop_seconds, seconds, us);
    if (ec != ecNone)
        metric_row_add(errors, 1);
}

/* --- one ROP ------------------------------------------------------------------------------------------------------------------------ */

static void read_head(struct rop_ctx *c)
{
    rd_u8(c->in);
    c->logon_id = rd_u8(c->in);
    if ((c->op->flags & RESP) != 0)
        c->response_index = rd_u8(c->in);
    c->in_index = rd_u8(c->in);
    if ((c->op->flags & OUT1) != 0)
        c->out_index = rd_u8(c->in);
    if ((c->op->flags & DEST) != 0)
        c->dest_index = rd_u8(c->in);
    if (c->op->kinds == K_NONE)
        c->out_index = c->in_index;
}

static uint8_t answer_index(const struct rop_ctx *c)
{
    return (c->op->flags & RESP) != 0 ? c->response_index : (c->op->flags & OUT1) != 0 ? c->out_index : c->in_index;
}

static ec_t check_object(struct rop_ctx *c, uint8_t index, struct object **out)
{
    ec_t ec;
    *out = rop_object(c, rop_handle(c, index), &ec);
    if (*out == NULL)
        return ec;
    if ((c->op->kinds & OBJ_BIT((*out)->kind)) == 0)
        return (c->op->flags & NULLS) != 0 ? EC(ecNullObject) : EC(ecNotSupported);
    return ecNone;
}

/* Logon, then object, then whether they belong together (OXCROPS R4555, R4712, R457301 - R457303). */
static ec_t check_input(struct rop_ctx *c)
{
    if (c->op->kinds == K_NONE)
        return ecNone;
    c->logon = exec_logon(c->context, c->logon_id);
    if (c->logon == NULL)
        return EC(ecNullObject);
    TRY(check_object(c, c->in_index, &c->object));
    if (c->object->logon_id != c->logon_id)
        return EC(ecAccessDenied);
    if ((c->op->flags & DEST) != 0 && check_object(c, c->dest_index, &c->dest) != ecNone)
        return c->dest == NULL ? EC(ecNullDestinationObject) : EC(ecNotSupported);
    return ecNone;
}

static ec_t open_mailbox(struct rop_ctx *c)
{
    if (c->logon == NULL || (c->op->flags & NOREPLY) != 0)
        return ecNone;
    return rop_mailbox(c, c->logon_id, (c->op->flags & WRITES) != 0, &c->m);
}

static ec_t guarded_run(struct rop_ctx *c)
{
    TRY(check_input(c));
    if (c->op->run == NULL)
        return EC(ecNotSupported);
    TRY(open_mailbox(c));
    fault_point(FAULT_rop_before);
    ec_t ec = c->op->run(c);
    fault_point(FAULT_rop_after);
    return ec;
}

static size_t write_head(struct rop_ctx *c, uint8_t id)
{
    uint8_t as = (uint8_t)(c->op->flags >> 8);
    wr_u8(c->out, as != 0 ? as : id);
    wr_u8(c->out, answer_index(c));
    wr_u32(c->out, ecNone);
    return wr_mark(c->out);
}

static void write_error(struct rop_ctx *c, size_t body, ec_t ec)
{
    if (!c->keep_body) {
        wr_rewind(c->out, body);
        if (ec == NULL_DESTINATION && (c->op->flags & DEST) != 0)
            wr_u32(c->out, c->dest_index);
        for (unsigned i = c->op->flags >> 16; i > 0; i--)
            wr_u8(c->out, 0);
    }
    if (!c->out->full)
        wr_patch_u32(c->out, body - 4, ec);
}

/* Savepoints of all mailboxes that the ROP wrote to.  A savepoint that cannot be left is a broken transaction. */
static void settle(struct exec *x, bool keep)
{
    for (size_t i = 0; i < x->leases; i++) {
        struct exec_lease *l = &x->lease[i];
        if (!l->savepoint)
            continue;
        l->savepoint = false;
        ec_t ec = keep ? mailbox_release(l->m) : mailbox_rollback(l->m);
        if (ec != ecNone && x->error == ecNone)
            x->error = ec;
    }
}

static void undo(struct exec *x, const uint32_t *handle, size_t handles, const struct watching *watching)
{
    settle(x, false);
    bool added = x->context->watching.n > watching->n;
    x->context->watching = *watching;
    x->context->watching.stale |= added;
    objects_rewind(x->objects);
    for (size_t i = 0; i < handles; i++)
        x->handle[i] = handle[i];
    x->handles = handles;
}

static void trace(const struct rop_ctx *c, size_t n, ec_t ec, uint64_t us)
{
    if (!c->x->trace && ec != ecDiskError)
        return;
    char text[128];
    snprintf(text, sizeof text, "%zu/%zu:%s", c->position + 1, n, c->op->name);
    log_context("rop", text);
    snprintf(text, sizeof text, "%.2f", (double)us / 1000);
    log_line(ec == ecDiskError ? LOGL_ERROR : LOGL_DEBUG, "rop", c->x->note, "code", err_name(ec), "place", ec != ecNone ? err_place() : "", "ms", text,
             NULL);
    log_context("rop", NULL);
}

/* What the access log tells of it. */
static void name(struct exec *x, uint8_t id, const char *op, ec_t ec)
{
    char text[64];
    if (x->ran.max == 0)
        return;
    int n = snprintf(text, sizeof text, "%s0x%02X:%.32s", x->ran.n != 0 ? "," : "", id, op);
    if (ec != ecNone)
        n += snprintf(text + n, sizeof text - (size_t)n, "!0x%X", ec);
    wr_bytes(&x->ran, text, (size_t)n); /* what does not fit is not told */
}

/* After the handler: what of it stays.  False: the list ends here. */
static bool conclude(struct rop_ctx *c, size_t mark, size_t body, ec_t ec, const uint32_t *handle, size_t handles, const struct watching *watching)
{
    struct exec *x = c->x;
    if (!rd_ok(c->in))
        x->error = EC(ecRpcFormat);
    else if (arena_over(x->a))
        x->error = EC(ecOutOfMemory);
    else if (objects_damaged(x->objects))
        x->damaged = true;
    else {
        if (ec != ecNone && (c->op->flags & NOREPLY) == 0)
            write_error(c, body, ec);
        x->full = c->out->full;
        bool keep = !x->full && (ec == ecNone || c->partial);
        if (keep)
            settle(x, true);
        else
            undo(x, handle, handles, watching);
        if (x->full)
            wr_rewind(c->out, mark);
        if (ec == ecDiskError && x->error == ecNone)
            x->error = ec;
    }
    x->stopped = ec != ecNone && (c->op->flags & STOPS) != 0;
    return x->error == ecNone && !x->damaged && !x->full && !x->stopped;
}

static bool run_one(struct exec *x, struct rop_ctx *c, const struct rop_request *q, size_t n)
{
    struct rd in = rd_blob_of(q->bytes);
    c->in = &in;
    c->op = rop_find(q->id);
    read_head(c);
    x->note[0] = 0;
    objects_mark(x->objects);
    size_t handles = x->handles, mark = wr_mark(c->out);
    const struct watching watching = x->context->watching;
    const uint32_t *handle = arena_dup(x->a, x->handle, handles * sizeof *handle);
    size_t body = (c->op->flags & NOREPLY) != 0 ? mark : write_head(c, q->id);
    uint64_t from = clock_us();
    ec_t ec = c->out->full ? ecNone : guarded_run(c);
    uint64_t us = clock_us() - from;
    count(q->id, ec, us);
    name(x, q->id, c->op->name, ec);
    trace(c, n, ec, us);
    return conclude(c, mark, body, ec, handle, handles, &watching);
}

static struct rop_ctx ctx_of(struct exec *x, size_t position)
{
    return (struct rop_ctx){ .a = x->a, .x = x, .out = &x->out, .codec = x->codec, .context = x->context, .position = position };
}

/* --- the list ----------------------------------------------------------------------------------------------------------------------- */

enum { TOO_SMALL_HEAD = 3, TOO_SMALL_WANTS = 0x8000 };

/* The answer that the rest was not run for want of room (OXCROPS 2.2.15.1), or the failure of all if more room cannot be had (R4546). */
static void too_small(struct exec *x, const struct rop_request *v, size_t n, bool first)
{
    x->out.max = x->ceiling;
    if (first && x->ceiling_max) {
        x->status = x->status != 0 ? x->status : (ec_t)ecBufferTooSmall; /* a handler can know better */
        return;
    }
    wr_u8(&x->out, 0xFF);
    wr_u16(&x->out, TOO_SMALL_WANTS);
    for (size_t i = 0; i < n; i++)
        wr_put(&x->out, v[i].bytes);
    if (x->out.full)
        x->status = ecBufferTooSmall;
}

static size_t bytes_of(const struct rop_request *v, size_t n)
{
    size_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += v[i].bytes.n;
    return sum;
}

/* While a ROP runs, room is kept for giving back the requests behind it; if there is not even that, it tries its luck. */
static void set_room(struct exec *x, size_t rest)
{
    size_t keep = rest != 0 ? TOO_SMALL_HEAD + rest : 0;
    x->out.max = x->ceiling >= x->out.n + keep ? x->ceiling - keep : x->ceiling;
}

void rop_run(struct exec *x, const struct rop_request *v, size_t n, struct rop_packs *packs)
{
    size_t rest = bytes_of(v, n);
    *packs = (struct rop_packs){ .possible = false };
    for (size_t i = 0; i < n; i++) {
        struct rop_ctx c = ctx_of(x, i);
        rest -= v[i].bytes.n;
        set_room(x, rest);
        if (i + 1 == n)
            c.upload = x->upload;
        bool first = x->out.n == 0;
        if (!run_one(x, &c, &v[i], n)) {
            if (x->full)
                too_small(x, &v[i], n - i, first);
            return;
        }
        if (i + 1 == n)
            *packs = (struct rop_packs){ (c.op->flags & PACKS) != 0 && c.more, v[i], c.got };
    }
}

bool rop_continue(struct exec *x, struct rop_packs *packs)
{
    struct rop_ctx c = ctx_of(x, 0);
    c.sent = packs->sent;
    x->out.max = x->ceiling;
    if (!run_one(x, &c, &packs->request, 1) || c.got == 0)
        return false;
    packs->sent += c.got;
    packs->possible = c.more;
    return true;
}

/* --- RopRelease: the one ROP without an answer ---------------------------------------------------------------------------------------- */

static uint32_t handle_of_logon(const struct context *c, uint8_t logon_id)
{
    for (size_t i = 0; i < c->handles; i++)
        if (c->handle[i].logon_id == logon_id)
            return c->handle[i].handle;
    return (uint32_t)HANDLE_NONE;
}

/* The logon goes, and with it everything that was opened through it (OXCROPS R4570). */
void exec_forget_logon(struct exec *x, uint8_t logon_id)
{
    struct context *c = x->context;
    for (uint32_t h; (h = handle_of_logon(c, logon_id)) != (uint32_t)HANDLE_NONE; )
        object_drop(x->objects, h);
    for (size_t i = 0; i < c->logons; i++)
        if (c->logon[i].logon_id == logon_id) {
            c->logon[i] = c->logon[--c->logons];
            break;
        }
    c->watching.stale = true;
    context_touch(c);
}

ec_t rop_Release(struct rop_ctx *c)
{
    if (c->object->kind == OBJ_LOGON) {
        exec_forget_logon(c->x, c->logon_id);
        return ecNone;
    }
    stream_release(c, c->object);
    notify_released(c);
    object_drop(c->x->objects, c->object->handle);
    return ecNone;
}
