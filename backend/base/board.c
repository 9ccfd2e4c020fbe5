/* board.c - names and numbers in mapped files. */
#include "backend/base/board.h"
#include "backend/base/rd.h"
#include "backend/base/shared.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { COUNTERS_BYTES = 256 * 1024, GAUGES_BYTES = 16 * 1024, MAGIC = 0x3144424d /* "MBD1" */ };

/* A file: this, then entries up to `used`.  An entry is head, name, cells, each part on 8 bytes; `used` is raised when it is whole. */
struct head  { uint32_t magic, bytes; _Atomic uint64_t used; };
struct entry { uint32_t name, cells; };

struct file { struct head *head; size_t bytes; int fd; };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char            directory[4000];
static uint64_t        own_counters[COUNTERS_BYTES / 8], own_gauges[GAUGES_BYTES / 8];  /* until, and unless, there are files */
static struct file     mine[] = {
    [BOARD_COUNTER] = { (struct head *)own_counters, COUNTERS_BYTES, -1 },
    [BOARD_GAUGE]   = { (struct head *)own_gauges, GAUGES_BYTES, -1 },
};

static size_t round8(size_t n) { return (n + 7) & ~(size_t)7; }
static size_t entry_bytes(size_t name, size_t cells) { return sizeof(struct entry) + round8(name) + 8 * cells; }

/* Where the entries end; 0: this is no such file. */
static size_t used_of(const struct head *h, size_t bytes)
{
    size_t used = bytes >= sizeof *h && h->magic == MAGIC ? atomic_load(&h->used) : 0;
    return used >= sizeof *h && used <= bytes && used % 8 == 0 ? used : 0;
}

struct series { const char *name; size_t name_n; uint64_t *cell; size_t n; };

/* The entry at *at, which moves on; false at the end or where the file makes no sense. */
static bool next(const struct head *h, size_t used, size_t *at, struct series *out)
{
    if (used < *at + sizeof(struct entry))
        return false;
    const struct entry *e = (const struct entry *)((const char *)h + *at);
    size_t name = e->name, cells = e->cells;
    if (name == 0 || name > BOARD_NAME || cells == 0 || cells > BOARD_CELLS || entry_bytes(name, cells) > used - *at)
        return false;
    char *text = (char *)e + sizeof *e;
    *out = (struct series){ text, name, (uint64_t *)(text + round8(name)), cells };
    *at += entry_bytes(name, cells);
    return true;
}

/* --- this process' ------------------------------------------------------------------------------------------------- */

static void begin(struct file *f)
{
    if (used_of(f->head, f->bytes) != 0)
        return;
    memset(f->head, 0, f->bytes); /* new, or damaged */
    f->head->magic = MAGIC;
    atomic_store(&f->head->used, sizeof *f->head);
}

static struct series find(const struct file *f, const char *name, size_t n)
{
    struct series s;
    size_t at = sizeof *f->head, used = used_of(f->head, f->bytes);
    while (next(f->head, used, &at, &s))
        if (s.n == n && s.name_n == strlen(name) && memcmp(s.name, name, s.name_n) == 0)
            return s;
    return (struct series){ .name = NULL };
}

static struct series append(struct file *f, const char *name, size_t n)
{
    struct series s = { .name = NULL };
    size_t used = used_of(f->head, f->bytes), at = used, more = entry_bytes(strlen(name), n);
    if (used == 0 || more > f->bytes - used)
        return s;
    struct entry *e = (struct entry *)((char *)f->head + used);
    memset(e, 0, more);
    *e = (struct entry){ (uint32_t)strlen(name), (uint32_t)n };
    memcpy(e + 1, name, strlen(name));
    atomic_store(&f->head->used, used + more);
    next(f->head, used + more, &at, &s);
    return s;
}

_Atomic uint64_t *board_series(enum board_life life, const char *name, size_t n)
{
    struct file *f = &mine[life];
    if (strlen(name) > BOARD_NAME || n > BOARD_CELLS)
        return NULL;
    pthread_mutex_lock(&lock);
    if (f->fd >= 0)
        flock(f->fd, LOCK_EX); /* another process of this place may add series at this moment */
    begin(f);
    struct series s = find(f, name, n);
    if (s.name == NULL)
        s = append(f, name, n);
    if (f->fd >= 0)
        flock(f->fd, LOCK_UN);
    pthread_mutex_unlock(&lock);
    return (_Atomic uint64_t *)s.cell;
}

bool board_shared(void) { return directory[0] != '\0'; }

