/* ldapread.c - pages of a search become records; long attributes are asked for again from where they stopped. */
#include "backend/directory/source/ldapread.h"
#include "backend/base/log.h"
#include "backend/directory/login_int.h"
#include <ldap.h>
#include <stdlib.h>

enum { PAGE_ARENA = 256 << 20, ATTRIBUTES_MAX = 256, RANGES_MAX = 10000 };

struct reading {
    const struct ldapread *r;
    LDAP         *ld;
    struct arena *a;                 /* of the page */
    char         *attr[ATTRIBUTES_MAX + 1];
    size_t        attrs;
    struct berval cookie;            /* where the next page begins */
    bool          more;
};

const char *ldapread_name(struct arena *a, const char *attribute, unsigned long *next)
{
    size_t n = strcspn(attribute, ";");
    const char *range = strstr(attribute + n, ";range=");
    *next = 0;
    if (range != NULL) {
        const char *dash = strchr(range, '-');
        char *end = NULL;
        unsigned long last = dash != NULL && dash[1] != '*' ? strtoul(dash + 1, &end, 10) : 0;
        *next = end != NULL && end != dash + 1 && *end == '\0' && last < UINT32_MAX ? last + 1 : 0;
    }
    return arena_str(a, blob_of(attribute, n));
}

/* --- values ----------------------------------------------------------------------------------------------------------------------------- */

static void take_values(struct reading *x, LDAPMessage *e, const char *attribute, const char *name, struct record *out)
{
    struct berval **v = ldap_get_values_len(x->ld, e, attribute);
    for (size_t i = 0; v != NULL && v[i] != NULL && out->n < RECORD_VALUES_MAX; i++)
        record_add(x->a, out, name, arena_blob(x->a, blob_of(v[i]->bv_val, v[i]->bv_len)));
    ldap_value_free_len(v);
}

/* The rest of an attribute that came in part. */
static int take_ranges(struct reading *x, const char *dn, const char *name, unsigned long next, struct record *out)
{
    for (unsigned ranges = 0; next != 0 && ranges < RANGES_MAX; ranges++) {
        char *want[] = { arena_printf(x->a, "%s;range=%lu-*", name, next), NULL };
        LDAPMessage *m = NULL;
        BerElement *at = NULL;
        next = 0;
        int rc = ldap_search_ext_s(x->ld, dn, LDAP_SCOPE_BASE, "(objectClass=*)", want, 0, NULL, NULL, NULL, 1, &m);
        LDAPMessage *e = rc == LDAP_SUCCESS ? ldap_first_entry(x->ld, m) : NULL;
        char *attribute = e != NULL ? ldap_first_attribute(x->ld, e, &at) : NULL;
        if (attribute != NULL) {
            take_values(x, e, attribute, name, out);
            ldapread_name(x->a, attribute, &next);
            ldap_memfree(attribute);
        }
        if (at != NULL)
            ber_free(at, 0);
        ldap_msgfree(m);
        if (rc != LDAP_SUCCESS)
            return rc;
    }
    return LDAP_SUCCESS;
}

static int take_entry(struct reading *x, LDAPMessage *e, struct record *out)
{
    BerElement *at = NULL;
    int   rc = LDAP_SUCCESS;
    char *dn = ldap_get_dn(x->ld, e);
    *out = (struct record){ .key = "", .name = arena_strdup(x->a, dn != NULL ? dn : "") };
    ldap_memfree(dn);
    for (char *attribute = ldap_first_attribute(x->ld, e, &at); attribute != NULL; attribute = ldap_next_attribute(x->ld, e, at)) {
        unsigned long next;
        const char *name = ldapread_name(x->a, attribute, &next);
        take_values(x, e, attribute, name, out);
        ldap_memfree(attribute);
        if (rc == LDAP_SUCCESS && next != 0)
            rc = take_ranges(x, out->name, name, next, out);
    }
    if (at != NULL)
        ber_free(at, 0);
    out->key = record_key(x->a, out);
    return rc;
}

/* --- pages ------------------------------------------------------------------------------------------------------------------------------- */

