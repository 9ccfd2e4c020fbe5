/* import.c - mapictl import: mail files into a mailbox, with progress, again without duplicates.
 *
 * Messages are committed in batches; what was committed stays, whatever comes after.  Each is known by its bytes and its folder, so a second run, or one after an
 * interruption, goes on where the first one ended. */
#include "backend/base/utf.h"
#include "backend/base/wr.h"
#include "deploy/mapictl/ctl.h"
#include "deploy/mapictl/folder.h"
#include "deploy/mapictl/ingest.h"
#include "deploy/mapictl/tree.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PROGRESS_MS = 100, BAR = 30 };
static const uint64_t STDIN_MAX = (uint64_t)1 << 30;

struct import {
    struct ctl   *c;
    struct person who;
    struct ingest in;
    uint64_t      target, top;         /* where messages go outside of subfolders; what subfolders are made under */
    uint64_t      failed, deleted;     /* deleted: by the program that wrote the mbox */
    uint64_t      total, seen;         /* total: bytes of all files if they were counted; seen: bytes gone through */
    json_t       *failures;
    bool          terminal;
    uint64_t      started, shown;
};

static volatile sig_atomic_t stopped;
static void stop(int signal) { stopped = signal; }

/* --- progress ------------------------------------------------------------------------------------------------------------------------------ */

static void draw(struct import *i, bool last)
{
    uint64_t now = clock_ms(), ms = now - i->started + 1;
    char bar[BAR + 1];
    if (!i->terminal || (!last && now - i->shown < PROGRESS_MS))
        return;
    i->shown = now;
    double part = i->total != 0 ? (double)i->seen / (double)i->total : 0;
    size_t full = part < 1 ? (size_t)(part * BAR) : BAR;
    memset(bar, '.', BAR);
    memset(bar, '#', full);
    bar[BAR] = '\0';
    uint64_t n = i->in.done.imported + i->in.batch.imported;
    fprintf(stderr, "\r[%s] %3.0f %%  %llu imported, %llu known, %llu failed, %llu/s%s", bar, part * 100 < 100 ? part * 100 : 100, (unsigned long long)n,
            (unsigned long long)(i->in.done.known + i->in.batch.known), (unsigned long long)i->failed, (unsigned long long)(n * 1000 / ms), last ? "\n" : "\033[K");
}

static void note_failure(void *ctx, const char *path, const char *why)
{
    struct import *i = ctx;
    const char *text = arena_str(i->c->a, utf8_clean(i->c->a, blob_str(path)));
    i->failed++;
    json_array_append_new(i->failures, json_pack("{s:s, s:s}", "file", text, "error", why));
    if (!i->c->json)
        fprintf(stderr, "%s%s: %s\n", i->terminal ? "\r\033[K" : "", path, why);
}

/* --- messages ------------------------------------------------------------------------------------------------------------------------------ */

static ec_t import_message(struct import *i, struct arena *a, struct blob bytes, const struct mail_options *o, const char *path)
{
    const char *why;
    ec_t ec = ingest_message(&i->in, a, bytes, o, &why);
    if (why != NULL)
        note_failure(i, path, why);
    draw(i, false);
    return ec == ecNone && stopped ? EC(ecUserCanceled) : ec;
}

/* --- files --------------------------------------------------------------------------------------------------------------------------------- */

/* Pages of a mapped file that were gone through are given back. */
static size_t give_back(struct blob file, size_t from, size_t to)
{
    enum { STEP = 64 << 20 }; /* a multiple of every page size */
    if (to - from < 2 * (size_t)STEP)
        return from;
    size_t n = (to - from) / STEP * STEP;
    madvise((void *)(uintptr_t)(file.p + from), n, MADV_DONTNEED);
    return from + n;
}

static ec_t import_mbox(struct import *i, struct blob file, const char *name, const struct mail_options *as, bool mapped)
{
    struct mbox_message one;
    ec_t ec = ecNone;
    size_t given = 0;
    for (size_t at = 0, next; ec == ecNone && mbox_next(file, at, &one, &next); at = next) {
        struct arena *a = arena_new((size_t)1 << 30);
        struct mail_options o = *as;
        struct blob bytes = mbox_unescaped(a, one.raw);
        bool there = mbox_flags(a, bytes, &o);
        i->deleted += !there;
        if (there && bytes.n > 0)
            ec = import_message(i, a, bytes, &o, arena_printf(a, "%s:%zu", name, one.offset));
        i->seen += next - at;
        if (mapped)
            given = give_back(file, given, at);
        arena_free(a);
    }
    return ec;
}

