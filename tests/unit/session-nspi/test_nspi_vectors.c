/* test_nspi_vectors.c - tests/vectors/nspi: requests byte by byte and their answers; each with every truncation and bit flip. */
#include "tests/mutate.h"
#include "tests/unit/session-nspi/rig.h"
#include <dirent.h>
#include <stdio.h>

/* A file is a sequence of "> request" and "< answer" (the ErrorCode first), each on as many lines as it takes; "< *": any answer. */
struct script { struct rig *g; struct arena *a; const char *path, *type; bool mutate; };

static void check_answer(struct script *s, struct blob request, const char *text)
{
    struct rd r = rig_run(s->g, s->type, request);
    while (*text == ' ')
        text++;
    if (*text == '*')
        return;
    struct wr got = wr_in(s->a, 1 << 20);
    wr_u32(&got, s->g->ec);
    wr_put(&got, rd_rest(&r));
    unit_bytes(wr_blob(&got), rig_bytes(s->g, s->a, text), s->path, s->path, 0);
}

/* What was bent is refused or answered; whatever it is, the answer is whole. */
static void survive(void *ctx, struct blob variant)
{
    struct script *s = ctx;
    rig_run(s->g, s->type, variant);
}

static void run_pair(struct script *s, const char *request, const char *answer)
{
    struct blob b = rig_bytes(s->g, s->a, request);
    check_answer(s, b, answer);
    if (s->mutate)
        mutate_all(b, survive, s);
}

static void run_text(struct script *s, char *text)
{
    char *request = strstr(text, "\n>");
    while (request != NULL) {
        char *answer = strstr(request + 2, "\n<"), *next = strstr(answer != NULL ? answer : "", "\n>");
        REQUIRE(answer != NULL);
        *answer = '\0';
        if (next != NULL)
            *next = '\0';
        run_pair(s, request + 2, answer + 2);
        if (next != NULL)
            *next = '\n';
        request = next;
    }
}

static char *read_file(struct arena *a, const char *path)
{
    FILE *f = fopen(path, "r");
    char *p = arena_alloc(a, 65536);
    REQUIRE(f != NULL);
    p[0] = '\n';
    size_t n = fread(p + 1, 1, 65530, f);
    p[n + 1] = '\0';
    fclose(f);
    return p;
}

static void run_file(const char *name, bool mutate, bool *seen)
{
    struct rig g;
    struct script s = { .g = &g, .a = arena_new(64 << 20), .mutate = mutate };
    s.path = arena_printf(s.a, "tests/vectors/nspi/%s", name);
    s.type = arena_str(s.a, blob_of(name, strcspn(name, ".-")));
    for (size_t i = 0; i < nspi_count; i++)
        seen[i] |= strcmp(nspi_table[i].name, s.type) == 0;
    rig_start(&g, arena_printf(s.a, "%s%s", s.type, mutate ? "-bent" : ""));
    run_text(&s, read_file(s.a, s.path));
    rig_end(&g);
    arena_free(s.a);
}

static void each(bool mutate)
{
    bool seen[32] = { false };
    struct dirent *e;
    DIR *d = opendir("tests/vectors/nspi");
    REQUIRE(d != NULL);
    while ((e = readdir(d)) != NULL)
        if (strstr(e->d_name, ".hex") != NULL)
            run_file(e->d_name, mutate, seen);
    closedir(d);
    for (size_t i = 0; i < nspi_count; i++)
        unit_check(seen[i], __FILE__, __LINE__, "no tests/vectors/nspi/%s.hex", nspi_table[i].name);
}

TEST(every_vector_answers_as_written) { each(false); }
TEST_LIMIT(every_truncation_and_bit_flip_of_a_vector_is_survived, 300) { each(true); }
