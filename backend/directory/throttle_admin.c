/* throttle_admin.c - what is counted, told and forgotten. */
#include "backend/directory/throttle_int.h"

static struct redis_conn *take(struct throttle *t, struct arena *a) { return redis_take_key(t->redis, a, blob_str(throttle_index_key(t, a))); }

static bool read_entry(struct throttle *t, struct arena *a, struct redis_conn *c, const char *member, uint64_t now_ms, struct throttle_entry *e)
{
    const char *space = strrchr(member, ' ');
    if (space == NULL)
        return false;
    const char *name = arena_str(a, blob_of(member, (size_t)(space - member))), *field = space + 1;
    bool address = name[0] == '@';
    const struct blob argv[] = { blob_str("HGET"), blob_str(address ? throttle_address_key(t, a, name + 1) : throttle_user_key(t, a, name)), blob_str(field) };
    struct redis_value v;
    if (redis_cmd(c, 3, argv, &v) != REDIS_DONE || v.type != REDIS_STRING)
        return false;
    struct slot_state s = throttle_parse(a, &v);
    *e = (struct throttle_entry){ address ? "" : name, address ? name + 1 : strcmp(field, FIELD_ALL) == 0 ? "" : field, s.failures, s.guesses,
                                  s.until_ms > now_ms ? (s.until_ms - now_ms + 999) / 1000 : 0 };
    return true;
}

ec_t throttle_list(struct throttle *t, struct arena *a, struct throttle_entry **out, size_t *n)
{
    const struct blob range[] = { blob_str("ZRANGE"), blob_str(throttle_index_key(t, a)), blob_str("0"), blob_str("-1") }, time[] = { blob_str("TIME") };
    struct redis_value all, now;
    struct redis_conn *c = take(t, a);
    *n = 0;
    if (c == NULL || redis_cmd(c, 1, time, &now) != REDIS_DONE || now.n != 2 || redis_cmd(c, 4, range, &all) != REDIS_DONE || all.type != REDIS_ARRAY)
        return EC(ecServerBusy);
    uint64_t now_ms = throttle_ms_of(a, &now);
    *out = arena_array(a, struct throttle_entry, all.n);
    for (size_t i = 0; i < all.n; i++)
        *n += read_entry(t, a, c, arena_str(a, all.v[i].s), now_ms, &(*out)[*n]);
    return ecNone;
}

/* What the index has of a name goes with its hash. */
static ec_t unlock(struct throttle *t, struct arena *a, const char *key, const char *name)
{
    const struct blob range[] = { blob_str("ZRANGE"), blob_str(throttle_index_key(t, a)), blob_str("0"), blob_str("-1") }, del[] = { blob_str("DEL"), blob_str(key) };
    struct redis_value all, v, gone;
    struct redis_conn *c = take(t, a);
    if (c == NULL || redis_cmd(c, 4, range, &all) != REDIS_DONE || redis_cmd(c, 2, del, &gone) != REDIS_DONE)
        return EC(ecServerBusy);
    for (size_t i = 0; i < all.n; i++) {
        const char *member = arena_str(a, all.v[i].s);
        const struct blob rem[] = { blob_str("ZREM"), blob_str(throttle_index_key(t, a)), all.v[i].s };
        if (strncmp(member, name, strlen(name)) == 0 && member[strlen(name)] == ' ' && redis_cmd(c, 3, rem, &v) != REDIS_DONE)
            return EC(ecServerBusy);
    }
    return gone.i != 0 ? ecNone : EC(ecNotFound);
}

ec_t throttle_unlock_user(struct throttle *t, struct arena *a, const char *login) { return unlock(t, a, throttle_user_key(t, a, login), throttle_user_name(a, login)); }
ec_t throttle_unlock_address(struct throttle *t, struct arena *a, const char *addr)
{
    const char *net = throttle_network(a, addr);
    return unlock(t, a, throttle_address_key(t, a, net), arena_printf(a, "@%s", net));
}
