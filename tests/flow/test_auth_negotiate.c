/* test_auth_negotiate.c - Kerberos: a real KDC, a client that gets tickets, SPNEGO tokens through nginx, the server's proof back. */
#include "tests/flow/authkit.h"
#include "backend/base/crypto.h"
#include "backend/base/filetime.h"
#include "backend/base/must.h"
#include <gssapi/gssapi_ext.h>
#include <gssapi/gssapi_krb5.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- the KDC ------------------------------------------------------------------------------------------------------------------------------- */

struct kdc { struct arena *a; const char *dir, *keytab, *env; pid_t pid; unsigned port; };

static void write_conf(struct kdc *k)
{
    authkit_file(arena_printf(k->a, "%s/krb5.conf", k->dir),
                 arena_printf(k->a, "[libdefaults]\n default_realm = EXAMPLE.COM\n dns_lookup_kdc = false\n dns_lookup_realm = false\n rdns = false\n dns_canonicalize_hostname = false\n"
                                    " udp_preference_limit = 1\n[realms]\n EXAMPLE.COM = {\n  kdc = 127.0.0.1:%u\n }\n", k->port));
    authkit_file(arena_printf(k->a, "%s/kdc.conf", k->dir),
                 arena_printf(k->a, "[kdcdefaults]\n kdc_listen = 127.0.0.1:%1$u\n kdc_tcp_listen = 127.0.0.1:%1$u\n[realms]\n EXAMPLE.COM = {\n  database_name = %2$s/principal\n"
                                    "  key_stash_file = %2$s/stash\n  acl_file = %2$s/acl\n }\n[logging]\n kdc = FILE:%2$s/kdc.log\n", k->port, k->dir));
}

/* With its own configuration: nothing of the system is read or changed. */
static void kdc_start(struct kdc *k, struct arena *a)
{
    *k = (struct kdc){ .a = a, .dir = arena_printf(a, "%s/kdc%u", unit_tmpdir(), (unsigned)clock_ms()), .port = stack_free_port() };
    REQUIRE(mkdir(k->dir, 0700) == 0);
    write_conf(k);
    k->keytab = arena_printf(a, "%s/keytab", k->dir);
    setenv("KRB5_CONFIG", arena_printf(a, "%s/krb5.conf", k->dir), 1);
    setenv("KRB5_KDC_PROFILE", arena_printf(a, "%s/kdc.conf", k->dir), 1);
    authkit_shell(a, "/usr/sbin/kdb5_util create -s -W -r EXAMPLE.COM -P master");
    authkit_shell(a, arena_printf(a, "for p in ana bob stranger svc/backup; do echo addprinc -pw secret-$p $p; done | /usr/sbin/kadmin.local; "
                                     "for s in localhost elsewhere; do echo addprinc -randkey HTTP/$s; done | /usr/sbin/kadmin.local; "
                                     "/usr/sbin/kadmin.local ktadd -k %s HTTP/localhost", k->keytab));
    k->pid = fork();
    if (k->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (freopen("/dev/null", "w", stderr) == NULL || freopen("/dev/null", "w", stdout) == NULL)
            _exit(127);
        execl("/usr/sbin/krb5kdc", "krb5kdc", "-n", (char *)NULL);
        _exit(127);
    }
    for (int i = 0; i < 500 && !stack_answers(k->port); i++)
        usleep(10000);
    REQUIRE(stack_answers(k->port));
}

static void kdc_stop(struct kdc *k)
{
    stack_end(&k->pid, SIGTERM);
    unsetenv("KRB5_CONFIG");
    unsetenv("KRB5_KDC_PROFILE");
}

/* --- the client ---------------------------------------------------------------------------------------------------------------------------- */

struct ticket { gss_cred_id_t cred; gss_ctx_id_t ctx; gss_name_t target; };

static gss_OID_desc spnego = { 6, "\x2b\x06\x01\x05\x05\x02" };

static gss_name_t name_of(const char *text, gss_OID type)
{
    OM_uint32 minor;
    gss_name_t name;
    gss_buffer_desc b = { strlen(text), (void *)(uintptr_t)text };
    REQUIRE(gss_import_name(&minor, &b, type, &name) == GSS_S_COMPLETE);
    return name;
}

