/* mail.h - a message as it came over the Internet -> struct msg (MS-OXCMAIL), on GMime.  Pure: bytes in, message out; no store, no network.
 *
 * Broken mail is never lost: what cannot be understood is kept as it came, at worst as an attachment with the raw bytes beside a readable body.  Time and memory
 * are linear in the input.  What is made lives in the arena or borrows from the input bytes, which must live as long. */
#ifndef MAIL_MAIL_H
#define MAIL_MAIL_H
#include "backend/mapi/msg.h"
#include "backend/mapi/propname.h"

/* Named properties: gives the property id for a name (as the store's named_id does); false: the property is left out.  Ids are limited and
 * X- lines are anybody's: who gives them decides how many new ones mail may make. */
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

/* One message of an mbox: its bytes as they stand there, and where its From line begins in the file. */
struct mbox_message { struct blob raw; size_t offset; };

/* The message that begins at or behind `at` (its From line there), and where the next one begins in *next (the size of the file: none).  False: no more. */
bool mbox_next(struct blob file, size_t at, struct mbox_message *out, size_t *next);

/* The bytes of the message with ">From " unescaped: borrowed if there is none, else in the arena. */
struct blob mbox_unescaped(struct arena *a, struct blob raw);

/* Sets read, flagged, answered, draft by the Status, X-Status and X-Mozilla-Status lines that mbox programs write.  False: the message was deleted there and
 * its bytes are only not yet removed from the file. */
bool mbox_flags(struct arena *a, struct blob message, struct mail_options *o);

/* Is this the beginning of an mbox?  A "From " line as mbox writers make them. */
bool mbox_looks_so(struct blob file);
#endif
