/* probe_place.c - a URL to a server, and clients pointed at it. */
#include "deploy/mapictl/probe.h"
#include <stdlib.h>
#include <strings.h>

static bool loopback(const char *host)
{
    return strcasecmp(host, "localhost") == 0 || strcmp(host, "::1") == 0 || (strncmp(host, "127.", 4) == 0 && host[strspn(host, "0123456789.")] == '\0');
}

/* The answer of a server becomes part of the next request: nothing that ends a line or a word. */
static bool printable(const char *s)
{
    for (; *s != '\0'; s++)
        if ((unsigned char)*s <= ' ' || (unsigned char)*s >= 0x7F)
            return false;
    return true;
}

static bool port_of(const char *text, bool secure, unsigned *out)
{
    char *end = NULL;
    unsigned long n = *text == ':' ? strtoul(text + 1, &end, 10) : secure ? 443 : 80;
    *out = (unsigned)n;
    return n != 0 && n < 65536 && (end == NULL || *end == '\0' || *end == '/');
}

bool probe_url(struct arena *a, const char *url, struct tls_options *to, const char **path, const char **why)
{
    bool secure = strncasecmp(url, "https://", 8) == 0;
    *why = arena_printf(a, "\"%.200s\" is not a URL such as https://mail.example.com", url);
    if ((!secure && strncasecmp(url, "http://", 7) != 0) || !printable(url))
        return false;
    const char *host = url + (secure ? 8 : 7);
    bool bracket = *host == '[';
    host += bracket;
    size_t n = strcspn(host, bracket ? "]" : ":/?");
    const char *behind = host + n + (bracket && host[n] == ']');
    unsigned port;
    if (n == 0 || n > 253 || (*behind != '\0' && strchr(":/", *behind) == NULL) || !port_of(behind, secure, &port))
        return false;
    *to = (struct tls_options){ .host = arena_str(a, blob_of(host, n)), .port = port, .secure = secure, .verify = secure };
    const char *slash = strchr(behind, '/');
    if (path != NULL)
        *path = slash != NULL ? slash : "/";
    *why = "a password goes over https only; plain http is for 127.0.0.1, ::1 and localhost";
    return secure || loopback(to->host);
}

void probe_clock(struct probe *p) { p->mail.deadline = p->book.deadline = clock_ms() + p->timeout_ms; }

void probe_aim(struct probe *p, struct mapic *client, const struct tls_options *to, const char *path)
{
    mapic_close(client);
    mapic_init(client, to->host, to->port, p->login, p->password);
    client->to = *to;
    client->to.ca_file = ctl_option(p->c, "--ca");
    client->path = path;
    client->timeout_ms = p->timeout_ms;
    client->deadline = clock_ms() + p->timeout_ms;
}
