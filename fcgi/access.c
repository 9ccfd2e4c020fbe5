/* access.c - what happened to a request, in one line. */
#include "fcgi/access.h"
#include "backend/base/crypto.h"
#include "backend/base/rd.h"
#include "backend/base/utf.h"
#include "backend/base/wr.h"
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

enum kind { TEXT, NUM };

enum column {
#define COLUMN(name, kind, text) COL_##name,
#include "fcgi/access.def"
    COLUMNS
};

static const struct { const char *name; enum kind kind; } columns[COLUMNS] = {
#define COLUMN(name, kind, text) { #name, kind },
#include "fcgi/access.def"
};

static atomic_int  fd = -1;
static atomic_bool on, as_json;

bool access_open(const char *path, bool json)
{
    as_json = json;
    if (*path == '\0') {
        on = false;
        return true;
    }
    int now = strcmp(path, "-") == 0 ? dup(STDOUT_FILENO) : open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    if (now < 0)
        return false;
    if (fd < 0) {
        fd = now;
        on = true;
        return true;
    }
    on = dup3(now, fd, O_CLOEXEC) >= 0; /* the number stays: other threads are writing to it */
    close(now);
    return on;
}

bool access_on(void) { return on; }

/* --- fields -------------------------------------------------------------------------------------------------------- */

struct line { struct wr w; bool json; };

static void put(struct wr *w, const char *s) { wr_bytes(w, s, strlen(s)); }

static void put_quoted(struct line *l, const char *s)
{
    bool text = utf8_valid(blob_str(s));
    put(&l->w, "\"");
    for (const char *p = s; *p != '\0'; p++) {
        unsigned char c = (unsigned char)*p;
        char code[8];
        if (c < 0x20 || c == 0x7f || (c >= 0x80 && !text))
            wr_bytes(&l->w, code, (size_t)snprintf(code, sizeof code, l->json ? "\\u%04x" : "\\x%02x", (unsigned)c));
        else if (c == '"' || c == '\\')
            wr_bytes(&l->w, code, (size_t)snprintf(code, sizeof code, "\\%c", c));
        else
            wr_u8(&l->w, c);
    }
    put(&l->w, "\"");
}

/* A value cannot break the line apart: blanks, quotes, control bytes and what is no UTF-8 put it into quotes, escaped. */
static bool is_bare(const char *s)
{
    for (const char *p = s; *p != '\0'; p++)
        if ((unsigned char)*p <= 0x20 || *p == '"' || *p == '\\' || *p == 0x7f)
            return false;
    return *s != '\0' && utf8_valid(blob_str(s));
}

static void field(struct line *l, enum column c, const char *value)
{
    struct wr *w = &l->w;
    size_t mark = wr_mark(w);
    if (value == NULL)
        return;
    if (l->json) {
        put(w, mark > 1 ? ",\"" : "\"");
        put(w, columns[c].name);
        put(w, "\":");
    } else {
        put(w, mark != 0 ? " " : "");
        put(w, columns[c].name);
        put(w, "=");
    }
    if (columns[c].kind == NUM || (!l->json && is_bare(value)))
        put(w, value);
    else
        put_quoted(l, value);
    if (w->full)
        wr_rewind(w, mark); /* this one does not fit, a shorter one may */
}

static void number(struct line *l, enum column c, uint64_t v)
{
    char text[24];
    snprintf(text, sizeof text, "%llu", (unsigned long long)v);
    field(l, c, text);
}

static void hex(struct line *l, enum column c, uint32_t v)
{
    char text[16];
    snprintf(text, sizeof text, "0x%x", v);
    field(l, c, text);
}

/* --- groups of columns --------------------------------------------------------------------------------------------- */

static void put_time(struct line *l, const struct request *rq)
{
    struct tm tm;
    char text[48];
    gmtime_r(&rq->begun, &tm);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
    field(l, COL_DateTime, text);
}

static void put_request(struct line *l, const struct access *x)
{
    field(l, COL_RequestId, x->rq->server_id);
    field(l, COL_MapiRequestId, x->rq->id);
    field(l, COL_ClientRequestId, x->rq->client_request_id);
    field(l, COL_Endpoint, x->endpoint != NULL ? x->endpoint : x->rq->path);
    field(l, COL_RequestType, x->rq->type);
    if (x->rq->method != NULL && strcmp(x->rq->method, "POST") != 0)
        field(l, COL_Method, x->rq->method);
}

