/* log.h - one line per fact, on stderr or in a file, with the context of the request set once.
 *
 * log_line(LOGL_ERROR, "redis", "connection lost", "error", text, NULL): level, room, message, then key/value pairs of
 * strings.  Keys come from logkey.def; `make lint` checks it.  Every line ends with the thread's context (request id, user,
 * mailbox, session digest, ROP), which the front sets once per request with log_context.  Never log cookies, passwords,
 * or message content. */
#ifndef BASE_LOG_H
#define BASE_LOG_H
#include "backend/base/blob.h"

enum log_level { LOGL_ERROR, LOGL_WARN, LOGL_INFO, LOGL_DEBUG };

/* Opens `path` ("-" or NULL: stderr) for appending; again to rotate, to another path, level or form, while
 * other threads write.  `json` selects JSON lines instead of key=value.  False with errno: nothing changed. */
bool log_open(const char *path, enum log_level max, bool json);

void log_line(enum log_level level, const char *room, const char *message, ...) __attribute__((sentinel));

/* Sets one key of the thread's context (a copy is kept, cut to 127 bytes); NULL removes it. */
void log_context(const char *key, const char *value);
void log_context_clear(void);
/* The thread's value of a key until it changes, or NULL. */
const char *log_context_value(const char *key);
#endif
