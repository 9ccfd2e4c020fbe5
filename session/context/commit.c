/* commit.c - what a request changed -> the arguments of the finish script. */
#include "session/context/context_int.h"
#include "backend/base/filetime.h"
#include "backend/base/must.h"
#include "session/context/cookie.h"
#include "session/context/header.h"

enum { HEAD_MARGIN = 20 }; /* ms from the end of a request to its answer */

/* That of the installation, as far as this program knows it: an older one goes on with its own.  Once per request; an installation that cannot be asked is
 * taken to be the oldest. */
unsigned commit_layout(const struct context *c)
{
    struct context_private *p = c->p;
    if (p->layout == 0 && (p->env.directory == NULL || policy_layout(p->env.directory, &p->layout) != ecNone))
        p->layout = p->env.directory == NULL ? HEADER_LAYOUT : 1;
    if (p->layout < 1 || p->layout > HEADER_LAYOUT)
        p->layout = p->layout < 1 ? 1 : HEADER_LAYOUT;
    return p->layout;
}

struct blob commit_header(struct context *c)
{
    struct wr w = wr_in(c->a, HEADER_MAX);
    header_save(&w, c, commit_layout(c));
    must(!w.full);
    return wr_blob(&w);
}

void commit_pairs(struct context *c, struct blob header, unsigned slot, struct args *x)
{
    size_t count = x->n, pairs = 1;
    args_num(x, 0);
    args_blob(x, field_header(slot));
    args_blob(x, header);
    for (size_t i = 0; i < c->handles; i++) {
        const struct handle_entry *h = &c->handle[i];
        const struct block *b = block_find(c, h->handle);
        if (b == NULL || !b->dirty || h->staged)
            continue;
        args_blob(x, field_object(c->a, h->handle, h->slot));
        args_blob(x, b->state);
        pairs++;
    }
    x->v[count] = blob_str(arena_printf(c->a, "%zu", pairs));
}

/* --- what nobody needs any more ----------------------------------------------------------------------------------------------------- */
static bool names(struct context *c, const struct handle_entry *h)
{
    const struct handle_entry *mine = context_handle(c, h->handle);
    return mine != NULL && !mine->staged && mine->size != 0 && mine->slot == h->slot;
}

/* In Redis lie the blocks that the current header names and those that only the other one does.  The current ones stay for a repeat; of
 * the other's, those go that the new header does not name either. */
void commit_trash(struct context *c, struct args *x)
{
    struct context *was = arena_one(c->a, struct context), *old = arena_one(c->a, struct context);
    was->a = old->a = c->a;
    if (c->p->other.n == 0 || !header_load(c->p->other, old) || !header_load(c->p->current, was))
        return;
    for (size_t i = 0; i < old->handles; i++) {
        const struct handle_entry *h = &old->handle[i];
        if (!h->staged && h->size != 0 && !names(was, h) && !names(c, h))
            args_blob(x, field_object(c->a, h->handle, h->slot));
    }
}

/* --- letting go ------------------------------------------------------------------------------------------------------------------------ */
enum redis_result commit_release(struct context *c, enum state s, bool wait)
{
    struct context_private *p = c->p;
    struct args x = { c->a, NULL, 0, 0 };
    struct redis_value v;
    args_bytes(&x, p->token, TOKEN);
    args_num(&x, s);
    args_num(&x, (uint64_t)private_retention(c));
    args_bytes(&x, p->run, RUN);
    for (int i = 0; i < 4; i++)
        args_blob(&x, blob_of(NULL, 0));
    args_num(&x, 0);
    args_num(&x, 0);
    wait |= p->head_due != 0 && clock_ms() + HEAD_MARGIN >= p->head_due; /* its cookie did not say that the request has ended */
    struct call call = { SCRIPT_RELEASE, p->key, x.v, x.n, NULL, 0, FAULT_COUNT, p->run, false };
    if (!wait && script_post(p->redis, c->a, &call))
        return REDIS_DONE;
    return script_call(p->redis, &call, &v, NULL);
}

void commit_yield(struct context *c)
{
    struct args x = { c->a, NULL, 0, 0 };
    args_bytes(&x, c->p->token, TOKEN);
    struct call call = { SCRIPT_YIELD, c->p->key, x.v, x.n, NULL, 0, FAULT_COUNT, NULL, false };
    struct redis_value v;
    script_call(c->p->redis, &call, &v, NULL);
}

void context_abandon(struct context *c)
{
    if (c->p->fresh)
        return;
    private_let_go(c);
    c->p->ended = COOKIE_ENDED | COOKIE_CLEAN;
    commit_release(c, STATE_ABANDONED, false);
}
