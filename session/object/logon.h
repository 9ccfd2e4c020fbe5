/* logon.h - a logon: which mailbox, as whom. */
#ifndef OBJECT_LOGON_H
#define OBJECT_LOGON_H
#include "session/object/object.h"
struct obj_logon { struct guid mailbox; uint8_t logon_flags; uint32_t open_flags; bool owner; const char *mailbox_dn; };
#endif
