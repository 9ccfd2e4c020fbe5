/* serve.h - one request from its parameters to its answer: who, may it, what, and the words back. */
#ifndef FCGI_SERVE_H
#define FCGI_SERVE_H
#include "fcgi/auth.h"
#include "fcgi/conn.h"
#include "session/session.h"

#define SERVE_VERSION "0.1"

/* `config` is what is in force; each request keeps what it found there when it began. */
struct server { struct session_env *env; struct auth_env auth; struct front *front; const struct config *_Atomic config; };

/* The `serve` of struct conn_service; app is a struct server. */
void serve_request(void *app, struct conn *c, struct arena *a, char **params, struct blob body, bool too_large);
#endif
