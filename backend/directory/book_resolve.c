/* book_resolve.c - what a user typed becomes the object that he meant, by the index of words. */
#include "backend/directory/book_int.h"
#include "backend/directory/entry_int.h"
#include "backend/base/must.h"
#include <stdlib.h>
#include <strings.h>

/* Tokens of a name that count; who is asked first of many; sets that a look keeps; what it costs to look at the words of an object, in objects that are only
 * passed by. */
enum { TOKENS_MAX = 8, SOON = 64, SETS = 64, QUESTION = 8 };

/* A search: where, and what was found. */
struct search {
    struct book_look *l;
    struct arena     *a;
    int64_t           container;
    const struct book_view *view;    /* NULL: the global address list */
    const struct book_words *words;
    size_t            max;           /* stop when so many are there; of few none is found twice */
    int64_t          *row;
    size_t            n, cap;
    struct blob       token[TOKENS_MAX];
    size_t            tokens;
};

static bool few(const struct search *s) { return s->max <= 2; }
static bool enough(const struct search *s) { return s->n >= s->max; }

/* The object of a slot, if it is in the list. */
static const struct book_entry *listed(const struct search *s, uint32_t slot)
{
    const struct book_entry *e = slot < s->l->b->slots ? s->l->b->slot[slot] : NULL;
    if (e == NULL || e->hidden || e->org != s->l->org)
        return NULL;
    return s->view == NULL || view_has(s->view, slot) ? e : NULL;
}

static bool in_list(const struct search *s, int64_t row)
{
    const struct book_entry *e = book_entry(s->l->b, row);
    return e != NULL && listed(s, e->slot) != NULL;
}

static bool has(const struct search *s, int64_t row)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->row[i] == row)
            return true;
    return false;
}

static void found(struct search *s, int64_t row)
{
    s->row = arena_grow(s->a, s->row, &s->cap, s->n, sizeof *s->row);
    s->row[s->n++] = row;
}

/* --- by identity ---------------------------------------------------------------------------------------------------------------------------- */

static bool begins(struct blob text, const char *with)
{
    size_t n = strlen(with);
    return text.n >= n && strncasecmp((const char *)text.p, with, n) == 0;
}

/* In the global list an object that is hidden is found by its identity. */
static ec_t identity(struct search *s, ec_t ec, int64_t row)
{
    if (ec == ecNotFound)
        return ecNone;
    if (ec == ecNone && (s->container == 0 ? book_exists(s->l, row, NULL) : in_list(s, row)))
        found(s, row);
    return ec;
}

static ec_t by_dn(struct search *s, struct blob dn)
{
    int64_t row = 0;
    ec_t ec = entry_find_dn(s->l->reader, s->a, arena_str(s->a, dn), &row);
    return identity(s, ec, row);
}

/* Most addresses are the primary one of somebody who is shown, and a word of his; nobody else has it.  0: who knows. */
static int64_t owner_in_memory(const struct search *s, struct blob address)
{
    struct blob seen = entry_word_seen(s->a, address);
    for (size_t i = 0; i < WORDS_LISTS; i++) {
        const struct words_list *w = s->words->list[i];
        const struct words_span span = w != NULL ? book_words_find(w, s->l->org, seen, true) : (struct words_span){ 0, 0 };
        for (uint32_t k = 0, n = w != NULL ? book_words_count(w, span) : 0; k < n && k < SOON; k++) {
            uint32_t slot = words_first(w, span)[k];
            const struct book_entry *e = words_bit(w->alive, slot) ? s->l->b->slot[slot] : NULL;
            if (e != NULL && e->org == s->l->org && e->smtp == address.n && strncasecmp((const char *)book_entry_smtp(e).p, (const char *)address.p, address.n) == 0)
                return e->row;
        }
    }
    return 0;
}

static ec_t by_address(struct search *s, struct blob address)
{
    int64_t row = address.n != 0 ? owner_in_memory(s, address) : 0;
    if (row != 0)
        return identity(s, ecNone, row);
    ec_t ec = entry_find_address(s->l->reader, arena_str(s->a, address), &row);
    return identity(s, ec, row);
}

