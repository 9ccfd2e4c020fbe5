/* logon.h - a logon: which entry of the context's logon map.  Mailbox, flags and rights are there (context.h: logon_entry), at hand in every request. */
#ifndef OBJECT_LOGON_H
#define OBJECT_LOGON_H
#include "session/object/object.h"
struct obj_logon { uint8_t logon_id; };
#endif
