/* test_auth_bearer.c - tokens of an issuer through nginx: keys from a file and from an https server, each defect, claims, sessions that change their scheme. */
#include "tests/flow/authkit.h"
#include "backend/base/filetime.h"
#include "tests/jose.h"
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define ISSUER "https://idp.example.com/"

static const char *settings(struct arena *a, const char *jwks)
{
    return arena_printf(a, "oauth_jwks = %s\noauth_issuer = " ISSUER "\noauth_audience = \"https://mail.example.com mapi\"\noauth_scope = mapi.access\noauth_skew = 5\noauth_refresh = 1\n", jwks);
}

static const char *claims(struct arena *a, const char *upn, int from, int until, const char *iss, const char *aud, const char *scope)
{
    return arena_printf(a, "{\"iss\":\"%s\",\"aud\":\"%s\",\"nbf\":%lld,\"exp\":%lld,\"upn\":\"%s\",\"scp\":\"%s\"}", iss, aud, (long long)time(NULL) + from,
                        (long long)time(NULL) + until, upn, scope);
}

static const char *good(struct arena *a, const char *upn) { return claims(a, upn, -10, 300, ISSUER, "mapi", "mapi.access"); }
static const char *bearer(struct arena *a, const struct jose *k, const char *payload) { return arena_printf(a, "Bearer %s", jose_token(a, k, payload)); }

static void write_keys(struct arena *a, const char *path, const struct jose *one, const struct jose *two)
{
    const char *fresh = arena_printf(a, "%s.new", path);
    authkit_file(fresh, arena_printf(a, "{\"keys\":[%s%s%s]}", jose_jwk(a, one), two != NULL ? "," : "", two != NULL ? jose_jwk(a, two) : ""));
    CHECK_INT(rename(fresh, path), 0);
}

#define REFUSED(k, token, words)                                 \
    do {                                                         \
        CHECK_INT(authkit_ping((k), (token)), 401);              \
        CHECK(authkit_challenge((k), "error=\"invalid_token\"")); \
        CHECK(authkit_challenge((k), (words)));                  \
    } while (0)

static void each_defect(struct authkit *k, const struct jose *rsa, const struct jose *ec, const struct jose *stranger)
{
    struct jose other = *stranger;
    other.kid = "one"; /* the name of a key that it is not */
    REFUSED(k, bearer(k->a, &other, good(k->a, "ana@example.com")), "signature");
    REFUSED(k, bearer(k->a, stranger, good(k->a, "ana@example.com")), "key is not known");
    REFUSED(k, arena_printf(k->a, "Bearer %s", jose_token_as(k->a, rsa, "{\"alg\":\"none\",\"kid\":\"one\"}", good(k->a, "ana@example.com"))), "algorithm");
    REFUSED(k, arena_printf(k->a, "Bearer %s", jose_token_as(k->a, rsa, "{\"alg\":\"HS256\",\"kid\":\"one\"}", good(k->a, "ana@example.com"))), "algorithm");
    REFUSED(k, bearer(k->a, ec, claims(k->a, "ana@example.com", -10, 300, "https://evil.example.com/", "mapi", "mapi.access")), "issuer");
    REFUSED(k, bearer(k->a, ec, claims(k->a, "ana@example.com", -10, 300, ISSUER, "other", "mapi.access")), "audience");
    REFUSED(k, bearer(k->a, ec, claims(k->a, "ana@example.com", -300, -10, ISSUER, "mapi", "mapi.access")), "expired");
    REFUSED(k, bearer(k->a, ec, claims(k->a, "ana@example.com", 100, 300, ISSUER, "mapi", "mapi.access")), "not valid yet");
    REFUSED(k, bearer(k->a, ec, claims(k->a, "ana@example.com", -10, 300, ISSUER, "mapi", "mail")), "scope");
    char *token = (char *)(uintptr_t)bearer(k->a, ec, good(k->a, "ana@example.com"));
    size_t n = strlen(token);
    for (size_t at = 8; at < n; at += 37) { /* all of them: the unit test */
        token[at] = (char)(token[at] == 'A' ? 'B' : 'A');
        REFUSED(k, token, "error_description");
        break;
    }
    token = (char *)(uintptr_t)bearer(k->a, ec, good(k->a, "ana@example.com"));
    token[n - 20] = '\0';
    REFUSED(k, token, "error_description");
}

