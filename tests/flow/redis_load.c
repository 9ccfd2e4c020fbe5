/* redis_load.c - the clients, and what they were told against what the mailboxes hold. */
#include "tests/flow/redis_load.h"
#include "backend/base/filetime.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { PATIENCE_MS = 12000, HANGS_MS = 30000, REPEAT_US = 100000, ROWS = 4096 };

/* --- one client -------------------------------------------------------------------------------------------------------------------------------- */
struct session { struct walk w; struct arena *turn; uint32_t inbox, outbox, trash; bool live; };

/* A step until it has an answer: done (ecNone), an error, or STEP_LOST for a session that is gone. */
struct attempt { struct load_client *c; struct session *s; uint64_t began; };

static bool stopped(const struct load_client *c) { return atomic_load(&c->load->stop); }

/* What to do with an answer: true, the same once more. */
static bool once_more(struct attempt *a, uint32_t ec)
{
    struct load_client *c = a->c;
    int code = a->s->w.s.code;
    if (code >= 0 && code < 32)
        c->code[code]++;
    if (code == 10) {
        a->s->live = false;
        return false;
    }
    if (ec != STEP_LOST) {
        if (ec != ecNone) {
            c->other++;
            c->last_other = ec;
            a->s->live = false;
        }
        return false;
    }
    c->broken += code < 0;
    if (code != 1 && code >= 0) {
        a->s->live = false;
        return false;
    }
    mapic_close(&a->s->w.c);
    usleep(REPEAT_US);
    a->s->live = clock_ms() - a->began < PATIENCE_MS;
    return a->s->live;
}

#define ATTEMPT(c_, s_, ec_, call)                                           \
    do {                                                                     \
        struct attempt a_ = { (c_), (s_), clock_ms() };                      \
        do                                                                   \
            (ec_) = (call);                                                  \
        while (once_more(&a_, (ec_)));                                       \
    } while (0)

static bool open_session(struct load_client *c, struct session *s)
{
    struct steps *x = &s->w.s;
    uint32_t ec;
    c->connects++;
    s->live = true;
    s->w.c.context[0] = s->w.c.sequence[0] = '\0';
    ATTEMPT(c, s, ec, step_connect(x, c->who->dn));
    if (s->live && ec == ecNone)
        ATTEMPT(c, s, ec, step_logon(x, c->who->dn));
    if (s->live && ec == ecNone)
        ATTEMPT(c, s, ec, step_open_folder(x, x->fid[SF_INBOX], &s->inbox));
    if (s->live && ec == ecNone)
        ATTEMPT(c, s, ec, step_open_folder(x, x->fid[SF_OUTBOX], &s->outbox));
    if (s->live && ec == ecNone)
        ATTEMPT(c, s, ec, step_open_folder(x, x->fid[SF_DELETED_ITEMS], &s->trash));
    s->live = s->live && ec == ecNone;
    return s->live;
}

static void fill_subject(struct steps *x, struct mapic_rops *r, const char *subject)
{
    struct pv_codec codec = { .a = x->a, .code_page = 1252, .counts = PV_COUNTS_ROP };
    struct props p = { 0 };
    props_set(x->a, &p, pv_str(PidTagSubject, subject));
    size_t at = wr_mark(&r->list);
    wr_u16(&r->list, 0);
    wr_u16(&r->list, (uint16_t)p.n);
    propval_write_tagged(&r->list, &codec, &p.v[0]);
    wr_patch_u16(&r->list, at, (uint16_t)(r->list.n - at - 2));
}

/* A new message by one request: created, filled, saved, released.  Done twice, there are two of them. */
static uint32_t make(struct session *s, const char *subject, uint64_t *mid)
{
    struct steps *x = &s->w.s;
    struct mapic_rops r;
    struct mapic_result out;
    struct rop_head h;
    rops_init(&r, x->a);
    uint8_t folder = rops_handle(&r, s->inbox), message = rops_handle(&r, 0xFFFFFFFF);
    rops_head(&r, 0x06, folder);
    wr_u8(&r.list, message);
    wr_u16(&r.list, 0x0FFF);
    wr_u64(&r.list, x->fid[SF_INBOX]);
    wr_u8(&r.list, 0);
    rops_head(&r, 0x0A, message);
    fill_subject(x, &r, subject);
    rops_head(&r, 0x0C, folder); /* ResponseHandleIndex */
    wr_u8(&r.list, message);
    wr_u8(&r.list, 0x0A);
    rops_head(&r, 0x01, message);
    uint32_t ec = step_run(x, &r, &out, &h);
    if (ec != ecNone)
        return ec;
    rd_u8(&out.rops); /* HasMessageId */
    if (!mapic_rop(&out, &h) || h.ec != ecNone)
        return h.ec != ecNone ? h.ec : STEP_LOST;
    rd_u16(&out.rops);
    if (!mapic_rop(&out, &h) || h.ec != ecNone)
        return h.ec != ecNone ? h.ec : STEP_LOST;
    rd_u8(&out.rops);
    *mid = rd_u64(&out.rops);
    return rd_ok(&out.rops) ? ecNone : STEP_LOST;
}

