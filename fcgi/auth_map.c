/* auth_map.c - a file of lines "kerberos|oauth|certificate NAME LOGIN" (NAME in quotes where it has blanks) names persons for names from outside. */
#include "fcgi/auth_int.h"
#include "backend/base/log.h"
#include "backend/base/must.h"
#include "backend/base/rd.h"
#include "backend/base/utf.h"
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { MAP_MOST = 4 << 20, LOOK_AGAIN_S = 1 };

struct line { enum auth_method method; const char *outside, *login; };

struct auth_map {
    const char     *path;
    pthread_mutex_t lock;
    struct arena   *a;               /* of the lines; NULL: none */
    struct line    *line;
    size_t          n;
    struct stat     seen;
    time_t          looked;
};

struct auth_map *auth_map_new(const char *path)
{
    struct auth_map *m = calloc(1, sizeof *m);
    must(m != NULL);
    m->path = path;
    pthread_mutex_init(&m->lock, NULL);
    return m;
}

void auth_map_free(struct auth_map *m)
{
    if (m == NULL)
        return;
    arena_free(m->a);
    pthread_mutex_destroy(&m->lock);
    free(m);
}

static bool blank(uint8_t c) { return c == ' ' || c == '\t' || c == '\r'; }

/* The next word of a line, in quotes or bare; "" at its end and at a comment. */
static const char *word(struct rd *r, struct arena *a)
{
    size_t n = 0;
    while (r->n != 0 && blank(r->p[0]))
        rd_u8(r);
    if (r->n == 0 || r->p[0] == '#')
        return "";
    if (r->p[0] != '"') {
        while (n < r->n && !blank(r->p[n]))
            n++;
        return arena_str(a, rd_blob(r, n));
    }
    rd_u8(r);
    while (n < r->n && r->p[n] != '"')
        n++;
    const char *text = arena_str(a, rd_blob(r, n));
    rd_u8(r);
    return text;
}

static enum auth_method method_of(const char *name)
{
    static const struct { const char *name; enum auth_method method; } known[] = {
#define METHOD(id, word, name) { #name, METHOD_##id },
#include "fcgi/auth.def"
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (known[i].method != METHOD_BASIC && strcmp(known[i].name, name) == 0)
            return known[i].method;
    return 0;
}

static void read_line(struct auth_map *m, struct arena *a, size_t *cap, unsigned number, struct blob text)
{
    struct rd r = rd_blob_of(text);
    const char *method = word(&r, a);
    struct line l = { method_of(method), word(&r, a), word(&r, a) };
    if (*method == '\0')
        return;
    if (l.method == 0 || *l.outside == '\0' || *l.login == '\0' || *word(&r, a) != '\0' || !rd_ok(&r) || !utf8_valid(text)) {
        log_line(LOGL_ERROR, "auth", "a line of auth_map is none: kerberos|oauth|certificate NAME LOGIN", "path", m->path, "line", arena_printf(a, "%u", number), NULL);
        return;
    }
    m->line = arena_grow(a, m->line, cap, m->n, sizeof *m->line);
    m->line[m->n++] = l;
}

static void read_lines(struct auth_map *m, struct blob text)
{
    size_t cap = 0;
    unsigned number = 0;
    struct rd r = rd_blob_of(text);
    while (r.n != 0) {
        const uint8_t *end = memchr(r.p, '\n', r.n);
        read_line(m, m->a, &cap, ++number, rd_blob(&r, end != NULL ? (size_t)(end - r.p) : r.n));
        rd_blob(&r, r.n != 0);
    }
}

static void read_file(struct auth_map *m)
{
    struct arena *a = arena_new(SIZE_MAX);
    uint8_t *p = arena_alloc(a, MAP_MOST);
    size_t n = 0;
    int fd = open(m->path, O_RDONLY | O_CLOEXEC);
    for (ssize_t got; fd >= 0 && n < MAP_MOST && (got = read(fd, p + n, MAP_MOST - n)) > 0; )
        n += (size_t)got;
    if (fd >= 0)
        close(fd);
    arena_free(m->a);
    m->a = a;
    m->line = NULL;
    m->n = 0;
    read_lines(m, blob_of(p, n));
}

/* A file that cannot be looked at keeps what was read. */
static void look(struct auth_map *m)
{
    struct stat st;
    time_t now = time(NULL);
    if (m->looked + LOOK_AGAIN_S > now && m->looked <= now)
        return;
    m->looked = now;
    if (stat(m->path, &st) != 0) {
        log_line(LOGL_ERROR, "auth", "auth_map cannot be read", "path", m->path, NULL);
        return;
    }
    bool same = m->a != NULL && st.st_mtim.tv_sec == m->seen.st_mtim.tv_sec && st.st_mtim.tv_nsec == m->seen.st_mtim.tv_nsec && st.st_ino == m->seen.st_ino && st.st_size == m->seen.st_size;
    m->seen = st;
    if (!same)
        read_file(m);
}

const char *auth_map_find(struct auth_map *m, struct arena *a, enum auth_method method, const char *outside)
{
    const char *login = NULL;
    pthread_mutex_lock(&m->lock);
    look(m);
    for (size_t i = 0; i < m->n && login == NULL; i++)
        if (m->line[i].method == method && strcmp(m->line[i].outside, outside) == 0)
            login = arena_strdup(a, m->line[i].login);
    pthread_mutex_unlock(&m->lock);
    return login;
}
