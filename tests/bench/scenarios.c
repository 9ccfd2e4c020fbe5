/* scenarios.c - the requests that Outlook sends most. */
#include "tests/bench/books.h"
#include <stdlib.h>

static const uint32_t columns[8] = { PidTagNormalizedSubject, PidTagSenderName, PidTagMessageDeliveryTime, PidTagMessageSize,
                                     PidTagMessageFlags, PidTagMessageClass, PidTagImportance, PidTagMid };
static const uint32_t twenty[20] = { PidTagSubject, PidTagNormalizedSubject, PidTagSenderName, PidTagMessageDeliveryTime, PidTagMessageSize, PidTagMessageFlags,
                                     PidTagMessageClass, PidTagImportance, PidTagBody, PidTagEntryId, PidTagRecordKey, PidTagParentEntryId, PidTagSearchKey,
                                     PidTagChangeKey, PidTagDisplayTo, PidTagDisplayCc, PidTagHasAttachments, PidTagLastModificationTime, PidTagCreationTime,
                                     PidTagAccess };

static bool ok(uint32_t ec) { return ec == ecNone; }

/* The hop alone: nginx, FastCGI, identity, headers; no session, so no Redis. */
static bool hop(struct bench_client *b)
{
    const struct mapic_odd none = { .context = "", .sequence = "", .keep_cookies = true };
    struct mapic_reply r;
    const char *why;
    return mapic_call(&b->c, b->turn, "PING", blob_of(NULL, 0), &none, &r, &why) && r.code == 0;
}

static bool ping(struct bench_client *b)
{
    struct mapic_reply r;
    const char *why;
    return mapic_call(&b->c, b->turn, "PING", blob_of(NULL, 0), NULL, &r, &why) && r.code == 0;
}

static bool empty(struct bench_client *b)
{
    struct mapic_rops r;
    struct mapic_result out;
    struct rop_head h;
    rops_init(&r, b->turn);
    return ok(step_run(&b->s, &r, &out, &h));
}

static bool one_property(struct bench_client *b)
{
    uint32_t tag = PidTagDisplayName;
    struct propval v;
    return ok(step_get_props(&b->s, b->s.logon, &tag, 1, &v));
}

/* The session's requests go to one worker, or to each in turn. */
static bool stay(struct bench_client *b)
{
    b->c.route = stack_route[b->seed % b->stack->workers];
    return true;
}

static bool roam(struct bench_client *b)
{
    b->c.turns = stack_route;
    b->c.nturns = b->stack->workers;
    b->c.worker[0] = '\0';
    return true;
}

static bool logon_receive_folder(struct bench_client *b)
{
    struct mapic_rops r;
    struct mapic_result out;
    struct rop_head h;
    const char *dn = b->stack->ana.dn;
    rops_init(&r, b->turn);
    uint8_t at = rops_handle(&r, 0xFFFFFFFF);
    rops_head(&r, 0xFE, at);
    wr_u8(&r.list, 1);
    wr_u32(&r.list, 0x01000000);
    wr_u32(&r.list, 0);
    wr_u16(&r.list, (uint16_t)(strlen(dn) + 1));
    wr_bytes(&r.list, dn, strlen(dn) + 1);
    rops_head(&r, 0x27, at);
    wr_bytes(&r.list, "IPM.Note", 9);
    rops_head(&r, 0x01, at);
    return ok(step_run(&b->s, &r, &out, &h));
}

static bool unwatched(void) { return getenv("BENCH_UNWATCHED") != NULL; }

static bool open_table(struct bench_client *b)
{
    return ok(step_open_folder(&b->s, b->fid, &b->folder)) && ok(step_contents(&b->s, b->folder, unwatched() ? 0x10 : 0, &b->table, &b->rows))
        && ok(step_set_columns(&b->s, b->table, columns, 8));
}

/* One Execute: SeekRowFractional to a random place, QueryRows of 50. */
static bool random_page(struct bench_client *b)
{
    struct mapic_rops r;
    struct mapic_result out;
    struct rop_head h;
    rops_init(&r, b->turn);
    uint8_t at = rops_handle(&r, b->table);
    rops_head(&r, 0x1A, at);
    wr_u32(&r.list, (uint32_t)rand_r(&b->seed) % 1000);
    wr_u32(&r.list, 1060);
    rops_head(&r, 0x15, at);
    wr_u8(&r.list, 0);
    wr_u8(&r.list, 1);
    wr_u16(&r.list, 50);
    if (!ok(step_run(&b->s, &r, &out, &h)) || !mapic_rop(&out, &h) || h.ec != ecNone)
        return false;
    rd_u8(&out.rops);
    return rd_u16(&out.rops) > 0;
}

