/* book.h - the address book as somebody sees it: address lists as sorted tables with positions, names resolved.
 *
 * The order of a list lies in memory, one table per (organization, list, sort, collation), made at its first use and brought up to date by what changed
 * since; the truth is the database, which tells in a microsecond whether something changed (PRAGMA data_version on a connection of its own).  Every position
 * is exact and costs O(log n), whatever the size of the list. */
#ifndef DIRECTORY_BOOK_H
#define DIRECTORY_BOOK_H
#include "backend/directory/entry.h"

/* --- address lists --------------------------------------------------------------------------------------------------------------------------- */
struct container {
    int64_t     row;          /* 0: the global address list, which holds every object that is not hidden */
    int64_t     parent;       /* 0: top level */
    uint32_t    depth;        /* in the hierarchy: 0 for the global address list and for top level */
    bool        has_children;
    const char *name;
    const char *dn;           /* "/" or "/guid=<32 hex digits>" */
    const char *filter;       /* filter.h */
};
/* In the order of the hierarchy table: the global address list, then each list with those below it behind it. */
ec_t container_list(struct directory *d, struct arena *a, struct container **out, size_t *n);
ec_t container_get(struct directory *d, struct arena *a, int64_t row, struct container *out);
/* Sets c->row, c->dn.  ecInvalidParameter: a filter that cannot be read, no such parent; ecCollidingNames: the parent has one of this name. */
ec_t container_add(struct directory *d, struct arena *a, struct container *c);
ec_t container_set(struct directory *d, struct arena *a, const struct container *c);   /* name, filter */
ec_t container_remove(struct directory *d, int64_t row);                                /* and those below it */
ec_t container_version(struct directory *d, uint32_t *out);                             /* rises with each change of the hierarchy; never 0 */

/* --- tables ------------------------------------------------------------------------------------------------------------------------------------ */
struct book;
struct book_view;

/* The process' book, made at first use; NULL (logged): the database cannot be opened. */
struct book *book_of(struct directory *d);

/* One request's look at the book: what it sees does not change until book_done.  Keep it short, nobody else gets a newer state meanwhile.  `who` names the
 * organization whose objects are seen; what is outside of it does not exist.  Row 0 is an administrator, who sees the first organization as its people do; somebody
 * whose row is gone sees nothing.  `reader` is a connection of its own that reads one moment of the database, for the
 * questions of entry.h: it waits for nobody, and a question costs no locks.  `spent`: what was looked at for names, in objects; BOOK_SPENT_MAX, about a second,
 * is the most.  `sets`: who has words that many have (book_resolve.c), kept for the next name. */
enum { BOOK_SPENT_MAX = 200000000 };
struct book_sets;
struct book_look { struct book *b; uint32_t org; struct directory *reader; uint64_t spent; struct book_sets *sets; };
ec_t book_begin(struct book *b, const struct person *who, struct book_look *out);
void book_done(struct book_look *l);
/* In the middle of long work: lets others go on who wait for a newer state.  Views of the look are no more; rows may be gone or new, while its reader goes
 * on to see the moment that it saw. */
void book_pause(struct book_look *l);

enum book_sort { BOOK_BY_NAME, BOOK_BY_PHONETIC };
/* The table of an address list; ecInvalidBookmark: no such list; ecDiskError, logged.  Valid until book_done. */
ec_t book_view(struct book_look *l, int64_t container, enum book_sort sort, uint32_t lcid, const struct book_view **out);
size_t  book_count(const struct book_view *v);
int64_t book_row(const struct book_view *v, size_t at);                              /* at < count */
bool    book_find(const struct book_look *l, const struct book_view *v, int64_t row, size_t *at); /* false: not in this list */
size_t  book_seek(const struct book_view *v, struct blob text);                      /* first that sorts at or behind `text`; count: none */

/* Sorts rows as the lists are sorted; rows that do not exist or cannot be seen are left out; *n becomes smaller.  book_compare: how `text` compares with the
 * name of a row, < 0: the row sorts before it; who cannot be seen has an empty name. */
void book_order(struct book_look *l, struct arena *a, enum book_sort sort, uint32_t lcid, int64_t *row, size_t *n);
int  book_compare(const struct book_look *l, enum book_sort sort, uint32_t lcid, int64_t row, struct blob text);

/* Is there an object (not a list, not a template) of this row in the organization?  Hidden ones exist.  *kind may be NULL. */
bool book_exists(const struct book_look *l, int64_t row, enum entry_kind *kind);

/* The same object with what is shown of most: row, kind, DN, display name, primary address; the rest is empty. */
bool book_shown(const struct book_look *l, struct arena *a, int64_t row, struct entry *out);

/* --- names ------------------------------------------------------------------------------------------------------------------------------------- */
/* Ambiguous name resolution in a list: whom `text` can mean.  *n == 0: nobody; 1: row[0]; 2: more than one.
 * "=x" means exactly x; "EX:" and "/o=" a DN; "SMTP:" (and what has an @) an address first; else each word begins an attribute of names
 * (display name and its words, given name, surname, alias, nickname, office, addresses), without case and accents.  Of several, one alone of whom an
 * attribute is exactly the text wins.  A DN and a whole address find hidden objects too.  ecInvalidBookmark: no such list. */
ec_t book_resolve(struct book_look *l, struct arena *a, int64_t container, struct blob text, int64_t row[2], size_t *n);
/* All whom the text can mean (PidTagAnr of restrictions), ascending by row, without that preference.  ecTableTooBig: more than max.
 * Both: ecOutOfResources if the names of a request mean so many that looking them all through would take seconds. */
ec_t book_matches(struct book_look *l, struct arena *a, int64_t container, struct blob text, size_t max, int64_t **row, size_t *n);
#endif
