/* shared.c - a file -> memory. */
#include "backend/base/shared.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static void *refuse(int fd, const char *path, struct arena *a, const char **why)
{
    *why = arena_printf(a, "%s: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    return NULL;
}

/* With the directory above it, but no further. */
static bool make_dir(const char *dir, struct arena *a)
{
    const char *slash = strrchr(dir, '/');
    if (mkdir(dir, 0770) == 0 || errno == EEXIST)
        return true;
    if (errno != ENOENT || slash == NULL || slash == dir)
        return false;
    const char *above = arena_str(a, blob_of(dir, (size_t)(slash - dir)));
    return (mkdir(above, 0770) == 0 || errno == EEXIST) && (mkdir(dir, 0770) == 0 || errno == EEXIST);
}

void *shared_map(const char *dir, const char *name, size_t size, struct arena *a, const char **why)
{
    struct stat st;
    const char *path = arena_printf(a, "%s/%s", dir, name);
    if (!make_dir(dir, a))
        return refuse(-1, dir, a, why);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0660);
    if (fd < 0 || fstat(fd, &st) != 0)
        return refuse(fd, path, a, why);
    if ((size_t)st.st_size < size && posix_fallocate(fd, 0, (off_t)size) != 0) { /* a full disk says so now, not by a signal later */
        errno = ENOSPC;
        return refuse(fd, path, a, why);
    }
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (p == MAP_FAILED)
        return refuse(fd, path, a, why);
    close(fd);
    return p;
}
