/* view_keep.c - messages come, change and go; every view of their folder follows in the same transaction. */
#include "backend/store/view_int.h"
#include "backend/base/log.h"
#include "backend/store/view_bucket.h"
#include "backend/store/view_list.h"
#include "backend/store/view_value.h"

/* --- one view ------------------------------------------------------------------------------------------------------------------------------- */
static struct view_at row_of(const struct view_key *k, uint64_t mid) { return (struct view_at){ view_key_blob(k), mid }; }

/* A view that is not what it should be is worse than none: the next who opens it builds it anew. */
static ec_t give_up(struct mailbox *m, const struct view_kept *k)
{
    log_line(LOGL_WARN, "store", "a view lost track of its messages and is dropped", NULL);
    return view_list_drop(m, k->id);
}

static ec_t enter(struct mailbox *m, const struct view_kept *k, const struct view_msg *now)
{
    struct view_value v;
    struct view_key key;
    view_value_start(&v, m, &now->row);
    if (!view_value_matches(&v, k->def))
        return view_value_end(&v);
    view_value_key(&v, k->def, &key);
    TRY(view_value_end(&v));
    struct view_at at = row_of(&key, now->mid);
    return view_bucket_insert(m->db, k->id, &at);
}

static ec_t leave(struct mailbox *m, const struct view_kept *k, const struct view_msg *was)
{
    struct view_value v;
    struct view_key key;
    bool there;
    view_value_start(&v, m, &was->row);
    view_value_key(&v, k->def, &key);
    TRY(view_value_end(&v));
    struct view_at at = row_of(&key, was->mid);
    TRY(view_bucket_remove(m->db, k->id, &at, &there));
    return there || k->def->filter != NULL ? ecNone : give_up(m, k);
}

static ec_t move(struct mailbox *m, const struct view_kept *k, const struct view_msg *was, const struct view_msg *now)
{
    struct view_value before, after;
    struct view_key from, to;
    view_value_start(&before, m, &was->row);
    view_value_start(&after, m, &now->row);
    view_value_key(&before, k->def, &from);
    view_value_key(&after, k->def, &to);
    bool in = view_value_matches(&after, k->def), there, same = blob_eq(view_key_blob(&from), view_key_blob(&to));
    TRY(view_value_end(&before));
    TRY(view_value_end(&after));
    if (same && k->def->filter == NULL)
        return ecNone;
    struct view_at at = row_of(&from, was->mid);
    if (same) {
        TRY(view_bucket_has(m->db, k->id, &at, &there));
        if (there == in)
            return ecNone;
    }
    TRY(view_bucket_remove(m->db, k->id, &at, &there));
    if (!there && k->def->filter == NULL)
        return give_up(m, k);
    at = row_of(&to, now->mid);
    return in ? view_bucket_insert(m->db, k->id, &at) : ecNone;
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
