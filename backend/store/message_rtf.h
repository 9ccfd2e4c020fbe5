/* message_rtf.h - the text of an RTF body.  Pure. */
#ifndef STORE_MESSAGE_RTF_H
#define STORE_MESSAGE_RTF_H
#include "backend/base/arena.h"

/* The plain text of RTF as UTF-8 with CR LF.  Damaged RTF gives what can be read.  In the arena. */
struct blob message_rtf_text(struct arena *a, struct blob rtf);
#endif
