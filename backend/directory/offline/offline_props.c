/* offline_props.c - an offline address book as properties: of the list that it is of, and of its own header. */
#include "backend/directory/offline/offline_int.h"

enum { FULL = 1 };   /* what PidTagOfflineAddressBookMessageClass says: all of it, not changes to an earlier one (MS-OXPFOAB) */

/* "{...}" is not how it is written: only digits and hyphens. */
static const char *text_of(struct arena *a, const struct guid *g)
{
    char text[GUID_TEXT];
    return arena_strdup(a, guid_text(g, text));
}

ec_t offline_props(struct directory *d, struct arena *a, uint32_t org, struct props *out)
{
    struct offline_book b;
    TRY(offline_of(d, a, org, &b));
    props_set(a, out, pv_str(PidTagOfflineAddressBookName, b.name));
    props_set(a, out, pv_str(prop_unicode(PidTagOfflineAddressBookDistinguishedName), b.dn));
    props_set(a, out, pv_i32(PidTagOfflineAddressBookSequence, (int32_t)b.sequence));
    props_set(a, out, pv_str(prop_unicode(PidTagOfflineAddressBookContainerGuid), text_of(a, &b.guid)));
    props_set(a, out, pv_i32(PidTagOfflineAddressBookMessageClass, FULL));
    return ecNone;
}
