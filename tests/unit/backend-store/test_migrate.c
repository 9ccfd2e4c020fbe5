/* test_migrate.c - schema versions: newer is refused, none is no mailbox, and a connection notices that others migrated. */
#include "tests/unit/backend-store/mbox.h"
#include "backend/store/schema.h"

TEST(a_new_mailbox_has_the_current_schema)
{
    struct mbox b = mbox_new();
    CHECK_INT(mbox_sql(&b, "SELECT user_version FROM pragma_user_version"), schema_version());
    mbox_end(&b);
}

TEST(a_newer_schema_is_refused)
{
    struct mbox b = mbox_new();
    struct mailbox *m;
    mailbox_close(b.m);
    mbox_exec(&b, "PRAGMA user_version = 1000000");  /* the idle connection of the pool must notice too */
    CHECK_EC(mailbox_open(b.s, b.a, &b.id, &(struct actor){ ACTOR_OWNER, "" }, &m), ecBadVersion);
    mbox_exec(&b, "PRAGMA user_version = -3");
    CHECK_EC(mailbox_open(b.s, b.a, &b.id, &(struct actor){ ACTOR_OWNER, "" }, &m), ecBadVersion);
    mbox_end(&b);
}

TEST(tables_are_made_once)
{
    struct mbox b = mbox_new();
    struct db *db = NULL;
    REQUIRE_EC(db_open(&db_sqlite, &(struct db_open){ b.o.path, b.id, false, 0, 100 }, &db), ecNone);
    CHECK_EC(schema_migrate(db), ecNone);
    REQUIRE_EC(db_begin(db), ecNone);
    CHECK_EC(schema_create(db), ecCollidingNames);
    db_close(db);
    mbox_end(&b);
}

static const struct schema_step steps[] = {
    { "one", "CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (1);" },
    { "two", "ALTER TABLE t ADD COLUMN b INTEGER; UPDATE t SET b = a + 1;" },
    { "three", "UPDATE t SET b = b * 10; INSERT INTO nowhere VALUES (1);" },
};
STMT(VALUE, "SELECT b FROM t");

static int64_t version(struct db *db)
{
    int64_t v = -1;
    CHECK_EC(db_version(db, &v), ecNone);
    return v;
}

static int64_t value(struct db *db)
{
    DB_QUERY(q, db, VALUE);
    REQUIRE_EC(db_one(&q), ecNone);
    return db_i64(&q, 0);
}

TEST(an_older_schema_is_brought_up_to_date_or_left_alone)
{
    struct db *db = NULL;
    REQUIRE_EC(db_open(&db_sqlite, &(struct db_open){ unit_tmpdir(), guid_new(), true, 0, 100 }, &db), ecNone);
    CHECK_EC(schema_migrate_by(db, steps, 1), ecNotFound);
    REQUIRE_EC(db_begin(db), ecNone);
    REQUIRE_EC(db_script(db, steps[0].name, steps[0].sql), ecNone);
    REQUIRE_EC(db_set_version(db, 1), ecNone);
    REQUIRE_EC(db_commit(db), ecNone);
    CHECK_EC(schema_migrate_by(db, steps, 2), ecNone);
    CHECK_INT(version(db), 2);
    CHECK_INT(value(db), 2);
    CHECK_EC(schema_migrate_by(db, steps, 3), ecDiskError);  /* its second statement fails, so its first is undone */
    CHECK_INT(version(db), 2);
    CHECK_INT(value(db), 2);
    CHECK_EC(schema_migrate_by(db, steps, 1), ecBadVersion);
    CHECK_EC(schema_migrate_by(db, steps, 2), ecNone);
    db_close(db);
}
