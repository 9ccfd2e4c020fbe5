/* offline_write.c - files of the next generation go into the database in short transactions, become visible at once, and the old ones go. */
#include "backend/directory/offline/offline_int.h"
#include <time.h>

enum { SWEPT_TOGETHER = 64 };

uint64_t offline_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* How many rows the last statement of this transaction changed. */
static int changed(const struct directory *d) { return sqlite3_changes(d->db); }

/* --- writing -------------------------------------------------------------------------------------------------------------------------------- */

void offline_writer_new(struct offline_writer *w, struct directory *d, struct arena *a, uint32_t org)
{
    *w = (struct offline_writer){ .d = d, .a = a, .org = org, .maker = guid_new(),
                                  .pieces = wr_over(arena_alloc(a, OFFLINE_TOGETHER * OFFLINE_PIECE), OFFLINE_TOGETHER * OFFLINE_PIECE) };
}

ec_t offline_writer_open(struct offline_writer *w, enum offline_kind kind, uint32_t lcid, const char *name)
{
    sqlite3_stmt *q = q_begin(w->d, "INSERT INTO offline_file(org, sequence, maker, touched, kind, lcid, name, size, uncompressed, sha1)"
                                    " VALUES(?1, 0, ?2, ?3, ?4, ?5, ?6, 0, 0, x'') RETURNING row");
    bool row;
    if (q == NULL)
        return EC(ecDiskError);
    sqlite3_bind_int64(q, 1, w->org);
    sqlite3_bind_blob(q, 2, w->maker.b, (int)sizeof w->maker.b, SQLITE_TRANSIENT);
    sqlite3_bind_int64(q, 3, (sqlite3_int64)offline_now());
    sqlite3_bind_int(q, 4, (int)kind);
    sqlite3_bind_int64(q, 5, lcid);
    q_text(q, 6, name);
    ec_t ec = q_row(q, &row);
    w->row = row ? sqlite3_column_int64(q, 0) : 0;
    while (ec == ecNone && row)
        ec = q_row(q, &row);
    q_end(w->d, q);
    w->files++;
    w->next = 0;
    w->size = 0;
    w->sha1 = sha1_new(w->a);
    wr_rewind(&w->pieces, 0);
    return ec;
}

static ec_t put_piece(struct offline_writer *w, struct blob b)
{
    sqlite3_stmt *q = q_begin(w->d, "INSERT INTO offline_piece VALUES(?1, ?2)");
    if (q == NULL)
        return EC(ecDiskError);
    sqlite3_bind_int64(q, 1, w->row * OFFLINE_PIECES + w->next);
    sqlite3_bind_blob(q, 2, b.p, (int)b.n, SQLITE_STATIC);
    w->next++;
    return q_done(w->d, q);
}

/* The maker is alive; ecTimeout: it was taken for gone, and its files are going. */
static ec_t touch(struct offline_writer *w)
{
    uint64_t now = offline_now();
    sqlite3_stmt *q = q_begin(w->d, "UPDATE offline_file SET touched=?2 WHERE row=?1 AND sequence=0");
    if (q == NULL)
        return EC(ecDiskError);
    sqlite3_bind_int64(q, 1, w->row);
    sqlite3_bind_int64(q, 2, (sqlite3_int64)now);
    TRY(q_done(w->d, q));
    if (changed(w->d) == 0)
        return EC(ecTimeout);
    if ((q = q_begin(w->d, "UPDATE offline_book SET claimed=?2 WHERE org=?1")) == NULL)
        return EC(ecDiskError);
    sqlite3_bind_int64(q, 1, w->org);
    sqlite3_bind_int64(q, 2, (sqlite3_int64)(now + OFFLINE_CLAIM));
    return q_done(w->d, q);
}

static ec_t put_all(struct offline_writer *w)
{
    TRY(touch(w));
    for (struct rd r = rd_blob_of(wr_blob(&w->pieces)); r.n != 0; )
        TRY(put_piece(w, rd_blob(&r, r.n < OFFLINE_PIECE ? r.n : OFFLINE_PIECE)));
    return ecNone;
}

