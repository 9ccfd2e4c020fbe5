/* book_words.c - the table of words becomes sorted lists in memory, and follows what changes. */
#include "backend/directory/book_int.h"
#include "backend/base/log.h"
#include "backend/base/must.h"
#include <stdatomic.h>
#include <stdlib.h>

/* Grows only, so that who looks needs no lock. */
enum { KEPT = 64 };
struct words_kept {
    pthread_mutex_t lock;                 /* of who adds */
    atomic_uint     n;
    struct { struct words_span span; uint64_t *bit; } set[KEPT];
};

enum { KEY_ORG = 4, NEW_MAX = 256, NEW_PART = 32 };   /* changed objects that may stand aside: some, and a part of all */

/* --- a list is made, key by key ---------------------------------------------------------------------------------------------------------------- */

struct maker { struct words_list *l; size_t bytes, bytes_cap, keys_cap, slots, slots_cap; bool full; };

static struct maker maker_of(uint32_t slots)
{
    struct maker m = { .l = calloc(1, sizeof *m.l) };
    must(m.l != NULL);
    m.l->slots = slots;
    return m;
}

static void *room(void *p, size_t *cap, size_t n, size_t each)
{
    if (n <= *cap)
        return p;
    while (*cap < n)
        *cap = *cap != 0 ? *cap + *cap / 2 : 1024;
    p = realloc(p, *cap * each);
    must(p != NULL);
    return p;
}

static struct blob key_at(const struct words_list *l, uint32_t i)
{
    uint32_t from = i != 0 ? l->key_end[i - 1] : 0;
    return blob_of(l->byte + from, l->key_end[i] - from);
}

static void begin_key(struct maker *m, struct blob key)
{
    struct words_list *l = m->l;
    size_t cap = m->keys_cap;
    l->byte = room(l->byte, &m->bytes_cap, m->bytes + key.n, 1);
    l->key_end = room(l->key_end, &cap, l->keys + 1, sizeof *l->key_end);
    l->slot_end = room(l->slot_end, &m->keys_cap, l->keys + 1, sizeof *l->slot_end);
    memcpy(l->byte + m->bytes, key.p, key.n);
    m->bytes += key.n;
    l->key_end[l->keys++] = (uint32_t)m->bytes;
}

/* In the order of the keys. */
static void put(struct maker *m, struct blob key, uint32_t slot)
{
    struct words_list *l = m->l;
    m->full = m->full || m->bytes + key.n > UINT32_MAX || m->slots == UINT32_MAX;
    if (m->full || key.n < KEY_ORG)
        return;
    if (l->keys == 0 || !blob_eq(key_at(l, l->keys - 1), key))
        begin_key(m, key);
    l->slot = room(l->slot, &m->slots_cap, m->slots + 1, sizeof *l->slot);
    l->slot[m->slots++] = slot;
    l->slot_end[l->keys - 1] = (uint32_t)m->slots;
}

static void *fit(void *p, size_t n, size_t each)
{
    p = realloc(p, (n + 1) * each);
    must(p != NULL);
    return p;
}

/* Turned round: the keys of each object. */
static void make_own(struct words_list *l, size_t n)
{
    uint32_t *at = calloc((size_t)l->slots + 1, sizeof *at);
    l->own = calloc(n + 1, sizeof *l->own);
    l->own_from = calloc((size_t)l->slots + 1, sizeof *l->own_from);
    must(at != NULL && l->own != NULL && l->own_from != NULL);
    for (size_t i = 0; i < n; i++)
        l->own_from[l->slot[i] + 1]++;
    for (uint32_t s = 0; s < l->slots; s++) {
        l->objects += l->own_from[s + 1] != 0;
        l->own_from[s + 1] += l->own_from[s];
        at[s] = l->own_from[s];
    }
    for (uint32_t k = 0, i = 0; k < l->keys; k++)
        for (; i < l->slot_end[k]; i++)
            l->own[at[l->slot[i]]++] = k;
    free(at);
}

static void kept_free(struct words_kept *k)
{
    if (k == NULL)
        return;
    for (unsigned i = 0; i < atomic_load(&k->n); i++)
        free(k->set[i].bit);
    pthread_mutex_destroy(&k->lock);
    free(k);
}

static void list_free(struct words_list *l)
{
    if (l == NULL)
        return;
    free(l->byte);
    free(l->key_end);
    free(l->slot);
    free(l->slot_end);
    free(l->own);
    free(l->own_from);
    free(l->alive);
    kept_free(l->kept);
    free(l);
}

static ec_t finish(struct maker *m, struct words_list **out)
{
    struct words_list *l = m->l;
    if (m->full) {
        list_free(l);
        log_line(LOGL_ERROR, "directory", "the words of all names are too many", NULL);
        return EC(ecOutOfResources);
    }
    l->byte = fit(l->byte, m->bytes, 1);
    l->key_end = fit(l->key_end, l->keys, sizeof *l->key_end);
    l->slot_end = fit(l->slot_end, l->keys, sizeof *l->slot_end);
    l->slot = fit(l->slot, m->slots, sizeof *l->slot);
    make_own(l, m->slots);
    l->alive = calloc(words_bits(l->slots), sizeof *l->alive);
    l->kept = calloc(1, sizeof *l->kept);
    must(l->alive != NULL && l->kept != NULL);
    pthread_mutex_init(&l->kept->lock, NULL);
    for (size_t i = 0; i < m->slots; i++)
        words_set(l->alive, l->slot[i]);
    *out = l;
    return ecNone;
}

