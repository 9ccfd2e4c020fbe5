/* sqlite.h - what the files of the SQLite driver share. Nobody else includes this. */
#ifndef STORE_SQLITE_SQLITE_H
#define STORE_SQLITE_SQLITE_H
#include "backend/store/db.h"
#include <sqlite3.h>
#include <sys/types.h>

enum { SQLITE_FILE = 4096 };

/* Statements that every transaction needs, prepared once. */
enum sqlite_fixed { FIXED_BEGIN, FIXED_READ, FIXED_COMMIT, FIXED_ROLLBACK, FIXED_SAVEPOINT, FIXED_RELEASE, FIXED_ROLLBACK_TO, FIXED_VERSION, FIXED_COUNT };

struct sqlite {
    sqlite3 *db;
    sqlite3_stmt *fixed[FIXED_COUNT];
    char     path[SQLITE_FILE];
    dev_t    dev;               /* of the file when it was opened */
    ino_t    ino;
};

/* The protocol's error for a result code; logs what is not success.  `what` names the statement. */
ec_t sqlite_error(struct sqlite *c, int rc, const char *what);

/* file.c */
bool sqlite_usable(const char *dir, const char **why);
bool sqlite_path(char out[SQLITE_FILE], const char *dir, const struct guid *id); /* false: too long */
ec_t sqlite_touch(const char *path);                                            /* makes an empty file and its directory */
ec_t sqlite_remove(const char *dir, const struct guid *id);
uint64_t sqlite_stamp(const char *dir, const struct guid *id);
#endif
