/* nspi_known.c - the properties that the address book knows, by their ids. */
#include "session/nspi/nspi_row.h"
#include <pthread.h>

static const uint32_t known[] = {
#define ABPROP(name, how) name,
#include "backend/directory/abprop.def"
};
enum { KNOWN = sizeof known / sizeof known[0], IDS = 0x10000, NONE = 0 };

/* By id: 1 + the place of the first; several types of one id follow each other by `next`. */
static struct nspi_property property[KNOWN];
static uint16_t next[KNOWN], first[IDS];
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* A link is a table of objects, whatever type else its property can be had in; and so is the database of a mailbox (MS-OXOABK 2.2.4.37). */
static struct nspi_property describe(uint32_t native)
{
    struct nspi_property p = { .native = native };
    p.make = nspi_made_by(native, &p.of);
    p.linked = link_of_prop(native, &p.link, &p.back) && p.make == NULL;
    p.table = p.linked || native == PidTagAddressBookHomeMessageDatabase;
    return p;
}

static void describe_all(void)
{
    for (size_t i = KNOWN; i-- != 0; ) {
        property[i] = describe(known[i]);
        next[i] = first[prop_id(known[i])];
        first[prop_id(known[i])] = (uint16_t)(i + 1);
    }
}

const struct nspi_property *nspi_property(uint32_t tag)
{
    pthread_once(&once, describe_all);
    uint16_t any = first[prop_id(tag)];
    for (uint16_t i = any; i != NONE; i = next[i - 1])
        if (known[i - 1] == prop_unicode(tag))
            return &property[i - 1];
    return any != NONE ? &property[any - 1] : NULL;
}

uint32_t nspi_native(uint32_t tag)
{
    const struct nspi_property *p = nspi_property(tag);
    return p != NULL ? p->native : 0;
}

static uint32_t as_string(uint32_t tag, uint16_t string_type)
{
    return type_string(prop_type(tag)) ? prop_retype(tag, (uint16_t)((prop_type(tag) & PtypMultipleFlag) | string_type)) : tag;
}

size_t nspi_properties(const struct nspi_property **out)
{
    pthread_once(&once, describe_all);
    *out = property;
    return KNOWN;
}

uint32_t nspi_listed(const struct nspi_property *p, uint16_t string_type)
{
    return p->table ? prop_retype(p->native, PtypObject) : as_string(p->native, string_type);
}

void nspi_known(struct arena *a, uint16_t string_type, uint32_t **out, size_t *n)
{
    const struct nspi_property *all;
    *n = nspi_properties(&all);
    *out = arena_array(a, uint32_t, *n);
    for (size_t i = 0; i < *n; i++)
        (*out)[i] = nspi_listed(&all[i], string_type);
}
