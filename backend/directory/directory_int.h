/* directory_int.h - what the files of this room share: one database connection behind a mutex. */
#ifndef DIRECTORY_DIRECTORY_INT_H
#define DIRECTORY_DIRECTORY_INT_H
#include "backend/directory/directory.h"
#include <pthread.h>
#include <sqlite3.h>

enum { LOGIN_SLOTS = 4096, STATEMENTS_MAX = 160 };

/* A password that was verified: MAC over login, password and the stored hash, so that a new hash voids it. */
struct login_slot { uint8_t mac[32]; uint64_t expires_ms; };
/* The hash of a person whose password only a source outside knows; nothing hashes to it. */
#define LOGIN_NO_HASH "*"

struct directory {
    sqlite3           *db;
    pthread_mutex_t    lock;        /* of db and its statements; recursive */
    unsigned           tx;          /* depth of the transaction that the holder of the lock has open */
    struct { const char *sql; sqlite3_stmt *q; } statement[STATEMENTS_MAX]; /* prepared once; sql by address */
    const char        *organization, *default_domain;
    const struct config *config;
    uint8_t            key[32];     /* of this process, for the slots */
    pthread_mutex_t    slots_lock;
    struct login_slot *login;       /* LOGIN_SLOTS, a slot is chosen by its MAC */
    struct ldap_pool  *ldap;        /* login_ldap.c */
    const char        *path;
    struct book       *book;        /* book.c; NULL: nobody asked yet */
    struct policies   *policies;    /* the snapshot of policy.c, under `lock`; NULL: not taken yet */
};

/* A statement, under the lock; NULL (logged) on failure.  End with q_end, which unlocks.  `sql` is a literal: it is prepared once and found again by
 * its address. */
sqlite3_stmt *q_prepared(struct directory *d, const char *sql);   /* by who holds the lock already; NULL (not logged); ends with sqlite3_reset */
sqlite3_stmt *q_begin(struct directory *d, const char *sql);
void q_text(sqlite3_stmt *q, int i, const char *s);
/* Is there a (further) row?  ecDiskError, logged: it cannot be told. */
ec_t q_row(sqlite3_stmt *q, bool *row);
/* Runs to the end: ecNone, ecCollidingNames for a violated uniqueness, ecDiskError; ends the statement. */
ec_t q_done(struct directory *d, sqlite3_stmt *q);
void q_end(struct directory *d, sqlite3_stmt *q);

/* tx.c: a transaction; this thread has the directory until tx_end, which commits for ecNone and else rolls back, and gives its argument or ecDiskError.  One
 * inside another is a part of it that can fail alone. */
ec_t tx_begin(struct directory *d);
ec_t tx_end(struct directory *d, ec_t ec);
/* A second connection to the same database, with statements and lock of its own, for questions only; NULL, logged.  End with reader_close. */
struct directory *reader_open(struct directory *d);
void reader_close(struct directory *r);
void book_close(struct book *b);        /* book.c */
/* entry_word.c: makes the words of all objects if this program makes others than the one that made them. */
ec_t entry_words_refresh(struct directory *d);

/* policy.c: takes the snapshot now if the database says that it changed; under the lock.  NULL: it cannot be read. */
struct policies *policies_now(struct directory *d);
void policies_free(struct directory *d);
/* Name of the organization to which an address belongs, in the arena. */
const char *policy_organization(struct directory *d, struct arena *a, const char *address);

/* Canonical login in the arena: "DOMAIN\user" and bare names get the default domain, lower case.  NULL if it cannot be a name. */
const char *login_canonical(const struct directory *d, struct arena *a, const char *name);

/* The person of a canonical login with the stored password hash. */
ec_t person_with_hash(struct directory *d, struct arena *a, const char *login, struct person *out, const char **hash);
#endif
