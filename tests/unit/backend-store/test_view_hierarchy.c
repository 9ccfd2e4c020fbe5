/* test_view_hierarchy.c - tables of folders, rows in memory, rights, columns, what is refused. */
#include "tests/unit/backend-store/viewkit.h"

static uint64_t make(struct mbox *b, uint64_t parent, const char *name)
{
    uint64_t fid = 0;
    bool existed;
    REQUIRE_EC(folder_create(b->m, parent, name, "", false, false, &fid, &existed), ecNone);
    return fid;
}

struct names { const char *s[64]; int32_t depth[64]; size_t n; struct arena *a; };

static bool take(void *ctx, const struct table_row *row)
{
    struct names *t = ctx;
    t->s[t->n] = arena_str(t->a, props_str(&row->cols, PidTagDisplayName));
    t->depth[t->n++] = props_i32(&row->cols, PidTagDepth, -1);
    return t->n < 64;
}

static void read_names(struct mbox *b, struct view *v, struct names *t)
{
    static const uint32_t tags[] = { PidTagDisplayName, PidTagDepth };
    struct table_pos pos = { .end = false };
    *t = (struct names){ .a = b->a };
    CHECK_EC(view_read(v, &pos, true, 60, tags, 2, take, t), ecNone);
}

static bool leaf(void *ctx, const struct table_row *row)
{
    return CHECK_INT(props_i32(&row->cols, PidTagRowType, 0), 1) && ctx == NULL; /* TBL_LEAF_ROW */
}

struct tree { struct mbox b; uint64_t top, a, aa, o, z; };

static struct tree plant(void)
{
    struct tree t = { .b = mbox_with("sqlite", 0x041D) };
    t.top = kit_folder(&t.b, "top");
    REQUIRE_EC(mailbox_write(t.b.m), ecNone);
    t.z = make(&t.b, t.top, "zebra");
    t.a = make(&t.b, t.top, "Anton");
    t.aa = make(&t.b, t.a, "under Anton");
    t.o = make(&t.b, t.top, "Örjan");
    make(&t.b, t.aa, "deepest");
    REQUIRE_EC(mailbox_commit(t.b.m), ecNone);
    return t;
}

static struct table_def children(uint64_t fid, uint32_t locale)
{
    return (struct table_def){ .kind = TABLE_HIERARCHY, .fid = fid, .locale = locale };
}

TEST(children_by_name)
{
    struct tree t = plant();
    struct table_def sv = children(t.top, 0x041D), de = children(t.top, 0x0407);
    struct names n;
    read_names(&t.b, kit_open(&t.b, &sv), &n);
    REQUIRE(n.n == 3);
    CHECK_STR(n.s[0], "Anton");
    CHECK_STR(n.s[1], "zebra");
    CHECK_STR(n.s[2], "Örjan");
    read_names(&t.b, kit_open(&t.b, &de), &n);
    CHECK_STR(n.s[1], "Örjan");
    CHECK_INT(n.depth[0], 1);
    mbox_end(&t.b);
}

/* OXCFOLD R801: all levels; parents before children. */
TEST(deep)
{
    struct tree t = plant();
    struct table_def d = children(t.top, 0x041D);
    struct names n;
    d.deep = true;
    read_names(&t.b, kit_open(&t.b, &d), &n);
    REQUIRE(n.n == 5);
    CHECK_STR(n.s[2], "Örjan");
    CHECK_STR(n.s[3], "under Anton");
    CHECK_INT(n.depth[3], 2);
    CHECK_STR(n.s[4], "deepest");
    CHECK_INT(n.depth[4], 3);
    d = children(mailbox_info(t.b.m)->fid[SF_ROOT], 0x041D);
    d.deep = true;
    CHECK_INT(kit_count(kit_open(&t.b, &d)), mbox_sql(&t.b, "SELECT count(*) - 1 FROM folder"));
    mbox_end(&t.b);
}

