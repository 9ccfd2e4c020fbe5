/* proptag.c - names of property tags, and which types exist. */
#include "backend/mapi/proptag.h"
#include <stddef.h>
#include <string.h>

struct named_tag { uint32_t tag; const char *name; };

static const struct named_tag tags[] = { /* in the order of the tags */
#define PROPTAG(tag, name) { tag, #name },
#include "backend/mapi/proptag.def"
#undef PROPTAG
};
enum { TAGS = sizeof tags / sizeof *tags };

bool type_known(uint16_t type)
{
    if ((type & PtypMultipleInstance) == (PtypMultipleInstance & ~PtypMultipleFlag))
        return false; /* an instance of something that is not multi-valued */
    switch (type_single(type)) {
    case PtypInteger16:
    case PtypInteger32:
    case PtypFloating32:
    case PtypFloating64:
    case PtypCurrency:
    case PtypFloatingTime:
    case PtypInteger64:
    case PtypString8:
    case PtypString:
    case PtypTime:
    case PtypGuid:
    case PtypBinary:
        return true;
    case PtypNull:
    case PtypErrorCode:
    case PtypBoolean:
    case PtypObject:
    case PtypServerId:
    case PtypRestriction:
    case PtypRuleAction:
        return (type & PtypMultipleInstance) == 0;
    default:
        return false;
    }
}

/* The first entry that is not below `tag`. */
static size_t lower_bound(uint32_t tag)
{
    size_t lo = 0, hi = TAGS;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (tags[mid].tag < tag)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

const char *proptag_name(uint32_t tag)
{
    const char *first = NULL, *as_text = NULL;
    for (size_t i = lower_bound(tag & 0xFFFF0000u); i < TAGS && prop_id(tags[i].tag) == prop_id(tag); i++) {
        if (tags[i].tag == tag)
            return tags[i].name;
        if (as_text == NULL && prop_unicode(tags[i].tag) == prop_unicode(tag))
            as_text = tags[i].name;
        if (first == NULL)
            first = tags[i].name;
    }
    return as_text != NULL ? as_text : first;
}

uint32_t proptag_by_name(const char *name)
{
    for (size_t i = 0; i < TAGS; i++)
        if (strcmp(tags[i].name, name) == 0)
            return tags[i].tag;
    return 0;
}
