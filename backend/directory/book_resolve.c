/* book_resolve.c - what a user typed becomes the object that he meant, by the index of words. */
#include "backend/directory/book_int.h"
#include "backend/directory/entry_int.h"
#include <stdlib.h>
#include <strings.h>

/* Words looked at for one name, and for all names of a request (about a second); tokens of a name that count; objects that are asked one by one; what
 * a question costs, in words; how far words are counted; who is asked first of many. */
enum { SCAN_MAX = 20000, SPENT_MAX = 4000000, TOKENS_MAX = 8, FEW = 512, QUESTION = 32, COUNTED = 128, SOON = 128 };

/* A search: where, and what was found. */
struct search {
    struct book_look *l;
    struct arena     *a;
    int64_t           container;
    const struct book_view *view;    /* NULL: the global address list */
    size_t            max;           /* stop when so many are there */
    int               words;         /* so many are looked at, < 0: all */
    int64_t          *row;
    size_t            n, cap;
    struct blob       token[TOKENS_MAX];
    size_t            tokens;
};

static bool in_list(const struct search *s, int64_t row)
{
    size_t at;
    const struct book_entry *e = book_entry(s->l->b, row);
    if (e == NULL || e->hidden || e->org != s->l->org)
        return false;
    return s->view == NULL || book_find(s->l, s->view, row, &at);
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
static ec_t identity(struct search *s, ec_t ec, const struct entry *e)
{
    if (ec == ecNotFound)
        return ecNone;
    if (ec == ecNone && (s->container == 0 ? book_exists(s->l, e->row, NULL) : in_list(s, e->row)))
        found(s, e->row);
    return ec;
}

/* *done: the text can mean nothing else. */
static ec_t by_identity(struct search *s, struct blob text, bool *done)
{
    struct directory *d = s->l->reader;
    struct entry e;
    *done = true;
    if (begins(text, "EX:"))
        return identity(s, entry_by_dn(d, s->a, arena_str(s->a, blob_of(text.p + 3, text.n - 3)), &e), &e);
    if (text.p[0] == '/')
        return identity(s, entry_by_dn(d, s->a, arena_str(s->a, text), &e), &e);
    if (begins(text, "SMTP:"))
        return identity(s, entry_by_address(d, s->a, arena_str(s->a, blob_of(text.p + 5, text.n - 5)), &e), &e);
    if (begins(text, "X500:") || begins(text, "SIP:") || begins(text, "X400:"))
        return identity(s, entry_by_address(d, s->a, arena_str(s->a, text), &e), &e);
    if (memchr(text.p, '@', text.n) != NULL)
        TRY(identity(s, entry_by_address(d, s->a, arena_str(s->a, text), &e), &e));
    *done = s->n != 0;
    return ecNone;
}

/* --- by words ------------------------------------------------------------------------------------------------------------------------------- */

/* No text has the byte 0 or 0xFF: behind `word` itself, or behind all that begin with it. */
static struct blob behind(struct arena *a, struct blob word, uint8_t byte)
{
    struct wr w = wr_in(a, SIZE_MAX / 4);
    wr_put(&w, word);
    wr_u8(&w, byte);
    return wr_blob(&w);
}

/* Rows of words that are, or begin with, `word`, in the order of the words. */
static sqlite3_stmt *words(struct search *s, struct blob word, bool whole)
{
    struct blob end = behind(s->a, word, whole ? 0 : 0xFF);
    sqlite3_stmt *q = q_begin(s->l->reader, "SELECT entry FROM entry_word WHERE org=?1 AND word>=?2 AND word<?3 LIMIT ?4");
    if (q == NULL)
        return NULL;
    sqlite3_bind_int64(q, 1, s->l->org);
    sqlite3_bind_blob(q, 2, word.p, (int)word.n, SQLITE_STATIC);
    sqlite3_bind_blob(q, 3, end.p, (int)end.n, SQLITE_STATIC);
    sqlite3_bind_int(q, 4, s->words);
    return q;
}

/* No client keeps a worker busy with names that mean everybody. */
static ec_t spend(struct search *s, size_t words_seen)
{
    s->l->spent += words_seen;
    return s->l->spent > SPENT_MAX ? EC(ecOutOfResources) : ecNone;
}

/* Candidates first, so that the statement is not open while other questions are asked.  With few to find they are told apart at once. */
static ec_t scan(struct search *s, struct blob word, bool whole)
{
    bool   row, few = s->max <= 2;
    size_t seen = 1;
    ec_t   ec;
    sqlite3_stmt *q = words(s, word, whole);
    if (q == NULL)
        return EC(ecDiskError);
    while ((ec = q_row(q, &row)) == ecNone && row && (!few || s->n < s->max)) {
        int64_t r = sqlite3_column_int64(q, 0);
        seen++;
        if (in_list(s, r) && !(few && has(s, r)))
            found(s, r);
    }
    q_end(s->l->reader, q);
    return ec != ecNone ? ec : spend(s, seen);
}

static void split(struct search *s, struct blob text)
{
    for (size_t i = 0; i < text.n && s->tokens < TOKENS_MAX; i++) {
        size_t from = i;
        while (i < text.n && strchr(" ,;", text.p[i]) == NULL)
            i++;
        if (i != from)
            s->token[s->tokens++] = blob_of(text.p + from, i - from);
    }
}

/* --- several words --------------------------------------------------------------------------------------------------------------------------- */

static int by_row(const void *x, const void *y)
{
    int64_t a = *(const int64_t *)x, b = *(const int64_t *)y;
    return (a > b) - (a < b);
}

static void unique(struct search *s)
{
    size_t n = 0;
    if (s->n != 0)
        qsort(s->row, s->n, sizeof *s->row, by_row);
    for (size_t i = 0; i < s->n; i++)
        if (n == 0 || s->row[n - 1] != s->row[i])
            s->row[n++] = s->row[i];
    s->n = n;
}

/* How many words begin so, as far as it matters. */
static ec_t how_many(struct search *s, struct blob word, int64_t *n)
{
    bool row = false;
    struct blob end = behind(s->a, word, 0xFF);
    sqlite3_stmt *q = q_begin(s->l->reader, "SELECT count(*) FROM (SELECT 1 FROM entry_word WHERE org=?1 AND word>=?2 AND word<?3 LIMIT ?4)");
    if (q == NULL)
        return EC(ecDiskError);
    sqlite3_bind_int64(q, 1, s->l->org);
    sqlite3_bind_blob(q, 2, word.p, (int)word.n, SQLITE_STATIC);
    sqlite3_bind_blob(q, 3, end.p, (int)end.n, SQLITE_STATIC);
    sqlite3_bind_int(q, 4, COUNTED);
    ec_t ec = q_row(q, &row);
    *n = row ? sqlite3_column_int64(q, 0) : 0;
    q_end(s->l->reader, q);
    return ec != ecNone ? ec : spend(s, (size_t)*n + QUESTION);
}

/* The token that fewest words begin with; of common ones the longest. */
static ec_t rarest(struct search *s, size_t *which)
{
    int64_t least = INT64_MAX;
    for (size_t i = 0; i < s->tokens; i++) {
        int64_t n = 0;
        TRY(how_many(s, s->token[i], &n));
        if (n > least || (n == least && s->token[i].n <= s->token[*which].n))
            continue;
        least = n;
        *which = i;
    }
    return ecNone;
}

/* Does each other token begin a word of the row? */
static ec_t other_tokens(struct search *s, int64_t row, size_t driving, bool *yes)
{
    *yes = true;
    for (size_t i = 0; i < s->tokens && *yes; i++) {
        if (i == driving)
            continue;
        sqlite3_stmt *q = q_begin(s->l->reader, "SELECT 1 FROM entry_word WHERE entry=?1 AND +word>=?2 AND +word<?3");
        if (q == NULL)
            return EC(ecDiskError);
        struct blob end = behind(s->a, s->token[i], 0xFF);
        sqlite3_bind_int64(q, 1, row);
        sqlite3_bind_blob(q, 2, s->token[i].p, (int)s->token[i].n, SQLITE_STATIC);
        sqlite3_bind_blob(q, 3, end.p, (int)end.n, SQLITE_STATIC);
        ec_t ec = q_row(q, yes);
        q_end(s->l->reader, q);
        TRY(ec != ecNone ? ec : spend(s, QUESTION));
    }
    return ecNone;
}

/* Those of many candidates who have a word for the token too. */
static ec_t keep_common(struct search *s, struct blob token)
{
    struct search other = *s;
    size_t n = 0, at = 0;
    other.row = NULL;
    other.n = other.cap = 0;
    other.words = -1;
    TRY(scan(&other, token, false));
    unique(&other);
    for (size_t i = 0; i < s->n; i++) {
        while (at < other.n && other.row[at] < s->row[i])
            at++;
        if (at < other.n && other.row[at] == s->row[i])
            s->row[n++] = s->row[i];
    }
    s->n = n;
    return ecNone;
}

/* Of many candidates often the first ones fit, and two are enough to know that a name means several. */
static ec_t soon_enough(struct search *s, size_t driving, size_t enough, bool *done)
{
    int64_t hit[2];
    size_t  n = 0;
    for (size_t i = 0; enough <= 2 && i < SOON && i < s->n && n < enough; i++) {
        bool yes = false;
        TRY(other_tokens(s, s->row[i], driving, &yes));
        if (yes)
            hit[n++] = s->row[i];
    }
    *done = n != 0 && n == enough;
    if (*done) {
        memcpy(s->row, hit, n * sizeof *hit);
        s->n = n;
    }
    return ecNone;
}

static ec_t keep_fitting(struct search *s, size_t driving, size_t enough)
{
    size_t n = 0;
    bool   done = false;
    if (s->n > FEW)
        TRY(soon_enough(s, driving, enough, &done));
    if (done)
        return ecNone;
    for (size_t i = 0; s->n > FEW && i < s->tokens; i++)
        if (i != driving)
            TRY(keep_common(s, s->token[i]));
    for (size_t i = 0; s->n <= FEW && i < s->n && n < enough; i++) {
        bool yes = false;
        TRY(other_tokens(s, s->row[i], driving, &yes));
        if (yes)
            s->row[n++] = s->row[i];
    }
    s->n = s->n <= FEW ? n : s->n;
    return ecNone;
}

/* Of several words the rarest chooses candidates, the others must fit. */
static ec_t scan_tokens(struct search *s)
{
    size_t driving = 0;
    struct search candidates = *s;
    candidates.row = NULL;
    candidates.n = candidates.cap = 0;
    candidates.max = SIZE_MAX;
    TRY(rarest(s, &driving));
    TRY(scan(&candidates, s->token[driving], false));
    unique(&candidates);
    TRY(keep_fitting(&candidates, driving, s->max));
    for (size_t i = 0; i < candidates.n && s->n < s->max; i++)
        found(s, candidates.row[i]);
    return ecNone;
}

/* --- the contract --------------------------------------------------------------------------------------------------------------------------- */

static ec_t search_begin(struct search *s, struct book_look *l, struct arena *a, int64_t container, size_t max)
{
    *s = (struct search){ .l = l, .a = a, .container = container, .max = max, .words = max == SIZE_MAX ? -1 : SCAN_MAX };
    if (book_list(l->b, container) == NULL)
        return EC(ecInvalidBookmark);
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
    TRY(scan(s, seen, true));
    if (exact || s->n == 1)
        return ecNone;
    s->n = 0;
    TRY(scan(s, seen, false));
    if (s->n != 0)
        return ecNone;
    split(s, seen);
    return s->tokens > 1 ? scan_tokens(s) : ecNone;
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
        TRY(scan(&s, seen, exact));
        split(&s, seen);
        if (!exact && s.tokens > 1)
            TRY(scan_tokens(&s));
    }
    unique(&s);
    *row = s.row;
    *n = s.n;
    return s.n <= max ? ecNone : EC(ecTableTooBig);
}
