/* view_def.h - what a stored view is: order, collation, restriction; packed for the store, and as keys and matches are made from it.
 *
 *     packed = u8 version, sort order, u32 tag of the property whose instances are rows (0: none), u8 length and name of the
 *              collation (empty if no string is sorted), restriction (wide counts) or nothing
 *
 * Two tables whose rows come in the same order have the same packed definition, whatever locale their clients named. */
#ifndef STORE_VIEW_DEF_H
#define STORE_VIEW_DEF_H
#include "backend/base/arena.h"
#include "backend/mapi/restriction.h"
#include "backend/mapi/sortorder.h"
#include "backend/store/view_key.h"

struct view_def {
    struct sortorder            sort;
    const struct view_collator *collator; /* never NULL */
    const struct restriction   *filter;   /* NULL: all rows */
    uint32_t                    instance; /* multi-valued property (its own type) whose values are rows each; 0: none */
    struct tags                 tags;     /* what order and restriction look at; sub-objects of sub-restrictions included */
    bool                        sub;      /* looks at recipients or attachments */
    struct blob                 packed;
};

/* Checks and packs; `instance`: a tag with the instance bit whose property is expanded though it is not sorted by, or 0; strings in tags become
 * Unicode, tag lists are collected.  All in the arena; the filter is borrowed.  ecTooComplex, ecInvalidParameter. */
ec_t view_def_make(struct arena *a, const struct sortorder *s, uint32_t lcid, const struct restriction *filter, uint32_t instance, struct view_def *out);

/* False if it is damaged, of another version, or its collation is not there any more: such a view is worthless. */
bool view_def_unpack(struct arena *a, struct blob packed, struct view_def *out);

/* A tag with the instance bit; the same property as it is stored. */
static inline bool view_def_is_instance(uint32_t tag) { return (prop_type(tag) & PtypMultipleInstance) == PtypMultipleInstance; }
static inline uint32_t view_def_stored(uint32_t tag)
{
    return view_def_is_instance(tag) ? tag & ~(uint32_t)(PtypMultipleInstance & ~PtypMultipleFlag) : tag;
}

/* Does a change of these properties (by id; NULL: of anything) concern the view? */
bool view_def_looks_at(const struct view_def *d, const struct tags *changed);
#endif
