/* auth_offer.c - the WWW-Authenticate lines of a 401: what the virtual directory allows here, strongest first. */
#include "fcgi/auth_int.h"
#include "backend/base/wr.h"

static void put(struct wr *w, const char *s) { wr_bytes(w, s, strlen(s)); }

/* name="value", of what can stand in a quoted string. */
static void put_quoted(struct wr *w, const char *name, const char *value)
{
    put(w, name);
    put(w, "=\"");
    for (const char *p = value; *p != '\0'; p++)
        if (*p != '"' && *p != '\\' && (unsigned char)*p >= 0x20 && *p != 0x7f)
            wr_u8(w, (uint8_t)*p);
    put(w, "\"");
}

/* RFC 6750 3; the rest is what Outlook looks for to know where to get a token. */
static void put_bearer(const struct auth_try *t, struct wr *w)
{
    const struct config *c = t->e->config;
    put(w, "WWW-Authenticate: Bearer ");
    put_quoted(w, "realm", c->auth_realm);
    if (*c->oauth_authorization_uri != '\0')
        put_quoted(w, ", authorization_uri", c->oauth_authorization_uri);
    if (t->bearer_error != NULL) {
        put(w, ", error=\"invalid_token\"");
        put_quoted(w, ", error_description", t->bearer_error);
    }
    put(w, "\r\n");
}

const char *auth_offer(const struct auth_try *t)
{
    struct wr w = wr_in(t->a, SIZE_MAX / 4);
    bool others = (t->methods & (METHOD_OAUTH | METHOD_BASIC)) != 0;
    if ((t->methods & METHOD_NEGOTIATE) != 0 && !(t->no_negotiate && others))
        put(&w, "WWW-Authenticate: Negotiate\r\n");
    if ((t->methods & METHOD_OAUTH) != 0)
        put_bearer(t, &w);
    if ((t->methods & METHOD_BASIC) != 0) {
        put(&w, "WWW-Authenticate: Basic ");
        put_quoted(&w, "realm", t->e->config->auth_realm);
        put(&w, ", charset=\"UTF-8\"\r\n");
    }
    return arena_str(t->a, wr_blob(&w));
}
