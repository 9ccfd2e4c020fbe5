/* attach.c - attachments of an open message: listed, opened, made, deleted, handed to the message. MS-OXCMSG 2.2.3.12-2.2.3.18, 3.2.5.12-3.2.5.17. */
#include "session/rop/attach.h"
#include "backend/base/utf.h"
#include "backend/store/large.h"
#include "session/object/table.h"
#include "session/rop/draft.h"
#include "session/rop/save.h"
#include "session/rop/stream.h"
#include <stdlib.h>

enum { ATTACHMENTS_MAX = 1024 };

/* --- the list ------------------------------------------------------------------------------------------------------------------ */
static int by_num(const void *a, const void *b)
{
    uint32_t x = ((const struct attachment *)a)->num, y = ((const struct attachment *)b)->num;
    return (x > y) - (x < y);
}

ec_t attach_list(struct rop_ctx *c, struct object *message, struct attachment **out, size_t *n)
{
    struct msg m;
    TRY(draft_message(c, message, LOAD_ATTS, &m));
    *out = arena_array(c->a, struct attachment, m.natt);
    *n = 0;
    for (size_t i = 0; i < m.natt; i++)
        if (!m.att[i].deleted)
            (*out)[(*n)++] = m.att[i];
    if (*n > 1)
        qsort(*out, *n, sizeof **out, by_num);
    return ecNone;
}

/* Of a large value a row has the begin, as the tables of the store do. */
static ec_t cut_large(struct rop_ctx *c, struct props *p)
{
    for (size_t i = 0; i < p->n; i++) {
        struct blob b;
        if (!p->v[i].large)
            continue;
        TRY(large_read(c->m, &p->v[i].v.large, 0, LARGE_PREFIX, &b));
        p->v[i] = prop_type(p->v[i].tag) == PtypString ? pv_strn(p->v[i].tag, utf8_from_utf16(c->a, b)) : pv_bin(p->v[i].tag, b);
    }
    return ecNone;
}

ec_t attach_rows(struct rop_ctx *c, struct object *message, const uint32_t *tags, size_t ntags, struct table_row **rows, size_t *n)
{
    struct attachment *att;
    TRY(attach_list(c, message, &att, n));
    *rows = arena_array(c->a, struct table_row, *n);
    for (size_t i = 0; i < *n; i++) {
        (*rows)[i].id = att[i].num;
        TRY(attachment_props(c->m, &att[i], tags, ntags, &(*rows)[i].cols));
        TRY(cut_large(c, &(*rows)[i].cols));
    }
    return ecNone;
}

ec_t attach_columns(struct rop_ctx *c, struct object *message, struct tags *out)
{
    struct attachment *att, none = { 0 };
    struct props p;
    size_t n;
    TRY(attach_list(c, message, &att, &n));
    *out = (struct tags){ 0 };
    TRY(attachment_props_all(c->m, &none, &p));
    for (size_t i = 0; ; i++) {
        for (size_t k = 0; k < p.n; k++)
            tags_add(c->a, out, p.v[k].tag);
        if (i == n)
            return ecNone;
        TRY(attachment_props_all(c->m, &att[i], &p));
    }
}

ec_t rop_GetAttachmentTable(struct rop_ctx *c)
{
    uint8_t flags = rd_u8(c->in);
    ec_t ec;
    struct object *o = rop_output(c, OBJ_TABLE, &ec);
    if (o == NULL)
        return ec;
    *o->table = (struct obj_table){ .source = TABLE_OF_ATTACHMENTS, .flags = flags, .message = c->object->handle };
    return ecNone;
}

ec_t rop_GetValidAttachments(struct rop_ctx *c)
{
    struct attachment *att;
    size_t n;
    TRY(attach_list(c, c->object, &att, &n));
    wr_u32(c->out, (uint32_t)n);
    for (size_t i = 0; i < n; i++)
        wr_u32(c->out, att[i].num);
    return ecNone;
}

/* --- opening and making -------------------------------------------------------------------------------------------------------- */

/* Where the attachment is stored, if it is: for reading it when the message object is gone. */
static struct att_path path_of(const struct obj_message *s, uint32_t num)
{
    struct att_path p = s->path;
    if (s->mid == 0 || s->whole || p.n == ATT_DEPTH)
        return (struct att_path){ 0 };
    p.num[p.n++] = num;
    return p;
}

