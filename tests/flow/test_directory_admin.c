/* test_directory_admin.c - mapictl directory and addresslist in an administrator's hands: what is refused leaves nothing behind, is said once and in words, and JSON stays JSON. */
#include "tests/flow/ctl.h"
#include "tests/unit.h"
#include <string.h>

static struct stack *st;

static void refused(const char *arguments, int rc, const char *words, int line)
{
    struct ctl_run r = ctl_run(st, arguments);
    unit_int(r.rc, rc, arguments, __FILE__, line);
    unit_check(strstr(r.text, words) != NULL, __FILE__, line, "\"%s\" is not in: %.400s", words, r.text);
    unit_check(strchr(r.text, '\n') == strrchr(r.text, '\n'), __FILE__, line, "more than one line: %.400s", r.text);
    json_t *j = ctl_json(st, arguments, rc); /* one object, whatever was wrong */
    unit_check(json_is_string(json_object_get(j, "error")), __FILE__, line, "%s", arguments);
    json_decref(j);
}
#define REFUSED(arguments, rc, words) refused((arguments), (rc), (words), __LINE__)

static size_t objects(void)
{
    json_t *list = ctl_json(st, "directory list", 0);
    size_t n = json_array_size(list);
    json_decref(list);
    return n;
}

static void shows(const char *who, const char *key, const char *want, int line)
{
    json_t *j = ctl_json(st, arena_printf(st->a, "directory show %s", who), 0);
    const char *got = json_string_value(json_object_get(j, key));
    unit_str(got != NULL ? got : "", want, key, __FILE__, line);
    json_decref(j);
}

TEST(what_is_refused_leaves_nothing_behind)
{
    st = stack_start(&(struct stack_options){ .workers = 1 });
    ctl_must(st, "directory add group Team --set mail=team@example.com --link member=ana@example.com");
    size_t n = objects();
    REFUSED("directory add group Other --link member=nobody@example.com", 1, "nobody@example.com: no such object");
    REFUSED("directory add group Other --link member=ana@example.com --link friend=ana@example.com", 1, "with a known link");
    REFUSED("directory add group Other --link member", 1, "not of the form link=object");
    REFUSED("directory add group ''", 1, "needs a name");
    REFUSED("directory add herd Other", 1, "is no kind of object: user group");
    REFUSED("directory list --kind herd", 1, "is no kind of object: user group");
    REFUSED("directory add group Other --set mail=nonsense", 1, "is no address");
    REFUSED("directory add group Other --set colour=red", 1, "with a known attribute");
    REFUSED("directory add group Other --set mail=team@example.com", 1, "exists already");
    CHECK_INT(objects(), n);
    REFUSED("directory set team@example.com --set mail=moved@example.com --link owner=nobody", 1, "nobody: no such object");
    REFUSED("directory set team@example.com --set displayName=Renamed --unset mail", 1, "mail: is no property that can be taken away");
    REFUSED("directory set team@example.com --unset colour", 1, "is no property that can be taken away");
    shows("team@example.com", "name", "Team", __LINE__);
    shows("team@example.com", "member", "ana@example.com", __LINE__);
    REFUSED("directory show 0x7fffffff", 1, "no such object");
    REFUSED("directory show ''", 1, "no such object");
    CHECK_INT(ctl_run(st, "directory set team@example.com").rc, 2);
    stack_stop(st);
}

/* A terminal in another character set writes no names that nobody can read. */
TEST(texts_are_utf8)
{
    st = stack_start(&(struct stack_options){ .workers = 1 });
    size_t n = objects();
    REFUSED("directory add contact \"$(printf 'J\\366rg')\"", 2, "J?rg: is not UTF-8");
    REFUSED("directory set ana@example.com --set title=\"$(printf '\\377')\"", 2, "is not UTF-8");
    REFUSED("addresslist add \"$(printf '\\377')\"", 2, "is not UTF-8");
    REFUSED("directory show \"$(printf '\\377')\"", 2, "is not UTF-8");
    REFUSED("directory import \"/nonexistent/$(printf '\\377')\"", 1, "No such file"); /* a file may be called anything */
    CHECK_INT(objects(), n);
    ctl_must(st, "directory add contact J\xc3\xb6rg --set mail=joerg@far.example");
    shows("joerg@far.example", "name", "J\xc3\xb6rg", __LINE__);
    stack_stop(st);
}

TEST(lists_formats_and_nobody)
{
    st = stack_start(&(struct stack_options){ .workers = 1 });
    REFUSED("directory export - --format pdf", 1, "pdf: is no format: csv or ldif");
    REFUSED("directory import /dev/null --format pdf", 1, "pdf: is no format: csv or ldif");
    struct ctl_run r = ctl_run(st, "directory resolve nobody");
    CHECK(r.rc == 3 && strstr(r.text, "nobody is found by this") != NULL);
    json_t *j = ctl_json(st, "directory resolve nobody", 3);
    CHECK(json_is_array(j) && json_array_size(j) == 0);
    json_decref(j);
    ctl_must(st, "addresslist add Rooms --filter kind=room");
    r = ctl_run(st, "addresslist add Small --parent Rooms");
    CHECK(r.rc == 0 && strstr(r.text, "depth                  1\n") != NULL);
    CHECK_STR(ctl_run(st, "addresslist list").text, "0  Global Address List  -\n0  Rooms                kind=room\n1  Small                -\n");
    stack_stop(st);
}

/* What another source owns is refused in a dry run as it is in earnest. */
TEST(a_dry_run_counts_as_the_import_does)
{
    st = stack_start(&(struct stack_options){ .workers = 1 });
    ctl_must(st, "directory add contact Zed");
    ctl_must(st, "directory add contact Zoe --set mail=zoe@far.example --set proxyAddresses=smtp:zo@far.example");
    ctl_must(st, "directory add group Team --link member=zoe@far.example");
    ctl_must(st, arena_printf(st->a, "directory export %s/book.csv", st->dir));
    static const char *const keys[] = { "read", "added", "changed", "refused" };
    json_t *dry = ctl_json(st, arena_printf(st->a, "directory import %s/book.csv --source file --dry-run", st->dir), 3);
    json_t *real = ctl_json(st, arena_printf(st->a, "directory import %s/book.csv --source file", st->dir), 3);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        unit_int(json_integer_value(json_object_get(dry, keys[i])), json_integer_value(json_object_get(real, keys[i])), keys[i], __FILE__, __LINE__);
    CHECK_INT(json_integer_value(json_object_get(real, "refused")), 3);
    json_decref(dry);
    json_decref(real);
    stack_stop(st);
}
