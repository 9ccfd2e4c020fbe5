/* rop.c - the table of ROPs; a list -> its requests; what handlers ask of their Execute. */
#include "backend/store/large.h"
#include "session/rop/execute.h"
#include <stdarg.h>
#include <stdio.h>

enum { ANSWER_HEAD = 6 };

#define ROP_RUN_DONE(name)  rop_##name
#define ROP_RUN_LATER(name) NULL
#define ROP_RUN_REPLY(name) NULL
#define ROP(id, name_, kinds_, flags_, layout_, state_, document_)                                                            \
    [id] = { .name = #name_, .layout = layout_, .document = document_, .run = ROP_RUN_##state_(name_), .kinds = (uint32_t)(kinds_), \
             .flags = (uint32_t)(flags_), .state = ROP_##state_ },
static const struct rop_def rops[256] = {
#include "session/rop/rop.def"
};
#undef ROP

const struct rop_def *rop_find(uint8_t id)
{
    static const struct rop_def reserved = { .name = "reserved", .layout = "", .document = "" };
    return rops[id].name != NULL ? &rops[id] : &reserved;
}

bool rop_split(struct blob rops_list, struct arena *a, struct rop_request **out, size_t *n)
{
    struct rd r = rd_blob_of(rops_list);
    size_t cap = 0;
    *out = NULL;
    *n = 0;
    while (r.n > 0) {
        *out = arena_grow(a, *out, &cap, *n, sizeof **out);
        struct rop_request *q = &(*out)[(*n)++];
        const uint8_t *from = r.p;
        if (!rop_skip(&r, a, &q->id))
            return false;
        q->bytes = blob_of(from, (size_t)(r.p - from));
    }
    return true;
}

/* --- what handlers ask of their Execute ------------------------------------------------------------------------------------------ */

uint32_t rop_handle(struct rop_ctx *c, uint8_t index)
{
    return index < c->x->handles ? c->x->handle[index] : (uint32_t)HANDLE_NONE;
}

void exec_set_handle(struct exec *x, uint8_t index, uint32_t handle)
{
    while (x->handles <= index) {
        x->handle = arena_grow(x->a, x->handle, &x->handle_cap, x->handles, sizeof *x->handle);
        x->handle[x->handles++] = (uint32_t)HANDLE_NONE;
    }
    x->handle[index] = handle;
}

struct object *rop_object(struct rop_ctx *c, uint32_t handle, ec_t *ec)
{
    struct object *o = object_get(c->x->objects, handle, ec);
    if (o == NULL && objects_damaged(c->x->objects))
        c->x->damaged = true;
    return o;
}

struct object *rop_output(struct rop_ctx *c, enum object_kind kind, ec_t *ec)
{
    uint32_t parent = c->object != NULL ? c->object->handle : (uint32_t)HANDLE_NONE;
    struct object *o = object_new(c->x->objects, kind, c->logon_id, parent, ec);
    if (o != NULL)
        exec_set_handle(c->x, c->out_index, o->handle);
    return o;
}

void rop_stage_key(struct rop_ctx *c, uint32_t handle, struct stage_key *out)
{
    memcpy(out->context, c->context->id, sizeof out->context);
    out->object = handle;
}

ec_t rop_id(uint64_t wire, uint64_t *out)
{
    *out = id_gc(wire);
    return id_replid(wire) == REPLID_OWN && *out != 0 ? ecNone : EC(ecNotFound);
}

bool rop_cannot_grow(const struct rop_ctx *c) { return c->x->ceiling_max && c->x->out.n <= ANSWER_HEAD; }

void rop_note(struct rop_ctx *c, const char *fmt, ...)
{
    if (!c->x->trace)
        return;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(c->x->note, sizeof c->x->note, fmt, ap);
    va_end(ap);
}

const struct logon_entry *exec_logon(const struct context *c, uint8_t logon_id)
{
    for (size_t i = 0; i < c->logons; i++)
        if (c->logon[i].logon_id == logon_id)
            return &c->logon[i];
    return NULL;
}

static struct exec_lease *lease_of(struct exec *x, const struct logon_entry *l, ec_t *ec)
{
    *ec = ecNone;
    for (size_t i = 0; i < x->leases; i++)
        if (guid_eq(&x->lease[i].id, &l->mailbox))
            return &x->lease[i];
    struct actor as = { l->owner ? ACTOR_OWNER : ACTOR_DELEGATE, x->context->user_dn };
    struct mailbox *m;
    *ec = mailbox_open(x->env->store, x->a, &l->mailbox, &as, &m);
    if (*ec == ecNone)
        *ec = mailbox_hold(m);
    if (*ec != ecNone)
        return NULL;
    x->lease = arena_grow(x->a, x->lease, &x->lease_cap, x->leases, sizeof *x->lease);
    x->lease[x->leases] = (struct exec_lease){ .logon_id = l->logon_id, .id = l->mailbox, .m = m };
    return &x->lease[x->leases++];
}

static ec_t lease_write(struct exec_lease *l)
{
    if (l->savepoint)
        return ecNone;
    if (!mailbox_writing(l->m))
        TRY(mailbox_write(l->m));
    TRY(mailbox_savepoint(l->m));
    l->savepoint = true;
    return ecNone;
}

ec_t rop_mailbox(struct rop_ctx *c, uint8_t logon_id, bool for_writing, struct mailbox **out)
{
    ec_t ec;
    const struct logon_entry *logon = exec_logon(c->context, logon_id);
    if (logon == NULL)
        return EC(ecNullObject);
    struct exec_lease *l = lease_of(c->x, logon, &ec);
    if (l == NULL)
        return ec;
    *out = l->m;
    return for_writing ? lease_write(l) : ecNone;
}

ec_t rop_write(struct rop_ctx *c)
{
    struct mailbox *m;
    return rop_mailbox(c, c->logon_id, true, &m);
}
