/* bell.h - the doorbell: who changed a mailbox rings after his commit, whoever waits for that mailbox in any process hears it.
 *
 * A ring carries the mailbox and the number of its newest event; what happened stands in the store.  It goes through Redis' channels, one per mailbox,
 * which a process subscribes to while somebody in it listens.  Rings can be lost (a Redis that restarts, a process that dies between its commit and the
 * ring), so whoever listens compares positions from time to time, too, and at once when `ring` says RING_UNKNOWN.
 *
 * The same connection carries one more channel, which has the process' own name: what other processes have to tell it. */
#ifndef EVENT_BELL_H
#define EVENT_BELL_H
#include "backend/base/config.h"
#include "backend/base/guid.h"
#include "backend/base/redis.h"

struct bell;
struct bell_channel;

enum { BELL_NAME = 16 };          /* of a process: hex digits */
#define RING_UNKNOWN UINT64_MAX   /* something may have been missed */

/* Somebody who listens to one mailbox; part of what it belongs to. */
struct bell_ear {
    /* On the bell's thread, with its lock held: must not block and must not call the bell. */
    void (*ring)(struct bell_ear *e, uint64_t seq);
    struct bell_channel *channel;
    struct bell_ear *next, **link;
};

/* What others told this process; as `ring`.  `message` NULL: something may have been missed. */
typedef void bell_told(void *ctx, const struct blob *message);

/* The thread starts with the first ear.  `told` hears what comes for this process. */
struct bell *bell_new(const struct config *c, struct redis *r, bell_told *told, void *ctx);
void bell_free(struct bell *b);                  /* nobody listens any more */
const char *bell_name(const struct bell *b);     /* of this process, BELL_NAME digits and NUL */

/* LIVE: from here on every ring is heard.  SOON: `ring` will be called with RING_UNKNOWN as soon as that is so.  DOWN: likewise, but that can take long. */
enum bell_state { BELL_LIVE, BELL_SOON, BELL_DOWN };
enum bell_state bell_listen(struct bell *b, const struct guid *mailbox, struct bell_ear *e);
/* Afterwards e->ring is not running and will not be called.  An ear that listens to nothing is allowed. */
void bell_leave(struct bell *b, struct bell_ear *e);

/* --- ringing -------------------------------------------------------------------------------------------------------------------------------- */

/* The command to be sent behind a commit, three arguments; in the arena. */
const struct blob *bell_command(struct arena *a, const struct config *c, const struct guid *mailbox, uint64_t seq);
/* Sends it; without Redis nothing happens. */
void bell_ring(struct redis *r, const struct config *c, const struct guid *mailbox, uint64_t seq);

/* Channel names before the process' name: "<redis_prefix>to:". */
const char *bell_prefix(struct arena *a, const struct config *c);
#endif
