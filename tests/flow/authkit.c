/* authkit.c - credentials out, statuses and challenges in. */
#include "tests/flow/authkit.h"
#include "backend/base/crypto.h"
#include "backend/base/filetime.h"
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

void authkit_begin(struct authkit *k, struct stack *st)
{
    *k = (struct authkit){ .st = st, .a = arena_new((size_t)1 << 30) };
    stack_client(st, &k->c, &st->ana);
    k->c.user = NULL;
    k->c.nturns = 0; /* there is no session whose worker could matter; some answers are nginx's */
}

void authkit_end(struct authkit *k)
{
    mapic_close(&k->c);
    arena_free(k->a);
}

int authkit_ping(struct authkit *k, const char *authorization)
{
    const char *why = "";
    struct mapic_odd odd = { .extra = authorization != NULL ? arena_printf(k->a, "Authorization: %s\r\n", authorization) : NULL };
    if (!mapic_call(&k->c, k->a, "PING", blob_of(NULL, 0), &odd, &k->r, &why)) {
        fprintf(stderr, "authkit: %s\n", why);
        return -1;
    }
    return k->r.code == 18 ? -18 : k->r.http.status; /* nginx says 18 when there is no worker */
}

const char *authkit_basic_header(struct arena *a, const char *user, const char *password)
{
    return arena_printf(a, "Basic %s", base64(a, blob_str(arena_printf(a, "%s:%s", user, password))));
}

int authkit_basic(struct authkit *k, const char *user, const char *password) { return authkit_ping(k, authkit_basic_header(k->a, user, password)); }

const char *authkit_offered(const struct authkit *k)
{
    const char *all = "";
    for (size_t i = 0; i < k->r.http.headers; i++)
        if (strcasecmp(k->r.http.header[i].name, "WWW-Authenticate") == 0) {
            const char *v = k->r.http.header[i].value;
            all = arena_printf(k->a, "%s%s%.*s", all, *all != '\0' ? " " : "", (int)strcspn(v, " "), v);
        }
    return all;
}

bool authkit_challenge(const struct authkit *k, const char *text)
{
    for (size_t i = 0; i < k->r.http.headers; i++)
        if (strcasecmp(k->r.http.header[i].name, "WWW-Authenticate") == 0 && strstr(k->r.http.header[i].value, text) != NULL)
            return true;
    return false;
}

bool authkit_becomes(struct authkit *k, const char *authorization, int status, unsigned ms)
{
    for (uint64_t until = clock_ms() + ms; clock_ms() < until; usleep(20000))
        if (authkit_ping(k, authorization) == status)
            return true;
    return false;
}

const char *authkit_shell(struct arena *a, const char *command)
{
    char *text = arena_alloc(a, 65536);
    FILE *f = popen(arena_printf(a, "(%s) 2>&1", command), "r");
    REQUIRE(f != NULL);
    text[fread(text, 1, 65535, f)] = '\0';
    int rc = pclose(f);
    if (rc != 0)
        fprintf(stderr, "%s: %s\n", command, text);
    CHECK_INT(rc, 0);
    return text;
}

void authkit_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    REQUIRE(f != NULL);
    fputs(text, f);
    REQUIRE(fclose(f) == 0);
}

bool authkit_logged(struct authkit *k, const char *file, const char *text)
{
    char *all = arena_alloc(k->a, 1 << 20);
    FILE *f = fopen(arena_printf(k->a, "%s/%s", k->st->dir, file), "r");
    if (f == NULL)
        return false;
    all[fread(all, 1, (1 << 20) - 1, f)] = '\0';
    fclose(f);
    return strstr(all, text) != NULL;
}
