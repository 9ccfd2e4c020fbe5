/* view_sql.h - statements whose text is put together while running: interned, so that each is prepared once per connection. */
#ifndef STORE_VIEW_SQL_H
#define STORE_VIEW_SQL_H
#include "backend/store/db.h"

/* The statement with this text, for the life of the process.  NULL if there are too many already: then do without. */
const struct stmt *view_sql(const char *text);
#endif
