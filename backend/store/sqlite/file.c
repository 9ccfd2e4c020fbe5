/* file.c - where mailbox files lie: <dir>/<first 2 hex digits>/<guid>.db, readable by the group only. */
#include "backend/store/sqlite/sqlite.h"
#include "backend/base/log.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

/* Filesystems whose locks and shared memory do not hold between hosts: WAL needs both. statfs(2). */
static const struct { unsigned long magic; const char *why; } remote[] = {
    { 0x6969,     "is on NFS; mailbox files need a local filesystem" },
    { 0x517B,     "is on SMB; mailbox files need a local filesystem" },
    { 0xFF534D42, "is on CIFS; mailbox files need a local filesystem" },
    { 0xFE534D42, "is on SMB2; mailbox files need a local filesystem" },
    { 0x5346414F, "is on AFS; mailbox files need a local filesystem" },
    { 0x564C,     "is on NCP; mailbox files need a local filesystem" },
    { 0x73757245, "is on Coda; mailbox files need a local filesystem" },
    { 0x00C36400, "is on Ceph; mailbox files need a local filesystem" },
    { 0x0BD00BD0, "is on Lustre; mailbox files need a local filesystem" },
    { 0x01161970, "is on GFS2; mailbox files need a local filesystem" },
    { 0x7461636F, "is on OCFS2; mailbox files need a local filesystem" },
    { 0x65735546, "is on FUSE; mailbox files need a local filesystem" },
    { 0x01021997, "is on 9P; mailbox files need a local filesystem" },
};

bool sqlite_usable(const char *dir, const char **why)
{
    struct statfs fs;
    struct stat st;
    if (mkdir(dir, 0750) != 0 && errno != EEXIST) {
        *why = "cannot be made";
        return false;
    }
    if (stat(dir, &st) != 0 || !S_ISDIR(st.st_mode) || access(dir, R_OK | W_OK | X_OK) != 0) {
        *why = "is not a directory that can be written";
        return false;
    }
    if (statfs(dir, &fs) != 0) {
        *why = "cannot be examined";
        return false;
    }
    for (size_t i = 0; i < sizeof remote / sizeof *remote; i++)
        if (((unsigned long)fs.f_type & 0xFFFFFFFFul) == remote[i].magic) {
            *why = remote[i].why;
            return false;
        }
    return true;
}

bool sqlite_path(char out[SQLITE_FILE], const char *dir, const struct guid *id)
{
    char text[GUID_TEXT];
    guid_text(id, text);
    int n = snprintf(out, SQLITE_FILE, "%s/%.2s/%s.db", dir, text, text);
    return n > 0 && n < SQLITE_FILE - 8;  /* room for "-wal" */
}

ec_t sqlite_touch(const char *path)
{
    char dir[SQLITE_FILE];
    const char *slash = strrchr(path, '/');
    memcpy(dir, path, (size_t)(slash - path));
    dir[slash - path] = 0;
    int fd = -1;
    if (mkdir(dir, 0750) == 0 || errno == EEXIST)
        fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (fd < 0) {
        log_line(LOGL_ERROR, "store", "cannot make mailbox file", "path", path, "error", strerror(errno), NULL);
        return EC(ecDiskError);
    }
    close(fd);
    return ecNone;
}

ec_t sqlite_remove(const char *dir, const struct guid *id)
{
    static const char *const beside[] = { "-wal", "-shm", "-journal" };
    char path[SQLITE_FILE], other[SQLITE_FILE + 16];
    if (!sqlite_path(path, dir, id))
        return EC(ecNotFound);
    if (unlink(path) != 0) {
        if (errno == ENOENT)
            return EC(ecNotFound);
        log_line(LOGL_ERROR, "store", "cannot remove mailbox file", "path", path, "error", strerror(errno), NULL);
        return EC(ecDiskError);
    }
    for (size_t i = 0; i < sizeof beside / sizeof *beside; i++) {
        snprintf(other, sizeof other, "%s%s", path, beside[i]);
        unlink(other);
    }
    return ecNone;
}

/* A commit writes to the log, a checkpoint to the file: numbers, sizes and times of both, mixed.  A commit is seen by readers only some time (an fsync) after
 * the bytes were written, so what was written lately gives no stamp. */
static bool mix(uint64_t *h, const char *path, time_t now)
{
    enum { LATELY = 5 };
    struct stat st;
    if (stat(path, &st) != 0)
        return errno == ENOENT;
    const uint64_t part[] = { (uint64_t)st.st_ino, (uint64_t)st.st_size, (uint64_t)st.st_mtim.tv_sec, (uint64_t)st.st_mtim.tv_nsec };
    for (size_t i = 0; i < sizeof part / sizeof part[0]; i++)
        *h = (*h ^ part[i]) * 1099511628211u + (*h >> 29);
    return st.st_mtim.tv_sec + LATELY < now;
}

uint64_t sqlite_stamp(const char *dir, const struct guid *id)
{
    char path[SQLITE_FILE];
    uint64_t h = 14695981039346656037u;
    time_t now = time(NULL);
    if (!sqlite_path(path, dir, id) || access(path, F_OK) != 0 || !mix(&h, path, now))
        return 0;
    memcpy(path + strlen(path), "-wal", sizeof "-wal");
    return mix(&h, path, now) ? h | 1 : 0;
}
