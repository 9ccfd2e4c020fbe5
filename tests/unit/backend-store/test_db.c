/* test_db.c - statements, transactions and errors of the driver, the same for each driver. */
#include "tests/unit.h"
#include "backend/store/db.h"
#include "backend/store/fault/dbfault.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct db_ops *const drivers[] = { &db_sqlite, &db_fault };
enum { DRIVERS = sizeof drivers / sizeof *drivers };

STMT(ADD, "INSERT INTO t (k, v) VALUES (?1, ?2)");
STMT(GET, "SELECT v FROM t WHERE k = ?1");
STMT(ALL, "SELECT k, v FROM t ORDER BY k");
STMT(BAD, "SELECT nothing FROM nowhere");

static struct db *open_db(const struct db_ops *ops, const char *dir, const struct guid *id)
{
    struct db *db = NULL;
    dbfault_arm(0);
    REQUIRE_EC(db_open(ops, &(struct db_open){ dir, *id, true, 256, 50 }, &db), ecNone);
    return db;
}

static struct db *table_db(const struct db_ops *ops)
{
    struct guid id = guid_new();
    struct db *db = open_db(ops, unit_tmpdir(), &id);
    REQUIRE_EC(db_begin(db), ecNone);
    REQUIRE_EC(db_script(db, "t", "CREATE TABLE t (k INTEGER PRIMARY KEY, v BLOB)"), ecNone);
    REQUIRE_EC(db_commit(db), ecNone);
    return db;
}

static ec_t add(struct db *db, int64_t k, const char *v)
{
    DB_QUERY(q, db, ADD);
    db_put_i64(&q, k);
    db_put_blob(&q, blob_str(v));
    return db_run(&q);
}

static int count(struct db *db)
{
    int n = 0;
    DB_QUERY(q, db, ALL);
    while (db_row(&q))
        n++;
    CHECK_EC(db_ec(&q), ecNone);
    return n;
}

TEST(rows_come_back)
{
    for (size_t d = 0; d < DRIVERS; d++) {
        struct db *db = table_db(drivers[d]);
        REQUIRE_EC(db_begin(db), ecNone);
        CHECK_EC(add(db, 7, "seven"), ecNone);
        CHECK_EC(add(db, 8, ""), ecNone);
        REQUIRE_EC(db_commit(db), ecNone);
        {
            DB_QUERY(q, db, GET);
            db_put_i64(&q, 7);
            REQUIRE_EC(db_one(&q), ecNone);
            CHECK_BLOB(db_bytes(&q, 0), blob_str("seven"));
        }
        {
            DB_QUERY(q, db, GET);
            db_put_i64(&q, 8);
            REQUIRE_EC(db_one(&q), ecNone);
            CHECK(!db_null(&q, 0));
            CHECK_INT(db_bytes(&q, 0).n, 0);
        }
        {
            DB_QUERY(q, db, GET);
            db_put_i64(&q, 9);
            CHECK_EC(db_one(&q), ecNotFound);
        }
        db_close(db);
    }
}

TEST(same_statement_twice_at_a_time)
{
    struct db *db = table_db(&db_sqlite);
    REQUIRE_EC(db_begin(db), ecNone);
    for (int k = 0; k < 3; k++)
        CHECK_EC(add(db, k, "x"), ecNone);
    REQUIRE_EC(db_commit(db), ecNone);
    int pairs = 0;
    DB_QUERY(outer, db, ALL);
    while (db_row(&outer)) {
        int64_t k = db_i64(&outer, 0);
        pairs += count(db);
        CHECK_INT(db_i64(&outer, 0), k);
    }
    CHECK_INT(pairs, 9);
    db_end(&outer);
    db_close(db);
}

TEST(rollback_and_savepoint)
{
    for (size_t d = 0; d < DRIVERS; d++) {
        struct db *db = table_db(drivers[d]);
        REQUIRE_EC(db_begin(db), ecNone);
        CHECK_EC(add(db, 1, "kept"), ecNone);
        CHECK_EC(db_savepoint(db), ecNone);
        CHECK_EC(add(db, 2, "undone"), ecNone);
        CHECK_EC(db_rollback_to(db), ecNone);
        CHECK_EC(db_savepoint(db), ecNone);
        CHECK_EC(add(db, 3, "kept"), ecNone);
        CHECK_EC(db_release(db), ecNone);
        CHECK_INT(count(db), 2);
        REQUIRE_EC(db_commit(db), ecNone);
        REQUIRE_EC(db_begin(db), ecNone);
        CHECK_EC(add(db, 4, "undone"), ecNone);
        db_rollback(db);
        CHECK(!db_writing(db));
        CHECK_INT(count(db), 2);
        db_close(db);
    }
}

