/* notify_register.c - what a session wants to be told: RopRegisterNotification, and tables from the moment that they have a view. MS-OXCNOTIF 2.2.1.2.1, 3.1.4.3. */
#include "session/object/subscription.h"
#include "session/object/table.h"
#include "session/rop/notify_int.h"

enum { ASSOCIATED = 0x02, DEPTH = 0x04, NO_NOTIFICATIONS = 0x10, SUPPRESS_NOTIFICATIONS = 0x80 };

/* Told from now on: a mailbox that nobody watched so far is watched from its newest event.  A table that keeps silent does not begin that. */
static ec_t begin_watch(struct rop_ctx *c, struct watch *w)
{
    uint64_t last = 0;
    bool first = !notify_active(c->context, &c->logon->mailbox) || watch_position(c->context, &c->logon->mailbox) == NULL;
    if (!first || (w->flags & WATCH_SILENT) == 0)
        TRY(event_last(c->m, &last));
    if (first && (w->flags & WATCH_SILENT) == 0)
        watch_position_set(c->context, &c->logon->mailbox, last);
    else
        w->since = last;
    watch_add(c->context, w);
    return ecNone;
}

/* --- tables ------------------------------------------------------------------------------------------------------------------------------------ */
static uint8_t flags_of(const struct obj_table *t)
{
    bool contents = t->source == TABLE_OF_CONTENTS;
    unsigned f = (t->flags & NO_NOTIFICATIONS) != 0 ? WATCH_SILENT : 0u;
    if (contents)
        f |= (t->flags & ASSOCIATED) != 0 ? WATCH_ASSOC : 0u;
    else
        f |= ((t->flags & DEPTH) != 0 ? WATCH_DEEP : 0u) | ((t->flags & SUPPRESS_NOTIFICATIONS) != 0 ? WATCH_NOT_OWN : 0u);
    return (uint8_t)f;
}

ec_t notify_view_made(struct rop_ctx *c)
{
    struct obj_table *t = c->object->table;
    if (t->source == TABLE_OF_ATTACHMENTS || !watch_possible(c->context) || watch_find(c->context, c->object->handle) != NULL)
        return ecNone;
    struct watch w = { .handle = c->object->handle, .logon_id = c->logon_id, .what = t->source == TABLE_OF_CONTENTS ? WATCH_CONTENTS : WATCH_HIERARCHY,
                       .flags = flags_of(t), .fid = t->fid };
    TRY(begin_watch(c, &w));
    t->view_exists = true;
    object_dirty(c->object);
    return ecNone;
}

void notify_view_gone(struct rop_ctx *c) { watch_drop(c->context, c->object->handle); }

void notify_released(struct rop_ctx *c)
{
    enum object_kind kind = c->object->kind;
    if (kind == OBJ_SUBSCRIPTION || (kind == OBJ_TABLE && c->object->table->view_exists))
        watch_drop(c->context, c->object->handle);
}

/* --- RopRegisterNotification ----------------------------------------------------------------------------------------------------------------------- */

/* What is watched must be there, and the actor must be allowed to see it. */
static ec_t scope_read(struct rop_ctx *c, uint64_t fid_wire, uint64_t mid_wire, struct obj_subscription *s)
{
    struct folder f;
    struct message_info info;
    TRY(rop_id(fid_wire, &s->fid));
    TRY(folder_open(c->m, s->fid, false, &f));
    if (mid_wire == 0)
        return ecNone;
    TRY(rop_id(mid_wire, &s->mid));
    return message_open(c->m, s->fid, s->mid, false, &info);
}

ec_t rop_RegisterNotification(struct rop_ctx *c)
{
    struct obj_subscription s = { .types = rd_u16(c->in) };
    ec_t ec;
    s.whole = rd_u8(c->in) != 0;
    uint64_t fid = s.whole ? 0 : rd_u64(c->in), mid = s.whole ? 0 : rd_u64(c->in);
    if (!rd_ok(c->in))
        return EC(ecRpcFormat);
    rop_note(c, "types=%04x whole=%d fid=%llx mid=%llx", s.types, s.whole, (unsigned long long)id_gc(fid), (unsigned long long)id_gc(mid));

    if (!watch_possible(c->context))
        return EC(ecNotSupported);
    if (s.types == 0 || (s.types & ~(unsigned)NOTIFY_TYPES) != 0)
        return EC(ecInvalidParameter);
    if (!s.whole)
        TRY(scope_read(c, fid, mid, &s));
    struct object *o = rop_output(c, OBJ_SUBSCRIPTION, &ec);
    if (o == NULL)
        return ec;
    *o->subscription = s;
    struct watch w = { .handle = o->handle, .logon_id = c->logon_id, .what = WATCH_SUBSCRIPTION, .flags = s.whole ? WATCH_WHOLE : 0, .types = s.types,
                       .fid = s.fid, .mid = s.mid };
    return begin_watch(c, &w);
}
