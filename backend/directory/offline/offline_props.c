/* offline_props.c - an offline address book as properties: of the list that it is of, and of its own header. */
#include "backend/directory/offline/offline_int.h"

enum { FULL = 1 };   /* what PidTagOfflineAddressBookMessageClass says: all of it, not changes to an earlier one (MS-OXPFOAB) */

const char *offline_guid_text(struct arena *a, const struct guid *g)
{
    char text[GUID_TEXT];
    return arena_strdup(a, guid_text(g, text));
}

/* What is not whole in some object of the newest generation. */
static ec_t add_shortened(struct directory *d, struct arena *a, uint32_t org, struct props *out)
{
    sqlite3_stmt *q = q_begin(d, "SELECT shortened FROM offline_book WHERE org=?1");
    struct propval v = { .tag = PidTagOfflineAddressBookTruncatedProperties };
    bool row;
    if (q == NULL)
        return EC(ecDiskError);
    sqlite3_bind_int64(q, 1, org);
    ec_t ec = q_row(q, &row);
    struct rd r = row ? rd_over(sqlite3_column_blob(q, 0), (size_t)sqlite3_column_bytes(q, 0)) : rd_over(NULL, 0);
    v.v.mv.n = r.n / sizeof(uint32_t);
    v.v.mv.i32 = arena_array(a, int32_t, v.v.mv.n);
    for (size_t i = 0; i < v.v.mv.n; i++)
        v.v.mv.i32[i] = (int32_t)rd_u32(&r);
    q_end(d, q);
    if (ec == ecNone && v.v.mv.n != 0)
        props_set(a, out, v);
    return ec;
}

ec_t offline_props(struct directory *d, struct arena *a, uint32_t org, struct props *out)
{
    struct offline_book b;
    TRY(offline_of(d, a, org, &b));
    props_set(a, out, pv_str(PidTagOfflineAddressBookName, b.name));
    props_set(a, out, pv_str(prop_unicode(PidTagOfflineAddressBookDistinguishedName), b.dn));
    props_set(a, out, pv_i32(PidTagOfflineAddressBookSequence, (int32_t)b.sequence));
    props_set(a, out, pv_str(prop_unicode(PidTagOfflineAddressBookContainerGuid), offline_guid_text(a, &b.guid)));
    props_set(a, out, pv_i32(PidTagOfflineAddressBookMessageClass, FULL));
    return add_shortened(d, a, org, out);
}
