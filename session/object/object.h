/* object.h - server objects behind handles: their kinds, and how each is saved, loaded and described.
 *
 * A struct object lives in the arena of the request.  object_get loads it at first use from its block; a handler changes the state struct and calls
 * object_dirty; objects_save packs all dirty ones into the context before the commit. */
#ifndef OBJECT_OBJECT_H
#define OBJECT_OBJECT_H
#include "session/context/context.h"

enum object_kind {
    OBJ_NONE = 0,
#define OBJECT(number, NAME, name) OBJ_##NAME = number,
#include "session/object/object.def"
#undef OBJECT
};
#define OBJ_BIT(kind) (1u << (kind))
enum { HANDLE_NONE = -1 };               /* as uint32_t: 0xFFFFFFFF, never given out (OXCROPS R4560) */

#define OBJECT(number, NAME, name) struct obj_##name;
#include "session/object/object.def"
#undef OBJECT

struct object {
    enum object_kind kind;
    uint32_t handle, parent;     /* parent handle or 0xFFFFFFFF */
    uint8_t  logon_id;
    bool     dirty;
    union {
#define OBJECT(number, NAME, name) struct obj_##name *name;
#include "session/object/object.def"
#undef OBJECT
        void *state;
    };
};

struct objects;                  /* the loaded objects of a request */
struct objects *objects_new(struct context *c);

/* The object behind a handle, or NULL with *ec: ecNullObject (no such handle), ecInvalidObject (released), or its block is lost or damaged
 * (ecRpcFailed, and objects_damaged: the request fails with code 10). */
struct object *object_get(struct objects *o, uint32_t handle, ec_t *ec);
bool objects_damaged(const struct objects *o);

/* A new object with zeroed state of its kind, dirty; NULL with *ec if there are too many. */
struct object *object_new(struct objects *o, enum object_kind kind, uint8_t logon_id, uint32_t parent, ec_t *ec);
void object_dirty(struct object *o);

/* Removes the object of a handle at once, without loading it; objects_rewind does not bring it back. */
void object_drop(struct objects *o, uint32_t handle);

/* Undo for a ROP that is rolled back: objects_mark begins, objects_rewind drops what was made since and puts states that were got since back as they
 * were.  The struct object stays where it is, but its state pointer may lead to a new copy: get it again. */
void objects_mark(struct objects *o);
void objects_rewind(struct objects *o);

/* Packs what is dirty into the context. */
void objects_save(struct objects *o);

/* Round trip of one state, also for tests and mapictl: pack appends a versioned block; unpack returns false on anything damaged. */
void object_pack(struct wr *w, const struct object *x);
bool object_unpack(struct blob b, enum object_kind kind, struct arena *a, struct object *out);
const char *object_describe(struct arena *a, const struct object *x);
const char *object_kind_name(enum object_kind kind);

/* What each kind supplies in its file: the fields behind the block's head.  A loader may borrow from the reader's bytes (they live as long as
 * the request); it latches the reader on anything damaged, or returns false.  describe: one line, in the arena. */
#define OBJECT(number, NAME, name)                                                            \
    void obj_##name##_save(struct wr *w, const struct obj_##name *s);                         \
    bool obj_##name##_load(struct rd *r, struct arena *a, struct obj_##name *s);              \
    const char *obj_##name##_describe(struct arena *a, const struct obj_##name *s);
#include "session/object/object.def"
#undef OBJECT
#endif