/* OXCTABL R833, R836, R849, R845, R854, R858: restriction, rows, seek, position, fraction, find. */
TEST(everything_that_tables_can)
{
    struct tree t = plant();
    struct table_def d = children(t.top, 0x041D);
    struct restriction r = kit_relation(RELOP_GE, pv_i32(PidTagContentCount, 1)), name = kit_content(FL_PREFIX, FL_IGNORECASE, pv_str(PidTagDisplayName, "ö"));
    struct restriction id = kit_equal(pv_i64(PidTagFolderId, (int64_t)id_wire(REPLID_OWN, t.z)));
    struct table_pos pos = { .end = false };
    uint32_t row, rows;
    int32_t moved;
    struct names n;
    struct view *v = kit_open(&t.b, &d);
    CHECK_EC(view_find(v, &pos, true, &name), ecNone);
    CHECK_EC(view_position(v, &pos, &row, &rows), ecNone);
    CHECK_INT(row, 2);
    CHECK_INT(rows, 3);
    CHECK_EC(view_find(v, &pos, false, &id), ecNone);
    CHECK_INT(pos.id, t.z);
    CHECK_EC(view_seek(v, &pos, 5, &moved), ecNone);
    CHECK_INT(moved, 2);
    CHECK(pos.end);
    CHECK_EC(view_seek(v, &pos, -9, &moved), ecNone);
    CHECK_INT(moved, -3);
    CHECK_EC(view_read(v, &pos, true, 1, (const uint32_t[]){ PidTagRowType }, 1, leaf, NULL), ecNone);
    kit_save(&t.b, t.o, &(struct kit_msg){ .sender = "x", .time = 1 });
    d.filter = &r;
    read_names(&t.b, kit_open(&t.b, &d), &n);
    CHECK_INT(n.n, 1);
    CHECK_STR(n.s[0], "Örjan");
    d.filter = NULL;
    d.sort = (struct sortorder){ .n = 2, .col = { { PidTagContentCount, SORT_DESCENDING }, { PidTagDisplayName, SORT_DESCENDING } } };
    read_names(&t.b, kit_open(&t.b, &d), &n);
    CHECK_STR(n.s[0], "Örjan");
    CHECK_STR(n.s[1], "zebra");
    CHECK_STR(n.s[2], "Anton");
    mbox_end(&t.b);
}

/* A position stays good while folders come and go. */
TEST(folders_come_and_go)
{
    struct tree t = plant();
    struct table_def d = children(t.top, 0x041D);
    struct table_pos pos;
    uint64_t id[2];
    bool partial = false, there;
    CHECK_EC(view_seek_to(kit_open(&t.b, &d), 1, &pos), ecNone);
    REQUIRE_EC(mailbox_write(t.b.m), ecNone);
    REQUIRE_EC(folder_delete(t.b.m, t.top, t.z, DEL_FOLDERS | DEL_MESSAGES | DELETE_HARD_DELETE, &partial), ecNone);
    make(&t.b, t.top, "bertil");
    REQUIRE_EC(mailbox_commit(t.b.m), ecNone);
    struct view *v = kit_open(&t.b, &d);
    CHECK_EC(view_has(v, &pos, &there), ecNone);
    CHECK(!there);
    CHECK_INT(kit_ids(v, &pos, true, 1, id), 0 + 1);
    CHECK_INT(id[0], t.o);
    mbox_end(&t.b);
}

TEST(rights)
{
    struct tree t = plant();
    struct table_def rows = kit_table(t.a, 0, NULL), folders = children(t.top, 0x041D);
    struct view *v;
    REQUIRE_EC(mailbox_write(t.b.m), ecNone);
    REQUIRE_EC(permission_set(t.b.m, t.top, "/o=Demo/cn=eve", RIGHT_FOLDER_VISIBLE), ecNone);
    REQUIRE_EC(permission_set(t.b.m, t.a, "/o=Demo/cn=eve", RIGHT_FOLDER_VISIBLE), ecNone);
    REQUIRE_EC(permission_set(t.b.m, t.z, "/o=Demo/cn=eve", 0), ecNone);
    REQUIRE_EC(permission_set(t.b.m, t.o, "/o=Demo/cn=eve", 0), ecNone);
    REQUIRE_EC(mailbox_commit(t.b.m), ecNone);
    mbox_as(&t.b, ACTOR_DELEGATE, "/o=Demo/cn=eve");
    CHECK_EC(view_open(t.b.m, &rows, &v), ecAccessDenied);
    CHECK_INT(kit_count(kit_open(&t.b, &folders)), 1);
    mbox_again(&t.b);
    REQUIRE_EC(mailbox_write(t.b.m), ecNone);
    REQUIRE_EC(permission_set(t.b.m, t.a, "/o=Demo/cn=eve", RIGHT_FOLDER_VISIBLE | RIGHT_READ_ANY), ecNone);
    REQUIRE_EC(mailbox_commit(t.b.m), ecNone);
    mbox_as(&t.b, ACTOR_DELEGATE, "/o=Demo/cn=eve");
    CHECK_EC(view_open(t.b.m, &rows, &v), ecNone);
    mbox_end(&t.b);
}

