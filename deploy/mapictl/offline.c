/* offline.c - mapictl offline: the address books that clients download. */
#include "backend/directory/offline/offline.h"
#include "deploy/mapictl/ctl.h"
#include "session/nspi/nspi_offline.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum { PORTION = 1 << 20, TIME_TEXT = 32 };

static const char *kinds[] = { [OFFLINE_FULL] = "full", [OFFLINE_TEMPLATE] = "template" };

static json_t *time_json(uint64_t ms)
{
    char text[TIME_TEXT];
    time_t s = (time_t)(ms / 1000);
    struct tm tm;
    if (ms == 0 || gmtime_r(&s, &tm) == NULL || strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
        return json_null();
    return json_string(text);
}

static json_t *book_json(struct ctl *c, const struct offline_book *b)
{
    char text[GUID_TEXT];
    (void)c;
    return json_pack("{s:s, s:s, s:I, s:I, s:o}", "organization", b->organization, "guid", guid_text(&b->guid, text), "sequence", (json_int_t)b->sequence,
                     "objects", (json_int_t)b->objects, "made", time_json(b->made));
}

static json_t *file_json(struct ctl *c, const struct offline_file *f)
{
    char *hex = arena_alloc(c->a, 2 * sizeof f->sha1 + 1);
    for (size_t i = 0; i < sizeof f->sha1; i++)
        snprintf(hex + 2 * i, 3, "%02x", f->sha1[i]);
    json_t *o = json_pack("{s:s, s:s, s:I, s:I, s:s}", "name", f->name, "kind", kinds[f->kind], "size", (json_int_t)f->size, "uncompressed", (json_int_t)f->uncompressed,
                          "sha1", hex);
    if (f->lcid != 0)
        json_object_set_new(o, "locale", json_integer((json_int_t)f->lcid));
    return o;
}

int cmd_offline_list(struct ctl *c)
{
    struct offline_book *b;
    size_t n;
    if (c->argc != 0)
        return ctl_usage(c);
    ec_t ec = offline_books(ctl_directory(c), c->a, 0, &b, &n);
    if (ec != ecNone)
        return ctl_ec(c, "offline address books", ec);
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, book_json(c, &b[i]));
    return ctl_table(c, "organization sequence objects made guid", list);
}

/* By the organization's name; NULL: that of the configuration. */
static bool find(struct ctl *c, const char *name, struct offline_book *out)
{
    struct offline_book *b;
    size_t n;
    ec_t ec = offline_books(ctl_directory(c), c->a, 0, &b, &n);
    name = name != NULL ? name : c->config->organization;
    for (size_t i = 0; ec == ecNone && i < n; i++)
        if (strcasecmp(b[i].organization, name) == 0) {
            *out = b[i];
            return true;
        }
    ec != ecNone ? ctl_ec(c, name, ec) : ctl_fail(c, name, "no such organization");
    return false;
}

int cmd_offline_show(struct ctl *c)
{
    struct offline_book b;
    struct offline_file *f = NULL;
    size_t n = 0;
    if (c->argc > 1)
        return ctl_usage(c);
    if (!find(c, c->argc == 1 ? c->argv[0] : NULL, &b))
        return CTL_FAILED;
    ec_t ec = offline_files(ctl_directory(c), c->a, &b, &f, &n);
    if (ec != ecNone)
        return ctl_ec(c, b.organization, ec);
    json_t *files = json_array(), *o = book_json(c, &b);
    for (size_t i = 0; i < n; i++)
        json_array_append_new(files, file_json(c, &f[i]));
    if (c->json) {
        json_object_set_new(o, "files", files);
        return ctl_show(c, o);
    }
    ctl_show(c, o);
    return ctl_table(c, "name kind size uncompressed sha1", files);
}

static bool make(struct ctl *c, const struct offline_book *b, json_t *list)
{
    struct offline_book after;
    bool made;
    ec_t ec = offline_make(ctl_directory(c), c->a, &nspi_offline_values, b->org, NULL, &made);
    if (ec == ecNone)
        ec = offline_of(ctl_directory(c), c->a, b->org, &after);
    if (ec != ecNone) {
        ctl_ec(c, b->organization, ec);
        return false;
    }
    json_t *o = book_json(c, &after);
    json_object_set_new(o, "new", json_boolean(made));
    json_array_append_new(list, o);
    return true;
}

int cmd_offline_make(struct ctl *c)
{
    struct offline_book *b, one;
    size_t n = 1;
    bool   ok = true;
    if (c->argc > 1)
        return ctl_usage(c);
    if (c->argc == 1 && !find(c, c->argv[0], &one))
        return CTL_FAILED;
    ec_t ec = c->argc == 1 ? ecNone : offline_books(ctl_directory(c), c->a, 0, &b, &n);
    if (ec != ecNone)
        return ctl_ec(c, "offline address books", ec);
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        ok &= make(c, c->argc == 1 ? &one : &b[i], list);
    int code = ctl_table(c, "organization sequence objects made new", list);
    return ok ? code : CTL_FAILED;
}

/* --- export --------------------------------------------------------------------------------------------------------------------------------- */

static ec_t copy(struct ctl *c, const struct offline_file *f, FILE *to, bool *written)
{
    ec_t ec = ecNone;
    *written = true;
    for (uint64_t at = 0; at < f->size && ec == ecNone && *written; at += PORTION) {
        struct arena *a = arena_new(4 * PORTION);
        struct blob b;
        ec = offline_read(ctl_directory(c), a, f, at, f->size - at < PORTION ? (size_t)(f->size - at) : PORTION, &b);
        *written = ec != ecNone || fwrite(b.p, 1, b.n, to) == b.n;
        arena_free(a);
    }
    return ec;
}

static int export_file(struct ctl *c, const struct offline_file *f, const char *directory)
{
    const char *path = arena_printf(c->a, "%s/%s", directory, f->name);
    FILE *to = fopen(path, "wb");
    bool  written;
    if (to == NULL)
        return ctl_fail(c, path, strerror(errno));
    ec_t ec = copy(c, f, to, &written);
    written &= fclose(to) == 0;
    return ec != ecNone ? ctl_ec(c, f->name, ec) : written ? CTL_OK : ctl_fail(c, path, "cannot be written");
}

int cmd_offline_export(struct ctl *c)
{
    struct offline_book b;
    struct offline_file *f = NULL;
    size_t n = 0;
    if (c->argc != 1)
        return ctl_usage(c);
    if (!find(c, ctl_option(c, "--organization"), &b))
        return CTL_FAILED;
    ec_t ec = offline_files(ctl_directory(c), c->a, &b, &f, &n);
    if (ec != ecNone)
        return ctl_ec(c, b.organization, ec);
    if (n == 0)
        return ctl_fail(c, b.organization, "none was made yet: mapictl offline make");
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        int code = export_file(c, &f[i], c->argv[0]);
        if (code != CTL_OK)
            return code;
        json_array_append_new(list, file_json(c, &f[i]));
    }
    return ctl_table(c, "name kind size uncompressed sha1", list);
}
