/* large.h - values above LARGE_MIN bytes, kept apart, content-addressed, shared by whoever has the same bytes; and the staging area for
 * bytes that are not committed yet. */
#ifndef STORE_LARGE_H
#define STORE_LARGE_H
#include "backend/store/store.h"

enum { LARGE_MIN = 4096, LARGE_PIECE = 65536 };

/* Stores bytes (strings: as UTF-16LE) and names them; the same bytes twice cost nothing.  Unreferenced until a message_save or a staging row
 * names them, and swept if none does. Needs the write transaction. */
ec_t large_put(struct mailbox *m, struct blob bytes, struct large_ref *out);

/* Up to n bytes at `offset`, in the arena; shorter at the end. */
ec_t large_read(struct mailbox *m, const struct large_ref *ref, uint64_t offset, size_t n, struct blob *out);

/* A value with its bytes here: a large value is loaded (strings become UTF-8), any other is returned as it is. */
ec_t large_load(struct mailbox *m, const struct propval *v, struct propval *out);

/* Moves every value above LARGE_MIN of the message and its attachments into the large table, in place. */
struct msg;
ec_t large_take(struct mailbox *m, struct msg *msg);

/* --- staging: bytes under (context, object), visible to all hosts, written in the request's transaction ------------------------------- */
struct stage_key { uint8_t context[16]; uint32_t object; }; /* object: handle, or a number that the session gives */

/* Larger streams are refused with ecStreamSizeError. */
#define STAGE_MAX ((uint64_t)256 << 20)

/* Overwrites or appends; a gap is filled with zeros. */
ec_t stage_write(struct mailbox *m, const struct stage_key *k, uint64_t offset, struct blob bytes);
ec_t stage_read(struct mailbox *m, const struct stage_key *k, uint64_t offset, size_t n, struct blob *out);
ec_t stage_resize(struct mailbox *m, const struct stage_key *k, uint64_t size);      /* cut, or filled with zeros */
ec_t stage_size(struct mailbox *m, const struct stage_key *k, uint64_t *size);       /* 0 if there is nothing */
/* Copies a large value into staging (a stream opened for writing on it), by reference to pieces where that is possible. */
ec_t stage_from_large(struct mailbox *m, const struct stage_key *k, const struct large_ref *ref);
/* Hashes the staged bytes and makes them a large value; the staging stays. */
ec_t stage_to_large(struct mailbox *m, const struct stage_key *k, struct large_ref *out);
/* Keeps large values that only a staged or Redis-kept draft names from being swept: replaces the list of refs under this key. */
ec_t stage_pin(struct mailbox *m, const struct stage_key *k, const struct large_ref *refs, size_t n);
ec_t stage_drop(struct mailbox *m, const struct stage_key *k);
ec_t stage_drop_context(struct mailbox *m, const uint8_t context[16]);
#endif
