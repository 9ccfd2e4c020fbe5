/* named.c - names of properties and their ids in this mailbox. MS-OXCPRPT 2.2.9, 2.2.12, 2.2.13, 3.2.5.6, 3.2.5.9, 3.2.5.10. */
#include "backend/store/named.h"
#include "session/rop/rop.h"

enum { NAMES_CREATE = 0x02, QUERY_NO_STRINGS = 0x01, QUERY_NO_IDS = 0x02 };

/* Ids are looked up first, so that asking for known names takes no write transaction.  Who may not register names gets 0 for new ones
 * (OXCPRPT R227). */
static ec_t lookup(struct rop_ctx *c, const struct propname *names, size_t n, bool create, uint16_t *ids)
{
    bool missing = false;
    TRY(named_ids(c->m, names, n, false, ids, &missing));
    if (!missing || !create)
        return ecNone;
    TRY(rop_write(c));
    ec_t ec = named_ids(c->m, names, n, true, ids, &missing);
    return ec == (ec_t)ecAccessDenied ? named_ids(c->m, names, n, false, ids, &missing) : ec;
}

ec_t rop_GetPropertyIdsFromNames(struct rop_ctx *c)
{
    uint8_t flags = rd_u8(c->in);
    size_t n = rd_count(c->in, rd_u16(c->in), 17); /* a name has at least its kind and its set */
    struct propname *names = arena_array(c->a, struct propname, n);
    for (size_t i = 0; i < n; i++)
        propname_read(c->in, c->a, &names[i]);
    if (!rd_ok(c->in))
        return EC(ecRpcFormat);
    rop_note(c, "flags=%02x names=%zu", flags, n);

    uint16_t *ids = arena_array(c->a, uint16_t, n);
    if (n == 0 && c->object->kind == OBJ_LOGON) /* OXCPRPT R526: all of them */
        TRY(named_list(c->m, NULL, &names, &ids, &n));
    else
        TRY(lookup(c, names, n, flags == NAMES_CREATE, ids));

    wr_u16(c->out, (uint16_t)n);
    for (size_t i = 0; i < n; i++)
        wr_u16(c->out, ids[i]);
    return ecNone;
}

ec_t rop_GetNamesFromPropertyIds(struct rop_ctx *c)
{
    size_t n = rd_count(c->in, rd_u16(c->in), 2);
    uint16_t *ids = arena_array(c->a, uint16_t, n);
    for (size_t i = 0; i < n; i++)
        ids[i] = rd_u16(c->in);
    if (!rd_ok(c->in))
        return EC(ecRpcFormat);
    rop_note(c, "ids=%zu", n);

    struct propname *names = arena_array(c->a, struct propname, n);
    TRY(named_names(c->m, ids, n, names));

    wr_u16(c->out, (uint16_t)n);
    for (size_t i = 0; i < n; i++)
        propname_write(c->out, c->a, &names[i]);
    return ecNone;
}

ec_t rop_QueryNamedProperties(struct rop_ctx *c)
{
    uint8_t flags = rd_u8(c->in);
    bool has_set = rd_u8(c->in) != 0;
    struct guid set;
    if (has_set)
        rd_copy(c->in, set.b, sizeof set.b);
    if (!rd_ok(c->in))
        return EC(ecRpcFormat);
    rop_note(c, "flags=%02x", flags);

    struct propname *names;
    uint16_t *ids;
    size_t n, kept = 0;
    TRY(named_list(c->m, has_set ? &set : NULL, &names, &ids, &n));
    for (size_t i = 0; i < n; i++)
        if (!((flags & QUERY_NO_STRINGS) != 0 && names[i].kind == PROPNAME_STRING) && !((flags & QUERY_NO_IDS) != 0 && names[i].kind == PROPNAME_LID)) {
            names[kept] = names[i];
            ids[kept++] = ids[i];
        }

    wr_u16(c->out, (uint16_t)kept);
    for (size_t i = 0; i < kept; i++)
        wr_u16(c->out, ids[i]);
    for (size_t i = 0; i < kept; i++)
        propname_write(c->out, c->a, &names[i]);
    return ecNone;
}
