/* test_errors.c - an error answer leaves the session usable: whatever was wrong with a request, the next correct one, with the same cookies, works, and finds its
 * half-written message as it was. */
#include "tests/flow/walk.h"
#include <signal.h>
#include <stdio.h>
#include <string.h>

struct desk { struct walk w; uint32_t inbox, draft; };

static void sit_down(struct desk *d, struct stack *st)
{
    struct props set = { 0 };
    walk_begin(&d->w, st, &st->ana);
    MUST_STEP(&d->w, step_open_folder(&d->w.s, d->w.s.fid[SF_INBOX], &d->inbox));
    MUST_STEP(&d->w, step_create_message(&d->w.s, d->inbox, d->w.s.fid[SF_INBOX], &d->draft));
    props_set(d->w.a, &set, pv_str(PidTagSubject, "Half-written"));
    MUST_STEP(&d->w, step_set_props(&d->w.s, d->draft, &set, NULL));
}

static void still_good(struct desk *d, const char *after)
{
    static const uint32_t tag = PidTagSubject;
    struct propval v[1];
    uint32_t ec = step_get_props(&d->w.s, d->draft, &tag, 1, v);
    unit_check(ec == ecNone && prop_type(v[0].tag) == PtypString && blob_eq(v[0].v.s, blob_str("Half-written")), __FILE__, __LINE__,
               "after %s: %s (X-ResponseCode %d, worker %s)", after, ec == STEP_LOST ? "lost" : err_name(ec), d->w.s.code, d->w.c.worker);
}

/* --- X-ResponseCodes ------------------------------------------------------------------------------------------------- */

static struct blob good_body(struct desk *d)
{
    struct mapic_rops r;
    rops_init(&r, d->w.a);
    rops_head(&r, 0x07, rops_handle(&r, d->draft));
    wr_u16(&r.list, 0);
    wr_u16(&r.list, 1);
    wr_u16(&r.list, 1);
    wr_u32(&r.list, PidTagSubject);
    return mapic_execute_body(d->w.a, rops_buffer(&r), 3, 0x10008);
}

/* What is wrong with the head of a request; what it is answered with: HTTP status, X-ResponseCode. */
static const struct head {
    const char *name, *type;
    struct mapic_odd odd;
    int http, code;
} heads[] = {
    { "another verb", "Execute", { .verb = "PUT" }, 200, 2 },
    { "a wrong path", "Execute", { .path = "/mapi/other/" }, 200, 3 },
    { "a request id that is none", "Execute", { .request_id = "nonsense" }, 200, 4 },
    { "a header that came twice", "Execute", { .extra = "X-RequestId: {0f0f0f0f-2222-3333-4444-555555555555}:1\r\n" }, 200, 4 },
    { "an unknown request type", "Nonsense", { NULL }, 200, 5 },
    { "a request type of the other endpoint", "QueryRows", { NULL }, 200, 5 },
    { "a context cookie that nobody made", "Execute", { .context = "Invalid cookie" }, 200, 6 },
    { "a sequence cookie that nobody made", "Execute", { .sequence = "Invalid cookie" }, 200, 6 },
    { "no request id", "Execute", { .without = "X-RequestId" }, 200, 7 },
    { "no request type", "Execute", { .without = "X-RequestType" }, 200, 7 },
    { "no content type", "Execute", { .without = "Content-Type" }, 200, 7 },
    { "no cookies", "Execute", { .context = "", .sequence = "" }, 200, 13 },
    { "no sequence cookie", "Execute", { .sequence = "" }, 200, 13 },
    { "no cookies for a Disconnect", "Disconnect", { .context = "", .sequence = "" }, 200, 13 },
    { "a wrong password", "Execute", { .without = "Authorization", .extra = "Authorization: Basic YW5hQGV4YW1wbGUuY29tOndyb25n\r\n" }, 401, -1 },
    { "nobody's name", "Execute", { .without = "Authorization" }, 401, -1 },
};

static void send_odd(struct desk *d, const char *name, const char *type, struct blob body, const struct mapic_odd *odd, int http, int code)
{
    struct mapic_reply r = { .code = -2 };
    const char *why = "";
    struct mapic_odd o = *odd;
    o.keep_cookies = true; /* an error changes nothing for the client */
    size_t turns = d->w.c.nturns;
    if (http == 413 || code == 18) /* nginx's own: no worker's turn */
        d->w.c.nturns = 0;
    bool ok = mapic_call(&d->w.c, d->w.a, type, body, &o, &r, &why);
    d->w.c.nturns = turns;
    unit_check(ok && r.http.status == http && r.code == code, __FILE__, __LINE__, "%s: HTTP %d, X-ResponseCode %d instead of %d, %d; %s", name, r.http.status, r.code,
               http, code, ok ? "" : why);
}