static struct load_change *note(struct load_client *c, enum load_kind kind, const char *subject)
{
    struct load_change *x = &c->change[c->n++];
    x->kind = kind;
    memcpy(x->subject, subject, strnlen(subject, sizeof x->subject - 1));
    return x;
}

static bool settle(struct load_client *c, struct load_change *x, const struct session *s, uint32_t ec)
{
    x->done = s->live && ec == ecNone;
    if (x->done)
        atomic_fetch_add(&c->good, 1);
    return x->done;
}

/* Over several requests: half-written objects live in the session only. */
static void draft(struct load_client *c, struct session *s, unsigned turn)
{
    struct steps *x = &s->w.s;
    struct load_change *d = note(c, LOAD_DRAFT, arena_printf(s->turn, "D%u.%u", c->number, turn));
    struct props p = { 0 };
    uint32_t ec, message;
    uint64_t mid;
    props_set(s->turn, &p, pv_str(PidTagSubject, d->subject));
    ATTEMPT(c, s, ec, step_create_message(x, s->inbox, x->fid[SF_INBOX], &message));
    if (s->live && ec == ecNone)
        ATTEMPT(c, s, ec, step_set_props(x, message, &p, NULL));
    if (s->live && ec == ecNone)
        ATTEMPT(c, s, ec, step_save_message(x, message, 0x0A, &mid));
    settle(c, d, s, ec);
    if (s->live)
        ATTEMPT(c, s, ec, step_release(x, message));
}

static void one_turn(struct load_client *c, struct session *s, unsigned turn)
{
    uint32_t ec;
    uint64_t mid = 0;
    struct load_change *m = note(c, LOAD_MADE, arena_printf(s->turn, "M%u.%u", c->number, turn));
    ATTEMPT(c, s, ec, make(s, m->subject, &mid));
    if (!settle(c, m, s, ec) || stopped(c))
        return;
    if (turn % 3 == 0) {
        struct load_change *x = note(c, LOAD_COPIED, m->subject);
        ATTEMPT(c, s, ec, step_move_messages(&s->w.s, s->inbox, s->outbox, &mid, 1, true));
        if (!settle(c, x, s, ec))
            return;
    }
    if (turn % 2 == 0) {
        struct load_change *x = note(c, LOAD_MOVED, m->subject);
        ATTEMPT(c, s, ec, step_move_messages(&s->w.s, s->inbox, s->trash, &mid, 1, false));
        if (!settle(c, x, s, ec))
            return;
    }
    if (turn % 4 == 1)
        draft(c, s, turn);
}

static void *client(void *ptr)
{
    struct load_client *c = ptr;
    struct session s = { 0 };
    walk_init(&s.w, c->load->st, c->who);
    s.w.c.timeout_ms = 20000;
    for (unsigned turn = 0; !stopped(c) && c->n + 8 < LOAD_CHANGES; turn++) {
        s.turn = s.w.s.a = arena_new((size_t)1 << 28);
        if (s.live || open_session(c, &s))
            one_turn(c, &s, turn);
        arena_free(s.turn);
        usleep(c->load->pause_us);
    }
    walk_end(&s.w);
    return NULL;
}

/* --- all of them ------------------------------------------------------------------------------------------------------------------------------- */
void load_begin(struct load *l, struct stack *st, unsigned pause_us)
{
    l->st = st;
    l->pause_us = pause_us;
    for (unsigned i = 0; i < LOAD_CLIENTS; i++) {
        struct load_client *c = &l->client[i];
        c->load = l;
        c->number = i;
        c->who = i % 2 == 0 ? &st->ana : &st->bob;
        REQUIRE(pthread_create(&c->thread, NULL, client, c) == 0);
    }
}

void load_await(struct load *l, unsigned n)
{
    unsigned from[LOAD_CLIENTS];
    for (unsigned i = 0; i < LOAD_CLIENTS; i++)
        from[i] = atomic_load(&l->client[i].good);
    uint64_t began = clock_ms();
    for (unsigned i = 0; i < LOAD_CLIENTS; i++)
        while (atomic_load(&l->client[i].good) < from[i] + n && l->client[i].n + 8 < LOAD_CHANGES && clock_ms() - began < HANGS_MS)
            usleep(5000);
    for (unsigned i = 0; i < LOAD_CLIENTS; i++)
        unit_check(atomic_load(&l->client[i].good) >= from[i] + n || l->client[i].n + 8 >= LOAD_CHANGES, __FILE__, __LINE__, "client %u goes on", i);
}

