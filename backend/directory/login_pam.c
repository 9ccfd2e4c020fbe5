/* login_pam.c - passwords checked by the system's PAM stack of config pam_service. */
#include "backend/base/log.h"
#include "backend/base/must.h"
#include "backend/directory/login_int.h"
#include <security/pam_appl.h>
#include <stdlib.h>

struct talk { const char *user, *password; };

static const char *reply_to(const struct talk *t, int style)
{
    return style == PAM_PROMPT_ECHO_OFF ? t->password : style == PAM_PROMPT_ECHO_ON ? t->user : NULL;
}

/* A stack asks for a password, perhaps for the name; what it only says is not for anybody's eyes.  PAM frees what we allocate. */
static int converse(int n, const struct pam_message **message, struct pam_response **out, void *ctx)
{
    if (n <= 0 || n > PAM_MAX_NUM_MSG)
        return PAM_CONV_ERR;
    struct pam_response *r = calloc((size_t)n, sizeof *r);
    must(r != NULL);
    for (int i = 0; i < n; i++) {
        const char *text = reply_to(ctx, message[i]->msg_style);
        r[i].resp = text != NULL ? strdup(text) : NULL;
        must(text == NULL || r[i].resp != NULL);
    }
    *out = r;
    return PAM_SUCCESS;
}

/* Delays are ours: a thread does not sleep for a wrong password. */
static void no_delay(int rc, unsigned us, void *ctx) { (void)rc, (void)us, (void)ctx; }

static enum answer judge(pam_handle_t *h, int rc)
{
    switch (rc) {
    case PAM_SUCCESS:
        return ANSWER_YES;
    case PAM_AUTH_ERR: case PAM_USER_UNKNOWN: case PAM_MAXTRIES: case PAM_PERM_DENIED: case PAM_ACCT_EXPIRED: case PAM_NEW_AUTHTOK_REQD: case PAM_CRED_INSUFFICIENT:
        return ANSWER_NO;
    default:
        log_line(LOGL_ERROR, "directory", "PAM does not answer", "error", pam_strerror(h, rc), NULL);
        return ANSWER_DOWN;
    }
}

static const char *as_it_is(struct arena *a, const char *value)
{
    (void)a;
    return value;
}

enum answer login_pam(const struct question *q)
{
    const struct config *c = q->d->config;
    struct talk talk = { login_fill(q->a, c->pam_user, q->login, as_it_is), q->password };
    const struct pam_conv conv = { converse, &talk };
    pam_handle_t *h = NULL;
    int rc = *c->pam_confdir != '\0' ? pam_start_confdir(c->pam_service, talk.user, &conv, c->pam_confdir, &h) : pam_start(c->pam_service, talk.user, &conv, &h);
    if (rc != PAM_SUCCESS) {
        log_line(LOGL_ERROR, "directory", "PAM cannot be started", "value", c->pam_service, NULL);
        return ANSWER_DOWN;
    }
    pam_set_item(h, PAM_FAIL_DELAY, (const void *)(uintptr_t)no_delay);
    if (q->addr != NULL && *q->addr != '\0')
        pam_set_item(h, PAM_RHOST, q->addr);
    rc = pam_authenticate(h, PAM_SILENT | PAM_DISALLOW_NULL_AUTHTOK);
    if (rc == PAM_SUCCESS)
        rc = pam_acct_mgmt(h, PAM_SILENT | PAM_DISALLOW_NULL_AUTHTOK);
    enum answer answer = judge(h, rc);
    pam_end(h, rc);
    return answer;
}
