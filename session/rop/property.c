/* property.c - properties of logons, folders, messages and attachments: read, listed, set, deleted. MS-OXCPRPT 2.2.2-2.2.8, 3.2.5.1-3.2.5.5. */
#include "backend/base/must.h"
#include "backend/mapi/proprow.h"
#include "backend/store/large.h"
#include "backend/store/named.h"
#include "session/object/folder.h"
#include "session/rop/draft.h"
#include "session/rop/execute.h"
#include "session/rop/logon.h"
#include "session/rop/stream.h"
#include <stdlib.h>

/* --- reading ------------------------------------------------------------------------------------------------------------------- */
static ec_t get(struct rop_ctx *c, const uint32_t *tags, size_t n, struct props *out)
{
    switch (c->object->kind) {
    case OBJ_LOGON:
        return logon_props(c, tags, n, out);
    case OBJ_FOLDER:
        return folder_props(c->m, c->object->folder->fid, tags, n, out);
    default:
        return draft_props(c, c->object, tags, n, out);
    }
}

static ec_t get_all(struct rop_ctx *c, struct props *out)
{
    switch (c->object->kind) {
    case OBJ_LOGON:
        return logon_props_all(c, out);
    case OBJ_FOLDER:
        return folder_props_all(c->m, c->object->folder->fid, out);
    default:
        return draft_props_all(c, c->object, out);
    }
}

/* A large value lies in the store as it goes to the wire, but for its count or terminator. */
static size_t wire_size(const struct propval *v) { return v->large ? (size_t)v->v.large.size + 2 : propval_size(v); }

struct sized { size_t size, at; };

static int larger_first(const void *a, const void *b)
{
    const struct sized *x = a, *y = b;
    return x->size != y->size ? (x->size < y->size) - (x->size > y->size) : (x->at > y->at) - (x->at < y->at);
}

/* What does not fit into the answer becomes NotEnoughMemory, the largest values first (OXCPRPT R643); the rest is brought here.  `each`: bytes of
 * a value beside the value.  PropertySizeLimit is not looked at, as current servers do (R90701). */
static ec_t fit(struct rop_ctx *c, struct props *p, size_t each)
{
    struct sized *v = arena_array(c->a, struct sized, p->n);
    size_t room = wr_room(c->out), total = 4;
    for (size_t i = 0; i < p->n; i++) {
        v[i] = (struct sized){ wire_size(&p->v[i]), i };
        total += v[i].size + each;
    }
    if (total > room)
        qsort(v, p->n, sizeof *v, larger_first);
    for (size_t i = 0; i < p->n && total > room && v[i].size > sizeof(uint32_t); i++) {
        total -= v[i].size - sizeof(uint32_t);
        p->v[v[i].at] = pv_err(p->v[v[i].at].tag, EC(ecOutOfMemory));
    }
    for (size_t i = 0; i < p->n; i++)
        if (p->v[i].large)
            TRY(large_load(c->m, &p->v[i], &p->v[i]));
    return ecNone;
}

/* Strings of a type that the client left open, when it wants them in its code page (OXCPRPT R459). */
static void as_string8(struct propval *v)
{
    uint16_t type = prop_type(v->tag);
    if (type_single(type) == PtypString)
        v->tag = prop_retype(v->tag, (uint16_t)((type & ~PtypString) | PtypString8));
}

ec_t rop_GetPropertiesSpecific(struct rop_ctx *c)
{
    rd_u16(c->in); /* PropertySizeLimit */
    bool unicode = rd_u16(c->in) != 0;
    size_t n = rd_count(c->in, rd_u16(c->in), 4);
    uint32_t *tags = arena_array(c->a, uint32_t, n);
    for (size_t i = 0; i < n; i++)
        tags[i] = rd_u32(c->in);
    if (!rd_ok(c->in))
        return EC(ecRpcFormat);
    rop_note(c, "tags=%zu", n);

    struct props p;
    struct pv_codec codec = draft_codec(c, c->object);
    TRY(get(c, tags, n, &p));
    must(p.n == n);
    TRY(fit(c, &p, 3));
    for (size_t i = 0; i < n && !unicode; i++)
        if (prop_type(tags[i]) == PtypUnspecified)
            as_string8(&p.v[i]);

    proprow_write_columns(c->out, &codec, tags, p.v, n, 0);
    return ecNone;
}

