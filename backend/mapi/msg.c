/* msg.c - a message's recipients and attachments found and made, and changes applied to a message. */
#include "backend/mapi/msg.h"

struct recipient *msg_rcpt(struct msg *m, uint32_t row)
{
    for (size_t i = 0; i < m->nrcpt; i++)
        if (m->rcpt[i].row == row)
            return &m->rcpt[i];
    return NULL;
}

struct recipient *msg_rcpt_add(struct arena *a, struct msg *m, uint32_t row)
{
    struct recipient *r = msg_rcpt(m, row);
    if (r != NULL)
        return r;
    m->rcpt = arena_grow(a, m->rcpt, &m->rcpt_cap, m->nrcpt, sizeof *m->rcpt);
    r = &m->rcpt[m->nrcpt++];
    r->row = row;
    return r;
}

struct attachment *msg_att(struct msg *m, uint32_t num)
{
    for (size_t i = 0; i < m->natt; i++)
        if (m->att[i].num == num)
            return &m->att[i];
    return NULL;
}

struct attachment *msg_att_add(struct arena *a, struct msg *m, uint32_t num)
{
    struct attachment *t = msg_att(m, num);
    if (t != NULL)
        return t;
    m->att = arena_grow(a, m->att, &m->att_cap, m->natt, sizeof *m->att);
    t = &m->att[m->natt++];
    t->num = num;
    return t;
}

static void rcpt_remove(struct msg *m, uint32_t row)
{
    size_t kept = 0;
    for (size_t i = 0; i < m->nrcpt; i++)
        if (m->rcpt[i].row != row)
            m->rcpt[kept++] = m->rcpt[i];
    m->nrcpt = kept;
}

static void att_remove(struct msg *m, uint32_t num)
{
    size_t kept = 0;
    for (size_t i = 0; i < m->natt; i++)
        if (m->att[i].num != num)
            m->att[kept++] = m->att[i];
    m->natt = kept;
}

static void apply_props(struct arena *a, struct props *base, const struct props *set, const struct tags *del)
{
    for (size_t i = 0; i < del->n; i++)
        props_del(base, del->v[i]);
    props_copy(a, base, set);
}

static void apply_rcpts(struct arena *a, struct msg *base, const struct msg *over)
{
    if (over->rcpts_replaced)
        base->nrcpt = 0;
    for (size_t i = 0; i < over->nrcpt; i++) {
        if (over->rcpt[i].deleted)
            rcpt_remove(base, over->rcpt[i].row);
        else
            *msg_rcpt_add(a, base, over->rcpt[i].row) = over->rcpt[i];
    }
}

static void apply_embedded(struct arena *a, struct attachment *base, const struct msg *over)
{
    if (base->embedded == NULL)
        base->embedded = arena_one(a, struct msg);
    msg_apply(a, base->embedded, over);
}

static void apply_atts(struct arena *a, struct msg *base, const struct msg *over)
{
    for (size_t i = 0; i < over->natt; i++) {
        const struct attachment *change = &over->att[i];
        if (change->deleted) {
            att_remove(base, change->num);
            continue;
        }
        struct attachment *t = msg_att_add(a, base, change->num);
        apply_props(a, &t->set, &change->set, &change->del);
        if (change->embedded != NULL)
            apply_embedded(a, t, change->embedded);
    }
}

void msg_apply(struct arena *a, struct msg *base, const struct msg *over)
{
    apply_props(a, &base->set, &over->set, &over->del);
    apply_rcpts(a, base, over);
    apply_atts(a, base, over);
    if (over->next_att > base->next_att)
        base->next_att = over->next_att;
}

static void each_large(const struct props *p, void (*fn)(void *ctx, const struct large_ref *), void *ctx)
{
    for (size_t i = 0; i < p->n; i++)
        if (p->v[i].large)
            fn(ctx, &p->v[i].v.large);
}

void msg_each_large(const struct msg *m, void (*fn)(void *ctx, const struct large_ref *), void *ctx)
{
    each_large(&m->set, fn, ctx);
    for (size_t i = 0; i < m->nrcpt; i++)
        each_large(&m->rcpt[i].props, fn, ctx);
    for (size_t i = 0; i < m->natt; i++) {
        each_large(&m->att[i].set, fn, ctx);
        if (m->att[i].embedded != NULL)
            msg_each_large(m->att[i].embedded, fn, ctx);
    }
}
