/* notes.h - a session at a desk that watches: subscriptions, tables with views, and the notifications that it is told. */
#ifndef UNIT_ROP_NOTES_H
#define UNIT_ROP_NOTES_H
#include "backend/store/event.h"
#include "session/rop/notify.h"
#include "session/rop/notify_data.h"
#include "tests/unit/session-rop/desk.h"

enum { NOTES_MAX = 512 };
struct notes { struct notify_data v[NOTES_MAX]; size_t n; bool pending; };

/* The rest of an answer: RopNotify and RopPending only, anything else is a failed check.  In the arena of the request. */
void notes_take(struct desk *d, struct rd r, struct notes *out);
/* An Execute without ROPs. */
void notes_poll(struct desk *d, struct notes *out);
/* One ROP with input handle `in`, answered with ecNone; its answer behind the head in *body (NULL: the rest must be notifications), the made handle. */
uint32_t notes_rop(struct desk *d, uint8_t rop, uint32_t in, struct blob args, struct rd *body);

uint32_t notes_login(struct desk *d);                   /* of d->user to Ada's mailbox */
uint32_t notes_subscribe(struct desk *d, uint32_t logon, uint16_t types, uint64_t fid, uint64_t mid);   /* fid 0: the mailbox */
uint32_t notes_folder(struct desk *d, uint32_t logon, uint64_t fid);
uint32_t notes_table(struct desk *d, uint32_t folder, bool hierarchy, uint8_t flags, const uint32_t *columns, size_t n);
void notes_sort(struct desk *d, uint32_t table, uint32_t tag);
void notes_restrict(struct desk *d, uint32_t table, struct blob restriction);
void notes_look(struct desk *d, uint32_t table);        /* RopQueryPosition: the table has a view */
void notes_release(struct desk *d, uint32_t handle);

bool notes_waiting(struct desk *d);                     /* notify_waiting, by a look */

void notes_ec(struct desk *d, uint8_t rop, uint32_t in, struct blob args, ec_t want);   /* refused with this */

/* Ada's mailbox, changed by somebody else; each call is a transaction. */
void notes_set(struct desk *d, uint64_t mid, struct propval v);
void notes_read(struct desk *d, uint64_t fid, uint64_t mid, bool read);
void notes_delete(struct desk *d, uint64_t fid, uint64_t mid);
uint64_t notes_move(struct desk *d, uint64_t from, uint64_t to, uint64_t mid, bool copy);   /* the new id */
uint64_t notes_create_folder(struct desk *d, uint64_t parent, const char *name);
void notes_rename(struct desk *d, uint64_t fid, const char *name);
void notes_delete_folder(struct desk *d, uint64_t parent, uint64_t fid);
void notes_trim(struct desk *d);                        /* all events but the newest are gone */

/* A check that names what was told. */
#define CHECK_NOTE(d, note, want) unit_check(strcmp(notes_text((d), (note)), (want)) == 0, __FILE__, __LINE__, "told: %s", notes_text((d), (note)))
const char *notes_text(struct desk *d, const struct notify_data *n);
#endif
