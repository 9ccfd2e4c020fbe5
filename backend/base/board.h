/* board.h - numbers that all workers of a host put side by side, in one directory.
 *
 * Each worker has two mapped files.  NAME.counters belongs to its place (the name of its socket): counters that a restarted worker goes on with, so that
 * their sum never falls.  NAME.PID.gauges belongs to the process, which holds a lock on it: what nobody holds is of a dead process, is not read, and is removed
 * by whoever finds it.  A file is a list of named series, added as they are first used, so that programs of different releases read each other's.
 * Numbers are changed by atomic additions, without a lock.  Other processes write these files: they are read with all care, and nothing in them is believed. */
#ifndef BASE_BOARD_H
#define BASE_BOARD_H
#include "backend/base/arena.h"
#include <stdatomic.h>

enum { BOARD_NAME = 160, BOARD_CELLS = 400 };
enum board_life { BOARD_COUNTER, BOARD_GAUGE };

/* Opens this process' two files, before threads are started.  False with *why: numbers stay in this process. */
bool board_open(const char *dir, const char *name, struct arena *a, const char **why);

/* Is there a directory that all share? */
bool board_shared(void);

/* `n` numbers under this name, made at 0 or found; valid as long as the process.  NULL: there is no room for more series. Thread-safe; not for each request:
 * the caller keeps the pointer. */
_Atomic uint64_t *board_series(enum board_life life, const char *name, size_t n);

/* All series of the living files of the host (this process', if they are not shared), those of the same name one after another.  `cells` are copies. */
void board_read(struct arena *a, void (*each)(void *ctx, const char *name, const uint64_t *cells, size_t n), void *ctx);
#endif
