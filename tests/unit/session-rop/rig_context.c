/* rig_context.c - a session context in memory: what rig.h keeps between two requests. */
#include "session/context/context_int.h"
#include "tests/unit/session-rop/rig.h"

struct context *rig_context(struct rig *g, struct arena *a)
{
    struct context *c = arena_one(a, struct context);
    c->p = arena_one(a, struct context_private);
    c->p->env = (struct session_env){ .config = g->config, .store = g->store };
    c->a = a;
    memcpy(c->id, g->id, sizeof c->id);
    c->user = "ada";
    c->user_dn = g->delegate != NULL ? g->delegate : RIG_OWNER;
    c->display_name = g->delegate != NULL ? "Bob" : "Ada Lovelace";
    c->code_page = 1252;
    c->lcid_sort = c->lcid_string = 0x0409;
    c->next_handle = g->next_handle;
    c->logon = arena_one(a, struct logon_entry);
    c->logon[0] = (struct logon_entry){ .handle = RIG_LOGON, .logon_flags = 1, .mailbox = g->mailbox, .owner = g->delegate == NULL, .mailbox_dn = RIG_OWNER };
    c->logons = 1;
    c->handles = g->handles;
    c->handle = arena_dup(a, g->handle, g->handles * sizeof *g->handle);
    c->p->handle_cap = c->handles;
    for (size_t i = 0; i < g->handles; i++)
        block_add_raw(c, g->handle[i].handle, g->handle[i].slot, arena_blob(a, g->block[g->handle[i].handle]));
    return c;
}

void rig_keep(struct rig *g, struct context *c)
{
    g->next_handle = c->next_handle;
    g->handles = c->handles;
    g->handle = arena_dup(g->life, c->handle, c->handles * sizeof *c->handle);
    for (size_t i = 0; i < c->handles; i++) {
        const struct block *b = block_find(c, c->handle[i].handle);
        REQUIRE(c->handle[i].handle < g->nblock && b != NULL);
        if (!blob_eq(g->block[c->handle[i].handle], b->state))
            g->block[c->handle[i].handle] = arena_blob(g->life, b->state);
        if (b->state.n > g->largest)
            g->largest = b->state.n;
    }
}
