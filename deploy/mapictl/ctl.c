/* ctl.c - opening what a command needs, and printing for people and for programs. */
#include "deploy/mapictl/ctl.h"
#include "backend/event/bell.h"
#include "backend/store/event.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

const char *ctl_option(const struct ctl *c, const char *name)
{
    for (size_t i = 0; i < c->options; i++)
        if (strcmp(c->option[i].name, name) == 0)
            return c->option[i].value;
    return NULL;
}

int ctl_fail(struct ctl *c, const char *what, const char *why)
{
    if (c->json) {
        json_t *o = json_pack("{s:s, s:s}", "error", why != NULL ? why : "failed", "what", what);
        json_dumpf(o, stdout, JSON_INDENT(2));
        putchar('\n');
        json_decref(o);
    } else
        fprintf(stderr, "mapictl: %s: %s\n", what, why != NULL ? why : "failed");
    return CTL_FAILED;
}

int ctl_ec(struct ctl *c, const char *what, ec_t ec)
{
    static const struct { ec_t ec; const char *words; } words[] = {
        { ecUnknownUser, "no such user" }, { ecCollidingNames, "exists already" }, { ecNotFound, "not found" },
        { ecInvalidParameter, "not a valid name or value" }, { ecDiskError, "the database cannot be read or written" },
        { ecServerBusy, "busy; try again" }, { ecBadVersion, "made by a newer version of the program" },
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (words[i].ec == ec)
            return ctl_fail(c, what, words[i].words);
    return ctl_fail(c, what, err_name(ec));
}

int ctl_usage(struct ctl *c)
{
    fprintf(stderr, "usage: mapictl %s %s\n", c->command->words, c->command->arguments);
    return CTL_USAGE;
}

static void close_directory(void *p) { directory_close(p); }
static void close_store(void *p) { store_free(p); }
static void close_session(void *p) { session_env_free(p); }

struct directory *ctl_directory(struct ctl *c)
{
    static struct directory *d;
    const char *why = NULL;
    if (d == NULL) {
        d = directory_open(c->config, c->a, &why);
        if (d == NULL)
            exit(ctl_fail(c, "directory", why));
        arena_defer(c->a, close_directory, d);
    }
    return d;
}

struct store *ctl_store(struct ctl *c)
{
    static struct store *s;
    const char *why = NULL;
    if (s == NULL) {
        mkdir(c->config->store, 0750);
        struct store_options o = { .driver = c->config->store_driver, .path = c->config->store, .pool_files = 8,
                                   .cache_kib = (unsigned)c->config->store_cache, .busy_ms = (unsigned)c->config->store_busy };
        s = store_new(&o, c->a, &why);
        if (s == NULL)
            exit(ctl_fail(c, "store", why));
        arena_defer(c->a, close_store, s);
    }
    return s;
}

struct session_env *ctl_session(struct ctl *c)
{
    static struct session_env *e;
    const char *why = NULL;
    if (e == NULL) {
        e = session_env_new(c->config, c->a, &why);
        if (e == NULL)
            exit(ctl_fail(c, "sessions", why));
        arena_defer(c->a, close_session, e);
    }
    return e;
}

static void print_value(const json_t *v)
{
    if (json_is_string(v))
        fputs(json_string_value(v), stdout);
    else if (json_is_integer(v))
        printf("%lld", (long long)json_integer_value(v));
    else if (json_is_real(v))
        printf("%.1f", json_real_value(v));
    else if (json_is_boolean(v))
        fputs(json_is_true(v) ? "yes" : "no", stdout);
    else
        fputs("-", stdout);
}

int ctl_show(struct ctl *c, json_t *object)
{
    const char *key;
    json_t     *v;
    if (c->json) {
        json_dumpf(object, stdout, JSON_INDENT(2));
        putchar('\n');
    } else
        json_object_foreach(object, key, v) {
            printf("%-22s ", key);
            print_value(v);
            putchar('\n');
        }
    json_decref(object);
    return CTL_OK;
}

static size_t next_column(const char **columns, char out[32])
{
    *columns += strspn(*columns, " ");
    size_t n = strcspn(*columns, " ");
    snprintf(out, 32, "%.*s", (int)n, *columns);
    *columns += n;
    return n;
}

int ctl_table(struct ctl *c, const char *columns, json_t *array)
{
    char    column[32];
    size_t  i;
    json_t *row;
    if (c->json) {
        json_dumpf(array, stdout, JSON_INDENT(2));
        putchar('\n');
        json_decref(array);
        return CTL_OK;
    }
    json_array_foreach(array, i, row) {
        const char *at = columns;
        for (bool first = true; next_column(&at, column) != 0; first = false) {
            if (!first)
                fputs("  ", stdout);
            print_value(json_object_get(row, column));
        }
        putchar('\n');
    }
    json_decref(array);
    return CTL_OK;
}

bool ctl_person(struct ctl *c, const char *login, struct person *out)
{
    ec_t ec = directory_by_login(ctl_directory(c), c->a, login, out);
    if (ec != ecNone)
        ctl_ec(c, login, ec);
    return ec == ecNone;
}

bool ctl_mailbox(struct ctl *c, const struct person *p, struct mailbox **out)
{
    static const struct actor system = { ACTOR_SYSTEM, "" };
    if (!p->has_mailbox) {
        ctl_fail(c, p->login, "has no mailbox");
        return false;
    }
    ec_t ec = mailbox_open(ctl_store(c), c->a, &p->mailbox, &system, out);
    if (ec != ecNone)
        ctl_ec(c, p->login, ec);
    return ec == ecNone;
}

static void close_redis(void *p) { redis_free(p); }

ec_t ctl_commit(struct ctl *c, struct mailbox *m)
{
    static struct redis *r;
    const char *why;
    uint64_t seq;
    bool rings = event_written(m, &seq);
    TRY(mailbox_commit(m));
    if (rings && r == NULL && redis_config_check(c->config, c->a, &why)) {
        r = redis_new(c->config);
        arena_defer(c->a, close_redis, r);
    }
    if (rings && r != NULL)
        bell_ring(r, c->config, &mailbox_info(m)->id, seq);
    return ecNone;
}

static char *ask(struct ctl *c, const char *prompt)
{
    char line[1024];
    struct termios was, quiet;
    bool terminal = tcgetattr(STDIN_FILENO, &was) == 0;
    if (terminal) {
        fputs(prompt, stderr);
        quiet = was;
        quiet.c_lflag &= ~(tcflag_t)ECHO;
        tcsetattr(STDIN_FILENO, TCSANOW, &quiet);
    }
    char *got = fgets(line, sizeof line, stdin);
    if (terminal) {
        tcsetattr(STDIN_FILENO, TCSANOW, &was);
        fputc('\n', stderr);
    }
    if (got == NULL)
        return NULL;
    line[strcspn(line, "\r\n")] = '\0';
    return arena_strdup(c->a, line);
}

const char *ctl_password(struct ctl *c)
{
    bool stdin_given = ctl_option(c, "--password-stdin") != NULL;
    if (!stdin_given && !isatty(STDIN_FILENO)) {
        ctl_fail(c, "password", "no terminal to ask on; use --password-stdin");
        return NULL;
    }
    char *p = ask(c, "Password: ");
    if (p == NULL || *p == '\0') {
        ctl_fail(c, "password", "empty");
        return NULL;
    }
    return p;
}
