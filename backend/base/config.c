/* config.c - the lines of the configuration file and the environment become one struct. */
#include "backend/base/config.h"
#include "backend/base/utf.h"
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MAX = 1 << 20, KEY_MAX = 64, VALUE_MAX = 1000 };

enum type { TYPE_STR, TYPE_NUM, TYPE_BOOL };

struct key {
    const char *name;
    enum type   type;
    size_t      at;              /* offset in struct config */
    const char *dflt, *unit, *text;
};

static const struct key keys[] = {
#define CONFIG(name, type, dflt, unit, text) { #name, TYPE_##type, offsetof(struct config, name), dflt, unit, text },
#include "backend/base/config.def"
#undef CONFIG
};
enum { KEYS = sizeof keys / sizeof keys[0] };

static const struct range { const char *name; uint64_t least, most; } ranges[] = {
#define CONFIG(name, type, dflt, unit, text)
#define CONFIG_RANGE(name, least, most) { #name, least, most },
#include "backend/base/config.def"
#undef CONFIG
};

static const struct choice { const char *name, *words; } choices[] = {
#define CONFIG(name, type, dflt, unit, text)
#define CONFIG_CHOICE(name, words) { #name, words },
#include "backend/base/config.def"
#undef CONFIG
};

static const char *const lives[] = {
#define CONFIG(name, type, dflt, unit, text)
#define CONFIG_LIVE(name) #name,
#include "backend/base/config.def"
#undef CONFIG
};

/* Where a value comes from, for the words of an error. */
struct source { struct arena *a; const char *path; unsigned line; const char **why; };

static bool refuse(const struct source *s, const char *key, const char *reason)
{
    const char *colon = key != NULL ? ": " : "";
    if (s->line != 0)
        *s->why = arena_printf(s->a, "%s:%u: %s%s%s", s->path, s->line, key != NULL ? key : "", colon, reason);
    else
        *s->why = arena_printf(s->a, "%s: %s%s%s", s->path, key != NULL ? key : "", colon, reason);
    return false;
}

static const struct key *find_key(struct blob name)
{
    for (size_t i = 0; i < KEYS; i++)
        if (blob_eq(name, blob_str(keys[i].name)))
            return &keys[i];
    return NULL;
}

static bool set_num(const struct source *s, const struct key *k, const char *value, uint64_t *out)
{
    uint64_t v = 0;
    if (*value == '\0')
        return refuse(s, k->name, "a number is expected");
    for (const char *p = value; *p != '\0'; p++) {
        unsigned digit = (unsigned)(*p - '0');
        if (digit > 9)
            return refuse(s, k->name, arena_printf(s->a, "\"%s\" is not a number (digits only, in %s)", value, k->unit));
        if (v > (UINT64_MAX - digit) / 10)
            return refuse(s, k->name, "the number is too large");
        v = v * 10 + digit;
    }
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++)
        if (strcmp(ranges[i].name, k->name) == 0 && (v < ranges[i].least || v > ranges[i].most))
            return refuse(s, k->name, arena_printf(s->a, "%" PRIu64 " is out of range: %" PRIu64 " to %" PRIu64 " %s", v, ranges[i].least,
                                                   ranges[i].most, k->unit));
    *out = v;
    return true;
}

static bool set_bool(const struct source *s, const struct key *k, const char *value, bool *out)
{
    *out = strcmp(value, "yes") == 0;
    if (*out || strcmp(value, "no") == 0)
        return true;
    return refuse(s, k->name, arena_printf(s->a, "\"%s\" is neither yes nor no", value));
}

static bool among(const char *words, const char *value)
{
    size_t n = strlen(value);
    for (const char *w = words; *w != '\0'; w += strcspn(w, " "), w += *w == ' ')
        if (strcspn(w, " ") == n && n != 0 && strncmp(w, value, n) == 0)
            return true;
    return false;
}

static bool set_str(const struct source *s, const struct key *k, const char *value, const char **out)
{
    for (size_t i = 0; i < sizeof choices / sizeof choices[0]; i++)
        if (strcmp(choices[i].name, k->name) == 0 && !among(choices[i].words, value))
            return refuse(s, k->name, arena_printf(s->a, "\"%s\" is not one of: %s", value, choices[i].words));
    if (strlen(value) > VALUE_MAX)
        return refuse(s, k->name, "the value is too long");
    *out = arena_strdup(s->a, value);
    return true;
}

