/* offline_table.c - which properties objects have in an offline address book, in which types. */
#include "backend/directory/entry.h"
#include "backend/directory/offline/offline_format.h"
#include <pthread.h>

enum { ANR = OFFLINE_ANR, PRIMARY = OFFLINE_PRIMARY };

static const struct { uint32_t tag; uint16_t type; uint32_t flags; } ordered[] = {
#define OFFLINE(property, type, flags) { property, type, flags },
#define ABSENT(property)
#include "backend/directory/offline/offlineprop.def"
};
static const uint32_t absent[] = {
#define OFFLINE(property, type, flags)
#define ABSENT(property) property,
#include "backend/directory/offline/offlineprop.def"
};
static const uint32_t known[] = {
#define ABPROP(name, how) name,
#include "backend/directory/abprop.def"
};
enum { ORDERED = sizeof ordered / sizeof ordered[0], ABSENT = sizeof absent / sizeof absent[0], KNOWN = sizeof known / sizeof known[0] };

static struct offline_column column[ORDERED + KNOWN + 1];
static size_t columns;

static bool named(uint32_t tag)
{
    bool found = false;
    for (size_t i = 0; i < columns; i++)
        found |= prop_id(column[i].tag) == prop_id(tag);
    for (size_t i = 0; i < ABSENT; i++)
        found |= prop_id(absent[i]) == prop_id(tag);
    return found;
}

/* What is asked for to fill it: strings as they are inside; of what is only indicated, whatever it is. */
static void put(uint32_t tag, uint16_t type, uint32_t flags)
{
    uint32_t as = prop_retype(tag, type);
    column[columns++] = (struct offline_column){ as, type == PtypObject ? prop_retype(tag, PtypUnspecified) : prop_unicode(as), flags };
}

static void make(void)
{
    for (size_t i = 0; i < ORDERED; i++)
        put(ordered[i].tag, ordered[i].type, ordered[i].flags);
    for (size_t i = 0; i < KNOWN; i++) {
        enum link_kind k;
        bool back, link = link_of_prop(known[i], &k, &back);
        if (!named(known[i]))
            put(known[i], link || known[i] == PidTagSpokenName ? PtypObject : prop_type(known[i]), 0);
    }
    put(PidTagOfflineAddressBookTruncatedProperties, PtypMultipleInteger32, 0);
}

size_t offline_columns(const struct offline_column **out)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make);
    *out = column;
    return columns;
}
