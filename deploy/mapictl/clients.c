/* clients.c - mapictl clients: the support matrix, or where one client stands in it. */
#include "deploy/mapictl/ctl.h"
#include "session/client.h"

static const char *version_text(struct ctl *c, const uint16_t v[4])
{
    return arena_printf(c->a, "%u.%u.%u.%u", v[0], v[1], v[2], v[3]);
}

static int all(struct ctl *c)
{
    json_t *list = json_array();
    for (size_t i = 0; i < client_count; i++) {
        const struct client *r = &client_table[i];
        json_t *row = json_pack("{s:s, s:s, s:s, s:b}", "product", r->product, "program", r->program, "from", version_text(c, r->least), "mapi_http", client_speaks(r));
        for (size_t s = 0; s < CLIENT_SERVERS; s++)
            json_object_set_new(row, client_servers[s], json_string(client_way_words(r->way[s])));
        json_array_append_new(list, row);
    }
    return ctl_table(c, "mapi_http program from product", list);
}

static int one(struct ctl *c, const char *text)
{
    uint16_t version[4] = { 0 };
    const struct client *r = client_find(text, version);
    if (r == NULL)
        return ctl_show(c, json_pack("{s:s, s:n, s:n}", "client", text, "product", "mapi_http"));
    json_t *row = json_pack("{s:s, s:s, s:s, s:s, s:b}", "client", text, "product", r->product, "program", r->program, "version", version_text(c, version), "mapi_http",
                            client_speaks(r));
    for (size_t s = 0; s < CLIENT_SERVERS; s++)
        json_object_set_new(row, client_servers[s], json_string(client_way_words(r->way[s])));
    return ctl_show(c, row);
}

int cmd_clients(struct ctl *c)
{
    return c->argc > 1 ? ctl_usage(c) : c->argc == 1 ? one(c, c->argv[0]) : all(c);
}
