/* test_bodies.c - the bodies of Connect, Execute, Disconnect and PING, field by field.  MS-OXCMAPIHTTP 2.2.4, 2.2.6. */
#include "backend/base/utf.h"
#include "tests/flow/walk.h"

static struct mapic_reply call(struct walk *w, const char *type, struct blob body)
{
    struct mapic_reply r = { .code = -2 };
    const char *why = NULL;
    unit_check(mapic_call(&w->c, w->a, type, body, NULL, &r, &why), __FILE__, __LINE__, "%s: %s", type, why != NULL ? why : "");
    CHECK_INT(r.code, 0);
    return r;
}

/* AuxiliaryBufferSize, AuxiliaryBuffer, and nothing behind it. */
static void check_aux(struct rd *r)
{
    uint32_t n = rd_u32(r);
    CHECK_INT(n, r->n);
    rd_blob(r, n);
    CHECK(rd_done(r));
}

TEST(connect_success)
{
    struct walk w;
    struct stack *st = stack_shared();
    walk_init(&w, st, &st->ana);
    struct rd r = rd_blob_of(call(&w, "Connect", mapic_connect_body(w.a, st->ana.dn)).body);
    CHECK_INT(rd_u32(&r), 0);       /* StatusCode */
    CHECK_INT(rd_u32(&r), 0);       /* ErrorCode */
    CHECK(rd_u32(&r) >= 1000);      /* PollsMax, ms */
    CHECK(rd_u32(&r) <= 100);       /* RetryCount */
    CHECK(rd_u32(&r) <= 600000);    /* RetryDelay, ms */
    rd_asciiz(&r);                  /* DnPrefix */
    CHECK_STR(arena_str(w.a, utf8_from_utf16(w.a, rd_utf16z(&r))), "Ana Example");
    check_aux(&r);
    STEP(&w, step_disconnect(&w.s));
    walk_end(&w);
}

/* A refused Connect looks like a success with an ErrorCode, as real servers send it. */
TEST(connect_refused)
{
    struct walk w;
    struct stack *st = stack_shared();
    walk_init(&w, st, &st->ana);
    struct rd r = rd_blob_of(call(&w, "Connect", mapic_connect_body(w.a, "/o=Demo/ou=Nowhere/cn=Recipients/cn=nobody")).body);
    CHECK_INT(rd_u32(&r), 0);
    CHECK_EC(rd_u32(&r), ecUnknownUser);
    r = rd_blob_of(call(&w, "Connect", mapic_connect_body(w.a, "")).body);
    CHECK_INT(rd_u32(&r), 0);
    CHECK_EC(rd_u32(&r), ecAccessDenied);
    walk_end(&w);
}

TEST(execute_success)
{
    struct walk w;
    struct stack *st = stack_shared();
    struct mapic_rops rops;
    walk_begin(&w, st, &st->ana);
    rops_init(&rops, w.a);
    rops_head(&rops, 0x7B, rops_handle(&rops, w.s.logon));
    struct rd r = rd_blob_of(call(&w, "Execute", mapic_execute_body(w.a, rops_buffer(&rops), 3, 0x10008)).body);
    CHECK_INT(rd_u32(&r), 0);       /* StatusCode */
    CHECK_INT(rd_u32(&r), 0);       /* ErrorCode */
    CHECK_INT(rd_u32(&r), 0);       /* Flags */
    uint32_t n = rd_u32(&r);
    CHECK(n >= 8 && n < r.n);
    rd_blob(&r, n);
    check_aux(&r);
    STEP(&w, step_disconnect(&w.s));
    walk_end(&w);
}

/* What its sizes forbid is told by StatusCode: the body is the failure's. */
static void check_failure(struct blob body)
{
    struct rd r = rd_blob_of(body);
    CHECK(rd_u32(&r) != 0);
    check_aux(&r);
}

TEST(failure_bodies)
{
    struct walk w;
    struct stack *st = stack_shared();
    struct mapic_rops rops;
    walk_begin(&w, st, &st->ana);
    rops_init(&rops, w.a);
    rops_head(&rops, 0x7B, rops_handle(&rops, w.s.logon));
    struct blob good = mapic_execute_body(w.a, rops_buffer(&rops), 3, 0x10008);
    struct wr large = wr_in(w.a, 65536);
    wr_bytes(&large, good.p, good.n - 4);
    wr_u32(&large, 0x1009); /* an auxiliary buffer has at most 0x1008 bytes */
    wr_bytes(&large, arena_alloc(w.a, 0x1009), 0x1009);
    check_failure(call(&w, "Execute", wr_blob(&large)).body);
    struct rd r = rd_blob_of(call(&w, "Execute", good).body); /* the session goes on */
    CHECK_INT(rd_u32(&r), 0);
    STEP(&w, step_disconnect(&w.s));
    good = mapic_connect_body(w.a, st->ana.dn);
    large = wr_in(w.a, 65536);
    wr_bytes(&large, good.p, good.n - 4);
    wr_u32(&large, 0x1009);
    wr_bytes(&large, arena_alloc(w.a, 0x1009), 0x1009);
    check_failure(call(&w, "Connect", wr_blob(&large)).body);
    walk_end(&w);
}

/* With the auxiliary buffer of the layout, and without any body, as clients send it. */
TEST(disconnect_success)
{
    static const uint8_t no_aux[4];
    struct stack *st = stack_shared();
    for (size_t n = 0; n <= sizeof no_aux; n += sizeof no_aux) {
        struct walk w;
        walk_begin(&w, st, &st->ana);
        struct rd r = rd_blob_of(call(&w, "Disconnect", blob_of(no_aux, n)).body);
        CHECK_INT(rd_u32(&r), 0);
        CHECK_INT(rd_u32(&r), 0);
        check_aux(&r);
        walk_end(&w);
    }
}

TEST(ping_has_no_body)
{
    struct walk w;
    struct stack *st = stack_shared();
    walk_begin(&w, st, &st->ana);
    struct mapic_reply r = call(&w, "PING", blob_of("", 0));
    CHECK_INT(r.body.n, 0);
    CHECK(http_header(&r.http, "X-ExpirationInfo") != NULL);
    CHECK(http_header(&r.http, "Set-Cookie") != NULL);
    STEP(&w, step_disconnect(&w.s)); /* the sequence cookie is still the right one */
    walk_end(&w);
}
