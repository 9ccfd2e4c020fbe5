/* mail.h - a message as it came over the Internet -> struct msg (MS-OXCMAIL), on GMime.  Pure: bytes in, message out; no store, no network.
 *
 * Broken mail is never lost: what cannot be understood is kept as it came, at worst as an attachment with the raw bytes beside a readable body.  All that is made lives in the
 * arena; GMime objects are released with it. */
#ifndef MAIL_MAIL_H
#define MAIL_MAIL_H
#include "backend/mapi/msg.h"
#include "backend/mapi/propname.h"

/* Named properties: gives the property id for a name (as the store's named_id does); false: the property is left out. */
typedef bool (*mail_named)(void *ctx, const struct guid *set, uint32_t lid, const char *name, uint16_t *id);

struct mail_options {
    mail_named  named;
    void       *ctx;
    uint64_t    now;           /* filetime, for what has no date of its own */
    bool        read;          /* already seen (Maildir flag S, mbox Status: R) */
    bool        flagged, answered, draft;
};

/* Converts one message.  False only if there is nothing (0 bytes). */
bool mail_in(struct arena *a, struct blob bytes, const struct mail_options *o, struct msg *out);

/* A key that tells whether this very message was imported before: SHA-256 over its bytes with line ends made equal. */
void mail_key(struct blob bytes, uint8_t key[32]);

/* Takes an mbox apart: calls fn for each message (its bytes without the "From " line, ">From " unescaped, in the arena), in order; stops when fn returns
 * false.  `offset` is where the message's From line begins in the file.  Returns how many were given; 0: this is no mbox. */
size_t mbox_each(struct arena *a, struct blob file, bool (*fn)(void *ctx, struct blob message, size_t offset), void *ctx);

/* Is this the beginning of an mbox?  A "From " line as mbox writers make them. */
bool mbox_looks_so(struct blob file);
#endif
