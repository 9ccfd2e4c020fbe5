/* auth_person.c - a name that somebody else vouches for (a KDC, a token issuer, a certificate authority) becomes a person of the directory. */
#include "fcgi/auth_int.h"

static enum auth verdict(struct auth_try *t, ec_t ec)
{
    if (ec != ecNone)
        return ec == ecUnknownUser ? AUTH_NOBODY : AUTH_DOWN;
    return t->out->who.disabled ? AUTH_NOBODY : AUTH_OK;
}

enum auth auth_person(struct auth_try *t, enum auth_method m, const char *outside, const char *name)
{
    const char *mapped = t->e->map != NULL ? auth_map_find(t->e->map, t->a, m, outside) : NULL;
    t->out->name = outside;
    if (mapped != NULL)
        name = mapped;
    if (name == NULL || *name == '\0' || strchr(name, '\\') != NULL)
        return AUTH_NOBODY;
    ec_t ec = directory_by_login(t->e->directory, t->a, name, &t->out->who);
    if (ec == ecUnknownUser)
        ec = directory_by_address(t->e->directory, t->a, name, &t->out->who);
    return verdict(t, ec);
}
