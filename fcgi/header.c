/* header.c - verb, path, required headers, their syntax, request type, size: the first that fails names the X-ResponseCode. */
#include "fcgi/header.h"
#include "backend/base/guid.h"

bool header_plain(const char *value)
{
    size_t n = 0;
    for (const char *p = value; *p != '\0'; p++, n++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            return false;
    return n <= HEADER_MOST;
}

bool header_request_id(const char *value)
{
    char guid[GUID_TEXT];
    struct guid ignored;
    size_t skip = value[0] == '{', n = 0;
    while (n < GUID_TEXT - 1 && value[skip + n] != '\0') {
        guid[n] = value[skip + n];
        n++;
    }
    guid[n] = '\0';
    bool closed = skip == 0 || (n == GUID_TEXT - 1 && value[skip + n] == '}');
    return closed && guid_parse(guid, &ignored) && header_plain(value);
}

/* A body announces its length, or comes in chunks (MS-OXCMAPIHTTP 2.2.3.2.1). */
static bool has_length(const struct request *rq)
{
    return rq->content_length != NULL || request_same_word(rq->transfer_encoding, "chunked");
}

static const char *missing(const struct request *rq)
{
    return rq->host == NULL         ? "Host is missing"
         : !has_length(rq)          ? "Content-Length is missing"
         : rq->content_type == NULL ? "Content-Type is missing"
         : rq->type == NULL         ? "X-RequestType is missing"
         : rq->id == NULL           ? "X-RequestId is missing"
                                    : NULL;
}

static bool all_digits(const char *s)
{
    return *s != '\0' && strspn(s, "0123456789") == strlen(s);
}

static const char *malformed(const struct request *rq)
{
    return rq->repeated                                              ? "a header was sent twice"
         : rq->content_length != NULL && !all_digits(rq->content_length) ? "Content-Length is no number"
         : !header_request_id(rq->id)                                ? "X-RequestId does not begin with a GUID"
         : !header_plain(rq->type)                                   ? "X-RequestType cannot be read"
         : rq->client_info != NULL && !header_plain(rq->client_info) ? "X-ClientInfo cannot be read"
         : rq->client_app != NULL && !header_plain(rq->client_app)   ? "X-ClientApplication cannot be read"
                                                                     : NULL;
}

static bool longer(const char *digits, uint64_t most)
{
    uint64_t v = 0;
    for (; *digits != '\0' && v <= most; digits++)
        v = v * 10 + (uint64_t)(*digits - '0');
    return v > most;
}

static bool too_large(const struct request *rq, uint64_t most)
{
    return rq->too_large || (rq->content_length != NULL && longer(rq->content_length, most));
}

enum xrc header_check(const struct request *rq, uint64_t request_max, struct arena *a, const struct endpoint **endpoint, const struct route **route,
                      const char **why)
{
    *endpoint = route_endpoint(rq->path);
    *route = NULL;
    if (rq->method == NULL || strcmp(rq->method, "POST") != 0)
        return XRC_INVALID_VERB;
    if (*endpoint == NULL)
        return XRC_INVALID_PATH;
    if ((*why = missing(rq)) != NULL)
        return XRC_MISSING_HEADER;
    if ((*why = malformed(rq)) != NULL)
        return XRC_INVALID_HEADER;
    *route = route_find(*endpoint, rq->type);
    if (*route == NULL)
        return XRC_INVALID_REQUEST_TYPE;
    if (too_large(rq, request_max)) {
        *why = arena_printf(a, "a request body has at most %llu bytes here", (unsigned long long)request_max);
        return XRC_TOO_LARGE;
    }
    return XRC_SUCCESS;
}
