/* draft.c - messages and attachments between what is stored and what their handles changed. */
#include "session/rop/draft.h"
#include "backend/store/large.h"
#include "session/rop/attach.h"
#include "session/rop/stream.h"

enum { DRAFT_MAX = 256 * 1024 * 1024 };

struct pv_codec draft_codec(const struct rop_ctx *c, const struct object *o)
{
    struct pv_codec codec = c->codec;
    uint16_t page = o->kind == OBJ_MESSAGE ? o->message->code_page : o->kind == OBJ_ATTACHMENT ? o->attachment->code_page : 0;
    if (page != 0)
        codec.code_page = page;
    return codec;
}

struct msg *draft_dup(struct arena *a, const struct msg *m)
{
    struct wr w = wr_in(a, DRAFT_MAX);
    msg_pack(&w, m);
    struct msg *copy = arena_one(a, struct msg);
    return !w.full && msg_unpack(wr_blob(&w), a, copy) ? copy : NULL;
}

/* A message that was there when it was opened, and is not any more. */
static ec_t gone(ec_t ec) { return ec == (ec_t)ecNotFound ? EC(ecObjectDeleted) : ec; }

/* --- what is stored ------------------------------------------------------------------------------------------------------------ */

/* The attachment at the end of a path of numbers through stored messages. */
static ec_t descend(struct rop_ctx *c, uint64_t mid, const struct att_path *path, struct attachment *out)
{
    struct msg m;
    TRY(gone(message_attachment(c->m, mid, path->num[0], &m)));
    *out = m.att[0];
    for (size_t i = 1; i < path->n; i++) {
        const struct attachment *att = out->embedded != NULL ? msg_att(out->embedded, path->num[i]) : NULL;
        if (att == NULL)
            return EC(ecObjectDeleted);
        *out = *att;
    }
    return ecNone;
}

static ec_t embedded_of(struct rop_ctx *c, const struct obj_message *s, const struct msg **out)
{
    struct attachment at;
    *out = &s->draft;
    if (s->whole)
        return ecNone;
    TRY(descend(c, s->mid, &s->path, &at));
    *out = at.embedded;
    return at.embedded != NULL ? ecNone : EC(ecObjectDeleted);
}

ec_t draft_message(struct rop_ctx *c, struct object *o, unsigned parts, struct msg *out)
{
    struct obj_message *s = o->message;
    *out = (struct msg){ 0 };
    if (s->embedded) {
        const struct msg *m;
        TRY(embedded_of(c, s, &m));
        *out = *m;
        return ecNone;
    }
    if (s->mid != 0)
        TRY(gone(message_load(c->m, s->mid, parts, out)));
    msg_apply(c->a, out, &s->draft);
    return ecNone;
}

/* Of a message that is not embedded only the one attachment is read. */
ec_t draft_attachment_of(struct rop_ctx *c, struct object *message, uint32_t num, struct attachment *out)
{
    struct obj_message *s = message->message;
    struct msg one = { 0 };
    const struct msg *m = &one;
    if (s->embedded) {
        TRY(embedded_of(c, s, &m));
    } else {
        ec_t ec = s->mid != 0 ? message_attachment(c->m, s->mid, num, &one) : (ec_t)ecNone;
        if (ec != ecNone && ec != (ec_t)ecNotFound)
            return ec;
        struct attachment *change = msg_att(&s->draft, num);
        if (change != NULL)
            msg_apply(c->a, &one, &(struct msg){ .att = change, .natt = 1, .att_cap = 1 });
    }
    const struct attachment *att = msg_att((struct msg *)(uintptr_t)m, num);
    if (att == NULL)
        return EC(ecNotFound);
    *out = *att;
    return ecNone;
}

/* What lies under the overlay: the message object's view, or, if that handle is gone, what is stored. */
static ec_t under(struct rop_ctx *c, const struct obj_attachment *s, struct attachment *out)
{
    ec_t ec;
    struct object *message = rop_object(c, s->message, &ec);
    *out = (struct attachment){ .num = s->num };
    if (s->fresh)
        return ecNone;
    if (message != NULL && message->kind == OBJ_MESSAGE) {
        ec = draft_attachment_of(c, message, s->num, out);
        return gone(ec);
    }
    if (s->mid == 0 || s->path.n == 0)
        return EC(ecObjectDeleted);
    return descend(c, s->mid, &s->path, out);
}