static struct blob from(struct blob text, size_t at) { return blob_of(text.p + at, text.n - at); }

/* *done: the text can mean nothing else. */
static ec_t by_identity(struct search *s, struct blob text, bool *done)
{
    *done = true;
    if (begins(text, "EX:"))
        return by_dn(s, from(text, 3));
    if (text.p[0] == '/')
        return by_dn(s, text);
    if (begins(text, "SMTP:"))
        return by_address(s, from(text, 5));
    if (begins(text, "X500:") || begins(text, "SIP:") || begins(text, "X400:"))
        return by_address(s, text);
    if (memchr(text.p, '@', text.n) != NULL)
        TRY(by_address(s, text));
    *done = s->n != 0;
    return ecNone;
}

/* --- sets: who has a word of a span, a bit per slot ------------------------------------------------------------------------------------------- */

struct book_sets {
    struct { const struct words_list *list; struct words_span span; uint64_t *bit; uint64_t used; } set[SETS];
    uint64_t clock;         /* the one that was used least recently makes room, so that those of one search stay until it ends */
};
_Static_assert(TOKENS_MAX < SETS, "a search has all its sets at once");

void book_sets_free(struct book_look *l)
{
    for (size_t i = 0; l->sets != NULL && i < SETS; i++)
        free(l->sets->set[i].bit);
    free(l->sets);
    l->sets = NULL;
}

static const uint64_t *known_set(const struct book_look *l, const struct words_list *w, struct words_span span)
{
    const uint64_t *kept = book_words_set(w, span);
    for (size_t i = 0; kept == NULL && l->sets != NULL && i < SETS; i++)
        if (l->sets->set[i].list == w && l->sets->set[i].span.from == span.from && l->sets->set[i].span.to == span.to) {
            l->sets->set[i].used = ++l->sets->clock;
            return l->sets->set[i].bit;
        }
    return kept;
}

static size_t least_used(const struct book_sets *sets)
{
    size_t at = 0;
    for (size_t i = 1; i < SETS; i++)
        if (sets->set[i].used < sets->set[at].used)
            at = i;
    return at;
}

static const uint64_t *make_set(struct book_look *l, const struct words_list *w, struct words_span span)
{
    bool own = false;
    uint64_t *bit = book_words_make_set(w, span, &own);
    if (!own)
        return bit;
    if (l->sets == NULL)
        l->sets = calloc(1, sizeof *l->sets);
    must(l->sets != NULL);
    size_t at = least_used(l->sets);
    free(l->sets->set[at].bit);
    l->sets->set[at].list = w;
    l->sets->set[at].span = span;
    l->sets->set[at].bit = bit;
    l->sets->set[at].used = ++l->sets->clock;
    return bit;
}

static const uint64_t *set_of(struct book_look *l, const struct words_list *w, struct words_span span)
{
    const uint64_t *bit = known_set(l, w, span);
    return bit != NULL ? bit : make_set(l, w, span);
}

/* --- by words ------------------------------------------------------------------------------------------------------------------------------- */

/* What is looked for in one list: objects that have a word of each span. */
struct wanted { const struct words_list *w; struct words_span span[TOKENS_MAX]; uint32_t count[TOKENS_MAX]; size_t n, least; };

/* No client keeps a worker busy with names that mean everybody. */
static ec_t spend(struct search *s, uint64_t seen)
{
    s->l->spent += seen;
    return s->l->spent > BOOK_SPENT_MAX ? EC(ecOutOfResources) : ecNone;
}

/* Does the object have a word of each span but one? */
static bool has_others(const struct wanted *x, uint32_t slot, size_t but)
{
    for (size_t i = 0; i < x->n; i++)
        if (i != but && !book_words_has(x->w, slot, x->span[i]))
            return false;
    return true;
}

/* An object that has all words. */
static void take(struct search *s, const struct words_list *w, uint32_t slot)
{
    const struct book_entry *e = words_bit(w->alive, slot) ? listed(s, slot) : NULL;
    if (e != NULL && !(few(s) && has(s, e->row)))
        found(s, e->row);
}

