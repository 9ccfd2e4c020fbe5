/* folder_prop.c - properties of folders: stored, kept in columns, made by the functions of folderprop.def. */
#include "backend/store/folder_int.h"

enum { RO = 1, COL = 2, LIST = 4 };
enum { FLAG_IPM = 1, FLAG_SEARCH = 2, FLAG_NORMAL = 4, FLAG_RULES = 8, DEPTH_MAX = 1000 };
enum { ACCESS_MODIFY = 0x1, ACCESS_READ = 0x2, ACCESS_DELETE = 0x4, ACCESS_HIERARCHY = 0x8, ACCESS_CONTENTS = 0x10, ACCESS_FAI = 0x20 };

typedef bool (*folder_fn)(struct mailbox *m, const struct folder_row *r, uint32_t asked, struct propval *out);
#define PROP(name) static bool folder_prop_##name(struct mailbox *m, const struct folder_row *r, uint32_t asked, struct propval *out)
#define GIVE(what)                     \
    do {                               \
        (void)m; (void)r; (void)asked; \
        *out = (what);                 \
        return true;                   \
    } while (0)

static struct blob xid(struct mailbox *m, uint64_t gc)
{
    struct wr w = wr_in(m->arena, XID);
    xid_write(&w, &m->info.replica, gc);
    return wr_blob(&w);
}

static bool text(struct blob s, uint32_t tag, struct propval *out)
{
    *out = pv_strn(tag, s);
    return s.p != NULL;
}

PROP(name)              { GIVE(pv_strn(PidTagDisplayName, r->name)); }
PROP(comment)           { (void)m; (void)asked; return text(r->comment, PidTagComment, out); }
PROP(class)             { (void)m; (void)asked; return text(r->class, PidTagContainerClass, out); }
PROP(hidden)            { GIVE(pv_bool(PidTagAttributeHidden, r->hidden)); }
PROP(zero)              { GIVE(pv_i32(prop_retype(asked, PtypInteger32), 0)); }
PROP(type)              { GIVE(pv_i32(PidTagFolderType, (int32_t)r->type)); }
PROP(fid)               { GIVE(pv_i64(prop_retype(asked, PtypInteger64), (int64_t)id_wire(REPLID_OWN, r->fid))); }
PROP(parent)            { GIVE(pv_i64(PidTagParentFolderId, (int64_t)id_wire(REPLID_OWN, r->parent))); }
PROP(entry_id)          { GIVE(pv_bin(PidTagEntryId, entryid_folder(m->arena, &m->info.id, &m->info.replica, r->fid))); }
PROP(parent_entry_id)   { GIVE(pv_bin(PidTagParentEntryId, entryid_folder(m->arena, &m->info.id, &m->info.replica, r->parent))); }
PROP(record_key)        { GIVE(pv_bin(prop_retype(asked, PtypBinary), xid(m, r->fid))); }
PROP(parent_source_key) { GIVE(pv_bin(PidTagParentSourceKey, xid(m, r->parent))); }
PROP(change_key)        { GIVE(pv_bin(PidTagChangeKey, r->change_key.n != 0 ? r->change_key : xid(m, r->cn))); }
PROP(change_list)       { GIVE(pv_bin(PidTagPredecessorChangeList, r->pcl)); }
PROP(change_number)     { GIVE(pv_i64(PidTagChangeNumber, (int64_t)id_wire(REPLID_OWN, r->cn))); }
PROP(total)             { GIVE(pv_i32(PidTagContentCount, (int32_t)r->total)); }
PROP(unread)            { GIVE(pv_i32(PidTagContentUnreadCount, (int32_t)r->unread)); }
PROP(assoc)             { GIVE(pv_i32(PidTagAssociatedContentCount, (int32_t)r->assoc)); }
PROP(ever_deleted)      { GIVE(pv_i32(PidTagDeletedCountTotal, (int32_t)r->ever_deleted)); }
PROP(subfolders)        { GIVE(pv_bool(PidTagSubfolders, r->subfolders != 0)); }
PROP(hierarchy_at)      { GIVE(pv_time(PidTagHierRev, r->hierarchy_at)); }
PROP(content_at)        { GIVE(pv_time(PidTagLocalCommitTimeMax, r->content_at > r->hierarchy_at ? r->content_at : r->hierarchy_at)); }
PROP(created)           { GIVE(pv_time(PidTagCreationTime, r->created)); }
PROP(modified)          { GIVE(pv_time(prop_retype(asked, PtypTime), r->modified)); }
PROP(rights)            { GIVE(pv_i32(PidTagRights, (int32_t)r->rights)); }
PROP(has_rules)         { GIVE(pv_bool(PidTagHasRules, false)); }
PROP(store_entry_id)    { GIVE(pv_bin(PidTagStoreEntryId, entryid_store(m->arena, m->info.smtp, m->info.owner_dn))); }
PROP(store_key)         { GIVE(pv_bin(PidTagStoreRecordKey, blob_of(m->info.id.b, sizeof m->info.id.b))); }
PROP(mapping)           { GIVE(pv_bin(PidTagMappingSignature, blob_of(m->info.mapping.b, sizeof m->info.mapping.b))); }

PROP(none)
{
    (void)m; (void)r; (void)asked; (void)out;
    return false;
}

PROP(deleted_on)
{
    (void)m; (void)asked;
    *out = pv_time(PidTagDeletedOn, r->deleted_at);
    return r->deleted;
}

