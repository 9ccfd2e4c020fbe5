/* config.h - one commented file, every key also an environment variable, defaults that work.
 *
 * `key = value` lines, # comments, values may be quoted.  An unknown key, a value of the wrong type or out of range is refused with file, line,
 * key and reason.  A loaded struct never changes, so threads share it; a reload makes another one (config_reload). */
#ifndef BASE_CONFIG_H
#define BASE_CONFIG_H
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct arena;

#define CONFIG_STR  const char *
#define CONFIG_NUM  uint64_t
#define CONFIG_BOOL bool
struct config {
#define CONFIG(name, type, dflt, unit, text) CONFIG_##type name;
#include "backend/base/config.def"
#undef CONFIG
};

/* Defaults, then the file (NULL: none), then the environment.  NULL with *why in `a` on any error.  Strings live in `a`. */
struct config *config_load(struct arena *a, const char *path, const char **why);

/* The file again, while `now` is in force.  NULL with *why on any error: nothing changes.  Else what is in force from now on: live keys as the file
 * has them, the others as in `now`.  `told` is called for each key whose value differs; live false: it needs a restart. */
struct config *config_reload(struct arena *a, const char *path, const struct config *now, void (*told)(void *ctx, const char *key, bool live), void *ctx,
                             const char **why);

/* The commented file with the defaults, as shipped. */
void config_print(FILE *out);

/* Value of a key as text, in `a`; NULL if there is no such key. */
const char *config_text(struct arena *a, const struct config *c, const char *key);
#endif
