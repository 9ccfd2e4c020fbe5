/* test_auth_ldap.c - passwords by directory servers: real slapds, search and bind, names by template, StartTLS, one that dies, one that hangs. */
#include "tests/flow/authkit.h"
#include "tests/flow/slapd.h"
#include "backend/base/filetime.h"
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static const char data[] =
    "dn: dc=example,dc=com\nobjectClass: dcObject\nobjectClass: organization\ndc: example\no: Example\n\n"
    "dn: ou=people,dc=example,dc=com\nobjectClass: organizationalUnit\nou: people\n\n"
    "dn: uid=ana,ou=people,dc=example,dc=com\nobjectClass: inetOrgPerson\nuid: ana\ncn: Ana\nsn: Example\nmail: ana@example.com\nuserPassword: ldap-ana\n\n"
    "dn: uid=bob,ou=people,dc=example,dc=com\nobjectClass: inetOrgPerson\nuid: bob\ncn: Bob\nsn: Example\nmail: bob@example.com\nuserPassword: l\xc3\xa4" "dap\n\n"
    "dn: uid=dora,ou=people,dc=example,dc=com\nobjectClass: inetOrgPerson\nuid: dora\ncn: Dora\nsn: Example\nmail: dora@example.com\nuserPassword: ldap-dora\n\n"
    "dn: uid=twin1,ou=people,dc=example,dc=com\nobjectClass: inetOrgPerson\nuid: twin1\ncn: T\nsn: T\nmail: twin@example.com\nuserPassword: twin\n\n"
    "dn: uid=twin2,ou=people,dc=example,dc=com\nobjectClass: inetOrgPerson\nuid: twin2\ncn: T\nsn: T\nmail: twin@example.com\nuserPassword: twin\n\n";

/* Nobody may read but dora. */
static const char access_lines[] = "access to attrs=userPassword by anonymous auth by * none\n"
                                   "access to * by dn=\"uid=dora,ou=people,dc=example,dc=com\" read by anonymous auth by * none\n";

static void ldap_start(struct slapd *l, struct arena *a) { slapd_start(l, a, data, access_lines); }

static const char *settings(struct slapd *l, const char *more)
{
    return arena_printf(l->a, "auth_passwords = ldap\nldap_uris = ldap://127.0.0.1:%u\nldap_ca = %s/crt\nldap_base = dc=example,dc=com\nldap_bind_dn = uid=dora,ou=people,dc=example,dc=com\n"
                              "ldap_bind_password = ldap-dora\nldap_timeout = 1000\nauth_external_cache = 1\n%s", l->port, l->dir, more);
}

#define NEEDS_SLAPD() do { if (access("/usr/sbin/slapd", X_OK) != 0) SKIP("slapd is not installed"); } while (0)

TEST(search_then_bind)
{
    NEEDS_SLAPD();
    struct arena *a = arena_new((size_t)1 << 26);
    struct slapd l;
    struct authkit k;
    ldap_start(&l, a);
    struct stack *st = stack_start(&(struct stack_options){ .workers = 2, .config = settings(&l, "") });
    authkit_begin(&k, st);
    CHECK_INT(authkit_basic(&k, "ana@example.com", "ldap-ana"), 200);
    CHECK_INT(k.r.code, 0);
    CHECK_INT(authkit_basic(&k, "EXAMPLE\\Ana", "ldap-ana"), 200);
    CHECK_INT(authkit_basic(&k, "ana@example.com", "secret-ana"), 401); /* our own hash does not count */
    CHECK_INT(authkit_basic(&k, "ana@example.com", "ldap-an"), 401);
    CHECK_INT(authkit_basic(&k, "ana@example.com", ""), 401);           /* which LDAP takes for an anonymous bind */
    CHECK_INT(authkit_basic(&k, "bob@example.com", "l\xc3\xa4" "dap"), 200);
    CHECK_INT(authkit_basic(&k, "bob@example.com", "l\xe4" "dap"), 200);
    CHECK_INT(authkit_basic(&k, "nobody@example.com", "x"), 401);
    CHECK_INT(authkit_basic(&k, "*", "ldap-ana"), 401);
    CHECK_INT(authkit_basic(&k, "a*@example.com", "ldap-ana"), 401);
    CHECK_INT(authkit_basic(&k, "x)(mail=ana@example.com", "ldap-ana"), 401);
    CHECK_INT(authkit_basic(&k, "twin@example.com", "twin"), 401);
    CHECK_INT(authkit_basic(&k, "dora@example.com", "ldap-dora"), 200); /* right, but no user of ours */
    CHECK_INT(k.r.code, 11);
    /* a new password there counts after auth_external_cache */
    authkit_shell(a, arena_printf(a, "printf 'dn: uid=ana,ou=people,dc=example,dc=com\\nchangetype: modify\\nreplace: userPassword\\nuserPassword: new\\n' | LDAPTLS_REQCERT=never "
                                     "ldapmodify -x -H ldap://127.0.0.1:%u -D cn=admin,dc=example,dc=com -w admin", l.port));
    CHECK(authkit_becomes(&k, authkit_basic_header(a, "ana@example.com", "ldap-ana"), 401, 5000));
    CHECK_INT(authkit_basic(&k, "ana@example.com", "new"), 200);
    authkit_end(&k);
    stack_stop(st);
    slapd_end(&l);
    arena_free(a);
}

