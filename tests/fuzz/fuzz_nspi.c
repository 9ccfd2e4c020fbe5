/* fuzz_nspi.c - address-book requests from any bytes: read, run against a small directory, answered whole.  The first byte chooses the request. */
#include "backend/base/must.h"
#include "session/nspi/nspi.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static struct config     config;
static struct directory *directory;
static struct person     who;
static struct arena     *kept; /* for the life of the program */

static void prepare(void)
{
    struct arena *a = kept = arena_new(SIZE_MAX);
    const char   *why = NULL;
    char          dir[] = "/tmp/fuzz_nspi.XXXXXX";
    must(mkdtemp(dir) != NULL);
    config = (struct config){ .directory = arena_printf(a, "%s/d.db", dir), .organization = "Demo", .default_domain = "example.com", .book_rows_time = 5000, .book_search_time = 30000 };
    directory = directory_open(&config, a, &why);
    must(directory != NULL);
    must(directory_add(directory, a, &(struct person_new){ .login = "ana@example.com", .display_name = "Ana", .password = "x" }, &who) == ecNone);
    for (unsigned i = 0; i < 20; i++) {
        struct entry e = { .kind = i % 3 == 0 ? ENTRY_GROUP : ENTRY_USER, .display_name = arena_printf(a, "Name %u", i) };
        if (i % 6 == 0)
            props_set(a, &e.props, pv_bool(PidTagAddressBookHideDLMembership, true));
        must(entry_add(directory, a, &e) == ecNone);
        must(link_add(directory, LINK_MEMBER, e.row, who.row) == ecNone);
    }
    struct container list = { .name = "Groups", .filter = "kind=group" }, below = { .name = "Below", .filter = "" };
    must(container_add(directory, a, &list) == ecNone);
    below.parent = list.row;
    must(container_add(directory, a, &below) == ecNone);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    if (directory == NULL)
        prepare();
    if (n == 0)
        return 0;
    const struct nspi_def *d = &nspi_table[p[0] % nspi_count];
    struct arena      *a = arena_new((size_t)64 << 20);
    struct nspi_env    env = { &config, directory };
    struct nspi_args   q;
    struct nspi_answer out;
    if (nspi_read(a, d, 1252, blob_of(p + 1, n - 1), &q) && (d->flags & WRITES) == 0) {
        struct nspi_ctx c = { .a = a, .env = &env, .who = &who, .in = &q, .out = &out, .codec = { a, nspi_code_page(q.stat.code_page), PV_COUNTS_BOOK } };
        struct blob body = nspi_run(&c, d);
        must(body.n >= 12);
    }
    arena_free(a);
    return 0;
}
