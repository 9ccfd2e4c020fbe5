/* object.c - blocks of the context <-> state structs in the arena; what was changed by a ROP that failed goes back. */
#include "session/object/object.h"
#include "backend/base/must.h"
#include "session/object/attachment.h"
#include "session/object/folder.h"
#include "session/object/logon.h"
#include "session/object/message.h"
#include "session/object/stream.h"
#include "session/object/subscription.h"
#include "session/object/table.h"

enum { BLOCK_VERSION = 1, BLOCK_MAX = 64 * 1024 * 1024 };

struct kind {
    const char *name;
    size_t      size;
    void      (*save)(struct wr *w, const void *s);
    bool      (*load)(struct rd *r, struct arena *a, void *s);
    const char *(*describe)(struct arena *a, const void *s);
};

#define OBJECT(number, NAME, name)                                                                                        \
    static void name##_save_(struct wr *w, const void *s) { obj_##name##_save(w, s); }                                    \
    static bool name##_load_(struct rd *r, struct arena *a, void *s) { return obj_##name##_load(r, a, s); }               \
    static const char *name##_describe_(struct arena *a, const void *s) { return obj_##name##_describe(a, s); }
#include "session/object/object.def"
#undef OBJECT

static const struct kind kinds[] = {
#define OBJECT(number, NAME, name) [number] = { #name, sizeof(struct obj_##name), name##_save_, name##_load_, name##_describe_ },
#include "session/object/object.def"
#undef OBJECT
};

static const struct kind *kind_of(unsigned kind)
{
    return kind < sizeof kinds / sizeof *kinds && kinds[kind].name != NULL ? &kinds[kind] : NULL;
}

const char *object_kind_name(enum object_kind kind)
{
    const struct kind *k = kind_of(kind);
    return k != NULL ? k->name : "nothing";
}

void object_pack(struct wr *w, const struct object *x)
{
    const struct kind *k = kind_of(x->kind);
    must(k != NULL);
    wr_u8(w, BLOCK_VERSION);
    wr_u8(w, (uint8_t)x->kind);
    k->save(w, x->state);
}

bool object_unpack(struct blob b, enum object_kind kind, struct arena *a, struct object *out)
{
    struct rd r = rd_blob_of(b);
    const struct kind *k = kind_of(kind);
    if (rd_u8(&r) != BLOCK_VERSION || rd_u8(&r) != kind || k == NULL)
        return false;
    void *state = arena_alloc(a, k->size);
    if (!k->load(&r, a, state) || !rd_done(&r))
        return false;
    out->kind = kind;
    out->state = state;
    return true;
}

const char *object_describe(struct arena *a, const struct object *x)
{
    const struct kind *k = kind_of(x->kind);
    return k != NULL ? k->describe(a, x->state) : "nothing";
}

/* --- the loaded objects of a request ------------------------------------------------------------------------------------------ */

/* A slot outlives the state in it: `loaded` false means that the context's block is the truth. */
struct slot {
    struct object x;
    bool     loaded, gone;
    bool     made, was_dirty;    /* since the mark: undo by dropping, or by unpacking `was` */
    struct blob was;
    unsigned mark;               /* the mark under which it was noted for undo */
};

struct objects {
    struct context *c;
    struct slot   **v;
    size_t          n, cap;
    unsigned        mark;
    bool            damaged;
};

struct objects *objects_new(struct context *c)
{
    struct objects *o = arena_one(c->a, struct objects);
    o->c = c;
    o->mark = 1;
    return o;
}

bool objects_damaged(const struct objects *o) { return o->damaged; }

static struct blob pack(struct arena *a, const struct object *x)
{
    struct wr w = wr_in(a, BLOCK_MAX);
    object_pack(&w, x);
    must(!w.full);
    return wr_blob(&w);
}

static struct slot *slot_of(struct objects *o, uint32_t handle)
{
    for (size_t i = 0; i < o->n; i++)
        if (o->v[i]->x.handle == handle)
            return o->v[i];
    return NULL;
}

