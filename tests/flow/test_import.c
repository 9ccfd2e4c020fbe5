/* test_import.c - mapictl import against a running installation: files of every kind go in, and come back through nginx as a client reads them. */
#include "backend/store/named.h"
#include "tests/flow/walk.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- running it -------------------------------------------------------------------------------------------------------------------------------- */

struct report { int rc; json_t *json; long long imported, known, failed; };

static const char *program(struct arena *a)
{
    char self[400];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    REQUIRE(n > 0);
    self[n] = '\0';
    *strrchr(self, '/') = '\0';
    return arena_printf(a, "%s/mapictl", self);
}

/* The words behind "mapictl", as a shell has them; what it prints on standard output is JSON. */
static struct report run(struct walk *w, const char *before, const char *words)
{
    static char text[1 << 20];
    FILE *p = popen(arena_printf(w->a, "%s %s --json --config %s/a.conf %s 2>>%s/import.log", before, program(w->a), w->stack->dir, words, w->stack->dir), "r");
    REQUIRE(p != NULL);
    size_t n = fread(text, 1, sizeof text - 1, p);
    text[n] = '\0';
    int status = pclose(p);
    struct report r = { .rc = WIFEXITED(status) ? WEXITSTATUS(status) : -1, .json = json_loads(text, 0, NULL) };
    r.imported = json_integer_value(json_object_get(r.json, "imported"));
    r.known = json_integer_value(json_object_get(r.json, "known"));
    r.failed = json_integer_value(json_object_get(r.json, "failed"));
    return r;
}

static void expect(struct walk *w, const char *words, int rc, long long imported, long long known, long long failed)
{
    struct report r = run(w, "", arena_printf(w->a, "import %s", words));
    bool ok = CHECK_INT(r.rc, rc);
    ok = CHECK_INT(r.imported, imported) && ok;
    ok = CHECK_INT(r.known, known) && ok;
    ok = CHECK_INT(r.failed, failed) && ok;
    if (!ok)
        fprintf(stderr, "    mapictl import %s\n", words);
    json_decref(r.json);
}

/* --- files ------------------------------------------------------------------------------------------------------------------------------------- */

static const char *directory(struct walk *w, const char *name)
{
    const char *path = arena_printf(w->a, "%s/%s", w->stack->dir, name);
    mkdir(path, 0700);
    return path;
}

static void file(struct walk *w, const char *dir, const char *name, const char *text)
{
    FILE *f = fopen(arena_printf(w->a, "%s/%s", dir, name), "wb");
    REQUIRE(f != NULL);
    fputs(text, f);
    REQUIRE(fclose(f) == 0);
}

static const char *maildir(struct walk *w, const char *name)
{
    const char *path = directory(w, name);
    directory(w, arena_printf(w->a, "%s/cur", name));
    directory(w, arena_printf(w->a, "%s/new", name));
    directory(w, arena_printf(w->a, "%s/tmp", name));
    return path;
}

static const char *simple(struct walk *w, const char *subject) { return arena_printf(w->a, "From: a@b.c\nSubject: %s\n\nbody of %s\n", subject, subject); }

/* --- reading back ------------------------------------------------------------------------------------------------------------------------------ */

/* The folder with this name anywhere in the visible tree, as a client finds it; 0: none. */
static uint64_t folder(struct walk *w, const char *name, uint64_t *parent)
{
    const uint32_t tags[] = { PidTagDisplayName, PidTagFolderId, PidTagParentFolderId };
    struct propval *rows;
    uint32_t subtree, table, count;
    uint16_t n = 0;
    MUST_STEP(w, step_open_folder(&w->s, w->s.fid[SF_IPM_SUBTREE], &subtree));
    MUST_STEP(w, step_hierarchy(&w->s, subtree, 4, &table, &count)); /* Depth */
    MUST_STEP(w, step_set_columns(&w->s, table, tags, 3));
    MUST_STEP(w, step_query_rows(&w->s, table, true, 500, tags, 3, &rows, &n));
    for (unsigned i = 0; i < n; i++)
        if (prop_type(rows[i * 3].tag) == PtypString && blob_eq(rows[i * 3].v.s, blob_str(name))) {
            if (parent != NULL)
                *parent = (uint64_t)rows[i * 3 + 2].v.i64;
            return (uint64_t)rows[i * 3 + 1].v.i64;
        }
    return 0;
}

enum { COL_SUBJECT, COL_MID, COL_FLAGS, COL_TO, COL_ATTACH, COL_CLASS, COLS };
static const uint32_t columns[COLS] = { PidTagSubject, PidTagMid, PidTagMessageFlags, PidTagDisplayTo, PidTagHasAttachments, PidTagMessageClass };

