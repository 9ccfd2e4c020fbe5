/* json.c - Autodiscover's JSON form: where is the service that I name, for this address?  Nobody logs in for it, so the answer is the same for every
 * address of a domain and tells nothing about who exists. */
#include "session/discover/discover_int.h"
#include <jansson.h>
#include <stdlib.h>
#include <strings.h>

#define VERSION_PART "/v1.0/"

static void page(const struct discover_call *c, int status, json_t *object, struct discover_page *out)
{
    char *text = object != NULL ? json_dumps(object, JSON_COMPACT) : NULL;
    if (text == NULL) { /* a configured URL that is no Unicode text */
        json_decref(object);
        discover_refuse(out, 500, "This cannot be answered.\n");
        return;
    }
    *out = (struct discover_page){ status, "application/json; charset=utf-8", arena_blob(c->a, blob_str(text)) };
    free(text);
    json_decref(object);
}

static void error(const struct discover_call *c, int status, const char *code, const char *words, struct discover_page *out)
{
    page(c, status, json_pack("{s:s, s:s}", "ErrorCode", code, "ErrorMessage", words), out);
}

/* The address of ".../autodiscover.json/v1.0/{address}", else of the query. */
static const char *address_of(const struct discover_call *c)
{
    const char *json = strcasestr(c->path, ".json"), *rest = json != NULL ? json + 5 : "";
    if (strncasecmp(rest, VERSION_PART, sizeof VERSION_PART - 1) == 0 && rest[sizeof VERSION_PART - 1] != '\0')
        return rest + sizeof VERSION_PART - 1; /* nginx decoded it */
    return discover_parameter(c, "Email");
}

/* What is offered: name and URL; the names that are not configured are left out. */
struct service { const char *name, *url; };
static size_t services(const struct discover_call *c, struct service out[4])
{
    const struct config *g = c->config;
    size_t n = 0;
    out[n++] = (struct service){ "AutodiscoverV1", arena_printf(c->a, "%s/autodiscover/autodiscover.xml", place_server(c)) };
    const char *ews = *g->ews_external_url != '\0' ? g->ews_external_url : g->ews_internal_url;
    if (*ews != '\0')
        out[n++] = (struct service){ "Ews", ews };
    return n;
}

static const char *names(struct arena *a, const struct service *s, size_t n)
{
    const char *list = "";
    for (size_t i = 0; i < n; i++)
        list = arena_printf(a, "%s%s%s", list, i != 0 ? "," : "", s[i].name);
    return list;
}

static void answer(const struct discover_call *c, const char *address, const char *protocol, struct discover_page *out)
{
    struct service s[4];
    struct moved m;
    size_t n = services(c, s), i = 0;
    while (i < n && strcasecmp(s[i].name, protocol) != 0)
        i++;
    if (i == n) {
        error(c, 400, "InvalidProtocol", arena_printf(c->a, "The protocol is not offered here. Supported values: %s.", names(c->a, s, n)), out);
        return;
    }
    ec_t ec = moved_find(c->directory, c->a, address, &m);
    if (ec != ecNone && ec != ecNotFound)
        error(c, 500, "InternalServerError", "The directory cannot be read now.", out);
    else
        page(c, 200, json_pack("{s:s, s:s}", "Protocol", s[i].name, "Url", ec == ecNone && *m.url != '\0' ? m.url : s[i].url), out);
}

void discover_json(const struct discover_call *c, struct discover_page *out)
{
    const char *address = address_of(c), *protocol = discover_parameter(c, "Protocol");
    if (c->method == NULL || (strcmp(c->method, "GET") != 0 && strcmp(c->method, "HEAD") != 0))
        error(c, 405, "InvalidMethod", "Only GET is understood here.", out);
    else if (address == NULL || *address == '\0')
        error(c, 400, "MandatoryParameterMissing", "A value is needed for the parameter 'Email'.", out);
    else if (protocol == NULL || *protocol == '\0')
        error(c, 400, "MandatoryParameterMissing", "A value is needed for the parameter 'Protocol'.", out);
    else if (!discover_is_address(address))
        error(c, 400, "InvalidUserId", "The value of 'Email' is not an e-mail address.", out);
    else
        answer(c, address, protocol, out);
}
