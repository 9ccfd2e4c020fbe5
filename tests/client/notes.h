/* notes.h - a client that is told: subscriptions, and the notifications in the answers of Executes. MS-OXCNOTIF. */
#ifndef CLIENT_NOTES_H
#define CLIENT_NOTES_H
#include "session/rop/notify_data.h"
#include "tests/client/steps.h"

struct client_note { struct notify_data data; struct client_note *next; };
struct client_notes { struct client_note *first, **last; size_t n; bool pending; };

/* What stands behind the answers of a list: RopNotify and RopPending.  False: something else. */
bool client_notes_read(struct arena *a, struct rd *r, struct client_notes *out);

/* RopRegisterNotification; ids as on the wire, fid 0: the whole mailbox. */
uint32_t step_register(struct steps *s, uint16_t types, uint64_t fid, uint64_t mid, uint32_t *handle);

/* An Execute without ROPs that offers so many bytes. */
uint32_t step_collect(struct steps *s, uint32_t max_out, struct client_notes *out);

/* Collects until nothing is pending. */
uint32_t step_collect_all(struct steps *s, uint32_t max_out, struct client_notes *out);
#endif
