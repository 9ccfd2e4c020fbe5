/* schema.h - the version of a mailbox's tables: made, brought up to date, or refused. */
#ifndef STORE_SCHEMA_H
#define STORE_SCHEMA_H
#include "backend/store/db.h"

/* The statements that lead from version i (counting from 0) to i + 1. */
struct schema_step { const char *name, *sql; };

/* What this program writes. */
int64_t schema_version(void);

/* Makes the tables in the open transaction; ecCollidingNames if there are some. */
ec_t schema_create(struct db *db);

/* Brings an older schema up to date in one transaction.  ecNotFound: no schema (the mailbox was never finished);
 * ecBadVersion: newer than this program, logged with both versions. */
ec_t schema_migrate(struct db *db);
/* The same along any steps (tests). */
ec_t schema_migrate_by(struct db *db, const struct schema_step *step, int64_t n);
#endif