TEST_LIMIT(every_response_code_leaves_the_session_usable, 120)
{
    struct stack *st = stack_shared();
    struct desk d;
    sit_down(&d, st);
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        send_odd(&d, heads[i].name, heads[i].type, good_body(&d), &heads[i].odd, heads[i].http, heads[i].code);
        still_good(&d, heads[i].name);
    }
    walk_end(&d.w);
}

/* Codes that the body or the moment provokes. */
TEST_LIMIT(bodies_and_moments_that_are_refused, 120)
{
    static const uint8_t rubbish[3] = { 1, 2, 3 };
    struct stack *st = stack_shared();
    struct desk d;
    const struct mapic_odd plain = { NULL };
    sit_down(&d, st);
    uint8_t *large = arena_alloc(d.w.a, 9u << 20);
    memset(large, 0, 9u << 20);
    send_odd(&d, "a body that is too large", "Execute", blob_of(large, 3u << 20), &plain, 200, 9);
    still_good(&d, "a body that is too large");
    send_odd(&d, "a body beyond nginx's limit", "Execute", blob_of(large, 9u << 20), &plain, 413, -1);
    still_good(&d, "a body beyond nginx's limit");

    char old_context[512], old_sequence[512];
    snprintf(old_context, sizeof old_context, "%s", d.w.c.context);
    snprintf(old_sequence, sizeof old_sequence, "%s", d.w.c.sequence);
    still_good(&d, "nothing");
    still_good(&d, "nothing");
    send_odd(&d, "an old sequence cookie", "Execute", mapic_execute_body(d.w.a, blob_of(rubbish, 0), 3, 0x10008),
             &(struct mapic_odd){ .context = old_context, .sequence = old_sequence }, 200, 15);
    still_good(&d, "an old sequence cookie");

    struct mapic_reply r; /* a body that cannot be read consumes its number: the client takes the new cookies */
    const char *why;
    CHECK(mapic_call(&d.w.c, d.w.a, "Execute", blob_of(rubbish, 3), NULL, &r, &why));
    CHECK_INT(r.code, 12);
    still_good(&d, "a body that cannot be read");
    CHECK(mapic_call(&d.w.c, d.w.a, "Disconnect", blob_of(rubbish, 3), NULL, &r, &why));
    CHECK_INT(r.code, 12);
    still_good(&d, "a Disconnect that cannot be read");
    CHECK(mapic_call(&d.w.c, d.w.a, "Connect", blob_of(rubbish, 3), &(struct mapic_odd){ .context = "", .sequence = "", .keep_cookies = true }, &r, &why));
    CHECK_INT(r.code, 12);
    still_good(&d, "a Connect that cannot be read");

    struct walk gone; /* another session of the same user ends; a third is another user's */
    walk_begin(&gone, st, &st->ana);
    snprintf(old_context, sizeof old_context, "%s", gone.c.context);
    STEP(&gone, step_disconnect(&gone.s));
    send_odd(&d, "the cookie of a session that has ended", "Execute", good_body(&d), &(struct mapic_odd){ .context = old_context, .sequence = gone.c.sequence }, 200, 10);
    still_good(&d, "the cookie of a session that has ended");
    walk_end(&gone);
    struct walk bob;
    walk_begin(&bob, st, &st->bob);
    send_odd(&d, "the cookies of another user", "Execute", good_body(&d), &(struct mapic_odd){ .context = bob.c.context, .sequence = bob.c.sequence }, 200, 10);
    still_good(&d, "the cookies of another user");
    walk_end(&bob);
    walk_end(&d.w);
}

/* Code 1: Redis is away; the same request works when it is back. */
TEST_LIMIT(a_server_failure_leaves_the_session_usable, 120)
{
    struct stack *st = stack_start(&(struct stack_options){ .workers = 2 });
    struct desk d;
    sit_down(&d, st);
    stack_redis_stop(st);
    send_odd(&d, "Redis is away", "Execute", good_body(&d), &(struct mapic_odd){ NULL }, 200, 1);
    stack_redis_start(st);
    still_good(&d, "Redis was away");
    stack_kill(st, 0, SIGKILL);
    stack_kill(st, 1, SIGKILL);
    send_odd(&d, "no worker is there", "Execute", good_body(&d), &(struct mapic_odd){ NULL }, 200, 18);
    stack_worker(st, 0);
    stack_worker(st, 1);
    still_good(&d, "no worker was there");
    walk_end(&d.w);
    stack_stop(st);
}

/* --- ErrorCodes ------------------------------------------------------------------------------------------------------ */

static struct blob raw(struct desk *d, const char *hex) { return arena_blob(d->w.a, unhex(hex)); }

/* ROP buffers that are wrong as a whole, and what comes of them: StatusCode, ErrorCode. */
static const struct buffer { const char *name, *hex; uint32_t status, error; } buffers[] = {
    { "a RopSize beyond the buffer", "0000 0400 0600 0600 ff00 ffffffff", 0, ecRpcFormat },
    { "a ROP that is cut", "0000 0400 0a00 0a00 0400 0200 ffffffff 0000", 0, ecRpcFormat },
    { "a RopSize of 1", "0000 0400 0600 0600 0100 ffffffff", 0, ecRpcFormat },
    { "a reserved RopId", "0000 0400 0900 0900 0500 000000 ffffffff", 0, ecRpcFormat },
};

