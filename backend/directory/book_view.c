/* book_view.c - address lists as sorted tables in memory. */
#include "backend/directory/book_int.h"
#include "backend/base/must.h"
#include "backend/directory/entry_int.h"
#include <stdlib.h>

/* Views that are kept: so many, and together so many items for each object, and some. */
enum { VIEWS_MAX = 64, ITEMS_EACH = 16, ITEMS_SPARE = 1 << 16 };

/* --- order ---------------------------------------------------------------------------------------------------------------------------------- */

static struct blob text_of(enum book_sort sort, const struct book_entry *e)
{
    return sort == BOOK_BY_PHONETIC ? book_entry_phonetic(e) : book_entry_name(e);
}

static int by_key(const void *x, const void *y)
{
    const struct book_item *a = x, *b = y;
    int c = blob_cmp(blob_of(a->key, a->n), blob_of(b->key, b->n));
    return c != 0 ? c : (a->e->row > b->e->row) - (a->e->row < b->e->row);
}

/* First place whose key is not below `key`, or, with a row, not below (key, row). */
static size_t place(const struct book_view *v, struct blob key, int64_t row)
{
    size_t low = 0, high = v->n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        const struct book_item *i = &v->item[mid];
        int c = blob_cmp(blob_of(i->key, i->n), key);
        if (c < 0 || (c == 0 && i->e->row < row))
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

/* --- who belongs ---------------------------------------------------------------------------------------------------------------------------- */

static ec_t props_match(struct book *b, const struct book_entry *e, const struct filter *f, bool *yes)
{
    struct arena *a = arena_new(1 << 22);
    struct entry  full;
    ec_t ec = entry_brief(b->reader, a, e->row, &full);
    *yes = ec == ecNone && filter_match(f, &full);
    arena_free(a);
    return ec == ecNotFound ? ecNone : ec;
}

static ec_t belongs(struct book *b, const struct book_view *v, const struct book_entry *e, bool *yes)
{
    *yes = false;
    if (e->hidden || e->org != v->org)
        return ecNone;
    const struct book_list *l = book_list(b, v->container);
    struct entry brief = { .kind = (enum entry_kind)e->kind, .smtp = "", .display_name = "" };
    if (l != NULL && l->needs_props)
        return props_match(b, e, l->filter, yes);
    *yes = l != NULL && filter_match(l->filter, &brief);
    return ecNone;
}

/* --- items ---------------------------------------------------------------------------------------------------------------------------------- */

static struct book_item make_item(const struct book_view *v, const struct book_entry *e)
{
    uint8_t key[COLLATE_KEY];
    size_t  n = book_collate(v->collator, text_of(v->sort, e), key);
    struct book_item i = { e, malloc(n + 1), (uint32_t)n };
    must(i.key != NULL);
    memcpy(i.key, key, n);
    return i;
}

static void grow(struct book_view *v)
{
    if (v->n < v->cap)
        return;
    v->cap = v->cap != 0 ? 2 * v->cap : 256;
    v->item = realloc(v->item, v->cap * sizeof *v->item);
    must(v->item != NULL);
}

static void mark(struct book_view *v, uint32_t slot)
{
    size_t need = slot / 64 + 1;
    if (need > v->members) {
        need += need / 4;
        v->member = realloc(v->member, need * sizeof *v->member);
        must(v->member != NULL);
        memset(v->member + v->members, 0, (need - v->members) * sizeof *v->member);
        v->members = need;
    }
    words_set(v->member, slot);
}

static bool find_entry(const struct book_view *v, const struct book_entry *e, size_t *at)
{
    uint8_t key[COLLATE_KEY];
    size_t  n = book_collate(v->collator, text_of(v->sort, e), key);
    *at = place(v, blob_of(key, n), e->row);
    return *at < v->n && v->item[*at].e->row == e->row;
}

void views_leave(struct book *b, const struct book_entry *e)
{
    for (struct book_view *v = b->view; v != NULL; v = v->next) {
        size_t at;
        if (e->org != v->org || !find_entry(v, e, &at))
            continue;
        free(v->item[at].key);
        words_clear(v->member, e->slot);
        memmove(v->item + at, v->item + at + 1, (v->n - at - 1) * sizeof *v->item);
        v->n--;
    }
}

/* --- the chain of views --------------------------------------------------------------------------------------------------------------------- */

static void free_view(struct book_view *v)
{
    for (size_t i = 0; i < v->n; i++)
        free(v->item[i].key);
    free(v->item);
    free(v->member);
    free(v);
}

static void enter(struct book_view *v, const struct book_entry *e)
{
    struct book_item i = make_item(v, e);
    size_t at = place(v, blob_of(i.key, i.n), e->row);
    grow(v);
    memmove(v->item + at + 1, v->item + at, (v->n - at) * sizeof *v->item);
    v->item[at] = i;
    v->n++;
    mark(v, e->slot);
}

/* A table of which it cannot be told whether the object belongs into it is made anew when it is needed. */
void views_enter(struct book *b, const struct book_entry *e)
{
    for (struct book_view **at = &b->view; *at != NULL; ) {
        struct book_view *v = *at;
        bool yes;
        if (belongs(b, v, e, &yes) != ecNone) {
            *at = v->next;
            b->views--;
            free_view(v);
            continue;
        }
        if (yes)
            enter(v, e);
        at = &v->next;
    }
}

void views_free(struct book *b, bool lists_only)
{
    for (struct book_view **at = &b->view; *at != NULL; ) {
        struct book_view *v = *at;
        if (lists_only && v->container == 0) {
            at = &v->next;
            continue;
        }
        *at = v->next;
        b->views--;
        free_view(v);
    }
}

/* Clients choose lists, orders and locales, which are many. */
static bool crowded(const struct book *b)
{
    size_t items = 0;
    for (const struct book_view *v = b->view; v != NULL; v = v->next)
        items += v->n;
    return b->views > VIEWS_MAX || (b->views > 1 && items > ITEMS_EACH * b->n + ITEMS_SPARE);
}

void views_trim(struct book *b)
{
    while (crowded(b)) {
        struct book_view **oldest = &b->view;
        for (struct book_view **at = &b->view; *at != NULL; at = &(*at)->next)
            if ((*at)->used < (*oldest)->used)
                oldest = at;
        struct book_view *v = *oldest;
        *oldest = v->next;
        b->views--;
        free_view(v);
    }
    atomic_store(&b->crowded, false);
}

static ec_t fill(struct book *b, struct book_view *v)
{
    for (size_t i = 0; i < b->n; i++) {
        bool yes;
        TRY(belongs(b, v, b->entry[i], &yes));
        if (!yes)
            continue;
        grow(v);
        v->item[v->n++] = make_item(v, b->entry[i]);
        mark(v, b->entry[i]->slot);
    }
    if (v->n != 0)
        qsort(v->item, v->n, sizeof *v->item, by_key);
    return ecNone;
}

static ec_t make_view(struct book *b, const struct book_view *key, struct book_view **out)
{
    struct book_view *v = calloc(1, sizeof *v);
    must(v != NULL);
    *v = *key;
    ec_t ec = fill(b, v);
    if (ec != ecNone) {
        free_view(v);
        return ec;
    }
    *out = v;
    return ecNone;
}

static struct book_view *find_view(struct book *b, const struct book_view *key)
{
    pthread_mutex_lock(&b->views_lock);
    struct book_view *v = b->view;
    while (v != NULL && (v->org != key->org || v->container != key->container || v->sort != key->sort || v->collator != key->collator))
        v = v->next;
    if (v != NULL)
        v->used = ++b->clock;
    pthread_mutex_unlock(&b->views_lock);
    return v;
}

static void add_view(struct book *b, struct book_view *v)
{
    pthread_mutex_lock(&b->views_lock);
    v->next = b->view;
    v->used = ++b->clock;
    b->view = v;
    b->views++;
    if (crowded(b))
        atomic_store(&b->crowded, true);
    pthread_mutex_unlock(&b->views_lock);
}

/* One is made at a time: many who want the same one after a change wait for it. */
static ec_t made_view(struct book *b, const struct book_view *key, struct book_view **out)
{
    ec_t ec = ecNone;
    pthread_mutex_lock(&b->making_lock);
    *out = find_view(b, key);
    if (*out == NULL && (ec = make_view(b, key, out)) == ecNone)
        add_view(b, *out);
    pthread_mutex_unlock(&b->making_lock);
    return ec;
}

/* --- the contract --------------------------------------------------------------------------------------------------------------------------- */

ec_t book_view(struct book_look *l, int64_t container, enum book_sort sort, uint32_t lcid, const struct book_view **out)
{
    struct book     *b = l->b;
    struct book_view key = { .org = l->org, .container = container, .sort = sort, .collator = book_collator(lcid) };
    if (book_list(b, container) == NULL)
        return EC(ecInvalidBookmark);
    struct book_view *v = find_view(b, &key);
    ec_t ec = v == NULL ? made_view(b, &key, &v) : ecNone;
    *out = v;
    return ec;
}

size_t book_count(const struct book_view *v) { return v->n; }

int64_t book_row(const struct book_view *v, size_t at)
{
    must(at < v->n);
    return v->item[at].e->row;
}

bool book_find(const struct book_look *l, const struct book_view *v, int64_t row, size_t *at)
{
    const struct book_entry *e = book_entry(l->b, row);
    return e != NULL && find_entry(v, e, at);
}

size_t book_seek(const struct book_view *v, struct blob text)
{
    uint8_t key[COLLATE_KEY];
    size_t  n = book_collate(v->collator, text, key);
    return place(v, blob_of(key, n), INT64_MIN);
}

void book_order(struct book_look *l, struct arena *a, enum book_sort sort, uint32_t lcid, int64_t *row, size_t *n)
{
    const struct book_view v = { .sort = sort, .collator = book_collator(lcid) };
    struct book_item *item = arena_array(a, struct book_item, *n);
    size_t found = 0;
    for (size_t i = 0; i < *n; i++) {
        const struct book_entry *e = book_entry(l->b, row[i]);
        uint8_t key[COLLATE_KEY];
        if (e == NULL || e->org != l->org)
            continue;
        size_t size = book_collate(v.collator, text_of(sort, e), key);
        item[found++] = (struct book_item){ e, arena_dup(a, key, size), (uint32_t)size };
    }
    if (found != 0)
        qsort(item, found, sizeof *item, by_key);
    for (size_t i = 0; i < found; i++)
        row[i] = item[i].e->row;
    *n = found;
}

int book_compare(const struct book_look *l, enum book_sort sort, uint32_t lcid, int64_t row, struct blob text)
{
    const struct book_entry *e = book_entry(l->b, row);
    const struct book_collator *c = book_collator(lcid);
    bool    seen = e != NULL && e->org == l->org;
    uint8_t x[COLLATE_KEY], y[COLLATE_KEY];
    size_t  n = book_collate(c, seen ? text_of(sort, e) : blob_of(NULL, 0), x), m = book_collate(c, text, y);
    return blob_cmp(blob_of(x, n), blob_of(y, m));
}
