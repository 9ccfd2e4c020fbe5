/* test_bookmark.c - bookmarks across workers, and rows that move or go while a bookmark stands on them (OXCTABL R506). */
#include "tests/flow/walk.h"

static struct blob bookmark(struct walk *w, uint32_t table)
{
    struct mapic_rops r;
    struct mapic_result out;
    struct rop_head h;
    rops_init(&r, w->a);
    rops_head(&r, 0x1B, rops_handle(&r, table));
    uint32_t ec = step_run(&w->s, &r, &out, &h);
    if (!STEP(w, ec))
        unit_leave();
    return rd_blob(&out.rops, rd_u16(&out.rops));
}

static uint32_t seek(struct walk *w, uint32_t table, struct blob mark, bool *gone)
{
    struct mapic_rops r;
    struct mapic_result out;
    struct rop_head h;
    rops_init(&r, w->a);
    rops_head(&r, 0x19, rops_handle(&r, table));
    wr_u16(&r.list, (uint16_t)mark.n);
    wr_put(&r.list, mark);
    wr_u32(&r.list, 0);
    wr_u8(&r.list, 1);
    TRY(step_run(&w->s, &r, &out, &h));
    *gone = rd_u8(&out.rops) != 0;
    return ecNone;
}

static struct blob subject_here(struct walk *w, uint32_t table, uint64_t *mid)
{
    struct propval *rows;
    uint16_t n = 0;
    uint32_t ec = step_query_rows(&w->s, table, true, 1, walk_columns, 4, &rows, &n);
    if (!STEP(w, ec) || !CHECK_INT(n, 1))
        unit_leave();
    *mid = (uint64_t)rows[1].v.i64;
    return rows[0].v.s;
}

TEST(bookmark_stays_with_its_row)
{
    struct stack *st = stack_shared();
    struct walk w;
    uint32_t inbox, table, rows, message;
    int32_t moved;
    bool gone;
    uint64_t mid, again;
    walk_empty(st, &st->bob, SF_INBOX);
    walk_fill(st, &st->bob, SF_INBOX, "Mark", 60);
    walk_begin(&w, st, &st->bob);
    MUST_STEP(&w, step_open_folder(&w.s, w.s.fid[SF_INBOX], &inbox));
    MUST_STEP(&w, step_contents(&w.s, inbox, 0, &table, &rows));
    MUST_STEP(&w, step_set_columns(&w.s, table, walk_columns, 4));
    MUST_STEP(&w, step_sort(&w.s, table, PidTagNormalizedSubject, 0));
    MUST_STEP(&w, step_seek(&w.s, table, 0, 20, &moved));
    struct blob mark = bookmark(&w, table);
    CHECK_BLOB(subject_here(&w, table, &mid), blob_str("Mark 020"));

    /* its row is sorted elsewhere: the bookmark goes with it */
    struct props set = { 0 };
    props_set(w.a, &set, pv_str(PidTagSubject, "Zebra"));
    MUST_STEP(&w, step_open_message(&w.s, w.s.fid[SF_INBOX], mid, 1, &message));
    MUST_STEP(&w, step_set_props(&w.s, message, &set, NULL));
    MUST_STEP(&w, step_save_message(&w.s, message, 0x0A, &again));
    MUST_STEP(&w, seek(&w, table, mark, &gone));
    CHECK(!gone);
    CHECK_BLOB(subject_here(&w, table, &mid), blob_str("Zebra"));
    CHECK_INT(mid, again);

    /* its row goes: told, and the cursor stands where it was */
    MUST_STEP(&w, step_delete_messages(&w.s, inbox, &mid, 1, true));
    MUST_STEP(&w, seek(&w, table, mark, &gone));
    CHECK(gone);

    /* a cursor whose row went: a bookmark made then means the row that is there now */
    MUST_STEP(&w, step_seek(&w.s, table, 0, 30, &moved));
    CHECK_BLOB(subject_here(&w, table, &mid), blob_str("Mark 031"));
    MUST_STEP(&w, step_seek(&w.s, table, 1, -1, &moved));
    MUST_STEP(&w, step_delete_messages(&w.s, inbox, &mid, 1, true));
    mark = bookmark(&w, table);
    MUST_STEP(&w, seek(&w, table, mark, &gone));
    CHECK(!gone);
    CHECK_BLOB(subject_here(&w, table, &mid), blob_str("Mark 032"));
    STEP(&w, step_disconnect(&w.s));
    walk_end(&w);
}
