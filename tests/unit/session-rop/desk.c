/* desk.c - see desk.h. */
#include "tests/unit/session-rop/desk.h"
#include "backend/base/filetime.h"
#include "session/context/context_int.h"
#include "session/context/watch.h"

enum { NO_XOR_NO_COMPRESSION = 3, DEFAULT_OUT = 0x10008, LIFE_MAX = 1 << 30 };

/* --- the house ------------------------------------------------------------------------------------------------------------------------------ */

static void person_add(struct desk *d, const char *login, const char *name, struct person *out)
{
    struct person_new n = { .login = login, .display_name = name, .password = "secret", .locale = 0x0409, .with_mailbox = true };
    REQUIRE_EC(directory_add(d->env.directory, d->life, &n, out), ecNone);
    struct mailbox_new m = { .id = out->mailbox, .owner_dn = out->dn, .display_name = name, .smtp = out->smtp, .locale = 0x0409, .quota_warn = -1,
                             .quota_send = -1, .quota_receive = -1 };
    REQUIRE_EC(mailbox_create(d->env.store, d->life, &m), ecNone);
}

struct mailbox *desk_mailbox(struct desk *d, struct arena *a, const struct person *whose)
{
    struct mailbox *m = NULL;
    struct actor as = { ACTOR_OWNER, whose->dn };
    REQUIRE_EC(mailbox_open(d->env.store, a, &whose->mailbox, &as, &m), ecNone);
    return m;
}

static void env_open(struct desk *d, const char *driver)
{
    static unsigned serial;
    const char *why = NULL, *dir = arena_printf(d->life, "%s/desk%u", unit_tmpdir(), serial++);
    d->config = config_load(d->life, NULL, &why);
    REQUIRE(d->config != NULL);
    d->config->directory = arena_printf(d->life, "%s.directory", dir);
    struct store_options o = { .driver = driver, .path = dir, .pool_files = 4, .cache_kib = 1024, .busy_ms = 2000 };
    d->env = (struct rop_env){ .config = d->config, .store = store_new(&o, d->life, &why) };
    REQUIRE(d->env.store != NULL);
    d->env.directory = directory_open(d->config, d->life, &why);
    REQUIRE(d->env.directory != NULL);
}

struct desk *desk_new(void) { return desk_with("sqlite"); }

struct desk *desk_with(const char *driver)
{
    struct arena *life = arena_new(LIFE_MAX);
    struct desk *d = arena_one(life, struct desk);
    d->life = life;
    env_open(d, driver);
    person_add(d, "ada@example.com", "Ada Lovelace", &d->ada);
    person_add(d, "bob@example.com", "Bob", &d->bob);
    d->user = &d->ada;
    d->code_page = 1252;
    d->flags = NO_XOR_NO_COMPRESSION;
    d->max_out = DEFAULT_OUT;
    d->next_handle = 1;
    d->id[0] = 0xDE;
    d->a = arena_new(LIFE_MAX);
    struct arena *a = arena_new(LIFE_MAX);
    memcpy(d->fid, mailbox_info(desk_mailbox(d, a, &d->ada))->fid, sizeof d->fid);
    arena_free(a);
    return d;
}

void desk_end(struct desk *d)
{
    arena_free(d->a);
    directory_close(d->env.directory);
    store_free(d->env.store);
    arena_free(d->life);
}

/* --- the session between two requests ---------------------------------------------------------------------------------------------------------- */

static struct context *session_begin(struct desk *d, struct arena *a)
{
    struct context *c = arena_one(a, struct context);
    c->p = arena_one(a, struct context_private);
    c->p->env = (struct session_env){ .config = d->config, .store = d->env.store };
    c->a = a;
    memcpy(c->id, d->id, sizeof c->id);
    c->user = d->user->login;
    c->user_dn = d->user->dn;
    c->display_name = d->user->display_name;
    c->code_page = d->code_page;
    c->lcid_sort = c->lcid_string = 0x0409;
    c->next_handle = d->next_handle;
    c->logons = d->logons;
    c->logon = arena_dup(a, d->logon != NULL ? d->logon : (struct logon_entry[1]){ 0 }, d->logons * sizeof *d->logon);
    c->handles = c->p->handle_cap = d->handles;
    c->handle = arena_dup(a, d->handle != NULL ? d->handle : (struct handle_entry[1]){ 0 }, d->handles * sizeof *d->handle);
    c->client_mode = d->client_mode;
    c->p->layout = d->layout;
    c->watching = (struct watching){ .open = true, .n = d->watches };
    c->watching.v = arena_dup(a, d->watch != NULL ? d->watch : (struct watch[1]){ 0 }, d->watches * sizeof *d->watch);
    c->positions = d->positions;
    c->position = arena_dup(a, d->position != NULL ? d->position : (struct position[1]){ 0 }, d->positions * sizeof *d->position);
    for (size_t i = 0; i < d->handles; i++)
        block_add_raw(c, d->handle[i].handle, d->handle[i].slot, arena_blob(a, d->block[i].state));
    return c;
}

struct context *desk_look(struct desk *d, struct arena *a) { return session_begin(d, a); }

