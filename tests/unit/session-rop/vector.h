/* vector.h - tests/vectors/<RopName>.hex: requests and the answers expected, run at a desk (desk.h).
 *
 * A file is a session, line by line:
 *     # comment, also behind anything else
 *     login                   RopLogon of Ada to her mailbox, LogonId 0, handle to index 0 of the handle table (8 places)
 *     login2                  the same for Bob's mailbox with LogonId 1 to index 7 (Ada has full access to it)
 *     mail inbox "subject" 5  a mail put into a folder, delivered at minute 5; the first is {m1}, the next {m2} ...
 *     arrive inbox "subject" 5  the same, delivered: new mail
 *     mode 2                  ClientMode of the session (2: cached)
 *     code 1252               code page of the session
 *     > bytes                 a ROP list; further lines that begin with a blank go on with it
 *     < bytes                 the answers to it
 * Bytes are hex digits in pairs; {inbox}, {drafts}, {root}, {ipm}, {deleted}, {sent}, {outbox}, {calendar}, {contacts}, {junk}: 8 bytes of a folder id;
 * {m1}: of a message id; {dn}, {dn:bob}: u16 length and the distinguished name with its NUL; {replica}, {mapping}, {mailbox}: GUIDs;
 * "text": UTF-16 with NUL, 'text': ASCII with NUL.  In answers ?? is any byte, * anything to the end, and {=1} an id of 8 bytes that is
 * {#1} in requests and answers behind it (0 to 9).
 *
 * The last ROP list is the one that the file is about: it must hold the ROP that the file is named after, and it is also run with every truncation and
 * every bit flip, without effect. */
#ifndef UNIT_ROP_VECTOR_H
#define UNIT_ROP_VECTOR_H
#include "tests/unit/session-rop/desk.h"

/* Runs a file; counts its failures as checks of the running test.  mutate: the variants of the last list too. */
void vector_run(const char *path, bool mutate);

/* A session given line by line, as in a file; `at` is the source line of the first. */
void vector_lines(const char *path, unsigned at, const char *const *line, size_t n);

/* A test that is such a session. */
#define SESSION(name, ...)                                                                  \
    TEST(name)                                                                              \
    {                                                                                       \
        static const char *const lines[] = { __VA_ARGS__ };                                 \
        vector_lines(__FILE__, __LINE__, lines, sizeof lines / sizeof *lines);              \
    }

/* Calls fn for each file. */
void vector_each(void (*fn)(void *ctx, const char *path, const char *rop), void *ctx);
#endif
