/* folder_set.c - changes to a folder's properties: one problem per value, one change number for all. MS-OXCPRPT 3.2.5.4, MS-OXCFOLD 2.2.2.2.2. */
#include "backend/store/folder_int.h"

enum { NAME_MAX_ = 1024 };

static ec_t set_name(struct mailbox *m, struct folder_row *r, struct blob name)
{
    uint64_t other;
    if (name.n == 0 || name.n > NAME_MAX_)
        return EC(ecInvalidParameter);
    ec_t ec = folder_row_named(m, r->parent, name, &other);
    if (ec == ecNone && other != r->fid)
        return EC(ecCollidingNames);
    if (ec != ecNone && ec != (ec_t)ecNotFound)
        return ec;
    r->name = name;
    return ecNone;
}

/* An empty string stays one: p is never NULL for a text that is there. */
static struct blob present(struct blob s) { return s.p != NULL ? s : blob_of("", 0); }

static ec_t set_one(struct mailbox *m, struct folder_row *r, const struct propval *given)
{
    struct propval v = *given;
    TRY(folder_prop_settable(v.tag));
    bool column = true;
    if (v.large && (v.tag == PidTagDisplayName || v.tag == PidTagComment || v.tag == PidTagContainerClass))
        TRY(large_load(m, given, &v));
    if (v.tag == PidTagDisplayName)
        return set_name(m, r, v.v.s);
    if (v.tag == PidTagComment)
        r->comment = present(v.v.s);
    else if (v.tag == PidTagContainerClass)
        r->class = present(v.v.s);
    else if (v.tag == PidTagAttributeHidden)
        r->hidden = v.v.b;
    else
        column = false;
    if (!column)
        props_set(m->arena, &r->props, v);
    return ecNone;
}

static ec_t del_one(struct mailbox *m, struct folder_row *r, uint32_t tag)
{
    (void)m;
    if (prop_id(tag) == prop_id(PidTagDisplayName))
        return EC(ecAccessDenied);
    TRY(folder_prop_settable(prop_type(tag) == PtypUnspecified ? prop_retype(tag, PtypBinary) : tag));
    if (prop_id(tag) == prop_id(PidTagComment))
        r->comment = blob_of(NULL, 0);
    else if (prop_id(tag) == prop_id(PidTagContainerClass))
        r->class = blob_of(NULL, 0);
    else if (prop_id(tag) == prop_id(PidTagAttributeHidden))
        r->hidden = false;
    else
        props_del(&r->props, tag);
    return ecNone;
}

static ec_t load_own(struct mailbox *m, uint64_t fid, struct folder_row *r)
{
    TRY(store_writing(m));
    TRY(folder_row_load(m, fid, r));
    if (r->deleted)
        return EC(ecNotFound);
    return (r->rights & RIGHT_FOLDER_OWNER) != 0 ? ecNone : EC(ecAccessDenied);
}

static ec_t changed(struct mailbox *m, struct folder_row *r, const struct tags *tags)
{
    if (tags->n == 0)
        return ecNone;
    TRY(folder_row_change(m, r));
    return event_write(m, &(struct event){ .kind = EVENT_MODIFIED, .fid = r->fid, .parent = r->parent, .total = UINT32_MAX, .unread = UINT32_MAX, .changed = *tags });
}

static bool stops(ec_t ec) { return ec == (ec_t)ecDiskError || ec == (ec_t)ecServerBusy; }

ec_t folder_props_set(struct mailbox *m, uint64_t fid, const struct props *set, ec_t *problems)
{
    struct folder_row r;
    struct tags done = { 0 };
    TRY(load_own(m, fid, &r));
    for (size_t i = 0; i < set->n; i++) {
        problems[i] = set_one(m, &r, &set->v[i]);
        if (stops(problems[i]))
            return problems[i];
        if (problems[i] == ecNone)
            tags_add(m->arena, &done, set->v[i].tag);
    }
    return changed(m, &r, &done);
}

ec_t folder_props_del(struct mailbox *m, uint64_t fid, const uint32_t *tags, size_t n, ec_t *problems)
{
    struct folder_row r;
    struct tags done = { 0 };
    TRY(load_own(m, fid, &r));
    for (size_t i = 0; i < n; i++) {
        problems[i] = del_one(m, &r, tags[i]);
        if (problems[i] == ecNone)
            tags_add(m->arena, &done, tags[i]);
    }
    return changed(m, &r, &done);
}
