/* redis_tls.c - connections to Redis under TLS, where hiredis can (1.0 or newer, with libhiredis_ssl); else a wish for it is refused. */
#include "backend/base/redis_int.h"
#include <stdio.h>
#if defined(__has_include)
#if __has_include(<hiredis/hiredis_ssl.h>)
#include <hiredis/hiredis_ssl.h>
#define HAS_TLS 1
#endif
#endif

static bool fail(char why[REDIS_WHY], const char *text)
{
    snprintf(why, REDIS_WHY, "%s", text);
    return false;
}

#ifdef HAS_TLS
static const char *given(const char *s) { return s[0] != '\0' ? s : NULL; }

bool redis_tls_begin(const struct config *c, void **tls, char why[REDIS_WHY])
{
    redisSSLContextError e = REDIS_SSL_CTX_NONE;
    *tls = NULL;
    if (!c->redis_tls)
        return true;
    redisInitOpenSSL();
    *tls = redisCreateSSLContext(given(c->redis_tls_ca), NULL, given(c->redis_tls_cert), given(c->redis_tls_key), NULL, &e);
    return *tls != NULL || fail(why, redisSSLContextGetError(e));
}

void redis_tls_end(void *tls)
{
    if (tls != NULL)
        redisFreeSSLContext(tls);
}

bool redis_tls_encrypt(void *tls, redisContext *c, char why[REDIS_WHY])
{
    return tls == NULL || redisInitiateSSLWithContext(c, tls) == REDIS_OK || fail(why, c->errstr);
}
#else
bool redis_tls_begin(const struct config *c, void **tls, char why[REDIS_WHY])
{
    *tls = NULL;
    return !c->redis_tls || fail(why, "this program was built with a hiredis without TLS (older than 1.0): use stunnel, see deploy/REDIS.md");
}

void redis_tls_end(void *tls) { (void)tls; }

bool redis_tls_encrypt(void *tls, redisContext *c, char why[REDIS_WHY])
{
    (void)c;
    return tls == NULL || fail(why, "no TLS in this build");
}
#endif
