/* download.h - the offline address book over HTTP: GET and HEAD of the manifest and of files, whole or a part (MS-OXWOAB).
 *
 * A file is sent in pieces that are read when the socket has room (conn_answer_from), so that it lies in memory never and holds no thread. */
#ifndef FCGI_DOWNLOAD_H
#define FCGI_DOWNLOAD_H
#include "fcgi/conn.h"
#include "fcgi/respond.h"

/* Lives in the request's arena, as what it points to. */
struct download_job {
    struct session_env   *env;
    struct conn          *conn;
    struct arena         *a;
    const struct request *rq;
    const struct person  *who;
    struct respond        respond;     /* its reply is not looked at */
    /* Called once: the answer's HTTP status, the bytes that were sent, and what went wrong, or NULL.  Of a file when it has gone, by any thread. */
    void (*done)(void *ctx, int http, uint64_t out, const char *why);
    /* Before work that may log. */
    void (*name)(void *ctx);
    void *ctx;
    struct download       file;
    uint64_t              at, end, sent;
    int                   http;
};

/* Answers; `refused`: it is to be answered with this status and words instead, and nothing was done. */
struct download_refusal { int http; const char *words; };
bool download_answer(struct download_job *j, struct download_refusal *refused);
#endif
