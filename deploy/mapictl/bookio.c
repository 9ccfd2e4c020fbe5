/* bookio.c - mapictl directory import, export, refresh: the address book from and to files, and from the directory server. */
#include "backend/base/crypto.h"
#include "backend/base/filetime.h"
#include "backend/directory/source/csv.h"
#include "backend/directory/source/ldif.h"
#include "backend/directory/source/refresh.h"
#include "deploy/mapictl/bookentry.h"
#include <errno.h>
#include <stdio.h>
#include <strings.h>
#include <unistd.h>

enum { SHOWN = 20 };

/* --- in -------------------------------------------------------------------------------------------------------------------------------------- */

struct intake { struct ctl *c; json_t *left_out; size_t told; bool terminal; };

static void say(void *ctx, const char *key, size_t line, const char *why)
{
    struct intake *in = ctx;
    json_array_append_new(in->left_out, json_pack("{s:s, s:I, s:s}", "object", ctl_text(in->c, key), "line", (json_int_t)line, "why", ctl_text(in->c, why)));
    if (in->c->json || in->told++ >= SHOWN)
        return;
    fputs(in->terminal ? "\r\033[K" : "", stderr);
    if (line != 0)
        fprintf(stderr, "line %zu: ", line);
    fprintf(stderr, "%s: %s\n", key, why);
}

static void progress(void *ctx, const struct sync_count *n)
{
    struct intake *in = ctx;
    if (in->terminal)
        fprintf(stderr, "\r%zu read, %zu added, %zu changed, %zu refused\033[K", n->read, n->added, n->changed, n->refused);
}

static int report(struct intake *in, const char *what, bool dry, ec_t ec, const char *why, const struct sync_count *n)
{
    struct ctl *c = in->c;
    if (in->terminal)
        fputs("\r\033[K", stderr);
    if (in->told > SHOWN)
        fprintf(stderr, "and %zu more (--json has all)\n", in->told - SHOWN);
    json_t *o = json_pack("{s:s, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "source", what, "dry_run", dry, "read", (json_int_t)n->read, "added",
                          (json_int_t)n->added, "changed", (json_int_t)n->changed, "unchanged", (json_int_t)n->unchanged, "removed", (json_int_t)n->removed,
                          "refused", (json_int_t)n->refused, "links_unknown", (json_int_t)n->links_unknown);
    if (c->json)
        json_object_set(o, "left_out", in->left_out);
    if (why != NULL)
        json_object_set_new(o, "error", json_string(ctl_text(c, why)));
    json_decref(in->left_out);
    ctl_show(c, o);
    if (ec != ecNone && why == NULL)
        ctl_ec(c, what, ec);
    return ec != ecNone || why != NULL ? CTL_FAILED : n->refused != 0 ? CTL_FAULT : CTL_OK;
}

static struct sync_options options(struct intake *in)
{
    return (struct sync_options){ .directory = ctl_directory(in->c), .dry_run = ctl_option(in->c, "--dry-run") != NULL,
                                  .prune = ctl_option(in->c, "--prune") != NULL, .say = say, .progress = progress, .ctx = in };
}

struct file { FILE *f; bool ldif; struct ldif l; struct csv *csv; };

static enum record_next next(struct file *x, struct arena *a, struct record *r, const char **why)
{
    return x->ldif ? ldif_next(&x->l, a, r, why) : csv_next(x->csv, a, r, why);
}

static ec_t feed(struct file *x, struct sync *s, struct arena *words, const char **why)
{
    for (;;) {
        struct arena *a = arena_new((size_t)256 << 20);
        struct record r;
        enum record_next n = next(x, a, &r, why);
        ec_t ec = n == RECORD_READ ? sync_record(s, &r) : ecNone;
        if (n == RECORD_BAD)
            *why = arena_printf(words, "line %zu: %s", x->ldif ? x->l.line : r.line, *why);
        arena_free(a);
        if (n == RECORD_BAD)
            return EC(ecCorruptData);
        if (n == RECORD_END || ec != ecNone)
            return ec;
    }
}

