/* tablerow.h - a row as tables send it: every value cut to what a row may carry. */
#ifndef ROP_TABLEROW_H
#define ROP_TABLEROW_H
#include "backend/store/view.h"
#include "session/rop/rop.h"

enum { ROW_VALUE_MAX = 510, ROW_STRING_MAX = 255 };

/* Values above 510 bytes and strings above 255 UTF-16 units are cut (OXCTABL R121, R122); a cut string ends in three periods, as Exchange does it. */
struct propval tablerow_cut(struct arena *a, const struct propval *v);

/* Writes the row; false, with nothing written, if the builder has no room for all of it (`full` is not set then). */
bool tablerow_write(struct wr *w, const struct pv_codec *codec, const struct tags *columns, const struct table_row *row);
#endif