ec_t rop_GetPropertiesAll(struct rop_ctx *c)
{
    rd_u16(c->in); /* PropertySizeLimit */
    bool unicode = rd_u16(c->in) != 0, alone = rop_cannot_grow(c);

    struct props p;
    struct pv_codec codec = draft_codec(c, c->object);
    TRY(get_all(c, &p));
    TRY(fit(c, &p, 4));

    wr_u16(c->out, (uint16_t)p.n);
    for (size_t i = 0; i < p.n; i++) {
        if (!unicode)
            as_string8(&p.v[i]);
        propval_write_tagged(c->out, &codec, &p.v[i]);
    }
    if (c->out->full && alone)
        c->x->status = ecServerMemory; /* OXCPRPT R466: no buffer is large enough */
    return ecNone;
}

ec_t rop_GetPropertiesList(struct rop_ctx *c)
{
    struct props p;
    TRY(get_all(c, &p));
    wr_u16(c->out, (uint16_t)p.n);
    for (size_t i = 0; i < p.n; i++)
        wr_u32(c->out, p.v[i].tag);
    return ecNone;
}

/* --- problems ------------------------------------------------------------------------------------------------------------------ */

/* PropertyProblem array (MS-OXCDATA 2.7). */
static void write_problems(struct rop_ctx *c, const uint32_t *tags, const ec_t *ec, size_t n)
{
    size_t at = wr_mark(c->out), count = 0;
    wr_u16(c->out, 0);
    for (size_t i = 0; i < n; i++)
        if (ec[i] != ecNone) {
            wr_u16(c->out, (uint16_t)i);
            wr_u32(c->out, tags[i]);
            wr_u32(c->out, ec[i]);
            count++;
        }
    if (!c->out->full)
        wr_patch_u16(c->out, at, (uint16_t)count);
}

/* Ids of named properties that nobody has registered are no properties. */
static ec_t check_named(struct rop_ctx *c, const uint32_t *tags, size_t n, ec_t *problem)
{
    uint16_t *ids = arena_array(c->a, uint16_t, n);
    size_t *at = arena_array(c->a, size_t, n), k = 0;
    for (size_t i = 0; i < n; i++)
        if (prop_named(tags[i])) {
            at[k] = i;
            ids[k++] = prop_id(tags[i]);
        }
    struct propname *names = arena_array(c->a, struct propname, k);
    if (k != 0)
        TRY(named_names(c->m, ids, k, names));
    for (size_t i = 0; i < k; i++)
        if (names[i].kind == PROPNAME_NONE)
            problem[at[i]] = EC(ecUnregisteredNameProp);
    return ecNone;
}

static ec_t settable(const struct object *o, uint32_t tag)
{
    return o->kind == OBJ_MESSAGE ? message_prop_settable(tag, o->message->saved_once) : attachment_prop_settable(tag);
}

/* --- setting ------------------------------------------------------------------------------------------------------------------- */
static ec_t set_in_draft(struct rop_ctx *c, const struct propval *v, size_t n, ec_t *problem)
{
    TRY(draft_open(c, c->object));
    for (size_t i = 0; i < n; i++) {
        if (problem[i] == ecNone)
            problem[i] = settable(c->object, v[i].tag);
        if (problem[i] == ecNone) {
            TRY(stream_forget(c, c->object, v[i].tag));
            draft_set(c, c->object, v[i]);
        }
    }
    return draft_close(c, c->object);
}

