/* cursor.h - the rows of an open table, whatever its source: contents and hierarchy from views of the store, attachments from the message object.
 *
 * A cursor lives as long as its ROP.  It begins where the table object's cursor stands; cursor_store puts it back there. */
#ifndef ROP_CURSOR_H
#define ROP_CURSOR_H
#include "backend/store/view.h"
#include "session/object/table.h"
#include "session/rop/rop.h"

struct cursor {
    struct rop_ctx   *c;
    struct obj_table *t;
    struct view      *view;      /* NULL: attachments */
    struct table_row *row; size_t rows; /* attachments, by number; columns are those of cursor_open */
    struct table_pos  pos;
};

/* Opens the table behind c->object with its sort order and restriction, for reading the columns given (they matter to attachment tables).
 * ecNotFound: what it was opened on is gone. */
ec_t cursor_open(struct rop_ctx *c, const struct tags *columns, struct cursor *out);
void cursor_store(struct cursor *k);

/* The view alone, e.g. to see whether a new sort order or restriction can be had; attachments: NULL. */
ec_t cursor_view(struct rop_ctx *c, const struct obj_table *t, struct view **out);

/* The column that asks for each value of a multi-value in a row of its own (OXCTABL R433); 0: none. */
uint32_t cursor_instance(const struct tags *columns);

/* As view_read, view_seek, view_position, view_seek_to, view_find, view_has. */
ec_t cursor_read(struct cursor *k, bool forward, size_t n, const struct tags *columns, view_sink row, void *ctx);
ec_t cursor_seek(struct cursor *k, int32_t delta, int32_t *moved);
ec_t cursor_position(struct cursor *k, uint32_t *row, uint32_t *rows);
ec_t cursor_count(struct cursor *k, uint32_t *rows);
ec_t cursor_seek_to(struct cursor *k, uint32_t row);
/* Moves a position to where its row is now; *there false: the row is gone, the position stays. */
ec_t cursor_follow(struct cursor *k, struct table_pos *pos, bool *there);
ec_t cursor_columns(struct cursor *k, struct tags *out);

/* Positions. */
static inline struct table_pos cursor_begin(void) { return (struct table_pos){ .id = 0 }; }
static inline struct table_pos cursor_end(void)   { return (struct table_pos){ .end = true }; }
#endif
