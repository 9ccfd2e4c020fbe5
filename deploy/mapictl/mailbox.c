/* mailbox.c - mapictl mailbox: files, sizes, consistency, rights. */
#include "deploy/mapictl/ctl.h"
#include "deploy/mapictl/folder.h"
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>

int cmd_mailbox_list(struct ctl *c)
{
    struct person *v;
    size_t n;
    if (c->argc != 0)
        return ctl_usage(c);
    ec_t ec = directory_list(ctl_directory(c), c->a, &v, &n);
    if (ec != ecNone)
        return ctl_ec(c, "directory", ec);
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        char guid[GUID_TEXT];
        struct stat st;
        if (!v[i].has_mailbox)
            continue;
        guid_text(&v[i].mailbox, guid);
        const char *path = arena_printf(c->a, "%s/%.2s/%s.db", c->config->store, guid, guid);
        bool there = stat(path, &st) == 0;
        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:o}", "login", v[i].login, "mailbox", guid, "file", path, "bytes",
                                              there ? json_integer(st.st_size) : json_null()));
    }
    return ctl_table(c, "login mailbox bytes file", list);
}

int cmd_mailbox_stat_(struct ctl *c)
{
    struct person p;
    struct mailbox *m;
    struct mailbox_stat s;
    if (c->argc != 1)
        return ctl_usage(c);
    if (!ctl_person(c, c->argv[0], &p) || !ctl_mailbox(c, &p, &m))
        return CTL_FAILED;
    ec_t ec = mailbox_stat(m, &s);
    if (ec != ecNone)
        return ctl_ec(c, p.login, ec);
    return ctl_show(c, json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I}", "login", p.login, "messages", (json_int_t)s.messages, "bytes",
                                 (json_int_t)s.bytes, "associated_messages", (json_int_t)s.assoc_messages, "deleted_messages",
                                 (json_int_t)s.deleted_messages, "deleted_bytes", (json_int_t)s.deleted_bytes, "folders", (json_int_t)s.folders));
}

static void say(void *ctx, const char *finding) { json_array_append_new(ctx, json_string(finding)); }

int cmd_mailbox_check_(struct ctl *c)
{
    struct person p;
    struct mailbox *m;
    size_t findings = 0;
    if (c->argc != 1)
        return ctl_usage(c);
    if (!ctl_person(c, c->argv[0], &p) || !ctl_mailbox(c, &p, &m))
        return CTL_FAILED;
    json_t *list = json_array();
    ec_t ec = mailbox_check(m, say, list, &findings);
    if (ec != ecNone) {
        json_decref(list);
        return ctl_ec(c, p.login, ec);
    }
    if (!c->json) {
        size_t i;
        json_t *v;
        json_array_foreach(list, i, v)
            printf("%s\n", json_string_value(v));
        json_decref(list);
        ctl_show(c, json_pack("{s:s, s:I}", "login", p.login, "findings", (json_int_t)findings));
    } else
        ctl_show(c, json_pack("{s:s, s:I, s:o}", "login", p.login, "findings", (json_int_t)findings, "list", list));
    return findings == 0 ? CTL_OK : CTL_FAULT;
}

/* --- rights ------------------------------------------------------------------------------------------------------------------------------ */

static bool rights_of(const char *text, uint32_t *out)
{
    /* role names as in MS-OXCPERM's table of roles */
    static const struct { const char *name; uint32_t rights; } roles[] = {
        { "none", 0 }, { "reviewer", RIGHT_READ_ANY | RIGHT_FOLDER_VISIBLE },
        { "contributor", RIGHT_CREATE | RIGHT_FOLDER_VISIBLE },
        { "author", RIGHT_READ_ANY | RIGHT_CREATE | RIGHT_EDIT_OWNED | RIGHT_DELETE_OWNED | RIGHT_FOLDER_VISIBLE },
        { "editor", RIGHT_READ_ANY | RIGHT_CREATE | RIGHT_EDIT_OWNED | RIGHT_DELETE_OWNED | RIGHT_EDIT_ANY | RIGHT_DELETE_ANY | RIGHT_FOLDER_VISIBLE },
        { "owner", RIGHTS_ALL },
    };
    for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++)
        if (strcasecmp(roles[i].name, text) == 0) {
            *out = roles[i].rights;
            return true;
        }
    char *end;
    *out = (uint32_t)strtoul(text, &end, 16);
    return *text != '\0' && *end == '\0' && (*out & ~(uint32_t)RIGHTS_ALL) == 0;
}

int cmd_mailbox_grant(struct ctl *c)
{
    struct person p, member = { .dn = "" };
    struct mailbox *m;
    uint32_t rights;
    uint64_t fid;
    if (c->argc != 4)
        return ctl_usage(c);
    if (!rights_of(c->argv[3], &rights))
        return ctl_fail(c, c->argv[3], "neither a role nor rights in hex");
    if (!ctl_person(c, c->argv[0], &p) || (strcmp(c->argv[2], "default") != 0 && !ctl_person(c, c->argv[2], &member)) || !ctl_mailbox(c, &p, &m))
        return CTL_FAILED;
    ec_t ec = folder_by_name(m, c->argv[1], &fid);
    if (ec != ecNone)
        return ctl_ec(c, c->argv[1], ec);
    ec = mailbox_write(m);
    if (ec == ecNone)
        ec = permission_set(m, fid, member.dn, rights);
    if (ec == ecNone)
        ec = ctl_commit(c, m);
    return ec != ecNone ? ctl_ec(c, c->argv[1], ec)
                        : ctl_show(c, json_pack("{s:s, s:s, s:s, s:s}", "mailbox", p.login, "folder", c->argv[1], "member", c->argv[2], "rights",
                                                arena_printf(c->a, "0x%x", rights)));
}