/* What is plainly no mail, though it may hold some; NULL: it may be mail. */
static const char *no_mail(struct blob b)
{
    static const struct { const char *magic, *why; } kinds[] = {
        { "!BDN", "is a PST file, which cannot be imported" }, { "\xD0\xCF\x11\xE0", "is an Outlook .msg or other OLE file, which cannot be imported" },
        { "PK\x03\x04", "is a ZIP file; unpack it first" }, { "\x1F\x8B\x08", "is compressed; unpack it first" }, { "7z\xBC\xAF", "is compressed; unpack it first" },
        { "BZh9", "is compressed; unpack it first" }, { "\xFD" "7zX", "is compressed; unpack it first" }, { "\x28\xB5\x2F\xFD", "is compressed; unpack it first" },
    };
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++)
        if (b.n >= strlen(kinds[k].magic) && memcmp(b.p, kinds[k].magic, strlen(kinds[k].magic)) == 0)
            return kinds[k].why;
    return b.n == 0 ? "is empty" : NULL;
}

static ec_t import_bytes(struct import *i, struct blob bytes, const char *path, const struct mail_options *o, bool mapped)
{
    const char *why = no_mail(bytes);
    if (why != NULL) {
        note_failure(i, path, why);
        return ecNone;
    }
    if (mbox_looks_so(bytes))
        return import_mbox(i, bytes, path, o, mapped);
    struct arena *a = arena_new((size_t)1 << 30);
    ec_t ec = import_message(i, a, bytes, o, path);
    i->seen += bytes.n;
    arena_free(a);
    return ec;
}

/* NULL: open, with its size; else why not.  A pipe is not waited for. */
static const char *open_file(const char *path, int *fd, size_t *size)
{
    struct stat st;
    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (*fd < 0)
        return strerror(errno);
    if (fstat(*fd, &st) == 0 && S_ISREG(st.st_mode)) {
        *size = (size_t)st.st_size;
        return NULL;
    }
    close(*fd);
    return "is not a regular file";
}

/* Files are mapped, so that an mbox of many gigabytes takes no memory of ours. */
static ec_t import_file(void *ctx, const char *path, const struct mail_flags *f)
{
    struct import *i = ctx;
    struct mail_options o = { .read = f->seen, .flagged = f->flagged, .answered = f->answered, .draft = f->draft };
    size_t size = 0;
    int fd = -1;
    const char *why = open_file(path, &fd, &size);
    if (why != NULL) {
        note_failure(i, path, why);
        return ecNone;
    }
    void *p = size > 0 ? mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0) : NULL;
    close(fd);
    if (p == MAP_FAILED) {
        note_failure(i, path, strerror(errno));
        return ecNone;
    }
    ec_t ec = import_bytes(i, blob_of(p, size), path, &o, true);
    if (p != NULL)
        munmap(p, size);
    return ec;
}

static ec_t import_stdin(struct import *i)
{
    struct arena *a = arena_new((size_t)STDIN_MAX * 4);
    struct wr w = wr_in(a, STDIN_MAX);
    uint8_t buf[65536];
    struct mail_options o = { .read = false };
    ec_t ec = ecNone;
    for (size_t n; (n = fread(buf, 1, sizeof buf, stdin)) > 0 && !w.full; )
        wr_bytes(&w, buf, n);
    if (w.full)
        note_failure(i, "-", "is larger than 1 GiB; import it from a file");
    else
        ec = import_bytes(i, wr_blob(&w), "-", &o, false);
    arena_free(a);
    return ec;
}

/* --- folders ------------------------------------------------------------------------------------------------------------------------------- */

/* Without --folder: mail goes to the Inbox, and subfolders of a Maildir become its neighbours, as they are in a Maildir. */
static ec_t find_target(struct import *i, const char *name)
{
    const struct mailbox_info *info = mailbox_info(i->in.m);
    i->top = info->fid[SF_IPM_SUBTREE];
    i->target = info->fid[SF_INBOX];
    if (name != NULL) {
        ec_t ec = folder_by_name(i->in.m, name, &i->target);
        if (ec == ecNotFound)
            ec = folder_by_name_made(i->in.m, i->top, name, &i->target);
        if (ec != ecNone)
            return ec;
        i->top = i->target;
    }
    i->in.fid = i->target;
    return ecNone;
}