/* --- from the table ---------------------------------------------------------------------------------------------------------------------------- */

static struct blob key_of(uint8_t *room_for_it, uint32_t org, struct blob word)
{
    for (unsigned i = 0; i < KEY_ORG; i++)
        room_for_it[i] = (uint8_t)(org >> (8 * (KEY_ORG - 1 - i)));
    if (word.n != 0)
        memcpy(room_for_it + KEY_ORG, word.p, word.n);
    return blob_of(room_for_it, KEY_ORG + word.n);
}

static struct blob column_key(struct arena *a, sqlite3_stmt *q)
{
    struct blob word = blob_of(sqlite3_column_blob(q, 1), (size_t)sqlite3_column_bytes(q, 1));
    return key_of(arena_alloc(a, KEY_ORG + word.n), (uint32_t)sqlite3_column_int64(q, 0), word);
}

/* A row that the book does not know is newer than the book, which will hear of it. */
static ec_t read_all(const struct book *b, struct directory *reader, struct maker *m)
{
    bool row;
    ec_t ec;
    sqlite3_stmt *q = q_begin(reader, "SELECT org, word, entry FROM entry_word ORDER BY org, word, entry");
    if (q == NULL)
        return EC(ecDiskError);
    while ((ec = q_row(q, &row)) == ecNone && row) {
        const struct book_entry *e = book_entry(b, sqlite3_column_int64(q, 2));
        uint8_t key[KEY_ORG + 1024];
        struct blob word = blob_of(sqlite3_column_blob(q, 1), (size_t)sqlite3_column_bytes(q, 1));
        if (e != NULL && word.n <= sizeof key - KEY_ORG)
            put(m, key_of(key, (uint32_t)sqlite3_column_int64(q, 0), word), e->slot);
    }
    q_end(reader, q);
    return ec;
}

struct pair { struct blob key; uint32_t slot; };

static int by_key(const void *x, const void *y)
{
    const struct pair *a = x, *b = y;
    int c = blob_cmp(a->key, b->key);
    return c != 0 ? c : (a->slot > b->slot) - (a->slot < b->slot);
}

struct pairs { struct pair *v; size_t n, cap; };

static ec_t read_one(struct directory *reader, struct arena *a, const struct book_entry *e, struct pairs *p)
{
    bool row;
    ec_t ec;
    sqlite3_stmt *q = q_begin(reader, "SELECT org, word FROM entry_word WHERE entry=?1");
    if (q == NULL)
        return EC(ecDiskError);
    sqlite3_bind_int64(q, 1, e->row);
    while ((ec = q_row(q, &row)) == ecNone && row) {
        p->v = arena_grow(a, p->v, &p->cap, p->n, sizeof *p->v);
        p->v[p->n++] = (struct pair){ column_key(a, q), e->slot };
    }
    q_end(reader, q);
    return ec;
}

static ec_t read_some(const struct book *b, struct directory *reader, struct arena *a, const int64_t *row, size_t n, struct maker *m)
{
    struct pairs p = { 0 };
    for (size_t i = 0; i < n; i++) {
        const struct book_entry *e = book_entry(b, row[i]);
        if (e != NULL)
            TRY(read_one(reader, a, e, &p));
    }
    if (p.n != 0)
        qsort(p.v, p.n, sizeof *p.v, by_key);
    for (size_t i = 0; i < p.n; i++)
        if (i == 0 || by_key(&p.v[i - 1], &p.v[i]) != 0) /* a row may be named twice */
            put(m, p.v[i].key, p.v[i].slot);
    return ecNone;
}

/* --- two lists become one ---------------------------------------------------------------------------------------------------------------------- */

static void put_alive(struct maker *m, const struct words_list *l, uint32_t key)
{
    for (uint32_t i = key != 0 ? l->slot_end[key - 1] : 0; i < l->slot_end[key]; i++)
        if (words_bit(l->alive, l->slot[i]))
            put(m, key_at(l, key), l->slot[i]);
}

static ec_t merge(const struct words_list *x, const struct words_list *y, struct words_list **out)
{
    uint32_t i = 0, k = 0;
    struct maker m = maker_of(x->slots > y->slots ? x->slots : y->slots);
    while (i < x->keys || k < y->keys) {
        int c = i == x->keys ? 1 : k == y->keys ? -1 : blob_cmp(key_at(x, i), key_at(y, k));
        if (c <= 0)
            put_alive(&m, x, i++);
        if (c >= 0)
            put_alive(&m, y, k++);
    }
    return finish(&m, out);
}

