/* test_pool.c - leases: the same for the same request, given back with the arena, bounded. */
#include "tests/unit/backend-store/mbox.h"
#include <pthread.h>

static const struct actor owner = { ACTOR_OWNER, "" };

static ec_t create(struct store *s, const struct guid *id)
{
    struct arena *a = arena_new(1 << 20);
    ec_t ec = mailbox_create(s, a, &(struct mailbox_new){ .id = *id, .owner_dn = "/o=x/cn=y", .display_name = "Y", .smtp = "y@example.com", .locale = 0x409,
                                                           .quota_warn = -1, .quota_send = -1, .quota_receive = -1 });
    arena_free(a);
    return ec;
}

TEST(one_request_has_one_lease)
{
    struct mbox b = mbox_new();
    struct mailbox *again, *other;
    struct arena *a = arena_new(1 << 20);
    REQUIRE_EC(mailbox_open(b.s, b.a, &b.id, mailbox_actor(b.m), &again), ecNone);
    CHECK(again == b.m);
    REQUIRE_EC(mailbox_open(b.s, a, &b.id, &owner, &other), ecNone);
    CHECK(other != b.m);
    mailbox_close(again);
    CHECK_EC(mailbox_write(b.m), ecNone);  /* still there: it was opened twice */
    arena_free(a);
    mbox_end(&b);
}

TEST(the_lesser_actor_counts)
{
    struct mbox b = mbox_new();
    struct mailbox *again;
    uint32_t rights;
    REQUIRE_EC(mailbox_open(b.s, b.a, &b.id, &(struct actor){ ACTOR_DELEGATE, "/o=x/cn=bob" }, &again), ecNone);
    CHECK(again == b.m);
    REQUIRE_EC(permission_get(b.m, mailbox_info(b.m)->fid[SF_INBOX], &rights), ecNone);
    CHECK_INT(rights, 0);
    REQUIRE_EC(mailbox_open(b.s, b.a, &b.id, &(struct actor){ ACTOR_SYSTEM, "" }, &again), ecNone);
    CHECK_INT(mailbox_actor(again)->kind, ACTOR_DELEGATE);
    mbox_end(&b);
}

TEST(what_is_not_there)
{
    struct mbox b = mbox_new();
    struct mailbox *m;
    struct guid id = guid_new();
    CHECK_EC(mailbox_open(b.s, b.a, &id, &owner, &m), ecNotFound);
    CHECK_EC(create(b.s, &b.id), ecCollidingNames);
    CHECK_EC(mailbox_destroy(b.s, &id), ecNotFound);
    mbox_end(&b);
}

TEST(a_destroyed_mailbox_is_gone_for_idle_connections_too)
{
    struct mbox b = mbox_new();
    struct mailbox *m;
    const char *why;
    struct arena *a = arena_new(1 << 20);
    struct store *other = store_new(&b.o, a, &why);
    mailbox_close(b.m);
    CHECK_EC(mailbox_destroy(other, &b.id), ecNone);
    CHECK_EC(mailbox_open(b.s, a, &b.id, &owner, &m), ecNotFound);
    CHECK_EC(create(other, &b.id), ecNone);
    CHECK_EC(mailbox_open(b.s, a, &b.id, &owner, &m), ecNone);
    arena_free(a);
    store_free(other);
    mbox_end(&b);
}

TEST(the_pool_is_bounded)
{
    struct mbox b = mbox_new();
    struct guid id[6];
    struct mailbox *m;
    struct store_options o = b.o;
    const char *why;
    struct arena *a = arena_new(1 << 20), *busy = arena_new(1 << 20);
    o.busy_ms = 50;
    o.pool_files = 4;
    struct store *s = store_new(&o, a, &why);
    for (int i = 0; i < 6; i++) {
        id[i] = guid_new();
        REQUIRE_EC(create(s, &id[i]), ecNone);
    }
    for (int i = 0; i < 4; i++)
        CHECK_EC(mailbox_open(s, busy, &id[i], &owner, &m), ecNone);
    CHECK_EC(mailbox_open(s, a, &id[4], &owner, &m), ecServerBusy);
    arena_free(busy);
    for (int i = 0; i < 6; i++) {
        CHECK_EC(mailbox_open(s, a, &id[i], &owner, &m), ecNone);
        mailbox_close(m);
    }
    arena_free(a);
    store_free(s);
    mbox_end(&b);
}

struct worker { struct mbox *b; int done; };

static void *work(void *p)
{
    struct worker *w = p;
    for (int i = 0; i < 30; i++) {
        struct arena *a = arena_new(1 << 20);
        struct mailbox *m;
        uint64_t first;
        if (mailbox_open(w->b->s, a, &w->b->id, &owner, &m) == ecNone && mailbox_write(m) == ecNone && mailbox_take_ids(m, 1, &first) == ecNone &&
            mailbox_commit(m) == ecNone)
            w->done++;
        arena_free(a);
    }
    return NULL;
}

TEST(threads_share_the_pool)
{
    enum { THREADS = 6 };  /* more than the pool has files */
    struct mbox b = mbox_new();
    pthread_t t[THREADS];
    struct worker w[THREADS];
    int64_t before = mbox_sql(&b, "SELECT next_id FROM counter");
    for (int i = 0; i < THREADS; i++) {
        w[i] = (struct worker){ &b, 0 };
        REQUIRE(pthread_create(&t[i], NULL, work, &w[i]) == 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(t[i], NULL);
        CHECK_INT(w[i].done, 30);
    }
    CHECK_INT(mbox_sql(&b, "SELECT next_id FROM counter"), before + THREADS * 30);
    mbox_end(&b);
}

TEST(store_options_are_checked)
{
    struct arena *a = arena_new(1 << 20);
    const char *why = NULL;
    CHECK(store_new(&(struct store_options){ .driver = "oracle", .path = "/tmp" }, a, &why) == NULL);
    CHECK_STR(why, "unknown store driver \"oracle\"");
    CHECK(store_new(&(struct store_options){ .driver = "sqlite", .path = "/dev/null" }, a, &why) == NULL);
    CHECK(strstr(why, "/dev/null") != NULL);
    arena_free(a);
}
