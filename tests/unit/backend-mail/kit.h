/* kit.h - mails converted and looked at: what the tests of this room share. */
#ifndef TEST_MAIL_KIT_H
#define TEST_MAIL_KIT_H
#include "backend/mail/mail.h"
#include "tests/unit.h"

struct got {
    struct arena *a;
    struct msg    m;
    bool          ok;
    struct { struct guid set; const char *name; } named[200];   /* id 0x8000 + i */
    unsigned      names;
};

/* Converts a mail; "\n" in it stays as it is.  End with got_end. */
struct got *got_bytes(struct blob bytes);
struct got *got_mail(const char *eml);
void got_end(struct got *g);
extern struct mail_options got_options;      /* for the next ones; `named` is the kit's */

/* A string property; NULL: not there.  In the arena of g. */
const char *got_str(struct got *g, uint32_t tag);
const char *prop_str(struct got *g, const struct props *p, uint32_t tag);
/* A named property. */
const struct propval *got_named(struct got *g, const struct guid *set, const char *name);

/* All of a message in one line: T[body] H[html] a[name=bytes] for an attachment, h[...] for a hidden one, m[display name: T[...] ...] for an embedded message. */
const char *shape(struct got *g);

/* Every string is UTF-8 without NUL, every attachment has method, name and bytes, recipients their five properties. */
void check_sound(const struct msg *m);

/* Bytes of a file of the shared corpus ("eml/nested.eml"), or the test is skipped.  In the arena. */
struct blob corpus_file(struct arena *a, const char *name);
const char *corpus_dir(const char *under);
#endif
