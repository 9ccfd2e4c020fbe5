/* test_offline_job.c - workers make offline address books by themselves: one of all, soon after the first change, again by another when one is gone. */
#include "backend/directory/entry.h"
#include "session/nspi/nspi_offline.h"
#include "tests/flow/ctl.h"
#include "tests/flow/stack.h"
#include "tests/oab.h"
#include "tests/unit.h"
#include <signal.h>
#include <string.h>
#include <unistd.h>

enum { PATIENCE_MS = 20000, LOOK_MS = 50 };

static uint32_t sequence(struct stack *st)
{
    struct arena *a = arena_new(1 << 20);
    struct offline_book b = { 0 };
    REQUIRE_EC(offline_of(st->directory, a, 1, &b), ecNone);
    arena_free(a);
    return b.sequence;
}

static void wait_for(struct stack *st, uint32_t want)
{
    for (int i = 0; i < PATIENCE_MS / LOOK_MS && sequence(st) < want; i++)
        usleep(LOOK_MS * 1000);
    CHECK_INT(sequence(st), want);
}

static void rename_bob(struct stack *st, const char *name)
{
    struct entry e;
    REQUIRE_EC(entry_get(st->directory, st->a, st->bob.row, &e), ecNone);
    e.display_name = name;
    REQUIRE_EC(entry_set(st->directory, st->a, &e), ecNone);
}

/* As clients would get it. */
static const char *name_of_bob(struct stack *st)
{
    struct offline_book b;
    struct offline_file *f = NULL;
    struct blob container = { 0 }, file = { 0 };
    struct oab o;
    size_t n = 0;
    REQUIRE_EC(offline_of(st->directory, st->a, 1, &b), ecNone);
    REQUIRE_EC(offline_files(st->directory, st->a, &b, &f, &n), ecNone);
    REQUIRE(n != 0);
    REQUIRE_EC(offline_read(st->directory, st->a, &f[0], 0, (size_t)f[0].size, &container), ecNone);
    REQUIRE(oab_open_mspack(st->a, container, &file) == 0 && oab_read(st->a, file, &o));
    const struct oab_record *r = oab_of(&o, st->bob.dn);
    return r != NULL ? arena_str(st->a, oab_string(r, PidTagDisplayName)) : "";
}

TEST(workers_make_it)
{
    struct stack *st = stack_start(&(struct stack_options){ .workers = 3, .config = "offline_address_book_interval = 1\n" });
    wait_for(st, 1);
    CHECK_STR(name_of_bob(st), "Bob Example");
    rename_bob(st, "Robert");
    wait_for(st, 2);
    CHECK_STR(name_of_bob(st), "Robert");
    stack_kill(st, 0, SIGKILL);
    stack_kill(st, 1, SIGKILL);
    rename_bob(st, "Rob");
    wait_for(st, 3);
    CHECK_STR(name_of_bob(st), "Rob");
    stack_stop(st);
}

/* The administrator's own: whole files in a folder, as JSON what they are; no interval: the workers leave it to him. */
TEST(by_hand)
{
    struct stack *st = stack_start(&(struct stack_options){ .workers = 1, .config = "offline_address_book_interval = 0\n" });
    json_t *o = ctl_json(st, "offline make", 0);
    CHECK_INT(json_integer_value(json_object_get(json_array_get(o, 0), "sequence")), 1);
    CHECK(json_is_true(json_object_get(json_array_get(o, 0), "new")));
    json_decref(o);
    o = ctl_json(st, "offline make", 0);
    CHECK(json_is_false(json_object_get(json_array_get(o, 0), "new")));
    json_decref(o);
    o = ctl_json(st, "offline list", 0);
    CHECK_INT(json_array_size(o), 1);
    CHECK_INT(json_integer_value(json_object_get(json_array_get(o, 0), "objects")), 2);
    json_decref(o);
    o = ctl_json(st, "offline show", 0);
    json_t *files = json_object_get(o, "files");
    REQUIRE(json_array_size(files) == 3);
    const char *name = arena_strdup(st->a, json_string_value(json_object_get(json_array_get(files, 0), "name")));
    json_int_t size = json_integer_value(json_object_get(json_array_get(files, 0), "size"));
    json_decref(o);
    o = ctl_json(st, arena_printf(st->a, "offline export %s", st->dir), 0);
    CHECK_INT(json_array_size(o), 3);
    json_decref(o);
    FILE *f = fopen(arena_printf(st->a, "%s/%s", st->dir, name), "rb");
    REQUIRE(f != NULL && fseek(f, 0, SEEK_END) == 0);
    CHECK_INT(ftell(f), size);
    fclose(f);
    o = ctl_json(st, "offline show Nobody", 1);
    json_decref(o);
    CHECK_INT(sequence(st), 1);
    stack_stop(st);
}
