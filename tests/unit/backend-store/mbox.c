/* mbox.c - see mbox.h. */
#include "tests/unit/backend-store/mbox.h"
#include "backend/store/db.h"
#include "backend/store/fault/dbfault.h"
#include <stdio.h>

static void lease(struct mbox *b, struct actor as)
{
    b->a = arena_new(64 << 20);
    REQUIRE_EC(mailbox_open(b->s, b->a, &b->id, &as, &b->m), ecNone);
}

struct mbox mbox_with(const char *driver, uint32_t locale)
{
    const char *why = NULL;
    struct mbox b = { .o = { .driver = driver, .path = unit_tmpdir(), .pool_files = 4, .cache_kib = 1024, .busy_ms = 2000 }, .id = guid_new() };
    struct arena *a = arena_new(1 << 20);
    dbfault_arm(0);
    b.s = store_new(&b.o, a, &why);
    REQUIRE(b.s != NULL);
    struct mailbox_new n = { .id = b.id, .owner_dn = "/o=Demo/ou=First/cn=Recipients/cn=ada", .display_name = "Ada Lovelace", .smtp = "ada@example.com",
                             .locale = locale, .quota_warn = -1, .quota_send = -1, .quota_receive = -1 };
    REQUIRE_EC(mailbox_create(b.s, a, &n), ecNone);
    arena_free(a);
    lease(&b, (struct actor){ ACTOR_OWNER, n.owner_dn });
    return b;
}

struct mbox mbox_new(void) { return mbox_with("sqlite", 0x0409); }

void mbox_again(struct mbox *b) { mbox_as(b, ACTOR_OWNER, "/o=Demo/ou=First/cn=Recipients/cn=ada"); }

void mbox_as(struct mbox *b, enum actor_kind kind, const char *dn)
{
    arena_free(b->a);
    lease(b, (struct actor){ kind, dn });
}

void mbox_end(struct mbox *b)
{
    dbfault_arm(0);
    arena_free(b->a);
    store_free(b->s);
    *b = (struct mbox){ 0 };
}

static void say(void *ctx, const char *finding)
{
    (void)ctx;
    unit_check(false, __FILE__, __LINE__, "mailbox_check: %s", finding);
}

void mbox_clean(struct mbox *b)
{
    size_t n = 0;
    CHECK_EC(mailbox_check(b->m, say, NULL, &n), ecNone);
    CHECK_INT(n, 0);
}

int64_t mbox_sql(struct mbox *b, const char *sql)
{
    struct db *db = NULL;
    struct stmt s = { "test", sql };
    int64_t v = -1;
    REQUIRE_EC(db_open(&db_sqlite, &(struct db_open){ b->o.path, b->id, false, 0, 2000 }, &db), ecNone);
    {
        DB_QUERY(q, db, s);
        if (CHECK_EC(db_one(&q), ecNone))
            v = db_i64(&q, 0);
    }
    db_close(db);
    return v;
}

void mbox_exec(struct mbox *b, const char *sql)
{
    struct db *db = NULL;
    REQUIRE_EC(db_open(&db_sqlite, &(struct db_open){ b->o.path, b->id, false, 0, 2000 }, &db), ecNone);
    CHECK_EC(db_script(db, "test", sql), ecNone);
    db_close(db);
}