static bool set(const struct source *s, struct config *c, const struct key *k, const char *value)
{
    void *at = (char *)c + k->at;
    switch (k->type) {
    case TYPE_NUM:  return set_num(s, k, value, at);
    case TYPE_BOOL: return set_bool(s, k, value, at);
    case TYPE_STR:  break;
    }
    return set_str(s, k, value, at);
}

/* --- the file ------------------------------------------------------------------------------------------------------ */

static bool blank(uint8_t c) { return c == ' ' || c == '\t' || c == '\r'; }

static struct blob trim(struct blob b)
{
    while (b.n != 0 && blank(b.p[0]))
        b = blob_of(b.p + 1, b.n - 1);
    while (b.n != 0 && blank(b.p[b.n - 1]))
        b.n--;
    return b;
}

/* Cuts `*rest` at the first `c`; false if there is none (then *head is all of it). */
static bool cut(struct blob *rest, uint8_t c, struct blob *head)
{
    const uint8_t *at = rest->n != 0 ? memchr(rest->p, c, rest->n) : NULL;
    *head = blob_of(rest->p, at != NULL ? (size_t)(at - rest->p) : rest->n);
    *rest = at != NULL ? blob_of(at + 1, rest->n - head->n - 1) : blob_of(NULL, 0);
    return at != NULL;
}

/* "text with \" and \\" and perhaps a comment behind it. */
static bool quoted_value(const struct source *s, const char *key, struct blob v, const char **out)
{
    char *text = arena_alloc(s->a, v.n);
    size_t n = 0, i = 1;
    for (; i < v.n && v.p[i] != '"'; i++) {
        if (v.p[i] == '\\' && i + 1 < v.n)
            i++;
        text[n++] = (char)v.p[i];
    }
    if (i >= v.n)
        return refuse(s, key, "the closing quote is missing");
    struct blob behind = trim(blob_of(v.p + i + 1, v.n - i - 1));
    if (behind.n != 0 && behind.p[0] != '#')
        return refuse(s, key, "text behind the closing quote");
    *out = text;
    return true;
}

/* A bare value ends where a blank and # begin a comment, so that passwords and colours may hold a #. */
static const char *bare_value(struct arena *a, struct blob v)
{
    for (size_t i = 1; i < v.n; i++)
        if (v.p[i] == '#' && blank(v.p[i - 1])) {
            v.n = i;
            break;
        }
    if (v.n != 0 && v.p[0] == '#')
        v.n = 0;
    return arena_str(a, trim(v));
}

static bool read_line(const struct source *s, struct config *c, struct blob line, bool seen[KEYS])
{
    line = trim(line);
    if (line.n == 0 || line.p[0] == '#')
        return true;
    struct blob value = line, name;
    bool has_value = cut(&value, '=', &name);
    name = trim(name);
    const char *key = arena_str(s->a, blob_of(name.p, name.n < KEY_MAX ? name.n : KEY_MAX));
    if (!has_value)
        return refuse(s, key, "expected \"key = value\"");
    const struct key *k = find_key(name);
    if (k == NULL)
        return refuse(s, key, "there is no such key");
    if (seen[k - keys])
        return refuse(s, key, "the key was given before");
    seen[k - keys] = true;
    value = trim(value);
    const char *text = NULL;
    if (value.n == 0 || value.p[0] != '"')
        text = bare_value(s->a, value);
    else if (!quoted_value(s, key, value, &text))
        return false;
    return set(s, c, k, text);
}

static bool read_lines(struct source *s, struct config *c, struct blob text)
{
    bool seen[KEYS] = { false };
    struct blob line;
    if (!utf8_valid(text) || memchr(text.p, 0, text.n) != NULL)
        return refuse(s, NULL, "this is not UTF-8 text");
    do {
        bool more = cut(&text, '\n', &line);
        s->line++;
        if (!read_line(s, c, line, seen))
            return false;
        if (!more)
            break;
    } while (true);
    return true;
}

