/* test_exchange.c - bytes of a real Exchange Server SE: our decoder reads request and answer completely, and our answer to the same request has the
 * same shape, field by field.  What may differ is listed here and nowhere else. */
#include "backend/base/utf.h"
#include "session/rop/auxbuf.h"
#include "tests/unit/backend-mapi/shared.h"
#include "tests/unit/session-rop/desk.h"

/* First in each test: nothing is allocated yet that a skipped test would leave behind. */
static void need_vectors(void)
{
    struct arena *a = arena_new(1 << 20);
    bool there = shared_file(a, "vectors/exchange-se/hierarchy-01-connect.request.bin").n != 0;
    arena_free(a);
    if (!there)
        SKIP("no vectors of Exchange here");
}

static struct blob file(struct arena *a, const char *name)
{
    struct blob b = shared_file(a, arena_printf(a, "vectors/exchange-se/%s", name));
    REQUIRE(b.n != 0);
    return b;
}

/* What follows PROCESSING, DONE, the additional headers and their empty line. */
static struct blob body_of(struct blob b)
{
    const uint8_t *end = memmem(b.p, b.n, "\r\n\r\n", 4);
    REQUIRE(end != NULL);
    struct rd r = rd_blob_of(b);
    rd_take(&r, (size_t)(end - b.p) + 4);
    return rd_rest(&r);
}

/* --- answers as named fields -------------------------------------------------------------------------------------------------------------------- */

struct field { const char *name; uint8_t width; bool may_differ; };

static void compare(const struct field *f, size_t n, struct rd *theirs, struct rd *ours)
{
    for (size_t i = 0; i < n; i++) {
        struct blob t = rd_blob(theirs, f[i].width), o = rd_blob(ours, f[i].width);
        unit_check(rd_ok(theirs) && rd_ok(ours), __FILE__, __LINE__, "%s is missing", f[i].name);
        if (!blob_eq(t, o) && !f[i].may_differ)
            unit_check(false, __FILE__, __LINE__, "%s differs: theirs %llx, ours %llx", f[i].name,
                       (unsigned long long)rd_le(&(struct rd){ t.p, t.n, NULL, 0 }, t.n < 8 ? t.n : 8),
                       (unsigned long long)rd_le(&(struct rd){ o.p, o.n, NULL, 0 }, o.n < 8 ? o.n : 8));
    }
}
#define COMPARE(fields, theirs, ours) compare(fields, sizeof fields / sizeof *fields, theirs, ours)

static const struct field answer_head[] = { { "StatusCode", 4, false }, { "ErrorCode", 4, false }, { "Flags", 4, false } };

/* Their answer's parts; the whole body is read. */
struct theirs { struct blob *payload; size_t payloads; struct rd rops; struct blob table; };

static void open_theirs(struct arena *a, struct blob body, struct theirs *t)
{
    struct rd r = rd_blob_of(body);
    rd_blob(&r, 12);
    struct blob buffer = rd_blob(&r, rd_u32(&r));
    CHECK_INT(rd_u32(&r), 0);
    REQUIRE(rd_done(&r));
    REQUIRE(rpcext_unwrap(buffer, a, &t->payload, &t->payloads));
    REQUIRE(t->payloads == 1);
    struct rd p = rd_blob_of(t->payload[0]);
    t->rops = rd_sub(&p, rd_u16(&p) - 2u);
    t->table = rd_rest(&p);
    REQUIRE(rd_ok(&p));
}

/* The answer to a request built from theirs: the same ROPs with our names and ids. */
static struct rd our_answer(struct desk *d, struct blob rops, uint32_t *table, size_t n, struct blob body)
{
    struct rd r = desk_rops(d, rops, table, n);
    struct rd theirs = rd_blob_of(body), ours = rd_blob_of(d->result.body);
    REQUIRE_EC(d->error, ecNone);
    COMPARE(answer_head, &theirs, &ours);
    CHECK_INT(d->payloads, 1);
    return r;
}

static struct execute parse(struct arena *a, struct blob body)
{
    struct execute q;
    execute_parse(&q, a, body);
    REQUIRE(!q.bad_body && q.status == 0 && q.error == ecNone);
    return q;
}

/* --- Connect ------------------------------------------------------------------------------------------------------------------------------------- */

TEST(connect_request_is_read_completely)
{
    need_vectors();
    struct arena *a = arena_new(1 << 20);
    struct rd r = rd_blob_of(file(a, "hierarchy-01-connect.request.bin"));
    CHECK(rd_asciiz(&r).n > 0);
    CHECK_INT(rd_u32(&r), 0);
    CHECK_INT(rd_u32(&r), 1252);
    CHECK_INT(rd_u32(&r), 0x409);
    CHECK_INT(rd_u32(&r), 0x409);
    CHECK_INT(rd_u32(&r), 0);
    CHECK(rd_done(&r));
    arena_free(a);
}