static ec_t enter_folder(void *ctx, const char *name)
{
    struct import *i = ctx;
    ec_t ec = name != NULL ? folder_of_maildir(i->in.m, i->top, name, &i->in.fid) : ecNone;
    if (name != NULL && ec == ecNone)
        return ecNone;
    i->in.fid = i->target;
    if (ec != ecNone && ec != ecDiskError)
        note_failure(i, name, arena_printf(i->in.a, "cannot be a folder, its mail goes above it: %s (%s)", err_name(ec), err_place()));
    return ec == ecDiskError ? ec : ecNone;
}

/* --- the command --------------------------------------------------------------------------------------------------------------------------- */

static ec_t count_file(void *ctx, const char *path, const struct mail_flags *f)
{
    struct import *i = ctx;
    struct stat st;
    (void)f;
    if (stat(path, &st) == 0)
        i->total += (uint64_t)st.st_size;
    return ecNone;
}

static ec_t count_folder(void *ctx, const char *name) { return (void)ctx, (void)name, ecNone; }
static void count_bad(void *ctx, const char *path, const char *why) { (void)ctx, (void)path, (void)why; }

static ec_t import_all(struct import *i)
{
    const struct tree_sink count = { count_file, count_folder, count_bad, i }, sink = { import_file, enter_folder, note_failure, i };
    TRY(find_target(i, ctl_option(i->c, "--folder")));
    for (int k = 1; k < i->c->argc && i->terminal; k++)
        tree_walk(i->c->argv[k], &count);
    for (int k = 1; k < i->c->argc; k++)
        if (strcmp(i->c->argv[k], "-") == 0)
            TRY(import_stdin(i));
        else
            TRY(tree_walk(i->c->argv[k], &sink));
    return ecNone;
}

static const char *reason(struct ctl *c, ec_t ec)
{
    if (stopped)
        return "interrupted; the same command goes on from here";
    if (ec == ecAmbiguousAlias)
        return "several folders have this name; give its path, like \"Work/Projects\"";
    return arena_printf(c->a, "%s (%s)", err_name(ec), err_place());
}

/* What was done is told even if it ended with an error. */
static int report(struct import *i, ec_t ec)
{
    uint64_t ms = clock_ms() - i->started + 1;
    const char *why = ec != ecNone ? reason(i->c, ec) : NULL;
    json_t *r = json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "login", i->who.login, "imported", (json_int_t)i->in.done.imported, "known",
                          (json_int_t)i->in.done.known, "deleted", (json_int_t)i->deleted, "failed", (json_int_t)i->failed, "bytes", (json_int_t)i->in.done.bytes, "milliseconds", (json_int_t)ms,
                          "per_second", (json_int_t)(i->in.done.imported * 1000 / ms));
    if (why != NULL)
        json_object_set_new(r, "error", json_string(why));
    if (i->c->json)
        json_object_set(r, "failures", i->failures);
    json_decref(i->failures);
    ctl_show(i->c, r);
    if (why != NULL && !i->c->json)
        fprintf(stderr, "mapictl: import: %s\n", why);
    return ec != ecNone ? CTL_FAILED : i->failed != 0 ? CTL_FAULT : CTL_OK;
}

int cmd_import_(struct ctl *c)
{
    struct import i = { .c = c, .terminal = isatty(STDERR_FILENO) && !c->json, .started = clock_ms() };
    struct sigaction on_stop = { .sa_handler = stop };
    if (c->argc < 2)
        return ctl_usage(c);
    if (!ctl_person(c, c->argv[0], &i.who))
        return CTL_FAILED;
    if (!i.who.has_mailbox)
        return ctl_fail(c, i.who.login, "has no mailbox");
    sigaction(SIGINT, &on_stop, NULL);
    sigaction(SIGTERM, &on_stop, NULL);
    i.failures = json_array();
    i.in = (struct ingest){ .ctl = c, .store = ctl_store(c), .mailbox = i.who.mailbox };
    ec_t ec = ingest_begin(&i.in);
    if (ec == ecNone)
        ec = import_all(&i);
    ec_t end = ingest_end(&i.in, ec != ecDiskError); /* what was imported before another error stays */
    draw(&i, true);
    return report(&i, ec != ecNone ? ec : end);
}
