/* entry_word.c - names, aliases and addresses of an object become the words by which name resolution finds it. */
#include "backend/base/utf.h"
#include "backend/directory/entry_int.h"
#include <strings.h>

enum {
    WORDS_VERSION = 1,     /* raised when the words are made in another way: all are made again when a program of that version opens the directory */
    WORDS_MAX = 96, WORD_UNITS = 100
};

struct blob entry_word_seen(struct arena *a, struct blob text)
{
    struct blob s = utf8_seen(a, utf8_cut(text, WORD_UNITS), UTF_FOLD | UTF_BASE);
    uint8_t    *p = arena_alloc(a, s.n);
    size_t      n = 0;
    for (size_t i = 0; i < s.n; i++) {
        bool space = s.p[i] == ' ' || s.p[i] == '\t';
        if (!space || (n != 0 && p[n - 1] != ' '))
            p[n++] = space ? ' ' : s.p[i];
    }
    while (n != 0 && p[n - 1] == ' ')
        n--;
    return blob_of(p, n);
}

static void add(struct arena *a, struct entry_words *w, struct blob text)
{
    struct blob s = entry_word_seen(a, text);
    if (s.n == 0 || w->n == WORDS_MAX)
        return;
    for (size_t i = 0; i < w->n; i++)
        if (blob_eq(w->v[i], s))
            return;
    w->v = arena_grow(a, w->v, &w->cap, w->n, sizeof *w->v);
    w->v[w->n++] = s;
}

/* "Meyer, Anna (Sales)": the words stand alone too. */
static void add_parts(struct arena *a, struct entry_words *w, struct blob text)
{
    add(a, w, text);
    for (size_t i = 0; i < text.n; ) {
        size_t from = i;
        while (i < text.n && strchr(" ,;()\"", text.p[i]) == NULL)
            i++;
        add(a, w, blob_of(text.p + from, i - from));
        i++;
    }
}

/* An address without its scheme; DNs are no words. */
static void add_address(struct arena *a, struct entry_words *w, const char *shown)
{
    const char *colon = strchr(shown, ':');
    if (colon != NULL && strncasecmp(shown, "x500:", 5) != 0)
        add(a, w, blob_str(colon + 1));
}

void entry_words_of(struct arena *a, const struct entry *e, struct entry_words *out)
{
    static const uint32_t named[] = { PidTagGivenName, PidTagSurname, PidTagAccount, PidTagNickname, PidTagOfficeLocation, PidTagAddressBookPhoneticDisplayName };
    *out = (struct entry_words){ 0 };
    if (e->hidden || e->kind >= ENTRY_CONTAINER)
        return;
    add_parts(a, out, blob_str(e->display_name));
    for (size_t i = 0; i < sizeof named / sizeof named[0]; i++)
        add(a, out, props_str(&e->props, named[i]));
    if (*e->smtp != '\0')
        add(a, out, blob_str(e->smtp));
    for (size_t i = 0; i < e->proxies; i++)
        add_address(a, out, e->proxy[i]);
}

ec_t entry_words_write(struct directory *d, struct arena *a, const struct entry *e)
{
    struct entry_words w;
    sqlite3_stmt *q = q_begin(d, "DELETE FROM entry_word WHERE entry=?1");
    if (q == NULL)
        return EC(ecDiskError);
    sqlite3_bind_int64(q, 1, e->row);
    TRY(q_done(d, q));
    entry_words_of(a, e, &w);
    for (size_t i = 0; i < w.n; i++) {
        if ((q = q_begin(d, "INSERT OR IGNORE INTO entry_word VALUES(?1,?2,?3)")) == NULL)
            return EC(ecDiskError);
        sqlite3_bind_int64(q, 1, e->org);
        sqlite3_bind_blob(q, 2, w.v[i].p, (int)w.v[i].n, SQLITE_STATIC);
        sqlite3_bind_int64(q, 3, e->row);
        TRY(q_done(d, q));
    }
    return ecNone;
}

/* --- all again ----------------------------------------------------------------------------------------------------------------------------- */

static ec_t made_by(struct directory *d, int64_t *version)
{
    bool row;
    sqlite3_stmt *q = q_begin(d, "SELECT value FROM setting WHERE key='book_words'");
    if (q == NULL)
        return EC(ecDiskError);
    ec_t ec = q_row(q, &row);
    *version = row ? sqlite3_column_int64(q, 0) : -1;
    q_end(d, q);
    return ec;
}

static ec_t next_row(struct directory *d, int64_t *row)
{
    bool found;
    sqlite3_stmt *q = q_begin(d, "SELECT min(row) FROM entry WHERE row>?1");
    if (q == NULL)
        return EC(ecDiskError);
    sqlite3_bind_int64(q, 1, *row);
    ec_t ec = q_row(q, &found);
    *row = found ? sqlite3_column_int64(q, 0) : 0;
    q_end(d, q);
    return ec;
}

static ec_t make_one(struct directory *d, int64_t row)
{
    struct arena *a = arena_new(1 << 22);
    struct entry e;
    ec_t ec = entry_get(d, a, row, &e);
    if (ec == ecNone)
        ec = entry_words_write(d, a, &e);
    arena_free(a);
    return ec;
}

static ec_t make_all(struct directory *d)
{
    int64_t version;
    TRY(made_by(d, &version));
    if (version == WORDS_VERSION) /* another process was quicker */
        return ecNone;
    for (int64_t row = 0; ; ) {
        TRY(next_row(d, &row));
        if (row == 0)
            return ecNone;
        TRY(make_one(d, row));
    }
}

static ec_t note_version(struct directory *d)
{
    sqlite3_stmt *q = q_begin(d, "UPDATE setting SET value=?1 WHERE key='book_words'");
    if (q == NULL)
        return EC(ecDiskError);
    sqlite3_bind_int64(q, 1, WORDS_VERSION);
    return q_done(d, q);
}

ec_t entry_words_refresh(struct directory *d)
{
    int64_t version;
    TRY(made_by(d, &version));
    if (version == WORDS_VERSION)
        return ecNone;
    TRY(tx_begin(d));
    ec_t ec = make_all(d);
    if (ec == ecNone)
        ec = note_version(d);
    return tx_end(d, ec);
}