TEST(an_error_spoils_the_transaction)
{
    struct db *db = table_db(&db_sqlite);
    REQUIRE_EC(db_begin(db), ecNone);
    CHECK_EC(add(db, 1, "a"), ecNone);
    CHECK_EC(add(db, 1, "the same key"), ecDiskError);
    CHECK_EC(db_commit(db), ecDiskError);
    CHECK(!db_writing(db));
    CHECK_INT(count(db), 0);
    db_close(db);
}

TEST(a_bad_statement_is_an_error)
{
    struct db *db = table_db(&db_sqlite);
    DB_QUERY(q, db, BAD);
    db_put_i64(&q, 1);
    CHECK(!db_row(&q));
    CHECK_EC(db_ec(&q), ecDiskError);
    db_end(&q);
    CHECK(db_failed(db));
    db_close(db);
}

TEST(each_call_can_fail)
{
    unsigned n = 1;
    for (;; n++) {
        struct db *db = table_db(&db_fault);
        dbfault_arm(n);
        ec_t ec = db_begin(db);
        if (ec == ecNone && (ec = add(db, 1, "a")) == ecNone && (ec = db_savepoint(db)) == ecNone && (ec = add(db, 2, "b")) == ecNone &&
            (ec = db_release(db)) == ecNone)
            ec = db_commit(db);
        db_rollback(db);
        dbfault_arm(0);
        CHECK_INT(count(db), ec == ecNone ? 2 : 0);
        db_close(db);
        if (ec == ecNone)
            break;
        CHECK_EC(ec, ecDiskError);
        REQUIRE(n < 100);
    }
    CHECK_INT(n, 8);  /* begin, prepare, step, savepoint, step, release, commit; then none */
}

TEST(a_second_writer_waits_and_is_refused)
{
    struct guid id = guid_new();
    const char *dir = unit_tmpdir();
    struct db *a = open_db(&db_sqlite, dir, &id), *b = open_db(&db_sqlite, dir, &id);
    REQUIRE_EC(db_begin(a), ecNone);
    CHECK_EC(db_begin(b), ecServerBusy);
    db_rollback(a);
    CHECK_EC(db_begin(b), ecNone);
    db_close(a);
    db_close(b);
}

TEST(files_have_their_place_and_mode)
{
    struct guid id;
    REQUIRE(guid_parse("ab062004-0000-0000-c000-000000000046", &id));
    char path[512];
    struct stat st;
    const char *dir = unit_tmpdir();
    struct db *db = open_db(&db_sqlite, dir, &id);
    snprintf(path, sizeof path, "%s/ab/ab062004-0000-0000-c000-000000000046.db", dir);
    REQUIRE(stat(path, &st) == 0);
    CHECK_INT(st.st_mode & 0777 & ~0640u, 0);
    CHECK(db_current(db));
    CHECK_EC(db_sqlite.remove(dir, &id), ecNone);
    CHECK(!db_current(db));
    CHECK_EC(db_sqlite.remove(dir, &id), ecNotFound);
    db_close(db);
    CHECK_EC(db_open(&db_sqlite, &(struct db_open){ dir, id, false, 0, 0 }, &db), ecNotFound);
}

TEST(a_file_of_rubbish_is_an_error)
{
    struct guid id = guid_new();
    char text[GUID_TEXT], path[512];
    const char *dir = unit_tmpdir();
    db_close(open_db(&db_sqlite, dir, &id));
    guid_text(&id, text);
    snprintf(path, sizeof path, "%s/%.2s/%s.db", dir, text, text);
    FILE *f = fopen(path, "w");
    REQUIRE(f != NULL);
    for (int i = 0; i < 20000; i++)
        fputc('x', f);
    fclose(f);
    struct db *db = NULL;
    CHECK_EC(db_open(&db_sqlite, &(struct db_open){ dir, id, false, 0, 0 }, &db), ecDiskError);
}

TEST(unusable_directories)
{
    const char *why = NULL;
    CHECK(!db_sqlite.usable("/dev/null", &why));
    CHECK(why != NULL);
    CHECK(!db_sqlite.usable("/nowhere/at/all", &why));
    CHECK(db_sqlite.usable(unit_tmpdir(), &why));
}

TEST(texts_are_kept_and_give_way)
{
    char sql[128];
    struct db *db = table_db(&db_fault);
    for (int i = 0; i < 200; i++) {
        snprintf(sql, sizeof sql, "SELECT %d", i);
        DB_QUERY_TEXT(q, db, "text", sql);
        REQUIRE_EC(db_one(&q), ecNone);
        CHECK_INT(db_i64(&q, 0), i);
    }
    dbfault_arm(0);
    for (int i = 150; i < 200; i++) {
        snprintf(sql, sizeof sql, "SELECT %d", i);
        DB_QUERY_TEXT(q, db, "text", sql);
        REQUIRE_EC(db_one(&q), ecNone);
        CHECK_INT(db_i64(&q, 0), i);
    }
    CHECK_INT(dbfault_calls(), 50);  /* steps only: nothing was prepared again */
    db_close(db);
}