/* By --format, else by the name.  False: there is no such format. */
static bool is_ldif(struct ctl *c, const char *path, bool *ldif)
{
    const char *format = ctl_option(c, "--format"), *dot = strrchr(path, '.');
    *ldif = strcasecmp(format != NULL ? format : dot != NULL ? dot + 1 : "", "ldif") == 0;
    if (format == NULL || *ldif || strcasecmp(format, "csv") == 0)
        return true;
    ctl_fail(c, format, "is no format: csv or ldif");
    return false;
}

int cmd_directory_import(struct ctl *c)
{
    struct sync_count n;
    const char *why = NULL;
    if (c->argc != 1)
        return ctl_usage(c);
    struct file x = { 0 };
    if (!is_ldif(c, c->argv[0], &x.ldif))
        return CTL_FAILED;
    if ((x.f = fopen(c->argv[0], "r")) == NULL)
        return ctl_fail(c, c->argv[0], strerror(errno));
    struct intake in = { .c = c, .left_out = json_array(), .terminal = isatty(STDERR_FILENO) };
    struct sync_options o = options(&in);
    const char *name = ctl_option(c, "--source");
    o.map = bookentry_map(c);
    o.source = name != NULL ? name : x.ldif ? "ldif" : "csv";
    x.l.f = x.f;
    if (strcmp(o.source, REFRESH_SOURCE) == 0)
        why = "that is the name of the directory server's objects";
    else if (!x.ldif)
        x.csv = csv_open(x.f, o.map, c->a, &why);
    if (why != NULL) {
        fclose(x.f);
        json_decref(in.left_out);
        return ctl_fail(c, c->argv[0], why);
    }
    struct sync *s = sync_begin(c->a, &o);
    ec_t ec = sync_end(s, feed(&x, s, c->a, &why), &n);
    ldif_done(&x.l);
    fclose(x.f);
    return report(&in, o.source, o.dry_run, ec, why, &n);
}

int cmd_directory_refresh(struct ctl *c)
{
    struct sync_count n;
    const char *why = NULL;
    if (c->argc != 0)
        return ctl_usage(c);
    if (*c->config->book_ldap_base == '\0')
        return ctl_fail(c, "book_ldap_base", "names no part of an LDAP server");
    struct intake in = { .c = c, .left_out = json_array(), .terminal = isatty(STDERR_FILENO) };
    struct sync_options o = options(&in);
    ec_t ec = refresh_now(ctl_directory(c), c->a, c->config, &o, &n, &why);
    return report(&in, REFRESH_SOURCE, o.dry_run, ec, why, &n);
}

static void put_attribute(void *ctx, const char *attribute, const char *meaning)
{
    json_array_append_new(ctx, json_pack("{s:s, s:s}", "attribute", attribute, "meaning", meaning));
}

int cmd_directory_attributes(struct ctl *c)
{
    if (c->argc != 0)
        return ctl_usage(c);
    json_t *list = json_array();
    attr_each(bookentry_map(c), put_attribute, list);
    return ctl_table(c, "attribute meaning", list);
}

/* --- out ------------------------------------------------------------------------------------------------------------------------------------- */

enum { COLUMNS_MAX = 200 };
struct output { struct ctl *c; FILE *f; bool ldif, counting; const char *column[COLUMNS_MAX]; size_t columns, n; ec_t ec; };

static bool plain(struct blob b)
{
    if (b.n != 0 && (b.p[0] == ' ' || b.p[0] == ':' || b.p[0] == '<' || b.p[b.n - 1] == ' '))
        return false;
    for (size_t i = 0; i < b.n; i++)
        if (b.p[i] < ' ' || b.p[i] >= 0x7f)
            return false;
    return true;
}

static void ldif_line(struct output *o, struct arena *a, const char *name, struct blob v)
{
    if (plain(v))
        fprintf(o->f, "%s: %.*s\n", name, (int)v.n, (const char *)v.p);
    else
        fprintf(o->f, "%s:: %s\n", name, base64(a, v));
}