static struct slot *slot_new(struct objects *o, const struct object *x)
{
    o->v = arena_grow(o->c->a, o->v, &o->cap, o->n, sizeof *o->v);
    struct slot *s = arena_one(o->c->a, struct slot);
    s->x = *x;
    return o->v[o->n++] = s;
}

static bool load(struct objects *o, struct slot *s, const struct handle_entry *h)
{
    struct blob b;
    if (!context_block(o->c, h->handle, &b) || !object_unpack(b, (enum object_kind)h->kind, o->c->a, &s->x)) {
        o->damaged = true;
        return false;
    }
    s->x.dirty = false;
    s->loaded = true;
    return true;
}

/* Notes once per mark how the state was; a clean one is in the context already. */
static void note(struct objects *o, struct slot *s)
{
    if (s->mark == o->mark)
        return;
    s->mark = o->mark;
    s->made = false;
    s->was_dirty = s->x.dirty;
    s->was = s->x.dirty ? pack(o->c->a, &s->x) : blob_of(NULL, 0);
}

static struct object *not_there(const struct objects *o, uint32_t handle, ec_t *ec)
{
    bool released = handle < o->c->next_handle && handle != (uint32_t)HANDLE_NONE;
    *ec = released ? EC(ecInvalidObject) : EC(ecNullObject);
    return NULL;
}

struct object *object_get(struct objects *o, uint32_t handle, ec_t *ec)
{
    struct handle_entry *h = handle != (uint32_t)HANDLE_NONE ? context_handle(o->c, handle) : NULL;
    if (h == NULL)
        return not_there(o, handle, ec);
    struct slot *s = slot_of(o, handle);
    if (s == NULL)
        s = slot_new(o, &(struct object){ .handle = handle, .parent = h->parent, .logon_id = h->logon_id });
    if (!s->loaded && !load(o, s, h)) {
        *ec = EC(ecRpcFailed);
        return NULL;
    }
    note(o, s);
    *ec = ecNone;
    return &s->x;
}

struct object *object_new(struct objects *o, enum object_kind kind, uint8_t logon_id, uint32_t parent, ec_t *ec)
{
    uint32_t handle;
    *ec = context_add(o->c, (uint8_t)kind, logon_id, parent, &handle);
    if (*ec != ecNone)
        return NULL;
    struct object x = { .kind = kind, .handle = handle, .parent = parent, .logon_id = logon_id, .dirty = true };
    x.state = arena_alloc(o->c->a, kind_of(kind)->size);
    struct slot *s = slot_of(o, handle);
    if (s == NULL)
        s = slot_new(o, &x);
    *s = (struct slot){ .x = x, .loaded = true, .made = true, .mark = o->mark };
    return &s->x;
}

void object_dirty(struct object *x) { x->dirty = true; }

void object_drop(struct objects *o, uint32_t handle)
{
    struct slot *s = slot_of(o, handle);
    if (s != NULL) {
        s->loaded = s->x.dirty = false;
        s->gone = true;
    }
    context_drop(o->c, handle);
}

void objects_mark(struct objects *o) { o->mark++; }

static void undo(struct objects *o, struct slot *s)
{
    if (s->made) {
        object_drop(o, s->x.handle);
        return;
    }
    s->x.dirty = false;
    s->loaded = false;
    if (s->was_dirty) {
        must(object_unpack(s->was, s->x.kind, o->c->a, &s->x));
        s->loaded = s->x.dirty = true;
    }
}

void objects_rewind(struct objects *o)
{
    for (size_t i = 0; i < o->n; i++)
        if (o->v[i]->mark == o->mark && !o->v[i]->gone)
            undo(o, o->v[i]);
    o->mark++;
}

void objects_save(struct objects *o)
{
    for (size_t i = 0; i < o->n; i++) {
        struct slot *s = o->v[i];
        if (s->loaded && s->x.dirty) {
            context_put(o->c, s->x.handle, pack(o->c->a, &s->x));
            s->x.dirty = false;
        }
    }
}