static void ticket_get(struct ticket *t, const char *user, const char *password, const char *service)
{
    OM_uint32 minor;
    gss_OID_set_desc mechs = { 1, &spnego };
    gss_buffer_desc pw = { strlen(password), (void *)(uintptr_t)password };
    gss_name_t name = name_of(user, GSS_C_NT_USER_NAME);
    *t = (struct ticket){ .target = name_of(service, GSS_C_NT_HOSTBASED_SERVICE) };
    REQUIRE(gss_acquire_cred_with_password(&minor, name, &pw, GSS_C_INDEFINITE, &mechs, GSS_C_INITIATE, &t->cred, NULL, NULL) == GSS_S_COMPLETE);
    gss_release_name(&minor, &name);
}

static void ticket_end(struct ticket *t)
{
    OM_uint32 minor;
    gss_delete_sec_context(&minor, &t->ctx, GSS_C_NO_BUFFER);
    gss_release_cred(&minor, &t->cred);
    gss_release_name(&minor, &t->target);
}

/* The next token of a context, base64; NULL: none to send. `in` NULL: the first.  *done: the server has proven itself. */
static const char *step(struct ticket *t, struct arena *a, const char *in, gss_channel_bindings_t bindings, bool *done)
{
    OM_uint32 minor, flags;
    struct blob bytes = { 0 };
    REQUIRE(in == NULL || base64_decode(a, in, &bytes));
    gss_buffer_desc token = { bytes.n, (void *)(uintptr_t)bytes.p }, out = GSS_C_EMPTY_BUFFER;
    OM_uint32 major = gss_init_sec_context(&minor, t->cred, &t->ctx, t->target, &spnego, GSS_C_MUTUAL_FLAG | GSS_C_REPLAY_FLAG, 0, bindings, in != NULL ? &token : GSS_C_NO_BUFFER,
                                           NULL, &out, &flags, NULL);
    *done = major == GSS_S_COMPLETE;
    CHECK(!GSS_ERROR(major));
    const char *text = out.length != 0 ? base64(a, blob_of(out.value, out.length)) : NULL;
    gss_release_buffer(&minor, &out);
    return text;
}

static const char *first(struct ticket *t, struct arena *a)
{
    bool done;
    OM_uint32 minor;
    gss_delete_sec_context(&minor, &t->ctx, GSS_C_NO_BUFFER);
    return step(t, a, NULL, GSS_C_NO_CHANNEL_BINDINGS, &done);
}

static const char *negotiate(struct arena *a, const char *token) { return arena_printf(a, "Negotiate %s", token); }

/* --- tests --------------------------------------------------------------------------------------------------------------------------------- */

struct scene { struct arena *a; struct kdc kdc; struct stack *st; struct authkit k; };

static void begin(struct scene *s, const char *more)
{
    if (access("/usr/sbin/krb5kdc", X_OK) != 0)
        SKIP("krb5-kdc is not installed");
    *s = (struct scene){ .a = arena_new((size_t)1 << 26) };
    kdc_start(&s->kdc, s->a);
    s->st = stack_start(&(struct stack_options){ .workers = 2, .config = arena_printf(s->a, "kerberos_keytab = %s\n%s", s->kdc.keytab, more) });
    authkit_begin(&s->k, s->st);
}

static void end(struct scene *s)
{
    authkit_end(&s->k);
    stack_stop(s->st);
    kdc_stop(&s->kdc);
    arena_free(s->a);
}

