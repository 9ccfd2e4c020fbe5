/* http.h - the HTTP/1.1 that a MAPI client speaks: one connection, one request at a time, chunked answers seen chunk by chunk. */
#ifndef CLIENT_HTTP_H
#define CLIENT_HTTP_H
#include "backend/base/tls.h"

struct http_header { const char *name, *value; };

struct http_reply {
    int          status;
    struct http_header *header; size_t headers, cap;
    bool         chunked;
    int64_t      content_length;        /* -1: none */
    size_t       chunks;                /* data chunks seen */
    struct blob  body;                  /* de-chunked */
    bool         keep;                  /* the connection may be used again */
};

/* First value of a header (name compared without case), or NULL. */
const char *http_header(const struct http_reply *r, const char *name);

/* Reads one whole reply.  False with *why on a lost connection or malformed bytes.  `chunk` (may be NULL) is called as each chunk, or each piece
 * of an unchunked body, arrives: tests see when PENDING came. */
typedef void (*http_piece)(void *ctx, struct blob piece);
bool http_read(struct tls *t, struct arena *a, struct http_reply *out, http_piece piece, void *ctx, const char **why);
/* The answer to a HEAD: no body follows, whatever its length says. */
bool http_read_head(struct tls *t, struct arena *a, struct http_reply *out, const char **why);
#endif