static bool execute_raw(struct desk *d, struct blob buffer, uint32_t max_out, struct mapic_result *out)
{
    const char *why;
    *out = (struct mapic_result){ 0 };
    return mapic_call(&d->w.c, d->w.a, "Execute", mapic_execute_body(d->w.a, buffer, 3, max_out), NULL, &out->reply, &why) && out->reply.code == 0 &&
           mapic_decode(d->w.a, out->reply.body, out);
}

TEST_LIMIT(every_error_code_leaves_the_session_usable, 120)
{
    struct stack *st = stack_shared();
    struct desk d;
    struct mapic_result out;
    sit_down(&d, st);
    for (size_t i = 0; i < sizeof buffers / sizeof buffers[0]; i++) {
        CHECK(execute_raw(&d, raw(&d, buffers[i].hex), 0x10008, &out));
        unit_check(out.status == buffers[i].status && out.error == buffers[i].error, __FILE__, __LINE__, "%s: status %u, error %s", buffers[i].name, out.status,
                   err_name(out.error));
        still_good(&d, buffers[i].name);
    }
    struct mapic_rops r; /* no room for any answer */
    rops_init(&r, d.w.a);
    rops_head(&r, 0x07, rops_handle(&r, d.draft));
    wr_u16(&r.list, 0);
    wr_u16(&r.list, 1);
    wr_u16(&r.list, 0);
    CHECK(execute_raw(&d, rops_buffer(&r), 4, &out));
    CHECK(out.status != 0 || out.error != 0);
    still_good(&d, "no room for the answer");
    walk_end(&d.w);
}

/* --- ROPs that fail, each in its own way ------------------------------------------------------------------------------ */

/* A ROP on one of: the draft, the folder, the logon, a handle that was never given, one that was released. */
enum on { DRAFT, FOLDER, LOGON, NEVER, RELEASED };
static const struct failing { const char *name; uint8_t id; enum on on; const char *rest; ec_t ec; } failing[] = {
    { "a handle that was never given", 0x07, NEVER, "0000 0100 0000", ecNullObject },
    { "a handle that was released", 0x07, RELEASED, "0000 0100 0000", ecInvalidObject },
    { "rows of a folder", 0x15, FOLDER, "00 01 0100", ecNotSupported },
    { "saving a folder", 0x5D, FOLDER, "", ecNotSupported },
    { "a message that is not there", 0x03, LOGON, "01 ff0f 0100000000000001 00 0100000000000002", ecNotFound },
    { "a folder that is not there", 0x02, LOGON, "01 0100000000aabbcc 00", ecNotFound },
    { "a stream on a property that is not there", 0x2B, DRAFT, "01 1f003f00 00", ecNotFound },
    { "an attachment that is not there", 0x22, DRAFT, "01 00 63000000", ecNotFound },
    { "a folder with a name that is there", 0x1C, FOLDER, "01 01 01 00 00 41004200 0000 0000", ecNone },
    { "the same folder again", 0x1C, FOLDER, "01 01 01 00 00 41004200 0000 0000", ecCollidingNames },
};

static uint32_t handle_on(struct desk *d, enum on on, uint32_t released)
{
    const uint32_t of[] = { [DRAFT] = d->draft, [FOLDER] = d->inbox, [LOGON] = d->w.s.logon, [NEVER] = 0x00123456, [RELEASED] = released };
    return of[on];
}

TEST_LIMIT(every_failing_rop_leaves_the_session_usable, 120)
{
    struct stack *st = stack_shared();
    struct desk d;
    uint32_t released;
    sit_down(&d, st);
    MUST_STEP(&d.w, step_open_folder(&d.w.s, d.w.s.fid[SF_OUTBOX], &released));
    MUST_STEP(&d.w, step_release(&d.w.s, released));
    for (size_t i = 0; i < sizeof failing / sizeof failing[0]; i++) {
        const struct failing *f = &failing[i];
        struct mapic_rops r;
        struct mapic_result out;
        struct rop_head h = { 0 };
        rops_init(&r, d.w.a);
        rops_head(&r, f->id, rops_handle(&r, handle_on(&d, f->on, released)));
        rops_handle(&r, 0xFFFFFFFF);
        wr_put(&r.list, unhex(f->rest));
        uint32_t ec = step_run(&d.w.s, &r, &out, &h);
        unit_check(ec == f->ec, __FILE__, __LINE__, "%s: %s instead of %s (X-ResponseCode %d)", f->name, ec == STEP_LOST ? "lost" : err_name(ec), err_name(f->ec),
                   d.w.s.code);
        still_good(&d, f->name);
    }
    walk_end(&d.w);
    CHECK_INT(walk_findings(st, &st->ana), 0);
}
