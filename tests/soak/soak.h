/* soak.h - exactly once, for as long as one likes: seeded clients work on their mailboxes while workers, Redis and connections are killed under them.
 *
 * Each client has a mailbox and keeps a model of it from the answers that it got; a request that was not answered is sent again, as it was, until it is.
 * The seed decides what each client does, to whom it sends, and what is killed when; how it interleaves is the machine's, so a seed repeats a
 * schedule, not every race.  At the end mailbox and model must be the same, the consistency check must find nothing, nothing may be left in the
 * staging area, and every session must still work. */
#ifndef SOAK_SOAK_H
#define SOAK_SOAK_H
#include "backend/base/redis.h"
#include "tests/client/mapic.h"
#include "tests/flow/stack.h"
#include <pthread.h>
#include <stdatomic.h>

struct soak_options {
    unsigned seed;
    unsigned clients;            /* 1..SOAK_CLIENTS */
    unsigned actions;            /* of each client */
};
enum { SOAK_CLIENTS = 8 };

/* What happened in a run; all zero faults would be a soak that shows nothing. */
struct soak_counts { atomic_uint requests, repeats, kills, stops, terms, redis_kills, redis_cuts, hang_ups, answers_lost, refused, shut_out, lost; };

/* Runs one seed to its end.  The number of faults found, each printed with the seed. */
unsigned soak_run(const struct soak_options *o, struct soak_counts *counts);

/* --- the model (model.c) -------------------------------------------------------------------------------------------- */
enum { SOAK_FOLDERS = 4, SOAK_MESSAGES = 24, SOAK_NAME = 24 };

struct soak_message {
    char     name[SOAK_NAME];    /* its subject; one per folder */
    uint64_t mid;                /* 0: made by a copy or move and not looked up yet */
    unsigned revision;           /* grows with each change */
    uint32_t body;               /* characters; their text follows from name and revision of the write */
    unsigned body_revision;
    bool     read;
};

struct soak_folder {
    bool     there;
    char     name[SOAK_NAME];
    uint64_t fid;                /* as on the wire; 0: not known yet */
    struct soak_message message[SOAK_MESSAGES];
    size_t   n;
};

struct soak_model { struct soak_folder folder[SOAK_FOLDERS]; unsigned names; };

/* The text of a body: `n` characters. */
const char *model_text(struct arena *a, const struct soak_message *m);
struct soak_message *model_find(struct soak_folder *f, const char *name);
void model_add(struct soak_folder *f, const struct soak_message *m);
void model_remove(struct soak_folder *f, size_t at);

/* Is this what the mailbox holds?  NULL, or the first difference (in `a`). */
const char *model_differs(struct arena *a, struct store *store, const struct person *who, const struct soak_model *m);
/* Rows of the staging area. */
unsigned model_staged(struct arena *a, struct store *store, const struct person *who);

/* --- a client ------------------------------------------------------------------------------------------------------- */
struct soak;

struct soaker {
    struct soak  *soak;
    unsigned      number, dice;          /* dice: state of its random numbers */
    struct person who;
    char          password[SOAK_NAME], guid[GUID_TEXT + 16];
    struct arena *a;                     /* of one action */
    struct mapic  c;
    struct redis *redis;                 /* to cut connections */
    struct soak_model model;
    unsigned      requests, quiet;       /* quiet: no faults any more */
    uint64_t      ipm_subtree;
    uint32_t      logon, folder[SOAK_FOLDERS]; /* handles of the session; 0: not open */
    bool          on;                    /* there is a session */
};

unsigned soak_roll(struct soaker *k, unsigned below);
/* Tells a fault of the server; the run goes on. */
void soak_fault(struct soaker *k, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* One request until it is answered (request.c).  SOAK_LOST: the session is over (code 10, or refused as deadly); the caller connects anew. */
enum soak_end { SOAK_DONE, SOAK_LOST };
enum soak_end soak_request(struct soaker *k, const char *type, struct blob body, struct mapic_reply *reply);
/* The session of the cookies that the client has must have ended: code 10. */
void soak_is_over(struct soaker *k);
enum soak_end soak_execute(struct soaker *k, struct mapic_rops *r, struct mapic_result *out);

/* Actions (actions.c): connects if needed, does one thing, keeps the model. */
void soak_act(struct soaker *k);
bool soak_connect(struct soaker *k);     /* a session, logged on */
void soak_disconnect(struct soaker *k);
bool soak_look(struct soaker *k, size_t folder);

/* What a client may order of the main thread, which owns all processes (soak.c). */
void soak_arm(struct soaker *k, unsigned worker, const char *fault);
void soak_term(struct soaker *k, unsigned worker);
void soak_kill_redis(struct soaker *k);
/* May this session have been lost with a Redis that was killed?  Only where heads leave before their answers: a cookie of such a head cannot say that the
 * request has ended and changed nothing, and so nobody knows what a Redis that died before it heard of the end would have known.  Once per client and kill. */
bool soak_forgiven(struct soaker *k);
struct soak_counts *soak_counts(struct soaker *k);
unsigned soak_port(const struct soaker *k);
unsigned soak_workers(const struct soaker *k);
struct store *soak_store(const struct soaker *k);
#endif