/* Those with the rarest word, so many of them as `most`. */
static ec_t by_rarest(struct search *s, const struct wanted *x, uint32_t most)
{
    const uint32_t *first = words_first(x->w, x->span[x->least]), *i = first;
    for (; i < first + most && !enough(s); i++)
        if (has_others(x, *i, x->least))
            take(s, x->w, *i);
    return spend(s, (uint64_t)(i - first) * (x->n > 1 ? QUESTION : 1));
}

/* The other way round: those of a small address list. */
static ec_t by_list(struct search *s, const struct wanted *x)
{
    size_t i = 0;
    for (; i < s->view->n && !enough(s); i++)
        if (s->view->item[i].e->slot < x->w->slots && has_others(x, s->view->item[i].e->slot, SIZE_MAX))
            take(s, x->w, s->view->item[i].e->slot);
    return spend(s, i * x->n * QUESTION);
}

static uint64_t cost_of_sets(const struct search *s, const struct wanted *x)
{
    uint64_t cost = words_bits(x->w->slots) / 2;
    for (size_t i = 0; i < x->n; i++)
        cost += known_set(s->l, x->w, x->span[i]) != NULL ? 0 : x->count[i];
    return cost;
}

/* Those of a block of slots that are alive and in all sets; false: none. */
static bool all_of(uint64_t *both, const uint64_t *alive, const uint64_t *const *set, size_t sets, size_t block)
{
    uint64_t any = 0;
    memcpy(both, alive + block, WORDS_BLOCK * sizeof *both);
    for (size_t k = 0; k < sets; k++)
        for (size_t i = 0; i < WORDS_BLOCK; i++)
            both[i] &= set[k][block + i];
    for (size_t i = 0; i < WORDS_BLOCK; i++)
        any |= both[i];
    return any != 0;
}

static ec_t by_sets(struct search *s, const struct wanted *x)
{
    TRY(spend(s, cost_of_sets(s, x)));
    const uint64_t *set[TOKENS_MAX];
    uint64_t both[WORDS_BLOCK];
    for (size_t k = 0; k < x->n; k++)
        set[k] = set_of(s->l, x->w, x->span[k]);
    for (size_t block = 0; block < words_bits(x->w->slots) && !enough(s); block += WORDS_BLOCK) {
        if (!all_of(both, x->w->alive, set, x->n, block))
            continue;
        for (size_t i = 0; i < WORDS_BLOCK; i++)
            for (uint64_t left = both[i]; left != 0 && !enough(s); left &= left - 1)
                take(s, x->w, (uint32_t)((block + i) * 64) + (uint32_t)__builtin_ctzll(left));
    }
    return ecNone;
}

/* The cheapest way; of many the first ones often are enough. */
static ec_t search_list(struct search *s, const struct wanted *x)
{
    uint32_t least = x->count[x->least];
    if (least <= SOON || few(s))
        TRY(by_rarest(s, x, least < SOON ? least : SOON));
    if (least <= SOON || enough(s))
        return ecNone;
    uint64_t rarest = (uint64_t)least * (x->n > 1 ? QUESTION : 2), sets = cost_of_sets(s, x), list = s->view != NULL ? s->view->n * x->n * QUESTION : UINT64_MAX;
    if (list < rarest && list < sets)
        return by_list(s, x);
    return rarest < sets ? by_rarest(s, x, least) : by_sets(s, x);
}

/* Objects that have a word that is (whole), or begins with, each of the texts. */
static ec_t scan(struct search *s, const struct blob *text, size_t n, bool whole)
{
    TRY(spend(s, n * SOON));
    for (size_t i = 0; i < WORDS_LISTS && !enough(s); i++) {
        struct wanted x = { .w = s->words->list[i], .n = n };
        for (size_t k = 0; x.w != NULL && k < n; k++) {
            x.span[k] = book_words_find(x.w, s->l->org, text[k], whole);
            x.count[k] = book_words_count(x.w, x.span[k]);
            x.least = x.count[k] < x.count[x.least] ? k : x.least;
        }
        if (x.w != NULL && x.count[x.least] != 0)
            TRY(search_list(s, &x));
    }
    return ecNone;
}

