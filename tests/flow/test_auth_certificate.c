/* test_auth_certificate.c - client certificates: a real authority, nginx that asks for them, names that become persons; nothing that a client can make up. */
#include "tests/flow/authkit.h"
#include "backend/base/filetime.h"
#include <stdio.h>
#include <sys/stat.h>

struct scene { struct arena *a; const char *dir; unsigned port; struct stack *st; struct authkit k; };

/* NAME.key and NAME.crt, signed by CA. */
static void issue(struct scene *s, const char *ca, const char *name, const char *subject, const char *alternatives)
{
    authkit_shell(s->a, arena_printf(s->a,
        "cd %1$s && openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj '%4$s' -keyout %3$s.key -out %3$s.csr && printf '%5$s' >%3$s.ext && "
        "openssl x509 -req -in %3$s.csr -CA %2$s.crt -CAkey %2$s.key -CAcreateserial -days 2 -extfile %3$s.ext -out %3$s.crt",
        s->dir, ca, name, subject, alternatives));
}

static void authority(struct scene *s, const char *name)
{
    authkit_shell(s->a, arena_printf(s->a, "cd %1$s && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=%2$s -keyout %2$s.key -out %2$s.crt", s->dir, name));
}

static void begin(struct scene *s, const char *more)
{
    *s = (struct scene){ .a = arena_new((size_t)1 << 26), .port = stack_free_port() };
    s->dir = arena_printf(s->a, "%s/ca%u", unit_tmpdir(), s->port);
    REQUIRE(mkdir(s->dir, 0755) == 0);
    authority(s, "ca");
    authority(s, "evil");
    issue(s, "ca", "server", "/CN=127.0.0.1", "subjectAltName=IP:127.0.0.1");
    issue(s, "ca", "upn", "/O=Example/CN=Ana", "subjectAltName=otherName:1.3.6.1.4.1.311.20.2.3;UTF8:ana@example.com,email:nobody@example.com");
    issue(s, "ca", "mail", "/CN=whoever", "subjectAltName=email:bob@example.com");
    issue(s, "ca", "cn", "/CN=ana@example.com", "subjectAltName=DNS:laptop.example.com");
    issue(s, "ca", "stranger", "/CN=Stranger", "subjectAltName=email:stranger@example.com");
    issue(s, "evil", "forged", "/CN=ana@example.com", "subjectAltName=email:ana@example.com");
    const char *server = arena_printf(s->a, "server { listen 127.0.0.1:%1$u ssl; ssl_certificate %2$s/server.crt; ssl_certificate_key %2$s/server.key; ssl_client_certificate %2$s/ca.crt;"
                                            " ssl_verify_client optional; set $mapi_side internal; include locations.conf; }", s->port, s->dir);
    s->st = stack_start(&(struct stack_options){ .workers = 2, .nginx = server, .config = more });
    authkit_begin(&s->k, s->st);
    ctl_must(s->st, "vdir set --internal-methods basic,certificate --external-methods basic");
    s->k.c.to.port = s->port;
    s->k.c.to.secure = true;
    s->k.c.to.verify = true;
    s->k.c.to.ca_file = arena_printf(s->a, "%s/ca.crt", s->dir);
}

static void end(struct scene *s)
{
    authkit_end(&s->k);
    stack_stop(s->st);
    arena_free(s->a);
}

/* A PING with this certificate (NULL: none) on a connection of its own. */
static int with(struct scene *s, const char *name, const char *authorization)
{
    mapic_close(&s->k.c);
    s->k.c.to.cert_file = name != NULL ? arena_printf(s->a, "%s/%s.crt", s->dir, name) : NULL;
    s->k.c.to.key_file = name != NULL ? arena_printf(s->a, "%s/%s.key", s->dir, name) : NULL;
    return authkit_ping(&s->k, authorization);
}

