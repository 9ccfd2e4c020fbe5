/* vdir.c - where clients reach the endpoints, and where those go whose mailbox is elsewhere: asked for and changed. */
#include "backend/directory/policy_int.h"
#include <stdlib.h>
#include <strings.h>

enum { METHODS = METHOD_BASIC | METHOD_NEGOTIATE | METHOD_OAUTH | METHOD_CERTIFICATE };

ec_t vdir_get(struct directory *d, struct arena *a, struct vdir *out)
{
    const struct policies *s = policies_begin(d);
    if (s == NULL)
        return EC(ecDiskError);
    *out = s->vdir;
    out->internal_url = arena_strdup(a, s->vdir.internal_url);
    out->external_url = arena_strdup(a, s->vdir.external_url);
    policies_done(d);
    return ecNone;
}

ec_t vdir_methods(struct directory *d, bool external, unsigned *out)
{
    const struct policies *s = policies_begin(d);
    if (s == NULL)
        return EC(ecDiskError);
    *out = external ? s->vdir.external_methods : s->vdir.internal_methods;
    policies_done(d);
    return ecNone;
}

static bool url_fits(const char *url) { return *url == '\0' || policies_https(url); }
static bool methods_fit(unsigned m) { return m != 0 && (m & ~(unsigned)METHODS) == 0; }

/* The endpoints are appended, so a last slash goes. */
static const char *without_slash(struct arena *a, const char *url)
{
    size_t n = strlen(url);
    while (n != 0 && url[n - 1] == '/')
        n--;
    return arena_str(a, blob_of(url, n));
}

ec_t vdir_set(struct directory *d, const struct vdir *v)
{
    if (!url_fits(v->internal_url) || !url_fits(v->external_url) || !methods_fit(v->internal_methods) || !methods_fit(v->external_methods))
        return EC(ecInvalidParameter);
    struct arena *a = arena_new(1 << 16);
    const struct bound b[] = { { .text = without_slash(a, v->internal_url) }, { .text = without_slash(a, v->external_url) },
                               { .number = v->internal_methods }, { .number = v->external_methods } };
    ec_t ec = policies_change(d, "UPDATE vdir SET internal_url=?1, external_url=?2, internal_methods=?3, external_methods=?4", b, 4);
    arena_free(a);
    return ec;
}

/* --- moved --------------------------------------------------------------------------------------------------------------------------------- */

static int by_name(const void *key, const void *row) { return strcasecmp(key, ((const struct moved *)row)->name); }

static struct moved copy(struct arena *a, const struct moved *m)
{
    return (struct moved){ arena_strdup(a, m->name), arena_strdup(a, m->url), arena_strdup(a, m->address) };
}

ec_t moved_find(struct directory *d, struct arena *a, const char *address, struct moved *out)
{
    const struct policies *s = policies_begin(d);
    if (s == NULL)
        return EC(ecDiskError);
    const char *at = strrchr(address, '@');
    const struct moved *m = s->moved_n == 0 ? NULL : bsearch(address, s->moved, s->moved_n, sizeof *s->moved, by_name);
    if (m == NULL && s->moved_n != 0 && at != NULL)
        m = bsearch(at + 1, s->moved, s->moved_n, sizeof *s->moved, by_name);
    if (m != NULL)
        *out = copy(a, m);
    policies_done(d);
    return m != NULL ? ecNone : EC(ecNotFound);
}

ec_t moved_list(struct directory *d, struct arena *a, struct moved **out, size_t *n)
{
    const struct policies *s = policies_begin(d);
    if (s == NULL)
        return EC(ecDiskError);
    *n = s->moved_n;
    *out = arena_array(a, struct moved, s->moved_n);
    for (size_t i = 0; i < s->moved_n; i++)
        (*out)[i] = copy(a, &s->moved[i]);
    policies_done(d);
    return ecNone;
}

/* "user@domain" or "domain", canonical in `a`; *is_address tells which. */
static bool name_fits(const struct directory *d, struct arena *a, const char *text, const char **out, bool *is_address)
{
    const char *at = strrchr(text, '@'), *domain;
    *is_address = at != NULL;
    if (!policies_domain(a, at != NULL ? at + 1 : text, &domain))
        return false;
    *out = at != NULL ? login_canonical(d, a, text) : domain;
    return *out != NULL && at != text && strpbrk(*out, " \"<>\\") == NULL;
}

static ec_t set(struct directory *d, struct arena *a, const struct moved *m)
{
    const char *name, *address = "";
    bool is_address, to_address;
    if (!name_fits(d, a, m->name, &name, &is_address) || (*m->url == '\0') == (*m->address == '\0'))
        return EC(ecInvalidParameter);
    if (*m->url != '\0' && !policies_https(m->url))
        return EC(ecInvalidParameter);
    if (*m->address != '\0' && (!name_fits(d, a, m->address, &address, &to_address) || to_address != is_address || strcmp(address, name) == 0))
        return EC(ecInvalidParameter);
    const struct bound v[] = { { .text = name }, { .text = m->url }, { .text = address } };
    return policies_change(d, "INSERT INTO moved VALUES(?1,?2,?3) ON CONFLICT(name) DO UPDATE SET url=excluded.url, address=excluded.address", v, 3);
}

ec_t moved_set(struct directory *d, const struct moved *m)
{
    struct arena *a = arena_new(1 << 16);
    ec_t ec = set(d, a, m);
    arena_free(a);
    return ec;
}

ec_t moved_drop(struct directory *d, const char *name)
{
    struct arena *a = arena_new(1 << 16);
    struct bound v = { 0 };
    bool is_address;
    ec_t ec = name_fits(d, a, name, &v.text, &is_address) ? policies_change(d, "DELETE FROM moved WHERE name=?1", &v, 1) : EC(ecNotFound);
    arena_free(a);
    return ec;
}