static void put_result(struct line *l, const struct access *x)
{
    number(l, COL_HttpStatusCode, (uint64_t)x->http);
    if (x->code >= 0)
        number(l, COL_ResponseCode, (uint64_t)x->code);
    struct rd body = rd_blob_of(x->body);
    if (x->code == 0 && body.n >= 8) {
        hex(l, COL_StatusCode, rd_u32(&body));
        hex(l, COL_ReturnCode, rd_u32(&body));
    }
}

static void put_costs(struct line *l, const struct access *x)
{
    number(l, COL_TotalRequestLatency, x->total_us);
    number(l, COL_AuthModuleLatency, x->auth_us);
    number(l, COL_RedisLatency, x->redis_us);
    number(l, COL_StoreLatency, x->store_us);
    number(l, COL_RequestBytes, x->rq->body.n);
    number(l, COL_ResponseBytes, x->out);
    if (x->early)
        number(l, COL_EarlyHead, 1);
}

static void put_who(struct line *l, const struct access *x)
{
    char guid[GUID_TEXT];
    if (x->who != NULL) {
        field(l, COL_AuthenticatedUser, x->who->login);
        field(l, COL_AuthenticatedUserEmail, x->who->smtp);
        field(l, COL_AuthenticationType, x->method);
    }
    if (x->note != NULL && x->note->mailboxes != NULL)
        field(l, COL_MailboxId, x->note->mailboxes);
    else if (x->who != NULL && x->who->has_mailbox)
        field(l, COL_MailboxId, guid_text(&x->who->mailbox, guid));
    field(l, COL_ClientIP, x->rq->addr);
}

/* "Outlook/16.0.4266.1001" -> program and version; what has no version is a program. */
static void put_software(struct line *l, const struct request *rq)
{
    char program[256];
    const char *text = rq->client_app != NULL ? rq->client_app : rq->user_agent;
    if (text == NULL)
        return;
    const char *slash = strchr(text, '/');
    snprintf(program, sizeof program, "%.*s", slash != NULL ? (int)(slash - text) : (int)strlen(text), text);
    field(l, COL_ClientSoftware, program);
    field(l, COL_ClientSoftwareVersion, slash != NULL ? slash + 1 : NULL);
}

/* A cookie that names no session: enough to see that two requests carried the same. */
static void put_unknown(struct line *l, const char *cookie)
{
    uint8_t sum[SHA256];
    char text[24];
    if (cookie == NULL)
        return;
    crypto_sha256(blob_str(cookie), sum);
    snprintf(text, sizeof text, "unknown-%02x%02x%02x%02x", sum[0], sum[1], sum[2], sum[3]);
    field(l, COL_SessionCookie, text);
}

static void put_session(struct line *l, const struct access *x)
{
    if (x->session != NULL)
        field(l, COL_SessionCookie, x->session);
    else
        put_unknown(l, x->rq->context_cookie);
    if (x->note != NULL && x->note->sequence != 0)
        number(l, COL_SequenceCookie, x->note->sequence);
    field(l, COL_MapiClientInfo, x->rq->client_info);
    put_software(l, x->rq);
    if (x->note != NULL)
        field(l, COL_ClientMode, x->note->client_mode);
    field(l, COL_Worker, x->worker);
    field(l, COL_ServerVersion, x->version);
    if (x->note != NULL)
        field(l, COL_RopIds, x->note->rops);
    field(l, COL_GenericErrors, x->diagnosis);
}

size_t access_line(const struct access *x, bool json, char out[ACCESS_LINE])
{
    struct line l = { wr_over(out, ACCESS_LINE - 3), json };
    if (json)
        put(&l.w, "{");
    put_time(&l, x->rq);
    put_request(&l, x);
    put_result(&l, x);
    put_costs(&l, x);
    put_who(&l, x);
    put_session(&l, x);
    if (json)
        out[l.w.n++] = '}';
    out[l.w.n] = '\0';
    return l.w.n;
}

void access_write(const struct access *x)
{
    char text[ACCESS_LINE];
    size_t n = access_line(x, as_json, text);
    text[n++] = '\n';
    ssize_t done = write(fd, text, n);
    (void)done; /* a log that cannot be written must not stop the mail */
}