ec_t draft_attachment(struct rop_ctx *c, struct object *o, struct attachment *out)
{
    struct obj_attachment *s = o->attachment;
    struct attachment base;
    TRY(under(c, s, &base));
    *out = (struct attachment){ .num = s->num, .embedded = s->draft.embedded != NULL ? s->draft.embedded : base.embedded };
    props_copy(c->a, &out->set, &base.set);
    for (size_t i = 0; i < s->draft.del.n; i++)
        props_del(&out->set, s->draft.del.v[i]);
    props_copy(c->a, &out->set, &s->draft.set);
    return ecNone;
}

/* --- properties ---------------------------------------------------------------------------------------------------------------- */
static struct propval access_level(const struct object *o)
{
    return pv_i32(PidTagAccessLevel, o->kind == OBJ_MESSAGE ? o->message->writable : o->attachment->writable);
}

static bool unchanged(const struct msg *d) { return d->set.n == 0 && d->del.n == 0 && !d->rcpts_replaced && d->nrcpt == 0 && d->natt == 0; }

static ec_t message_values(struct rop_ctx *c, struct object *o, const uint32_t *tags, size_t n, struct props *out)
{
    struct obj_message *s = o->message;
    const struct msg *over = s->mid != 0 && unchanged(&s->draft) ? NULL : &s->draft;
    if (!s->embedded)
        return gone(tags != NULL ? message_props(c->m, s->mid, s->fid, over, tags, n, out) : message_props_all(c->m, s->mid, s->fid, over, out));
    const struct msg *m;
    TRY(embedded_of(c, s, &m));
    return tags != NULL ? embedded_props(c->m, m, tags, n, out) : embedded_props_all(c->m, m, out);
}

static ec_t attachment_values(struct rop_ctx *c, struct object *o, const uint32_t *tags, size_t n, struct props *out)
{
    struct attachment att;
    TRY(draft_attachment(c, o, &att));
    return tags != NULL ? attachment_props(c->m, &att, tags, n, out) : attachment_props_all(c->m, &att, out);
}

ec_t draft_props(struct rop_ctx *c, struct object *o, const uint32_t *tags, size_t n, struct props *out)
{
    TRY(stream_flush(c, o));
    TRY(o->kind == OBJ_MESSAGE ? message_values(c, o, tags, n, out) : attachment_values(c, o, tags, n, out));
    for (size_t i = 0; i < n && i < out->n; i++)
        if (prop_id(tags[i]) == prop_id(PidTagAccessLevel) && propval_fits(&(struct propval){ .tag = PidTagAccessLevel }, prop_type(tags[i])))
            out->v[i] = access_level(o);
    return ecNone;
}

ec_t draft_props_all(struct rop_ctx *c, struct object *o, struct props *out)
{
    TRY(stream_flush(c, o));
    TRY(o->kind == OBJ_MESSAGE ? message_values(c, o, NULL, 0, out) : attachment_values(c, o, NULL, 0, out));
    props_set(c->a, out, access_level(o));
    return ecNone;
}

/* --- changes ------------------------------------------------------------------------------------------------------------------- */
ec_t draft_may(const struct object *o)
{
    bool writable = o->kind == OBJ_ATTACHMENT ? o->attachment->writable : o->message->writable;
    return writable ? ecNone : EC(ecAccessDenied);
}

ec_t draft_open(struct rop_ctx *c, struct object *o)
{
    TRY(draft_may(o));
    if (o->kind == OBJ_ATTACHMENT || !o->message->embedded || o->message->whole)
        return ecNone;
    struct obj_message *s = o->message;
    const struct msg *m;
    TRY(embedded_of(c, s, &m));
    const struct msg *copy = draft_dup(c->a, m);
    if (copy == NULL)
        return EC(ecOutOfMemory);
    s->draft = *copy;
    s->whole = true;
    object_dirty(o);
    return ecNone;
}

static struct props *set_of(struct object *o) { return o->kind == OBJ_MESSAGE ? &o->message->draft.set : &o->attachment->draft.set; }
static struct tags  *del_of(struct object *o) { return o->kind == OBJ_MESSAGE ? &o->message->draft.del : &o->attachment->draft.del; }

