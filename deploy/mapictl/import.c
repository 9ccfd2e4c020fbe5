/* import.c - mapictl import: mail files into a mailbox, with progress, again without duplicates. */
#include "backend/base/wr.h"
#include "backend/mail/mail.h"
#include "backend/store/imported.h"
#include "backend/store/message.h"
#include "backend/store/named.h"
#include "deploy/mapictl/ctl.h"
#include "deploy/mapictl/tree.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BATCH = 100 };          /* messages per transaction: one fsync for all of them */

struct import {
    struct ctl  *c;
    struct arena *a;           /* of the batch */
    struct mailbox *m;
    struct person who;
    uint64_t     fid;
    unsigned     in_batch;
    uint64_t     imported, skipped, failed, bytes;
    json_t      *failures;
    bool         terminal;
};

/* --- batches ----------------------------------------------------------------------------------------------------------------------------- */

static const struct actor owner = { ACTOR_OWNER, "" };

static ec_t batch_begin(struct import *i)
{
    i->a = arena_new((size_t)1 << 30);
    i->in_batch = 0;
    TRY(mailbox_open(ctl_store(i->c), i->a, &i->who.mailbox, &owner, &i->m));
    return mailbox_write(i->m);
}

static ec_t batch_end(struct import *i)
{
    ec_t ec = i->m != NULL ? mailbox_commit(i->m) : ecNone;
    arena_free(i->a);
    i->a = NULL;
    i->m = NULL;
    return ec;
}

static void progress(struct import *i, bool last)
{
    if (i->terminal && (last || (i->imported + i->skipped + i->failed) % 25 == 0))
        fprintf(stderr, "\r  %llu imported, %llu known, %llu failed, %.1f MB%s", (unsigned long long)i->imported, (unsigned long long)i->skipped,
                (unsigned long long)i->failed, (double)i->bytes / 1e6, last ? "\n" : "");
}

/* --- one message ------------------------------------------------------------------------------------------------------------------------- */

static bool named(void *ctx, const struct guid *set, uint32_t lid, const char *name, uint16_t *id)
{
    struct import *i = ctx;
    return named_id(i->m, set, lid, name, id) == ecNone;
}

static ec_t store_message(struct import *i, struct blob bytes, const struct mail_options *o, bool *seen)
{
    uint8_t key[IMPORT_KEY];
    struct msg over;
    mail_key(bytes, key);
    TRY(imported_note(i->m, key, seen));
    if (*seen)
        return ecNone;
    if (!mail_in(i->a, bytes, o, &over))
        return EC(ecInvalidParameter);
    struct message_save s = { .fid = i->fid, .over = &over, .keep_times = true };
    return message_save(i->m, &s);
}

static void note_failure(struct import *i, const char *path, const char *why)
{
    i->failed++;
    json_array_append_new(i->failures, json_pack("{s:s, s:s}", "file", path, "error", why));
    if (!i->c->json)
        fprintf(stderr, "%s%s: %s\n", i->terminal ? "\r" : "", path, why);
}

/* One message under its own savepoint: one that fails takes no other with it. */
static ec_t import_message(struct import *i, struct blob bytes, const struct mail_options *as, const char *path)
{
    struct mail_options o = *as;
    bool seen = false;
    o.named = named;
    o.ctx = i;
    o.now = filetime_now();
    TRY(mailbox_savepoint(i->m));
    ec_t ec = store_message(i, bytes, &o, &seen);
    if (ec != ecNone) {
        const char *why = ec == ecQuotaExceeded ? "the mailbox is full" : arena_printf(i->a, "%s (%s)", err_name(ec), err_place());
        note_failure(i, path, why);
        TRY(mailbox_rollback(i->m));
        if (ec == ecDiskError || ec == ecQuotaExceeded)
            return ec;
    } else {
        TRY(mailbox_release(i->m));
        seen ? i->skipped++ : i->imported++;
        i->bytes += bytes.n;
    }
    progress(i, false);
    if (++i->in_batch < BATCH)
        return ecNone;
    TRY(batch_end(i));
    return batch_begin(i);
}

/* --- files ------------------------------------------------------------------------------------------------------------------------------- */

struct mbox_run { struct import *i; const char *path; ec_t ec; };

