/* client.c - "Outlook/16.0.4266.1001" -> a row of the support matrix. */
#include "session/client.h"
#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

const struct client client_table[] = {
#define CLIENT(program, a, b, c, d, product, e19, e16, e13sp1, e13, e10) \
    { program, { a, b, c, d }, product, { CLIENT_##e19, CLIENT_##e16, CLIENT_##e13sp1, CLIENT_##e13, CLIENT_##e10 } },
#include "session/client.def"
#undef CLIENT
};
const size_t client_count = sizeof client_table / sizeof client_table[0];

const char *const client_servers[CLIENT_SERVERS] = { "Exchange 2019", "Exchange 2016", "Exchange 2013 SP1", "Exchange 2013", "Exchange 2010 SP3" };

const char *client_way_words(enum client_way w)
{
    static const char *const words[] = { "MAPI over HTTP", "Outlook Anywhere", "RPC or Outlook Anywhere", "no MAPI" };
    return words[w];
}

/* Up to four numbers with dots between. */
static void read_version(const char *p, uint16_t out[4])
{
    memset(out, 0, 4 * sizeof *out);
    for (size_t i = 0; i < 4 && isdigit((unsigned char)*p); i++) {
        char *end;
        unsigned long v = strtoul(p, &end, 10);
        out[i] = v <= UINT16_MAX ? (uint16_t)v : UINT16_MAX;
        p = *end == '.' ? end + 1 : end;
        if (*end != '.')
            break;
    }
}

/* Behind the program's name, as a word of its own, a slash or a blank and a number: points at the number. */
static const char *named(const char *text, const char *program)
{
    size_t n = strlen(program);
    for (const char *p = text; *p != '\0'; p++) {
        bool begins = p == text || !(isalnum((unsigned char)p[-1]) || p[-1] == '-');
        if (begins && strncasecmp(p, program, n) == 0 && (p[n] == '/' || p[n] == ' ') && isdigit((unsigned char)p[n + 1]))
            return p + n + 1;
    }
    return NULL;
}

static bool reached(const uint16_t version[4], const uint16_t least[4])
{
    for (size_t i = 0; i < 4; i++)
        if (version[i] != least[i])
            return version[i] > least[i];
    return true;
}

const struct client *client_find(const char *text, uint16_t version[4])
{
    uint16_t v[4];
    for (size_t i = 0; text != NULL && i < client_count; i++) {
        const char *at = named(text, client_table[i].program);
        if (at == NULL)
            continue;
        read_version(at, v);
        if (version != NULL)
            memcpy(version, v, sizeof v);
        if (reached(v, client_table[i].least))
            return &client_table[i];
    }
    return NULL;
}

bool client_speaks(const struct client *c) { return c->way[0] == CLIENT_MAPI; }
