/* entry_int.h - what the files of objects share: how a row is read, and the words by which it is found. */
#ifndef DIRECTORY_ENTRY_INT_H
#define DIRECTORY_ENTRY_INT_H
#include "backend/directory/directory_int.h"
#include "backend/directory/entry.h"

/* The columns that entry_from_row reads; a condition on `e` follows. */
#define ENTRY_SELECT \
    "SELECT e.row, e.kind, e.hidden, e.dn, e.display_name, e.smtp, e.org, e.filter, e.source, e.external, e.change, p.mailbox, e.props" \
    " FROM entry e LEFT JOIN person p ON p.row=e.row "
/* False: damaged properties (the rest is there). */
bool entry_from_row(sqlite3_stmt *q, struct arena *a, struct entry *e);
/* entry_find.c: the row alone of whom a DN, or a former one, or any address names, as entry_by_dn and entry_by_address find it. */
ec_t entry_find_dn(struct directory *d, struct arena *a, const char *dn, int64_t *row);
ec_t entry_find_address(struct directory *d, const char *address, int64_t *row);
/* entry_word.c: the texts by which name resolution finds an object, as entry_word_seen makes them of each; all different. */
struct entry_words { struct blob *v; size_t n, cap; };
void entry_words_of(struct arena *a, const struct entry *e, struct entry_words *out);
struct blob entry_word_seen(struct arena *a, struct blob text);     /* without case, accents, double spaces; cut */
ec_t entry_words_write(struct directory *d, struct arena *a, const struct entry *e);
#endif
