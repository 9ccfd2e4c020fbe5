/* offline.c - offline address books as they are kept: books, their files, parts of these. */
#include "backend/directory/offline/offline_int.h"
#include "backend/base/crypto.h"
#include "backend/base/log.h"
#include "backend/directory/entry.h"

#define BOOK_SELECT "SELECT b.guid, b.org, b.sequence, b.made, b.objects, o.name FROM offline_book b JOIN organization o ON o.row=b.org "
#define FILE_SELECT "SELECT row, kind, lcid, sequence, name, size, uncompressed, sha1, touched FROM offline_file "

/* Bytes of a fixed size; others are none. */
static void fixed(sqlite3_stmt *q, int i, void *out, size_t n)
{
    if ((size_t)sqlite3_column_bytes(q, i) == n)
        memcpy(out, sqlite3_column_blob(q, i), n);
    else
        memset(out, 0, n);
}

/* The first organization has the name of the configuration. */
static struct offline_book book_from(struct directory *d, sqlite3_stmt *q, struct arena *a)
{
    const char *name = (const char *)sqlite3_column_text(q, 5);
    struct offline_book b = { .org = (uint32_t)sqlite3_column_int64(q, 1), .sequence = (uint32_t)sqlite3_column_int64(q, 2), .name = OFFLINE_NAME, .dn = OFFLINE_DN,
                              .organization = sqlite3_column_int64(q, 1) == 1 || name == NULL ? d->organization : arena_strdup(a, name),
                              .made = (uint64_t)sqlite3_column_int64(q, 3), .objects = (uint64_t)sqlite3_column_int64(q, 4) };
    fixed(q, 0, b.guid.b, sizeof b.guid.b);
    return b;
}

static struct offline_file file_from(sqlite3_stmt *q, struct arena *a)
{
    const char *name = (const char *)sqlite3_column_text(q, 4);
    struct offline_file f = { .row = sqlite3_column_int64(q, 0), .kind = (enum offline_kind)sqlite3_column_int(q, 1), .lcid = (uint32_t)sqlite3_column_int64(q, 2),
                              .sequence = (uint32_t)sqlite3_column_int64(q, 3), .name = arena_strdup(a, name != NULL ? name : ""),
                              .size = (uint64_t)sqlite3_column_int64(q, 5), .uncompressed = (uint64_t)sqlite3_column_int64(q, 6), .made = (uint64_t)sqlite3_column_int64(q, 8) };
    fixed(q, 7, f.sha1, sizeof f.sha1);
    return f;
}

/* --- books ---------------------------------------------------------------------------------------------------------------------------------- */

ec_t offline_books(struct directory *d, struct arena *a, uint32_t org, struct offline_book **out, size_t *n)
{
    sqlite3_stmt *q = q_begin(d, BOOK_SELECT "WHERE ?1=0 OR b.org=?1 ORDER BY b.org");
    size_t cap = 0;
    bool   row;
    ec_t   ec;
    *out = NULL;
    *n = 0;
    if (q == NULL)
        return EC(ecDiskError);
    sqlite3_bind_int64(q, 1, org);
    while ((ec = q_row(q, &row)) == ecNone && row) {
        *out = arena_grow(a, *out, &cap, *n, sizeof **out);
        (*out)[(*n)++] = book_from(d, q, a);
    }
    q_end(d, q);
    return ec;
}

/* The one row of a statement that has been bound. */
static ec_t one_book(struct directory *d, sqlite3_stmt *q, struct arena *a, struct offline_book *out)
{
    bool row;
    ec_t ec = q_row(q, &row);
    if (row)
        *out = book_from(d, q, a);
    q_end(d, q);
    return ec != ecNone || row ? ec : EC(ecNotFound);
}

ec_t offline_of(struct directory *d, struct arena *a, uint32_t org, struct offline_book *out)
{
    sqlite3_stmt *q = q_begin(d, BOOK_SELECT "WHERE b.org=?1");
    if (q == NULL)
        return EC(ecDiskError);
    sqlite3_bind_int64(q, 1, org);
    return one_book(d, q, a, out);
}