TEST(names_by_template)
{
    NEEDS_SLAPD();
    struct arena *a = arena_new((size_t)1 << 26);
    struct slapd l;
    struct authkit k;
    ldap_start(&l, a);
    struct stack *st = stack_start(&(struct stack_options){ .workers = 1, .config = settings(&l, "ldap_dn = \"uid=%u,ou=people,dc=example,dc=com\"\n") });
    authkit_begin(&k, st);
    CHECK_INT(authkit_basic(&k, "ana@example.com", "ldap-ana"), 200);
    CHECK_INT(authkit_basic(&k, "ana@example.com", "x"), 401);
    CHECK_INT(authkit_basic(&k, "ana,ou=people,dc=example,dc=com@x", "ldap-ana"), 401);
    CHECK_INT(authkit_basic(&k, "nobody@example.com", "x"), 401);
    authkit_end(&k);
    stack_stop(st);
    slapd_end(&l);
    arena_free(a);
}

/* The first of two servers dies: the other serves; none: 503, and no password is called wrong; the first again. */
TEST(another_server_takes_over)
{
    NEEDS_SLAPD();
    struct arena *a = arena_new((size_t)1 << 26);
    struct slapd one, two;
    struct authkit k;
    ldap_start(&one, a);
    ldap_start(&two, a);
    authkit_shell(a, arena_printf(a, "cat %s/crt %s/crt >%s/both", one.dir, two.dir, one.dir));
    struct stack *st = stack_start(&(struct stack_options){ .workers = 1, .config = arena_printf(a,
        "auth_passwords = ldap\nldap_uris = \"ldap://127.0.0.1:%u ldap://127.0.0.1:%u\"\nldap_ca = %s/both\nldap_base = dc=example,dc=com\nldap_bind_dn = uid=dora,ou=people,dc=example,dc=com\n"
        "ldap_bind_password = ldap-dora\nldap_timeout = 1000\nauth_external_cache = 0\n", one.port, two.port, one.dir) });
    authkit_begin(&k, st);
    CHECK_INT(authkit_basic(&k, "ana@example.com", "ldap-ana"), 200);
    stack_end(&one.pid, SIGKILL);
    CHECK(authkit_becomes(&k, authkit_basic_header(a, "bob@example.com", "l\xc3\xa4" "dap"), 200, 2000));
    CHECK_INT(authkit_basic(&k, "bob@example.com", "wrong"), 401);
    stack_end(&two.pid, SIGKILL);
    usleep(1100000); /* who was known is not any more */
    CHECK_INT(authkit_basic(&k, "ana@example.com", "ldap-ana"), 503);
    CHECK_INT(authkit_basic(&k, "ana@example.com", "wrong"), 503);
    slapd_run(&one);
    CHECK_INT(authkit_basic(&k, "ana@example.com", "ldap-ana"), 200);
    slapd_end(&one);
    authkit_end(&k);
    stack_stop(st);
    arena_free(a);
}

/* Its certificate is not one of ours: no password is sent. */
TEST(a_server_that_cannot_prove_itself)
{
    NEEDS_SLAPD();
    struct arena *a = arena_new((size_t)1 << 26);
    struct slapd l;
    struct authkit k;
    ldap_start(&l, a);
    slapd_certificate(&l); /* another one than the server has */
    struct stack *st = stack_start(&(struct stack_options){ .workers = 1, .config = settings(&l, "") });
    authkit_begin(&k, st);
    CHECK_INT(authkit_basic(&k, "ana@example.com", "ldap-ana"), 503);
    CHECK(authkit_logged(&k, "a0.log", "the LDAP server does not serve"));
    authkit_end(&k);
    stack_stop(st);
    slapd_end(&l);
    arena_free(a);
}

/* One that takes connections and says nothing holds the checking threads for ldap_timeout, and nobody else. */
TEST(a_server_that_hangs_holds_up_nobody)
{
    struct arena *a = arena_new((size_t)1 << 26);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof at;
    REQUIRE(bind(fd, (struct sockaddr *)&at, n) == 0 && listen(fd, 64) == 0 && getsockname(fd, (struct sockaddr *)&at, &n) == 0);
    struct stack *st = stack_start(&(struct stack_options){ .workers = 1, .config = arena_printf(a,
        "auth_passwords = own ldap\nldap_uris = ldap://127.0.0.1:%u\nldap_base = dc=x\nldap_timeout = 700\n", ntohs(at.sin_port)) });
    struct authkit k, waiting[6];
    authkit_begin(&k, st);
    const char *ana = authkit_basic_header(a, "ana@example.com", "secret-ana"), *why = "";
    CHECK_INT(authkit_ping(&k, ana), 200);
    struct mapic_odd odd = { .extra = arena_printf(a, "Authorization: %s\r\n", authkit_basic_header(a, "bob@example.com", "x")) };
    for (size_t i = 0; i < 6; i++) {
        authkit_begin(&waiting[i], st);
        REQUIRE(mapic_send(&waiting[i].c, a, "PING", blob_of(NULL, 0), &odd, &why));
    }
    for (int i = 0; i < 50; i++) {
        uint64_t before = clock_ms();
        CHECK_INT(authkit_ping(&k, ana), 200);
        CHECK(clock_ms() - before < 300);
    }
    for (size_t i = 0; i < 6; i++) {
        REQUIRE(mapic_recv(&waiting[i].c, a, &waiting[i].r, NULL, &why));
        CHECK_INT(waiting[i].r.http.status, 503);
        authkit_end(&waiting[i]);
    }
    authkit_end(&k);
    stack_stop(st);
    close(fd);
    arena_free(a);
}
