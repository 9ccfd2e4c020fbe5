/* status.h - /status: sessions, waits and rates for administrators, as plain HTML that needs no script; and the button that ends a session.
 *
 * Who may see it: whom authentication knows (as for any request: over TLS), and whose login stands in the key `admins`.  nginx decides from where.  A change
 * needs a POST with a token that this page gave to this very administrator for this very session, so that no other page can make a browser send it. */
#ifndef FCGI_STATUS_H
#define FCGI_STATUS_H
#include "fcgi/conn.h"
#include "fcgi/request.h"
#include "session/session.h"

/* Is this one of our paths? */
bool status_path(const char *path);

struct status_answer { int http; const char *head; struct blob html; };   /* head: further lines, each with its end */

/* `rq` of `who`. */
struct status_answer status_answer(struct session_env *e, struct front *f, struct arena *a, const struct person *who, const struct request *rq);

/* --- status_page.c: the page from what is known ----------------------------------------------------------------------- */
struct history_sum;
struct status_view {
    const char *version, *worker, *admin;
    bool        draining;
    int64_t     now_ms;                    /* since 1970 */
    bool        reachable;                 /* Redis told of the sessions */
    const struct session_info *session;    /* those of this page, by user */
    size_t      sessions;
    const char *const *mailbox;            /* name of each one's mailbox */
    const char *const *token;              /* for ending it */
    size_t      all, users, waits;         /* of all sessions that match the filter */
    size_t      page, pages;               /* from 1 */
    const char *filter;                    /* part of a user name, "" none */
    const char *ended;                     /* digest of a session that was just ended, or NULL */
    const char *failed;                    /* why it was not, or NULL */
    uint64_t    workers, waits_here, connections;   /* of this host */
    const struct history_sum *hour;        /* HISTORY_MINUTES */
};
struct blob status_page(struct arena *a, const struct status_view *v);

/* The Content-Security-Policy under which the page works. */
const char *status_policy(struct arena *a);
#endif
