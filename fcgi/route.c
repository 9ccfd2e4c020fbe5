/* route.c - the table of route.def, and the look into it. */
#include "fcgi/route.h"
#include <strings.h>

#define route_connect    session_connect
#define route_execute    session_execute
#define route_disconnect session_disconnect
#define route_ping       session_ping
#define route_book       session_book
#define route_wait       session_notification_wait
#define CHUNKED          ROUTE_CHUNKED

static const struct endpoint endpoints[] = {
#define ENDPOINT(name, path, cookie_path) { #name, path, cookie_path },
#include "fcgi/route.def"
};

const struct route route_table[] = {
#define ROUTE(endpoint, type, handler, flags) { ENDPOINT_##endpoint, #type, route_##handler, flags },
#include "fcgi/route.def"
};
const size_t route_count = sizeof route_table / sizeof route_table[0];

const struct endpoint *route_endpoint(const char *path)
{
    size_t n = path != NULL ? strlen(path) : 0;
    if (n > 1 && path[n - 1] == '/')
        n--;
    for (size_t i = 0; i < ENDPOINTS; i++)
        if (strlen(endpoints[i].path) == n && n != 0 && strncasecmp(endpoints[i].path, path, n) == 0)
            return &endpoints[i];
    return NULL;
}

const struct route *route_find(const struct endpoint *e, const char *type)
{
    for (size_t i = 0; i < route_count; i++)
        if (&endpoints[route_table[i].endpoint] == e && strcasecmp(route_table[i].type, type) == 0)
            return &route_table[i];
    return NULL;
}

const char *route_short(enum endpoint_id id) { return strrchr(endpoints[id].path, '/') + 1; }
