/* test_counter.c - ids are given once: after rollbacks, across processes, after a crash. */
#include "tests/unit/backend-store/mbox.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static uint64_t take(struct mbox *b, uint32_t n)
{
    uint64_t first = 0;
    REQUIRE_EC(mailbox_write(b->m), ecNone);
    REQUIRE_EC(mailbox_take_ids(b->m, n, &first), ecNone);
    return first;
}

TEST(ids_rise)
{
    struct mbox b = mbox_new();
    uint64_t first = take(&b, 10);
    CHECK_INT(take(&b, 5), first + 10);
    REQUIRE_EC(mailbox_commit(b.m), ecNone);
    mbox_again(&b);
    CHECK_INT(take(&b, 1), first + 15);
    mbox_end(&b);
}

TEST(a_rolled_back_transaction_does_not_give_ids_back)
{
    struct mbox b = mbox_new();
    uint64_t first = take(&b, 100);
    mailbox_abort(b.m);
    CHECK_INT(take(&b, 1), first + 100);
    mbox_again(&b);  /* the arena rolls back */
    CHECK_INT(take(&b, 1), first + 101);
    mbox_end(&b);
}

TEST(a_savepoint_does_not_give_ids_back)
{
    struct mbox b = mbox_new();
    uint64_t first = take(&b, 1);
    REQUIRE_EC(mailbox_savepoint(b.m), ecNone);
    CHECK_INT(take(&b, 7), first + 1);
    REQUIRE_EC(mailbox_rollback(b.m), ecNone);
    CHECK_INT(take(&b, 1), first + 8);
    REQUIRE_EC(mailbox_commit(b.m), ecNone);
    mbox_again(&b);
    CHECK_INT(take(&b, 1), first + 9);
    mbox_end(&b);
}

TEST(another_process_sees_what_a_rollback_used_up)
{
    struct mbox b = mbox_new();
    uint64_t first = take(&b, 1000);
    mailbox_abort(b.m);
    CHECK_INT(mbox_sql(&b, "SELECT next_id FROM counter"), (long long)first + 1000);
    mbox_end(&b);
}

/* Each child takes ids in its own transactions, some rolled back, and writes down what it committed; no id may appear twice. */
static void child(const struct mbox *parent, int fd, int n)
{
    const char *why = NULL;
    struct arena *a = arena_new(1 << 20);
    struct store *s = store_new(&parent->o, a, &why);
    for (int i = 0; i < n && s != NULL; i++) {
        struct arena *ra = arena_new(1 << 20);
        struct mailbox *m;
        uint64_t first = 0;
        if (mailbox_open(s, ra, &parent->id, &(struct actor){ ACTOR_OWNER, "" }, &m) != ecNone || mailbox_write(m) != ecNone ||
            mailbox_take_ids(m, 3, &first) != ecNone || (i % 3 != 0 && mailbox_commit(m) != ecNone))
            _exit(1);
        arena_free(ra);
        if (i % 3 != 0 && write(fd, &first, sizeof first) != sizeof first)
            _exit(1);
    }
    _exit(s == NULL);
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

TEST(processes_do_not_share_ids)
{
    enum { CHILDREN = 3, EACH = 45, ALL = CHILDREN * EACH * 2 / 3 };
    static uint64_t got[ALL];
    struct mbox b = mbox_new();
    int fd[2], status;
    size_t n = 0;
    REQUIRE(pipe(fd) == 0);
    for (int i = 0; i < CHILDREN; i++)
        if (fork() == 0)
            child(&b, fd[1], EACH);
    close(fd[1]);
    while (n < ALL && read(fd[0], &got[n], sizeof got[n]) == sizeof got[n])
        n++;
    for (int i = 0; i < CHILDREN; i++) {
        REQUIRE(wait(&status) > 0);
        CHECK_INT(status, 0);
    }
    close(fd[0]);
    CHECK_INT(n, ALL);
    qsort(got, n, sizeof *got, by_value);
    for (size_t i = 1; i < n; i++)
        CHECK(got[i] >= got[i - 1] + 3);
    mbox_end(&b);
}

TEST(change_is_known)
{
    struct mbox b = mbox_new();
    CHECK(!mailbox_changed(b.m));
    REQUIRE_EC(mailbox_write(b.m), ecNone);
    CHECK(!mailbox_changed(b.m));
    REQUIRE_EC(mailbox_savepoint(b.m), ecNone);
    REQUIRE_EC(permission_set(b.m, mailbox_info(b.m)->fid[SF_INBOX], "", RIGHT_READ_ANY), ecNone);
    CHECK(mailbox_changed(b.m));
    REQUIRE_EC(mailbox_rollback(b.m), ecNone);
    CHECK(!mailbox_changed(b.m));
    REQUIRE_EC(permission_set(b.m, mailbox_info(b.m)->fid[SF_INBOX], "", RIGHT_READ_ANY), ecNone);
    REQUIRE_EC(mailbox_savepoint(b.m), ecNone);
    REQUIRE_EC(permission_set(b.m, mailbox_info(b.m)->fid[SF_OUTBOX], "", RIGHT_READ_ANY), ecNone);
    REQUIRE_EC(mailbox_rollback(b.m), ecNone);
    CHECK(mailbox_changed(b.m));
    REQUIRE_EC(mailbox_commit(b.m), ecNone);
    CHECK(!mailbox_changed(b.m));
    CHECK_INT(mbox_sql(&b, "SELECT count(*) FROM permission"), 1);
    mbox_end(&b);
}
