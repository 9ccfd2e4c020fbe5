/* test_cookie.c - cookies: ours, old ones, forged ones. */
#include "session/context/cookie.h"
#include "backend/base/crypto.h"
#include "tests/unit.h"
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *secret_file(struct arena *a, const char *name, size_t n, mode_t mode)
{
    const char *path = arena_printf(a, "%s/%s", unit_tmpdir(), name);
    uint8_t bytes[64];
    crypto_random(bytes, sizeof bytes);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    REQUIRE(fd >= 0 && write(fd, bytes, n) == (ssize_t)n);
    close(fd);
    chmod(path, mode);
    return path;
}

static struct cookie_keys *keys(struct arena *a, const char *name)
{
    const char *why = "";
    struct cookie_keys *k = cookie_keys_load(secret_file(a, name, 32, 0600), a, &why);
    REQUIRE(k != NULL);
    return k;
}

TEST(secret_file_rules)
{
    struct arena *a = arena_new(1 << 20);
    const char *why = NULL;
    CHECK(cookie_keys_load(arena_printf(a, "%s/none", unit_tmpdir()), a, &why) == NULL && why != NULL);
    why = NULL;
    CHECK(cookie_keys_load(secret_file(a, "short", 31, 0600), a, &why) == NULL && why != NULL);
    why = NULL;
    CHECK(cookie_keys_load(secret_file(a, "open", 32, 0604), a, &why) == NULL && why != NULL);
    CHECK(cookie_keys_load(secret_file(a, "group", 32, 0640), a, &why) != NULL);
    arena_free(a);
}

TEST(cookies_of_other_days)
{
    struct arena *a = arena_new(1 << 20);
    struct cookie_keys *k = keys(a, "days");
    uint8_t id[CONTEXT_ID], got[CONTEXT_ID];
    uint64_t number;
    uint32_t today = cookie_epoch();
    crypto_random(id, sizeof id);
    static const struct { int days; enum cookie is; } table[] = {
        { 0, COOKIE_GOOD }, { -1, COOKIE_GOOD }, { -30, COOKIE_GOOD }, { -31, COOKIE_OLD }, { -300, COOKIE_OLD }, { 1, COOKIE_GOOD }, { 2, COOKIE_FORGED },
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        uint32_t day = today + (uint32_t)table[i].days;
        CHECK_INT(cookie_read_context(k, a, cookie_context(k, a, id, day), got), table[i].is);
        CHECK_INT(cookie_read_sequence(k, a, cookie_sequence(k, a, id, 42, day), id, &number), table[i].is);
        if (table[i].is == COOKIE_GOOD) {
            CHECK(memcmp(id, got, sizeof id) == 0);
            CHECK_INT(number, 42);
        }
    }
    arena_free(a);
}

TEST(forged_cookies)
{
    struct arena *a = arena_new(1 << 24);
    struct cookie_keys *k = keys(a, "one"), *foreign = keys(a, "two");
    uint8_t id[CONTEXT_ID], other[CONTEXT_ID], got[CONTEXT_ID];
    uint64_t number;
    crypto_random(id, sizeof id);
    crypto_random(other, sizeof other);
    const char *c = cookie_context(k, a, id, cookie_epoch()), *s = cookie_sequence(k, a, id, 7, cookie_epoch());
    CHECK_INT(cookie_read_context(foreign, a, c, got), COOKIE_FORGED);
    CHECK_INT(cookie_read_sequence(foreign, a, s, id, &number), COOKIE_FORGED);
    CHECK_INT(cookie_read_sequence(k, a, s, other, &number), COOKIE_FORGED);
    CHECK_INT(cookie_read_context(k, a, s, got), COOKIE_FORGED);
    CHECK_INT(cookie_read_sequence(k, a, c, id, &number), COOKIE_FORGED);
    static const char *const nonsense[] = { "", "Invalid cookie", "A", "====", "%00", "\xff\xfe" };
    for (size_t i = 0; i < sizeof nonsense / sizeof *nonsense; i++) {
        CHECK_INT(cookie_read_context(k, a, nonsense[i], got), COOKIE_FORGED);
        CHECK_INT(cookie_read_sequence(k, a, nonsense[i], id, &number), COOKIE_FORGED);
    }
    /* every other character at every place, cut anywhere, one more */
    for (size_t i = 0; c[i] != '\0'; i++) {
        char *bent = arena_strdup(a, c);
        for (const char *ch = "AZaz09-_+/=. "; *ch != '\0'; ch++) {
            bent[i] = *ch;
            CHECK_INT(cookie_read_context(k, a, bent, got), bent[i] == c[i] ? COOKIE_GOOD : COOKIE_FORGED);
        }
        bent[i] = '\0';
        CHECK_INT(cookie_read_context(k, a, bent, got), COOKIE_FORGED);
    }
    CHECK_INT(cookie_read_context(k, a, arena_printf(a, "%sA", c), got), COOKIE_FORGED);
    CHECK_INT(cookie_read_context(k, a, c, got), COOKIE_GOOD);
    arena_free(a);
}