void load_end(struct load *l)
{
    atomic_store(&l->stop, true);
    for (unsigned i = 0; i < LOAD_CLIENTS; i++)
        pthread_join(l->client[i].thread, NULL);
}

unsigned load_codes(const struct load *l, int code)
{
    unsigned n = 0;
    for (unsigned i = 0; i < LOAD_CLIENTS; i++)
        n += l->client[i].code[code];
    return n;
}

unsigned load_connects(const struct load *l)
{
    unsigned n = 0;
    for (unsigned i = 0; i < LOAD_CLIENTS; i++)
        n += l->client[i].connects;
    return n;
}

/* --- what is there -------------------------------------------------------------------------------------------------------------------------------- */
struct names { struct arena *a; const char **v; size_t n; };

static bool name_row(void *ctx, const struct table_row *row)
{
    struct names *f = ctx;
    f->v[f->n++] = prop_type(row->cols.v[0].tag) == PtypString ? arena_str(f->a, row->cols.v[0].v.s) : "";
    return true;
}

static int order(const void *x, const void *y) { return strcmp(*(const char *const *)x, *(const char *const *)y); }

static struct names names_of(struct stack *st, const struct person *who, struct arena *a, enum special_folder folder)
{
    static const struct actor owner = { ACTOR_OWNER, "" };
    struct names f = { a, arena_array(a, const char *, ROWS), 0 };
    struct mailbox *m;
    REQUIRE_EC(mailbox_open(st->store, a, &who->mailbox, &owner, &m), ecNone);
    struct table_def d = { .kind = TABLE_CONTENTS, .fid = mailbox_info(m)->fid[folder], .locale = 0x0409 };
    struct table_pos pos = { 0 };
    struct view *v;
    REQUIRE_EC(view_open(m, &d, &v), ecNone);
    REQUIRE_EC(view_read(v, &pos, true, ROWS, walk_columns, 1, name_row, &f), ecNone);
    qsort(f.v, f.n, sizeof *f.v, order);
    return f;
}

static unsigned count(const struct names *f, const char *subject)
{
    size_t lo = 0, hi = f->n;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (strcmp(f->v[mid], subject) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    unsigned n = 0;
    while (lo + n < f->n && strcmp(f->v[lo + n], subject) == 0)
        n++;
    return n;
}

struct folders { struct names inbox, outbox, trash; };

static bool right(const struct folders *f, const struct load_change *x)
{
    unsigned in = count(&f->inbox, x->subject), copies = count(&f->outbox, x->subject), moved = count(&f->trash, x->subject);
    switch (x->kind) {
    case LOAD_MADE:   return x->done ? in + moved == 1 : in + moved <= 1;
    case LOAD_COPIED: return x->done ? copies == 1 : copies <= 1;
    case LOAD_MOVED:  return x->done ? in == 0 && moved == 1 : in + moved == 1;
    case LOAD_DRAFT:  return x->done ? in == 1 : in <= 1;
    }
    return false;
}

static void check_client(const struct load *l, const struct load_client *c)
{
    struct arena *a = arena_new((size_t)1 << 30);
    struct folders f = { names_of(l->st, c->who, a, SF_INBOX), names_of(l->st, c->who, a, SF_OUTBOX), names_of(l->st, c->who, a, SF_DELETED_ITEMS) };
    for (size_t i = 0; i < c->n; i++) {
        const struct load_change *x = &c->change[i];
        unit_check(right(&f, x), __FILE__, __LINE__, "%s (kind %d, said to be %s): %u in the inbox, %u copies, %u moved", x->subject, (int)x->kind,
                   x->done ? "done" : "lost", count(&f.inbox, x->subject), count(&f.outbox, x->subject), count(&f.trash, x->subject));
    }
    arena_free(a);
}

void load_check(struct load *l, const char *name)
{
    unsigned done = 0, unknown = 0, broken = 0;
    for (unsigned i = 0; i < LOAD_CLIENTS; i++) {
        struct load_client *c = &l->client[i];
        check_client(l, c);
        unit_check(c->other == 0, __FILE__, __LINE__, "client %u heard %s", i, err_name(c->last_other));
        broken += c->broken;
        for (size_t k = 0; k < c->n; k++) {
            done += c->change[k].done;
            unknown += !c->change[k].done;
        }
    }
    CHECK_INT(load_codes(l, 15), 0);
    CHECK_INT(walk_findings(l->st, &l->st->ana), 0);
    CHECK_INT(walk_findings(l->st, &l->st->bob), 0);
    printf("%s: %u changes done, %u without a word; code 1 %u times, code 10 %u times, %u connections broken, %u sessions\n", name, done, unknown,
           load_codes(l, 1), load_codes(l, 10), broken, load_connects(l));
}
