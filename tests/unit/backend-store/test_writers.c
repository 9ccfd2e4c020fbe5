/* test_writers.c - several processes write one mailbox at a time; one of them is killed. */
#include "tests/unit/backend-store/mbox.h"
#include "backend/store/folder.h"
#include "backend/store/message.h"
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* A message in two steps of one transaction; every third is deleted again. */
static ec_t one(struct store *s, const struct guid *id, unsigned i)
{
    struct arena *a = arena_new(8 << 20);
    struct mailbox *m;
    struct msg msg = { 0 };
    bool partial = false;
    ec_t ec = mailbox_open(s, a, id, &(struct actor){ ACTOR_OWNER, "" }, &m);
    if (ec == ecNone && (ec = mailbox_write(m)) == ecNone) {
        struct message_save save = { .fid = mailbox_info(m)->fid[SF_INBOX], .over = &msg };
        char *text = arena_alloc(a, 6000);
        memset(text, 'a' + (int)(i % 26), 5999);
        props_set(a, &msg.set, pv_str(PidTagSubject, arena_printf(a, "message %u of %d", i, (int)getpid())));
        props_set(a, &msg.set, pv_str(PidTagBody, text));
        ec = message_save(m, &save);
        if (ec == ecNone && i % 3 == 2)
            ec = messages_delete(m, save.fid, &save.mid, 1, true, &partial);
        if (ec == ecNone)
            ec = mailbox_commit(m);
    }
    arena_free(a);
    return ec;
}

static _Noreturn void writer(const struct mbox *parent, unsigned n)
{
    const char *why;
    struct arena *a = arena_new(1 << 20);
    struct store *s = store_new(&parent->o, a, &why);
    for (unsigned i = 0; i < n; i++)
        if (one(s, &parent->id, i) != ecNone)
            _exit(1);
    _exit(0);
}

static pid_t start(const struct mbox *b, unsigned n)
{
    pid_t pid = fork();
    if (pid == 0)
        writer(b, n);
    REQUIRE(pid > 0);
    return pid;
}

TEST(three_writers_at_a_time)
{
    enum { WRITERS = 3, EACH = 30 };
    struct mbox b = mbox_new();
    struct folder f;
    b.o.busy_ms = 20000;
    for (int i = 0; i < WRITERS; i++)
        start(&b, EACH);
    for (int i = 0, status; i < WRITERS; i++) {
        REQUIRE(wait(&status) > 0);
        CHECK_INT(status, 0);
    }
    REQUIRE_EC(folder_open(b.m, mailbox_info(b.m)->fid[SF_INBOX], false, &f), ecNone);
    CHECK_INT(f.total, WRITERS * EACH * 2 / 3);
    CHECK_INT(mbox_sql(&b, "SELECT count(DISTINCT cn) FROM message"), WRITERS * EACH * 2 / 3);
    mbox_clean(&b);
    mbox_end(&b);
}

/* Whenever a writer is killed, what it committed is there and the rest is not. */
TEST(killed_writers_leave_it_clean)
{
    struct mbox b = mbox_new();
    b.o.busy_ms = 20000;
    for (unsigned i = 0; i < 12; i++) {
        pid_t pid = start(&b, 100000);
        usleep(3000 + i * 5711 % 40000);
        kill(pid, SIGKILL);
        int status;
        REQUIRE(waitpid(pid, &status, 0) == pid);
        CHECK(WIFSIGNALED(status));
        mbox_again(&b);
        mbox_clean(&b);
    }
    CHECK(mbox_sql(&b, "SELECT count(*) FROM message") > 0);
    mbox_end(&b);
}

/* A full disk, as a process sees it: no file may grow any more. */
static _Noreturn void cramped(const struct mbox *parent)
{
    const char *why;
    struct arena *a = arena_new(1 << 20);
    struct store *s = store_new(&parent->o, a, &why);
    struct rlimit limit = { 700000, 700000 };
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
    ec_t ec = ecNone;
    for (unsigned i = 0; ec == ecNone && i < 1000; i++)
        ec = one(s, &parent->id, i);
    ec_t again = one(s, &parent->id, 5);  /* still refused, not broken */
    _exit(ec == ecDiskError && again == ecDiskError ? 0 : 1);
}

TEST(a_full_disk_is_an_error_and_no_more)
{
    struct mbox b = mbox_new();
    pid_t pid = fork();
    if (pid == 0)
        cramped(&b);
    int status;
    REQUIRE(waitpid(pid, &status, 0) == pid);
    CHECK_INT(status, 0);
    mbox_again(&b);
    mbox_clean(&b);
    CHECK(mbox_sql(&b, "SELECT count(*) FROM message") > 0);
    CHECK_EC(one(b.s, &b.id, 1), ecNone);  /* there is room again */
    mbox_clean(&b);
    mbox_end(&b);
}

/* The check looks at one moment while others write. */
TEST(checked_while_written)
{
    struct mbox b = mbox_new();
    b.o.busy_ms = 20000;
    start(&b, 40);
    for (int i = 0, status; i < 1000 && waitpid(-1, &status, WNOHANG) == 0; i++)
        mbox_clean(&b);
    mbox_clean(&b);
    mbox_end(&b);
}
