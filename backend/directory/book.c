/* book.c - the book in memory is brought up to date with the database: at first all of it, then what changed. */
#include "backend/directory/book_int.h"
#include "backend/base/log.h"
#include "backend/base/must.h"
#include <stdlib.h>
#include <strings.h>

/* Changes at once above which the tables are made anew; slots beyond those in use; rows of `organization`. */
enum { MANY = 4096, SLOTS_SPARE = 65536, ORG_FIRST = 1, ORG_NONE = 0 };

/* --- entries -------------------------------------------------------------------------------------------------------------------------------- */

size_t book_at(const struct book *b, int64_t row)
{
    size_t low = 0, high = b->n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (b->entry[mid]->row < row)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

const struct book_entry *book_entry(const struct book *b, int64_t row)
{
    size_t at = book_at(b, row);
    return at < b->n && b->entry[at]->row == row ? b->entry[at] : NULL;
}

/* The DNs of an organization differ behind the last "/cn=" only: 80 bytes each that are kept once. */
static uint8_t begin_of_dn(struct book *b, const char *dn, size_t n)
{
    for (size_t i = 0; i < b->dn_begins; i++)
        if (strncmp(b->dn_begin[i], dn, n) == 0 && b->dn_begin[i][n] == '\0')
            return (uint8_t)i;
    if (b->dn_begins == DN_BEGINS)
        return 0;
    b->dn_begin[b->dn_begins] = strndup(dn, n);
    must(b->dn_begin[b->dn_begins] != NULL);
    return (uint8_t)b->dn_begins++;
}

static size_t last_cn(const char *dn)
{
    size_t n = strlen(dn);
    while (n != 0 && !(n >= 4 && strncasecmp(dn + n - 4, "/cn=", 4) == 0))
        n--;
    return n;
}

static struct blob column(sqlite3_stmt *q, int i)
{
    const unsigned char *text = sqlite3_column_text(q, i);
    size_t n = (size_t)sqlite3_column_bytes(q, i);
    return blob_of(text, n < UINT16_MAX ? n : UINT16_MAX);
}

static struct book_entry *make_entry(struct book *b, sqlite3_stmt *q)
{
    struct blob part[] = { column(q, 4), column(q, 5), column(q, 6), column(q, 7) };
    uint8_t begin = part[2].n != 0 && part[2].n < UINT16_MAX ? begin_of_dn(b, (const char *)part[2].p, last_cn((const char *)part[2].p)) : 0;
    size_t  same = strlen(b->dn_begin[begin]), n = 0;
    part[2] = blob_of(part[2].p + same, part[2].n - same);
    for (size_t i = 0; i < 4; i++)
        n += part[i].n;
    struct book_entry *e = malloc(sizeof *e + n);
    must(e != NULL);
    *e = (struct book_entry){ .row = sqlite3_column_int64(q, 0), .kind = (uint8_t)sqlite3_column_int(q, 1), .hidden = sqlite3_column_int(q, 2) != 0,
                              .org = (uint32_t)sqlite3_column_int(q, 3), .dn_begin = begin, .name = (uint16_t)part[0].n, .phonetic = (uint16_t)part[1].n,
                              .dn = (uint16_t)part[2].n, .smtp = (uint16_t)part[3].n };
    for (size_t i = 0, at = 0; i < 4; at += part[i++].n)
        if (part[i].n != 0)
            memcpy(e->text + at, part[i].p, part[i].n);
    return e;
}

static void give_slot(struct book *b, struct book_entry *e)
{
    if (b->slots == b->slots_cap) {
        b->slots_cap = b->slots_cap != 0 ? 2 * b->slots_cap : 1024;
        b->slot = realloc(b->slot, b->slots_cap * sizeof *b->slot);
        must(b->slot != NULL);
    }
    e->slot = b->slots++;
}

static void number_slots(struct book *b)
{
    b->slots = 0;
    for (size_t i = 0; i < b->n; i++) {
        give_slot(b, b->entry[i]);
        b->slot[i] = b->entry[i];
    }
}

/* What has been made of the entries: it follows a change, or is made anew later. */
static void forget(struct book *b, const struct book_entry *e)
{
    views_leave(b, e);
    if (b->words != NULL)
        book_words_forget(b->words, e->slot);
    b->slot[e->slot] = NULL;
}

static void put_entry(struct book *b, struct book_entry *e, bool follow)
{
    size_t at = book_at(b, e->row);
    struct book_entry *was = at < b->n && b->entry[at]->row == e->row ? b->entry[at] : NULL;
    if (was != NULL && follow) {
        forget(b, was);
        e->slot = was->slot;
    }
    if (was == NULL) {
        if (b->n == b->cap) {
            b->cap = b->cap != 0 ? 2 * b->cap : 1024;
            b->entry = realloc(b->entry, b->cap * sizeof *b->entry);
            must(b->entry != NULL);
        }
        memmove(b->entry + at + 1, b->entry + at, (b->n - at) * sizeof *b->entry);
        b->n++;
        if (follow)
            give_slot(b, e);
    }
    free(was);
    b->entry[at] = e;
    if (!follow)
        return;
    b->slot[e->slot] = e;
    views_enter(b, e);
}

static void drop_entry(struct book *b, int64_t row, bool follow)
{
    size_t at = book_at(b, row);
    if (at == b->n || b->entry[at]->row != row)
        return;
    if (follow)
        forget(b, b->entry[at]);
    free(b->entry[at]);
    memmove(b->entry + at, b->entry + at + 1, (b->n - at - 1) * sizeof *b->entry);
    b->n--;
}

/* --- what changed --------------------------------------------------------------------------------------------------------------------------- */

static bool number(struct directory *r, const char *sql, int64_t after, int64_t *out)
{
    bool row = false;
    sqlite3_stmt *q = q_begin(r, sql);
    if (q == NULL)
        return false;
    if (sqlite3_bind_parameter_count(q) != 0)
        sqlite3_bind_int64(q, 1, after);
    ec_t ec = q_row(q, &row);
    if (row)
        *out = sqlite3_column_int64(q, 0);
    q_end(r, q);
    return ec == ecNone && row;
}

struct rows { int64_t *v; size_t n, cap; };

static ec_t read_changed(struct book *b, uint64_t after, bool follow, struct arena *a, struct rows *changed)
{
    sqlite3_stmt *q = q_begin(b->reader, after == 0 ? "SELECT row, kind, hidden, org, display_name, phonetic, dn, smtp FROM entry WHERE kind<32 AND +change>?1 ORDER BY row"
                                                    : "SELECT row, kind, hidden, org, display_name, phonetic, dn, smtp FROM entry WHERE change>?1 AND kind<32 ORDER BY change");
    if (q == NULL)
        return EC(ecDiskError);
    bool row;
    ec_t ec;
    sqlite3_bind_int64(q, 1, (int64_t)after);
    while ((ec = q_row(q, &row)) == ecNone && row) {
        put_entry(b, make_entry(b, q), follow);
        if (!follow)
            continue;
        changed->v = arena_grow(a, changed->v, &changed->cap, changed->n, sizeof *changed->v);
        changed->v[changed->n++] = sqlite3_column_int64(q, 0);
    }
    q_end(b->reader, q);
    return ec;
}

static ec_t read_gone(struct book *b, uint64_t after, bool follow)
{
    sqlite3_stmt *q = q_begin(b->reader, "SELECT row FROM entry_gone WHERE change>?1");
    if (q == NULL)
        return EC(ecDiskError);
    bool row;
    ec_t ec;
    sqlite3_bind_int64(q, 1, (int64_t)after);
    while ((ec = q_row(q, &row)) == ecNone && row)
        drop_entry(b, sqlite3_column_int64(q, 0), follow);
    q_end(b->reader, q);
    return ec;
}

static ec_t read_lists(struct book *b)
{
    struct arena     *a = arena_new(1 << 24);
    struct container *c;
    const char       *why;
    size_t            n;
    ec_t ec = container_list(b->reader, a, &c, &n);
    if (ec != ecNone) {
        arena_free(a);
        return ec;
    }
    arena_free(b->lists_arena);
    b->lists_arena = a;
    b->list = arena_array(a, struct book_list, n);
    b->lists = 0;
    for (size_t i = 0; i < n; i++) {
        struct filter *f = filter_parse(a, c[i].filter, &why);
        if (f != NULL)
            b->list[b->lists++] = (struct book_list){ c[i].row, f, filter_needs_props(f) };
        else
            log_line(LOGL_WARN, "directory", "an address list has a filter that cannot be read", "value", c[i].name, "error", why, NULL);
    }
    return ecNone;
}

const struct book_list *book_list(const struct book *b, int64_t row)
{
    for (size_t i = 0; i < b->lists; i++)
        if (b->list[i].row == row)
            return &b->list[i];
    return NULL;
}

/* Tables and words follow some changes; of many, and when most slots are of objects that are gone, they are made anew. */
static bool can_follow(const struct book *b, int64_t changed)
{
    bool numbered = b->version != 0 && b->slots >= b->n;
    return numbered && changed < MANY && b->slots < 2 * b->n + SLOTS_SPARE;
}

static void forget_words(struct book *b)
{
    book_words_free(b->words);
    b->words = NULL;
}

static ec_t read_entries(struct book *b, struct arena *a, int64_t changed)
{
    struct rows rows = { 0 };
    bool follow = can_follow(b, changed);
    if (!follow) {
        views_free(b, false);
        forget_words(b);
        b->slots = 0;
    }
    ec_t ec = read_changed(b, b->version, follow, a, &rows);
    if (ec == ecNone && b->version != 0)
        ec = read_gone(b, b->version, follow);
    if (!follow)
        number_slots(b); /* whatever came of it: a look that rests goes on with what is there */
    TRY(ec);
    return b->words != NULL && rows.n != 0 ? book_words_learn(b->words, b, b->reader, rows.v, rows.n) : ecNone;
}

/* Under the whole lock, in one read transaction, so that numbers and rows belong together. */
static ec_t catch_up(struct book *b, struct arena *a)
{
    int64_t version = 0, hierarchy = 0, words = 0, changed = 0;
    if (!number(b->reader, "SELECT value FROM setting WHERE key='book_version'", 0, &version)
        || !number(b->reader, "SELECT value FROM setting WHERE key='hierarchy_version'", 0, &hierarchy)
        || !number(b->reader, "SELECT value FROM setting WHERE key='book_words'", 0, &words)
        || !number(b->reader, "SELECT count(*) FROM entry WHERE change>?1", (int64_t)b->version, &changed))
        return EC(ecDiskError);
    if ((uint32_t)hierarchy != b->hierarchy || b->lists_arena == NULL) {
        TRY(read_lists(b));
        views_free(b, true);
        b->hierarchy = (uint32_t)hierarchy;
    }
    if (words != b->words_version)
        forget_words(b);
    b->words_version = words;
    ec_t ec = read_entries(b, a, changed);
    if (ec != ecNone)
        forget_words(b); /* they may know a part of it */
    else
        b->version = (uint64_t)version;
    return ec;
}

/* A transaction that stayed open would see this moment for ever, and never that something changed. */
static void end_moment(sqlite3 *db)
{
    sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
    if (sqlite3_get_autocommit(db) == 0)
        sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
}

static ec_t refresh(struct book *b, int64_t data_version)
{
    pthread_rwlock_wrlock(&b->lock);
    pthread_mutex_lock(&b->reader->lock);
    sqlite3_exec(b->reader->db, "BEGIN", NULL, NULL, NULL);
    struct arena *a = arena_new(1 << 24);
    ec_t ec = catch_up(b, a);
    arena_free(a);
    end_moment(b->reader->db);
    if (ec == ecNone)
        b->data_version = data_version;
    pthread_mutex_unlock(&b->reader->lock);
    views_trim(b);
    pthread_rwlock_unlock(&b->lock);
    return ec;
}

/* The number is read before the rows: what is committed in between is read twice, never missed. */
static ec_t up_to_date(struct book *b)
{
    int64_t now = 0;
    pthread_mutex_lock(&b->reader->lock);
    bool ok = number(b->reader, "PRAGMA data_version", 0, &now), same = b->version != 0 && now == b->data_version && !atomic_load(&b->crowded);
    pthread_mutex_unlock(&b->reader->lock);
    return !ok ? EC(ecDiskError) : same ? ecNone : refresh(b, now);
}

/* --- the contract --------------------------------------------------------------------------------------------------------------------------- */

static struct book *book_open(struct directory *d)
{
    struct directory *r = reader_open(d);
    if (r == NULL)
        return NULL;
    struct book *b = calloc(1, sizeof *b);
    must(b != NULL);
    b->d = d;
    b->reader = r;
    b->dn_begin[b->dn_begins++] = calloc(1, 1);
    must(b->dn_begin[0] != NULL);
    pthread_rwlockattr_t attr; /* a refresh must not wait for ever behind looks that keep coming */
    pthread_rwlockattr_init(&attr);
    pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(&b->lock, &attr);
    pthread_rwlockattr_destroy(&attr);
    pthread_mutex_init(&b->views_lock, NULL);
    pthread_mutex_init(&b->making_lock, NULL);
    pthread_mutex_init(&b->idle_lock, NULL);
    return b;
}

struct book *book_of(struct directory *d)
{
    pthread_mutex_lock(&d->lock);
    if (d->book == NULL)
        d->book = book_open(d);
    pthread_mutex_unlock(&d->lock);
    return d->book;
}

void book_close(struct book *b)
{
    if (b == NULL)
        return;
    views_free(b, false);
    forget_words(b);
    for (size_t i = 0; i < b->n; i++)
        free(b->entry[i]);
    free(b->entry);
    free(b->slot);
    for (size_t i = 0; i < b->dn_begins; i++)
        free(b->dn_begin[i]);
    arena_free(b->lists_arena);
    reader_close(b->reader);
    while (b->idles != 0)
        reader_close(b->idle[--b->idles]);
    pthread_mutex_destroy(&b->idle_lock);
    pthread_rwlock_destroy(&b->lock);
    pthread_mutex_destroy(&b->views_lock);
    pthread_mutex_destroy(&b->making_lock);
    free(b);
}

/* A reader that is free, or a new one: there are never more than threads that look. */
static struct directory *take_reader(struct book *b)
{
    pthread_mutex_lock(&b->idle_lock);
    struct directory *r = b->idles != 0 ? b->idle[--b->idles] : NULL;
    pthread_mutex_unlock(&b->idle_lock);
    return r != NULL ? r : reader_open(b->d);
}

static void give_reader(struct book *b, struct directory *r)
{
    pthread_mutex_lock(&b->idle_lock);
    bool kept = b->idles < READERS_IDLE;
    if (kept)
        b->idle[b->idles++] = r;
    pthread_mutex_unlock(&b->idle_lock);
    if (!kept)
        reader_close(r);
}

static ec_t say(struct directory *r, const char *verb)
{
    sqlite3_stmt *q = q_begin(r, verb);
    return q != NULL ? q_done(r, q) : EC(ecDiskError);
}

ec_t book_begin(struct book *b, const struct person *who, struct book_look *out)
{
    TRY(up_to_date(b));
    struct directory *r = take_reader(b);
    if (r == NULL)
        return EC(ecDiskError);
    ec_t ec = say(r, "BEGIN");
    if (ec != ecNone) {
        reader_close(r);
        return ec;
    }
    pthread_rwlock_rdlock(&b->lock);
    const struct book_entry *me = book_entry(b, who->row);
    *out = (struct book_look){ b, me != NULL ? me->org : who->row == 0 ? ORG_FIRST : ORG_NONE, r, 0, NULL };
    return ecNone;
}

void book_done(struct book_look *l)
{
    if (l->b == NULL)
        return;
    book_sets_free(l);
    pthread_rwlock_unlock(&l->b->lock);
    if (say(l->reader, "COMMIT") == ecNone)
        give_reader(l->b, l->reader);
    else
        reader_close(l->reader);
    l->b = NULL;
}

void book_pause(struct book_look *l)
{
    book_sets_free(l);
    pthread_rwlock_unlock(&l->b->lock);
    pthread_rwlock_rdlock(&l->b->lock);
}

static ec_t make_words(struct book *b)
{
    struct directory *r = take_reader(b);
    if (r == NULL)
        return EC(ecDiskError);
    ec_t ec = book_words_make(b, r, &b->words);
    give_reader(b, r);
    return ec;
}

/* By a reader that sees the newest: that of a look which has rested may see an older moment than the book, and what changed in between would never be learned. */
ec_t book_words_of(struct book_look *l, const struct book_words **out)
{
    struct book *b = l->b;
    pthread_mutex_lock(&b->views_lock);
    ec_t ec = b->words == NULL ? make_words(b) : ecNone;
    *out = b->words;
    pthread_mutex_unlock(&b->views_lock);
    return ec;
}

bool book_exists(const struct book_look *l, int64_t row, enum entry_kind *kind)
{
    const struct book_entry *e = book_entry(l->b, row);
    if (e == NULL || e->org != l->org)
        return false;
    if (kind != NULL)
        *kind = (enum entry_kind)e->kind;
    return true;
}

bool book_shown(const struct book_look *l, struct arena *a, int64_t row, struct entry *out)
{
    const struct book_entry *e = book_entry(l->b, row);
    if (e == NULL || e->org != l->org)
        return false;
    const char *begin = l->b->dn_begin[e->dn_begin], *dn = e->text + e->name + e->phonetic;
    size_t n = strlen(begin);
    char  *whole = arena_alloc(a, n + e->dn + 1);
    memcpy(whole, begin, n);
    memcpy(whole + n, dn, e->dn);
    *out = (struct entry){ .row = row, .kind = (enum entry_kind)e->kind, .hidden = e->hidden, .org = e->org, .dn = whole, .display_name = arena_str(a, book_entry_name(e)),
                           .smtp = e->smtp != 0 ? arena_str(a, blob_of(dn + e->dn, e->smtp)) : "", .filter = "", .source = "", .external = "" };
    return true;
}
