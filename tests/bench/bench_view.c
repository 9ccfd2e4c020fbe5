/* bench_view.c - what tables cost: folders of 100, 10,000 and 1,000,000 messages; CPU microseconds per page at a random position, per position,
 * per fractional seek, per search by key, per insert and view.
 *
 *     bench view [DIRECTORY [MESSAGES...]]
 *
 * Messages are made by SQL (about 2 KB each, as real ones), tables are opened as a worker does it for every request: a lease, the view, the work. */
#include "backend/base/arena.h"
#include "backend/store/db.h"
#include "backend/store/message.h"
#include "backend/store/view.h"
#include "backend/store/view_int.h"
#include "tests/bench/bench.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 2000, PAGE = 50 };

static const uint32_t hot[] = { PidTagInstID, PidTagMessageClass, PidTagSenderName, PidTagNormalizedSubject, PidTagMessageDeliveryTime, PidTagMessageSize,
                                PidTagMessageFlags, PidTagHasAttachments };

struct box { struct store *s; struct store_options o; struct guid id; uint64_t fid; uint64_t n; unsigned seed; };

static double cpu_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void need(ec_t ec, const char *what)
{
    if (ec == ecNone)
        return;
    fprintf(stderr, "bench view: %s: %s at %s\n", what, err_name(ec), err_place());
    exit(1);
}

/* --- folders ---------------------------------------------------------------------------------------------------------------------------------- */
static void script(const struct box *b, const char *sql)
{
    struct db *db;
    need(db_open(&db_sqlite, &(struct db_open){ b->o.path, b->id, false, 65536, 2000 }, &db), "open");
    need(db_script(db, "bench", sql), "fill");
    db_close(db);
}

static void fill(const struct box *b)
{
    struct arena *a = arena_new(1 << 20);
    unsigned long long fid = b->fid, n = b->n;
    script(b, arena_printf(a, "BEGIN;"
        "WITH RECURSIVE c(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM c WHERE i + 1 < %llu)"
        " INSERT INTO message (mid, fid, assoc, is_read, flags, cn, size, created, modified, class, subject_prefix, normalized_subject, sender_name,"
        "  display_to, delivered, importance, topic, internet_id)"
        " SELECT 1000000 + i, %llu, 0, i %% 2, 1, i, 2000 + i %% 5000, i, i, 'IPM.Note', 'RE: ', 'Report number ' || (i * 7919 %% 1000003) || ' about the budget',"
        "  'Sender ' || (i * 31 %% 5003), 'Ada Lovelace', 130000000000000000 + i * 600000000, 1, 'Report', '<' || i || '@example.com>' FROM c;"
        "INSERT INTO message_body (mid, pcl, props, rcpts) SELECT mid, zeroblob(23), zeroblob(1400), zeroblob(120) FROM message WHERE fid = %llu;"
        "UPDATE folder SET total = %llu WHERE fid = %llu; COMMIT;", n, fid, fid, n, fid));
    arena_free(a);
}

static struct box make(const char *dir, uint64_t n)
{
    struct box b = { .o = { .driver = "sqlite", .path = dir, .pool_files = 4, .cache_kib = 8192, .busy_ms = 5000 }, .id = guid_new(), .n = n, .seed = 1 };
    struct arena *a = arena_new(16 << 20);
    const char *why = "";
    struct mailbox *m;
    bool existed;
    b.s = store_new(&b.o, a, &why);
    if (b.s == NULL) {
        fprintf(stderr, "bench view: %s\n", why);
        exit(1);
    }
    struct mailbox_new new = { .id = b.id, .owner_dn = "/o=Bench/cn=ada", .display_name = "Ada", .smtp = "ada@example.com", .locale = 0x0409,
                               .quota_warn = -1, .quota_send = -1, .quota_receive = -1 };
    need(mailbox_create(b.s, a, &new), "create");
    need(mailbox_open(b.s, a, &b.id, &(struct actor){ ACTOR_SYSTEM, "" }, &m), "open");
    need(mailbox_write(m), "write");
    need(folder_create(m, mailbox_info(m)->fid[SF_IPM_SUBTREE], "bench", "", false, false, &b.fid, &existed), "folder");
    need(view_folder_removed(m, b.fid), "views"); /* the messages come by SQL: their views are built afterwards */
    need(mailbox_commit(m), "commit");
    arena_free(a);
    fill(&b);
    return b;
}

/* --- one request -------------------------------------------------------------------------------------------------------------------------------- */
struct visit { struct box *b; struct arena *a; struct mailbox *m; struct view *v; };
typedef void (*visit_fn)(struct visit *q);

static bool sink(void *ctx, const struct table_row *row)
{
    *(size_t *)ctx += row->cols.n;
    return true;
}

static uint32_t any_row(struct box *b)
{
    return (uint32_t)(((uint64_t)rand_r(&b->seed) << 16 ^ (uint64_t)rand_r(&b->seed)) % b->n);
}

static void do_open(struct visit *q) { (void)q; }

static void do_seek(struct visit *q)
{
    struct table_pos pos;
    need(view_seek_to(q->v, any_row(q->b), &pos), "seek");
}