/* One Execute with the whole way to the first page. */
static bool folder_to_page(struct bench_client *b)
{
    struct mapic_rops r;
    struct mapic_result out;
    struct rop_head h;
    rops_init(&r, b->turn);
    uint8_t logon = rops_handle(&r, b->s.logon), folder = rops_handle(&r, 0xFFFFFFFF), table = rops_handle(&r, 0xFFFFFFFF);
    rops_head(&r, 0x02, logon);
    wr_u8(&r.list, folder);
    wr_u64(&r.list, b->fid);
    wr_u8(&r.list, 0);
    rops_head(&r, 0x05, folder);
    wr_u8(&r.list, table);
    wr_u8(&r.list, 0);
    rops_head(&r, 0x12, table);
    wr_u8(&r.list, 0);
    wr_u16(&r.list, 8);
    for (int i = 0; i < 8; i++)
        wr_u32(&r.list, columns[i]);
    rops_head(&r, 0x15, table);
    wr_u8(&r.list, 0);
    wr_u8(&r.list, 1);
    wr_u16(&r.list, 50);
    rops_head(&r, 0x01, table);
    rops_head(&r, 0x01, folder);
    return ok(step_run(&b->s, &r, &out, &h));
}

static bool remember_mids(struct bench_client *b)
{
    struct propval *rows;
    uint16_t n = 0;
    uint32_t mid = PidTagMid;
    if (!open_table(b) || !ok(step_set_columns(&b->s, b->table, &mid, 1)) || !ok(step_query_rows(&b->s, b->table, true, 50, &mid, 1, &rows, &n)))
        return false;
    for (b->mids = 0; b->mids < n; b->mids++)
        b->mid[b->mids] = (uint64_t)rows[b->mids].v.i64;
    return n > 0;
}

static bool open_message(struct bench_client *b)
{
    struct mapic_rops r;
    struct mapic_result out;
    struct rop_head h;
    rops_init(&r, b->turn);
    uint8_t logon = rops_handle(&r, b->s.logon), message = rops_handle(&r, 0xFFFFFFFF);
    rops_head(&r, 0x03, logon);
    wr_u8(&r.list, message);
    wr_u16(&r.list, 0x0FFF);
    wr_u64(&r.list, b->fid);
    wr_u8(&r.list, 0);
    wr_u64(&r.list, b->mid[(size_t)rand_r(&b->seed) % b->mids]);
    rops_head(&r, 0x07, message);
    wr_u16(&r.list, 0);
    wr_u16(&r.list, 1);
    wr_u16(&r.list, 20);
    for (int i = 0; i < 20; i++)
        wr_u32(&r.list, twenty[i]);
    rops_head(&r, 0x01, message);
    return ok(step_run(&b->s, &r, &out, &h));
}

static bool open_drafts(struct bench_client *b)
{
    b->fid = b->s.fid[SF_OUTBOX];
    return ok(step_open_folder(&b->s, b->fid, &b->folder));
}

/* One Execute: create, set 2 KB of properties, save, release. */
static bool save_message(struct bench_client *b)
{
    struct mapic_rops r;
    struct mapic_result out;
    struct rop_head h;
    struct pv_codec codec = { .a = b->turn, .code_page = 1252 };
    char *body = arena_alloc(b->turn, 1001);
    memset(body, 'x', 1000);
    rops_init(&r, b->turn);
    uint8_t folder = rops_handle(&r, b->folder), message = rops_handle(&r, 0xFFFFFFFF);
    rops_head(&r, 0x06, folder);
    wr_u8(&r.list, message);
    wr_u16(&r.list, 0x0FFF);
    wr_u64(&r.list, b->fid);
    wr_u8(&r.list, 0);
    rops_head(&r, 0x0A, message);
    size_t at = wr_mark(&r.list);
    wr_u16(&r.list, 0);
    wr_u16(&r.list, 3);
    struct propval v[3] = { pv_str(PidTagSubject, "Benchmark"), pv_str(PidTagMessageClass, "IPM.Note"), pv_str(PidTagBody, body) };
    for (int i = 0; i < 3; i++)
        propval_write_tagged(&r.list, &codec, &v[i]);
    wr_patch_u16(&r.list, at, (uint16_t)(r.list.n - at - 2));
    rops_head(&r, 0x0C, message);
    wr_u8(&r.list, message);
    wr_u8(&r.list, 0x0A);
    rops_head(&r, 0x01, message);
    return ok(step_run(&b->s, &r, &out, &h)) && mapic_rop(&out, &h);
}

/* --- the same for who watches: 19 subscriptions and the table; with BENCH_UNWATCHED=1 as many objects that nobody watches --------------------- */
static bool subscribe(struct bench_client *b)
{
    struct mapic_rops r;
    struct mapic_result out;
    struct rop_head h;
    rops_init(&r, b->a);
    uint8_t logon = rops_handle(&r, b->s.logon);
    for (int i = 0; i < 19; i++) {
        rops_head(&r, unwatched() ? 0x02 : 0x29, logon);
        wr_u8(&r.list, rops_handle(&r, 0xFFFFFFFF));
        if (!unwatched())
            wr_bytes(&r.list, "\x7E\0\0", 3);
        wr_u64(&r.list, b->s.fid[i % 13]);
        wr_le(&r.list, 0, unwatched() ? 1 : 8);
    }
    return ok(step_run(&b->s, &r, &out, &h));
}

