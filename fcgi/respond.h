/* respond.h - what the client gets: the head, and behind it the inner stream of MS-OXCMAPIHTTP 2.2.2.2 and 3.2.5.2
 * (PROCESSING, PENDING, DONE, additional headers, body), or the words of a failure.
 *
 * Pure functions: they write what they are told to a builder.  A whole answer is respond_whole and the body; one whose head has gone out before
 * is respond_early (timer thread), then respond_rest and the body. */
#ifndef FCGI_RESPOND_H
#define FCGI_RESPOND_H
#include "fcgi/range.h"
#include "fcgi/request.h"
#include "fcgi/route.h"
#include "backend/base/wr.h"

#define RESPOND_SERVER_APPLICATION "Exchange/15.20.4000.001"

enum { RESPOND_HEAD_MOST = 4096 };

struct respond {
    const struct config        *config;
    const struct request       *rq;
    const struct endpoint      *endpoint;  /* NULL: not found */
    bool                        chunked;   /* no Content-Length: nginx sends it in chunks */
    const struct session_reply *reply;
    uint64_t                    now_us;    /* for X-ElapsedTime */
    const char                 *challenge; /* lines of a 401; NULL: Basic */
    const char                 *greeting;  /* a line of the head of any other answer (the server's proof of Negotiate), or NULL */
};

/* Head with code 0 and PROCESSING, to be flushed at once. */
void respond_early(const struct respond *r, struct wr *w);

/* What follows the body-less part: the reply's body, or for a failure the text/html page, in `a`. */
struct blob respond_body(const struct respond *r, struct arena *a);

/* Head and inner stream up to the body. */
void respond_whole(const struct respond *r, struct blob body, struct wr *w);

/* DONE and additional headers, with the code of a failure that came after the head. */
void respond_rest(const struct respond *r, struct wr *w);

/* Answers other than 200: 401 (with the schemes that are offered), 503 ... `words` is the page's text. */
void respond_status(const struct respond *r, int status, const char *words, struct wr *w);

/* A page of our own; `more`: further lines of the head, each with its end. */
void respond_html(int status, const char *more, struct blob html, struct wr *w);

/* Head of a file, or of a part of it, or why nothing of it follows (range.h). */
struct respond_file {
    struct range_part part;
    uint64_t    size;
    const char *type, *etag;
    time_t      modified;              /* 0: not told */
    bool        changes;               /* the same path has other bytes one day: caches ask before they use it again */
};
void respond_file(const struct respond *r, const struct respond_file *f, struct wr *w);

/* A text of our own (health, metrics): no headers of the protocol. */
void respond_text(int status, const char *content_type, struct blob text, struct wr *w);
#endif
