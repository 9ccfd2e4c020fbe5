/* message_save_int.h - a save on its way, between message_save.c (may it, bytes, everybody is told) and message_stamp.c (what the store writes on it). */
#ifndef STORE_MESSAGE_SAVE_INT_H
#define STORE_MESSAGE_SAVE_INT_H
#include "backend/store/message_int.h"

struct saving {
    struct mailbox *m;
    struct message_save *s;
    const struct msg *over;
    bool   exists;
    struct message_row was, now;
    struct msg whole;             /* properties and recipients as they will be */
    struct msg atts_were;         /* attachments before the change, if it touches them */
    struct msg parts;             /* those of them that are packed, with large values moved out */
};

/* Properties of v->whole, then columns of v->now (natt must be there). */
void message_stamp_props(struct saving *v);
void message_stamp_columns(struct saving *v);
#endif
