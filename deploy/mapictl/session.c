/* session.c - mapictl session: what lives in Redis, as the status page shows it. */
#include "deploy/mapictl/ctl.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* --- which ones ---------------------------------------------------------------------------------------------------------------------------- */

struct choice { const char *user; int64_t idle_s, age_s; bool any; };

static bool seconds(const char *text, int64_t *out)
{
    char *end;
    if (text == NULL)
        return true;
    *out = strtoll(text, &end, 10);
    return *text >= '0' && *text <= '9' && *end == '\0';
}

static bool take_choice(const struct ctl *c, struct choice *out)
{
    *out = (struct choice){ .user = ctl_option(c, "--user") };
    out->any = out->user != NULL || ctl_option(c, "--idle") != NULL || ctl_option(c, "--age") != NULL;
    return seconds(ctl_option(c, "--idle"), &out->idle_s) && seconds(ctl_option(c, "--age"), &out->age_s);
}

static int64_t age_s(const struct session_info *s) { return s->created_ms != 0 ? (int64_t)time(NULL) - (int64_t)(s->created_ms / 1000) : 0; }

static bool chosen(const struct choice *k, const struct session_info *s)
{
    return (k->user == NULL || strcasestr(s->user, k->user) != NULL) && s->idle_ms / 1000 >= k->idle_s && age_s(s) >= k->age_s;
}

static int by_user(const void *a, const void *b)
{
    const struct session_info *x = a, *y = b;
    int c = strcmp(x->user, y->user);
    return c != 0 ? c : x->created_ms != y->created_ms ? (x->created_ms > y->created_ms ? 1 : -1) : strcmp(x->digest, y->digest);
}

/* By user and age; a key that was found twice stands there once. */
static bool list(struct ctl *c, const struct choice *k, struct session_info **out, size_t *n)
{
    size_t all, kept = 0;
    struct session_info *v;
    if (session_list(ctl_session(c), c->a, &v, &all) != ecNone) {
        ctl_fail(c, "sessions", "Redis does not answer");
        return false;
    }
    if (all != 0)
        qsort(v, all, sizeof *v, by_user);
    for (size_t i = 0; i < all; i++)
        if (chosen(k, &v[i]) && (kept == 0 || strcmp(v[kept - 1].digest, v[i].digest) != 0))
            v[kept++] = v[i];
    *out = v;
    *n = kept;
    return true;
}

/* --- list ----------------------------------------------------------------------------------------------------------------------------------- */

static const char *mailbox_name(struct ctl *c, const struct session_info *s)
{
    struct person p;
    if (s->mailboxes == 0)
        return "";
    return directory_by_mailbox(ctl_session(c)->directory, c->a, &s->mailbox, &p) == ecNone ? p.smtp : "unknown";
}

static json_t *row(struct ctl *c, const struct session_info *s)
{
    json_t *o = json_pack("{s:s, s:s, s:s, s:s?, s:s, s:I, s:s, s:I, s:I, s:I}", "session", s->digest, "user", s->user, "client", s->client != NULL ? s->client : "",
                          "product", s->product, "mailbox", mailbox_name(c, s), "mailboxes", (json_int_t)s->mailboxes, "served_by", s->served_by, "age_s",
                          (json_int_t)age_s(s), "idle_s", (json_int_t)(s->idle_ms / 1000), "expires_s", (json_int_t)(s->expires_ms / 1000));
    json_t *more = json_pack("{s:i, s:i, s:I, s:i, s:i, s:b, s:b}", "resumed", (int)s->pauses, "moved", (int)s->moves, "sequence", (json_int_t)s->sequence, "objects",
                             (int)s->handles, "bytes", (int)s->bytes, "busy", s->locked, "waits", s->waits);
    json_object_update(o, more);
    json_decref(more);
    return o;
}

int cmd_session_list_(struct ctl *c)
{
    struct session_info *v;
    struct choice k;
    size_t n;
    if (c->argc != 0 || !take_choice(c, &k))
        return ctl_usage(c);
    if (!list(c, &k, &v, &n))
        return CTL_FAILED;
    json_t *all = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(all, row(c, &v[i]));
    return ctl_table(c, "session user mailbox sequence objects bytes age_s idle_s expires_s resumed moved busy waits served_by client", all);
}

/* --- one ------------------------------------------------------------------------------------------------------------------------------------ */

static void add_line(void *ctx, const char *text) { json_array_append_new(ctx, json_string(text)); }

int cmd_session_show_(struct ctl *c)
{
    if (c->argc != 1)
        return ctl_usage(c);
    json_t *lines = json_array(), *v;
    size_t i;
    ec_t ec = session_show(ctl_session(c), c->a, c->argv[0], add_line, lines);
    if (ec != ecNone) {
        json_decref(lines);
        return ec == ecNotFound ? ctl_fail(c, c->argv[0], "no such session") : ctl_fail(c, "sessions", "Redis does not answer");
    }
    if (c->json)
        return ctl_show(c, json_pack("{s:s, s:o}", "session", c->argv[0], "lines", lines));
    json_array_foreach(lines, i, v)
        printf("%s\n", json_string_value(v));
    json_decref(lines);
    return CTL_OK;
}

/* --- the end -------------------------------------------------------------------------------------------------------------------------------- */

static int end_one(struct ctl *c, const char *digest)
{
    ec_t ec = session_end(ctl_session(c), c->a, digest);
    if (ec != ecNone)
        return ec == ecNotFound ? ctl_fail(c, digest, "no such session") : ctl_fail(c, "sessions", "Redis does not answer");
    return ctl_show(c, json_pack("{s:s, s:b}", "session", digest, "ended", 1));
}

int cmd_session_end_(struct ctl *c)
{
    struct choice k;
    struct session_info *v;
    size_t n, ended = 0;
    if (!take_choice(c, &k) || (c->argc == 1) == k.any || c->argc > 1)
        return ctl_usage(c);
    if (!k.any)
        return end_one(c, c->argv[0]);
    if (!list(c, &k, &v, &n))
        return CTL_FAILED;
    for (size_t i = 0; i < n; i++) {
        ec_t ec = session_end(ctl_session(c), c->a, v[i].digest);
        if (ec != ecNone && ec != ecNotFound)
            return ctl_fail(c, v[i].digest, "Redis does not answer");
        ended += ec == ecNone;
    }
    return ctl_show(c, json_pack("{s:I}", "ended", (json_int_t)ended));
}