PROP(source_key)
{
    (void)asked;
    const struct propval *v = props_find(&r->props, PidTagSourceKey);
    *out = v != NULL ? *v : pv_bin(PidTagSourceKey, xid(m, r->fid));
    return true;
}

PROP(hierarchy_number)
{
    GIVE(pv_i32(PidTagHierarchyChangeNumber, props_i32(&r->props, PidTagHierarchyChangeNumber, (int32_t)r->subfolders)));
}

PROP(size)
{
    (void)m;
    if (prop_type(asked) == PtypInteger64)
        *out = pv_i64(asked, r->bytes);
    else
        *out = pv_i32(prop_retype(asked, PtypInteger32), r->bytes > INT32_MAX ? INT32_MAX : (int32_t)r->bytes);
    return true;
}

/* OXCPRT R16-R21 by the folder's rights. */
PROP(access)
{
    static const struct { uint32_t rights; int32_t access; } grants[] = {
        { RIGHT_FOLDER_OWNER, ACCESS_MODIFY | ACCESS_DELETE | ACCESS_FAI }, { RIGHT_FOLDER_VISIBLE | RIGHT_READ_ANY, ACCESS_READ },
        { RIGHT_CREATE_SUBFOLDER, ACCESS_HIERARCHY }, { RIGHT_CREATE, ACCESS_CONTENTS },
    };
    (void)m; (void)asked;
    int32_t access = 0;
    for (size_t i = 0; i < sizeof grants / sizeof *grants; i++)
        access |= (r->rights & grants[i].rights) != 0 ? grants[i].access : 0;
    *out = pv_i32(PidTagAccess, access);
    return true;
}

/* Up to the root, or to the IPM subtree. */
PROP(flags)
{
    (void)asked;
    int32_t flags = r->type == FOLDER_SEARCH ? FLAG_SEARCH : FLAG_NORMAL;
    struct folder_row up = *r;
    for (int depth = 0; depth < DEPTH_MAX; depth++) {
        if (up.fid == m->info.fid[SF_IPM_SUBTREE])
            flags |= FLAG_IPM;
        if ((flags & FLAG_IPM) != 0 || up.fid == up.parent || folder_row_load(m, up.parent, &up) != ecNone)
            break;
    }
    *out = pv_i32(PidTagFolderFlags, flags);
    return true;
}

static const struct { uint32_t tag; folder_fn fn; unsigned flags; } made[] = {
#define FOLDERPROP(tag, fn, flags) { tag, folder_prop_##fn, flags },
#include "backend/store/folderprop.def"
#undef FOLDERPROP
};
enum { MADE = sizeof made / sizeof *made };

static int made_of(uint32_t tag)
{
    for (int i = 0; i < MADE; i++)
        if (prop_id(made[i].tag) == prop_id(tag))
            return i;
    return -1;
}

static struct propval value(struct mailbox *m, const struct folder_row *r, uint32_t tag)
{
    int i = made_of(tag);
    struct propval v = { 0 };
    const struct propval *stored = i < 0 ? props_find(&r->props, tag) : NULL;
    bool there = i >= 0 ? made[i].fn(m, r, tag, &v) : stored != NULL;
    if (stored != NULL)
        v = *stored;
    if (!there || (prop_type(tag) != PtypUnspecified && !propval_fits(&v, prop_type(tag))))
        return pv_err(tag, (ec_t)ecNotFound);
    return v;
}

static ec_t load_visible(struct mailbox *m, uint64_t fid, struct folder_row *r)
{
    TRY(folder_row_load(m, fid, r));
    return (r->rights & (RIGHT_FOLDER_VISIBLE | RIGHT_FOLDER_OWNER)) != 0 ? ecNone : EC(ecAccessDenied);
}

ec_t folder_props(struct mailbox *m, uint64_t fid, const uint32_t *tags, size_t n, struct props *out)
{
    struct folder_row r;
    TRY(load_visible(m, fid, &r));
    *out = (struct props){ arena_array(m->arena, struct propval, n), n, n };
    for (size_t i = 0; i < n; i++)
        out->v[i] = value(m, &r, tags[i]);
    return ecNone;
}

ec_t folder_props_all(struct mailbox *m, uint64_t fid, struct props *out)
{
    struct folder_row r;
    TRY(load_visible(m, fid, &r));
    *out = (struct props){ 0 };
    for (int i = 0; i < MADE; i++) {
        struct propval v;
        if ((made[i].flags & LIST) != 0 && made[i].fn(m, &r, made[i].tag, &v))
            props_set(m->arena, out, v);
    }
    for (size_t i = 0; i < r.props.n; i++)
        if (made_of(r.props.v[i].tag) < 0)
            props_set(m->arena, out, r.props.v[i]);
    return ecNone;
}

ec_t folder_prop_settable(uint32_t tag)
{
    int i = made_of(tag);
    if (i >= 0 && (made[i].flags & RO) != 0)
        return EC(ecAccessDenied);
    bool real = type_known(prop_type(tag)) && prop_type(tag) != PtypErrorCode && prop_type(tag) != PtypNull && prop_type(tag) != PtypObject;
    bool other_type = i >= 0 && made[i].tag != prop_unicode(tag);
    return real && !other_type ? ecNone : EC(ecNotSupported);
}