static bool watch(struct bench_client *b)
{
    uint32_t row, rows;
    if (b->fid == 0)
        b->fid = b->s.fid[4];
    return open_table(b) && ok(step_position(&b->s, b->table, &row, &rows)) && subscribe(b);
}

static bool watch_and_remember(struct bench_client *b) { return remember_mids(b) && subscribe(b); }

/* What an Outlook asks when it starts: XML in, XML out, the directory in between. */
static bool autodiscover(struct bench_client *b)
{
#define OUTLOOK "http://schemas.microsoft.com/exchange/autodiscover/outlook/"
    static const struct mapic_odd odd = { .path = "/autodiscover/autodiscover.xml", .extra = "X-MapiHttpCapability: 1\r\n", .keep_cookies = true };
    static const char body[] = "<?xml version=\"1.0\" encoding=\"utf-8\"?><Autodiscover xmlns=\"" OUTLOOK "requestschema/2006\"><Request><EMailAddress>ana@example.com"
                               "</EMailAddress><AcceptableResponseSchema>" OUTLOOK "responseschema/2006a</AcceptableResponseSchema></Request></Autodiscover>";
    struct mapic_reply reply;
    const char *why = NULL;
    return mapic_call(&b->c, b->turn, "Autodiscover", blob_str(body), &odd, &reply, &why) && reply.http.status == 200
        && memmem(reply.http.body.p, reply.http.body.n, "mapiHttp", 8) != NULL;
#undef OUTLOOK
}

const struct scenario scenarios[] = {
    { "Hop: PING without a session", 0, NULL, hop, 2000 },
    { "PING", 0, NULL, ping, 400 },
    { "Autodiscover", 0, NULL, autodiscover, 400 },
    { "Execute, empty", 0, NULL, empty, 400 },
    { "GetPropertiesSpecific, 1 property", 0, NULL, one_property, 400 },
    { "the same, always the same worker", 0, stay, one_property, 400 },
    { "the same, each request on another worker", 0, roam, one_property, 400 },
    { "Logon + GetReceiveFolder", 0, NULL, logon_receive_folder, 300 },
    { "QueryRows 50x8, of 100", 100, open_table, random_page, 300 },
    { "QueryRows 50x8, of 10,000", 10000, open_table, random_page, 300 },
    { "QueryRows 50x8, of 1,000,000", 1000000, open_table, random_page, 300 },
    { "Open folder, table, columns, 50 rows, release", 10000, NULL, folder_to_page, 200 },
    { "OpenMessage + 20 properties + release", 10000, remember_mids, open_message, 300 },
    { "Execute, empty, 20 watches", 0, watch, empty, 400 },
    { "GetPropertiesSpecific, 1 property, 20 watches", 0, watch, one_property, 400 },
    { "QueryRows 50x8, of 10,000, 20 watches", 10000, watch, random_page, 300 },
    { "OpenMessage + 20 properties + release, 20 watches", 10000, watch_and_remember, open_message, 300 },
    { "Save a new message of 2 KB", 0, open_drafts, save_message, 100 },
    { "Book of 100,000: Bind + Unbind", 0, bench_book_open, bench_book_bind, 200 },
    { "Book of 100,000: ResolveNames, 1 name", 0, bench_book_open, bench_book_resolve_one, 300 },
    { "Book of 100,000: ResolveNames, 100 names", 0, bench_book_open, bench_book_resolve_many, 100 },
    { "Book of 100,000: ResolveNames, 100 names, no rows", 0, bench_book_open, bench_book_check_many, 100 },
    { "Book of 100,000: ResolveNames, 100 x 2 words", 0, bench_book_open, bench_book_resolve_words, 50 },
    { "Book of 100,000: ResolveNames, 100 x 2 common words", 0, bench_book_open, bench_book_resolve_common, 50 },
    { "Book of 100,000: ResolveNames, 100 in a small list", 0, bench_book_open, bench_book_resolve_small, 50 },
    { "Book of 100,000: ResolveNames, 100 addresses", 0, bench_book_open, bench_book_resolve_addresses, 100 },
    { "Book of 100,000: UpdateStat", 0, bench_book_open, bench_book_update_stat, 300 },
    { "Book of 100,000: SeekEntries", 0, bench_book_open, bench_book_seek, 300 },
    { "Book of 100,000: QueryRows 50x8, start", 0, bench_book_open, bench_book_first_page, 200 },
    { "Book of 100,000: QueryRows 50x8, middle", 0, bench_book_open, bench_book_middle_page, 200 },
    { "Book of 100,000: GetMatches by name", 0, bench_book_open, bench_book_matches, 200 },
    { "Book of 100,000: GetProps, 10 properties", 0, bench_book_open, bench_book_props, 300 },
    { "Book of 100,000: GetMatches, all objects read", 0, bench_book_open, bench_book_all_matches, 3 },
};
const size_t scenarios_n = sizeof scenarios / sizeof scenarios[0];
