/* status_page.c - what is known -> HTML: tiles, three small charts, the table of sessions. */
#include "fcgi/history.h"
#include "fcgi/status.h"
#include "backend/base/crypto.h"
#include "backend/base/wr.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

static const char style[] =
    ":root{color-scheme:light;--ink:#1d2733;--soft:#5d6b7a;--line:#dfe5ec;--back:#f5f7fa;--card:#fff;--blue:#2563a8;--red:#b3372f;--green:#2d7a4b}"
    "*{box-sizing:border-box}body{margin:0;background:var(--back);color:var(--ink);font:14px/1.45 system-ui,\"Segoe UI\",\"DejaVu Sans\",sans-serif}"
    "header{background:var(--card);border-bottom:1px solid var(--line);padding:14px 24px;display:flex;gap:16px;align-items:baseline;flex-wrap:wrap}"
    "h1{font-size:19px;margin:0}header span{color:var(--soft)}header .who{margin-left:auto}main{padding:20px 24px;max-width:1500px;margin:0 auto}"
    ".tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(130px,1fr));gap:12px;margin:0 0 16px}"
    ".tile,.chart,.box{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:12px 14px}"
    ".tile b{display:block;font-size:24px;font-weight:600;font-variant-numeric:tabular-nums}.tile span,.chart figcaption{color:var(--soft);font-size:13px}"
    ".charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(280px,1fr));gap:12px;margin:0 0 16px}figure{margin:0}svg{display:block;width:100%;height:84px}"
    "figcaption{display:flex;justify-content:space-between;margin:0 0 6px}figcaption b{color:var(--ink);font-weight:600}"
    ".scroll{overflow-x:auto}table{border-collapse:collapse;width:100%}th{text-align:left;color:var(--soft);font-weight:500;font-size:13px;white-space:nowrap}"
    "th,td{padding:6px 10px;border-bottom:1px solid var(--line);vertical-align:top}tr.first td{border-top:2px solid var(--line)}td.n,th.n{text-align:right;"
    "font-variant-numeric:tabular-nums;white-space:nowrap}td.user{font-weight:600}small{color:var(--soft);display:block}code{font-size:12px;color:var(--soft)}"
    ".state{display:inline-block;border-radius:10px;padding:0 8px;font-size:12px;white-space:nowrap;background:#eef1f5;color:var(--soft)}"
    ".waits{background:#e3eefb;color:var(--blue)}.busy{background:#e2f3e8;color:var(--green)}"
    "button{font:inherit;font-size:13px;padding:2px 10px;border:1px solid var(--line);border-radius:6px;background:#fff;color:var(--red);cursor:pointer}"
    "button:hover{border-color:var(--red)}button.plain{color:var(--ink)}input{font:inherit;padding:3px 8px;border:1px solid var(--line);border-radius:6px}"
    ".bar{display:flex;gap:12px;align-items:center;flex-wrap:wrap;margin:0 0 10px}.bar h2{font-size:16px;margin:0}.bar form{margin-left:auto;display:flex;gap:6px}"
    "nav{display:flex;gap:10px;margin:12px 0 0;align-items:center;color:var(--soft)}a{color:var(--blue)}.note{border-left:4px solid var(--green);margin:0 0 16px}"
    ".bad{border-color:var(--red)}.empty{color:var(--soft);padding:24px;text-align:center}";

struct page { struct wr w; struct arena *a; };

static void put(struct page *p, const char *s) { wr_bytes(&p->w, s, strlen(s)); }

__attribute__((format(printf, 2, 3))) static void putf(struct page *p, const char *format, ...)
{
    char text[700];
    va_list ap;
    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    put(p, text);
}

/* Text of others: nothing in it is markup. */
static void text(struct page *p, const char *s)
{
    for (; *s != '\0'; s++) {
        switch (*s) {
        case '<': put(p, "&lt;"); break;
        case '>': put(p, "&gt;"); break;
        case '&': put(p, "&amp;"); break;
        case '"': put(p, "&quot;"); break;
        case '\'': put(p, "&#39;"); break;
        default: wr_u8(&p->w, (uint8_t)*s); break;
        }
    }
}