/* All rows of a folder by subject. */
static unsigned rows_of(struct walk *w, uint64_t fid, struct propval **rows)
{
    uint32_t handle, table, count;
    uint16_t n = 0;
    REQUIRE(fid != 0);
    MUST_STEP(w, step_open_folder(&w->s, fid, &handle));
    MUST_STEP(w, step_contents(&w->s, handle, 0, &table, &count));
    MUST_STEP(w, step_set_columns(&w->s, table, columns, COLS));
    MUST_STEP(w, step_sort(&w->s, table, PidTagNormalizedSubject, 0));
    if (count != 0)
        MUST_STEP(w, step_query_rows(&w->s, table, true, 500, columns, COLS, rows, &n));
    CHECK_INT(n, count);
    return n;
}

static unsigned count_of(struct walk *w, const char *name)
{
    struct propval *rows;
    return rows_of(w, folder(w, name, NULL), &rows);
}

static void begin(struct walk *w)
{
    struct stack *st = stack_shared();
    walk_begin(w, st, &st->ana);
}

static void finish(struct walk *w)
{
    STEP(w, step_disconnect(&w->s));
    walk_end(w);
    CHECK_INT(walk_findings(stack_shared(), &stack_shared()->ana), 0);
}

/* --- tests ------------------------------------------------------------------------------------------------------------------------------------- */

static const char with_attachment[] =
    "From: =?utf-8?q?J=C3=BCrgen?= <j@example.com>\nTo: One <one@x>, Two <two@x>\nDate: Mon, 1 Jan 2024 12:00:00 +0000\nSubject: Re: =?utf-8?q?=C3=84rger?=\n"
    "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain; charset=koi8-r\n\n\xf0\xd2\xc9\n--b\n"
    "Content-Type: application/pdf\nContent-Transfer-Encoding: base64\nContent-Disposition: attachment; filename*=utf-8''%C3%A4.pdf\n\nUERG\n--b--\n";

TEST(a_mail_comes_back_as_a_client_reads_it)
{
    struct walk w;
    begin(&w);
    const char *dir = directory(&w, "one");
    file(&w, dir, "one.eml", with_attachment);
    expect(&w, arena_printf(w.a, "ana %s --folder 'Import one'", dir), 0, 1, 0, 0);
    struct propval *rows, v[5];
    uint64_t fid = folder(&w, "Import one", NULL);
    REQUIRE(rows_of(&w, fid, &rows) == 1);
    CHECK_BLOB(rows[COL_SUBJECT].v.s, blob_str("Re: Ärger"));
    CHECK_BLOB(rows[COL_TO].v.s, blob_str("One; Two"));
    CHECK(rows[COL_ATTACH].v.b);
    uint32_t message, stream, size;
    static const uint32_t tags[] = { PidTagBody, PidTagNormalizedSubject, PidTagSenderName, PidTagClientSubmitTime, PidTagTransportMessageHeaders };
    MUST_STEP(&w, step_open_message(&w.s, fid, (uint64_t)rows[COL_MID].v.i64, 0, &message));
    MUST_STEP(&w, step_get_props(&w.s, message, tags, 5, v));
    CHECK_BLOB(v[0].v.s, blob_str("При"));
    CHECK_BLOB(v[1].v.s, blob_str("Ärger"));
    CHECK_BLOB(v[2].v.s, blob_str("Jürgen"));
    CHECK_INT(v[3].v.i64, (1704110400ll + 11644473600ll) * 10000000ll);
    CHECK(v[4].v.s.n > 100 && memcmp(v[4].v.s.p, "From: =?utf-8?q?J", 17) == 0);

    struct mapic_rops r; /* RopOpenAttachment, number 0 */
    struct mapic_result out;
    struct rop_head h;
    struct blob bytes;
    rops_init(&r, w.a);
    rops_head(&r, 0x22, rops_handle(&r, message));
    wr_u8(&r.list, rops_handle(&r, 0xFFFFFFFF));
    wr_u8(&r.list, 0);
    wr_u32(&r.list, 0);
    MUST_STEP(&w, step_run(&w.s, &r, &out, &h));
    uint32_t attachment = out.handle[1];
    MUST_STEP(&w, step_get_props(&w.s, attachment, (uint32_t[]){ PidTagAttachLongFilename, PidTagAttachMimeTag }, 2, v));
    CHECK_BLOB(v[0].v.s, blob_str("ä.pdf"));
    CHECK_BLOB(v[1].v.s, blob_str("application/pdf"));
    MUST_STEP(&w, step_open_stream(&w.s, attachment, PidTagAttachDataBinary, 0, &stream, &size));
    CHECK_INT(size, 3);
    MUST_STEP(&w, step_read_stream(&w.s, stream, 100, &bytes));
    CHECK_BLOB(bytes, blob_str("PDF"));
    finish(&w);
}

