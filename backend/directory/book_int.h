/* book_int.h - the book in memory: what of each object the tables need, and the tables. */
#ifndef DIRECTORY_BOOK_INT_H
#define DIRECTORY_BOOK_INT_H
#include "backend/directory/book.h"
#include "backend/directory/book_collate.h"
#include "backend/directory/book_words.h"
#include "backend/directory/directory_int.h"
#include "backend/directory/filter.h"
#include <stdatomic.h>

/* One object.  Never changed: a change of the row makes another. */
struct book_entry {
    int64_t  row;
    uint32_t org, slot;           /* slot: a small number that the row keeps until the tables are made anew */
    uint8_t  kind, dn_begin;      /* its DN begins as many do: book.dn_begin */
    bool     hidden;
    uint16_t name, phonetic, dn, smtp; /* lengths; the texts follow each other */
    char     text[];
};
static inline struct blob book_entry_name(const struct book_entry *e) { return blob_of(e->text, e->name); }
static inline struct blob book_entry_phonetic(const struct book_entry *e)
{
    return e->phonetic != 0 ? blob_of(e->text + e->name, e->phonetic) : book_entry_name(e); /* who has none sorts by his name */
}
static inline struct blob book_entry_smtp(const struct book_entry *e) { return blob_of(e->text + e->name + e->phonetic + e->dn, e->smtp); }

/* An address list of the hierarchy. */
struct book_list { int64_t row; struct filter *filter; bool needs_props; };

struct book_item { const struct book_entry *e; uint8_t *key; uint32_t n; };
struct book_view {
    uint32_t       org;
    int64_t        container;
    enum book_sort sort;
    const struct book_collator *collator;
    struct book_item *item;
    size_t         n, cap;
    uint64_t      *member;        /* a bit per slot, for `members` numbers of 64 */
    size_t         members;
    uint64_t       used;          /* for throwing away the one that is used least */
    struct book_view *next;
};

enum { READERS_IDLE = 32, DN_BEGINS = 256 };

struct book {
    struct directory  *d, *reader;
    pthread_rwlock_t   lock;         /* of all below: looks share it, a refresh has it alone */
    uint64_t           version;      /* book_version of what is here; 0: nothing yet */
    uint32_t           hierarchy;
    int64_t            data_version; /* of the reader's connection, under the reader's lock */
    struct book_entry **entry;       /* by row */
    size_t             n, cap;
    struct book_entry **slot;        /* by slot; NULL: it is gone */
    uint32_t           slots;
    size_t             slots_cap;
    char              *dn_begin[DN_BEGINS]; /* up to the last "/cn=" of DNs; the first is empty, for all whose begin has no place here */
    size_t             dn_begins;
    struct arena      *lists_arena;
    struct book_list  *list;
    size_t             lists;
    pthread_mutex_t    views_lock;   /* of the chain and of `used`, and of `words`: looks make them */
    struct book_words *words;        /* NULL: nobody looked for a name yet */
    int64_t            words_version;/* of who made the words of the database */
    struct book_view  *view;
    size_t             views;
    atomic_bool        crowded;      /* there are more views than should be: whoever has the book alone next throws some away */
    pthread_mutex_t    making_lock;  /* of who makes a view, which takes long; those that there are can be had meanwhile */
    uint64_t           clock;
    pthread_mutex_t    idle_lock;
    struct directory  *idle[READERS_IDLE]; /* readers that no look has */
    size_t             idles;
};

/* Position of the first entry whose row is not smaller. */
size_t book_at(const struct book *b, int64_t row);
const struct book_entry *book_entry(const struct book *b, int64_t row);   /* NULL: none */
const struct book_list *book_list(const struct book *b, int64_t row);
/* The words of names, made if they are not there yet. */
ec_t book_words_of(struct book_look *l, const struct book_words **out);

/* book_resolve.c: what a look keeps from one name to the next. */
void book_sets_free(struct book_look *l);

static inline bool view_has(const struct book_view *v, uint32_t slot) { return slot / 64 < v->members && words_bit(v->member, slot); }
/* book_view.c, under the whole lock: an object leaves or enters all tables that it is in or belongs into; all tables of lists (not of the global one) go. */
void views_leave(struct book *b, const struct book_entry *e);
void views_enter(struct book *b, const struct book_entry *e);
void views_free(struct book *b, bool lists_only);
void views_trim(struct book *b);
#endif
