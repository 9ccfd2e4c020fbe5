/* redis_server.h - a redis-server of its own for a test: on a free unix socket in a temporary directory, stopped by its pid. */
#ifndef TESTS_REDIS_SERVER_H
#define TESTS_REDIS_SERVER_H
#include <stdbool.h>
#include <sys/types.h>

struct redis_server { char dir[80], socket[100]; pid_t pid; };

/* Starts it and waits until it answers; it dies with this process.  Appends every write to its file, so that a kill loses nothing. */
bool redis_server_start(struct redis_server *s, const char *dir);
/* SIGKILL; start again with the same struct to have the same data. */
void redis_server_kill(struct redis_server *s);
#endif
