/* view.h - tables over the store: positions, pages, seeks, searches, at a cost that does not depend on the size of the folder.
 *
 * A contents view is a (folder, sort order, locale, restriction) that the store keeps sorted for all clients that ask for it; the usual sort orders
 * exist from the start, others are built at first use in bounded steps and dropped by least recent use.  A position is a keyset position: the sort
 * key and MID of a row, valid for ever: when its row is gone it stands where that was.
 *
 * Hierarchy tables have the same calls (kind TABLE_HIERARCHY, rows are folders). */
#ifndef STORE_VIEW_H
#define STORE_VIEW_H
#include "backend/mapi/msg.h"
#include "backend/mapi/restriction.h"
#include "backend/mapi/sortorder.h"
#include "backend/store/folder.h"

enum table_kind { TABLE_CONTENTS, TABLE_HIERARCHY };

struct table_def {
    enum table_kind kind;
    uint64_t fid;
    bool     assoc;            /* contents: FAI messages */
    bool     deep;             /* hierarchy: all descendants */
    uint32_t locale;           /* LCID for strings */
    struct sortorder sort;     /* n 0: the default order (contents: delivery time descending... as the documents say; hierarchy: display name) */
    const struct restriction *filter; /* NULL: all rows */
    uint32_t instance;         /* contents: a column with the multi-value instance bit, each of its values is a row; 0: none, or sort has it */
};

/* Before the first row: key.n 0 and !end.  Behind the last: end.  Else before the row (key, id): the next forward read gives it
 * if it is still there, otherwise the one that follows. */
struct table_pos { struct blob key; uint64_t id; bool end; };

struct view;                   /* in the arena of the lease */

/* Checks rights, finds or builds the view.  Small tables are sorted here and now: a view is good until the next change of the lease.  ecTooComplex
 * for what cannot be a view (restriction_check). A large build is done here; it takes many short write transactions of its own and may only be
 * called outside the request's write transaction or it joins that. */
ec_t view_open(struct mailbox *m, const struct table_def *d, struct view **out);

ec_t view_count(struct view *v, uint32_t *rows);

/* A row: its id (that of its message or folder: rows that are instances of one message share it, PidTagInstanceNum tells them apart) and the
 * values of the columns asked for, in their order; missing ones as PtypErrorCode ecNotFound. */
struct table_row { uint64_t id; struct props cols; };

/* Reads up to n rows from `pos`, forward (the rows at and behind it) or backward (those before it, nearest first); calls `row` for each; `row`
 * returns false to refuse the row and stop (no room): the position then stays before it.  *pos becomes the new position.
 * Strings and binaries come whole: cutting them is the caller's.  Large values come as their first LARGE_PREFIX bytes loaded. */
typedef bool (*view_sink)(void *ctx, const struct table_row *row);
ec_t view_read(struct view *v, struct table_pos *pos, bool forward, size_t n, const uint32_t *tags, size_t ntags, view_sink row, void *ctx);
enum { LARGE_PREFIX = 1024 };

/* Moves by `delta` rows; *moved = how far it went (signed). */
ec_t view_seek(struct view *v, struct table_pos *pos, int32_t delta, int32_t *moved);

/* 0-based number of the row at `pos`, and the number of rows. No position has a number above that of rows. */
ec_t view_position(struct view *v, const struct table_pos *pos, uint32_t *row, uint32_t *rows);

/* The row with this number (0-based); at or behind the last: the end. */
ec_t view_seek_to(struct view *v, uint32_t row, struct table_pos *pos);

/* The first row that matches: forward the rows at and behind `pos`, backward those before it, nearest first (OXCTABL R241).  The position is before
 * the row that was found.  ecNotFound: position unchanged.  On the first sort column strings compare by the table's collation. */
ec_t view_find(struct view *v, struct table_pos *pos, bool forward, const struct restriction *r);

/* Is the row of this position still there? */
ec_t view_has(struct view *v, const struct table_pos *pos, bool *there);

/* Where the row of this position is now: a row that was sorted elsewhere by a change is followed there.  Gone: *there false, position unchanged.
 * Begin and end are always there.  view_has asks the same and moves nothing. */
ec_t view_follow(struct view *v, struct table_pos *pos, bool *there);

/* The position of the row with this id, if the table has it. */
ec_t view_locate(struct view *v, uint64_t id, struct table_pos *pos, bool *there);

/* Makes a position name the row that it stands before (a bookmark on the first row stays with that row when others come before it). No row
 * there: the end. */
ec_t view_mark(struct view *v, struct table_pos *pos);

/* Columns that rows of the folder have, for RopQueryColumnsAll. */
ec_t view_columns(struct view *v, struct tags *out);
#endif
