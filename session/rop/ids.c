/* ids.c - short and long ids of folders and messages; ids for the client's own use; what a private logon says to questions about servers.
 * MS-OXCSTOR 2.2.1.5 - 2.2.1.9, MS-OXCFXICS 2.2.3.2.4.7, MS-OXOMSG 2.2.3.3. */
#include "session/rop/rop.h"

ec_t rop_LongTermIdFromId(struct rop_ctx *c)
{
    uint64_t id = rd_u64(c->in);
    if (!rd_ok(c->in))
        return EC(ecRpcFormat);

    struct guid replica;
    TRY(replguid_of(c->m, id_replid(id), &replica));

    longtermid_write(c->out, &replica, id_gc(id));
    return ecNone;
}

static bool all_zero(struct blob b)
{
    for (size_t i = 0; i < b.n; i++)
        if (b.p[i] != 0)
            return false;
    return true;
}

/* The six bytes of a global counter, most significant first. */
static uint64_t counter(struct blob b)
{
    uint64_t v = 0;
    for (size_t i = 0; i < b.n; i++)
        v = v << 8 | b.p[i];
    return v;
}

ec_t rop_IdFromLongTermId(struct rop_ctx *c)
{
    struct blob replica = rd_blob(c->in, 16), count = rd_blob(c->in, 6);
    rd_u16(c->in); /* the pad is not looked at (OXCSTOR R953) */
    if (!rd_ok(c->in))
        return EC(ecRpcFormat);
    if (all_zero(count)) { /* no id, and no error (OXCSTOR R948) */
        wr_u64(c->out, 0);
        return ecNone;
    }
    if (all_zero(replica))
        return EC(ecInvalidParameter);

    struct guid g;
    uint16_t replid;
    memcpy(g.b, replica.p, sizeof g.b);
    ec_t ec = replid_of(c->m, &g, false, &replid);
    if (ec == ecNotFound) {
        TRY(rop_write(c));
        ec = replid_of(c->m, &g, true, &replid);
    }
    TRY(ec);

    wr_u64(c->out, id_wire(replid, counter(count)));
    return ecNone;
}

ec_t rop_GetLocalReplicaIds(struct rop_ctx *c)
{
    uint32_t n = rd_u32(c->in);
    if (!rd_ok(c->in))
        return EC(ecRpcFormat);

    uint64_t first;
    TRY(mailbox_take_ids(c->m, n, &first));

    wr_bytes(c->out, mailbox_info(c->m)->replica.b, sizeof(struct guid));
    for (unsigned i = 6; i-- > 0; )
        wr_u8(c->out, (uint8_t)(first >> (8 * i)));
    return ecNone;
}

/* As servers since Exchange 2010 (OXCSTOR R882, R884). */
ec_t rop_GetStoreState(struct rop_ctx *c)
{
    (void)c;
    return EC(ecNotImplemented);
}

/* A private mailbox is never a ghost (OXCSTOR R917, R1237). */
ec_t rop_PublicFolderIsGhosted(struct rop_ctx *c)
{
    rd_u64(c->in);
    wr_u8(c->out, 0);
    return ecNone;
}

ec_t rop_GetAddressTypes(struct rop_ctx *c)
{
    static const char types[] = "SMTP\0EX";
    wr_u16(c->out, 2);
    wr_u16(c->out, (uint16_t)sizeof types);
    wr_bytes(c->out, types, sizeof types);
    return ecNone;
}