TEST(a_ticket_in_one_leg)
{
    struct scene s;
    struct ticket t;
    bool done;
    begin(&s, "");
    CHECK_INT(authkit_ping(&s.k, NULL), 401);
    CHECK_STR(authkit_offered(&s.k), "Negotiate Basic");
    ticket_get(&t, "ana", "secret-ana", "HTTP@localhost");
    for (unsigned i = 0; i < 2; i++) {
        s.k.c.route = stack_route[i];
        CHECK_INT(authkit_ping(&s.k, negotiate(s.a, first(&t, s.a))), 200);
        const char *proof = http_header(&s.k.r.http, "WWW-Authenticate");
        REQUIRE(proof != NULL && strncmp(proof, "Negotiate ", 10) == 0);
        step(&t, s.a, proof + 10, GSS_C_NO_CHANNEL_BINDINGS, &done);
        CHECK(done); /* the client believes that it is the server */
    }
    /* a request that is sent again as it was reaches another worker */
    const char *same = negotiate(s.a, first(&t, s.a));
    for (unsigned i = 0; i < 4; i++) {
        s.k.c.route = stack_route[i % 2];
        CHECK_INT(authkit_ping(&s.k, same), 200);
    }
    ticket_end(&t);
    end(&s);
}

/* Bindings that a client computed from its end of TLS are not ours to check. */
TEST(channel_bindings_are_not_asked_for)
{
    struct scene s;
    struct ticket t;
    bool done;
    struct gss_channel_bindings_struct bindings = { .application_data = { 18, "tls-unique:whatever" } };
    begin(&s, "");
    ticket_get(&t, "ana", "secret-ana", "HTTP@localhost");
    CHECK_INT(authkit_ping(&s.k, negotiate(s.a, step(&t, s.a, NULL, &bindings, &done))), 200);
    ticket_end(&t);
    end(&s);
}

TEST(tokens_that_do_not_do)
{
    struct scene s;
    struct ticket t, other;
    begin(&s, "");
    ticket_get(&t, "ana", "secret-ana", "HTTP@localhost");
    ticket_get(&other, "ana", "secret-ana", "HTTP@elsewhere"); /* a service whose key we do not have */
    struct blob token;
    REQUIRE(base64_decode(s.a, first(&t, s.a), &token));
    CHECK_INT(authkit_ping(&s.k, negotiate(s.a, first(&other, s.a))), 401);
    CHECK_STR(authkit_offered(&s.k), "Negotiate Basic");
    for (size_t at = 0; at < token.n; at += 61) {
        uint8_t *copy = arena_dup(s.a, token.p, token.n);
        copy[at] ^= 0x10;
        int status = authkit_ping(&s.k, negotiate(s.a, base64(s.a, blob_of(copy, token.n))));
        CHECK(status == 401 || (status == 200 && at < 80)); /* the outer frame has bytes that nobody reads */
        CHECK_INT(authkit_ping(&s.k, negotiate(s.a, base64(s.a, blob_of(token.p, at)))), 401);
    }
    CHECK_INT(authkit_ping(&s.k, negotiate(s.a, base64(s.a, token))), 200);
    /* NTLM, bare and wrapped: no error, and the schemes that would do */
    CHECK_INT(authkit_ping(&s.k, "Negotiate TlRMTVNTUAABAAAAB4IIogAAAAAAAAAAAAAAAAAAAAAKAGFKAAAADw=="), 401);
    CHECK_STR(authkit_offered(&s.k), "Basic");
    static const char wrapped[] = "\x60\x48\x06\x06\x2b\x06\x01\x05\x05\x02\xa0\x3e\x30\x3c\xa0\x0e\x30\x0c\x06\x0a\x2b\x06\x01\x04\x01\x82\x37\x02\x02\x0a\xa2\x2a\x04\x28"
                                  "NTLMSSP\0\x01\0\0\0\x97\x82\x08\xe2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x0a\0\x61\x4a\0\0\0\x0f";
    CHECK_INT(authkit_ping(&s.k, negotiate(s.a, base64(s.a, blob_of(wrapped, sizeof wrapped - 1)))), 401);
    CHECK_STR(authkit_offered(&s.k), "Basic");
    CHECK_INT(authkit_basic(&s.k, "ana@example.com", "secret-ana"), 200);
    ticket_end(&t);
    ticket_end(&other);
    end(&s);
}

