/* ingest.h - messages into one mailbox, in batches of one transaction each, each message known by its bytes and its folder. */
#ifndef MAPICTL_INGEST_H
#define MAPICTL_INGEST_H
#include "backend/mail/mail.h"
#include "backend/store/store.h"

struct ingest_counts { uint64_t imported, known, bytes; };

struct ctl;

struct ingest {
    struct ctl   *ctl;                  /* commits */
    struct store *store;
    struct guid   mailbox;
    struct arena *a;                    /* of the open batch */
    struct mailbox *m;                  /* its lease */
    uint64_t      fid;                  /* where messages go now */
    struct ingest_counts done, batch;   /* committed; in the open batch */
    unsigned      in_batch;
    bool          names_counted;
    size_t        header_names;         /* of PS_INTERNET_HEADERS that the mailbox has */
};

/* Opens a batch: i->m may be used until the next ingest_message or ingest_end. */
ec_t ingest_begin(struct ingest *i);
/* Commits what is in the batch (`keep`) or drops it, and closes it. */
ec_t ingest_end(struct ingest *i, bool keep);

/* Stores one message, unless it is known.  *why: it could not be (in `a`), all others are as before.  When the batch is full it is committed and a new one
 * is opened.  An error: nothing more can be stored. */
ec_t ingest_message(struct ingest *i, struct arena *a, struct blob bytes, const struct mail_options *as, const char **why);
#endif
