/* notify_gap.c - what a subscription is told when its events were trimmed before it could be told: nobody knows what happened, but all of it is true now.
 *
 * NewMail: the newest message that lies in the folder, if there is one.  Any other type: the message or folder that it watches was modified, with the counts
 * as they are now, or is deleted if it is not there any more; for a whole mailbox the root folder was modified.  This is told whether modifications were asked for
 * or not: it stands for all that is not known. */
#include "backend/store/view.h"
#include "session/rop/notify_int.h"

struct newest { struct arena *a; struct notify_data *n; bool found; };

static bool take_newest(void *ctx, const struct table_row *row)
{
    struct newest *k = ctx;
    k->found = true;
    k->n->mid = id_wire(REPLID_OWN, row->id);
    k->n->message_class = prop_type(row->cols.v[0].tag) == PtypString ? arena_str(k->a, row->cols.v[0].v.s) : "";
    k->n->message_flags = prop_type(row->cols.v[1].tag) == PtypInteger32 ? (uint32_t)row->cols.v[1].v.i32 : 0;
    return true;
}

static ec_t newest(struct tell *t, uint64_t fid, struct notify_data *n, bool *found)
{
    static const uint32_t columns[] = { PidTagMessageClass, PidTagMessageFlags };
    struct table_def d = { .kind = TABLE_CONTENTS, .fid = fid, .locale = t->x->context->lcid_sort,
                           .sort = { .n = 1, .col = { { PidTagMessageDeliveryTime, SORT_DESCENDING } } } };
    struct newest k = { t->x->a, n, false };
    struct table_pos pos = { .id = 0 };
    struct view *v;
    *n = (struct notify_data){ .flags = EVENT_NEW_MAIL | NOTIFY_M, .fid = id_wire(REPLID_OWN, fid), .unicode = t->x->context->client_mode != CLIENT_CACHED };
    TRY(view_open(t->m, &d, &v));
    TRY(view_read(v, &pos, true, 1, columns, 2, take_newest, &k));
    *found = k.found;
    return ecNone;
}

static ec_t gap_mail(struct tell *t, const struct watch *w, bool *done)
{
    struct receive_folder f = { .fid = w->fid };
    struct notify_data n;
    bool found = false;
    if ((w->flags & WATCH_WHOLE) != 0)
        TRY(receive_folder_get(t->m, "IPM.Note", &f));
    ec_t ec = newest(t, f.fid, &n, &found);
    if (ec == ecNone && found)
        *done = tell_put(t, w, &n);
    return ec == ecNotFound || ec == ecAccessDenied ? ecNone : ec;
}

static ec_t gap_message(struct tell *t, const struct watch *w, bool *done)
{
    struct message_info info;
    ec_t ec = message_open(t->m, w->fid, w->mid, false, &info);
    uint16_t kind = ec == ecNone ? EVENT_MODIFIED : EVENT_DELETED;
    if (ec == ecNone || ec == ecNotFound)
        *done = tell_put(t, w, &(struct notify_data){ .flags = (uint16_t)(kind | NOTIFY_M), .fid = id_wire(REPLID_OWN, w->fid), .mid = id_wire(REPLID_OWN, w->mid) });
    return ec == ecNotFound || ec == ecAccessDenied ? ecNone : ec;
}

static ec_t gap_folder(struct tell *t, const struct watch *w, uint64_t fid, bool *done)
{
    struct folder f;
    ec_t ec = folder_open(t->m, fid, false, &f);
    bool whole = (w->flags & WATCH_WHOLE) != 0;
    struct notify_data n = { .flags = EVENT_MODIFIED, .fid = id_wire(REPLID_OWN, fid) };
    if (ec == ecNone && !whole) {
        n.flags = EVENT_MODIFIED | NOTIFY_T | NOTIFY_U;
        n.total = f.total;
        n.unread = f.unread;
    } else if (ec == ecNotFound)
        n.flags = EVENT_DELETED;
    if (ec == ecNone || ec == ecNotFound || whole)
        *done = tell_put(t, w, &n);
    return ec == ecNotFound || ec == ecAccessDenied ? ecNone : ec;
}

ec_t tell_gap(struct tell *t, const struct watch *w, bool *done)
{
    size_t mark = wr_mark(&t->x->out);
    *done = true;
    if ((w->types & EVENT_NEW_MAIL) != 0 && w->mid == 0)
        TRY(gap_mail(t, w, done));
    if (*done && (w->types & (NOTIFY_TYPES & ~(EVENT_NEW_MAIL | NOTIFY_TABLE_MODIFIED | NOTIFY_EXTENDED))) != 0)
        TRY(w->mid != 0 ? gap_message(t, w, done) : gap_folder(t, w, (w->flags & WATCH_WHOLE) != 0 ? mailbox_info(t->m)->fid[SF_ROOT] : w->fid, done));
    if (!*done)
        wr_rewind(&t->x->out, mark);
    return ecNone;
}