TEST(principals_become_persons)
{
    struct scene s;
    struct ticket t;
    char map[300], lines[500];
    snprintf(map, sizeof map, "%s/principals", unit_tmpdir());
    snprintf(lines, sizeof lines, "auth_map = %s\nkerberos_realms = OTHER.EXAMPLE EXAMPLE.COM=example.com\n", map);
    authkit_file(map, "kerberos svc/backup@EXAMPLE.COM bob@example.com\n");
    begin(&s, lines);
    ticket_get(&t, "stranger", "secret-stranger", "HTTP@localhost");
    CHECK_INT(authkit_ping(&s.k, negotiate(s.a, first(&t, s.a))), 200); /* a clear answer, no prompt for ever */
    CHECK_INT(s.k.r.code, 11);
    CHECK(memmem(s.k.r.body.p, s.k.r.body.n, "stranger@EXAMPLE.COM", 20) != NULL);
    ticket_end(&t);
    ticket_get(&t, "svc/backup", "secret-svc/backup", "HTTP@localhost");
    CHECK_INT(authkit_ping(&s.k, negotiate(s.a, first(&t, s.a))), 200);
    CHECK_INT(s.k.r.code, 0);
    ticket_end(&t);
    end(&s);
    begin(&s, "kerberos_realms = OTHER.EXAMPLE\n");
    ticket_get(&t, "ana", "secret-ana", "HTTP@localhost");
    CHECK_INT(authkit_ping(&s.k, negotiate(s.a, first(&t, s.a))), 200);
    CHECK_INT(s.k.r.code, 11); /* not a realm of ours */
    ticket_end(&t);
    end(&s);
}

/* Begun with a password, gone on with a ticket; another's ticket finds no such session. */
TEST(a_session_goes_on_with_a_ticket)
{
    struct scene s;
    struct ticket ana, bob;
    struct walk w;
    struct mapic_reply r;
    struct mapic_rops rops;
    const char *why = "";
    begin(&s, "");
    ticket_get(&ana, "ana", "secret-ana", "HTTP@localhost");
    ticket_get(&bob, "bob", "secret-bob", "HTTP@localhost");
    walk_begin(&w, s.st, &s.st->ana);
    w.c.user = NULL;
    rops_init(&rops, s.a);
    struct blob body = mapic_execute_body(s.a, rops_buffer(&rops), 3, 0x10008);
    struct mapic_odd as_bob = { .extra = arena_printf(s.a, "Authorization: %s\r\n", negotiate(s.a, first(&bob, s.a))), .keep_cookies = true };
    struct mapic_odd as_ana = { .extra = arena_printf(s.a, "Authorization: %s\r\n", negotiate(s.a, first(&ana, s.a))) };
    REQUIRE(mapic_call(&w.c, s.a, "Execute", body, &as_bob, &r, &why));
    CHECK_INT(r.code, 10);
    REQUIRE(mapic_call(&w.c, s.a, "Execute", body, &as_ana, &r, &why));
    CHECK_INT(r.code, 0);
    CHECK(http_header(&r.http, "WWW-Authenticate") != NULL);
    walk_end(&w);
    ticket_end(&ana);
    ticket_end(&bob);
    end(&s);
}

TEST(a_keytab_that_is_none_is_told)
{
    struct arena *a = arena_new((size_t)1 << 24);
    const char *conf = arena_printf(a, "%s/nokeytab.conf", unit_tmpdir()), *keytab = arena_printf(a, "%s/none", unit_tmpdir());
    struct stack *st = stack_shared();
    authkit_file(conf, arena_printf(a, "redis = %1$s/redis.sock\nsession_secret = %1$s/secret\nstore = %1$s/mailboxes\ndirectory = %1$s/directory.db\nlisten = %1$s/x.sock\nkerberos_keytab = %2$s\n", st->dir, keytab));
    FILE *f = popen(arena_printf(a, "timeout 5 %s --config %s 2>&1", stack_program(st), conf), "r");
    char text[2000] = "";
    REQUIRE(f != NULL);
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    CHECK(WEXITSTATUS(pclose(f)) == 1);
    CHECK(strstr(text, "kerberos_keytab") != NULL && strstr(text, keytab) != NULL);
    arena_free(a);
}
