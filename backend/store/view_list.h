/* view_list.h - which views a folder has in the store: found, begun, dropped. */
#ifndef STORE_VIEW_LIST_H
#define STORE_VIEW_LIST_H
#include "backend/store/store_int.h"
#include "backend/store/view_def.h"

enum view_state { VIEW_BUILDING = 0, VIEW_READY = 1, VIEW_DROPPED = 2 };

struct view_kept {
    int64_t  id;
    uint64_t fid;
    bool     assoc, usual;
    enum view_state state;
    uint64_t built;                 /* building: rows of messages up to this MID are in */
    int64_t  used;
    const struct view_def *def;     /* in the arena of the lease, shared */
};

/* Does the view hold a row for this message, if its restriction lets it? */
static inline bool view_kept_covers(const struct view_kept *k, uint64_t mid) { return k->state == VIEW_READY || mid <= k->built; }

enum { VIEW_LIST_MAX = 64, VIEW_KEEP = 16, VIEW_TOUCH_SECONDS = 3600 };

/* The views of a folder that writers keep up to date, at most VIEW_LIST_MAX.  Those whose definition cannot be read (any more) are left out. */
struct view_list { struct view_kept v[VIEW_LIST_MAX]; size_t n; };
ec_t view_list_load(struct mailbox *m, uint64_t fid, bool assoc, struct view_list *out);

/* The one with this definition, if there is one. */
ec_t view_list_find(struct mailbox *m, uint64_t fid, bool assoc, const struct view_def *d, struct view_kept *out, bool *found);
/* Is it ready, and not dropped?  The query stands on its row: until the caller ends it, all that he reads is of one moment. */
ec_t view_list_hold(struct mailbox *m, int64_t id, struct query *hold, bool *ready);

/* In a write transaction: a new one, with nothing built (the default order is never dropped for lack of use); older unused ones of the folder go
 * if there are too many. */
ec_t view_list_begin(struct mailbox *m, uint64_t fid, bool assoc, const struct view_def *d, struct view_kept *out);
ec_t view_list_advance(struct mailbox *m, struct view_kept *k, uint64_t built, bool ready);
ec_t view_list_touch(struct mailbox *m, const struct view_kept *k);
/* Its rows go bit by bit (view_list_sweep). */
ec_t view_list_drop(struct mailbox *m, int64_t id);
ec_t view_list_drop_all(struct mailbox *m, uint64_t fid, bool assoc);

/* Begins the views that every folder has: empty, complete. */
ec_t view_list_usual(struct mailbox *m, uint64_t fid, bool assoc);

/* The order of a contents table for which none was given. */
struct sortorder view_list_default(bool assoc);
#endif
