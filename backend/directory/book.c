/* book.c - the book in memory is brought up to date with the database: at first all of it, then what changed. */
#include "backend/directory/book_int.h"
#include "backend/base/log.h"
#include "backend/base/must.h"
#include <stdlib.h>

enum { MANY = 4096, ORG_FIRST = 1, ORG_NONE = 0 };   /* changes at once above which the tables are made anew; rows of `organization` */

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

static struct book_entry *make_entry(sqlite3_stmt *q)
{
    size_t name = (size_t)sqlite3_column_bytes(q, 4), phonetic = (size_t)sqlite3_column_bytes(q, 5);
    name = name < UINT16_MAX ? name : UINT16_MAX;
    phonetic = phonetic < UINT16_MAX ? phonetic : UINT16_MAX;
    struct book_entry *e = malloc(sizeof *e + name + phonetic);
    must(e != NULL);
    *e = (struct book_entry){ .row = sqlite3_column_int64(q, 0), .kind = (uint8_t)sqlite3_column_int(q, 1), .hidden = sqlite3_column_int(q, 2) != 0,
                              .org = (uint32_t)sqlite3_column_int(q, 3), .name = (uint16_t)name, .phonetic = (uint16_t)phonetic };
    if (name != 0)
        memcpy(e->text, sqlite3_column_text(q, 4), name);
    if (phonetic != 0)
        memcpy(e->text + name, sqlite3_column_text(q, 5), phonetic);
    return e;
}

static void put_entry(struct book *b, struct book_entry *e, bool with_views)
{
    size_t at = book_at(b, e->row);
    struct book_entry *was = at < b->n && b->entry[at]->row == e->row ? b->entry[at] : NULL;
    if (was != NULL && with_views)
        views_leave(b, was);
    if (was == NULL) {
        if (b->n == b->cap) {
            b->cap = b->cap != 0 ? 2 * b->cap : 1024;
            b->entry = realloc(b->entry, b->cap * sizeof *b->entry);
            must(b->entry != NULL);
        }
        memmove(b->entry + at + 1, b->entry + at, (b->n - at) * sizeof *b->entry);
        b->n++;
    }
    free(was);
    b->entry[at] = e;
    if (with_views)
        views_enter(b, e);
}

static void drop_entry(struct book *b, int64_t row, bool with_views)
{
    size_t at = book_at(b, row);
    if (at == b->n || b->entry[at]->row != row)
        return;
    if (with_views)
        views_leave(b, b->entry[at]);
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

static ec_t read_changed(struct book *b, uint64_t after, bool with_views)
{
    sqlite3_stmt *q = q_begin(b->reader, after == 0 ? "SELECT row, kind, hidden, org, display_name, phonetic FROM entry WHERE kind<32 AND +change>?1 ORDER BY row"
                                                    : "SELECT row, kind, hidden, org, display_name, phonetic FROM entry WHERE change>?1 AND kind<32 ORDER BY change");
    if (q == NULL)
        return EC(ecDiskError);
    bool row;
    ec_t ec;
    sqlite3_bind_int64(q, 1, (int64_t)after);
    while ((ec = q_row(q, &row)) == ecNone && row)
        put_entry(b, make_entry(q), with_views);
    q_end(b->reader, q);
    return ec;
}

static ec_t read_gone(struct book *b, uint64_t after, bool with_views)
{
    sqlite3_stmt *q = q_begin(b->reader, "SELECT row FROM entry_gone WHERE change>?1");
    if (q == NULL)
        return EC(ecDiskError);
    bool row;
    ec_t ec;
    sqlite3_bind_int64(q, 1, (int64_t)after);
    while ((ec = q_row(q, &row)) == ecNone && row)
        drop_entry(b, sqlite3_column_int64(q, 0), with_views);
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

/* Under the whole lock, in one read transaction, so that numbers and rows belong together. */
static ec_t catch_up(struct book *b)
{
    int64_t version = 0, hierarchy = 0, changed = 0;
    if (!number(b->reader, "SELECT value FROM setting WHERE key='book_version'", 0, &version)
        || !number(b->reader, "SELECT value FROM setting WHERE key='hierarchy_version'", 0, &hierarchy)
        || !number(b->reader, "SELECT count(*) FROM entry WHERE change>?1", (int64_t)b->version, &changed))
        return EC(ecDiskError);
    if ((uint32_t)hierarchy != b->hierarchy || b->lists_arena == NULL) {
        TRY(read_lists(b));
        views_free(b, true);
        b->hierarchy = (uint32_t)hierarchy;
    }
    bool with_views = b->view != NULL && changed < MANY;
    if (!with_views)
        views_free(b, false);
    TRY(read_changed(b, b->version, with_views));
    if (b->version != 0)
        TRY(read_gone(b, b->version, with_views));
    b->version = (uint64_t)version;
    return ecNone;
}

static ec_t refresh(struct book *b, int64_t data_version)
{
    pthread_rwlock_wrlock(&b->lock);
    pthread_mutex_lock(&b->reader->lock);
    sqlite3_exec(b->reader->db, "BEGIN", NULL, NULL, NULL);
    ec_t ec = catch_up(b);
    sqlite3_exec(b->reader->db, "COMMIT", NULL, NULL, NULL);
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
    bool ok = number(b->reader, "PRAGMA data_version", 0, &now), same = b->version != 0 && now == b->data_version;
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
    pthread_rwlockattr_t attr; /* a refresh must not wait for ever behind looks that keep coming */
    pthread_rwlockattr_init(&attr);
    pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(&b->lock, &attr);
    pthread_rwlockattr_destroy(&attr);
    pthread_mutex_init(&b->views_lock, NULL);
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
    for (size_t i = 0; i < b->n; i++)
        free(b->entry[i]);
    free(b->entry);
    arena_free(b->lists_arena);
    reader_close(b->reader);
    while (b->idles != 0)
        reader_close(b->idle[--b->idles]);
    pthread_mutex_destroy(&b->idle_lock);
    pthread_rwlock_destroy(&b->lock);
    pthread_mutex_destroy(&b->views_lock);
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
    *out = (struct book_look){ b, me != NULL ? me->org : who->row == 0 ? ORG_FIRST : ORG_NONE, r, 0 };
    return ecNone;
}

void book_done(struct book_look *l)
{
    if (l->b == NULL)
        return;
    pthread_rwlock_unlock(&l->b->lock);
    if (say(l->reader, "COMMIT") == ecNone)
        give_reader(l->b, l->reader);
    else
        reader_close(l->reader);
    l->b = NULL;
}

void book_pause(struct book_look *l)
{
    pthread_rwlock_unlock(&l->b->lock);
    pthread_rwlock_rdlock(&l->b->lock);
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
