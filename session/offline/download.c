/* download.c - a path and a person -> the manifest or a file of his organization's book, if he may have it. */
#include "session/offline/download.h"
#include "backend/base/crypto.h"
#include "backend/directory/policy.h"
#include <strings.h>

#define MANIFEST "oab.xml"

enum { NAME_MOST = 128 };

bool download_path(const char *path) { return path != NULL && strncasecmp(path, DOWNLOAD_ROOT, sizeof DOWNLOAD_ROOT - 1) == 0; }

/* GUID and file of a path.  Names are of few characters (offline.h), so everything else is no name. */
static bool take_apart(struct arena *a, const char *path, struct guid *book, const char **name)
{
    const char *begin = path + sizeof DOWNLOAD_ROOT - 1, *slash = strchr(begin, '/');
    if (slash == NULL || slash - begin != GUID_TEXT - 1 || !guid_parse(arena_str(a, blob_of(begin, GUID_TEXT - 1)), book))
        return false;
    *name = slash + 1;
    size_t n = strlen(*name);
    return n != 0 && n <= NAME_MOST && strspn(*name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.") == n;
}

static enum download_outcome outcome(ec_t ec)
{
    return ec == ecNone ? DOWNLOAD_FOUND : ec == ecNotFound ? DOWNLOAD_NONE : DOWNLOAD_DOWN;
}

/* The switches that also close the endpoints of MAPI over HTTP. */
static enum download_outcome admit(const struct download_call *c)
{
    struct policy p;
    if (policy_of(c->directory, c->a, c->who, &p) != ecNone)
        return DOWNLOAD_DOWN;
    return !p.mapi_http || (p.block_external && c->external) ? DOWNLOAD_OFF : DOWNLOAD_FOUND;
}

static enum download_outcome find_manifest(const struct download_call *c, const struct offline_book *b, struct download *out)
{
    struct offline_file *file;
    size_t n;
    ec_t   ec = offline_files(c->directory, c->a, b, &file, &n);
    if (ec != ecNone || n == 0)
        return outcome(ec != ecNone ? ec : ecNotFound);
    struct blob text = download_manifest(c->a, b, file, n);
    *out = (struct download){ .whole = true, .type = "text/xml; charset=utf-8", .size = text.n, .made = b->made, .text = text };
    crypto_sha1(text, out->sha1);
    return DOWNLOAD_FOUND;
}

static enum download_outcome find_file(const struct download_call *c, const struct offline_book *b, const char *name, struct download *out)
{
    struct offline_file f;
    ec_t ec = offline_file(c->directory, c->a, b, name, &f);
    if (ec != ecNone)
        return outcome(ec);
    *out = (struct download){ .type = "application/octet-stream", .size = f.size, .made = f.made, .file = f };
    memcpy(out->sha1, f.sha1, sizeof f.sha1);
    return DOWNLOAD_FOUND;
}

enum download_outcome download_find(const struct download_call *c, struct download *out)
{
    struct offline_book b;
    struct guid guid;
    const char *name;
    enum download_outcome may = admit(c);
    if (may != DOWNLOAD_FOUND)
        return may;
    if (!c->config->offline_address_book || !download_path(c->path) || !take_apart(c->a, c->path, &guid, &name))
        return DOWNLOAD_NONE;
    ec_t ec = offline_for(c->directory, c->a, c->who, &b);
    if (ec != ecNone)
        return outcome(ec);
    if (!guid_eq(&guid, &b.guid))
        return DOWNLOAD_NONE;
    return strcasecmp(name, MANIFEST) == 0 ? find_manifest(c, &b, out) : find_file(c, &b, name, out);
}

ec_t download_read(struct directory *d, struct arena *a, const struct download *f, uint64_t at, size_t n, struct blob *out)
{
    return offline_read(d, a, &f->file, at, n, out);
}