/* Logons and folders change at once.  What is a problem already is not even tried. */
static ec_t set_in_store(struct rop_ctx *c, const struct propval *v, size_t n, ec_t *problem)
{
    struct props p = { arena_array(c->a, struct propval, n), 0, n };
    ec_t *ec = arena_array(c->a, ec_t, n);
    for (size_t i = 0; i < n; i++)
        if (problem[i] == ecNone)
            p.v[p.n++] = v[i];
    TRY(rop_write(c));
    TRY(c->object->kind == OBJ_LOGON ? logon_props_set(c, &p, ec) : folder_props_set(c->m, c->object->folder->fid, &p, ec));
    for (size_t i = 0, k = 0; i < n; i++)
        if (problem[i] == ecNone)
            problem[i] = ec[k++];
    return ecNone;
}

ec_t rop_SetProperties(struct rop_ctx *c)
{
    struct pv_codec codec = draft_codec(c, c->object);
    struct rd r = rd_sub(c->in, rd_u16(c->in));
    size_t n = rd_count(&r, rd_u16(&r), 4);
    struct propval *v = arena_array(c->a, struct propval, n);
    uint32_t *tags = arena_array(c->a, uint32_t, n);
    for (size_t i = 0; i < n; i++) {
        tags[i] = rd_u32(&r);
        propval_read(&r, &codec, tags[i], &v[i]);
    }
    rd_join(c->in, &r);
    if (!rd_ok(c->in))
        return EC(ecRpcFormat);
    rop_note(c, "values=%zu", n);

    ec_t *problem = arena_array(c->a, ec_t, n);
    TRY(check_named(c, tags, n, problem));
    TRY(c->object->kind == OBJ_LOGON || c->object->kind == OBJ_FOLDER ? set_in_store(c, v, n, problem) : set_in_draft(c, v, n, problem));
    write_problems(c, tags, problem, n);
    return ecNone;
}

/* Folders are not replicated to other servers here: there is nothing that this would leave out. */
ec_t rop_SetPropertiesNoReplicate(struct rop_ctx *c) { return rop_SetProperties(c); }

/* --- deleting ------------------------------------------------------------------------------------------------------------------ */
static ec_t delete_in_draft(struct rop_ctx *c, const uint32_t *tags, size_t n, ec_t *problem)
{
    TRY(draft_open(c, c->object));
    for (size_t i = 0; i < n; i++) {
        problem[i] = settable(c->object, tags[i]);
        if (problem[i] == ecNone) {
            TRY(stream_forget(c, c->object, tags[i]));
            draft_del(c, c->object, tags[i]);
        }
    }
    return draft_close(c, c->object);
}

static ec_t delete(struct rop_ctx *c, const uint32_t *tags, size_t n, ec_t *problem)
{
    switch (c->object->kind) {
    case OBJ_LOGON:
        TRY(rop_write(c));
        return logon_props_del(c, tags, n, problem);
    case OBJ_FOLDER:
        TRY(rop_write(c));
        return folder_props_del(c->m, c->object->folder->fid, tags, n, problem);
    default:
        return delete_in_draft(c, tags, n, problem);
    }
}

ec_t rop_DeleteProperties(struct rop_ctx *c)
{
    size_t n = rd_count(c->in, rd_u16(c->in), 4);
    uint32_t *tags = arena_array(c->a, uint32_t, n);
    for (size_t i = 0; i < n; i++)
        tags[i] = rd_u32(c->in);
    if (!rd_ok(c->in))
        return EC(ecRpcFormat);
    rop_note(c, "tags=%zu", n);

    ec_t *problem = arena_array(c->a, ec_t, n);
    TRY(delete(c, tags, n, problem));
    write_problems(c, tags, problem, n);
    return ecNone;
}

ec_t rop_DeletePropertiesNoReplicate(struct rop_ctx *c) { return rop_DeleteProperties(c); }
