/* offline_fill.h - files of any bytes and sizes for an offline address book, put into the directory database as a generation: for tests of downloads that do not
 * care what is inside. */
#ifndef TESTS_OFFLINE_FILL_H
#define TESTS_OFFLINE_FILL_H
#include "backend/base/crypto.h"
#include "backend/base/filetime.h"
#include "backend/directory/offline/offline.h"
#include "tests/unit.h"
#include <sqlite3.h>

enum { FILL_PIECE = 65536 };

struct fill_file { const char *name; enum offline_kind kind; uint32_t lcid; size_t size; };

/* Bytes that differ from file to file and piece to piece. */
static inline struct blob fill_bytes(struct arena *a, const char *name, size_t size)
{
    uint8_t *p = arena_alloc(a, size);
    uint32_t x = 1;
    for (; *name != '\0'; name++)
        x = x * 31 + (uint8_t)*name;
    for (size_t i = 0; i < size; i++) {
        x = x * 1664525 + 1013904223;
        p[i] = (uint8_t)(x >> 24);
    }
    return blob_of(p, size);
}

static inline void fill_run(sqlite3 *db, sqlite3_stmt *q)
{
    int rc = sqlite3_step(q);
    if (rc != SQLITE_DONE && rc != SQLITE_ROW)
        fprintf(stderr, "fill: %s\n", sqlite3_errmsg(db));
    REQUIRE(rc == SQLITE_DONE || rc == SQLITE_ROW);
    sqlite3_finalize(q);
}

static inline sqlite3_stmt *fill_ask(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *q = NULL;
    REQUIRE(sqlite3_prepare_v2(db, sql, -1, &q, NULL) == SQLITE_OK);
    return q;
}

static inline void fill_pieces(sqlite3 *db, int64_t file, struct blob all)
{
    for (size_t at = 0, i = 0; at < all.n; at += FILL_PIECE, i++) {
        sqlite3_stmt *q = fill_ask(db, "INSERT INTO offline_piece(row, data) VALUES(?1, ?2)");
        sqlite3_bind_int64(q, 1, file * ((int64_t)1 << 20) + (int64_t)i);
        sqlite3_bind_blob(q, 2, all.p + at, (int)(all.n - at < FILL_PIECE ? all.n - at : FILL_PIECE), SQLITE_TRANSIENT);
        fill_run(db, q);
    }
}

static inline void fill_one(sqlite3 *db, struct arena *a, uint32_t org, uint32_t sequence, const struct fill_file *f)
{
    struct blob all = fill_bytes(a, f->name, f->size);
    uint8_t sum[SHA1_BYTES];
    crypto_sha1(all, sum);
    sqlite3_stmt *q = fill_ask(db, "INSERT INTO offline_file(org, sequence, maker, touched, kind, lcid, name, size, uncompressed, sha1)"
                                   " VALUES(?1, ?2, x'', ?3, ?4, ?5, ?6, ?7, ?7 * 2, ?8)");
    sqlite3_bind_int64(q, 1, org);
    sqlite3_bind_int64(q, 2, sequence);
    sqlite3_bind_int64(q, 3, (int64_t)1700000000000 + sequence * 1000);
    sqlite3_bind_int64(q, 4, (int64_t)f->kind);
    sqlite3_bind_int64(q, 5, f->lcid);
    sqlite3_bind_text(q, 6, f->name, -1, SQLITE_TRANSIENT);
    sqlite3_bind_int64(q, 7, (int64_t)f->size);
    sqlite3_bind_blob(q, 8, sum, sizeof sum, SQLITE_TRANSIENT);
    fill_run(db, q);
    fill_pieces(db, sqlite3_last_insert_rowid(db), all);
}

/* The next generation; files of the one before the last go. */
static inline void fill_generation(const char *directory, struct arena *a, uint32_t org, uint32_t sequence, const struct fill_file *f, size_t n)
{
    sqlite3 *db;
    REQUIRE(sqlite3_open(directory, &db) == SQLITE_OK);
    sqlite3_busy_timeout(db, 10000);
    REQUIRE(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK);
    for (size_t i = 0; i < n; i++)
        fill_one(db, a, org, sequence, &f[i]);
    sqlite3_stmt *q = fill_ask(db, "UPDATE offline_book SET sequence=?2, made=1700000000000 + ?2 * 1000, objects=1 WHERE org=?1");
    sqlite3_bind_int64(q, 1, org);
    sqlite3_bind_int64(q, 2, sequence);
    fill_run(db, q);
    q = fill_ask(db, "DELETE FROM offline_file WHERE org=?1 AND sequence<?2 - 1");
    sqlite3_bind_int64(q, 1, org);
    sqlite3_bind_int64(q, 2, sequence);
    fill_run(db, q);
    REQUIRE(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK);
    sqlite3_close(db);
}
#endif
