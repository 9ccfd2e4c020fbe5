/* place.c - where the services are, seen from inside and from outside. */
#include "session/discover/discover_int.h"
#include "backend/directory/offline/offline.h"
#include <stdlib.h>
#include <unistd.h>

/* A Host header goes into URLs: a name or an address, and a port. */
static bool plausible_host(const char *host)
{
    size_t n = host != NULL ? strlen(host) : 0;
    return n != 0 && n < 256 && strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]_") == n;
}

const char *place_server(const struct discover_call *c)
{
    char name[256] = "";
    if (*c->config->server_name != '\0')
        return arena_printf(c->a, "https://%s", c->config->server_name);
    if (plausible_host(c->host))
        return arena_printf(c->a, "https://%s", c->host);
    return gethostname(name, sizeof name - 1) == 0 && *name != '\0' ? arena_printf(c->a, "https://%s", name) : "https://localhost";
}

ec_t place_mapi(const struct discover_call *c, struct place *out)
{
    struct vdir v;
    TRY(vdir_get(c->directory, c->a, &v));
    bool none = *v.internal_url == '\0' && *v.external_url == '\0';
    const char *here = none ? arena_printf(c->a, "%s/mapi", place_server(c)) : "";
    out->internal = *v.internal_url != '\0' ? v.internal_url : *v.external_url != '\0' ? v.external_url : here;
    out->external = none ? here : v.external_url;
    return ecNone;
}

/* Our own paths of the book are on the server that has the endpoints. */
static const char *book_at(struct arena *a, const char *endpoints, const struct guid *book)
{
    char guid[GUID_TEXT];
    const char *host = strstr(endpoints, "://");
    if (host == NULL)
        return "";
    size_t n = (size_t)(host + 3 - endpoints) + strcspn(host + 3, "/");
    return arena_printf(a, "%.*s/oab/%s/", (int)n, endpoints, guid_text(book, guid));
}

ec_t place_offline(const struct discover_call *c, const struct person *p, const struct place *mapi, struct place *out)
{
    struct offline_book b;
    *out = (struct place){ "", "" };
    if (!c->config->offline_address_book)
        return ecNone;
    ec_t ec = offline_for(c->directory, c->a, p, &b);
    if (ec == ecNotFound)
        return ecNone;
    TRY(ec);
    *out = (struct place){ book_at(c->a, mapi->internal, &b.guid), book_at(c->a, mapi->external, &b.guid) };
    return ecNone;
}

bool place_host_port(struct arena *a, const char *text, const char **host, unsigned *port)
{
    const char *colon = strrchr(text, ':');
    char *end;
    if (colon == NULL || colon == text || colon[1] < '0' || colon[1] > '9')
        return false;
    unsigned long n = strtoul(colon + 1, &end, 10);
    *host = arena_str(a, blob_of(text, (size_t)(colon - text)));
    *port = (unsigned)n;
    return *end == '\0' && n != 0 && n < 65536 && plausible_host(*host);
}