/* 3725 s -> "1 h 2 min": two units at most. */
static const char *span(struct arena *a, int64_t ms)
{
    int64_t s = ms > 0 ? ms / 1000 : 0;
    if (s < 60)
        return arena_printf(a, "%" PRId64 " s", s);
    if (s < 3600)
        return arena_printf(a, "%" PRId64 " min", s / 60);
    if (s < 86400)
        return arena_printf(a, "%" PRId64 " h %" PRId64 " min", s / 3600, s / 60 % 60);
    return arena_printf(a, "%" PRId64 " d %" PRId64 " h", s / 86400, s / 3600 % 24);
}

const char *status_policy(struct arena *a)
{
    uint8_t sum[SHA256];
    crypto_sha256(blob_str(style), sum);
    return arena_printf(a, "default-src 'none'; style-src 'sha256-%s'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'", base64(a, blob_of(sum, SHA256)));
}

/* --- above the table -------------------------------------------------------------------------------------------------- */

static void put_head(struct page *p, const struct status_view *v)
{
    put(p, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>mapihttpd status</title><style>");
    put(p, style);
    put(p, "</style></head><body>\n<header><h1>mapihttpd</h1><span>version ");
    text(p, v->version);
    put(p, ", answered by ");
    text(p, v->worker);
    put(p, v->draining ? " <span class=\"state busy\">draining</span>" : "");
    put(p, "</span><span class=\"who\">");
    text(p, v->admin);
    put(p, "</span></header>\n<main>\n");
    if (v->ended != NULL)
        putf(p, "<p class=\"box note\" id=\"ended\">Session %s has ended.</p>\n", v->ended);
    if (v->failed != NULL)
        putf(p, "<p class=\"box note bad\" id=\"failed\">%s</p>\n", v->failed);
    if (!v->reachable)
        put(p, "<p class=\"box note bad\" id=\"redis\">Redis does not answer: sessions cannot be shown.</p>\n");
}

static void tile(struct page *p, const char *name, uint64_t n) { putf(p, "<div class=\"tile\"><b>%" PRIu64 "</b><span>%s</span></div>", n, name); }

static void put_tiles(struct page *p, const struct status_view *v)
{
    put(p, "<section class=\"tiles\" id=\"tiles\">");
    tile(p, "sessions, all hosts", v->all);
    tile(p, "users, all hosts", v->users);
    tile(p, "pending waits, all hosts", v->waits);
    tile(p, "waits on this host", v->waits_here);
    tile(p, "workers on this host", v->workers);
    tile(p, "nginx connections here", v->connections);
    put(p, "</section>\n");
}

enum measure { REQUESTS, LATENCY, FAILED };

static double measured(const struct history_sum *h, enum measure m)
{
    return m == REQUESTS ? (double)h->requests : m == FAILED ? (double)h->failed : h->timed != 0 ? (double)h->us / (double)h->timed / 1000 : 0;
}

/* A bar a minute; the highest fills the height. */
static void chart(struct page *p, const struct status_view *v, enum measure m, const char *id, const char *title, const char *colour, const char *unit)
{
    double most = 0;
    for (size_t i = 0; i < HISTORY_MINUTES; i++)
        most = measured(&v->hour[i], m) > most ? measured(&v->hour[i], m) : most;
    putf(p, "<figure class=\"chart\" id=\"%s\"><figcaption><b>%s</b><span>now %.*f%s, most %.*f%s</span></figcaption>"
            "<svg viewBox=\"0 0 600 80\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"%s of the last hour\">"
            "<line x1=\"0\" y1=\"79.5\" x2=\"600\" y2=\"79.5\" stroke=\"#c6d0da\"/>",
         id, title, m == LATENCY, measured(&v->hour[HISTORY_MINUTES - 1], m), unit, m == LATENCY, most, unit, title);
    for (size_t i = 0; i < HISTORY_MINUTES; i++) {
        double height = most > 0 ? measured(&v->hour[i], m) / most * 76 : 0;
        if (height > 0)
            putf(p, "<rect x=\"%zu\" y=\"%.1f\" width=\"8\" height=\"%.1f\" rx=\"1\" fill=\"%s\"/>", i * 10 + 1, 79 - height, height, colour);
    }
    put(p, "</svg></figure>");
}

static void put_charts(struct page *p, const struct status_view *v)
{
    put(p, "<section class=\"charts\">");
    chart(p, v, REQUESTS, "requests", "Requests per minute", "#2563a8", "");
    chart(p, v, LATENCY, "latency", "Mean time", "#7a5ea8", " ms");
    chart(p, v, FAILED, "failures", "Failures per minute", "#b3372f", "");
    put(p, "</section>\n");
}

/* --- the table -------------------------------------------------------------------------------------------------------- */

static void put_state(struct page *p, const struct session_info *s)
{
    put(p, s->locked ? "<td><span class=\"state busy\">request runs</span>" : s->waits ? "<td><span class=\"state waits\">waits</span>" : "<td><span class=\"state\">idle</span>");
    put(p, "</td>");
}

static void put_session(struct page *p, const struct status_view *v, size_t i)
{
    const struct session_info *s = &v->session[i];
    bool first = i == 0 || strcmp(v->session[i - 1].user, s->user) != 0;
    put(p, first ? "<tr class=\"first\"><td class=\"user\">" : "<tr><td class=\"user\">");
    text(p, first ? s->user : "");
    put(p, "</td><td>");
    text(p, s->product != NULL ? s->product : s->client);
    if (s->product != NULL) {
        put(p, "<small>");
        text(p, s->client);
        put(p, "</small>");
    }
    put(p, "</td><td>");
    text(p, v->mailbox[i]);
    putf(p, "<small><code>%s</code></small></td>", s->digest);
    put_state(p, s);
    put(p, "<td>");
    text(p, s->served_by);
    putf(p, "</td><td class=\"n\">%s</td><td class=\"n\">%s</td><td class=\"n\">%s</td><td class=\"n\">%u</td><td class=\"n\">%u</td><td class=\"n\">%u</td>",
         s->created_ms != 0 ? span(p->a, v->now_ms - (int64_t)s->created_ms) : "", s->locked || s->waits ? "" : span(p->a, s->idle_ms), span(p->a, s->expires_ms), s->pauses, s->moves,
         s->handles);
    putf(p, "<td><form method=\"post\" action=\"/status/end\"><input type=\"hidden\" name=\"session\" value=\"%s\">"
            "<input type=\"hidden\" name=\"token\" value=\"%s\"><button>End</button></form></td></tr>\n", s->digest, v->token[i]);
}

static void link_to(struct page *p, const struct status_view *v, size_t page, const char *words)
{
    putf(p, "<a href=\"/status?page=%zu", page);
    if (*v->filter != '\0') {
        put(p, "&amp;user=");
        for (const char *c = v->filter; *c != '\0'; c++)
            putf(p, "%%%02X", (unsigned)(unsigned char)*c);
    }
    putf(p, "\">%s</a>", words);
}

static void put_table(struct page *p, const struct status_view *v)
{
    put(p, "<section class=\"box\" id=\"sessions\"><div class=\"bar\"><h2>Sessions</h2><form action=\"/status\"><input name=\"user\" placeholder=\"part of a user name\" value=\"");
    text(p, v->filter);
    put(p, "\"><button class=\"plain\">Show</button></form></div>\n");
    if (v->sessions == 0)
        put(p, "<p class=\"empty\">No sessions.</p>\n");
    else
        put(p, "<div class=\"scroll\"><table><thead><tr><th>User</th><th>Client</th><th>Mailbox, session</th><th>State</th><th>Last served by</th><th class=\"n\">Age</th><th class=\"n\">Idle</th>"
               "<th class=\"n\">Kept for</th><th class=\"n\">Resumed</th><th class=\"n\">Moved</th><th class=\"n\">Objects</th><th></th></tr></thead><tbody>\n");
    for (size_t i = 0; i < v->sessions; i++)
        put_session(p, v, i);
    if (v->sessions != 0)
        put(p, "</tbody></table></div>\n");
    if (v->pages > 1) {
        put(p, "<nav>");
        if (v->page > 1)
            link_to(p, v, v->page - 1, "&larr; before");
        putf(p, "<span>page %zu of %zu</span>", v->page, v->pages);
        if (v->page < v->pages)
            link_to(p, v, v->page + 1, "next &rarr;");
        put(p, "</nav>\n");
    }
    put(p, "</section>\n");
}

struct blob status_page(struct arena *a, const struct status_view *v)
{
    struct page p = { wr_in(a, SIZE_MAX / 4), a };
    put_head(&p, v);
    put_tiles(&p, v);
    put_charts(&p, v);
    put_table(&p, v);
    put(&p, "</main></body></html>\n");
    return wr_blob(&p.w);
}
