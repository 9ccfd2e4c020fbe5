/* test_mapictl.c - the admin command against a running installation: what it prints, its JSON, its exit codes. */
#include "session/rop/notify_data.h"
#include "tests/flow/walk.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

struct run { int rc; char text[65536]; };

/* Runs mapictl with arguments as a shell has them; standard input from `input`. */
static struct run *mapictl(struct stack *st, const char *input, const char *arguments)
{
    static struct run r;
    char self[400];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    REQUIRE(n > 0);
    self[n] = '\0';
    *strrchr(self, '/') = '\0';
    const char *command = arena_printf(st->a, "printf '%%s' '%s' | %s/mapictl --config %s/a.conf %s 2>&1", input, self, st->dir, arguments);
    FILE *p = popen(command, "r");
    REQUIRE(p != NULL);
    size_t got = fread(r.text, 1, sizeof r.text - 1, p);
    r.text[got] = '\0';
    int status = pclose(p);
    r.rc = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return &r;
}

static bool has(const struct run *r, const char *text, const char *file, int line)
{
    return unit_check(strstr(r->text, text) != NULL, file, line, "\"%s\" is not in: %.400s", text, r->text);
}
#define HAS(r, text) has((r), (text), __FILE__, __LINE__)

TEST(users_come_change_and_go)
{
    struct stack *st = stack_shared();
    struct run *r = mapictl(st, "pw-one", "user add carl@example.com --name \"Carl Example\" --locale 0x0407 --password-stdin");
    CHECK_INT(r->rc, 0);
    HAS(r, "carl@example.com");
    CHECK_INT(mapictl(st, "pw-one", "user add carl@example.com --password-stdin")->rc, 1);
    HAS(mapictl(st, "", "user list"), "Carl Example");
    json_t *list = json_loads(mapictl(st, "", "user list --json")->text, 0, NULL);
    REQUIRE(json_is_array(list));
    CHECK_INT(json_array_size(list), 3);
    json_decref(list);
    CHECK_INT(mapictl(st, "pw-two", "user passwd carl --password-stdin")->rc, 0);
    HAS(mapictl(st, "", "mailbox stat carl"), "folders");
    CHECK_INT(mapictl(st, "", "mailbox check carl")->rc, 0);
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%u", st->port);
    CHECK_INT(mapictl(st, "pw-one", arena_printf(st->a, "probe carl --url %s --password-stdin", url))->rc, 3);
    r = mapictl(st, "pw-two", arena_printf(st->a, "probe carl --url %s --password-stdin", url));
    CHECK_INT(r->rc, 0);
    HAS(r, "ok: the session works");
    CHECK_INT(mapictl(st, "", "user remove carl --with-mailbox")->rc, 0);
    CHECK_INT(mapictl(st, "", "mailbox stat carl")->rc, 1);
    CHECK_INT(mapictl(st, "", "user remove carl")->rc, 1);
}

TEST(sessions_are_listed_shown_and_ended)
{
    struct stack *st = stack_shared();
    struct walk w;
    uint32_t inbox, table, rows;
    walk_begin(&w, st, &st->ana);
    MUST_STEP(&w, step_open_folder(&w.s, w.s.fid[SF_INBOX], &inbox));
    for (int k = 0; k < 15; k++) /* so many objects that no other session of the stack has as many */
        MUST_STEP(&w, step_contents(&w.s, inbox, 0, &table, &rows));
    json_t *list = json_loads(mapictl(st, "", "session list --json")->text, 0, NULL), *one;
    size_t i;
    const char *digest = NULL;
    REQUIRE(json_is_array(list));
    json_array_foreach(list, i, one)
        if (strcmp(json_string_value(json_object_get(one, "user")), "ana@example.com") == 0 && json_integer_value(json_object_get(one, "objects")) == 17)
            digest = arena_strdup(w.a, json_string_value(json_object_get(one, "session")));
    json_decref(list);
    REQUIRE(digest != NULL);
    CHECK(strstr(w.c.context, digest) == NULL);
    struct run *r = mapictl(st, "", arena_printf(w.a, "session show %s", digest));
    CHECK_INT(r->rc, 0);
    HAS(r, "ana@example.com");
    HAS(r, "table");
    HAS(r, "folder");
    CHECK_INT(mapictl(st, "", arena_printf(w.a, "session end %s", digest))->rc, 0);
    CHECK_INT(step_release(&w.s, table), STEP_LOST);
    CHECK_INT(w.s.code, 10);
    CHECK_INT(mapictl(st, "", arena_printf(w.a, "session end %s", digest))->rc, 1);
    HAS(mapictl(st, "", arena_printf(w.a, "session show %s", digest)), "no such session");
    walk_end(&w);
}

