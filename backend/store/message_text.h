/* message_text.h - body text of one form made from another: HTML -> plain text, plain text -> HTML.  Pure. */
#ifndef STORE_MESSAGE_TEXT_H
#define STORE_MESSAGE_TEXT_H
#include "backend/base/arena.h"

/* Readable plain text of HTML (UTF-8): tags away, blocks and breaks as CR LF, character references resolved, script, style and head left out.
 * Never longer than twice the input.  In the arena. */
struct blob message_text_from_html(struct arena *a, struct blob html);

/* A small HTML document around plain text (both UTF-8).  In the arena. */
struct blob message_html_from_text(struct arena *a, struct blob text);
#endif