static void session_keep(struct desk *d, struct context *c)
{
    d->next_handle = c->next_handle;
    d->logons = c->logons;
    d->logon = arena_dup(d->life, c->logon, c->logons * sizeof *c->logon);
    for (size_t i = 0; i < d->logons; i++)
        d->logon[i].mailbox_dn = arena_strdup(d->life, d->logon[i].mailbox_dn);
    d->watches = watches(c)->n;
    d->watch = arena_dup(d->life, c->watching.v, d->watches * sizeof *d->watch);
    d->positions = c->positions;
    d->position = arena_dup(d->life, c->position, c->positions * sizeof *c->position);
    d->handles = c->handles;
    d->handle = arena_array(d->life, struct handle_entry, c->handles);
    d->block = arena_array(d->life, struct desk_block, c->handles);
    for (size_t i = 0; i < c->handles; i++) {
        const struct block *b = block_find(c, c->handle[i].handle);
        REQUIRE(b != NULL);
        d->handle[i] = c->handle[i];
        d->block[i] = (struct desk_block){ b->handle, arena_blob(d->life, b->state) };
    }
}

/* --- requests ---------------------------------------------------------------------------------------------------------------------------------------- */

struct blob desk_execute(struct desk *d, struct blob body)
{
    struct execute q;
    arena_free(d->a);
    d->a = arena_new(LIFE_MAX);
    d->result = (struct execute_result){ .failed = true };
    execute_parse(&q, d->a, arena_blob(d->a, body));
    if (q.bad_body)
        return blob_of(NULL, 0);
    struct context *c = session_begin(d, d->a);
    execute_run(&d->env, c, &q, &d->result);
    for (size_t i = 0; i < d->result.nchanged; i++)
        if (d->dry)
            mailbox_abort(d->result.changed[i]);
        else
            CHECK_EC(mailbox_commit(d->result.changed[i]), ecNone);
    if (!d->result.failed && !d->dry)
        session_keep(d, c);
    return d->result.body;
}

bool desk_open_answer(struct desk *d, struct blob body)
{
    struct rd r = rd_blob_of(body);
    d->error = ecNone;
    d->payloads = 0;
    d->status = rd_u32(&r);
    if (d->status == 0) {
        d->error = rd_u32(&r);
        CHECK_INT(rd_u32(&r), 0);
        struct blob buffer = rd_blob(&r, rd_u32(&r));
        if (d->error == ecNone && !rpcext_unwrap(buffer, d->a, &d->payload, &d->payloads))
            return CHECK(!"extended buffers of the answer");
    }
    CHECK_INT(rd_u32(&r), 0); /* no auxiliary buffer */
    return CHECK(rd_done(&r));
}

struct rd desk_answer(struct desk *d, size_t payload, uint32_t *table, size_t n)
{
    if (payload >= d->payloads)
        return rd_over(NULL, 0);
    struct rd r = rd_blob_of(d->payload[payload]);
    struct rd rops = rd_sub(&r, rd_u16(&r) - 2u);
    CHECK_INT(r.n % 4, 0);
    for (size_t i = 0; i < n && r.n > 0; i++)
        table[i] = rd_u32(&r);
    CHECK(rd_ok(&r));
    return rops;
}

struct rd desk_rops(struct desk *d, struct blob rops, uint32_t *table, size_t n)
{
    struct arena *a = arena_new(LIFE_MAX);
    struct wr w = wr_in(a, 1 << 20), p = wr_in(a, 1 << 20);
    wr_u16(&p, (uint16_t)(rops.n + 2));
    wr_put(&p, rops);
    for (size_t i = 0; i < n; i++)
        wr_u32(&p, table[i]);
    wr_u32(&w, d->flags);
    wr_u32(&w, (uint32_t)(p.n + RPCEXT_HEADER));
    rpcext_wrap(&w, a, wr_blob(&p), RPCEXT_LAST);
    wr_u32(&w, d->max_out);
    wr_u32(&w, 0);
    struct blob body = desk_execute(d, wr_blob(&w));
    arena_free(a);
    d->payloads = 0;
    if (body.n == 0 || !desk_open_answer(d, body))
        return rd_over(NULL, 0);
    return desk_answer(d, 0, table, n);
}

static uint64_t mail(struct desk *d, uint64_t fid, const char *subject, unsigned minute, bool arrived)
{
    struct arena *a = arena_new(LIFE_MAX);
    struct mailbox *m = desk_mailbox(d, a, &d->ada);
    struct msg msg = { 0 };
    const filetime_t base = filetime_from_unix(1780000000);
    props_set(a, &msg.set, pv_str(PidTagMessageClass, "IPM.Note"));
    props_set(a, &msg.set, pv_str(PidTagSubject, subject));
    props_set(a, &msg.set, pv_str(PidTagSenderName, "Bob"));
    props_set(a, &msg.set, pv_time(PidTagMessageDeliveryTime, base + (uint64_t)minute * 600000000u));
    struct message_save s = { .fid = fid, .over = &msg, .arrived = arrived };
    REQUIRE_EC(mailbox_write(m), ecNone);
    REQUIRE_EC(message_save(m, &s), ecNone);
    REQUIRE_EC(mailbox_commit(m), ecNone);
    arena_free(a);
    return s.mid;
}

uint64_t desk_mail(struct desk *d, uint64_t fid, const char *subject, unsigned minute) { return mail(d, fid, subject, minute, false); }
uint64_t desk_arrive(struct desk *d, uint64_t fid, const char *subject, unsigned minute) { return mail(d, fid, subject, minute, true); }