static ec_t flush(struct offline_writer *w)
{
    if (wr_mark(&w->pieces) == 0)
        return ecNone;
    if (w->next + OFFLINE_TOGETHER >= OFFLINE_PIECES)
        return EC(ecTooBig);
    TRY(tx_begin(w->d));
    ec_t ec = tx_end(w->d, put_all(w));
    wr_rewind(&w->pieces, 0);
    return ec;
}

ec_t offline_writer_give(void *writer, struct blob b)
{
    struct offline_writer *w = writer;
    sha1_add(w->sha1, b);
    w->size += b.n;
    for (struct rd r = rd_blob_of(b); r.n != 0; ) {
        size_t room = wr_room(&w->pieces);
        wr_put(&w->pieces, rd_blob(&r, r.n < room ? r.n : room));
        if (wr_room(&w->pieces) == 0)
            TRY(flush(w));
    }
    return ecNone;
}

ec_t offline_writer_close(struct offline_writer *w, uint64_t uncompressed)
{
    uint8_t sha1[SHA1_BYTES];
    TRY(flush(w));
    sha1_end(w->sha1, sha1);
    sqlite3_stmt *q = q_begin(w->d, "UPDATE offline_file SET size=?2, uncompressed=?3, sha1=?4 WHERE row=?1");
    if (q == NULL)
        return EC(ecDiskError);
    sqlite3_bind_int64(q, 1, w->row);
    sqlite3_bind_int64(q, 2, (sqlite3_int64)w->size);
    sqlite3_bind_int64(q, 3, (sqlite3_int64)uncompressed);
    sqlite3_bind_blob(q, 4, sha1, (int)sizeof sha1, SQLITE_TRANSIENT);
    return q_done(w->d, q);
}

/* --- publishing ----------------------------------------------------------------------------------------------------------------------------- */

static void bind_blob(sqlite3_stmt *q, int i, struct blob b) { sqlite3_bind_blob(q, i, b.n != 0 ? (const void *)b.p : "", (int)b.n, SQLITE_TRANSIENT); }

static ec_t book_becomes(struct offline_writer *w, uint32_t sequence, uint64_t now, const struct offline_result *r)
{
    sqlite3_stmt *q = q_begin(w->d, "UPDATE offline_book SET sequence=?2, made=?3, objects=?4, shortened=?5, digest=?6, state=?7, looked=?3, claimed=0"
                                    " WHERE org=?1 AND sequence=?2-1");
    if (q == NULL)
        return EC(ecDiskError);
    sqlite3_bind_int64(q, 1, w->org);
    sqlite3_bind_int64(q, 2, sequence);
    sqlite3_bind_int64(q, 3, (sqlite3_int64)now);
    sqlite3_bind_int64(q, 4, (sqlite3_int64)r->objects);
    bind_blob(q, 5, r->shortened);
    bind_blob(q, 6, r->digest);
    q_text(q, 7, r->state);
    TRY(q_done(w->d, q));
    return changed(w->d) != 0 ? ecNone : EC(ecCollidingNames);
}

static ec_t files_become(struct offline_writer *w, uint32_t sequence, uint64_t now)
{
    sqlite3_stmt *q = q_begin(w->d, "UPDATE offline_file SET sequence=?3, touched=?4 WHERE org=?1 AND maker=?2 AND sequence=0");
    if (q == NULL)
        return EC(ecDiskError);
    sqlite3_bind_int64(q, 1, w->org);
    sqlite3_bind_blob(q, 2, w->maker.b, (int)sizeof w->maker.b, SQLITE_TRANSIENT);
    sqlite3_bind_int64(q, 3, sequence);
    sqlite3_bind_int64(q, 4, (sqlite3_int64)now);
    TRY(q_done(w->d, q));
    return (size_t)changed(w->d) == w->files ? ecNone : EC(ecTimeout);
}

static ec_t older_go(struct offline_writer *w, uint32_t sequence)
{
    sqlite3_stmt *q = q_begin(w->d, "UPDATE offline_file SET sequence=-1 WHERE org=?1 AND sequence>0 AND sequence<?2-1");
    if (q == NULL)
        return EC(ecDiskError);
    sqlite3_bind_int64(q, 1, w->org);
    sqlite3_bind_int64(q, 2, sequence);
    return q_done(w->d, q);
}

