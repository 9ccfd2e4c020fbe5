/* cookie.h - what the client carries: an id that cannot be guessed and a number, each with a MAC.
 *
 * Context cookie: id (16), key epoch u32, MAC (16).  Sequence cookie: number u64, key epoch u32, MAC (16) over these and the id.  Both base64url.
 * The key is HKDF(secret, epoch); the epoch is the number of the day, so keys change daily without anybody's doing, on all hosts alike. */
#ifndef CONTEXT_COOKIE_H
#define CONTEXT_COOKIE_H
#include "session/context/context.h"

enum { COOKIE_EPOCHS = 30 };   /* days that a cookie verifies */

/* What the number of a sequence cookie also says of the request before it, n - 1: it had ended when the cookie was sent (a head that leaves early does not
 * say so); it had changed nothing.  Whoever finds its lock still held then knows that only the word of its end was lost. */
#define COOKIE_ENDED   ((uint64_t)1 << 63)
#define COOKIE_CLEAN   ((uint64_t)1 << 62)
#define COOKIE_NUMBER  (COOKIE_CLEAN - 1)

/* OLD: made by us, longer ago than COOKIE_EPOCHS.  FORGED: not made by us. */
enum cookie { COOKIE_GOOD, COOKIE_OLD, COOKIE_FORGED };

uint32_t    cookie_epoch(void);
const char *cookie_context(struct cookie_keys *k, struct arena *a, const uint8_t id[CONTEXT_ID], uint32_t epoch);
const char *cookie_sequence(struct cookie_keys *k, struct arena *a, const uint8_t id[CONTEXT_ID], uint64_t number, uint32_t epoch);
/* A proof that this installation gave out `text` on that day: for forms. */
const char *cookie_token(struct cookie_keys *k, struct arena *a, const char *text, uint32_t epoch);
enum cookie cookie_read_context(struct cookie_keys *k, struct arena *a, const char *text, uint8_t id[CONTEXT_ID]);
enum cookie cookie_read_sequence(struct cookie_keys *k, struct arena *a, const char *text, const uint8_t id[CONTEXT_ID], uint64_t *number);
#endif
