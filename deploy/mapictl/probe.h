/* probe.h - what flows from step to step of mapictl probe. */
#ifndef MAPICTL_PROBE_H
#define MAPICTL_PROBE_H
#include "backend/base/filetime.h"
#include "deploy/mapictl/ctl.h"
#include "tests/client/nspic.h"
#include "tests/client/poxc.h"
#include "tests/client/steps.h"

/* PROBE_NONE: not for this run, and not shown. */
enum probe_outcome { PROBE_GOOD, PROBE_FAULT, PROBE_NONE };
enum probe_part { PROBE_DISCOVER, PROBE_MAILBOX, PROBE_BOOK, PROBE_OFFLINE, PROBE_CLOSE, PROBE_PARTS };

/* Class and subject of the message that the probe makes for itself; the subject ends with "-" and the second (Unix) in which the probe began. */
#define PROBE_CLASS   "IPM.Note.Mapictl.Probe"
#define PROBE_SUBJECT "mapictl probe "

struct probe {
    struct ctl   *c;
    struct arena *a;
    /* what was asked for */
    const char   *login, *address, *password;
    struct tls_options to;          /* server of --url, else of what was found */
    bool          given;            /* --url */
    bool          local;            /* the person is in the directory of this installation */
    struct person person;
    unsigned      timeout_ms, pause_ms;
    const char   *kill_dir;         /* --kill, NULL: nobody is killed */
    /* what is known by now */
    struct poxc_answer found;
    const char   *dn, *name;
    struct mapic  mail, book;       /* clients of the two endpoints; mail also asks Autodiscover */
    struct steps  s;
    bool          connected, bound;
    uint32_t      inbox, scratch, table, message;   /* handles */
    uint32_t      rows_read, rows;
    char          subject[64];
    uint64_t      stored;           /* id of the message that is in the mailbox now, 0: none that we know of */
    bool          may_have_stored;  /* a save was sent and its answer was not good */
    char          before[64], after[64];   /* workers before and after the pause */
    const char   *killed;
    /* verdicts */
    const char   *detail, *fault, *exception;  /* of the step under way */
    bool          hopeless, broken[PROBE_PARTS];
    const char   *error, *first_exception;
    json_t       *lines;
    filetime_t    start, end;
};

#define PROBE(fn, title, part) enum probe_outcome probe_##fn(struct probe *p);
#include "deploy/mapictl/probe.def"
#undef PROBE

/* probe_say.c: outcomes in words. */
enum probe_outcome probe_good(struct probe *p, const char *detail);
enum probe_outcome probe_fault(struct probe *p, const char *fault);
/* What a client's last answer says: connection, HTTP status, X-ResponseCode, or the error `ec` of its body.  `why`: of the client, may be NULL. */
enum probe_outcome probe_refused(struct probe *p, const struct mapic *client, uint32_t ec, const char *why);
/* The same for a step of the mailbox. */
enum probe_outcome probe_lost(struct probe *p, uint32_t ec);
void probe_line(struct probe *p, const char *step, const char *worker, double ms, const char *result);
int  probe_report(struct probe *p);

/* probe_place.c: http[s]://host[:port][/path]; false with *why.  `path` may be NULL. */
bool probe_url(struct arena *a, const char *url, struct tls_options *to, const char **path, const char **why);
/* Points a client at another server, without a connection, with a new deadline. */
void probe_aim(struct probe *p, struct mapic *client, const struct tls_options *to, const char *path);
/* A new deadline for a step. */
void probe_clock(struct probe *p);
#endif
