/* download.c - what a path names, in the part that was asked for, to the connection. */
#include "fcgi/download.h"
#include "backend/base/fault.h"
#include "backend/base/log.h"
#include "backend/base/metric.h"

/* --- pieces -------------------------------------------------------------------------------------------------------- */

static bool more(void *job, struct arena *a, struct blob *out)
{
    struct download_job *j = job;
    uint64_t n = j->end - j->at < CONN_PIECE_MOST ? j->end - j->at : CONN_PIECE_MOST;
    if (n == 0)
        return true;
    j->name(j->ctx);
    ec_t ec = session_download_read(j->env, a, &j->file, j->at, (size_t)n, out);
    log_context_clear();
    fault_point(FAULT_download_piece);
    if (ec != ecNone)
        return false;
    j->at += n;
    j->sent += n;
    metric_add(METRIC_oab_bytes, (int64_t)n);
    return true;
}

static void ended(void *job, bool whole)
{
    struct download_job *j = job;
    metric_add(whole ? METRIC_oab_downloads : METRIC_oab_broken, 1);
    j->done(j->ctx, j->http, j->sent, whole ? NULL : "the transfer broke off");
}

/* --- the answer ---------------------------------------------------------------------------------------------------- */

static const char *etag_of(struct arena *a, const uint8_t sha1[20])
{
    const char *hex = "";
    for (size_t i = 0; i < 20; i++)
        hex = arena_printf(a, "%s%02x", hex, sha1[i]);
    return arena_printf(a, "\"%s\"", hex);
}

/* All of it at once: heads, and the manifest. */
static void answer_whole(struct download_job *j, struct blob head, struct blob text)
{
    const struct blob piece[2] = { head, text };
    if (j->file.whole)
        metric_add(METRIC_oab_manifests, text.n != 0);
    j->done(j->ctx, j->http, text.n, NULL);
    conn_answer(j->conn, piece, 2);
}

static void send_part(struct download_job *j)
{
    const char *etag = etag_of(j->a, j->file.sha1);
    time_t modified = (time_t)(j->file.made / 1000);
    const struct range_part part = range_decide(j->rq, &(struct range_file){ j->file.size, etag, modified });
    const struct respond_file f = { part, j->file.size, j->file.type, etag, modified, j->file.whole };
    struct wr w = wr_in(j->a, 4 * RESPOND_HEAD_MOST); /* a proof of Negotiate can be long */
    bool head_only = strcmp(j->rq->method, "HEAD") == 0;
    respond_file(&j->respond, &f, &w);
    j->http = part.status;
    j->at = part.first;
    j->end = part.first + part.n;
    if (head_only || part.n == 0)
        answer_whole(j, wr_blob(&w), blob_of(NULL, 0));
    else if (j->file.whole)
        answer_whole(j, wr_blob(&w), blob_of(j->file.text.p + part.first, (size_t)part.n));
    else
        conn_answer_from(j->conn, wr_blob(&w), &(struct conn_source){ more, ended, j });
}

static bool refuse(struct download_refusal *r, int http, const char *words)
{
    *r = (struct download_refusal){ http, words };
    return false;
}

bool download_answer(struct download_job *j, struct download_refusal *refused)
{
    struct download_call c = { .a = j->a, .who = j->who, .path = j->rq->path, .external = j->rq->external };
    if (j->rq->method == NULL || (strcmp(j->rq->method, "GET") != 0 && strcmp(j->rq->method, "HEAD") != 0))
        return refuse(refused, 405, "Files can be read only.");
    switch (session_download(j->env, &c, &j->file)) {
    case DOWNLOAD_NONE: return refuse(refused, 404, "There is no such file.");
    case DOWNLOAD_OFF:  return refuse(refused, 403, "The address book cannot be had for this mailbox from here.");
    case DOWNLOAD_DOWN: return refuse(refused, 503, "The address book cannot be read now.");
    case DOWNLOAD_FOUND: break;
    }
    send_part(j);
    return true;
}
