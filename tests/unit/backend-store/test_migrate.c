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
