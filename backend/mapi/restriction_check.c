/* restriction_check.c - a restriction looked at without a row: can it be answered, what does it read, how does it read. */
#include "backend/mapi/propval_int.h"
#include "backend/mapi/restriction.h"
#include <inttypes.h>
#include <stdio.h>

enum { MAX_NODES = 1000, LEVEL_BASE = 0x0F };

static bool types_match(uint32_t tag, const struct propval *v)
{
    return type_single(prop_type(prop_unicode(tag))) == type_single(prop_type(v->tag));
}

static ec_t check_relop(uint8_t relop)
{
    if (relop == RELOP_RE || relop == RELOP_MEMBER_OF_DL)
        return EC(ecTooComplex);
    return relop <= RELOP_NE ? ecNone : EC(ecInvalidParameter);
}

static ec_t check_content(const struct restriction *r)
{
    const struct propval *v = &r->content.value;
    uint16_t              type = prop_type(v->tag);
    if ((r->content.level & LEVEL_BASE) > FL_PREFIX)
        return EC(ecInvalidParameter);
    if (!types_match(r->content.tag, v) || type_array(type) || (type_single(type) != PtypString && type_single(type) != PtypBinary))
        return EC(ecTooComplex);
    return ecNone;
}

static ec_t check_property(const struct restriction *r)
{
    TRY(check_relop(r->property.relop));
    uint16_t type = type_single(prop_type(r->property.value.tag));
    if (!types_match(r->property.tag, &r->property.value) || type == PtypRestriction || type == PtypRuleAction)
        return EC(ecTooComplex);
    return ecNone;
}

static ec_t check_sub(uint32_t subobject)
{
    bool known = prop_id(subobject) == prop_id(PidTagMessageRecipients) || prop_id(subobject) == prop_id(PidTagMessageAttachments);
    return known ? ecNone : EC(ecTooComplex);
}

static ec_t check(const struct restriction *r, size_t *nodes)
{
    if (++*nodes > MAX_NODES)
        return EC(ecTooComplex);
    switch (r->kind) {
    case RES_AND:
    case RES_OR:
        for (size_t i = 0; i < r->list.n; i++)
            TRY(check(&r->list.v[i], nodes));
        return ecNone;
    case RES_NOT:
        return check(r->one.r, nodes);
    case RES_CONTENT:
        return check_content(r);
    case RES_PROPERTY:
        return check_property(r);
    case RES_COMPAREPROPS:
        if (type_single(prop_type(r->compare.tag1)) != type_single(prop_type(r->compare.tag2)))
            return EC(ecTooComplex);
        return check_relop(r->compare.relop);
    case RES_BITMASK:
        return r->bitmask.relop <= 1 ? ecNone : EC(ecInvalidParameter);
    case RES_SIZE:
        return check_relop(r->size.relop);
    case RES_SUBRESTRICTION:
        TRY(check_sub(r->sub.subobject));
        return check(r->sub.r, nodes);
    case RES_COMMENT:
        return r->comment.r != NULL ? check(r->comment.r, nodes) : ecNone;
    case RES_COUNT:
        return check(r->count.r, nodes);
    case RES_EXIST:
    case RES_NULL:
        return ecNone;
    }
    return EC(ecInvalidParameter);
}

ec_t restriction_check(const struct restriction *r)
{
    size_t nodes = 0;
    return check(r, &nodes);
}

void restriction_tags(struct arena *a, const struct restriction *r, struct tags *out)
{
    switch (r->kind) {
    case RES_AND:
    case RES_OR:
        for (size_t i = 0; i < r->list.n; i++)
            restriction_tags(a, &r->list.v[i], out);
        break;
    case RES_NOT:
        restriction_tags(a, r->one.r, out);
        break;
    case RES_CONTENT:
        tags_add(a, out, r->content.tag);
        break;
    case RES_PROPERTY:
        tags_add(a, out, r->property.tag);
        break;
    case RES_COMPAREPROPS:
        tags_add(a, out, r->compare.tag1);
        tags_add(a, out, r->compare.tag2);
        break;
    case RES_BITMASK:
        tags_add(a, out, r->bitmask.tag);
        break;
    case RES_SIZE:
        tags_add(a, out, r->size.tag);
        break;
    case RES_EXIST:
        tags_add(a, out, r->exist.tag);
        break;
    case RES_COMMENT:
        if (r->comment.r != NULL)
            restriction_tags(a, r->comment.r, out);
        break;
    case RES_COUNT:
        restriction_tags(a, r->count.r, out);
        break;
    case RES_SUBRESTRICTION: /* reads rows of recipients and attachments, not this one */
    case RES_NULL:
        break;
    }
}