TEST(a_second_run_finds_nothing_new)
{
    struct walk w;
    begin(&w);
    const char *dir = directory(&w, "again");
    file(&w, dir, "a.eml", simple(&w, "a"));
    file(&w, dir, "b.eml", simple(&w, "b"));
    file(&w, dir, "ignored.txt", "not mail");
    expect(&w, arena_printf(w.a, "ana %s --folder Again", dir), 0, 2, 0, 0);
    expect(&w, arena_printf(w.a, "ana %s --folder Again", dir), 0, 0, 2, 0);
    file(&w, dir, "c.eml", simple(&w, "c"));
    expect(&w, arena_printf(w.a, "ana %s %s/c.eml --folder again", dir, dir), 0, 1, 3, 0); /* the same file twice, the folder in other case */
    CHECK_INT(count_of(&w, "Again"), 3);
    expect(&w, arena_printf(w.a, "ana %s/c.eml --folder 'Elsewhere'", dir), 0, 1, 0, 0); /* the same mail may lie in two folders */
    expect(&w, arena_printf(w.a, "ana - --folder Again <%s/c.eml", dir), 0, 0, 1, 0);
    finish(&w);
}

TEST(failures_are_named_and_stop_nothing)
{
    struct walk w;
    begin(&w);
    const char *dir = directory(&w, "bad");
    file(&w, dir, "1-empty.eml", "");
    file(&w, dir, "2-good.eml", simple(&w, "good"));
    file(&w, dir, "3-binary.eml", "\x01\x02\xff\xfe");
    file(&w, dir, "4-outlook.eml", "\xD0\xCF\x11\xE0 and so on");
    REQUIRE(mkfifo(arena_printf(w.a, "%s/pipe", dir), 0600) == 0);
    struct report r = run(&w, "", arena_printf(w.a, "import ana %s/nowhere %s/pipe %s --folder Bad", dir, dir, dir));
    CHECK_INT(r.rc, 3);
    CHECK_INT(r.imported, 2);
    CHECK_INT(r.failed, 4);
    const char *want[] = { "/nowhere", "/pipe", "/1-empty.eml", "/4-outlook.eml" };
    for (size_t i = 0; i < 4; i++) {
        json_t *one = json_array_get(json_object_get(r.json, "failures"), i);
        const char *name = json_string_value(json_object_get(one, "file"));
        CHECK(name != NULL && strlen(name) > strlen(want[i]) && strcmp(name + strlen(name) - strlen(want[i]), want[i]) == 0);
        CHECK(json_string_length(json_object_get(one, "error")) > 5);
    }
    json_decref(r.json);
    CHECK_INT(count_of(&w, "Bad"), 2);
    finish(&w);
}

TEST(a_maildir_becomes_folders)
{
    struct walk w;
    begin(&w);
    const char *dir = maildir(&w, "md");
    file(&w, dir, "cur/1.x:2,S", simple(&w, "seen"));
    file(&w, dir, "new/2.x", simple(&w, "unseen"));
    file(&w, dir, "tmp/3.x", simple(&w, "unfinished"));
    file(&w, dir, "dovecot.index", "not mail");
    file(&w, maildir(&w, "md/.Work"), "cur/4.x:2,", simple(&w, "work"));
    file(&w, maildir(&w, "md/.Work.Proj&AOQ-"), "cur/5.x:2,RF", simple(&w, "project"));
    expect(&w, arena_printf(w.a, "ana %s --folder Maildir", dir), 0, 4, 0, 0);
    expect(&w, arena_printf(w.a, "ana %s --folder Maildir", dir), 0, 0, 4, 0);
    struct propval *rows;
    uint64_t top = folder(&w, "Maildir", NULL), parent = 0, work = folder(&w, "Work", &parent);
    CHECK_INT(parent, top);
    CHECK(folder(&w, "Projä", &parent) != 0);
    CHECK_INT(parent, work);
    REQUIRE(rows_of(&w, top, &rows) == 2);
    CHECK_BLOB(rows[COL_SUBJECT].v.s, blob_str("seen"));
    CHECK(rows[COL_FLAGS].v.i32 & 1);
    CHECK(!(rows[COLS + COL_FLAGS].v.i32 & 1));
    CHECK_INT(count_of(&w, "Work"), 1);
    CHECK_INT(count_of(&w, "Projä"), 1);
    finish(&w);
}

