/* probe_offline.c - the offline address book as Outlook downloads it: the manifest, the smallest file whole with its digest, and a range of the full one. */
#include "backend/directory/offline/offline.h"
#include "deploy/mapictl/probe.h"
#include "tests/client/oabc.h"
#include <unistd.h>

enum { RANGE = 65536, FIRST_MOST = 10000, AGAIN = 200 };

/* The directory of this installation says that no generation was made yet: nothing is wrong with the server then. */
static bool none_yet(struct probe *p)
{
    struct offline_book b;
    return p->local && offline_for(ctl_directory(p->c), p->a, &p->person, &b) == ecNone && b.sequence == 0;
}

/* The first generation is made by the workers soon after their start: it may be about to come. */
static bool manifest(struct probe *p, struct mapic *c, struct oabc_manifest *m, const char **why)
{
    uint64_t until = clock_ms() + FIRST_MOST;
    while (!oabc_manifest(c, p->a, c->path, m, why)) {
        if (c->status != 404 || none_yet(p) || clock_ms() + AGAIN > until || clock_ms() + AGAIN > c->deadline)
            return false;
        usleep(AGAIN * 1000);
    }
    return true;
}

static const struct oabc_file *smallest(const struct oabc_manifest *m)
{
    const struct oabc_file *f = &m->file[0];
    for (size_t i = 1; i < m->n; i++)
        if (m->file[i].size < f->size)
            f = &m->file[i];
    return f;
}

/* The beginning of the file, as BITS asks for it. */
static bool range(struct probe *p, struct mapic *c, const struct oabc_file *f, const char **why)
{
    struct mapic_reply r;
    const char *path = arena_printf(p->a, "%s%s", c->path, f->name), *header = arena_printf(p->a, "Range: bytes=0-%u\r\n", RANGE - 1);
    if (!oabc_ask(c, p->a, "HEAD", path, NULL, &r, why))
        return false;
    *why = "the file has another length than the manifest says";
    if (c->status == 200 && r.http.content_length != (int64_t)f->size)
        return false;
    if (c->status != 200 || !oabc_ask(c, p->a, "GET", path, header, &r, why))
        return false;
    *why = "ranges are not served: does something before the server take them away?";
    return c->status == 206 && r.http.body.n == (f->size < RANGE ? f->size : RANGE);
}

static enum probe_outcome refused(struct probe *p, const struct mapic *c, const char *why)
{
    if (c->status == 404 && none_yet(p))
        return probe_good(p, "not there yet: the workers make the first one soon after their start, or mapictl offline make does now");
    if (c->status == 404)
        return probe_fault(p, arena_printf(p->a, "HTTP 404 at %s: nginx has no location for it, or no generation was made yet (mapictl offline list)", c->path));
    return c->status == 200 || c->status == 206 ? probe_fault(p, why) : probe_refused(p, c, STEP_LOST, why);
}

static size_t templates(const struct oabc_manifest *m)
{
    size_t n = 0;
    for (size_t i = 0; i < m->n; i++)
        n += m->file[i].is_template;
    return n;
}

static enum probe_outcome fetch(struct probe *p, struct mapic *c)
{
    struct oabc_manifest m;
    struct blob bytes;
    unsigned resumes = 0;
    const char *why = NULL;
    if (!manifest(p, c, &m, &why))
        return refused(p, c, why);
    const struct oabc_file *full = oabc_full(&m);
    if (full == NULL)
        return probe_fault(p, "the manifest names no full file");
    if (!oabc_download(c, p->a, c->path, smallest(&m), 0, &resumes, &bytes, &why) || !range(p, c, full, &why))
        return refused(p, c, why);
    return probe_good(p, arena_printf(p->a, "generation %u, %llu KiB, %zu templates", full->seq, (unsigned long long)((full->size + 1023) / 1024), templates(&m)));
}

enum probe_outcome probe_offline(struct probe *p)
{
    struct mapic c = { 0 };
    struct tls_options to;
    const char *path, *why = NULL;
    if (p->found.offline[0] == NULL)
        return PROBE_NONE;
    if (!probe_url(p->a, p->found.offline[0], &to, &path, &why))
        return probe_fault(p, why);
    probe_aim(p, &c, p->given ? &p->to : &to, path);
    enum probe_outcome o = fetch(p, &c);
    memcpy(p->book.worker, c.worker, sizeof c.worker);
    mapic_close(&c);
    return o;
}