void draft_set(struct rop_ctx *c, struct object *o, struct propval v)
{
    props_set(c->a, set_of(o), v);
    tags_del(del_of(o), v.tag);
}

void draft_del(struct rop_ctx *c, struct object *o, uint32_t tag)
{
    props_del(set_of(o), tag);
    if (o->kind != OBJ_MESSAGE || !o->message->whole)
        tags_add(c->a, del_of(o), tag);
}

/* --- what a draft holds -------------------------------------------------------------------------------------------------------------- */
/* What a draft weighs: it is read and written with each change, so what is not a large value is bounded, and so is how deep messages lie in messages. */
enum { DRAFT_BYTES = 8 * 1024 * 1024, DRAFT_DEPTH = 32 };

struct weight { size_t bytes; unsigned deepest; bool big; };

static void weigh_props(const struct props *p, struct weight *w)
{
    for (size_t i = 0; i < p->n; i++) {
        size_t n = p->v[i].large ? sizeof(struct large_ref) : propval_size(&p->v[i]);
        w->bytes += n + sizeof(uint32_t);
        w->big |= !p->v[i].large && !type_multi(prop_type(p->v[i].tag)) && n > LARGE_MIN;
    }
}

static void weigh(const struct msg *m, unsigned depth, struct weight *w)
{
    w->deepest = depth > w->deepest ? depth : w->deepest;
    if (depth > DRAFT_DEPTH)
        return;
    weigh_props(&m->set, w);
    for (size_t i = 0; i < m->nrcpt; i++) {
        struct weight r = { 0 }; /* values of recipients stay where they are */
        weigh_props(&m->rcpt[i].props, &r);
        w->bytes += r.bytes + sizeof(uint64_t);
    }
    for (size_t i = 0; i < m->natt; i++) {
        weigh_props(&m->att[i].set, w);
        if (m->att[i].embedded != NULL)
            weigh(m->att[i].embedded, depth + 1, w);
    }
}

struct refs { struct arena *a; struct large_ref *v; size_t n, cap; uint64_t sum; };

static void note_ref(void *ctx, const struct large_ref *ref)
{
    struct refs *r = ctx;
    r->v = arena_grow(r->a, r->v, &r->cap, r->n, sizeof *r->v);
    r->v[r->n++] = *ref;
    struct rd key = rd_over(ref->key, sizeof ref->key);
    r->sum = (r->sum ^ rd_u64(&key)) * 1099511628211u + 1;
}

static struct msg draft_of(struct object *o)
{
    return o->kind == OBJ_MESSAGE ? o->message->draft : (struct msg){ .att = &o->attachment->draft, .natt = 1, .att_cap = 1 };
}

static uint64_t *pinned_of(struct object *o) { return o->kind == OBJ_MESSAGE ? &o->message->pinned : &o->attachment->pinned; }

static ec_t pin(struct rop_ctx *c, struct object *o, const struct refs *r)
{
    if (r->sum == *pinned_of(o))
        return ecNone;
    struct stage_key key;
    rop_stage_key(c, o->handle, &key);
    TRY(rop_write(c));
    TRY(stage_pin(c->m, &key, r->v, r->n));
    *pinned_of(o) = r->sum;
    object_dirty(o);
    return ecNone;
}

ec_t draft_close(struct rop_ctx *c, struct object *o)
{
    struct msg m = draft_of(o);
    struct weight w = { 0 };
    weigh(&m, 0, &w);
    if (w.deepest > DRAFT_DEPTH)
        return EC(ecTooComplex);
    if (w.big) {
        TRY(rop_write(c));
        TRY(large_take(c->m, &m));
        w = (struct weight){ 0 };
        weigh(&m, 0, &w);
    }
    if (w.bytes > DRAFT_BYTES)
        return EC(ecMessageTooBig);
    struct refs r = { .a = c->a };
    msg_each_large(&m, note_ref, &r);
    TRY(pin(c, o, &r));
    if (o->kind == OBJ_MESSAGE)
        o->message->draft_serial++;
    object_dirty(o);
    return ecNone;
}

ec_t draft_unpin(struct rop_ctx *c, struct object *o)
{
    return pin(c, o, &(struct refs){ .a = c->a });
}
