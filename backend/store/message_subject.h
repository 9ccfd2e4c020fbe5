/* message_subject.h - PidTagSubject apart into prefix and normalized subject, and together again. MS-OXCMSG 2.2.1.9, 2.2.1.10, 2.2.1.46. */
#ifndef STORE_MESSAGE_SUBJECT_H
#define STORE_MESSAGE_SUBJECT_H
#include "backend/mapi/msg.h"

enum { SUBJECT_MAX = 253 }; /* prefix and normalized subject together, in UTF-16 units (OXCMSG R60, R66) */

/* Borrowed UTF-8; `set` false: the message has no subject at all (an empty one is a subject too). */
struct subject { struct blob prefix, normal; bool set; };

/* By form alone: up to three letters, a colon, a blank.  Borrows from s. */
struct subject message_subject_split(struct blob s);

/* The subject after the changes `over` (none of its three subject values may be large).  A new PidTagSubject is taken apart anew: by the prefix or
 * normalized subject that is set with it if they fit together, else by form. */
struct subject message_subject_change(const struct subject *was, const struct msg *over);

/* Prefix and normalized subject, in the arena. */
struct blob message_subject_join(struct arena *a, const struct subject *s);
#endif