TEST(tokens_with_keys_from_a_file)
{
    struct arena *a = arena_new((size_t)1 << 26);
    struct jose rsa = jose_rsa(2048, "one", "RS256"), ec = jose_ec("P-256", "two", "ES256"), stranger = jose_rsa(2048, "three", "RS256"), ps = jose_rsa(2048, "four", "PS256");
    const char *path = arena_printf(a, "%s/keys.jwks", unit_tmpdir());
    write_keys(a, path, &rsa, &ec);
    struct stack *st = stack_start(&(struct stack_options){ .workers = 2, .config = settings(a, path) });
    struct authkit k;
    authkit_begin(&k, st);
    CHECK_INT(authkit_ping(&k, bearer(a, &rsa, good(a, "ana@example.com"))), 200);
    CHECK_INT(authkit_ping(&k, bearer(a, &ec, good(a, "ANA@Example.com"))), 200);
    CHECK_INT(authkit_ping(&k, bearer(a, &ec, claims(a, "ana@example.com", -10, 300, ISSUER, "https://mail.example.com", "x mapi.access"))), 200);
    each_defect(&k, &rsa, &ec, &stranger);
    CHECK_INT(authkit_ping(&k, bearer(a, &ec, good(a, "nobody@example.com"))), 200); /* genuine, but no user: a clear answer instead of a prompt for ever */
    CHECK_INT(k.r.code, 11);
    /* the issuer has new keys: one that is named and not there is looked for */
    sleep(1);
    write_keys(a, path, &ec, &ps);
    for (unsigned i = 0; i < 2; i++) {
        k.c.route = stack_route[i];
        CHECK(authkit_becomes(&k, bearer(a, &ps, good(a, "bob@example.com")), 200, 3000));
        REFUSED(&k, bearer(a, &rsa, good(a, "ana@example.com")), "key is not known");
    }
    authkit_end(&k);
    stack_stop(st);
    jose_free(&rsa);
    jose_free(&ec);
    jose_free(&ps);
    jose_free(&stranger);
    arena_free(a);
}

/* An expired token is refused within a second, though it was good a moment ago. */
TEST(a_token_expires)
{
    struct arena *a = arena_new((size_t)1 << 26);
    struct jose ec = jose_ec("P-256", "two", "ES256");
    const char *path = arena_printf(a, "%s/expire.jwks", unit_tmpdir());
    write_keys(a, path, &ec, NULL);
    struct stack *st = stack_start(&(struct stack_options){ .workers = 1, .config = arena_printf(a, "%soauth_skew = 0\n", arena_printf(a, "oauth_jwks = %s\noauth_issuer = " ISSUER "\noauth_audience = mapi\n", path)) });
    struct authkit k;
    authkit_begin(&k, st);
    const char *token = bearer(a, &ec, claims(a, "ana@example.com", -10, 2, ISSUER, "mapi", ""));
    uint64_t before = clock_ms();
    CHECK_INT(authkit_ping(&k, token), 200);
    CHECK(authkit_becomes(&k, token, 401, 4000));
    CHECK(clock_ms() - before < 3300);
    authkit_end(&k);
    stack_stop(st);
    jose_free(&ec);
    arena_free(a);
}

/* --- over https -------------------------------------------------------------------------------------------------------------------------- */

static void certificate(struct arena *a, const char *dir)
{
    authkit_shell(a, arena_printf(a, "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 -keyout %s/idp.key -out %s/idp.crt", dir, dir));
}

static unsigned fetches(struct authkit *k)
{
    char text[65536];
    FILE *f = fopen(arena_printf(k->a, "%s/idp.log", k->st->dir), "r");
    unsigned n = 0;
    if (f == NULL)
        return 0;
    while (fgets(text, sizeof text, f) != NULL)
        n++;
    fclose(f);
    return n;
}

TEST(tokens_with_keys_over_https)
{
    struct arena *a = arena_new((size_t)1 << 26);
    struct jose one = jose_rsa(2048, "one", "RS256"), two = jose_ec("P-256", "two", "ES256"), stranger = jose_ec("P-256", "x", "ES256");
    const char *dir = arena_printf(a, "%s/idp", unit_tmpdir());
    CHECK_INT(mkdir(dir, 0755), 0);
    certificate(a, dir);
    const char *keys = arena_printf(a, "%s/keys", dir);
    write_keys(a, keys, &one, NULL);
    unsigned port = stack_free_port();
    const char *server = arena_printf(a, "log_format one '$status'; server { listen 127.0.0.1:%u ssl; ssl_certificate %s/idp.crt; ssl_certificate_key %s/idp.key; access_log idp.log one; root %s; }",
                                      port, dir, dir, dir);
    struct stack *st = stack_start(&(struct stack_options){ .workers = 1, .nginx = server,
        .config = arena_printf(a, "%soauth_ca = %s/idp.crt\n", settings(a, arena_printf(a, "https://127.0.0.1:%u/keys", port)), dir) });
    struct authkit k;
    authkit_begin(&k, st);
    CHECK_INT(authkit_ping(&k, bearer(a, &one, good(a, "ana@example.com"))), 200);
    CHECK_INT(fetches(&k), 1);
    for (int i = 0; i < 20; i++)
        CHECK_INT(authkit_ping(&k, bearer(a, &one, claims(a, "ana@example.com", -10, 300 + i, ISSUER, "mapi", "mapi.access"))), 200);
    CHECK_INT(fetches(&k), 1);
    for (int i = 0; i < 20; i++) /* who names keys that do not exist makes nobody fetch all the time */
        REFUSED(&k, bearer(a, &stranger, claims(a, "ana@example.com", -10, 300 + i, ISSUER, "mapi", "mapi.access")), "key is not known");
    CHECK(fetches(&k) <= 3);
    sleep(1);
    write_keys(a, keys, &one, &two);
    CHECK(authkit_becomes(&k, bearer(a, &two, good(a, "ana@example.com")), 200, 3000));
    CHECK_INT(unlink(keys), 0); /* the issuer is away: what is known goes on */
    sleep(1);
    REFUSED(&k, bearer(a, &stranger, good(a, "ana@example.com")), "key is not known");
    CHECK_INT(authkit_ping(&k, bearer(a, &two, good(a, "bob@example.com"))), 200);
    CHECK(authkit_logged(&k, "a0.log", "the keys of the token issuer cannot be had"));
    authkit_end(&k);
    stack_stop(st);
    jose_free(&one);
    jose_free(&two);
    jose_free(&stranger);
    arena_free(a);
}