TEST(refused)
{
    struct mbox b = mbox_new();
    uint64_t fid = kit_folder(&b, "f");
    struct view *v;
    struct restriction regex = { .kind = RES_PROPERTY, .property = { RELOP_RE, PidTagSubject, pv_str(PidTagSubject, "x") } };
    const uint32_t one = PROP_TAG(0x6801, PtypString | PtypMultipleInstance), two = PROP_TAG(0x6802, PtypString | PtypMultipleInstance);
    struct table_def d = kit_table(fid, 2, (struct sortcol[]){ { one, SORT_ASCENDING }, { two, SORT_ASCENDING } });
    CHECK_EC(view_open(b.m, &d, &v), ecTooComplex);
    d = kit_table(fid, 1, (struct sortcol[]){ { PidTagSubject, SORT_ASCENDING } });
    d.sort.categories = 1;
    CHECK_EC(view_open(b.m, &d, &v), ecTooComplex);
    d.sort.categories = 0;
    d.filter = &regex;
    CHECK_EC(view_open(b.m, &d, &v), ecTooComplex);
    struct restriction few = { .kind = RES_COUNT, .count = { 3, &(struct restriction){ .kind = RES_EXIST, .exist = { PidTagSubject } } } };
    d.filter = &few;
    CHECK_EC(view_open(b.m, &d, &v), ecTooComplex);
    d.filter = NULL;
    d.fid = 0x777777;
    CHECK_EC(view_open(b.m, &d, &v), ecNotFound);
    mbox_end(&b);
}

TEST(columns)
{
    struct tree t = plant();
    struct table_def rows = kit_table(t.a, 0, NULL), folders = children(t.top, 0x041D);
    struct tags c = { 0 }, h = { 0 };
    CHECK_EC(view_columns(kit_open(&t.b, &rows), &c), ecNone);
    CHECK_EC(view_columns(kit_open(&t.b, &folders), &h), ecNone);
    CHECK(tags_has(&c, PidTagSubject) && tags_has(&c, PidTagMessageDeliveryTime) && tags_has(&c, PidTagInstID) && !tags_has(&c, PidTagMessageRecipients));
    CHECK(tags_has(&h, PidTagDisplayName) && tags_has(&h, PidTagSubfolders));
    mbox_end(&t.b);
}

/* Columns outside the hot ones, computed ones, large ones (their first LARGE_PREFIX bytes), and those that are not there. */
static bool look(void *ctx, const struct table_row *row)
{
    const struct propval *v = row->cols.v;
    CHECK_INT(row->cols.n, 5);
    CHECK(v[0].v.i32 == 42 && prop_type(v[0].tag) == PtypInteger32);
    CHECK_INT(v[1].v.bin.n, 70);
    CHECK_INT(v[2].v.bin.n, LARGE_PREFIX);
    CHECK_INT(prop_type(v[3].tag), PtypErrorCode);
    CHECK_INT(v[3].v.err, ecNotFound);
    CHECK_INT(v[4].v.s.n, LARGE_PREFIX / 2);
    *(int *)ctx += 1;
    return true;
}

TEST(cold_and_large_columns)
{
    struct mbox b = mbox_new();
    uint64_t fid = kit_folder(&b, "f");
    char *text = arena_alloc(b.a, 9001);
    struct msg m = { 0 };
    struct message_save s = { .fid = fid, .over = &m };
    memset(text, 'x', 9000);
    props_set(b.a, &m.set, pv_i32(KIT_INT, 42));
    props_set(b.a, &m.set, pv_bin(PROP_TAG(0x6802, PtypBinary), blob_of(text, 9000)));
    props_set(b.a, &m.set, pv_str(PROP_TAG(0x6803, PtypString), text));
    REQUIRE_EC(mailbox_write(b.m), ecNone);
    REQUIRE_EC(message_save(b.m, &s), ecNone);
    REQUIRE_EC(mailbox_commit(b.m), ecNone);
    const uint32_t tags[] = { KIT_INT, PidTagEntryId, PROP_TAG(0x6802, PtypBinary), PROP_TAG(0x6804, PtypString), PROP_TAG(0x6803, PtypString) };
    int rows = 0;
    struct restriction in = kit_content(FL_SUBSTRING, 0, pv_str(PROP_TAG(0x6803, PtypString), "xxx"));
    struct table_def d[3] = { kit_table(fid, 0, NULL), kit_table(fid, 1, (struct sortcol[]){ { PROP_TAG(0x6803, PtypString), SORT_DESCENDING } }), kit_table(fid, 0, NULL) };
    d[2].filter = &in;
    for (int i = 0; i < 3; i++) {
        struct table_pos pos = { .end = false };
        CHECK_EC(view_read(kit_open(&b, &d[i]), &pos, true, 5, tags, 5, look, &rows), ecNone);
    }
    CHECK_INT(rows, 3);
    mbox_end(&b);
}