static bool mbox_message(void *ctx, struct blob message, size_t offset)
{
    struct mbox_run *r = ctx;
    struct mail_options o = { .read = false };
    char path[4200];
    snprintf(path, sizeof path, "%s:%zu", r->path, offset);
    r->ec = message.n > 0 ? import_message(r->i, message, &o, path) : ecNone;
    return r->ec == ecNone;
}

static ec_t import_bytes(struct import *i, struct blob bytes, const char *path, const struct mail_options *o)
{
    if (bytes.n == 0) {
        note_failure(i, path, "is empty");
        return ecNone;
    }
    if (!mbox_looks_so(bytes))
        return import_message(i, bytes, o, path);
    struct mbox_run r = { i, path, ecNone };
    struct arena *a = arena_new((size_t)1 << 32); /* outlives the batches that end while it is read */
    mbox_each(a, bytes, mbox_message, &r);
    arena_free(a);
    return r.ec;
}

/* Files are mapped, so that an mbox of many gigabytes takes no memory of ours. */
static ec_t import_file(void *ctx, const char *path, const struct mail_flags *f)
{
    struct import *i = ctx;
    struct mail_options o = { .read = f->seen, .flagged = f->flagged, .answered = f->answered, .draft = f->draft };
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0) {
        note_failure(i, path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return ecNone;
    }
    void *p = st.st_size > 0 ? mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0) : NULL;
    close(fd);
    if (p == MAP_FAILED) {
        note_failure(i, path, strerror(errno));
        return ecNone;
    }
    ec_t ec = import_bytes(i, blob_of(p, (size_t)st.st_size), path, &o);
    if (p != NULL)
        munmap(p, (size_t)st.st_size);
    return ec;
}

static ec_t import_stdin(struct import *i)
{
    struct arena *a = arena_new((size_t)1 << 32);
    struct wr w = wr_in(a, (size_t)1 << 30);
    uint8_t buf[65536];
    struct mail_options o = { .read = false };
    for (size_t n; (n = fread(buf, 1, sizeof buf, stdin)) > 0 && !w.full; )
        wr_bytes(&w, buf, n);
    ec_t ec = import_bytes(i, wr_blob(&w), "-", &o);
    arena_free(a);
    return ec;
}

/* --- the command ------------------------------------------------------------------------------------------------------------------------- */

static ec_t find_folder(struct import *i, const char *name)
{
    bool existed;
    if (name == NULL) {
        i->fid = mailbox_info(i->m)->fid[SF_INBOX];
        return ecNone;
    }
    return folder_create(i->m, mailbox_info(i->m)->fid[SF_IPM_SUBTREE], name, "", false, true, &i->fid, &existed);
}

static ec_t import_all(struct import *i)
{
    TRY(find_folder(i, ctl_option(i->c, "--folder")));
    for (int k = 1; k < i->c->argc; k++) {
        const char *why = NULL;
        if (strcmp(i->c->argv[k], "-") == 0)
            TRY(import_stdin(i));
        else
            TRY(tree_walk(i->c->a, i->c->argv[k], import_file, i, &why));
        if (why != NULL)
            note_failure(i, i->c->argv[k], why);
    }
    return ecNone;
}

int cmd_import_(struct ctl *c)
{
    struct import i = { .c = c, .failures = json_array(), .terminal = isatty(STDERR_FILENO) && !c->json };
    if (c->argc < 2)
        return ctl_usage(c);
    if (!ctl_person(c, c->argv[0], &i.who))
        return CTL_FAILED;
    if (!i.who.has_mailbox)
        return ctl_fail(c, i.who.login, "has no mailbox");
    ec_t ec = batch_begin(&i);
    if (ec == ecNone)
        ec = import_all(&i);
    ec_t end = batch_end(&i); /* what was imported before an error stays */
    progress(&i, true);
    if (ec == ecNone)
        ec = end;
    if (ec != ecNone) {
        json_decref(i.failures);
        return ctl_ec(c, "import", ec);
    }
    json_t *report = json_pack("{s:s, s:I, s:I, s:I, s:I}", "login", i.who.login, "imported", (json_int_t)i.imported, "known", (json_int_t)i.skipped,
                               "failed", (json_int_t)i.failed, "bytes", (json_int_t)i.bytes);
    if (c->json)
        json_object_set_new(report, "failures", i.failures);
    else
        json_decref(i.failures);
    ctl_show(c, report);
    return i.failed == 0 ? CTL_OK : CTL_FAULT;
}