static const struct auxbuf_block *block_of(const struct auxbuf_block *v, size_t n, uint8_t type)
{
    for (size_t i = 0; i < n; i++)
        if (v[i].type == type)
            return &v[i];
    return NULL;
}

/* Allowed differences: no 0x43 (their host name); packed FastTransfer upload not announced (0x0A for 0x0B); no performance data asked for (0x0C for
 * 0x0D); other text for the client's log. */
TEST(connect_auxiliary_blocks)
{
    need_vectors();
    static const struct { uint8_t type; uint32_t theirs, ours; } flags[] = {
        { 0x46, 0x0B, 0x0A }, { 0x48, 1, 1 }, { 0x17, 2, 2 }, { 0x0A, 0x0D, 0x0C }
    };
    struct arena *a = arena_new(1 << 20);
    struct rd r = rd_blob_of(body_of(file(a, "hierarchy-01-connect.response.bin")));
    rd_blob(&r, 20);
    CHECK_INT(rd_asciiz(&r).n, 0);
    CHECK(rd_utf16z(&r).n > 0);
    struct blob aux = rd_blob(&r, rd_u32(&r));
    REQUIRE(rd_done(&r));
    struct auxbuf_block *theirs, *ours;
    size_t nt, no;
    auxbuf_read(aux, a, &theirs, &nt);
    auxbuf_read(auxbuf_connect(a, "text"), a, &ours, &no);
    CHECK_INT(nt, 6);
    CHECK_INT(no, 5);
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        const struct auxbuf_block *t = block_of(theirs, nt, flags[i].type), *o = block_of(ours, no, flags[i].type);
        REQUIRE(t != NULL && o != NULL);
        struct rd rt = rd_blob_of(t->data), ro = rd_blob_of(o->data);
        CHECK_INT(o->version, t->version);
        CHECK_INT(rd_u32(&rt), flags[i].theirs);
        CHECK_INT(rd_u32(&ro), flags[i].ours);
        CHECK_BLOB(rd_rest(&ro), rd_rest(&rt));
    }
    const struct auxbuf_block *t = block_of(theirs, nt, 0x4B), *o = block_of(ours, no, 0x4B);
    REQUIRE(t != NULL && o != NULL);
    struct rd rt = rd_blob_of(t->data), ro = rd_blob_of(o->data);
    CHECK_INT(rd_u16(&ro), rd_u16(&rt));
    CHECK_BYTES(rd_utf16z(&ro), "74 00 65 00 78 00 74 00");
    CHECK(rd_utf16z(&rt).n > 0 && rd_done(&rt) && rd_done(&ro));
    arena_free(a);
}

/* --- Execute: RopLogon ------------------------------------------------------------------------------------------------------------------------------ */

#define FOLDER_ID { "replid of a folder", 2, false }, { "counter of a folder", 6, true }
static const struct field logon_answer[] = {
    { "RopId", 1, false }, { "OutputHandleIndex", 1, false }, { "ReturnValue", 4, false }, { "LogonFlags", 1, false },
    FOLDER_ID, FOLDER_ID, FOLDER_ID, FOLDER_ID, FOLDER_ID, FOLDER_ID, FOLDER_ID, FOLDER_ID, FOLDER_ID, FOLDER_ID, FOLDER_ID, FOLDER_ID, FOLDER_ID,
    { "ResponseFlags", 1, false }, { "MailboxGuid", 16, true }, { "ReplId", 2, false }, { "ReplGuid", 16, true }, { "LogonTime", 8, true },
    { "GwartTime", 8, true }, { "StoreState", 4, false }
};

/* Their RopLogon with our distinguished name. */
static struct blob our_logon(struct desk *d, struct blob rops)
{
    struct rd r = rd_blob_of(rops);
    struct wr w = wr_in(d->life, 4096);
    wr_put(&w, rd_blob(&r, 12));
    rd_blob(&r, rd_u16(&r));
    REQUIRE(rd_done(&r));
    wr_u16(&w, (uint16_t)(strlen(d->ada.dn) + 1));
    wr_bytes(&w, d->ada.dn, strlen(d->ada.dn) + 1);
    return wr_blob(&w);
}