TEST(captured_bodies_are_decoded)
{
    struct stack *st = stack_shared();
    struct arena *a = arena_new(1 << 20);
    struct mapic_rops r;
    rops_init(&r, a);
    rops_head(&r, 0x12, rops_handle(&r, 7));
    wr_u8(&r.list, 0);
    wr_u16(&r.list, 1);
    wr_u32(&r.list, PidTagSubject);
    struct blob body = mapic_execute_body(a, rops_buffer(&r), 3, 0x8000);
    const char *path = arena_printf(a, "%s/captured.bin", st->dir);
    FILE *f = fopen(path, "wb");
    REQUIRE(f != NULL && fwrite(body.p, 1, body.n, f) == body.n && fclose(f) == 0);
    struct run *out = mapictl(st, "", arena_printf(a, "decode %s", path));
    CHECK_INT(out->rc, 0);
    HAS(out, "RopSetColumns");
    HAS(out, "PidTagSubject");
    f = fopen(path, "wb");
    REQUIRE(f != NULL && fwrite(body.p, 1, 20, f) == 20 && fclose(f) == 0);
    CHECK_INT(mapictl(st, "", arena_printf(a, "decode %s", path))->rc, 1);
    CHECK_INT(mapictl(st, "", "decode /nonexistent")->rc, 1);
    arena_free(a);
}

static const char *capture(struct stack *st, struct arena *a, struct blob body)
{
    const char *path = arena_printf(a, "%s/captured.bin", st->dir);
    FILE *f = fopen(path, "wb");
    REQUIRE(f != NULL && fwrite(body.p, 1, body.n, f) == body.n && fclose(f) == 0);
    return path;
}

/* Notifications behind the answers. */
TEST(captured_notifications_are_decoded)
{
    struct stack *st = stack_shared();
    struct arena *a = arena_new(1 << 20);
    struct wr list = wr_in(a, 4096), w = wr_in(a, 4096);
    static const struct notify_data notes[] = {
        { .handle = 9, .flags = 0x8002, .fid = 0x0500000000000001, .mid = 0x9900000000000001, .message_class = "IPM.Note" },
        { .handle = 8, .flags = 0x8100, .table_event = 4, .row = { 0x0500000000000001, 0x9900000000000001, 0 } },
    };
    wr_bytes(&list, "\x29\x01\0\0\0\0", 6);
    for (size_t i = 0; i < 2; i++)
        notify_data_write(&list, a, &notes[i]);
    wr_bytes(&list, "\x6E\0\0", 3);
    wr_u32(&w, 0);
    wr_u32(&w, 0);
    wr_u32(&w, 0);
    wr_u32(&w, (uint32_t)(8 + 2 + list.n));
    wr_u16(&w, 0);
    wr_u16(&w, 4);
    wr_u16(&w, (uint16_t)(2 + list.n));
    wr_u16(&w, (uint16_t)(2 + list.n));
    wr_u16(&w, (uint16_t)(2 + list.n));
    wr_put(&w, wr_blob(&list));
    wr_u32(&w, 0);
    struct run *out = mapictl(st, "", arena_printf(a, "decode %s --response", capture(st, a, wr_blob(&w))));
    CHECK_INT(out->rc, 0);
    HAS(out, "RopNotify (0x2a) handle=9 logon=0 flags=8002 new mail folder=5 message=99 class=IPM.Note");
    HAS(out, "table row deleted folder=5 message=99");
    HAS(out, "RopPending (0x6e) session=0");
    arena_free(a);
}

