/* book_words.h - the words of names in memory: which objects of an organization have a word that is, or begins with, a text.
 *
 * What the table entry_word says, as two sorted lists: one that was made of all objects at the first name that somebody looked for, and a small one of those
 * that changed since, which becomes part of the first when it has grown.  An object is alive in one of them at most.  Objects are numbered by slots
 * (book_int.h).  About 100 bytes per object with six words.  Read under the book's lock, changed under the whole lock. */
#ifndef DIRECTORY_BOOK_WORDS_H
#define DIRECTORY_BOOK_WORDS_H
#include "backend/base/arena.h"
#include "backend/base/err.h"

/* One sorted list.  A key is the organization, 4 bytes with the highest first, and the word; keys are in the order of their bytes. */
struct words_list {
    uint8_t  *byte;
    uint32_t *key_end;        /* key i is byte[key_end[i - 1]] up to byte[key_end[i]] */
    uint32_t *slot, *slot_end;/* of the objects that have it, the same way */
    uint32_t  keys, slots;    /* slots: how many numbers there are */
    uint32_t *own, *own_from; /* the keys of slot s, ascending: own[own_from[s]] up to own[own_from[s + 1]] */
    uint64_t *alive;          /* a set */
    uint32_t  objects;        /* that were alive when the list was made */
    struct words_kept *kept;  /* sets of who has words that many have: made when first asked for, for all who look after that */
};
enum { WORDS_OLD, WORDS_NEW, WORDS_LISTS };
struct book_words { struct words_list *list[WORDS_LISTS]; };  /* NULL: an empty one */

struct book;
struct directory;
/* Made of the whole table, as `reader` sees it; ecDiskError, ecOutOfResources: more than 4 GB of it. */
ec_t book_words_make(const struct book *b, struct directory *reader, struct book_words **out);
void book_words_free(struct book_words *w);
/* The object has changed, or is gone; and: the words that these objects have now. */
void book_words_forget(struct book_words *w, uint32_t slot);
ec_t book_words_learn(struct book_words *w, const struct book *b, struct directory *reader, const int64_t *row, size_t n);

/* The keys of an organization's words that are (whole), or begin with, a text: [from, to). */
struct words_span { uint32_t from, to; };
struct words_span book_words_find(const struct words_list *l, uint32_t org, struct blob text, bool whole);
/* Who has a word of a span, dead or alive, as a set.  The kept one, NULL: none; and makes one, which is kept as long as there is room, else it is the caller's
 * (*own) to free. */
const uint64_t *book_words_set(const struct words_list *l, struct words_span s);
uint64_t *book_words_make_set(const struct words_list *l, struct words_span s, bool *own);
/* How many pairs of such a word and an object; does the object have one of them? */
uint32_t book_words_count(const struct words_list *l, struct words_span s);
bool book_words_has(const struct words_list *l, uint32_t slot, struct words_span s);

/* The pairs of a span: slots from words_first up to words_behind. */
static inline const uint32_t *words_first(const struct words_list *l, struct words_span s) { return l->slot + (s.from != 0 ? l->slot_end[s.from - 1] : 0); }
static inline const uint32_t *words_behind(const struct words_list *l, struct words_span s) { return l->slot + (s.to != 0 ? l->slot_end[s.to - 1] : 0); }
static inline bool words_bit(const uint64_t *set, uint32_t i) { return (set[i / 64] >> (i % 64) & 1) != 0; }
static inline void words_set(uint64_t *set, uint32_t i) { set[i / 64] |= (uint64_t)1 << (i % 64); }
static inline void words_clear(uint64_t *set, uint32_t i) { set[i / 64] &= ~((uint64_t)1 << (i % 64)); }
/* A set has a bit per slot, in numbers of 64, in blocks of WORDS_BLOCK numbers. */
enum { WORDS_BLOCK = 8 };
static inline size_t words_bits(uint32_t slots) { return ((size_t)slots / (64 * WORDS_BLOCK) + 1) * WORDS_BLOCK; }
#endif