static uint32_t logged_on(struct desk *d, bool check)
{
    struct execute q = parse(d->life, file(d->life, "hierarchy-02-execute.request.bin"));
    struct blob body = body_of(file(d->life, "hierarchy-02-execute.response.bin"));
    struct theirs t;
    CHECK_INT(q.handles, 1);
    uint32_t table[1] = { q.handle[0] };
    struct rd ours = our_answer(d, our_logon(d, q.rops), table, 1, body);
    open_theirs(d->life, body, &t);
    CHECK_INT(t.table.n, 4);
    if (check) {
        COMPARE(logon_answer, &t.rops, &ours);
        CHECK(rd_done(&t.rops) && rd_done(&ours));
    }
    return table[0];
}

TEST(logon_answer_field_by_field)
{
    need_vectors();
    struct desk *d = desk_new();
    logged_on(d, true);
    desk_end(d);
}

/* --- Execute: OpenFolder, GetHierarchyTable, SetColumns, QueryRows ------------------------------------------------------------------------------------ */

static const struct field open_answer[] = {
    { "RopId", 1, false }, { "OutputHandleIndex", 1, false }, { "ReturnValue", 4, false }, { "HasRules", 1, false }, { "IsGhosted", 1, false },
    { "RopId", 1, false }, { "OutputHandleIndex", 1, false }, { "ReturnValue", 4, false }, { "RowCount of the table", 4, true },
    { "RopId", 1, false }, { "InputHandleIndex", 1, false }, { "ReturnValue", 4, false }, { "TableStatus", 1, false },
    { "RopId", 1, false }, { "InputHandleIndex", 1, false }, { "ReturnValue", 4, false }, { "Origin", 1, false }, { "RowCount", 2, true }
};

static struct blob our_open(struct desk *d, struct blob rops)
{
    struct rd r = rd_blob_of(rops);
    struct wr w = wr_in(d->life, 4096);
    wr_put(&w, rd_blob(&r, 4));
    rd_u64(&r);
    wr_u64(&w, id_wire(REPLID_OWN, d->fid[SF_IPM_SUBTREE]));
    wr_put(&w, rd_rest(&r));
    return wr_blob(&w);
}

struct rows { size_t n; struct blob name[64]; };

/* Rows of PidTagFolderId, PidTagDisplayName, PidTagContentCount, PidTagSubfolders. */
static void rows_read(struct rd *r, struct rows *out)
{
    for (out->n = 0; r->n > 0 && out->n < 64; out->n++) {
        CHECK_INT(rd_u8(r), 0);
        CHECK_INT(id_replid(rd_u64(r)), 1);
        out->name[out->n] = rd_utf16z(r);
        rd_u32(r);
        CHECK(rd_u8(r) <= 1);
    }
    CHECK(rd_done(r));
}

static bool has(const struct rows *rows, struct blob name)
{
    for (size_t i = 0; i < rows->n; i++)
        if (blob_eq(rows->name[i], name))
            return true;
    return false;
}

/* Allowed difference: folders of services that are not here. */
TEST(hierarchy_answer_field_by_field)
{
    need_vectors();
    static const char *const not_here[] = { "ExternalContacts", "Files", "Yammer Root" };
    struct desk *d = desk_new();
    uint32_t table[3] = { logged_on(d, false), 0xFFFFFFFF, 0xFFFFFFFF };
    struct execute q = parse(d->life, file(d->life, "hierarchy-03-execute.request.bin"));
    struct blob body = body_of(file(d->life, "hierarchy-03-execute.response.bin"));
    struct rows theirs, ours;
    struct theirs t;
    CHECK_INT(q.handles, 3);
    struct rd r = our_answer(d, our_open(d, q.rops), table, 3, body);
    open_theirs(d->life, body, &t);
    CHECK_INT(t.table.n, 12);
    COMPARE(open_answer, &t.rops, &r);
    rows_read(&t.rops, &theirs);
    rows_read(&r, &ours);
    CHECK_INT(theirs.n, 15);
    for (size_t i = 0; i < theirs.n; i++) {
        const char *name = arena_str(d->life, utf8_from_utf16(d->life, theirs.name[i]));
        bool missing_is_fine = false;
        for (size_t k = 0; k < sizeof not_here / sizeof *not_here; k++)
            missing_is_fine = missing_is_fine || strcmp(name, not_here[k]) == 0;
        unit_check(missing_is_fine || has(&ours, theirs.name[i]), __FILE__, __LINE__, "we have no folder %s", name);
    }
    for (size_t i = 1; i < ours.n; i++)
        CHECK(blob_cmp(utf8_fold(d->life, utf8_from_utf16(d->life, ours.name[i - 1])), utf8_fold(d->life, utf8_from_utf16(d->life, ours.name[i]))) < 0);
    desk_end(d);
}