/* A descriptor of its own for locks: a mapping has none. */
static bool open_file(struct file *f, const char *dir, const char *name, size_t bytes, struct arena *a, const char **why)
{
    void *p = shared_map(dir, name, bytes, a, why);
    int fd = p != NULL ? open(arena_printf(a, "%s/%s", dir, name), O_RDWR | O_CLOEXEC | O_NOFOLLOW) : -1;
    if (fd < 0) {
        if (p != NULL)
            *why = arena_printf(a, "%s/%s: %s", dir, name, strerror(errno));
        return false;
    }
    *f = (struct file){ p, bytes, fd };
    begin(f);
    return true;
}

bool board_open(const char *dir, const char *name, struct arena *a, const char **why)
{
    struct file counters, gauges;
    if (strlen(dir) >= sizeof directory || *name == '.' || strchr(name, '/') != NULL) {
        *why = "no name for a file";
        return false;
    }
    if (!open_file(&counters, dir, arena_printf(a, "%s.counters", name), COUNTERS_BYTES, a, why))
        return false;
    if (!open_file(&gauges, dir, arena_printf(a, "%s.%d.gauges", name, (int)getpid()), GAUGES_BYTES, a, why))
        return false;
    flock(gauges.fd, LOCK_EX | LOCK_NB); /* held until this process ends, however it ends */
    memset(gauges.head, 0, GAUGES_BYTES);
    begin(&gauges);
    mine[BOARD_COUNTER] = counters;
    mine[BOARD_GAUGE] = (struct file){ gauges.head, GAUGES_BYTES, -1 };
    snprintf(directory, sizeof directory, "%s", dir);
    return true;
}

/* --- all of the host ----------------------------------------------------------------------------------------------- */

struct found { char *name; uint64_t *cell; size_t n; };
struct reading { struct arena *a; struct found *v; size_t n, cap; };

static void collect(struct reading *r, const struct head *h, size_t bytes)
{
    struct series s;
    for (size_t at = sizeof *h, used = used_of(h, bytes); next(h, used, &at, &s); ) {
        r->v = arena_grow(r->a, r->v, &r->cap, r->n, sizeof *r->v);
        struct found *f = &r->v[r->n++];
        *f = (struct found){ arena_str(r->a, blob_of(s.name, s.name_n)), arena_array(r->a, uint64_t, s.n), s.n };
        for (size_t i = 0; i < s.n; i++)
            f->cell[i] = atomic_load_explicit((_Atomic uint64_t *)&s.cell[i], memory_order_relaxed);
    }
}

static bool ends_with(const char *s, const char *tail)
{
    size_t n = strlen(s), t = strlen(tail);
    return n > t && strcmp(s + n - t, tail) == 0;
}

/* A file of gauges that nobody has locked is left over. */
static bool is_dead(int fd, const char *path)
{
    if (flock(fd, LOCK_SH | LOCK_NB) != 0)
        return false;
    unlink(path);
    return true;
}

static void read_one(struct reading *r, const char *file)
{
    char path[sizeof directory + 300];
    struct stat st;
    bool gauges = ends_with(file, ".gauges");
    snprintf(path, sizeof path, "%s/%s", directory, file);
    int fd = open(path, (gauges ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size >= (off_t)sizeof(struct head) && !(gauges && is_dead(fd, path))) {
        size_t bytes = st.st_size < COUNTERS_BYTES ? (size_t)st.st_size : (size_t)COUNTERS_BYTES;
        void *p = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, 0);
        if (p != MAP_FAILED) {
            collect(r, p, bytes);
            munmap(p, bytes);
        }
    }
    close(fd);
}

static void read_all(struct reading *r)
{
    DIR *d = opendir(directory);
    for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL; )
        if (e->d_name[0] != '.' && (ends_with(e->d_name, ".counters") || ends_with(e->d_name, ".gauges")))
            read_one(r, e->d_name);
    if (d != NULL)
        closedir(d);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct found *)a)->name, ((const struct found *)b)->name);
}

void board_read(struct arena *a, void (*each)(void *ctx, const char *name, const uint64_t *cells, size_t n), void *ctx)
{
    struct reading r = { .a = a };
    if (board_shared()) {
        read_all(&r);
    } else {
        pthread_mutex_lock(&lock);
        for (size_t i = 0; i < 2; i++)
            collect(&r, mine[i].head, mine[i].bytes);
        pthread_mutex_unlock(&lock);
    }
    if (r.n != 0)
        qsort(r.v, r.n, sizeof *r.v, by_name);
    for (size_t i = 0; i < r.n; i++)
        each(ctx, r.v[i].name, r.v[i].cell, r.v[i].n);
}
