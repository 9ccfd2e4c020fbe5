/* request.c - "NAME=value" strings become fields. */
#include "fcgi/request.h"
#include "backend/base/filetime.h"
#include <stddef.h>
#include <strings.h>

static const struct param { const char *name; size_t length, at; } known[] = {
#define PARAM(field, name) { name, sizeof(name) - 1, offsetof(struct request, field) },
#include "fcgi/request.def"
#undef PARAM
};

static void read_param(struct request *rq, const char *param)
{
    const char *equals = strchr(param, '=');
    if (equals == NULL)
        return;
    size_t length = (size_t)(equals - param);
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (known[i].length != length || memcmp(known[i].name, param, length) != 0)
            continue;
        const char **field = (const char **)((char *)rq + known[i].at);
        if (*field != NULL)
            rq->repeated = true;
        else
            *field = equals + 1;
        return;
    }
}

void request_keep(struct request *rq, struct arena *a)
{
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        const char **field = (const char **)((char *)rq + known[i].at);
        if (*field != NULL)
            *field = arena_strdup(a, *field);
    }
}

static bool blank(char c) { return c == ' ' || c == '\t'; }

static const char *cookie_value(struct arena *a, const char *from, const char *end)
{
    while (from < end && blank(*from))
        from++;
    while (end > from && blank(end[-1]))
        end--;
    if (end - from >= 2 && *from == '"' && end[-1] == '"')
        from++, end--;
    return arena_str(a, blob_of(from, (size_t)(end - from)));
}

const char *request_cookie(struct arena *a, const char *cookies, const char *name)
{
    size_t length = strlen(name);
    for (const char *p = cookies; p != NULL && *p != '\0'; ) {
        while (blank(*p) || *p == ';')
            p++;
        const char *end = p + strcspn(p, ";");
        if (strncmp(p, name, length) == 0 && p[length] == '=')
            return cookie_value(a, p + length + 1, end);
        p = end;
    }
    return NULL;
}

bool request_same_word(const char *a, const char *b)
{
    return a != NULL && b != NULL && strcasecmp(a, b) == 0;
}

/* nginx passes these two also when the client did not send them. */
static const char *sent(const char *value) { return value != NULL && *value != '\0' ? value : NULL; }

void request_read(struct request *rq, struct arena *a, char *const *params)
{
    for (; *params != NULL; params++)
        read_param(rq, *params);
    rq->content_type = sent(rq->content_type);
    rq->content_length = sent(rq->content_length);
    rq->context_cookie = request_cookie(a, rq->cookie, REQUEST_CONTEXT_COOKIE);
    rq->sequence_cookie = request_cookie(a, rq->cookie, REQUEST_SEQUENCE_COOKIE);
    rq->tls = request_same_word(rq->https, "on");
    rq->external = !request_same_word(rq->side, "internal");
    rq->begun_us = clock_us();
    rq->begun = time(NULL);
}