static ec_t publish(struct offline_writer *w, uint32_t sequence, const struct offline_result *r)
{
    uint64_t now = offline_now();
    TRY(book_becomes(w, sequence, now, r));
    TRY(files_become(w, sequence, now));
    return older_go(w, sequence);
}

ec_t offline_writer_publish(struct offline_writer *w, uint32_t sequence, const struct offline_result *r, bool *won)
{
    *won = false;
    TRY(tx_begin(w->d));
    ec_t ec = tx_end(w->d, publish(w, sequence, r));
    *won = ec == ecNone;
    return ec == ecCollidingNames ? ecNone : ec;
}

void offline_writer_drop(struct offline_writer *w)
{
    sqlite3_stmt *q = q_begin(w->d, "UPDATE offline_file SET sequence=-1 WHERE org=?1 AND maker=?2 AND sequence=0");
    if (q == NULL)
        return; /* the next sweep finds them */
    sqlite3_bind_int64(q, 1, w->org);
    sqlite3_bind_blob(q, 2, w->maker.b, (int)sizeof w->maker.b, SQLITE_TRANSIENT);
    q_done(w->d, q);
}

/* --- sweeping ------------------------------------------------------------------------------------------------------------------------------- */

/* A file that goes, 0: none.  Those of makers that are silent are marked first, so that a maker that wakes up sees it. */
static ec_t next_going(struct directory *d, uint64_t now, int64_t *file)
{
    sqlite3_stmt *q = q_begin(d, "SELECT row FROM offline_file WHERE sequence=-1 OR (sequence=0 AND (touched<?1 OR touched>?2)) LIMIT 1");
    bool row;
    *file = 0;
    if (q == NULL)
        return EC(ecDiskError);
    sqlite3_bind_int64(q, 1, (sqlite3_int64)(now - OFFLINE_SILENT));
    sqlite3_bind_int64(q, 2, (sqlite3_int64)(now + OFFLINE_SILENT));
    ec_t ec = q_row(q, &row);
    *file = row ? sqlite3_column_int64(q, 0) : 0;
    q_end(d, q);
    return ec;
}

static ec_t with_row(struct directory *d, const char *sql, int64_t row)
{
    sqlite3_stmt *q = q_begin(d, sql);
    if (q == NULL)
        return EC(ecDiskError);
    sqlite3_bind_int64(q, 1, row);
    return q_done(d, q);
}

static ec_t delete_pieces(struct directory *d, int64_t file)
{
    sqlite3_stmt *q = q_begin(d, "DELETE FROM offline_piece WHERE row IN (SELECT row FROM offline_piece WHERE row>=?1 AND row<?2 LIMIT ?3)");
    if (q == NULL)
        return EC(ecDiskError);
    sqlite3_bind_int64(q, 1, file * OFFLINE_PIECES);
    sqlite3_bind_int64(q, 2, (file + 1) * OFFLINE_PIECES);
    sqlite3_bind_int(q, 3, SWEPT_TOGETHER);
    return q_done(d, q);
}

static ec_t some_pieces_go(struct directory *d, int64_t file, bool *more)
{
    TRY(tx_begin(d));
    ec_t ec = delete_pieces(d, file);
    *more = ec == ecNone && changed(d) == SWEPT_TOGETHER;
    return tx_end(d, ec);
}

static ec_t sweep_file(struct directory *d, int64_t file)
{
    bool more = true;
    TRY(with_row(d, "UPDATE offline_file SET sequence=-1 WHERE row=?1 AND sequence=0", file));
    while (more)
        TRY(some_pieces_go(d, file, &more));
    return with_row(d, "DELETE FROM offline_file WHERE row=?1 AND sequence=-1", file);
}

ec_t offline_sweep(struct directory *d, uint64_t now_ms)
{
    for (int64_t file; ; ) {
        TRY(next_going(d, now_ms, &file));
        if (file == 0)
            return ecNone;
        TRY(sweep_file(d, file));
    }
}
