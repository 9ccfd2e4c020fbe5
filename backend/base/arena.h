/* arena.h - the one allocator of a request.
 *
 * Everything that lives as long as a request comes from its arena and is freed with it; nothing is freed alone.
 * Objects of libraries (a GMime object, an open file) register a clean-up with arena_defer, which runs last-in first-out when
 * the arena ends.  Allocations are zeroed, aligned for any type, and never fail: only a failing malloc aborts.
 *
 * The ceiling is soft: an allocation beyond it succeeds and latches arena_over().  Whoever loops over something large
 * asks arena_over() and stops; the ROP ladder asks it after every handler and rolls the request back with ecOutOfMemory.
 * This is safe because readers believe no count that the input does not back up (rd.h), so no single allocation is
 * larger than a small multiple of the input.
 *
 * An arena belongs to one thread at a time. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H
#include "backend/base/blob.h"

struct arena;

/* A new arena with a soft ceiling in bytes.  End it with arena_free. */
struct arena *arena_new(size_t ceiling);

/* Runs the deferred clean-ups, newest first, and frees all memory.  NULL is allowed. */
void arena_free(struct arena *a);

/* `n` zeroed bytes, valid until arena_free; n == 0 gives a valid unique pointer. */
void *arena_alloc(struct arena *a, size_t n);

/* Copies. arena_str copies to a NUL-terminated string; arena_printf formats one. */
void       *arena_dup(struct arena *a, const void *p, size_t n);
char       *arena_str(struct arena *a, struct blob s);
char       *arena_strdup(struct arena *a, const char *s);
char       *arena_lower(struct arena *a, const char *s);   /* letters of ASCII in lower case, whatever the locale; other bytes stay */
struct blob arena_blob(struct arena *a, struct blob b);
char       *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Runs fn(ptr) when the arena ends. */
void arena_defer(struct arena *a, void (*fn)(void *), void *ptr);

/* True once more than the ceiling was taken. */
bool   arena_over(const struct arena *a);
size_t arena_used(const struct arena *a);

/* An array of n zeroed elements of `type`. */
#define arena_array(a, type, n) ((type *)arena_alloc_array((a), (n), sizeof(type)))
#define arena_one(a, type)      ((type *)arena_alloc((a), sizeof(type)))
void *arena_alloc_array(struct arena *a, size_t n, size_t each);

/* Room for one more element at the end of a growing array: doubles `*cap` when `n` reaches it and moves the elements.
 * Returns the (possibly moved) array, of which element n is zeroed and may be filled.
 *     v = arena_grow(a, v, &cap, n, sizeof *v); v[n++] = x; */
void *arena_grow(struct arena *a, void *v, size_t *cap, size_t n, size_t each);
#endif