ec_t offline_for(struct directory *d, struct arena *a, const struct person *who, struct offline_book *out)
{
    struct entry e;
    TRY(entry_brief(d, a, who->row, &e));
    return offline_of(d, a, e.org, out);
}

/* --- files ---------------------------------------------------------------------------------------------------------------------------------- */

ec_t offline_files(struct directory *d, struct arena *a, const struct offline_book *b, struct offline_file **out, size_t *n)
{
    sqlite3_stmt *q = q_begin(d, FILE_SELECT "WHERE org=?1 AND sequence=?2 AND sequence>0 ORDER BY kind, name");
    size_t cap = 0;
    bool   row;
    ec_t   ec;
    *out = NULL;
    *n = 0;
    if (q == NULL)
        return EC(ecDiskError);
    sqlite3_bind_int64(q, 1, b->org);
    sqlite3_bind_int64(q, 2, b->sequence);
    while ((ec = q_row(q, &row)) == ecNone && row) {
        *out = arena_grow(a, *out, &cap, *n, sizeof **out);
        (*out)[(*n)++] = file_from(q, a);
    }
    q_end(d, q);
    return ec;
}

ec_t offline_file(struct directory *d, struct arena *a, const struct offline_book *b, const char *name, struct offline_file *out)
{
    sqlite3_stmt *q = q_begin(d, FILE_SELECT "WHERE org=?1 AND name=?2 AND sequence>0");
    if (q == NULL)
        return EC(ecDiskError);
    sqlite3_bind_int64(q, 1, b->org);
    q_text(q, 2, name);
    bool row;
    ec_t ec = q_row(q, &row);
    if (row)
        *out = file_from(q, a);
    q_end(d, q);
    return ec != ecNone || row ? ec : EC(ecNotFound);
}

/* The next piece of `f` must be the one that is expected, and as long as the file says. */
static bool take_piece(sqlite3_stmt *q, const struct offline_file *f, uint64_t number, struct blob *out)
{
    uint64_t begin = number * OFFLINE_PIECE, n = f->size - begin < OFFLINE_PIECE ? f->size - begin : OFFLINE_PIECE;
    *out = blob_of(sqlite3_column_blob(q, 1), (size_t)sqlite3_column_bytes(q, 1));
    return sqlite3_column_int64(q, 0) == f->row * OFFLINE_PIECES + (int64_t)number && out->n == n;
}

ec_t offline_read(struct directory *d, struct arena *a, const struct offline_file *f, uint64_t at, size_t n, struct blob *out)
{
    if (at > f->size || n > f->size - at || n > OFFLINE_READ_MAX)
        return EC(ecNotFound);
    struct wr w = wr_in(a, n);
    sqlite3_stmt *q = n != 0 ? q_begin(d, "SELECT row, data FROM offline_piece WHERE row BETWEEN ?1 AND ?2 ORDER BY row") : NULL;
    *out = wr_blob(&w);
    if (q == NULL)
        return n == 0 ? ecNone : EC(ecDiskError);
    uint64_t first = at / OFFLINE_PIECE, last = (at + n - 1) / OFFLINE_PIECE, i = first;
    bool     row;
    ec_t     ec;
    sqlite3_bind_int64(q, 1, f->row * OFFLINE_PIECES + (int64_t)first);
    sqlite3_bind_int64(q, 2, f->row * OFFLINE_PIECES + (int64_t)last);
    for (struct blob piece; (ec = q_row(q, &row)) == ecNone && row && take_piece(q, f, i, &piece); i++) {
        struct rd r = rd_blob_of(piece);
        rd_take(&r, i == first ? (size_t)(at - first * OFFLINE_PIECE) : 0);
        wr_put(&w, rd_blob(&r, r.n < n - w.n ? r.n : n - w.n));
    }
    q_end(d, q);
    *out = wr_blob(&w);
    return ec != ecNone ? ec : w.n == n ? ecNone : EC(ecNotFound);
}