/* Connect, its answer with auxiliary blocks, failures; for programs; and every truncation is told, none crashes. */
TEST(captured_connects_are_decoded)
{
    struct stack *st = stack_shared();
    struct arena *a = arena_new(1 << 24);
    struct walk w;
    struct mapic_reply reply;
    const char *why = NULL, *path = capture(st, a, mapic_connect_body(a, "/o=Demo/cn=ana"));
    struct run *out = mapictl(st, "", arena_printf(a, "decode %s", path));
    CHECK_INT(out->rc, 0);
    HAS(out, "Connect request: UserDn \"/o=Demo/cn=ana\"");
    HAS(out, "(1252)");
    walk_init(&w, st, &st->ana);
    REQUIRE(mapic_connect(&w.c, w.a, st->ana.dn, &reply, &why) == ecNone);
    path = capture(st, a, reply.http.body);
    out = mapictl(st, "", arena_printf(a, "decode %s", path));
    CHECK_INT(out->rc, 0);
    HAS(out, "PollsMax");
    HAS(out, "DisplayName              \"Ana"); /* whatever others made of her full name */
    HAS(out, "SERVER_SESSION_INFO");
    json_t *j = json_loads(mapictl(st, "", arena_printf(a, "decode %s --json", path))->text, 0, NULL);
    CHECK(json_is_true(json_object_get(j, "whole")));
    CHECK(json_array_size(json_object_get(j, "lines")) > 5);
    json_decref(j);
    for (size_t n = 1; n < reply.body.n; n += 7) {
        path = capture(st, a, blob_of(reply.body.p, n));
        int rc = mapictl(st, "", arena_printf(a, "decode %s --response", path))->rc;
        unit_check(rc == 0 || rc == 1, __FILE__, __LINE__, "%zu bytes: exit %d", n, rc);
    }
    path = capture(st, a, blob_of("\xf7\x06\0\0\0\0\0", 8));
    out = mapictl(st, "", arena_printf(a, "decode %s --response", path));
    CHECK_INT(out->rc, 0);
    HAS(out, "StatusCode");
    walk_end(&w);
    arena_free(a);
}

TEST(wrong_usage_is_told)
{
    struct stack *st = stack_shared();
    const char *wrong[] = { "", "bogus", "user", "user add", "user add a@b c", "user list extra", "mailbox stat", "probe", "decode",
                            "user add x@example.com --colour red", "user add x@example.com --name", "session show" };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        unit_int(mapictl(st, "pw", wrong[i])->rc, 2, wrong[i], __FILE__, __LINE__);
    const char *failing[] = { "mailbox stat nobody", "user passwd nobody --password-stdin", "user add \"bad name\" --password-stdin",
                              "user add x@example.com --locale nonsense --password-stdin", "probe ana --url ftp://x --password-stdin",
                              "mailbox grant ana Inbox bob emperor", "mailbox grant ana Nowhere bob editor" };
    for (size_t i = 0; i < sizeof failing / sizeof failing[0]; i++)
        unit_int(mapictl(st, "pw", failing[i])->rc, 1, failing[i], __FILE__, __LINE__);
    const char *help[] = { "--help", "user --help", "user add --help", "import --help", "probe --help" };
    for (size_t i = 0; i < sizeof help / sizeof help[0]; i++) {
        unit_int(mapictl(st, "", help[i])->rc, 0, help[i], __FILE__, __LINE__);
        HAS(mapictl(st, "", help[i]), "usage: mapictl");
    }
    setenv("MAPIHTTPD_REDIS", "/a/path/that/is/longer/than/the/room/of/one/hundred/and/eight/bytes/that/the/address/of/a/unix/socket/has/in/it.sock", 1);
    HAS(mapictl(st, "", "session list"), "at most 107");
    unsetenv("MAPIHTTPD_REDIS");
    json_t *error = json_loads(mapictl(st, "", "mailbox stat nobody --json")->text, 0, NULL);
    CHECK(json_is_string(json_object_get(error, "error")));
    json_decref(error);
}

/* A delegate gets in by a grant of the whole mailbox, or of one folder, and not without. */
TEST(grants_open_other_mailboxes)
{
    struct stack *st = stack_shared();
    struct walk w;
    uint32_t handle;
    walk_init(&w, st, &st->bob);
    MUST_STEP(&w, step_connect(&w.s, st->bob.dn));
    CHECK(step_logon(&w.s, st->ana.dn) != ecNone);
    CHECK_INT(mapictl(st, "", "user grant ana bob")->rc, 0);
    MUST_STEP(&w, step_logon(&w.s, st->ana.dn));
    MUST_STEP(&w, step_open_folder(&w.s, w.s.fid[SF_INBOX], &handle));
    CHECK_INT(mapictl(st, "", "user grant ana bob --revoke")->rc, 0);
    CHECK_INT(mapictl(st, "", "mailbox grant ana Inbox bob reviewer")->rc, 0);
    MUST_STEP(&w, step_logon(&w.s, st->ana.dn));
    MUST_STEP(&w, step_open_folder(&w.s, w.s.fid[SF_INBOX], &handle));
    CHECK(step_open_folder(&w.s, w.s.fid[SF_SENT_ITEMS], &handle) != ecNone);
    CHECK_INT(mapictl(st, "", "mailbox grant ana Inbox bob none")->rc, 0);
    STEP(&w, step_disconnect(&w.s));
    walk_end(&w);
}
