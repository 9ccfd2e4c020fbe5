/* auth_negotiate.c - a Kerberos ticket in an SPNEGO token (RFC 4559) becomes a person, and the server's own proof for the answer.
 *
 * One leg: the token must do by itself, since the next request may reach another worker.  NTLM needs three and ties itself to a connection: it is refused.
 * Channel bindings are never asked for; TLS may end in front of us. */
#include "fcgi/auth_int.h"
#include "backend/base/crypto.h"
#include "backend/base/log.h"
#include "backend/base/must.h"
#include <ctype.h>
#include <gssapi/gssapi_ext.h>
#include <gssapi/gssapi_krb5.h>
#include <stdlib.h>

enum { TOKEN_MOST = 65536, GREETING_MOST = 1024 };

struct auth_gss { gss_cred_id_t cred; };

static const char *words_of(struct arena *a, OM_uint32 code, int kind)
{
    OM_uint32 minor, more = 0;
    gss_buffer_desc text;
    if (gss_display_status(&minor, code, kind, GSS_C_NO_OID, &more, &text) != GSS_S_COMPLETE)
        return "";
    const char *words = arena_str(a, blob_of(text.value, text.length));
    gss_release_buffer(&minor, &text);
    return words;
}

static const char *why_not(struct arena *a, OM_uint32 major, OM_uint32 minor)
{
    return arena_printf(a, "%s: %s", words_of(a, major, GSS_C_GSS_CODE), words_of(a, minor, GSS_C_MECH_CODE));
}

/* Any HTTP principal of the keytab serves, so that internal and external names can differ; the file is read again for each ticket.  No replay cache: it would be
 * this host's only, and what a repeated request may do is decided by the session. */
struct auth_gss *auth_gss_new(const char *keytab, struct arena *a, const char **why)
{
    OM_uint32 minor, major;
    gss_key_value_element_desc item[] = { { "keytab", keytab }, { "rcache", "none:" } };
    const gss_key_value_set_desc store = { 2, item };
    struct auth_gss *g = calloc(1, sizeof *g);
    must(g != NULL);
    major = gss_acquire_cred_from(&minor, GSS_C_NO_NAME, GSS_C_INDEFINITE, GSS_C_NO_OID_SET, GSS_C_ACCEPT, &store, &g->cred, NULL, NULL);
    if (major == GSS_S_COMPLETE)
        return g;
    *why = arena_printf(a, "kerberos_keytab %s: %s", keytab, why_not(a, major, minor));
    free(g);
    return NULL;
}

void auth_gss_free(struct auth_gss *g)
{
    OM_uint32 minor;
    if (g != NULL)
        gss_release_cred(&minor, &g->cred);
    free(g);
}

/* --- whose ticket ------------------------------------------------------------------------------------------------------ */

/* The domain of a realm by config kerberos_realms; NULL: not one of ours. */
static const char *domain_of(struct arena *a, const char *words, const char *realm)
{
    size_t n = strlen(realm);
    if (*words == '\0')
        return realm;
    for (const char *p = words + strspn(words, " ,"); *p != '\0'; p += strcspn(p, " ,"), p += strspn(p, " ,")) {
        size_t whole = strcspn(p, " ,");
        if (strncmp(p, realm, n) == 0 && whole == n)
            return realm;
        if (strncmp(p, realm, n) == 0 && p[n] == '=' && whole > n + 1)
            return arena_str(a, blob_of(p + n + 1, whole - n - 1));
    }
    return NULL;
}

/* user@REALM -> user@domain.  Services (a/b@REALM) and names with escapes are persons only by the map. */
static const char *login_of(struct auth_try *t, const char *principal)
{
    const char *at = strrchr(principal, '@');
    if (at == NULL || at == principal || strcspn(principal, "/\\@") != (size_t)(at - principal))
        return NULL;
    const char *domain = domain_of(t->a, t->e->config->kerberos_realms, at + 1);
    return domain != NULL ? arena_printf(t->a, "%.*s@%s", (int)(at - principal), principal, domain) : NULL;
}

static enum auth person_of(struct auth_try *t, gss_name_t name)
{
    OM_uint32 minor;
    gss_buffer_desc text;
    if (gss_display_name(&minor, name, &text, NULL) != GSS_S_COMPLETE)
        return AUTH_WRONG;
    const char *principal = arena_str(t->a, blob_of(text.value, text.length));
    gss_release_buffer(&minor, &text);
    return auth_person(t, METHOD_NEGOTIATE, principal, login_of(t, principal));
}

/* --- the token --------------------------------------------------------------------------------------------------------- */

static bool is_ntlm(struct blob token) { return token.n >= 8 && memmem(token.p, token.n < 512 ? token.n : 512, "NTLMSSP", 8) != NULL; }

static const char *greeting(struct auth_try *t, const gss_buffer_desc *proof)
{
    const char *text = proof->length != 0 ? base64(t->a, blob_of(proof->value, proof->length)) : "";
    return *text != '\0' && strlen(text) <= GREETING_MOST ? arena_printf(t->a, "WWW-Authenticate: Negotiate %s\r\n", text) : NULL;
}

static enum auth accept_token(struct auth_try *t, struct blob token)
{
    OM_uint32 minor, ignored;
    gss_ctx_id_t ctx = GSS_C_NO_CONTEXT;
    gss_name_t client = GSS_C_NO_NAME;
    gss_buffer_desc in = { token.n, (void *)(uintptr_t)token.p }, proof = GSS_C_EMPTY_BUFFER;
    OM_uint32 major = gss_accept_sec_context(&minor, &ctx, t->e->gss->cred, &in, GSS_C_NO_CHANNEL_BINDINGS, &client, NULL, &proof, NULL, NULL, NULL);
    enum auth outcome = AUTH_WRONG;
    if (major == GSS_S_COMPLETE)
        outcome = person_of(t, client);
    else
        t->out->name = major == GSS_S_CONTINUE_NEEDED ? "(needs more than one step)" : why_not(t->a, major, minor);
    if (outcome == AUTH_OK)
        t->out->greeting = greeting(t, &proof);
    gss_release_buffer(&ignored, &proof);
    gss_release_name(&ignored, &client);
    gss_delete_sec_context(&ignored, &ctx, GSS_C_NO_BUFFER);
    return outcome;
}

enum auth auth_by_negotiate(struct auth_try *t)
{
    struct blob token;
    size_t n = strcspn(t->token, " \t");
    if (n > TOKEN_MOST || !base64_decode(t->a, arena_str(t->a, blob_of(t->token, n)), &token) || token.n == 0)
        return AUTH_ABSENT;
    if (is_ntlm(token)) {
        t->no_negotiate = true;
        t->out->name = "(NTLM)";
        return AUTH_WRONG;
    }
    return accept_token(t, token);
}
