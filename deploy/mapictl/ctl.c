/* ctl.c - opening what a command needs, and printing for people and for programs. */
#include "deploy/mapictl/ctl.h"
#include "backend/base/utf.h"
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

const char *ctl_text(struct ctl *c, const char *s)
{
    char *out = arena_strdup(c->a, s);
    if (!utf8_valid(blob_str(s)))
        for (char *p = out; *p != '\0'; p++)
            *p = (unsigned char)*p >= 0x80 ? '?' : *p;
    return out;
}

int ctl_fail(struct ctl *c, const char *what, const char *why)
{
    if (c->json) {
        json_t *o = json_pack("{s:s, s:s}", "error", ctl_text(c, why != NULL ? why : "failed"), "what", ctl_text(c, what));
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

static const char *value_text(struct ctl *c, const json_t *v)
{
    if (json_is_string(v))
        return json_string_value(v);
    if (json_is_integer(v))
        return arena_printf(c->a, "%lld", (long long)json_integer_value(v));
    if (json_is_real(v))
        return arena_printf(c->a, "%.1f", json_real_value(v));
    return !json_is_boolean(v) ? "-" : json_is_true(v) ? "yes" : "no";
}

int ctl_show(struct ctl *c, json_t *object)
{
    const char *key;
    json_t     *v;
    if (c->json) {
        json_dumpf(object, stdout, JSON_INDENT(2));
        putchar('\n');
    } else
        json_object_foreach(object, key, v)
            printf("%-22s %s\n", key, value_text(c, v));
    json_decref(object);
    return CTL_OK;
}

enum { COLUMNS_MAX = 20, WIDTH_MAX = 48 };

static size_t columns_of(struct ctl *c, const char *words, const char *out[COLUMNS_MAX])
{
    size_t n = 0;
    for (words += strspn(words, " "); *words != '\0' && n < COLUMNS_MAX; words += strcspn(words, " "), words += strspn(words, " "))
        out[n++] = arena_str(c->a, blob_of(words, strcspn(words, " ")));
    return n;
}

/* As many places as it takes on a terminal, nearly: letters, not bytes. */
static size_t width(const char *s)
{
    size_t n = 0;
    for (; *s != '\0'; s++)
        n += ((unsigned char)*s & 0xC0) != 0x80;
    return n;
}

static const char *cell(struct ctl *c, const json_t *row, const char *column)
{
    const char *s = value_text(c, json_object_get(row, column));
    return *s != '\0' ? s : "-";
}

/* Without a row: the names of the columns. */
static void print_row(struct ctl *c, const json_t *row, const char *const *column, size_t n, const size_t *wide)
{
    for (size_t k = 0; k < n; k++) {
        const char *s = row != NULL ? cell(c, row, column[k]) : column[k];
        size_t w = width(s);
        printf("%s%*s", s, k + 1 < n ? (int)(w < wide[k] ? wide[k] - w : 0) + 2 : 0, "");
    }
    putchar('\n');
}

int ctl_table(struct ctl *c, const char *columns, json_t *array)
{
    const char *column[COLUMNS_MAX];
    size_t  i, n = columns_of(c, columns, column), wide[COLUMNS_MAX] = { 0 };
    json_t *row;
    if (c->json) {
        json_dumpf(array, stdout, JSON_INDENT(2));
        putchar('\n');
        json_decref(array);
        return CTL_OK;
    }
    bool head = isatty(STDOUT_FILENO) && json_array_size(array) != 0; /* who reads by a program wants rows only */
    for (size_t k = 0; head && k < n; k++)
        wide[k] = strlen(column[k]);
    json_array_foreach(array, i, row)
        for (size_t k = 0; k < n; k++) {
            size_t w = width(cell(c, row, column[k]));
            wide[k] = w > wide[k] && w <= WIDTH_MAX ? w : wide[k];
        }
    if (head)
        print_row(c, NULL, column, n, wide);
    json_array_foreach(array, i, row)
        print_row(c, row, column, n, wide);
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
