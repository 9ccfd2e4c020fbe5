/* user.c - mapictl user: people of the directory. */
#include "deploy/mapictl/ctl.h"
#include <stdlib.h>

static json_t *person_json(const struct person *p)
{
    char guid[GUID_TEXT];
    return json_pack("{s:s, s:s, s:s, s:o, s:s}", "login", p->login, "name", p->display_name, "address", p->smtp, "mailbox",
                     p->has_mailbox ? json_string(guid_text(&p->mailbox, guid)) : json_null(), "dn", p->dn);
}

static ec_t create_mailbox(struct ctl *c, const struct person *p)
{
    struct mailbox_new n = { .id = p->mailbox, .owner_dn = p->dn, .display_name = p->display_name, .smtp = p->smtp, .locale = p->locale,
                             .quota_warn = -1, .quota_send = -1, .quota_receive = -1 };
    return mailbox_create(ctl_store(c), c->a, &n);
}

static bool locale_of(struct ctl *c, uint32_t *out)
{
    const char *text = ctl_option(c, "--locale");
    char *end = NULL;
    *out = text != NULL ? (uint32_t)strtoul(text, &end, 0) : 0x0409;
    if (text == NULL || (*text != '\0' && *end == '\0' && *out != 0 && *out <= 0xFFFF))
        return true;
    ctl_fail(c, text, "not a locale number such as 1033 or 0x0407");
    return false;
}

int cmd_user_add(struct ctl *c)
{
    struct person_new n = { .login = c->argv[0], .display_name = ctl_option(c, "--name"), .with_mailbox = ctl_option(c, "--no-mailbox") == NULL };
    struct person p;
    if (c->argc != 1)
        return ctl_usage(c);
    bool outside = ctl_option(c, "--no-password") != NULL; /* he logs in with what another knows: LDAP, PAM, Kerberos, tokens */
    if (!locale_of(c, &n.locale) || (!outside && (n.password = ctl_password(c)) == NULL))
        return CTL_FAILED;
    ec_t ec = directory_add(ctl_directory(c), c->a, &n, &p);
    if (ec == ecNone && n.with_mailbox && (ec = create_mailbox(c, &p)) != ecNone)
        directory_remove(ctl_directory(c), p.login); /* a user whose mailbox could not be made is no user */
    return ec == ecNone ? ctl_show(c, person_json(&p)) : ctl_ec(c, n.login, ec);
}

int cmd_user_passwd(struct ctl *c)
{
    struct person p;
    if (c->argc != 1)
        return ctl_usage(c);
    if (!ctl_person(c, c->argv[0], &p))
        return CTL_FAILED;
    const char *password = ctl_password(c);
    if (password == NULL)
        return CTL_FAILED;
    ec_t ec = directory_passwd(ctl_directory(c), p.login, password);
    return ec == ecNone ? ctl_show(c, json_pack("{s:s, s:b}", "login", p.login, "changed", 1)) : ctl_ec(c, p.login, ec);
}

int cmd_user_list(struct ctl *c)
{
    struct person *v;
    size_t n;
    if (c->argc != 0)
        return ctl_usage(c);
    ec_t ec = directory_list(ctl_directory(c), c->a, &v, &n);
    if (ec != ecNone)
        return ctl_ec(c, "directory", ec);
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, person_json(&v[i]));
    return ctl_table(c, "login mailbox name", list);
}

int cmd_user_remove(struct ctl *c)
{
    struct person p;
    if (c->argc != 1)
        return ctl_usage(c);
    if (!ctl_person(c, c->argv[0], &p))
        return CTL_FAILED;
    bool destroy = ctl_option(c, "--with-mailbox") != NULL && p.has_mailbox;
    ec_t ec = directory_remove(ctl_directory(c), p.login);
    if (ec == ecNone && destroy)
        ec = mailbox_destroy(ctl_store(c), &p.mailbox);
    return ec == ecNone ? ctl_show(c, json_pack("{s:s, s:b, s:b}", "login", p.login, "removed", 1, "mailbox_removed", destroy)) : ctl_ec(c, p.login, ec);
}

int cmd_user_grant(struct ctl *c)
{
    if (c->argc != 2)
        return ctl_usage(c);
    bool give = ctl_option(c, "--revoke") == NULL;
    ec_t ec = directory_grant(ctl_directory(c), c->argv[0], c->argv[1], give);
    return ec == ecNone ? ctl_show(c, json_pack("{s:s, s:s, s:b}", "owner", c->argv[0], "delegate", c->argv[1], "full_access", give))
                        : ctl_ec(c, c->argv[0], ec);
}

int cmd_mailbox_create_(struct ctl *c)
{
    struct person p;
    if (c->argc != 1)
        return ctl_usage(c);
    if (!ctl_person(c, c->argv[0], &p))
        return CTL_FAILED;
    if (!p.has_mailbox)
        return ctl_fail(c, p.login, "is a user without a mailbox");
    ec_t ec = create_mailbox(c, &p);
    return ec == ecNone ? ctl_show(c, person_json(&p)) : ctl_ec(c, p.login, ec);
}
