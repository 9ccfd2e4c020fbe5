/* notify_match.c - an event and a watch -> does the one concern the other? */
#include "session/rop/notify_int.h"

const struct guid *notify_mailbox(const struct context *c, const struct watch *w)
{
    const struct logon_entry *l = exec_logon(c, w->logon_id);
    return l != NULL ? &l->mailbox : NULL;
}

static bool of_mailbox(const struct context *c, const struct watch *w, const struct guid *mailbox)
{
    const struct guid *g = notify_mailbox(c, w);
    return g != NULL && guid_eq(g, mailbox);
}

bool notify_active(struct context *c, const struct guid *mailbox)
{
    const struct watching *v = watches(c);
    for (size_t i = 0; i < v->n; i++)
        if ((v->v[i].flags & WATCH_SILENT) == 0 && of_mailbox(c, &v->v[i], mailbox))
            return true;
    return false;
}

static bool asks_for(const struct watch *s, const struct watch *table)
{
    return s->what == WATCH_SUBSCRIPTION && (s->types & NOTIFY_TABLE_MODIFIED) != 0 && ((s->flags & WATCH_WHOLE) != 0 || s->fid == table->fid);
}

bool notify_speaks(struct context *c, const struct watch *table)
{
    const struct watching *v = watches(c);
    if ((table->flags & WATCH_SILENT) == 0)
        return true;
    const struct guid *mailbox = notify_mailbox(c, table);
    for (size_t i = 0; mailbox != NULL && i < v->n; i++)
        if (asks_for(&v->v[i], table) && of_mailbox(c, &v->v[i], mailbox))
            return true;
    return false;
}

/* --- scopes ------------------------------------------------------------------------------------------------------------------------------ */

/* The folder itself, the messages in it, and its direct subfolders; of what moves or is copied both ends. */
static bool in_folder(uint64_t fid, const struct event *e)
{
    return e->fid == fid || e->old_fid == fid || (e->mid == 0 && (e->parent == fid || e->old_parent == fid));
}

static bool in_scope(const struct watch *w, const struct event *e)
{
    if ((w->flags & WATCH_WHOLE) != 0)
        return true;
    return w->mid != 0 ? e->mid == w->mid || e->old_mid == w->mid : in_folder(w->fid, e);
}

/* A folder's bulk change concerns messages of both kinds. */
static bool in_contents(const struct watch *w, const struct event *e)
{
    if (e->mid == 0)
        return e->fid == w->fid && (e->bulk || e->kind == EVENT_DELETED);
    return e->assoc == ((w->flags & WATCH_ASSOC) != 0) && e->kind != EVENT_NEW_MAIL && (e->fid == w->fid || (e->kind == EVENT_MOVED && e->old_fid == w->fid));
}

/* Events from before parents were written do not name one. */
static bool in_hierarchy(const struct watch *w, const struct event *e)
{
    if (e->mid != 0 || e->kind == EVENT_SEARCH_COMPLETE)
        return false;
    return (w->flags & WATCH_DEEP) != 0 || e->parent == 0 || e->parent == w->fid || e->old_parent == w->fid || (e->fid == w->fid && e->kind == EVENT_DELETED);
}

/* A bulk change stands for creations, deletions and all else that no event names. */
static bool in_subscription(const struct watch *w, const struct event *e)
{
    bool stands_for = e->bulk && (w->types & (EVENT_CREATED | EVENT_DELETED | EVENT_MODIFIED | EVENT_MOVED | EVENT_COPIED)) != 0;
    if (stands_for && w->mid != 0)
        return e->fid == w->fid;
    return (stands_for || (w->types & e->kind) != 0) && in_scope(w, e);
}

bool notify_concerns(const struct watch *w, const struct event *e)
{
    switch (w->what) {
    case WATCH_SUBSCRIPTION: return in_subscription(w, e);
    case WATCH_CONTENTS:     return in_contents(w, e);
    case WATCH_HIERARCHY:    return in_hierarchy(w, e);
    default:                 return false;
    }
}