static void split(struct search *s, struct blob text)
{
    for (size_t i = 0; i < text.n && s->tokens < TOKENS_MAX; i++) {
        size_t at = i;
        while (i < text.n && strchr(" ,;", text.p[i]) == NULL)
            i++;
        if (i != at)
            s->token[s->tokens++] = blob_of(text.p + at, i - at);
    }
}

static int by_row(const void *x, const void *y)
{
    int64_t a = *(const int64_t *)x, b = *(const int64_t *)y;
    return (a > b) - (a < b);
}

static void unique(struct search *s)
{
    size_t n = 0;
    bool   sorted = true;
    for (size_t i = 1; i < s->n && sorted; i++)
        sorted = s->row[i - 1] < s->row[i];
    if (sorted)
        return;
    qsort(s->row, s->n, sizeof *s->row, by_row);
    for (size_t i = 0; i < s->n; i++)
        if (n == 0 || s->row[n - 1] != s->row[i])
            s->row[n++] = s->row[i];
    s->n = n;
}

/* --- the contract --------------------------------------------------------------------------------------------------------------------------- */

static ec_t search_begin(struct search *s, struct book_look *l, struct arena *a, int64_t container, size_t max)
{
    *s = (struct search){ .l = l, .a = a, .container = container, .max = max };
    if (book_list(l->b, container) == NULL)
        return EC(ecInvalidBookmark);
    TRY(book_words_of(l, &s->words));
    return container != 0 ? book_view(l, container, BOOK_BY_NAME, LCID_DEFAULT, &s->view) : ecNone;
}

static ec_t resolve(struct search *s, struct blob text)
{
    bool exact = text.p[0] == '=', done = false;
    if (!exact)
        TRY(by_identity(s, text, &done));
    if (done)
        return ecNone;
    struct blob seen = entry_word_seen(s->a, exact ? blob_of(text.p + 1, text.n - 1) : text);
    if (seen.n == 0)
        return ecNone;
    TRY(scan(s, &seen, 1, true));
    if (exact || s->n == 1)
        return ecNone;
    s->n = 0;
    TRY(scan(s, &seen, 1, false));
    if (s->n != 0)
        return ecNone;
    split(s, seen);
    return s->tokens > 1 ? scan(s, s->token, s->tokens, false) : ecNone;
}

static struct blob trimmed(struct blob s)
{
    while (s.n != 0 && (s.p[0] == ' ' || s.p[0] == '\t'))
        s = blob_of(s.p + 1, s.n - 1);
    while (s.n != 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t' || s.p[s.n - 1] == '\0'))
        s.n--;
    return s;
}

ec_t book_resolve(struct book_look *l, struct arena *a, int64_t container, struct blob text, int64_t row[2], size_t *n)
{
    struct search s;
    TRY(search_begin(&s, l, a, container, 2));
    *n = 0;
    text = trimmed(text);
    if (text.n == 0)
        return ecNone;
    TRY(resolve(&s, text));
    for (*n = 0; *n < s.n && *n < 2; ++*n)
        row[*n] = s.row[*n];
    return ecNone;
}

ec_t book_matches(struct book_look *l, struct arena *a, int64_t container, struct blob text, size_t max, int64_t **row, size_t *n)
{
    struct search s;
    bool done = false;
    TRY(search_begin(&s, l, a, container, SIZE_MAX));
    text = trimmed(text);
    if (text.n != 0 && text.p[0] != '=')
        TRY(by_identity(&s, text, &done));
    bool exact = text.n != 0 && text.p[0] == '=';
    struct blob seen = entry_word_seen(a, exact ? blob_of(text.p + 1, text.n - 1) : text);
    if (!done && seen.n != 0) {
        TRY(scan(&s, &seen, 1, exact));
        split(&s, seen);
        if (!exact && s.tokens > 1)
            TRY(scan(&s, s.token, s.tokens, false));
    }
    unique(&s);
    *row = s.row;
    *n = s.n;
    return s.n <= max ? ecNone : EC(ecTableTooBig);
}
