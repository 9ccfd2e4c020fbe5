/* probe.h - a probe on its way: what its steps share, and how each tells what happened. */
#ifndef MAPICTL_PROBE_H
#define MAPICTL_PROBE_H
#include "deploy/mapictl/ctl.h"
#include "tests/client/steps.h"

struct probe {
    struct ctl    *c;
    const char    *login, *dn;       /* dn: of the local directory, or as Autodiscover says */
    struct mapic   client;
    struct steps   s;
    uint32_t       inbox, drafts, table, message;
    uint64_t       mid;
    char           subject[64];
    const char    *killed;           /* worker that was killed, NULL: none */
    json_t        *lines;
    uint64_t       step_started;
    const char    *error, *exception;/* of the step that failed */
};

/* A step begins; it is told, with its time: ecNone, an error of the server, or STEP_LOST (p->s.why).  False: it failed, and the probe ends. */
void probe_begin(struct probe *p);
bool probe_told(struct probe *p, const char *what, uint32_t ec, const char *detail);
/* A failure that is none of the session's: `why` in words. */
bool probe_failed(struct probe *p, const char *what, const char *why);

/* probe_find.c: Autodiscover, which names DN and mailbox; probe_wait.c: a NotificationWait that an event of our own ends, a pause, another worker; probe_book.c. */
bool probe_discover(struct probe *p);
bool probe_wait(struct probe *p);
bool probe_pause(struct probe *p);
bool probe_book(struct probe *p);
#endif
