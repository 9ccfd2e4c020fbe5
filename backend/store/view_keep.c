/* view_keep.c - messages come, change and go; every view of their folder follows in the same transaction. */
#include "backend/store/view_int.h"
#include "backend/base/log.h"
#include "backend/store/view_bucket.h"
#include "backend/store/view_list.h"
#include "backend/store/view_value.h"

/* --- one view ------------------------------------------------------------------------------------------------------------------------------- */
static struct view_at row_of(const struct view_key *k, uint64_t mid) { return (struct view_at){ view_key_blob(k), mid }; }

/* A view that is not what it should be is worse than none: the next who opens it builds it anew.  The change goes on. */
static ec_t unless_lost(struct mailbox *m, const struct view_kept *k, bool lost, ec_t ec)
{
    if (ec != ecCorruptData && !(ec == ecNone && lost))
        return ec;
    log_line(LOGL_WARN, "store", "a view lost track of its messages and is dropped", NULL);
    return view_list_drop(m, k->id);
}

struct step { struct mailbox *m; const struct view_kept *k; uint64_t mid; bool in, lost; struct view_key key; };

static ec_t insert_row(void *ctx, const struct view_key *key, bool in)
{
    struct step *s = ctx;
    struct view_at at = row_of(key, s->mid);
    return in ? view_bucket_insert(s->m->db, s->k->id, &at) : ecNone;
}

static ec_t remove_row(void *ctx, const struct view_key *key, bool in)
{
    struct step *s = ctx;
    struct view_at at = row_of(key, s->mid);
    bool there;
    (void)in; /* what a message matched before it changed need not be known: the row is there or not */
    TRY(view_bucket_remove(s->m->db, s->k->id, &at, &there));
    s->lost |= !there && s->k->def->filter == NULL;
    return ecNone;
}

static ec_t note_row(void *ctx, const struct view_key *key, bool in)
{
    struct step *s = ctx;
    s->key.n = key->n;
    memcpy(s->key.p, key->p, key->n);
    s->in = in;
    return ecNone;
}

static ec_t enter(struct mailbox *m, const struct view_kept *k, const struct view_msg *now)
{
    struct step s = { .m = m, .k = k, .mid = now->mid };
    return unless_lost(m, k, false, view_value_each(m, &now->row, k->def, true, insert_row, &s));
}

static ec_t leave(struct mailbox *m, const struct view_kept *k, const struct view_msg *was)
{
    struct step s = { .m = m, .k = k, .mid = was->mid };
    ec_t ec = view_value_each(m, &was->row, k->def, false, remove_row, &s);
    return unless_lost(m, k, s.lost, ec);
}

/* Nothing is written if the row stays where it is; *done. */
static ec_t stays(struct mailbox *m, const struct view_kept *k, const struct view_msg *was, const struct view_msg *now, bool *done)
{
    struct step before = { .in = true }, after = { .in = true };
    bool there = true;
    *done = false;
    if (k->def->instance != 0)
        return ecNone;
    TRY(view_value_each(m, &was->row, k->def, false, note_row, &before));
    TRY(view_value_each(m, &now->row, k->def, true, note_row, &after));
    if (!blob_eq(view_key_blob(&before.key), view_key_blob(&after.key)))
        return ecNone;
    struct view_at at = row_of(&after.key, now->mid);
    if (k->def->filter != NULL)
        TRY(view_bucket_has(m->db, k->id, &at, &there));
    *done = there == after.in;
    return ecNone;
}

static ec_t move(struct mailbox *m, const struct view_kept *k, const struct view_msg *was, const struct view_msg *now)
{
    struct step s = { .m = m, .k = k, .mid = was->mid };
    bool done;
    TRY(stays(m, k, was, now, &done));
    if (done)
        return ecNone;
    ec_t ec = view_value_each(m, &was->row, k->def, false, remove_row, &s);
    return ec == ecNone && !s.lost ? enter(m, k, now) : unless_lost(m, k, s.lost, ec);
}

/* --- hooks -------------------------------------------------------------------------------------------------------------------------------------- */
ec_t view_message_added(struct mailbox *m, const struct view_msg *now)
{
    struct view_list list;
    TRY(view_list_load(m, now->fid, now->assoc, &list));
    for (size_t i = 0; i < list.n; i++)
        if (view_kept_covers(&list.v[i], now->mid))
            TRY(enter(m, &list.v[i], now));
    return ecNone;
}

ec_t view_message_changed(struct mailbox *m, const struct view_msg *was, const struct view_msg *now, const struct tags *changed)
{
    struct view_list list;
    TRY(view_list_load(m, now->fid, now->assoc, &list));
    for (size_t i = 0; i < list.n; i++)
        if (view_kept_covers(&list.v[i], now->mid) && view_def_looks_at(list.v[i].def, changed))
            TRY(move(m, &list.v[i], was, now));
    return ecNone;
}

ec_t view_message_removed(struct mailbox *m, const struct view_msg *was)
{
    struct view_list list;
    TRY(view_list_load(m, was->fid, was->assoc, &list));
    for (size_t i = 0; i < list.n; i++)
        if (view_kept_covers(&list.v[i], was->mid))
            TRY(leave(m, &list.v[i], was));
    return ecNone;
}

bool view_wants(struct mailbox *m, uint64_t fid, bool assoc, const struct tags *changed)
{
    struct view_list list;
    if (view_list_load(m, fid, assoc, &list) != ecNone)
        return true; /* the error comes again where it can be told */
    for (size_t i = 0; i < list.n; i++)
        if (changed == NULL || view_def_looks_at(list.v[i].def, changed))
            return true;
    return false;
}

ec_t view_folder_added(struct mailbox *m, uint64_t fid)
{
    TRY(view_list_usual(m, fid, false));
    return view_list_usual(m, fid, true);
}

ec_t view_folder_emptied(struct mailbox *m, uint64_t fid, bool assoc)
{
    TRY(view_list_drop_all(m, fid, assoc));
    return view_list_usual(m, fid, assoc);
}

ec_t view_folder_removed(struct mailbox *m, uint64_t fid)
{
    TRY(view_list_drop_all(m, fid, false));
    return view_list_drop_all(m, fid, true);
}