static struct object *output(struct rop_ctx *c, uint32_t num, bool fresh, bool writable, ec_t *ec)
{
    const struct obj_message *s = c->object->message;
    struct object *o = rop_output(c, OBJ_ATTACHMENT, ec);
    if (o != NULL)
        *o->attachment = (struct obj_attachment){ .message = c->object->handle, .mid = s->mid, .num = num, .fresh = fresh, .writable = writable,
                                                  .path = fresh ? (struct att_path){ 0 } : path_of(s, num), .code_page = s->code_page,
                                                  .draft = { .num = num, .fresh = fresh } };
    return o;
}

/* OXCMSG 2.2.3.12.1: 0 read, 1 read and write, 3 what is possible. */
ec_t rop_OpenAttachment(struct rop_ctx *c)
{
    enum { WRITE = 0x01, BEST = 0x03 };
    uint8_t flags = rd_u8(c->in);
    uint32_t num = rd_u32(c->in);
    rop_note(c, "flags=%02x number=%u", flags, num);

    struct attachment att;
    ec_t ec;
    TRY(draft_attachment_of(c, c->object, num, &att));
    bool writable = (flags & WRITE) != 0 && c->object->message->writable;
    if ((flags & BEST) == WRITE && !writable)
        return EC(ecAccessDenied);
    return output(c, num, false, writable, &ec) != NULL ? ecNone : ec;
}

/* Numbers are given once per message object, above all that are stored. */
static ec_t next_number(struct rop_ctx *c, struct object *message, uint32_t *out)
{
    struct obj_message *s = message->message;
    struct msg m = s->draft;
    *out = s->next_att;
    if (s->next_att == 0) {
        TRY(draft_message(c, message, LOAD_ATTS, &m));
        *out = m.next_att;
        for (size_t i = 0; i < m.natt; i++)
            *out = m.att[i].num >= *out ? m.att[i].num + 1 : *out;
    }
    return m.natt < ATTACHMENTS_MAX && *out < UINT32_MAX - 1 ? ecNone : EC(ecMaxAttachmentExceeded);
}

ec_t rop_CreateAttachment(struct rop_ctx *c)
{
    uint32_t num = 0;
    ec_t ec;
    TRY(draft_may(c->object));
    TRY(next_number(c, c->object, &num));
    struct object *o = output(c, num, true, true, &ec);
    if (o == NULL)
        return ec;
    struct props *set = &o->attachment->draft.set;
    uint64_t now = filetime_now();
    props_set(c->a, set, pv_i32(PidTagRenderingPosition, -1));
    props_set(c->a, set, pv_time(PidTagCreationTime, now));
    props_set(c->a, set, pv_time(PidTagLastModificationTime, now));
    c->object->message->next_att = num + 1;
    object_dirty(c->object);

    wr_u32(c->out, num);
    return ecNone;
}

/* --- deleting ------------------------------------------------------------------------------------------------------------------ */
static void drop(struct msg *d, uint32_t num)
{
    size_t kept = 0;
    for (size_t i = 0; i < d->natt; i++)
        if (d->att[i].num != num)
            d->att[kept++] = d->att[i];
    d->natt = kept;
}

ec_t rop_DeleteAttachment(struct rop_ctx *c)
{
    uint32_t num = rd_u32(c->in);
    rop_note(c, "number=%u", num);

    struct obj_message *s = c->object->message;
    struct attachment there;
    TRY(draft_attachment_of(c, c->object, num, &there));
    TRY(draft_open(c, c->object));
    const struct attachment *change = msg_att(&s->draft, num);
    bool stored = !s->whole && !(change != NULL && change->fresh);
    drop(&s->draft, num);
    if (stored)
        *msg_att_add(c->a, &s->draft, num) = (struct attachment){ .num = num, .deleted = true };
    if (s->next_att <= num)
        s->next_att = num + 1;
    return draft_close(c, c->object);
}

/* --- into the message ---------------------------------------------------------------------------------------------------------- */

