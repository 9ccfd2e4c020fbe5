/* ingest.c - messages into a mailbox: batches, savepoints, digests, names. */
#include "deploy/mapictl/ingest.h"
#include "deploy/mapictl/ctl.h"
#include "backend/base/crypto.h"
#include "backend/base/wr.h"
#include "backend/store/imported.h"
#include "backend/store/message.h"
#include "backend/store/named.h"

enum { BATCH = 100, BATCH_BYTES = 32 << 20 };   /* one fsync for so much */
enum { HEADER_NAMES_MAX = 2000 };               /* named properties of a mailbox that X- lines may make */
enum { MESSAGE_MAX = 512 << 20 };

/* --- batches ------------------------------------------------------------------------------------------------------------------------------- */

static const struct actor owner = { ACTOR_OWNER, "" };

ec_t ingest_begin(struct ingest *i)
{
    i->a = arena_new((size_t)1 << 30);
    i->m = NULL;
    i->in_batch = 0;
    i->batch = (struct ingest_counts){ 0 };
    TRY(mailbox_open(i->store, i->a, &i->mailbox, &owner, &i->m));
    return mailbox_write(i->m);
}

ec_t ingest_end(struct ingest *i, bool keep)
{
    ec_t ec = keep && i->m != NULL && mailbox_writing(i->m) ? ctl_commit(i->ctl, i->m) : ecNone;
    if (keep && ec == ecNone) {
        i->done.imported += i->batch.imported;
        i->done.known += i->batch.known;
        i->done.bytes += i->batch.bytes;
    }
    i->batch = (struct ingest_counts){ 0 };
    arena_free(i->a);
    i->a = NULL;
    i->m = NULL;
    return ec;
}

/* --- one message --------------------------------------------------------------------------------------------------------------------------- */

/* The ids of a mailbox are limited, and anybody can write X- lines: mail may use up only so many.  The lines themselves are in the header block. */
static bool may_make(struct ingest *i, const struct guid *set)
{
    struct propname *names;
    uint16_t *ids;
    if (memcmp(set, &PS_INTERNET_HEADERS, sizeof *set) != 0)
        return true;
    if (!i->names_counted && named_list(i->m, set, &names, &ids, &i->header_names) != ecNone)
        return false;
    i->names_counted = true;
    return i->header_names < HEADER_NAMES_MAX && i->header_names++ < HEADER_NAMES_MAX;
}

static bool named(void *ctx, const struct guid *set, uint32_t lid, const char *name, uint16_t *id)
{
    struct ingest *i = ctx;
    const struct propname n = { .kind = name != NULL ? PROPNAME_STRING : PROPNAME_LID, .set = *set, .lid = lid, .name = blob_str(name) };
    bool missing;
    if (named_ids(i->m, &n, 1, false, id, &missing) != ecNone)
        return false;
    return !missing || (may_make(i, set) && named_id(i->m, set, lid, name, id) == ecNone);
}

/* The same mail may lie in several folders. */
static void key_in_folder(struct arena *a, struct blob bytes, uint64_t fid, uint8_t key[IMPORT_KEY])
{
    uint8_t of_folder[8];
    struct wr w = wr_over(of_folder, sizeof of_folder);
    wr_u64(&w, fid);
    mail_key(bytes, key);
    struct sha256 *h = sha256_new(a);
    sha256_add(h, blob_of(key, IMPORT_KEY));
    sha256_add(h, wr_blob(&w));
    sha256_end(h, key);
}

static ec_t store_message(struct ingest *i, struct arena *a, struct blob bytes, const struct mail_options *o, bool *seen)
{
    uint8_t key[IMPORT_KEY];
    struct msg over;
    key_in_folder(a, bytes, i->fid, key);
    TRY(imported_note(i->m, key, seen));
    if (*seen)
        return ecNone;
    if (!mail_in(a, bytes, o, &over))
        return EC(ecInvalidParameter);
    struct message_save s = { .fid = i->fid, .over = &over, .keep_times = true, .arrived = true };
    return message_save(i->m, &s);
}

/* What stops an import: the next message would fare no better. */
static bool fatal(ec_t ec) { return ec == ecDiskError || ec == ecQuotaExceeded || ec == ecServerBusy; }

/* Under its own savepoint: a message that fails takes no other with it. */
static ec_t save(struct ingest *i, struct arena *a, struct blob bytes, const struct mail_options *o, const char **why)
{
    bool known = false;
    TRY(mailbox_savepoint(i->m));
    ec_t ec = store_message(i, a, bytes, o, &known);
    if (ec == ecNone) {
        TRY(mailbox_release(i->m));
        known ? i->batch.known++ : i->batch.imported++;
        i->batch.bytes += bytes.n;
        return ecNone;
    }
    *why = ec == ecQuotaExceeded ? "the mailbox is full" : arena_printf(a, "%s (%s)", err_name(ec), err_place());
    if (ec != ecDiskError) /* after that the transaction is lost anyway */
        TRY(mailbox_rollback(i->m));
    return fatal(ec) ? ec : ecNone;
}

ec_t ingest_message(struct ingest *i, struct arena *a, struct blob bytes, const struct mail_options *as, const char **why)
{
    struct mail_options o = *as;
    *why = bytes.n > MESSAGE_MAX ? "is larger than 512 MB" : NULL;
    if (*why != NULL)
        return ecNone;
    o.named = named;
    o.ctx = i;
    o.now = filetime_now();
    TRY(save(i, a, bytes, &o, why));
    if (++i->in_batch < BATCH && i->batch.bytes < BATCH_BYTES)
        return ecNone;
    TRY(ingest_end(i, true));
    return ingest_begin(i);
}
