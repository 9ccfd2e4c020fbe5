/* nspi_mod.c - what clients may change: their own certificates and delegates, the members of groups that they own (MS-OXNSPI R1268, R1307). */
#include "backend/base/fault.h"
#include "backend/directory/source/refresh.h"
#include "session/nspi/nspi_row.h"

enum { CERTIFICATES_MAX = 64, CERTIFICATE_BYTES = 65536 };

/* The change itself, inside the turn's transaction. */
typedef ec_t change_fn(struct nspi_ctx *c, int64_t row);

/* R1284, R1321: anything but success changes nothing. */
static ec_t in_turn(struct nspi_ctx *c, int64_t row, change_fn *change)
{
    bool repeat;
    TRY(entry_turn_begin(c->env->directory, &c->turn, &repeat));
    if (repeat)
        return ecNone;
    fault_point(FAULT_book_begun);
    ec_t ec = entry_turn_end(c->env->directory, &c->turn, change(c, row));
    fault_point(FAULT_book_changed);
    return ec;
}

/* --- ModProps (3.1.4.1.14) ------------------------------------------------------------------------------------------------------------------- */

static bool is_certificate(uint32_t tag) { return tag == PidTagUserX509Certificate || tag == PidTagAddressBookX509Certificate; }

static bool plausible(const struct propval *v)
{
    if (!is_certificate(v->tag) || v->v.mv.n > CERTIFICATES_MAX)
        return false;
    for (size_t i = 0; i < v->v.mv.n; i++)
        if (v->v.mv.bin[i].n > CERTIFICATE_BYTES)
            return false;
    return true;
}

static ec_t check_props(const struct nspi_ctx *c)
{
    for (size_t i = 0; i < c->in->tags; i++)
        if (!is_certificate(c->in->tag[i]))
            return EC(ecAccessDenied);
    for (size_t i = 0; i < c->in->values; i++)
        if (!plausible(&c->in->value[i]))
            return EC(ecAccessDenied);
    return ecNone;
}

static ec_t set_props(struct nspi_ctx *c, int64_t row)
{
    struct entry e;
    TRY(entry_get(c->env->directory, c->a, row, &e));
    for (size_t i = 0; i < c->in->tags; i++)
        props_del(&e.props, c->in->tag[i]);
    for (size_t i = 0; i < c->in->values; i++) {
        props_del(&e.props, c->in->value[i].tag);
        if (c->in->value[i].v.mv.n != 0)
            props_set(c->a, &e.props, c->in->value[i]);
    }
    ec_t ec = entry_set(c->env->directory, c->a, &e);
    return ec == ecNone ? ecNone : EC(ecAccessDenied);
}

ec_t nspi_ModProps(struct nspi_ctx *c)
{
    enum entry_kind kind = ENTRY_USER;
    int64_t row = (int64_t)c->in->stat.current - MID_FIRST;
    if (!c->in->has_tags || !book_exists(&c->look, row, &kind))
        return EC(ecInvalidParameter);
    if (entry_display_type(kind) != entry_display_type(ENTRY_USER))
        return EC(ecInvalidObject);
    TRY(check_props(c));
    if (row != c->who->row)
        return EC(ecAccessDenied);
    return in_turn(c, row, set_props);
}

/* --- ModLinkAtt (3.1.4.1.15) ----------------------------------------------------------------------------------------------------------------- */

/* A group's owners, one by one or as members of a group that is an owner, change its members; everybody his own delegates.  What a directory server says about a group
 * comes from there again and again: a change here would not last. */
static ec_t may_link(struct nspi_ctx *c, enum link_kind k, int64_t row, enum entry_kind kind, bool *yes)
{
    struct entry group;
    *yes = false;
    if (k == LINK_DELEGATE) {
        *yes = row == c->who->row && entry_display_type(kind) == entry_display_type(ENTRY_USER);
        return ecNone;
    }
    if (k != LINK_MEMBER || !entry_is_group(kind))
        return ecNone;
    TRY(entry_brief(c->reader, c->a, row, &group));
    return strcmp(group.source, REFRESH_SOURCE) == 0 ? ecNone : nspi_owns(c, row, yes);
}

static ec_t set_links(struct nspi_ctx *c, int64_t row)
{
    enum link_kind k;
    bool back, remove = (c->in->flags & DELETE_FLAG) != 0;
    link_of_prop(c->in->arg[0], &k, &back);
    for (size_t i = 0; i < c->in->entryids; i++) {
        int64_t target;
        TRY(nspi_entryid_row(c, c->in->entryid[i], &target));
        if (target == 0 && remove)
            continue; /* what is not there is not in it either (R1333) */
        if (target == 0 || (target == row && !remove))
            return EC(ecAccessDenied);
        ec_t ec = remove ? link_remove(c->env->directory, k, row, target) : link_add(c->env->directory, k, row, target);
        if (ec != ecNone)
            return EC(ecAccessDenied);
    }
    return ecNone;
}

ec_t nspi_ModLinkAtt(struct nspi_ctx *c)
{
    enum entry_kind kind = ENTRY_USER;
    enum link_kind k;
    bool back = false, may = false;
    int64_t row = (int64_t)c->in->arg[1] - MID_FIRST;
    if (!link_of_prop(c->in->arg[0], &k, &back)) /* nothing else leads to objects, so this request knows nothing else */
        return EC(ecNotFound);
    if (!book_exists(&c->look, row, &kind))
        return EC(ecInvalidParameter);
    if (back)
        return EC(ecAccessDenied);
    TRY(may_link(c, k, row, kind, &may));
    return may ? in_turn(c, row, set_links) : EC(ecAccessDenied);
}