/* Without a folder given, the Maildir is the Inbox, and its sent mail is sent mail. */
TEST(a_maildir_is_a_mailbox)
{
    struct walk w;
    struct stack *st = stack_shared();
    begin(&w);
    walk_empty(st, &st->ana, SF_INBOX);
    walk_empty(st, &st->ana, SF_SENT_ITEMS);
    const char *dir = maildir(&w, "md2");
    file(&w, dir, "cur/1.x:2,S", simple(&w, "to the inbox"));
    file(&w, maildir(&w, "md2/.Sent"), "cur/2.x:2,S", simple(&w, "to sent items"));
    expect(&w, arena_printf(w.a, "ana %s", dir), 0, 2, 0, 0);
    CHECK_INT(walk_count(st, &st->ana, SF_INBOX, "to the inbox"), 1);
    CHECK_INT(walk_count(st, &st->ana, SF_SENT_ITEMS, "to sent items"), 1);
    finish(&w);
}

TEST(an_mbox_gives_its_messages_and_their_flags)
{
    struct walk w;
    begin(&w);
    const char *dir = directory(&w, "boxes");
    file(&w, dir, "x.mbox", "From a@b Mon Jan  1 12:00:00 2024\nStatus: RO\nSubject: 1 read\n\n>From me\n\nFrom a@b Mon Jan  1 12:00:00 2024\nSubject: 2 new\n\nx\n");
    file(&w, dir, "Thunderbird", "From - Mon Jan  1 12:00:00 2024\nX-Mozilla-Status: 0001\nSubject: 3 no extension\n\nx\n\n"
                                    "From - Mon Jan  1 12:00:00 2024\nX-Mozilla-Status: 0009\nSubject: 4 expunged\n\nx\n");
    expect(&w, arena_printf(w.a, "ana %s --folder Boxes", dir), 0, 3, 0, 0);
    struct propval *rows, v[1];
    uint32_t message;
    uint64_t fid = folder(&w, "Boxes", NULL);
    REQUIRE(rows_of(&w, fid, &rows) == 3);
    CHECK_BLOB(rows[COL_SUBJECT].v.s, blob_str("1 read"));
    CHECK(rows[COL_FLAGS].v.i32 & 1);
    CHECK(!(rows[COLS + COL_FLAGS].v.i32 & 1));
    CHECK(rows[2 * COLS + COL_FLAGS].v.i32 & 1);
    MUST_STEP(&w, step_open_message(&w.s, fid, (uint64_t)rows[COL_MID].v.i64, 0, &message));
    MUST_STEP(&w, step_get_props(&w.s, message, (uint32_t[]){ PidTagBody }, 1, v));
    CHECK_BLOB(v[0].v.s, blob_str("From me\r\n"));
    finish(&w);
}

TEST(folders_are_found_anywhere_by_name_or_path)
{
    struct walk w;
    begin(&w);
    const char *dir = directory(&w, "find");
    file(&w, dir, "a.eml", simple(&w, "a"));
    expect(&w, arena_printf(w.a, "ana %s --folder 'Top/Middle/Deep'", dir), 0, 1, 0, 0);
    expect(&w, arena_printf(w.a, "ana %s --folder 'deep'", dir), 0, 0, 1, 0);
    expect(&w, arena_printf(w.a, "ana %s --folder 'Top/Other/Deep'", dir), 0, 1, 0, 0);
    expect(&w, arena_printf(w.a, "ana %s --folder 'Deep'", dir), 1, 0, 0, 0); /* which one? */
    expect(&w, arena_printf(w.a, "ana %s --folder 'top/middle/deep'", dir), 0, 0, 1, 0);
    finish(&w);
}

TEST(exit_codes_tell_what_went_wrong)
{
    struct walk w;
    begin(&w);
    struct report r = run(&w, "", "import ana");
    CHECK_INT(r.rc, 2);
    r = run(&w, "", "import ana x --no-such-option y");
    CHECK_INT(r.rc, 2);
    r = run(&w, "", "import nobody@example.com x");
    CHECK_INT(r.rc, 1);
    finish(&w);
}

