/* attach.h - the attachments of an open message: stored ones and those of the draft. */
#ifndef ROP_ATTACH_H
#define ROP_ATTACH_H
#include "backend/store/view.h"
#include "session/rop/rop.h"

/* What the message object shows, by ascending number, deleted ones left out. In the arena, read only. */
ec_t attach_list(struct rop_ctx *c, struct object *message, struct attachment **out, size_t *n);

/* The same as rows of a table: id is the attachment number, cols are `tags` in their order, missing ones as PtypErrorCode; of large values the first
 * LARGE_PREFIX bytes. */
ec_t attach_rows(struct rop_ctx *c, struct object *message, const uint32_t *tags, size_t ntags, struct table_row **rows, size_t *n);

/* Columns that an attachment table has at least (RopQueryColumnsAll): those of the rows and the computed ones. */
ec_t attach_columns(struct rop_ctx *c, struct object *message, struct tags *out);
#endif
