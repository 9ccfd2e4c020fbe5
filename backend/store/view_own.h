/* view_own.h - what the files of the table engine share: an open table, in the store or in memory, and walks along its rows. */
#ifndef STORE_VIEW_OWN_H
#define STORE_VIEW_OWN_H
#include "backend/store/view.h"
#include "backend/store/view_bucket.h"
#include "backend/store/view_int.h"
#include "backend/store/view_list.h"

/* A row of a table that is sorted anew for each request: hierarchies, and small folders in an order that nobody keeps. */
struct view_mem_row { struct view_key *key; uint64_t id; uint32_t depth; };
static inline struct view_at view_mem_at(const struct view_mem_row *r) { return (struct view_at){ view_key_blob(r->key), r->id }; }

struct view {
    struct mailbox  *m;
    struct table_def table;           /* as asked for */
    struct view_def  def;
    bool             kept;            /* in the store */
    int64_t          id;              /* kept */
    struct view_mem_row *row;         /* not kept: sorted */
    size_t           n;
    uint32_t         fids_seen;       /* hierarchy: folders looked at */
};

enum { VIEW_SMALL = 32 };             /* rows up to which no view is built */

/* --- view_build.c ----------------------------------------------------------------------------------------------------------------- */
/* The stored view of the definition, complete; built in short transactions of its own unless one is open. */
ec_t view_build(struct mailbox *m, uint64_t fid, bool assoc, const struct view_def *d, struct view_kept *out);

/* --- view_mem.c ------------------------------------------------------------------------------------------------------------------- */
/* All rows of the table, filtered and sorted, into v->row.  *fits false: a contents table of more than VIEW_SMALL rows. */
ec_t view_mem_contents(struct view *v, bool *fits);
ec_t view_mem_hierarchy(struct view *v);
/* Rows before the place. */
size_t view_mem_rank(const struct view *v, const struct view_at *at);
void view_mem_sort(struct view_mem_row *row, size_t n);

/* --- view_scan.c ------------------------------------------------------------------------------------------------------------------ */
/* A row on the way. */
struct view_hit {
    struct view    *v;
    struct view_at  at;               /* borrowed until the next row */
    const uint32_t *tags, *stored;    /* as asked for; without instance bits */
    size_t          ntags;
    struct message_plan plan;         /* contents: how the values are read */
    const char     *sql;              /* ... one row at a time; NULL: made at need */
    const struct query *q;            /* stands on the row with its values; NULL: it does not */
    const struct view_mem_row *mem;
};
/* False ends the walk. */
typedef bool (*view_scan_fn)(void *ctx, struct view_hit *hit);
/* Call it under VIEW_HOLD.  At most `limit` rows: those at and behind the place, or those before it, nearest first.  *ended: there was no row left
 * (the limit was not hit and fn did not stop). */
ec_t view_scan(struct view *v, const struct view_at *from, bool forward, size_t limit, const uint32_t *tags, size_t ntags,
               view_scan_fn fn, void *ctx, bool *ended);
/* The values of the row's tags, in their order, in `a`; missing: PtypErrorCode. */
ec_t view_scan_values(struct view_hit *hit, struct arena *a, struct propval *out);
/* The same as they are stored, multi-values whole, whatever the tags of the hit ask for. */
ec_t view_scan_stored(struct view_hit *hit, struct arena *a, struct propval *out);
size_t view_scan_sub(struct view_hit *hit, uint32_t subobject, const struct restriction *r, struct arena *a);

/* --- view.c ----------------------------------------------------------------------------------------------------------------------- */
/* Declares a query that ends with the block: until then the view is what it is and all that is read from it is of one moment.  If it was dropped
 * since it was opened, it is opened again. */
#define VIEW_HOLD(q, v)                                         \
    struct query q __attribute__((cleanup(db_end))) = { 0 };    \
    TRY(view_hold(v, &q))
ec_t view_hold(struct view *v, struct query *hold);
struct view_at view_at_of(const struct table_pos *pos);
void view_pos_set(struct view *v, struct table_pos *pos, const struct view_at *at);   /* the key is copied */

/* A row as restriction_match wants it, over an array of values. */
struct view_vals { const uint32_t *tags; const struct propval *val; size_t n; };
const struct propval *view_vals_get(const struct view_vals *v, uint32_t tag);
const struct propval *view_vals_row(void *vals, uint32_t tag);                        /* as a res_row's get */
#endif
