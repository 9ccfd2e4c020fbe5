/* ctl.h - what every command of mapictl gets: arguments taken apart, configuration, and one way to print for people and for programs.
 *
 * Exit codes: 0 done; 1 the thing asked for could not be done (message on stderr); 2 wrong usage; 3 the check or probe found a fault. */
#ifndef MAPICTL_CTL_H
#define MAPICTL_CTL_H
#include "backend/directory/directory.h"
#include "backend/store/store.h"
#include "session/session.h"
#include <jansson.h>

enum { CTL_OK = 0, CTL_FAILED = 1, CTL_USAGE = 2, CTL_FAULT = 3 };

struct ctl {
    struct arena  *a;
    const char    *config_path;
    struct config *config;
    bool           json;
    int            argc;              /* plain arguments behind the command words */
    char         **argv;
    struct { const char *name, *value; } option[64];   /* --name value; one may stand several times */
    size_t         options;
    const struct command *command;
};

struct command { int (*run)(struct ctl *); const char *words, *arguments, *help; };

/* Value of an option ("" for one without value), or NULL. */
const char *ctl_option(const struct ctl *c, const char *name);

/* Opens on first use; on failure prints why and leaves with CTL_FAILED. */
struct directory   *ctl_directory(struct ctl *c);
struct store       *ctl_store(struct ctl *c);
struct session_env *ctl_session(struct ctl *c);

/* "mapictl: what: why" on stderr, or {"error": ...} with --json; returns CTL_FAILED. */
int ctl_fail(struct ctl *c, const char *what, const char *why);
int ctl_ec(struct ctl *c, const char *what, ec_t ec);
/* For JSON: what is not UTF-8 has question marks.  In the arena. */
const char *ctl_text(struct ctl *c, const char *s);
int ctl_usage(struct ctl *c);

/* Prints an object or an array of objects: as JSON, or as "key: value" lines / a table of these columns (their names, blank-separated), which are aligned; "-" is
 * what is empty; on a terminal the names stand above.  Takes the reference. */
int ctl_show(struct ctl *c, json_t *object);
int ctl_table(struct ctl *c, const char *columns, json_t *array);

/* The user named by an argument; prints why and returns false if there is none. */
bool ctl_person(struct ctl *c, const char *login, struct person *out);
/* A lease as the system. */
bool ctl_mailbox(struct ctl *c, const struct person *p, struct mailbox **out);
/* Commits, and rings for those who wait for this mailbox; without Redis they see it a little later. */
ec_t ctl_commit(struct ctl *c, struct mailbox *m);
/* From standard input (--password-stdin) or the terminal without echo; NULL with a message. */
const char *ctl_password(struct ctl *c);

#define COMMAND(fn, words, args, help) int cmd_##fn(struct ctl *c);
#include "deploy/mapictl/command.def"
#undef COMMAND
#endif
