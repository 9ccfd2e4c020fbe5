/* restriction_match.c - does a row match a restriction (MS-OXCDATA 2.12)? */
#include "backend/base/utf.h"
#include "backend/mapi/propval_int.h"
#include "backend/mapi/restriction.h"

/* A value that is there and is no error, or NULL. */
static const struct propval *get(const struct res_row *row, uint32_t tag)
{
    const struct propval *v = row->get(row->ctx, tag);
    return v != NULL && prop_type(v->tag) != PtypErrorCode ? v : NULL;
}

static const struct propval *get_loaded(const struct res_row *row, uint32_t tag)
{
    const struct propval *v = get(row, tag);
    return v != NULL && !v->large ? v : NULL;
}

static bool relation(uint8_t relop, int order)
{
    switch (relop) {
    case RELOP_LT:
        return order < 0;
    case RELOP_LE:
        return order <= 0;
    case RELOP_GT:
        return order > 0;
    case RELOP_GE:
        return order >= 0;
    case RELOP_EQ:
        return order == 0;
    case RELOP_NE:
        return order != 0;
    default:
        return false;
    }
}

/* --- contents --- */

enum { FL_PREFIX_ON_ANY_WORD = 0x10, FL_PHRASE_MATCH = 0x20 }; /* of full-text clients; answered as substring, which finds more */

static bool text_matches(struct blob have, struct blob want, uint16_t level, uint16_t fuzzy)
{
    unsigned how = (fuzzy & (FL_IGNORECASE | FL_LOOSE) ? UTF_FOLD : 0u) | (fuzzy & (FL_IGNORENONSPACE | FL_LOOSE) ? UTF_BASE : 0u);
    if (level == FL_FULLSTRING)
        return utf8_cmp(have, want, how) == 0;
    return level == FL_PREFIX ? utf8_starts(have, want, how) : utf8_contains(have, want, how);
}

static bool bytes_match(struct blob have, struct blob want, uint16_t level)
{
    if (level == FL_FULLSTRING)
        return blob_eq(have, want);
    return level == FL_PREFIX ? utf8_starts(have, want, UTF_EXACT) : utf8_contains(have, want, UTF_EXACT);
}

static bool content_matches(const struct restriction *r, const struct res_row *row)
{
    const struct propval *have = get_loaded(row, r->content.tag), *want = &r->content.value;
    if (have == NULL || type_single(prop_type(have->tag)) != type_single(prop_type(want->tag)) || type_array(prop_type(want->tag)))
        return false;
    uint16_t level = r->content.level & (FL_PREFIX_ON_ANY_WORD | FL_PHRASE_MATCH) ? FL_SUBSTRING : r->content.level;
    bool     text = type_string(prop_type(want->tag)), many = type_array(prop_type(have->tag));
    for (size_t i = 0, n = propval_count(have); i < n; i++) {
        struct blob one = many ? have->v.mv.s[i] : have->v.s; /* strings and binaries lie alike */
        if (text ? text_matches(one, want->v.s, level, r->content.fuzzy) : bytes_match(one, want->v.bin, level))
            return true;
    }
    return false;
}

/* --- comparisons --- */

static bool same_type(const struct propval *a, const struct propval *b)
{
    return type_single(prop_type(a->tag)) == type_single(prop_type(b->tag));
}

static bool property_matches(const struct restriction *r, const struct res_row *row)
{
    const struct propval *have = get_loaded(row, r->property.tag), *want = &r->property.value;
    if (have == NULL || !same_type(have, want))
        return false;
    if (!type_array(prop_type(have->tag)) || type_array(prop_type(want->tag)))
        return type_array(prop_type(have->tag)) == type_array(prop_type(want->tag)) &&
               relation(r->property.relop, propval_cmp(have, want));
    for (size_t i = 0, n = propval_count(have); i < n; i++) {
        struct propval one = propval_element(have, i);
        if (relation(r->property.relop, propval_cmp(&one, want)))
            return true;
    }
    return false;
}

static bool compare_matches(const struct restriction *r, const struct res_row *row)
{
    const struct propval *a = get_loaded(row, r->compare.tag1), *b;
    if (a == NULL)
        return false;
    struct propval first = *a; /* the next get may overwrite it */
    b = get_loaded(row, r->compare.tag2);
    return b != NULL && same_type(&first, b) && type_array(prop_type(first.tag)) == type_array(prop_type(b->tag)) &&
           relation(r->compare.relop, propval_cmp(&first, b));
}

static bool bitmask_matches(const struct restriction *r, const struct res_row *row)
{
    const struct propval *v = get_loaded(row, r->bitmask.tag);
    if (v == NULL)
        return false;
    uint32_t bits;
    switch (prop_type(v->tag)) {
    case PtypInteger32:
        bits = (uint32_t)v->v.i32;
        break;
    case PtypInteger16:
        bits = (uint16_t)v->v.i16;
        break;
    default:
        return false;
    }
    return ((bits & r->bitmask.mask) != 0) == (r->bitmask.relop != 0);
}

static int size_order(uint64_t have, uint32_t want) { return (have > want) - (have < want); }

/* The size of a value itself: no count, no terminator. */
static uint64_t own_size(const struct propval *v)
{
    switch (type_single(prop_type(v->tag))) {
    case PtypString:
        return utf16_size(v->v.s);
    case PtypBinary:
    case PtypObject:
    case PtypServerId:
        return v->v.bin.n;
    default:
        return propval_size(v);
    }
}

static bool size_matches(const struct restriction *r, const struct res_row *row)
{
    const struct propval *v = get(row, r->size.tag);
    if (v == NULL)
        return false;
    if (v->large)
        return relation(r->size.relop, size_order(v->v.large.size, r->size.size));
    if (!type_array(prop_type(v->tag)))
        return relation(r->size.relop, size_order(own_size(v), r->size.size));
    for (size_t i = 0, n = propval_count(v); i < n; i++) {
        struct propval one = propval_element(v, i);
        if (relation(r->size.relop, size_order(own_size(&one), r->size.size)))
            return true;
    }
    return false;
}

/* --- the tree --- */

static bool list_matches(const struct restriction *r, const struct res_row *row, bool enough)
{
    for (size_t i = 0; i < r->list.n; i++)
        if (restriction_match(&r->list.v[i], row) == enough)
            return enough;
    return !enough;
}

bool restriction_match(const struct restriction *r, const struct res_row *row)
{
    switch (r->kind) {
    case RES_AND:
        return list_matches(r, row, false);
    case RES_OR:
        return list_matches(r, row, true);
    case RES_NOT:
        return !restriction_match(r->one.r, row);
    case RES_CONTENT:
        return content_matches(r, row);
    case RES_PROPERTY:
        return property_matches(r, row);
    case RES_COMPAREPROPS:
        return compare_matches(r, row);
    case RES_BITMASK:
        return bitmask_matches(r, row);
    case RES_SIZE:
        return size_matches(r, row);
    case RES_EXIST:
        return get(row, r->exist.tag) != NULL;
    case RES_SUBRESTRICTION:
        return row->sub != NULL && row->sub(row->ctx, r->sub.subobject, r->sub.r) != 0;
    case RES_COMMENT: /* what it says is for the client; without an inner restriction nothing is asked */
        return r->comment.r == NULL || restriction_match(r->comment.r, row);
    case RES_COUNT:
        return restriction_match(r->count.r, row);
    case RES_NULL:
        return true;
    }
    return false;
}