static bool read_file(struct source *s, struct config *c)
{
    int fd = open(s->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return refuse(s, NULL, strerror(errno));
    struct stat st;
    size_t room = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size < FILE_MAX ? (size_t)st.st_size + 1 : FILE_MAX + 1, n = 0;
    uint8_t *p = arena_alloc(s->a, room);
    ssize_t got;
    while ((got = read(fd, p + n, room - n)) > 0)
        n += (size_t)got;
    int failed = got < 0 ? errno : 0;
    close(fd);
    if (failed != 0)
        return refuse(s, NULL, strerror(failed));
    if (n == room)
        return refuse(s, NULL, n > FILE_MAX ? "the file is too large for a configuration" : "the file changed while it was read");
    return n == 0 || read_lines(s, c, blob_of(p, n));
}

/* --- all of it ----------------------------------------------------------------------------------------------------- */

static const char *variable_of(struct arena *a, const struct key *k)
{
    char *name = arena_printf(a, "MAPIHTTPD_%s", k->name);
    for (char *p = name; *p != '\0'; p++)
        *p = (char)toupper((unsigned char)*p);
    return name;
}

static bool set_defaults(struct arena *a, struct config *c, const char **why)
{
    struct source s = { a, "default", 0, why };
    for (size_t i = 0; i < KEYS; i++)
        if (!set(&s, c, &keys[i], keys[i].dflt))
            return false;
    return true;
}

static bool read_environment(struct arena *a, struct config *c, const char **why)
{
    for (size_t i = 0; i < KEYS; i++) {
        struct source s = { a, variable_of(a, &keys[i]), 0, why };
        const char *value = getenv(s.path);
        if (value != NULL && !utf8_valid(blob_str(value)))
            return refuse(&s, NULL, "this is not UTF-8 text");
        if (value != NULL && !set(&s, c, &keys[i], value))
            return false;
    }
    return true;
}

struct config *config_load(struct arena *a, const char *path, const char **why)
{
    struct config *c = arena_one(a, struct config);
    struct source s = { a, path, 0, why };
    if (!set_defaults(a, c, why) || (path != NULL && !read_file(&s, c)) || !read_environment(a, c, why))
        return NULL;
    return c;
}

/* --- again, while it is in use ------------------------------------------------------------------------------------- */

static bool is_live(const struct key *k)
{
    for (size_t i = 0; i < sizeof lives / sizeof lives[0]; i++)
        if (strcmp(lives[i], k->name) == 0)
            return true;
    return false;
}

/* The value of `from` goes into `to`; its string stays where it is. */
static void copy_value(const struct key *k, struct config *to, const struct config *from)
{
    static const size_t size[] = { [TYPE_STR] = sizeof(const char *), [TYPE_NUM] = sizeof(uint64_t), [TYPE_BOOL] = sizeof(bool) };
    memcpy((char *)to + k->at, (const char *)from + k->at, size[k->type]);
}

struct config *config_reload(struct arena *a, const char *path, const struct config *now, void (*told)(void *ctx, const char *key, bool live), void *ctx,
                             const char **why)
{
    struct config *c = config_load(a, path, why);
    for (size_t i = 0; c != NULL && i < KEYS; i++) {
        const struct key *k = &keys[i];
        if (strcmp(config_text(a, c, k->name), config_text(a, now, k->name)) == 0)
            continue;
        told(ctx, k->name, is_live(k));
        if (!is_live(k))
            copy_value(k, c, now);
    }
    return c;
}

static bool needs_quotes(const char *value)
{
    return *value == '\0' || strpbrk(value, " \t#\"\\") != NULL;
}

void config_print(FILE *out)
{
    fputs("# Configuration of mapihttpd.  `key = value`; # begins a comment; a value with blanks stands in quotes.\n"
          "# What is written here are the defaults.  A key x_y is also the environment variable MAPIHTTPD_X_Y, which wins over the file.\n"
          "# Keys marked \"Reload.\" take a new value at SIGHUP, the others at the next start.\n", out);
    for (size_t i = 0; i < KEYS; i++) {
        const struct key *k = &keys[i];
        const char *quote = needs_quotes(k->dflt) ? "\"" : "";
        fprintf(out, "\n# %s", k->text);
        if (*k->unit != '\0')
            fprintf(out, " [%s]", k->unit);
        for (size_t r = 0; r < sizeof ranges / sizeof ranges[0]; r++)
            if (strcmp(ranges[r].name, k->name) == 0)
                fprintf(out, " %" PRIu64 " to %" PRIu64 ".", ranges[r].least, ranges[r].most);
        fputs(is_live(k) ? " Reload." : "", out);
        fprintf(out, "\n%s = %s%s%s\n", k->name, quote, k->dflt, quote);
    }
}

const char *config_text(struct arena *a, const struct config *c, const char *key)
{
    const struct key *k = find_key(blob_str(key));
    if (k == NULL)
        return NULL;
    const void *at = (const char *)c + k->at;
    switch (k->type) {
    case TYPE_NUM:  return arena_printf(a, "%" PRIu64, *(const uint64_t *)at);
    case TYPE_BOOL: return *(const bool *)at ? "yes" : "no";
    case TYPE_STR:  break;
    }
    return *(const char *const *)at;
}