static void write_ldif(struct output *o, struct arena *a, const struct record *r)
{
    ldif_line(o, a, "dn", blob_str(r->name));
    ldif_line(o, a, "entryUUID", blob_str(r->key));
    for (size_t i = 0; i < r->n; i++)
        ldif_line(o, a, r->v[i].name, r->v[i].value);
    putc('\n', o->f);
}

static void note_columns(struct output *o, const struct record *r)
{
    for (size_t i = 0; i < r->n; i++) {
        size_t k = 0;
        while (k < o->columns && strcmp(o->column[k], r->v[i].name) != 0)
            k++;
        if (k == o->columns && k < COLUMNS_MAX)
            o->column[o->columns++] = arena_strdup(o->c->a, r->v[i].name);
    }
}

static void write_csv(struct output *o, struct arena *a, const struct record *r, const struct attr_map *m)
{
    struct blob field[COLUMNS_MAX + 1] = { blob_str(r->key) };
    for (size_t k = 0; k < o->columns; k++) {
        enum attr_form form = attr_form(m, o->column[k]);
        const char *all = NULL;
        for (size_t i = 0; i < r->n; i++) {
            if (strcmp(r->v[i].name, o->column[k]) != 0)
                continue;
            const char *one = form == ATTR_BINARY || form == ATTR_BINARIES ? base64(a, r->v[i].value) : arena_str(a, r->v[i].value);
            all = all != NULL ? arena_printf(a, "%s|%s", all, one) : one;
        }
        field[k + 1] = blob_str(all);
    }
    csv_write(o->f, field, o->columns + 1);
}

static bool export_one(void *ctx, struct arena *a, const struct entry *e)
{
    struct output *o = ctx;
    struct ctl own = *o->c;
    struct entry whole;
    struct record r;
    own.a = a;
    if (e->kind >= ENTRY_CONTAINER)
        return true;
    if ((o->ec = entry_get(ctl_directory(o->c), a, e->row, &whole)) != ecNone || (o->ec = bookentry_record(&own, &whole, &r)) != ecNone)
        return false;
    if (o->counting)
        note_columns(o, &r);
    else if (o->ldif)
        write_ldif(o, a, &r);
    else
        write_csv(o, a, &r, bookentry_map(&own));
    o->n += !o->counting;
    return true;
}

static ec_t export_all(struct output *o)
{
    const char *source = ctl_option(o->c, "--source");
    struct directory *d = ctl_directory(o->c);
    if (!o->ldif) { /* which columns there are is known when all was seen */
        o->counting = true;
        TRY(entry_each(d, source, export_one, o));
        TRY(o->ec);
        o->counting = false;
        fputs("id", o->f);
        for (size_t k = 0; k < o->columns; k++)
            fprintf(o->f, ",%s", o->column[k]);
        fputs("\r\n", o->f);
    } else {
        fputs("version: 1\n\n", o->f);
    }
    TRY(entry_each(d, source, export_one, o));
    return o->ec;
}

int cmd_directory_export(struct ctl *c)
{
    if (c->argc != 1)
        return ctl_usage(c);
    bool to_stdout = strcmp(c->argv[0], "-") == 0;
    struct output o = { .c = c };
    if (!is_ldif(c, c->argv[0], &o.ldif))
        return CTL_FAILED;
    if ((o.f = to_stdout ? stdout : fopen(c->argv[0], "wx")) == NULL)
        return ctl_fail(c, c->argv[0], strerror(errno));
    ec_t ec = export_all(&o);
    bool failed = ferror(o.f) != 0 || (to_stdout ? fflush(o.f) : fclose(o.f)) != 0;
    if (ec != ecNone)
        return ctl_ec(c, c->argv[0], ec);
    if (failed)
        return ctl_fail(c, c->argv[0], strerror(errno));
    return to_stdout ? CTL_OK : ctl_show(c, json_pack("{s:s, s:I}", "file", ctl_text(c, c->argv[0]), "objects", (json_int_t)o.n));
}
