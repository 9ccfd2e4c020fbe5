/* propname.c - names of named properties (MS-OXCDATA 2.6.1), and the property sets. */
#include "backend/mapi/propname.h"
#include "backend/base/utf.h"

/* GUID constants made of their text by the compiler: the first three fields are little-endian in memory. */
#define NIBBLE(c)  ((c) <= '9' ? (c) - '0' : ((c) | 32) - 'a' + 10)
#define BYTE(t, i) (uint8_t)(NIBBLE((t)[i]) << 4 | NIBBLE((t)[(i) + 1]))
#define PROPSET(name, t)                                                                                       \
    const struct guid name = { { BYTE(t, 6), BYTE(t, 4), BYTE(t, 2), BYTE(t, 0), BYTE(t, 11), BYTE(t, 9),      \
                                 BYTE(t, 16), BYTE(t, 14), BYTE(t, 19), BYTE(t, 21), BYTE(t, 24), BYTE(t, 26), \
                                 BYTE(t, 28), BYTE(t, 30), BYTE(t, 32), BYTE(t, 34) } };
#include "backend/mapi/propset.def"
#undef PROPSET

void propname_read(struct rd *r, struct arena *a, struct propname *out)
{
    *out = (struct propname){ .kind = rd_u8(r) };
    rd_copy(r, out->set.b, sizeof out->set.b);
    if (out->kind == PROPNAME_LID) {
        out->lid = rd_u32(r);
    } else if (out->kind == PROPNAME_STRING) {
        struct rd name = rd_sub(r, rd_u8(r));
        out->name = utf8_from_utf16(a, rd_utf16z(&name));
        rd_join(r, &name);
    } else if (out->kind != PROPNAME_NONE) {
        rd_fail(r, "kind of a property name");
    }
    if (!rd_ok(r))
        *out = (struct propname){ .kind = PROPNAME_NONE };
}

void propname_write(struct wr *w, struct arena *a, const struct propname *n)
{
    wr_u8(w, n->kind);
    wr_bytes(w, n->set.b, sizeof n->set.b);
    if (n->kind == PROPNAME_LID) {
        wr_u32(w, n->lid);
    } else if (n->kind == PROPNAME_STRING) {
        struct blob name = utf16_from_utf8(a, utf8_cut(n->name, PROPNAME_MAX));
        wr_u8(w, (uint8_t)(name.n + 2));
        wr_put(w, name);
        wr_u16(w, 0);
    }
}

bool propname_eq(const struct propname *a, const struct propname *b)
{
    if (a->kind != b->kind || !guid_eq(&a->set, &b->set))
        return false;
    return a->kind == PROPNAME_LID ? a->lid == b->lid : a->kind == PROPNAME_STRING ? blob_eq(a->name, b->name) : true;
}
