/* slapd.c - starting, changing and ending an LDAP server of the test's own. */
#include "tests/flow/slapd.h"
#include "tests/flow/authkit.h"
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

void slapd_run(struct slapd *l)
{
    const char *url = arena_printf(l->a, "ldap://127.0.0.1:%u", l->port), *conf = arena_printf(l->a, "%s/slapd.conf", l->dir);
    l->pid = fork();
    if (l->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (freopen("/dev/null", "w", stderr) == NULL)
            _exit(127);
        execl("/usr/sbin/slapd", "slapd", "-h", url, "-f", conf, "-d", "0", (char *)NULL);
        _exit(127);
    }
    for (int i = 0; i < 500 && !stack_answers(l->port); i++)
        usleep(10000);
    REQUIRE(stack_answers(l->port));
}

void slapd_certificate(struct slapd *l)
{
    authkit_shell(l->a, arena_printf(l->a, "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 -keyout %1$s/key -out %1$s/crt", l->dir));
}

void slapd_start(struct slapd *l, struct arena *a, const char *ldif, const char *access_lines)
{
    if (access("/usr/sbin/slapd", X_OK) != 0)
        SKIP("slapd is not installed");
    *l = (struct slapd){ .a = a, .port = stack_free_port() };
    l->dir = arena_printf(a, "%s/slapd%u", unit_tmpdir(), l->port);
    REQUIRE(mkdir(l->dir, 0700) == 0 && mkdir(arena_printf(a, "%s/db", l->dir), 0700) == 0);
    slapd_certificate(l);
    authkit_file(arena_printf(a, "%s/slapd.conf", l->dir),
                 arena_printf(a, "include /etc/ldap/schema/core.schema\ninclude /etc/ldap/schema/cosine.schema\ninclude /etc/ldap/schema/inetorgperson.schema\n"
                                 "modulepath /usr/lib/ldap\nmoduleload back_mdb\npidfile %1$s/pid\nTLSCertificateFile %1$s/crt\nTLSCertificateKeyFile %1$s/key\ndatabase mdb\nsuffix \"dc=example,dc=com\"\n"
                                 "rootdn \"cn=admin,dc=example,dc=com\"\nrootpw admin\ndirectory %1$s/db\nmaxsize 1073741824\nsizelimit size.soft=100 size.hard=100 size.prtotal=unlimited\n%2$s", l->dir, access_lines != NULL ? access_lines : ""));
    authkit_file(arena_printf(a, "%s/data.ldif", l->dir), ldif);
    authkit_shell(a, arena_printf(a, "/usr/sbin/slapadd -q -f %1$s/slapd.conf -l %1$s/data.ldif", l->dir));
    slapd_run(l);
}

void slapd_end(struct slapd *l) { stack_end(&l->pid, SIGTERM); }

void slapd_modify(struct slapd *l, const char *ldif)
{
    const char *path = arena_printf(l->a, "%s/change.ldif", l->dir);
    authkit_file(path, ldif);
    authkit_shell(l->a, arena_printf(l->a, "ldapmodify -x -H ldap://127.0.0.1:%u -D cn=admin,dc=example,dc=com -w admin -f %s", l->port, path));
}
