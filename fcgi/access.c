/* access.c - what happened to a request, in one line. */
#include "fcgi/access.h"
#include "backend/base/crypto.h"
#include "backend/base/filetime.h"
#include "backend/base/rd.h"
#include "backend/base/wr.h"
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

static atomic_int fd = -1;

bool access_open(const char *path)
{
    if (*path == '\0')
        return true;
    int now = strcmp(path, "-") == 0 ? dup(STDOUT_FILENO) : open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    if (now < 0)
        return false;
    if (fd < 0) {
        fd = now;
        return true;
    }
    bool moved = dup3(now, fd, O_CLOEXEC) >= 0; /* the number stays: other threads are writing to it */
    close(now);
    return moved;
}

bool access_on(void) { return fd >= 0; }

/* --- fields -------------------------------------------------------------------------------------------------------- */

static void put(struct wr *w, const char *s) { wr_bytes(w, s, strlen(s)); }

/* A value cannot break the line apart: blanks, quotes and control bytes put it into quotes, escaped. */
static void put_value(struct wr *w, const char *s)
{
    bool bare = *s != '\0';
    for (const char *p = s; *p != '\0'; p++)
        bare = bare && (unsigned char)*p > 0x20 && *p != '"' && *p != '\\' && *p != 0x7f;
    if (bare) {
        put(w, s);
        return;
    }
    put(w, "\"");
    for (const char *p = s; *p != '\0'; p++) {
        char code[8];
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            wr_bytes(w, code, (size_t)snprintf(code, sizeof code, "\\x%02x", (unsigned)(unsigned char)*p));
        else if (*p == '"' || *p == '\\')
            wr_bytes(w, code, (size_t)snprintf(code, sizeof code, "\\%c", *p));
        else
            wr_u8(w, (uint8_t)*p);
    }
    put(w, "\"");
}

static void field(struct wr *w, const char *key, const char *value)
{
    size_t mark = wr_mark(w);
    if (value == NULL || w->full)
        return;
    if (mark != 0)
        put(w, " ");
    put(w, key);
    put(w, "=");
    put_value(w, value);
    if (w->full)
        wr_rewind(w, mark); /* this one does not fit, a shorter one may */
}

static void number(struct wr *w, const char *key, uint64_t v)
{
    char text[24];
    snprintf(text, sizeof text, "%llu", (unsigned long long)v);
    field(w, key, text);
}

static void digest(struct wr *w, const char *key, const char *cookie)
{
    uint8_t sum[SHA256];
    char text[17];
    if (cookie == NULL)
        return;
    crypto_sha256(blob_str(cookie), sum);
    for (size_t i = 0; i < 8; i++)
        snprintf(text + 2 * i, 3, "%02x", sum[i]);
    field(w, key, text);
}

static void hex(struct wr *w, const char *key, uint32_t v)
{
    char text[16];
    snprintf(text, sizeof text, "0x%x", v);
    field(w, key, text);
}

static void put_time(struct wr *w, time_t t)
{
    struct tm tm;
    char text[32];
    gmtime_r(&t, &tm);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
    field(w, "DateTime", text);
}

static void put_who(struct wr *w, const struct person *who)
{
    char guid[GUID_TEXT];
    if (who == NULL)
        return;
    field(w, "AuthenticatedUser", who->login);
    field(w, "AuthenticatedUserEmail", who->smtp);
    field(w, "AuthenticationType", "Basic");
    if (who->has_mailbox)
        field(w, "MailboxId", guid_text(&who->mailbox, guid));
}

static void put_result(struct wr *w, const struct access *x)
{
    number(w, "HttpStatusCode", (uint64_t)x->http);
    if (x->code >= 0)
        number(w, "ResponseCode", (uint64_t)x->code);
    struct rd body = rd_blob_of(x->body);
    if (x->code == 0 && body.n >= 8) {
        hex(w, "StatusCode", rd_u32(&body));
        hex(w, "ReturnCode", rd_u32(&body));
    }
}

size_t access_line(const struct access *x, char out[ACCESS_LINE])
{
    struct wr w = wr_over(out, ACCESS_LINE - 2);
    put_time(&w, x->rq->begun);
    field(&w, "RequestType", x->rq->type);
    if (x->endpoint == NULL) {
        field(&w, "Method", x->rq->method);
        field(&w, "Path", x->rq->path);
    }
    put_result(&w, x);
    number(&w, "TotalRequestLatency", x->total_us);
    number(&w, "AuthModuleLatency", x->auth_us);
    number(&w, "RequestBytes", x->rq->body.n);
    number(&w, "ResponseBytes", x->out);
    if (x->early)
        field(&w, "EarlyHead", "1");
    put_who(&w, x->who);
    field(&w, "ClientIP", x->rq->addr);
    digest(&w, "SessionCookie", x->rq->context_cookie);
    digest(&w, "SequenceCookie", x->rq->sequence_cookie);
    field(&w, "MapiRequestId", x->rq->id);
    field(&w, "ClientRequestId", x->rq->client_request_id);
    field(&w, "MapiClientInfo", x->rq->client_info);
    field(&w, "ClientSoftware", x->rq->client_app);
    out[w.n] = '\0';
    return w.n;
}

void access_write(const struct access *x)
{
    char text[ACCESS_LINE];
    size_t n = access_line(x, text);
    text[n++] = '\n';
    ssize_t done = write(fd, text, n);
    (void)done; /* a log that cannot be written must not stop the mail */
}