/* `more` goes into a list of the book, which may be none yet. */
static ec_t take_in(struct words_list **into, struct words_list *more)
{
    struct words_list *both = more;
    ec_t ec = *into != NULL ? merge(*into, more, &both) : ecNone;
    if (both != more || ec != ecNone)
        list_free(more);
    if (ec != ecNone)
        return ec;
    list_free(*into != both ? *into : NULL);
    *into = both;
    return ecNone;
}

/* --- the contract ------------------------------------------------------------------------------------------------------------------------------ */

ec_t book_words_make(const struct book *b, struct directory *reader, struct book_words **out)
{
    struct maker m = maker_of(b->slots);
    ec_t ec = read_all(b, reader, &m);
    m.full = m.full && ec == ecNone;
    struct words_list *l = NULL;
    ec_t end = finish(&m, &l);
    if (ec != ecNone || end != ecNone) {
        list_free(l);
        return ec != ecNone ? ec : end;
    }
    *out = calloc(1, sizeof **out);
    must(*out != NULL);
    (*out)->list[WORDS_OLD] = l;
    return ecNone;
}

void book_words_free(struct book_words *w)
{
    for (size_t i = 0; w != NULL && i < WORDS_LISTS; i++)
        list_free(w->list[i]);
    free(w);
}

void book_words_forget(struct book_words *w, uint32_t slot)
{
    for (size_t i = 0; i < WORDS_LISTS; i++)
        if (w->list[i] != NULL && slot < w->list[i]->slots)
            words_clear(w->list[i]->alive, slot);
}

ec_t book_words_learn(struct book_words *w, const struct book *b, struct directory *reader, const int64_t *row, size_t n)
{
    struct arena *a = arena_new((size_t)1 << 30);
    struct maker  m = maker_of(b->slots);
    struct words_list *l = NULL;
    ec_t ec = read_some(b, reader, a, row, n, &m), end = finish(&m, &l);
    arena_free(a);
    ec = ec != ecNone ? ec : end;
    if (ec != ecNone) {
        list_free(l);
        return ec;
    }
    TRY(take_in(&w->list[WORDS_NEW], l));
    uint32_t fresh = w->list[WORDS_NEW]->objects, old = w->list[WORDS_OLD]->objects;
    if (fresh <= NEW_MAX || fresh <= old / NEW_PART)
        return ecNone;
    l = w->list[WORDS_NEW];
    w->list[WORDS_NEW] = NULL;
    return take_in(&w->list[WORDS_OLD], l);
}

/* How key i and the text compare; with `whole` as they are, else a key that begins with the text is equal to it. */
static int compare(const struct words_list *l, uint32_t i, struct blob text, bool whole)
{
    struct blob key = key_at(l, i);
    return blob_cmp(whole || key.n <= text.n ? key : blob_of(key.p, text.n), text);
}

struct words_span book_words_find(const struct words_list *l, uint32_t org, struct blob text, bool whole)
{
    uint8_t  key[KEY_ORG + 1024];
    uint32_t low = 0, high = l->keys, behind = l->keys;
    if (text.n > sizeof key - KEY_ORG)
        return (struct words_span){ 0, 0 };
    text = key_of(key, org, text);
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        int c = compare(l, mid, text, whole);
        if (c < 0)
            low = mid + 1;
        else
            high = mid;
        if (c > 0)
            behind = mid;
    }
    struct words_span s = { low, low };
    while (s.to < behind) {
        uint32_t mid = s.to + (behind - s.to) / 2;
        if (compare(l, mid, text, whole) <= 0)
            s.to = mid + 1;
        else
            behind = mid;
    }
    return s;
}

uint32_t book_words_count(const struct words_list *l, struct words_span s)
{
    return s.from < s.to ? (uint32_t)(words_behind(l, s) - words_first(l, s)) : 0;
}

bool book_words_has(const struct words_list *l, uint32_t slot, struct words_span s)
{
    if (slot >= l->slots)
        return false;
    for (uint32_t i = l->own_from[slot]; i < l->own_from[slot + 1]; i++)
        if (l->own[i] >= s.from)
            return l->own[i] < s.to;
    return false;
}

const uint64_t *book_words_set(const struct words_list *l, struct words_span s)
{
    unsigned n = atomic_load_explicit(&l->kept->n, memory_order_acquire);
    for (unsigned i = 0; i < n; i++)
        if (l->kept->set[i].span.from == s.from && l->kept->set[i].span.to == s.to)
            return l->kept->set[i].bit;
    return NULL;
}

uint64_t *book_words_make_set(const struct words_list *l, struct words_span s, bool *own)
{
    uint64_t *bit = calloc(words_bits(l->slots), sizeof *bit);
    must(bit != NULL);
    for (const uint32_t *i = words_first(l, s), *end = words_behind(l, s); i < end; i++)
        words_set(bit, *i);
    pthread_mutex_lock(&l->kept->lock);
    unsigned n = atomic_load(&l->kept->n);
    *own = n == KEPT || book_words_set(l, s) != NULL; /* somebody was quicker */
    if (!*own) {
        l->kept->set[n].span = s;
        l->kept->set[n].bit = bit;
        atomic_store_explicit(&l->kept->n, n + 1, memory_order_release);
    }
    pthread_mutex_unlock(&l->kept->lock);
    return bit;
}