/* A table position as it comes out of a session: seek once, forget the view, read there. */
static void do_page(struct visit *q)
{
    size_t cells = 0;
    struct table_pos pos;
    need(view_seek_to(q->v, any_row(q->b), &pos), "seek");
    need(view_read(q->v, &pos, true, PAGE, hot, sizeof hot / sizeof *hot, sink, &cells), "read");
}

static void do_top(struct visit *q)
{
    size_t cells = 0;
    struct table_pos pos = { .end = false };
    need(view_read(q->v, &pos, true, PAGE, hot, sizeof hot / sizeof *hot, sink, &cells), "read");
}

static void do_position(struct visit *q)
{
    uint32_t row, rows;
    struct table_pos pos;
    need(view_seek_to(q->v, any_row(q->b), &pos), "seek");
    need(view_position(q->v, &pos, &row, &rows), "position");
}

static void do_find(struct visit *q)
{
    char name[32];
    struct table_pos pos = { .end = false };
    snprintf(name, sizeof name, "Sender %d", rand_r(&q->b->seed) % 5003);
    struct restriction r = { .kind = RES_PROPERTY, .property = { RELOP_GE, PidTagSenderName, pv_str(PidTagSenderName, name) } };
    ec_t ec = view_find(q->v, &pos, true, &r);
    need(ec == ecNotFound ? ecNone : ec, "find");
}

static void visit(struct box *b, const struct table_def *d, visit_fn fn)
{
    struct visit q = { .b = b, .a = arena_new(64 << 20) };
    need(mailbox_open(b->s, q.a, &b->id, &(struct actor){ ACTOR_SYSTEM, "" }, &q.m), "open");
    need(view_open(q.m, d, &q.v), "table");
    fn(&q);
    arena_free(q.a);
}

static double measure(struct box *b, const struct table_def *d, visit_fn fn)
{
    for (int i = 0; i < ROUNDS / 10; i++)
        visit(b, d, fn);
    double t = cpu_us();
    for (int i = 0; i < ROUNDS; i++)
        visit(b, d, fn);
    return (cpu_us() - t) / ROUNDS;
}

static double build(struct box *b, const struct table_def *d)
{
    double t = cpu_us();
    visit(b, d, do_open);
    return (cpu_us() - t) / (double)b->n;
}

/* CPU of a new message with the views that the folder has, commit included. */
static double insert(struct box *b)
{
    enum { N = 200 };
    double t = cpu_us();
    for (int i = 0; i < N; i++) {
        struct arena *a = arena_new(16 << 20);
        struct mailbox *m;
        struct msg msg = { 0 };
        struct message_save s = { .fid = b->fid, .over = &msg };
        props_set(a, &msg.set, pv_str(PidTagSenderName, "Somebody new"));
        props_set(a, &msg.set, pv_time(PidTagMessageDeliveryTime, 131000000000000000u + (uint64_t)i));
        need(mailbox_open(b->s, a, &b->id, &(struct actor){ ACTOR_SYSTEM, "" }, &m), "open");
        need(mailbox_write(m), "write");
        need(message_save(m, &s), "save");
        need(mailbox_commit(m), "commit");
        arena_free(a);
    }
    return (cpu_us() - t) / N;
}

static void one_size(const char *dir, uint64_t n)
{
    double t = cpu_us();
    struct box b = make(dir, n);
    struct table_def time_down = { .kind = TABLE_CONTENTS, .fid = b.fid, .locale = 0x0409 };
    struct table_def name_up = time_down;
    name_up.sort = (struct sortorder){ .n = 1, .col = { { PidTagSenderName, SORT_ASCENDING } } };
    printf("%8llu messages (made in %.1f s of CPU)\n", (unsigned long long)n, (cpu_us() - t) / 1e6);
    printf("  build, us per row:         by time %.1f", build(&b, &time_down));
    double without = insert(&b);
    printf(", by name %.1f\n", build(&b, &name_up));
    printf("  lease and open:            %.1f\n", measure(&b, &time_down, do_open));
    printf("  first page %d x 8:         %.1f\n", PAGE, measure(&b, &time_down, do_top));
    printf("  seek to a fraction:        %.1f by time, %.1f by name\n", measure(&b, &time_down, do_seek), measure(&b, &name_up, do_seek));
    printf("  seek, page %d x 8:         %.1f by time, %.1f by name\n", PAGE, measure(&b, &time_down, do_page), measure(&b, &name_up, do_page));
    printf("  seek, position:            %.1f by time, %.1f by name\n", measure(&b, &time_down, do_position), measure(&b, &name_up, do_position));
    printf("  find by name:              %.1f\n", measure(&b, &name_up, do_find));
    double with = insert(&b);
    printf("  save and commit a message: %.1f with one view, %.1f with two\n", without, with);
    fflush(stdout);
    store_free(b.s);
}

int bench_view(int argc, char **argv)
{
    char dir[] = "/tmp/bench-view-XXXXXX";
    const char *path = argc > 1 ? argv[1] : mkdtemp(dir);
    static const uint64_t sizes[] = { 100, 10000, 1000000 };
    printf("CPU microseconds; each measure includes taking a lease and opening the table\n");
    if (argc > 2)
        for (int i = 2; i < argc; i++)
            one_size(path, strtoull(argv[i], NULL, 10));
    else
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
            one_size(path, sizes[i]);
    printf("files are in %s\n", path);
    return 0;
}
