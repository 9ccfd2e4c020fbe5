/* readiness_host.c - this host: switches and URLs, descriptors of the workers, clock, disk, secret, directory, store. */
#include "backend/base/crypto.h"
#include "backend/directory/policy.h"
#include "deploy/mapictl/readiness.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <unistd.h>

enum { FILES_WARN = 65536, FILES_FAIL = 1024, MIB_WARN = 5120, MIB_FAIL = 256 };

/* --- switches ------------------------------------------------------------------------------------------------------ */

static void check_url(struct readiness *r, const char *which, const char *url)
{
    if (*url == '\0')
        readiness_say(r, WARN, "virtual directory", arena_printf(r->a, "no %s URL is set: Autodiscover offers none there", which),
                      arena_printf(r->a, "mapictl vdir set --%s-url https://HOST/mapi", which));
    else
        readiness_say(r, GOOD, "virtual directory", arena_printf(r->a, "%s URL %s", which, url), "");
}

/* Policies once followed the login: whom an upgrade gave those of another organization. */
static void check_belonging(struct readiness *r)
{
    enum { SHOWN = 10 };
    const char **login;
    size_t n;
    if (org_by_login(ctl_directory(r->c), r->a, SHOWN, &login, &n) != ecNone || n == 0)
        return;
    const char *names = "";
    for (size_t i = 0; i < n && i < SHOWN; i++)
        names = arena_printf(r->a, "%s %s", names, login[i]);
    readiness_say(r, GOOD, "organizations", arena_printf(r->a, "%zu users belong to another organization than the domain of their login:%s%s", n, names, n > SHOWN ? " ..." : ""), "");
}

void readiness_switches(struct readiness *r)
{
    struct org *org;
    struct vdir v;
    size_t n;
    if (org_list(ctl_directory(r->c), r->a, &org, &n) != ecNone || vdir_get(ctl_directory(r->c), r->a, &v) != ecNone) {
        readiness_say(r, FAIL, "directory", "its settings cannot be read", "look at the file of the key `directory`");
        return;
    }
    for (size_t i = 0; i < n; i++)
        if (org[i].mapi_http)
            readiness_say(r, GOOD, "MapiHttpEnabled", arena_printf(r->a, "organization %s: on", org[i].name), "");
        else
            readiness_say(r, WARN, "WarnMapiHttpNotEnabled", arena_printf(r->a, "organization %s: MAPI over HTTP is off for mailboxes that do not switch it on themselves", org[i].name),
                          arena_printf(r->a, "mapictl org set \"%s\" --mapi-http-enabled true", org[i].name));
    check_belonging(r);
    check_url(r, "internal", v.internal_url);
    check_url(r, "external", v.external_url);
}

/* --- descriptors --------------------------------------------------------------------------------------------------- */

static unsigned long files_of(long pid)
{
    char path[64], line[200];
    unsigned long most = 0;
    snprintf(path, sizeof path, "/proc/%ld/limits", pid);
    FILE *f = fopen(path, "r");
    while (f != NULL && fgets(line, sizeof line, f) != NULL)
        if (strncmp(line, "Max open files", 14) == 0)
            most = strtoul(line + 14, NULL, 10);
    if (f != NULL)
        fclose(f);
    return most;
}

/* NAME.PID.gauges in host_dir: the workers that run. */
static long pid_of(const char *file)
{
    size_t n = strlen(file);
    if (n < 9 || strcmp(file + n - 7, ".gauges") != 0)
        return 0;
    const char *dot = file + n - 8;
    while (dot > file && *dot != '.')
        dot--;
    return *dot == '.' ? strtol(dot + 1, NULL, 10) : 0;
}

static void check_files(struct readiness *r)
{
    unsigned long least = 0;
    unsigned workers = 0;
    DIR *d = opendir(r->c->config->host_dir);
    for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL; ) {
        long pid = pid_of(e->d_name);
        unsigned long most = pid > 0 && kill((pid_t)pid, 0) == 0 ? files_of(pid) : 0;
        if (most == 0)
            continue;
        workers++;
        least = least == 0 || most < least ? most : least;
    }
    if (d != NULL)
        closedir(d);
    if (workers == 0) {
        readiness_say(r, WARN, "file descriptors", "no worker of this host runs (or host_dir is another one)", "systemctl start mapihttpd@a");
        return;
    }
    const char *text = arena_printf(r->a, "%u workers run, each may have %lu: one for each waiting Outlook", workers, least);
    enum verdict v = least < FILES_FAIL ? FAIL : least < FILES_WARN ? WARN : GOOD;
    readiness_say(r, v, "file descriptors", text, v == GOOD ? "" : "LimitNOFILE=262144 in the unit");
}

/* --- clock and disk ------------------------------------------------------------------------------------------------ */

