/* rig.c - see rig.h. */
#include "tests/unit/session-rop/rig.h"
#include "backend/mapi/entryid.h"
#include "session/rop/execute.h"
#include "session/object/logon.h"
#include <stdarg.h>

struct mailbox *rig_mailbox(struct rig *g, struct arena *a)
{
    struct mailbox *m = NULL;
    struct actor as = { ACTOR_OWNER, RIG_OWNER };
    REQUIRE_EC(mailbox_open(g->store, a, &g->mailbox, &as, &m), ecNone);
    return m;
}

uint64_t rig_wire(uint64_t gc) { return id_wire(REPLID_OWN, gc); }

/* --- one request ------------------------------------------------------------------------------------------------------------------ */
/* As the session does it: the store first; when that refuses, nothing happened. */
static void finish(struct rig *g, struct exec *x)
{
    g->failed = x->error != ecNone ? x->error : x->status != 0 ? x->status : x->damaged ? (ec_t)ecRpcFailed : ecNone;
    for (size_t i = 0; i < x->leases; i++) {
        if (mailbox_writing(x->lease[i].m) && g->failed == ecNone)
            g->failed = mailbox_commit(x->lease[i].m);
        mailbox_close(x->lease[i].m);
    }
    if (g->failed == ecNone) {
        objects_save(x->objects);
        rig_keep(g, x->context);
    }
}

struct rd rig_run(struct rig *g, struct blob rops, uint32_t *table, size_t n)
{
    struct rop_env env = { .config = g->config, .store = g->store };
    arena_free(g->a);
    struct arena *a = g->a = arena_new(256 << 20);
    struct exec x = { .env = &env, .a = a, .context = rig_context(g, a), .out = wr_in(a, g->room), .ceiling = g->room, .ceiling_max = g->room_max };
    x.objects = objects_new(x.context);
    x.codec = (struct pv_codec){ a, 1252, PV_COUNTS_ROP };
    for (size_t i = 0; i < n; i++)
        exec_set_handle(&x, (uint8_t)i, table[i]);
    struct rop_request *v;
    struct rop_packs packs;
    size_t count;
    g->requests++;
    if (!rop_split(arena_blob(a, rops), a, &v, &count)) {
        g->failed = (ec_t)ecRpcFormat;
        return rd_over(NULL, 0);
    }
    rop_run(&x, v, count, &packs);
    finish(g, &x);
    for (size_t i = 0; i < n && i < x.handles; i++)
        table[i] = x.handle[i];
    return rd_blob_of(wr_blob(&x.out));
}

/* --- one ROP -------------------------------------------------------------------------------------------------------------------------- */
ec_t rig_rop(struct rig *g, uint32_t in, uint8_t rop, struct blob args, struct rd *body, uint32_t *made)
{
    const struct rop_def *d = rop_find(rop);
    uint32_t table[2] = { in, (uint32_t)HANDLE_NONE };
    struct arena *a = arena_new(1 << 20);
    struct wr w = wr_in(a, 1 << 20);
    wr_u8(&w, rop);
    wr_u8(&w, 0);
    if ((d->flags & RESP) != 0)
        wr_u8(&w, 1);
    wr_u8(&w, 0);
    if ((d->flags & OUT1) != 0)
        wr_u8(&w, 1);
    wr_put(&w, args);
    struct rd r = rig_run(g, wr_blob(&w), table, 2);
    arena_free(a);
    uint8_t as = rd_u8(&r), expected = (uint8_t)(d->flags >> 8) != 0 ? (uint8_t)(d->flags >> 8) : rop;
    if ((d->flags & NOREPLY) != 0)
        return g->failed;
    if (g->failed != ecNone)
        return g->failed;
    if (as == 0xFF)
        return (ec_t)ecBufferTooSmall;
    CHECK_INT(as, expected);
    rd_u8(&r);
    ec_t ec = rd_u32(&r);
    if (body != NULL)
        *body = r;
    if (made != NULL)
        *made = table[1];
    return ec;
}

struct blob rig_args(struct rig *g, const char *fmt, ...)
{
    struct wr w = wr_in(g->life, 1 << 20);
    va_list ap;
    va_start(ap, fmt);
    for (; *fmt != 0; fmt++) {
        const char *at = strchr("bwdq", *fmt);
        if (at != NULL && *fmt != 0) {
            wr_le(&w, va_arg(ap, uint64_t), *fmt == 'b' ? 1 : *fmt == 'w' ? 2 : *fmt == 'd' ? 4 : 8);
        } else if (*fmt == 's') {
            for (const char *s = va_arg(ap, const char *); ; s++) {
                wr_u16(&w, (uint8_t)*s);
                if (*s == 0)
                    break;
            }
        } else if (*fmt == 'B') {
            wr_put(&w, *va_arg(ap, struct blob *));
        }
    }
    va_end(ap);
    return wr_blob(&w);
}

/* --- the session ------------------------------------------------------------------------------------------------------------------ */
static void add_logon(struct rig *g)
{
    ec_t ec;
    struct arena *a = arena_new(1 << 20);
    struct context *c = rig_context(g, a);
    struct objects *o = objects_new(c);
    struct object *l = object_new(o, OBJ_LOGON, 0, (uint32_t)HANDLE_NONE, &ec);
    REQUIRE(l != NULL && l->handle == RIG_LOGON);
    objects_save(o);
    rig_keep(g, c);
    arena_free(a);
}

struct rig *rig_new(void) { return rig_with("sqlite"); }

struct rig *rig_with(const char *driver)
{
    const char *why = NULL;
    struct arena *life = arena_new(SIZE_MAX), *a;
    struct rig *g = arena_one(life, struct rig);
    g->life = life;
    g->room = 0x7FF0;
    g->next_handle = RIG_LOGON;
    g->nblock = 4096;
    g->block = arena_array(life, struct blob, g->nblock);
    g->config = config_load(life, NULL, &why);
    REQUIRE(g->config != NULL);
    struct store_options o = { .driver = driver, .path = arena_strdup(life, unit_tmpdir()), .pool_files = 4, .cache_kib = 1024, .busy_ms = 2000 };
    g->store = store_new(&o, life, &why);
    REQUIRE(g->store != NULL);
    g->mailbox = guid_new();
    struct guid id = guid_new();
    memcpy(g->id, id.b, sizeof g->id);
    struct mailbox_new n = { .id = g->mailbox, .owner_dn = RIG_OWNER, .display_name = "Ada Lovelace", .smtp = "ada@example.com", .locale = 0x0409,
                             .quota_warn = -1, .quota_send = -1, .quota_receive = -1 };
    REQUIRE_EC(mailbox_create(g->store, life, &n), ecNone);
    a = arena_new(1 << 20);
    memcpy(g->fid, mailbox_info(rig_mailbox(g, a))->fid, sizeof g->fid);
    arena_free(a);
    add_logon(g);
    g->a = arena_new(1 << 20);
    return g;
}

void rig_end(struct rig *g)
{
    arena_free(g->a);
    store_free(g->store);
    arena_free(g->life);
}
