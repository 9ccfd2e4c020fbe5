/* special.c - special_folder.def as a table, and the entry ids by which clients find the folders. */
#include "backend/store/special.h"

const struct special special[SF_COUNT] = {
#define SPECIAL(name, parent, type, hidden, class, english, german) \
    [SF_##name] = { #name, SF_##name, SF_##parent, type, hidden, class, english, german },
#include "backend/store/special_folder.def"
#undef SPECIAL
};

/* MS-LCID: the low ten bits are the language. */
static unsigned language(uint32_t lcid) { return lcid & 0x3FF; }
enum { LANGUAGE_GERMAN = 0x07 };

const char *special_name(const struct special *s, uint32_t lcid) { return language(lcid) == LANGUAGE_GERMAN ? s->german : s->english; }

uint32_t special_code_page(uint32_t lcid)
{
    static const struct { uint16_t language, page; } other[] = {
        { 0x01, 1256 }, { 0x02, 1251 }, { 0x05, 1250 }, { 0x08, 1253 }, { 0x0D, 1255 }, { 0x0E, 1250 }, { 0x11, 932 }, { 0x12, 949 },
        { 0x15, 1250 }, { 0x18, 1250 }, { 0x19, 1251 }, { 0x1A, 1250 }, { 0x1B, 1250 }, { 0x1E, 874 }, { 0x1F, 1254 }, { 0x20, 1256 },
        { 0x22, 1251 }, { 0x23, 1251 }, { 0x24, 1250 }, { 0x25, 1257 }, { 0x26, 1257 }, { 0x27, 1257 }, { 0x29, 1256 }, { 0x2A, 1258 },
    };
    if (language(lcid) == 0x04)  /* Chinese: Taiwan, Hong Kong and Macau write the traditional script */
        return (lcid >> 10 & 0x3F) == 1 || (lcid >> 10 & 0x3F) == 3 || (lcid >> 10 & 0x3F) == 5 ? 950 : 936;
    for (size_t i = 0; i < sizeof other / sizeof *other; i++)
        if (other[i].language == language(lcid))
            return other[i].page;
    return 1252;
}

/* --- pointers ----------------------------------------------------------------------------------------------------------------- */
static struct blob eid(struct arena *a, const struct mailbox_info *i, enum special_folder sf)
{
    return entryid_folder(a, &i->id, &i->replica, i->fid[sf]);
}

static struct propval multi(uint32_t tag, struct blob *v, size_t n)
{
    struct propval p = { .tag = tag };
    p.v.mv.n = n;
    p.v.mv.bin = v;
    return p;
}

/* One per element, in this order: MS-OXOSFLD 2.2.4. */
static struct propval additional(struct arena *a, const struct mailbox_info *i)
{
    static const enum special_folder order[] = { SF_CONFLICTS, SF_SYNC_ISSUES, SF_LOCAL_FAILURES, SF_SERVER_FAILURES, SF_JUNK };
    enum { N = sizeof order / sizeof *order };
    struct blob *v = arena_array(a, struct blob, N);
    for (size_t k = 0; k < N; k++)
        v[k] = eid(a, i, order[k]);
    return multi(PidTagAdditionalRenEntryIds, v, N);
}

/* PersistData blocks, each with one entry id, then the sentinel: MS-OXOSFLD 2.2.5. */
static struct propval additional_ex(struct arena *a, const struct mailbox_info *i)
{
    static const struct { uint16_t persist; enum special_folder sf; } block[] = { { 0x8006, SF_CONVERSATION_ACTIONS }, { 0x8007, SF_QUICK_STEPS } };
    enum { ELEMENT_ENTRYID = 1 };
    struct wr w = wr_in(a, 1024);
    for (size_t k = 0; k < sizeof block / sizeof *block; k++) {
        struct blob id = eid(a, i, block[k].sf);
        wr_u16(&w, block[k].persist);
        wr_u16(&w, (uint16_t)(4 + id.n));
        wr_u16(&w, ELEMENT_ENTRYID);
        wr_u16(&w, (uint16_t)id.n);
        wr_put(&w, id);
    }
    wr_u32(&w, 0);
    return pv_bin(PidTagAdditionalRenEntryIdsEx, wr_blob(&w));
}

/* Elements 0 to 2 name messages that clients make: MS-OXOSFLD 2.2.6. */
static struct propval freebusy(struct arena *a, const struct mailbox_info *i)
{
    struct blob *v = arena_array(a, struct blob, 4);
    v[3] = eid(a, i, SF_FREEBUSY_DATA);
    return multi(PidTagFreeBusyEntryIds, v, 4);
}

void special_pointers(struct arena *a, const struct mailbox_info *i, struct props *out)
{
    static const struct { uint32_t tag; enum special_folder sf; } single[] = {
        { 0x36D00102, SF_CALENDAR }, { 0x36D10102, SF_CONTACTS }, { 0x36D20102, SF_JOURNAL }, { 0x36D30102, SF_NOTES },
        { 0x36D40102, SF_TASKS }, { 0x36D50102, SF_REMINDERS }, { 0x36D70102, SF_DRAFTS },
    };
    for (size_t k = 0; k < sizeof single / sizeof *single; k++)
        props_set(a, out, pv_bin(single[k].tag, eid(a, i, single[k].sf)));
    props_set(a, out, additional(a, i));
    props_set(a, out, additional_ex(a, i));
    props_set(a, out, freebusy(a, i));
}