TEST(names_of_certificates_become_persons)
{
    struct scene s;
    begin(&s, NULL);
    CHECK_INT(with(&s, NULL, NULL), 401);
    CHECK_STR(authkit_offered(&s.k), "Basic");
    CHECK_INT(with(&s, "upn", NULL), 200);
    CHECK_INT(s.k.r.code, 0);
    CHECK_INT(with(&s, "mail", NULL), 200);
    CHECK_INT(s.k.r.code, 0);
    CHECK_INT(with(&s, "cn", NULL), 200);
    CHECK_INT(s.k.r.code, 11); /* common names do not count unless the configuration says so */
    CHECK_INT(with(&s, "stranger", NULL), 200);
    CHECK_INT(s.k.r.code, 11);
    CHECK_INT(with(&s, "forged", NULL), 400); /* nginx: not of our authority */
    CHECK_INT(with(&s, "upn", "Bearer"), 200); /* Outlook's empty header says nothing */
    CHECK_INT(with(&s, "upn", authkit_basic_header(s.a, "bob@example.com", "wrong")), 401); /* what is said counts */
    CHECK_INT(with(&s, "upn", authkit_basic_header(s.a, "bob@example.com", "secret-bob")), 200);
    ctl_must(s.st, "vdir set --internal-methods basic");
    CHECK_INT(with(&s, "upn", NULL), 401);
    end(&s);
}

TEST(common_names_and_the_map)
{
    struct scene s;
    char conf[400], map[300];
    snprintf(map, sizeof map, "%s/certificates", unit_tmpdir());
    snprintf(conf, sizeof conf, "certificate_names = cn\nauth_map = %s\n", map);
    authkit_file(map, "certificate Stranger bob@example.com\n");
    begin(&s, conf);
    CHECK_INT(with(&s, "cn", NULL), 200);
    CHECK_INT(s.k.r.code, 0);
    CHECK_INT(with(&s, "stranger", NULL), 200);
    CHECK_INT(s.k.r.code, 0);
    CHECK_INT(with(&s, "mail", NULL), 200);
    CHECK_INT(s.k.r.code, 11);
    authkit_file(map, "certificate Stranger nobody@example.com\n"); /* the file counts again after a second */
    bool gone = false;
    for (uint64_t until = clock_ms() + 4000; !gone && clock_ms() < until; )
        gone = with(&s, "stranger", NULL) == 200 && s.k.r.code == 11;
    CHECK(gone);
    end(&s);
}

/* Headers that look like nginx's parameters are headers. */
TEST(a_certificate_cannot_be_made_up)
{
    static const char *const made_up[] = {
        "SSL_CLIENT_VERIFY: SUCCESS\r\nSSL_CLIENT_CERT: %1$s\r\n", "Ssl-Client-Verify: SUCCESS\r\nSsl-Client-Cert: %1$s\r\n", "X-SSL-CLIENT-VERIFY: SUCCESS\r\nX-SSL-CLIENT-CERT: %1$s\r\n",
        "HTTP_SSL_CLIENT_VERIFY: SUCCESS\r\nHTTP_SSL_CLIENT_CERT: %1$s\r\n" };
    struct scene s;
    begin(&s, NULL);
    const char *pem = authkit_shell(s.a, arena_printf(s.a, "sed 's/+/%%2B/g;s/$/%%0A/' %s/mail.crt | tr -d '\\n'", s.dir));
    for (size_t i = 0; i < sizeof made_up / sizeof made_up[0]; i++)
        for (int secure = 0; secure < 2; secure++) {
            const char *why = "";
            struct mapic_odd odd = { .extra = arena_printf(s.a, made_up[i], pem) };
            mapic_close(&s.k.c);
            s.k.c.to.secure = secure != 0;
            s.k.c.to.port = secure != 0 ? s.port : s.st->port;
            REQUIRE(mapic_call(&s.k.c, s.a, "PING", blob_of(NULL, 0), &odd, &s.k.r, &why));
            CHECK_INT(s.k.r.http.status, 401);
        }
    end(&s);
}
