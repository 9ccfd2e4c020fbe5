/* model.c - what a mailbox must hold by the answers that its client got, and what it does hold. */
#include "tests/soak/soak.h"
#include "backend/store/store_int.h"
#include "backend/store/view.h"
#include <stdio.h>
#include <stdlib.h>

static const struct actor owner = { ACTOR_OWNER, "" };

const char *model_text(struct arena *a, const struct soak_message *m)
{
    char *text = arena_alloc(a, m->body + 1), unit[64];
    int n = snprintf(unit, sizeof unit, "%s/%u ", m->name, m->body_revision);
    for (uint32_t i = 0; i < m->body; i++)
        text[i] = unit[i % (uint32_t)n];
    text[m->body] = '\0';
    return text;
}

struct soak_message *model_find(struct soak_folder *f, const char *name)
{
    for (size_t i = 0; i < f->n; i++)
        if (strcmp(f->message[i].name, name) == 0)
            return &f->message[i];
    return NULL;
}

void model_add(struct soak_folder *f, const struct soak_message *m)
{
    if (f->n < SOAK_MESSAGES)
        f->message[f->n++] = *m;
}

void model_remove(struct soak_folder *f, size_t at)
{
    f->message[at] = f->message[--f->n];
}

/* --- what is there -------------------------------------------------------------------------------------------------- */

static const uint32_t columns[] = { PidTagNormalizedSubject, PidTagSenderName, PidTagMessageFlags, PidTagBody };
enum { COLUMNS = 4, MF_READ = 1 };

struct look { struct arena *a; const struct soak_folder *f; bool seen[SOAK_MESSAGES]; size_t rows; const char *why; };

static const char *text_of(struct arena *a, const struct propval *v) { return prop_type(v->tag) == PtypString ? arena_str(a, v->v.s) : ""; }

static bool body_is(struct arena *a, const struct soak_message *m, const char *got)
{
    if (m->body == 0)
        return *got == '\0';
    const char *want = model_text(a, m);
    size_t n = strlen(got);
    return n != 0 && n <= m->body && memcmp(want, got, n) == 0; /* large bodies come as their beginning */
}

static bool look_row(void *ctx, const struct table_row *row)
{
    struct look *l = ctx;
    const struct propval *v = row->cols.v;
    const char *name = text_of(l->a, &v[0]), *revision = text_of(l->a, &v[1]);
    l->rows++;
    struct soak_message *m = model_find((struct soak_folder *)(uintptr_t)l->f, name);
    if (m == NULL) {
        l->why = arena_printf(l->a, "%s holds \"%s\" (revision %s), which should not be there", l->f->name, name, revision);
        return true;
    }
    size_t at = (size_t)(m - l->f->message);
    bool   read = prop_type(v[2].tag) == PtypInteger32 && (v[2].v.i32 & MF_READ) != 0;
    if (l->seen[at])
        l->why = arena_printf(l->a, "%s holds \"%s\" twice", l->f->name, name);
    else if (strtoul(revision, NULL, 10) != m->revision)
        l->why = arena_printf(l->a, "%s/%s has revision %s, not %u", l->f->name, name, revision, m->revision);
    else if (read != m->read)
        l->why = arena_printf(l->a, "%s/%s is %s", l->f->name, name, read ? "read" : "not read");
    else if (!body_is(l->a, m, text_of(l->a, &v[3])))
        l->why = arena_printf(l->a, "%s/%s has the body \"%.40s...\", not %u characters of revision %u", l->f->name, name, text_of(l->a, &v[3]), m->body,
                              m->body_revision);
    l->seen[at] = true;
    return true;
}

static const char *folder_differs(struct arena *a, struct mailbox *m, uint64_t fid, const struct soak_folder *f)
{
    struct table_def d = { .kind = TABLE_CONTENTS, .fid = fid, .locale = 0x0409 };
    struct table_pos pos = { 0 };
    struct view *v;
    struct look *l = arena_one(a, struct look);
    l->a = a;
    l->f = f;
    ec_t ec = view_open(m, &d, &v);
    if (ec == ecNone)
        ec = view_read(v, &pos, true, 4096, columns, COLUMNS, look_row, l);
    if (ec != ecNone)
        return arena_printf(a, "%s cannot be read: %s", f->name, err_name(ec));
    for (size_t i = 0; l->why == NULL && i < f->n; i++)
        if (!l->seen[i])
            l->why = arena_printf(a, "%s has lost \"%s\" (revision %u)", f->name, f->message[i].name, f->message[i].revision);
    return l->why;
}

struct names { struct arena *a; uint64_t fid[32]; const char *name[32]; size_t n; };

static bool name_row(void *ctx, const struct table_row *row)
{
    struct names *n = ctx;
    const char *name = text_of(n->a, &row->cols.v[0]);
    if (strncmp(name, "Soak ", 5) == 0 && n->n < 32) {
        n->fid[n->n] = row->id;
        n->name[n->n++] = name;
    }
    return true;
}

static const char *folders_differ(struct arena *a, struct mailbox *m, const struct soak_model *model)
{
    static const uint32_t tag = PidTagDisplayName;
    struct table_def d = { .kind = TABLE_HIERARCHY, .fid = mailbox_info(m)->fid[SF_IPM_SUBTREE], .locale = 0x0409 };
    struct table_pos pos = { 0 };
    struct view *v;
    struct names *n = arena_one(a, struct names);
    n->a = a;
    ec_t ec = view_open(m, &d, &v);
    if (ec == ecNone)
        ec = view_read(v, &pos, true, 4096, &tag, 1, name_row, n);
    if (ec != ecNone)
        return arena_printf(a, "the folders cannot be read: %s", err_name(ec));
    size_t wanted = 0;
    for (size_t i = 1; i < SOAK_FOLDERS; i++) {
        const struct soak_folder *f = &model->folder[i];
        if (!f->there)
            continue;
        wanted++;
        size_t at = 0;
        while (at < n->n && strcmp(n->name[at], f->name) != 0)
            at++;
        if (at == n->n)
            return arena_printf(a, "the folder %s is not there", f->name);
        const char *why = folder_differs(a, m, n->fid[at], f);
        if (why != NULL)
            return why;
    }
    return wanted == n->n ? NULL : arena_printf(a, "%zu folders instead of %zu", n->n, wanted);
}

const char *model_differs(struct arena *a, struct store *store, const struct person *who, const struct soak_model *model)
{
    struct arena *own = arena_new((size_t)1 << 28);
    struct mailbox *m;
    ec_t ec = mailbox_open(store, own, &who->mailbox, &owner, &m);
    const char *why = ec != ecNone ? err_name(ec) : folder_differs(own, m, mailbox_info(m)->fid[SF_INBOX], &model->folder[0]);
    if (why == NULL)
        why = folders_differ(own, m, model);
    if (why != NULL)
        why = arena_strdup(a, why);
    arena_free(own);
    return why;
}

unsigned model_staged(struct arena *a, struct store *store, const struct person *who)
{
    struct arena *own = arena_new((size_t)1 << 28);
    struct mailbox *m;
    unsigned n = 1;
    (void)a;
    if (mailbox_open(store, own, &who->mailbox, &owner, &m) == ecNone) {
        DB_QUERY_TEXT(q, m->db, "SOAK_STAGED", "SELECT count(*) FROM stage");
        if (db_one(&q) == ecNone)
            n = (unsigned)db_i64(&q, 0);
    }
    arena_free(own);
    return n;
}
