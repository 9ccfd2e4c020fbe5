/* walk.c - clients for tests, and the store's own view of what they did. */
#include "tests/flow/walk.h"
#include <stdio.h>

const uint32_t walk_columns[4] = { PidTagNormalizedSubject, PidTagMid, PidTagMessageSize, PidTagMessageFlags };

bool unit_ec_step(struct walk *w, uint32_t got, const char *what, const char *file, int line)
{
    return unit_check(got == ecNone, file, line, "%s: %s%s%s (X-ResponseCode %d, worker %s)", what, got == STEP_LOST ? "lost" : err_name(got),
                      w->s.why != NULL ? ": " : "", w->s.why != NULL ? w->s.why : "", w->s.code, w->c.worker);
}

void walk_init(struct walk *w, struct stack *stack, const struct person *who)
{
    *w = (struct walk){ .stack = stack, .a = arena_new((size_t)1 << 30), .who = who };
    stack_client(stack, &w->c, who);
    steps_init(&w->s, &w->c, w->a);
}

void walk_begin(struct walk *w, struct stack *stack, const struct person *who)
{
    walk_init(w, stack, who);
    MUST_STEP(w, step_connect(&w->s, who->dn));
    MUST_STEP(w, step_logon(&w->s, who->dn));
}

void walk_end(struct walk *w)
{
    mapic_close(&w->c);
    arena_free(w->a);
}

static const struct actor owner = { ACTOR_OWNER, "" };

static struct mailbox *lease(struct stack *stack, const struct person *who, struct arena *a)
{
    struct mailbox *m = NULL;
    REQUIRE_EC(mailbox_open(stack->store, a, &who->mailbox, &owner, &m), ecNone);
    return m;
}

void walk_fill(struct stack *stack, const struct person *who, enum special_folder folder, const char *prefix, unsigned n)
{
    struct arena *a = arena_new((size_t)1 << 30);
    struct mailbox *m = lease(stack, who, a);
    REQUIRE_EC(mailbox_write(m), ecNone);
    for (unsigned i = 0; i < n; i++) {
        struct msg over = { 0 };
        props_set(a, &over.set, pv_str(PidTagMessageClass, "IPM.Note"));
        props_set(a, &over.set, pv_str(PidTagSubject, arena_printf(a, "%s %03u", prefix, i)));
        props_set(a, &over.set, pv_str(PidTagSenderName, "Sender"));
        props_set(a, &over.set, pv_time(PidTagMessageDeliveryTime, filetime_now() - (uint64_t)i * 600000000ull));
        props_set(a, &over.set, pv_str(PidTagBody, "Body"));
        struct message_save s = { .fid = mailbox_info(m)->fid[folder], .over = &over };
        REQUIRE_EC(message_save(m, &s), ecNone);
    }
    REQUIRE_EC(mailbox_commit(m), ecNone);
    arena_free(a);
}

struct count { const char *subject; unsigned n; uint64_t mids[4096]; size_t all; };

static bool count_row(void *ctx, const struct table_row *row)
{
    struct count *c = ctx;
    const struct propval *v = &row->cols.v[0];
    if (c->subject == NULL || (prop_type(v->tag) == PtypString && blob_eq(v->v.s, blob_str(c->subject))))
        c->n++;
    if (c->all < 4096)
        c->mids[c->all++] = row->id;
    return true;
}

static void look(struct mailbox *m, enum special_folder folder, struct count *c)
{
    struct table_def d = { .kind = TABLE_CONTENTS, .fid = mailbox_info(m)->fid[folder], .locale = 0x0409 };
    struct table_pos pos = { 0 };
    struct view *v;
    REQUIRE_EC(view_open(m, &d, &v), ecNone);
    REQUIRE_EC(view_read(v, &pos, true, 4096, walk_columns, 1, count_row, c), ecNone);
}

unsigned walk_count(struct stack *stack, const struct person *who, enum special_folder folder, const char *subject)
{
    struct arena *a = arena_new((size_t)1 << 30);
    struct count *c = arena_one(a, struct count);
    c->subject = subject;
    look(lease(stack, who, a), folder, c);
    unsigned n = c->n;
    arena_free(a);
    return n;
}

void walk_empty(struct stack *stack, const struct person *who, enum special_folder folder)
{
    struct arena *a = arena_new((size_t)1 << 30);
    struct mailbox *m = lease(stack, who, a);
    struct count *c = arena_one(a, struct count);
    bool partial = false;
    look(m, folder, c);
    REQUIRE_EC(mailbox_write(m), ecNone);
    REQUIRE_EC(messages_delete(m, mailbox_info(m)->fid[folder], c->mids, c->all, true, &partial), ecNone);
    REQUIRE_EC(mailbox_commit(m), ecNone);
    arena_free(a);
}

static void say(void *ctx, const char *finding)
{
    (void)ctx;
    fprintf(stderr, "mailbox check: %s\n", finding);
}

size_t walk_findings(struct stack *stack, const struct person *who)
{
    struct arena *a = arena_new((size_t)1 << 30);
    size_t n = 0;
    REQUIRE_EC(mailbox_check(lease(stack, who, a), say, NULL, &n), ecNone);
    arena_free(a);
    return n;
}