static void check_clock(struct readiness *r)
{
    struct timex t = { .modes = 0 };
    if (adjtimex(&t) == TIME_ERROR || (t.status & STA_UNSYNC) != 0)
        readiness_say(r, WARN, "clock", "the kernel does not know the clock to be synchronized", "chrony or systemd-timesyncd (in a container: on its host)");
    else
        readiness_say(r, GOOD, "clock", "synchronized", "");
}

static const char *network_of(long type)
{
    static const struct { unsigned type; const char *name; } known[] = {
        { 0x6969, "NFS" }, { 0xFF534D42, "CIFS" }, { 0xFE534D42, "SMB" }, { 0x00C36400, "Ceph" }, { 0x01021997, "9p" }, { 0x7461636F, "OCFS2" }, { 0x01161970, "GFS2" },
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if ((unsigned)type == known[i].type)
            return known[i].name;
    return NULL;
}

static void check_disk(struct readiness *r, const char *what, const char *path)
{
    struct statfs fs;
    struct statvfs v;
    if (statfs(path, &fs) != 0 || statvfs(path, &v) != 0) {
        readiness_say(r, FAIL, what, arena_printf(r->a, "%s: %s", path, strerror(errno)), "make the directory, owned by the worker's user");
        return;
    }
    unsigned long mib = (unsigned long)((double)v.f_bavail * (double)v.f_frsize / 1048576), percent = v.f_blocks != 0 ? (unsigned long)(v.f_bavail * 100 / v.f_blocks) : 0;
    const char *network = network_of((long)fs.f_type), *room = arena_printf(r->a, "%s: %lu MiB free (%lu %%)", path, mib, percent);
    if (network != NULL)
        readiness_say(r, FAIL, what, arena_printf(r->a, "%s lies on a network filesystem (%s), where locks and mapped files are not safe", path, network), "a local filesystem");
    else if ((unsigned)fs.f_type == 0x01021994)
        readiness_say(r, WARN, what, arena_printf(r->a, "%s lies in memory (tmpfs): mail does not survive a restart of the host", path), "a disk");
    else
        readiness_say(r, mib < MIB_FAIL ? FAIL : mib < MIB_WARN || percent < 5 ? WARN : GOOD, what, room, mib < MIB_WARN || percent < 5 ? "make room: a full disk refuses mail" : "");
}

/* --- secret, directory, store -------------------------------------------------------------------------------------- */

static void check_secret(struct readiness *r)
{
    struct stat st;
    uint8_t bytes[4096], sum[SHA256];
    const char *path = r->c->config->session_secret, *why = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 && fstat(fd, &st) == 0 ? read(fd, bytes, sizeof bytes) : -1;
    if (fd >= 0)
        close(fd);
    if (n < 0)
        readiness_say(r, FAIL, "session secret", arena_printf(r->a, "%s: %s", path, strerror(errno)), "head -c 64 /dev/urandom >FILE; chmod 600 FILE; the same file on all hosts");
    else if (cookie_keys_load(path, r->a, &why) == NULL)
        readiness_say(r, FAIL, "session secret", why, "chmod 600, at least 32 random bytes");
    else {
        crypto_sha256(blob_of(bytes, (size_t)n), sum);
        readiness_say(r, GOOD, "session secret", arena_printf(r->a, "mode %03o, fingerprint %02x%02x%02x%02x: must be the same on all hosts", (unsigned)st.st_mode & 0777,
                                                              sum[0], sum[1], sum[2], sum[3]), "");
    }
    explicit_bzero(bytes, sizeof bytes);
}

static void check_store(struct readiness *r)
{
    const struct config *c = r->c->config;
    const char *why = NULL;
    struct store_options o = { .driver = c->store_driver, .path = c->store, .pool_files = 1, .cache_kib = (unsigned)c->store_cache, .busy_ms = 1000 };
    struct store *s = access(c->store, F_OK) == 0 ? store_new(&o, r->a, &why) : NULL;
    if (s == NULL) {
        readiness_say(r, FAIL, "store", why != NULL ? why : arena_printf(r->a, "%s: %s", c->store, strerror(errno)), "the key `store`; owned by the worker's user");
        return;
    }
    readiness_say(r, GOOD, "store", arena_printf(r->a, "%s can be used", c->store), "");
    store_free(s);
}

void readiness_host(struct readiness *r)
{
    struct person *v;
    size_t n;
    if (directory_list(ctl_directory(r->c), r->a, &v, &n) == ecNone)
        readiness_say(r, GOOD, "directory", arena_printf(r->a, "%zu users", n), "");
    else
        readiness_say(r, FAIL, "directory", "it cannot be read", "look at the file of the key `directory`");
    check_store(r);
    check_disk(r, "disk of the mailboxes", r->c->config->store);
    check_secret(r);
    check_files(r);
    check_clock(r);
}