static int next_cookie(struct reading *x, LDAPMessage *m)
{
    LDAPControl **answer = NULL;
    int err = LDAP_SUCCESS, rc = ldap_parse_result(x->ld, m, &err, NULL, NULL, NULL, &answer, 0);
    LDAPControl *page = rc == LDAP_SUCCESS ? ldap_control_find(LDAP_CONTROL_PAGEDRESULTS, answer, NULL) : NULL;
    ber_int_t estimate;
    ber_memfree(x->cookie.bv_val);
    x->cookie = (struct berval){ 0, NULL };
    if (page != NULL)
        ldap_parse_pageresponse_control(x->ld, page, &estimate, &x->cookie);
    x->more = x->cookie.bv_len != 0;
    ldap_controls_free(answer);
    return rc != LDAP_SUCCESS ? rc : err;
}

static ec_t give(struct reading *x, LDAPMessage *m, int *rc)
{
    for (LDAPMessage *e = ldap_first_entry(x->ld, m); e != NULL; e = ldap_next_entry(x->ld, e)) {
        struct record r;
        if ((*rc = take_entry(x, e, &r)) != LDAP_SUCCESS)
            return ecNone;
        TRY(x->r->record(x->r->ctx, &r));
    }
    return ecNone;
}

static ec_t one_page(struct reading *x, int *rc)
{
    const struct config *c = x->r->config;
    LDAPControl *page = NULL;
    LDAPMessage *m = NULL;
    if ((*rc = ldap_create_page_control(x->ld, (ber_int_t)c->book_ldap_page, &x->cookie, 1, &page)) != LDAP_SUCCESS)
        return ecNone;
    LDAPControl *controls[] = { page, NULL };
    *rc = ldap_search_ext_s(x->ld, c->book_ldap_base, LDAP_SCOPE_SUBTREE, c->book_ldap_filter, x->attr, 0, controls, NULL, NULL, LDAP_NO_LIMIT, &m);
    ldap_control_free(page);
    ec_t ec = ecNone;
    if (*rc == LDAP_SUCCESS && (*rc = next_cookie(x, m)) == LDAP_SUCCESS)
        ec = give(x, m, rc);
    ldap_msgfree(m);
    return ec != ecNone || *rc != LDAP_SUCCESS ? ec : x->r->page(x->r->ctx);
}

static void want(void *ctx, const char *attribute, const char *meaning)
{
    struct reading *x = ctx;
    (void)meaning;
    if (x->attrs < ATTRIBUTES_MAX)
        x->attr[x->attrs++] = (char *)(uintptr_t)attribute; /* libldap only reads it */
}

static ec_t read_all(struct reading *x, int *rc)
{
    ec_t ec = ecNone;
    attr_each(x->r->map, want, x);
    for (size_t i = 0; record_keys[i] != NULL; i++)
        want(x, record_keys[i], NULL);
    for (x->more = true; ec == ecNone && *rc == LDAP_SUCCESS && x->more; ) {
        x->a = arena_new(PAGE_ARENA);
        ec = one_page(x, rc);
        arena_free(x->a);
    }
    ber_memfree(x->cookie.bv_val);
    return ec;
}

ec_t ldapread_all(struct arena *a, const struct ldapread *r, const char **why)
{
    struct ldap_pool *pool = login_ldap_new(r->config);
    struct reading *x = arena_one(a, struct reading);
    *x = (struct reading){ .r = r, .ld = login_ldap_connect(pool) };
    int rc = LDAP_SUCCESS;
    ec_t ec = x->ld != NULL ? read_all(x, &rc) : EC(ecNetworkError);
    if (x->ld == NULL)
        *why = "no LDAP server serves";
    else
        ldap_unbind_ext_s(x->ld, NULL, NULL);
    login_ldap_free(pool);
    if (rc == LDAP_SUCCESS)
        return ec;
    *why = arena_strdup(a, ldap_err2string(rc));
    log_line(LOGL_ERROR, "directory", "the address book cannot be read from LDAP", "error", *why, NULL);
    return EC(ecNetworkError);
}