/* An overlay names what goes: the changes that lead from the stored embedded message to the new one. */
static struct msg *changes(struct arena *a, const struct msg *from, const struct msg *to)
{
    struct msg *d = draft_dup(a, to);
    if (d == NULL)
        return NULL;
    d->rcpts_replaced = true;
    for (size_t i = 0; i < from->set.n; i++)
        if (props_find(&to->set, from->set.v[i].tag) == NULL)
            tags_add(a, &d->del, from->set.v[i].tag);
    for (size_t i = 0; i < from->natt; i++) {
        const struct attachment *f = &from->att[i];
        struct attachment *t = msg_att(d, f->num);
        if (t == NULL) {
            msg_att_add(a, d, f->num)->deleted = true;
            continue;
        }
        for (size_t k = 0; k < f->set.n; k++)
            if (props_find(&t->set, f->set.v[k].tag) == NULL)
                tags_add(a, &t->del, f->set.v[k].tag);
        if (f->embedded != NULL && t->embedded != NULL)
            t->embedded = changes(a, f->embedded, t->embedded);
    }
    return d;
}

static ec_t embed(struct rop_ctx *c, const struct obj_message *s, struct attachment *into, const struct msg *whole)
{
    const struct msg *stored = NULL;
    struct msg m = { 0 };
    if (s->mid != 0 && !s->whole && !into->fresh) {
        TRY(message_attachment(c->m, s->mid, into->num, &m));
        stored = m.att[0].embedded;
    }
    into->embedded = stored != NULL ? changes(c->a, stored, whole) : draft_dup(c->a, whole);
    return into->embedded != NULL ? ecNone : EC(ecOutOfMemory);
}

static ec_t merge(struct rop_ctx *c, struct object *message, const struct obj_attachment *from)
{
    struct obj_message *s = message->message;
    bool known = msg_att(&s->draft, from->num) != NULL;
    struct attachment *into = msg_att_add(c->a, &s->draft, from->num);
    into->fresh = from->fresh || (known && into->fresh);
    into->deleted = false;
    for (size_t i = 0; i < from->draft.del.n; i++) {
        props_del(&into->set, from->draft.del.v[i]);
        if (!s->whole && !into->fresh)
            tags_add(c->a, &into->del, from->draft.del.v[i]);
    }
    for (size_t i = 0; i < from->draft.set.n; i++) {
        props_set(c->a, &into->set, from->draft.set.v[i]);
        tags_del(&into->del, from->draft.set.v[i].tag);
    }
    return from->draft.embedded != NULL ? embed(c, s, into, from->draft.embedded) : ecNone;
}

static bool has_changes(const struct obj_attachment *s)
{
    return s->fresh || s->draft.set.n != 0 || s->draft.del.n != 0 || s->draft.embedded != NULL;
}

/* R1062: the message object has it now; the store when that is saved. */
static ec_t hand_over(struct rop_ctx *c, struct object *o)
{
    struct obj_attachment *s = o->attachment;
    ec_t ec;
    struct object *message = rop_object(c, s->message, &ec);
    if (message == NULL)
        return ec;
    TRY(draft_open(c, message));
    if (!s->fresh) {
        struct attachment there;
        ec = draft_attachment_of(c, message, s->num, &there);
        if (ec != ecNone)
            return ec == (ec_t)ecNotFound ? EC(ecObjectDeleted) : ec;
    }
    if (props_find(&s->draft.set, PidTagLastModificationTime) == NULL)
        props_set(c->a, &s->draft.set, pv_time(PidTagLastModificationTime, filetime_now()));
    TRY(merge(c, message, s));
    TRY(draft_close(c, message));
    s->fresh = false;
    s->draft = (struct attachment){ .num = s->num };
    object_dirty(o);
    return draft_unpin(c, o);
}

ec_t rop_SaveChangesAttachment(struct rop_ctx *c)
{
    uint8_t flags = rd_u8(c->in), how = flags & SAVE_FLAGS;
    rop_note(c, "flags=%02x", flags);
    if ((how & (how - 1)) != 0) /* OXCMSG R466: at most one of them */
        return EC(ecNotSupported);

    struct object *o = c->object;
    if (o->attachment->writable) {
        TRY(stream_flush(c, o));
        if (has_changes(o->attachment))
            TRY(hand_over(c, o));
        save_access(flags, &o->attachment->writable);
        object_dirty(o);
    }
    return ecNone;
}
