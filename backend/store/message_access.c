/* message_access.c - what the actor may do with a message: the rights in its folder, and whether he made it. MS-OXCPERM 2.2.7. */
#include "backend/store/message_int.h"
#include <strings.h>

/* DNs are ASCII and compare without case. */
static bool names(struct blob entryid, const char *dn)
{
    uint32_t type;
    struct blob name;
    return entryid_addressbook_parse(entryid, &type, &name) && name.n == strlen(dn) && strncasecmp((const char *)name.p, dn, name.n) == 0;
}

bool message_owned(struct message_src *s)
{
    if (s->m->actor.kind != ACTOR_DELEGATE)
        return true;
    if (s->row == NULL)
        return true; /* not saved yet: he is making it */
    struct message_src stored = { .m = s->m, .a = s->a, .row = s->row };
    struct propval v;
    bool found = message_plain(&stored, PidTagCreatorEntryId, &v) && prop_type(v.tag) == PtypBinary && !v.large;
    s->ec = stored.ec;
    return found && names(v.v.bin, s->m->actor.dn);
}

static bool may(struct message_src *s, uint32_t any, uint32_t owned)
{
    return (s->rights & any) != 0 || ((s->rights & owned) != 0 && message_owned(s));
}

uint32_t message_access(struct message_src *s)
{
    if (s->m->actor.kind != ACTOR_DELEGATE && s->row != NULL)
        return ACCESS_MODIFY | ACCESS_READ | ACCESS_DELETE;
    if (s->row == NULL)
        return ACCESS_MODIFY | ACCESS_READ; /* OXCMSG R353 */
    uint32_t access = 0;
    if ((s->rights & RIGHT_READ_ANY) != 0 || ((s->rights & RIGHT_FOLDER_VISIBLE) != 0 && message_owned(s)))
        access |= ACCESS_READ;
    if (may(s, RIGHT_EDIT_ANY, RIGHT_EDIT_OWNED))
        access |= ACCESS_MODIFY;
    if (may(s, RIGHT_DELETE_ANY, RIGHT_DELETE_OWNED))
        access |= ACCESS_DELETE;
    return access;
}
