/* bulk.c - many messages of a folder deleted, moved, copied at once. MS-OXCFOLD 2.2.1.6, 2.2.1.9 - 2.2.1.12.
 *
 * Everything runs synchronously whatever WantAsynchronous says (OXCFOLD R701: the answer may say that the work is done).  Ids that name no message of the
 * folder make the result partial, not an error. */
#include "session/object/folder.h"
#include "session/rop/rop.h"

struct ids { uint64_t *v; size_t n; bool foreign; };

/* MessageIdCount and MessageIds as counters; ids of other replicas are left out and told. */
static void ids_read(struct rop_ctx *c, struct ids *out)
{
    size_t n = rd_count(c->in, rd_u16(c->in), 8);
    *out = (struct ids){ .v = arena_array(c->a, uint64_t, n) };
    for (size_t i = 0; i < n; i++) {
        uint64_t wire = rd_u64(c->in);
        if (id_replid(wire) == REPLID_OWN)
            out->v[out->n++] = id_gc(wire);
        else
            out->foreign = true;
    }
}

static ec_t delete_messages(struct rop_ctx *c, bool hard)
{
    struct ids ids;
    rd_u16(c->in); /* WantAsynchronous, NotifyNonRead */
    ids_read(c, &ids);
    if (!rd_ok(c->in))
        return EC(ecRpcFormat);
    rop_note(c, "messages=%zu", ids.n);

    bool partial = false;
    if (ids.n > 0)
        TRY(messages_delete(c->m, c->object->folder->fid, ids.v, ids.n, hard, &partial));

    wr_u8(c->out, partial || ids.foreign);
    return ecNone;
}

ec_t rop_DeleteMessages(struct rop_ctx *c) { return delete_messages(c, false); }
ec_t rop_HardDeleteMessages(struct rop_ctx *c) { return delete_messages(c, true); }

static ec_t empty(struct rop_ctx *c, bool hard)
{
    rd_u8(c->in);
    bool assoc_too = rd_u8(c->in) != 0, partial = false;
    if (!rd_ok(c->in))
        return EC(ecRpcFormat);

    struct folder f;
    uint64_t fid = c->object->folder->fid;
    TRY(folder_open(c->m, fid, false, &f));
    if (f.search || fid == mailbox_info(c->m)->fid[SF_ROOT]) /* OXCFOLD R1248, R1249 */
        return EC(ecNotSupported);
    TRY(folder_empty(c->m, fid, assoc_too, hard, &partial));

    wr_u8(c->out, partial);
    return ecNone;
}

ec_t rop_EmptyFolder(struct rop_ctx *c) { return empty(c, false); }
ec_t rop_HardDeleteMessagesAndSubfolders(struct rop_ctx *c) { return empty(c, true); }

struct transfer { struct mailbox *to; uint64_t from_fid, to_fid; bool copy; };

/* Another mailbox: each message is copied there and, in a move, deleted here only when its copy exists. */
static ec_t transfer_abroad(struct rop_ctx *c, const struct transfer *t, const struct ids *ids, bool *partial)
{
    for (size_t i = 0; i < ids->n; i++) {
        bool missed = false, kept = false;
        TRY(messages_copy_to(c->m, t->from_fid, t->to, t->to_fid, &ids->v[i], 1, &missed));
        if (!missed && !t->copy)
            TRY(messages_delete(c->m, t->from_fid, &ids->v[i], 1, true, &kept));
        *partial = *partial || missed || kept;
    }
    return ecNone;
}

static ec_t transfer(struct rop_ctx *c, const struct transfer *t, const struct ids *ids, bool *partial)
{
    if (ids->n == 0)
        return ecNone;
    if (t->to != c->m)
        return transfer_abroad(c, t, ids, partial);
    return t->copy ? messages_copy(c->m, t->from_fid, t->to_fid, ids->v, ids->n, partial)
                   : messages_move(c->m, t->from_fid, t->to_fid, ids->v, ids->n, partial);
}

ec_t rop_MoveCopyMessages(struct rop_ctx *c)
{
    struct ids ids;
    ids_read(c, &ids);
    rd_u8(c->in);
    struct transfer t = { .copy = rd_u8(c->in) != 0, .from_fid = c->object->folder->fid, .to_fid = c->dest->folder->fid };
    if (!rd_ok(c->in))
        return EC(ecRpcFormat);
    rop_note(c, "messages=%zu copy=%d", ids.n, t.copy);

    struct folder f;
    bool partial = ids.foreign;
    TRY(rop_mailbox(c, c->dest->logon_id, true, &t.to));
    TRY(folder_open(t.to, t.to_fid, false, &f));
    if (f.search)
        return EC(ecSearchFolder);
    TRY(transfer(c, &t, &ids, &partial));

    wr_u8(c->out, partial);
    return ecNone;
}