/* X- lines become named properties, but strangers cannot use up the ids of a mailbox. */
TEST(names_made_by_mail_are_limited)
{
    struct walk w;
    begin(&w);
    const char *dir = directory(&w, "names");
    FILE *f = fopen(arena_printf(w.a, "%s/names.mbox", dir), "wb");
    REQUIRE(f != NULL);
    for (int i = 0; i < 50; i++) {
        fprintf(f, "From a@b Mon Jan  1 12:00:00 2024\nSubject: names\n");
        for (int n = 0; n < 50; n++)
            fprintf(f, "X-Flood-%d: x\n", i * 50 + n);
        fputs("\nbody\n\n", f);
    }
    REQUIRE(fclose(f) == 0);
    expect(&w, arena_printf(w.a, "bob %s --folder Names", dir), 0, 50, 0, 0);
    struct mailbox *m;
    struct propname *names;
    uint16_t *ids;
    size_t n = 0;
    REQUIRE_EC(mailbox_open(w.stack->store, w.a, &w.stack->bob.mailbox, &(struct actor){ ACTOR_OWNER, "" }, &m), ecNone);
    REQUIRE_EC(named_list(m, &PS_INTERNET_HEADERS, &names, &ids, &n), ecNone);
    CHECK_INT(n, 2000);
    mailbox_close(m);
    finish(&w);
}

/* Stopped in the middle and started again: all of it is there, once. */
TEST_LIMIT(an_interrupted_import_goes_on, 120)
{
    struct walk w;
    enum { MANY = 3000 };
    begin(&w);
    const char *dir = directory(&w, "many");
    FILE *f = fopen(arena_printf(w.a, "%s/many.mbox", dir), "wb");
    REQUIRE(f != NULL);
    for (int i = 0; i < MANY; i++)
        fprintf(f, "From a@b Mon Jan  1 12:00:00 2024\nFrom: a@b.c\nSubject: many %d\n\nbody\n\n", i);
    REQUIRE(fclose(f) == 0);
    long long imported = 0;
    const char *signals[] = { "INT", "KILL", "TERM" };
    for (int i = 0; i < 3; i++) {
        struct report r = run(&w, arena_printf(w.a, "timeout -s %s 0.%d", signals[i], 2 + i), arena_printf(w.a, "import ana %s --folder Many", dir));
        CHECK(r.rc == 0 || r.rc == 1 || r.rc == 124 || r.rc == 137);
        if (signals[i][0] != 'K') /* who is killed tells nothing */
            CHECK(r.json != NULL);
        json_decref(r.json);
    }
    struct report r = run(&w, "", arena_printf(w.a, "import ana %s --folder Many", dir));
    imported = r.imported + r.known;
    CHECK_INT(r.rc, 0);
    CHECK_INT(imported, MANY);
    json_decref(r.json);
    uint32_t handle, table, count;
    MUST_STEP(&w, step_open_folder(&w.s, folder(&w, "Many", NULL), &handle));
    MUST_STEP(&w, step_contents(&w.s, handle, 0, &table, &count));
    CHECK_INT(count, MANY);
    finish(&w);
}

/* Every mail of the shared corpus is imported, opened and read whole. */
TEST_LIMIT(real_mail_is_imported_and_read_back, 120)
{
    struct walk w;
    const char *shared = getenv("MAPIHTTPD_SHARED");
    struct arena *a = arena_new(1 << 20);
    const char *dir = arena_printf(a, "%s/corpus", shared != NULL ? shared : "../shared");
    if (access(dir, R_OK) != 0)
        SKIP("no shared corpus");
    begin(&w);
    struct report r = run(&w, "", arena_printf(w.a, "import ana %s --folder Corpus", dir));
    CHECK_INT(r.rc, 0);
    CHECK(r.imported >= 45);
    CHECK_INT(r.failed, 0);
    struct propval *rows;
    uint64_t fid = folder(&w, "Corpus", NULL);
    unsigned n = rows_of(&w, fid, &rows);
    CHECK_INT(n, r.imported);
    json_decref(r.json);
    for (unsigned i = 0; i < n; i++) {
        uint32_t message, stream, size = 0;
        struct propval v[3];
        MUST_STEP(&w, step_open_message(&w.s, fid, (uint64_t)rows[i * COLS + COL_MID].v.i64, 0, &message));
        MUST_STEP(&w, step_get_props(&w.s, message, (uint32_t[]){ PidTagSubject, PidTagMessageDeliveryTime, PidTagMessageSize }, 3, v));
        CHECK_INT(v[0].tag, PidTagSubject);
        CHECK_INT(v[1].tag, PidTagMessageDeliveryTime);
        CHECK(v[2].v.i32 > 100);
        if (step_open_stream(&w.s, message, PidTagBody, 0, &stream, &size) == ecNone && size > 0) {
            struct blob piece;
            MUST_STEP(&w, step_read_stream(&w.s, stream, 4096, &piece));
            CHECK_INT(piece.n, size < 4096 ? size : 4096);
        }
        STEP(&w, step_release(&w.s, message));
    }
    finish(&w);
    arena_free(a);
}
