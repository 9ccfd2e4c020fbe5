/* test_auth_pam.c - passwords by a PAM stack of our own: no file of the system is read but the modules. */
#include "tests/flow/authkit.h"
#include <stdio.h>
#include <sys/stat.h>

static const char *stack_of(struct arena *a, const char *name, const char *account)
{
    const char *dir = arena_printf(a, "%s/pam-%s", unit_tmpdir(), name), *check = arena_printf(a, "%s/check", dir);
    REQUIRE(mkdir(dir, 0755) == 0);
    authkit_file(check, "#!/bin/sh\nread -r password\n[ \"$PAM_USER\" != broken ] || exit 1\n[ \"$password\" = \"pam-$PAM_USER\" ] && [ -n \"$PAM_RHOST\" ]\n");
    CHECK_INT(chmod(check, 0755), 0);
    authkit_file(arena_printf(a, "%s/mail", dir), arena_printf(a, "auth [success=done default=ignore] pam_exec.so expose_authtok quiet %s\nauth requisite pam_deny.so\naccount required %s\n", check, account));
    return dir;
}

TEST(passwords_that_pam_knows)
{
    struct arena *a = arena_new((size_t)1 << 24);
    struct stack *st = stack_start(&(struct stack_options){ .workers = 2, .config = arena_printf(a,
        "auth_passwords = own pam\npam_service = mail\npam_confdir = %s\n", stack_of(a, "good", "pam_permit.so")) });
    struct authkit k;
    authkit_begin(&k, st);
    ctl_must(st, "user add carl@example.com --no-password --no-mailbox");
    CHECK_INT(authkit_basic(&k, "carl@example.com", "pam-carl"), 200);
    CHECK_INT(k.r.code, 0);
    CHECK_INT(authkit_basic(&k, "EXAMPLE\\carl", "pam-carl"), 200);
    CHECK_INT(authkit_basic(&k, "carl@example.com", "pam-ana"), 401);
    CHECK_INT(authkit_basic(&k, "carl@example.com", "*"), 401); /* no password is no password */
    CHECK_INT(authkit_basic(&k, "carl@example.com", ""), 401);
    CHECK_INT(authkit_basic(&k, "ana@example.com", "secret-ana"), 200); /* own comes first */
    CHECK_INT(authkit_basic(&k, "ana@example.com", "pam-ana"), 200);
    CHECK_INT(authkit_basic(&k, "dora@example.com", "pam-dora"), 200);  /* PAM knows her, we do not */
    CHECK_INT(k.r.code, 11);
    CHECK_INT(authkit_basic(&k, "dora@example.com", "pam-other"), 401);
    authkit_end(&k);
    stack_stop(st);
    arena_free(a);
}

TEST(an_account_that_pam_closes_and_a_stack_that_fails)
{
    struct arena *a = arena_new((size_t)1 << 24);
    struct stack *st = stack_start(&(struct stack_options){ .workers = 1, .config = arena_printf(a,
        "auth_passwords = pam\npam_service = mail\npam_confdir = %s\n", stack_of(a, "closed", "pam_deny.so")) });
    struct authkit k;
    authkit_begin(&k, st);
    CHECK_INT(authkit_basic(&k, "ana@example.com", "pam-ana"), 401);
    CHECK_INT(authkit_basic(&k, "ana@example.com", "secret-ana"), 401);
    authkit_end(&k);
    stack_stop(st);
    st = stack_start(&(struct stack_options){ .workers = 1, .config = arena_printf(a, "auth_passwords = pam\npam_service = mail\npam_confdir = %s/nowhere\n", unit_tmpdir()) });
    authkit_begin(&k, st);
    CHECK_INT(authkit_basic(&k, "ana@example.com", "pam-ana"), 503);
    authkit_end(&k);
    stack_stop(st);
    arena_free(a);
}
