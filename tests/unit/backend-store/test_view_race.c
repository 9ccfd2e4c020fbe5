/* test_view_race.c - several threads on one mailbox: some write, some open tables that nobody has built yet, some page through; in the end every
 * view is right and nobody saw a page out of order. */
#include "backend/store/view_int.h"
#include "tests/unit/backend-store/viewkit.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { WRITERS = 2, READERS = 2, MANY = 12000, FIRST = 1000000, SAVES = 150, TABLES = 6 };

struct race { struct mbox *b; uint64_t fid; atomic_int writing; atomic_int bad; };
struct runner { struct race *r; unsigned seed; pthread_t t; };

static struct mailbox *lease(struct race *r, struct arena *a)
{
    struct mailbox *m = NULL;
    if (mailbox_open(r->b->s, a, &r->b->id, &(struct actor){ ACTOR_SYSTEM, "" }, &m) != ecNone)
        atomic_fetch_add(&r->bad, 1);
    return m;
}

static ec_t write_one(struct race *r, struct arena *a, struct mailbox *m, unsigned *seed)
{
    uint64_t mid = FIRST + (uint64_t)rand_r(seed) % MANY;
    bool partial = false;
    struct msg over = { 0 };
    struct message_save s = { .fid = r->fid, .mid = rand_r(seed) % 2 ? mid : 0, .force = true, .over = &over };
    props_set(a, &over.set, pv_time(PidTagMessageDeliveryTime, (uint64_t)rand_r(seed) % 1000));
    props_set(a, &over.set, pv_str(PidTagSenderName, rand_r(seed) % 2 ? "left" : "right"));
    TRY(mailbox_write(m));
    ec_t ec = rand_r(seed) % 4 == 0 ? messages_delete(m, r->fid, &mid, 1, true, &partial) : message_save(m, &s);
    if (ec == ecNone)
        return mailbox_commit(m);
    mailbox_abort(m);
    return ec;
}

static void *writer(void *ctx)
{
    struct runner *me = ctx;
    for (int i = 0; i < SAVES; i++) {
        struct arena *a = arena_new(16 << 20);
        struct mailbox *m = lease(me->r, a);
        ec_t ec = m != NULL ? write_one(me->r, a, m, &me->seed) : ecNone;
        if (ec != ecNone && ec != ecNotFound && ec != ecServerBusy)
            atomic_fetch_add(&me->r->bad, 1);
        arena_free(a);
    }
    atomic_fetch_sub(&me->r->writing, 1);
    return NULL;
}

struct order { int64_t last; uint64_t id; bool up, wrong; };

static bool in_order(void *ctx, const struct table_row *row)
{
    struct order *o = ctx;
    int64_t t = row->cols.v[0].v.i64;
    if (o->id != 0 && (o->up ? t < o->last : t > o->last))
        o->wrong = true;
    o->last = t;
    o->id = row->id;
    return true;
}

/* A table that is there or has to be built, a place in it, a page from there. */
static ec_t read_one(struct race *r, struct mailbox *m, unsigned *seed)
{
    static const uint32_t tags[] = { PidTagMessageDeliveryTime };
    struct order o = { .up = rand_r(seed) % 2 };
    struct restriction ne = { .kind = RES_PROPERTY, .property = { RELOP_NE, PidTagMessageSize, pv_i32(PidTagMessageSize, rand_r(seed) % TABLES) } };
    struct table_def d = kit_table(r->fid, 1, (struct sortcol[]){ { PidTagMessageDeliveryTime, o.up ? SORT_ASCENDING : SORT_DESCENDING } });
    struct table_pos pos;
    uint32_t row, rows;
    struct view *v;
    d.filter = &ne;
    TRY(view_open(m, &d, &v));
    TRY(view_seek_to(v, (uint32_t)rand_r(seed) % MANY, &pos));
    TRY(view_position(v, &pos, &row, &rows));
    TRY(view_read(v, &pos, true, 40, tags, 1, in_order, &o));
    if (o.wrong || row > rows)
        atomic_fetch_add(&r->bad, 1);
    return ecNone;
}

static void *reader(void *ctx)
{
    struct runner *me = ctx;
    while (atomic_load(&me->r->writing) > 0) {
        struct arena *a = arena_new(16 << 20);
        struct mailbox *m = lease(me->r, a);
        ec_t ec = m != NULL ? read_one(me->r, m, &me->seed) : ecNone;
        if (ec != ecNone && ec != ecServerBusy)
            atomic_fetch_add(&me->r->bad, 1);
        arena_free(a);
    }
    return NULL;
}

TEST_LIMIT(writers_and_readers, 120)
{
    struct mbox b = mbox_new();
    struct race r = { .b = &b, .fid = kit_folder(&b, "race") };
    struct runner run[WRITERS + READERS];
    atomic_store(&r.writing, WRITERS);
    REQUIRE_EC(mailbox_write(b.m), ecNone);
    REQUIRE_EC(view_folder_removed(b.m, r.fid), ecNone);
    REQUIRE_EC(mailbox_commit(b.m), ecNone);
    kit_bulk(&b, r.fid, FIRST, MANY);
    for (unsigned i = 0; i < WRITERS + READERS; i++) {
        run[i] = (struct runner){ .r = &r, .seed = i + 1 };
        REQUIRE(pthread_create(&run[i].t, NULL, i < WRITERS ? writer : reader, &run[i]) == 0);
    }
    for (size_t i = 0; i < WRITERS + READERS; i++)
        pthread_join(run[i].t, NULL);
    CHECK_INT(atomic_load(&r.bad), 0);
    mbox_again(&b);
    kit_clean(&b);
    CHECK(mbox_sql(&b, "SELECT count(*) FROM view WHERE state = 1 AND usual = 0") >= 2);
    mbox_end(&b);
}