/* Its certificate is nobody's whom we trust. */
TEST(keys_of_a_stranger_are_not_taken)
{
    struct arena *a = arena_new((size_t)1 << 26);
    struct jose one = jose_rsa(2048, "one", "RS256");
    const char *dir = arena_printf(a, "%s/evil", unit_tmpdir());
    CHECK_INT(mkdir(dir, 0755), 0);
    certificate(a, dir);
    write_keys(a, arena_printf(a, "%s/keys", dir), &one, NULL);
    unsigned port = stack_free_port();
    const char *server = arena_printf(a, "server { listen 127.0.0.1:%u ssl; ssl_certificate %s/idp.crt; ssl_certificate_key %s/idp.key; root %s; }", port, dir, dir, dir);
    struct stack *st = stack_start(&(struct stack_options){ .workers = 1, .nginx = server, .config = settings(a, arena_printf(a, "https://127.0.0.1:%u/keys", port)) });
    struct authkit k;
    authkit_begin(&k, st);
    CHECK_INT(authkit_ping(&k, bearer(a, &one, good(a, "ana@example.com"))), 503);
    CHECK_INT(authkit_basic(&k, "ana@example.com", "secret-ana"), 200);
    authkit_end(&k);
    stack_stop(st);
    jose_free(&one);
    arena_free(a);
}

/* --- who it is --------------------------------------------------------------------------------------------------------------------------- */

/* A session is a person's, whatever the scheme of its requests. */
TEST(a_session_goes_on_with_another_scheme)
{
    struct arena *a = arena_new((size_t)1 << 26);
    struct jose ec = jose_ec("P-256", "two", "ES256");
    const char *path = arena_printf(a, "%s/session.jwks", unit_tmpdir()), *map = arena_printf(a, "%s/map", unit_tmpdir());
    write_keys(a, path, &ec, NULL);
    authkit_file(map, "# people of the issuer\noauth 4711 ana@example.com\nbroken\noauth \"b o b\" bob # a comment\n");
    struct stack *st = stack_start(&(struct stack_options){ .config = arena_printf(a, "%soauth_claims = sub\nauth_map = %s\naccess_log = -\n", settings(a, path), map) });
    struct walk w;
    struct mapic_reply r;
    const char *why = "", *payload = "{\"iss\":\"" ISSUER "\",\"aud\":\"mapi\",\"exp\":%lld,\"sub\":\"%s\",\"scp\":\"mapi.access\"}";
    walk_begin(&w, st, &st->ana);
    w.c.user = NULL;
    const char *ana = bearer(a, &ec, arena_printf(a, payload, (long long)time(NULL) + 60, "4711")), *bob = bearer(a, &ec, arena_printf(a, payload, (long long)time(NULL) + 60, "b o b"));
    struct mapic_odd as_ana = { .extra = arena_printf(a, "Authorization: %s\r\n", ana) }, as_bob = { .extra = arena_printf(a, "Authorization: %s\r\n", bob), .keep_cookies = true };
    struct mapic_rops rops;
    rops_init(&rops, a);
    struct blob body = mapic_execute_body(a, rops_buffer(&rops), 3, 0x10008);
    REQUIRE(mapic_call(&w.c, a, "Execute", body, &as_bob, &r, &why));
    CHECK_INT(r.code, 10); /* somebody else's */
    REQUIRE(mapic_call(&w.c, a, "Execute", body, &as_ana, &r, &why));
    CHECK_INT(r.code, 0);
    w.c.user = "ana@example.com";
    w.c.password = "secret-ana";
    REQUIRE(mapic_call(&w.c, a, "Execute", body, NULL, &r, &why));
    CHECK_INT(r.code, 0);
    struct authkit k;
    authkit_begin(&k, st);
    CHECK(authkit_logged(&k, "a0.log", "AuthenticationType=Bearer") || authkit_logged(&k, "b0.log", "AuthenticationType=Bearer") || authkit_logged(&k, "a1.log", "AuthenticationType=Bearer")
          || authkit_logged(&k, "b1.log", "AuthenticationType=Bearer"));
    CHECK_INT(authkit_ping(&k, bearer(a, &ec, arena_printf(a, payload, (long long)time(NULL) + 60, "4712"))), 200);
    CHECK_INT(k.r.code, 11);
    authkit_end(&k);
    walk_end(&w);
    stack_stop(st);
    jose_free(&ec);
    arena_free(a);
}
