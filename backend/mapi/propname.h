/* propname.h - names of named properties (MS-OXCDATA 2.6.1). */
#ifndef MAPI_PROPNAME_H
#define MAPI_PROPNAME_H
#include "backend/mapi/propval.h"

enum { PROPNAME_LID = 0, PROPNAME_STRING = 1, PROPNAME_NONE = 0xFF };
enum { PROPNAME_MAX = 126 };   /* UTF-16 units of a name, as many as its one-byte size can say; longer ones are cut when written */

struct propname {
    uint8_t     kind;      /* PROPNAME_* */
    struct guid set;
    uint32_t    lid;       /* PROPNAME_LID */
    struct blob name;      /* PROPNAME_STRING: UTF-8, without NUL */
};

/* PropertyName structure: Kind, GUID, LID | NameSize + Name (UTF-16 with NUL).  Names are compared byte by byte: their case counts. */
void propname_read(struct rd *r, struct arena *a, struct propname *out);
void propname_write(struct wr *w, struct arena *a, const struct propname *n);
bool propname_eq(const struct propname *a, const struct propname *b);

/* Property sets of MS-OXPROPS 1.3.2 as constants: PSETID_Common, PS_MAPI, PS_PUBLIC_STRINGS, PS_INTERNET_HEADERS ... */
#define PROPSET(name, text) extern const struct guid name;
#include "backend/mapi/propset.def"
#undef PROPSET
#endif
