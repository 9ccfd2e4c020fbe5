/* address.c - From, Sender, To, Cc, Bcc, Reply-To -> sender properties and recipient rows (MS-OXCMAIL 2.2.1). */
#include "backend/mail/mail_int.h"
#include "backend/mapi/entryid.h"

struct person { const char *name, *address; };

/* The five properties by which MAPI names a person, at the tags of one role. */
struct role { uint32_t name, type, address, smtp, entryid, searchkey; };

static const struct role sender = { PidTagSenderName, PidTagSenderAddressType, PidTagSenderEmailAddress, PidTagSenderSmtpAddress, PidTagSenderEntryId,
                                    PidTagSenderSearchKey };
static const struct role representing = { PidTagSentRepresentingName, PidTagSentRepresentingAddressType, PidTagSentRepresentingEmailAddress,
                                          PidTagSentRepresentingSmtpAddress, PidTagSentRepresentingEntryId, PidTagSentRepresentingSearchKey };
static const struct role recipient = { PidTagDisplayName, PidTagAddressType, PidTagEmailAddress, PidTagSmtpAddress, PidTagEntryId, PidTagSearchKey };

static void set_role(struct arena *a, struct props *p, const struct role *r, const struct person *who)
{
    props_set(a, p, pv_str(r->name, who->name));
    props_set(a, p, pv_str(r->type, "SMTP"));
    props_set(a, p, pv_str(r->address, who->address));
    props_set(a, p, pv_str(r->smtp, who->address));
    props_set(a, p, pv_bin(r->entryid, entryid_oneoff(a, who->name, "SMTP", who->address)));
    props_set(a, p, pv_bin(r->searchkey, search_key(a, "SMTP", who->address)));
}

static struct person person_of(struct mail *m, InternetAddressMailbox *box)
{
    const char *name = mail_str(m->a, internet_address_get_name(INTERNET_ADDRESS(box)));
    const char *address = mail_str(m->a, internet_address_mailbox_get_addr(box));
    if (address == NULL)
        address = "";
    return (struct person){ name != NULL && *name != '\0' ? name : address, address };
}

/* The first mailbox of a list, groups looked into. */
static bool first_person(struct mail *m, InternetAddressList *list, struct person *out)
{
    for (int i = 0; list != NULL && i < internet_address_list_length(list); i++) {
        InternetAddress *x = internet_address_list_get_address(list, i);
        if (INTERNET_ADDRESS_IS_MAILBOX(x)) {
            *out = person_of(m, INTERNET_ADDRESS_MAILBOX(x));
            return true;
        }
        if (INTERNET_ADDRESS_IS_GROUP(x) && first_person(m, internet_address_group_get_members(INTERNET_ADDRESS_GROUP(x)), out))
            return true;
    }
    return false;
}

static void add_recipient(struct mail *m, const struct person *who, uint8_t type)
{
    struct recipient *r = msg_rcpt_add(m->a, m->out, (uint32_t)m->out->nrcpt);
    r->type = type;
    set_role(m->a, &r->props, &recipient, who);
    props_set(m->a, &r->props, pv_i32(PidTagObjectType, 6));
    props_set(m->a, &r->props, pv_i32(PidTagDisplayType, 0));
    props_set(m->a, &r->props, pv_i32(PidTagRecipientType, type));
}

static void add_recipients(struct mail *m, InternetAddressList *list, uint8_t type, unsigned depth)
{
    for (int i = 0; list != NULL && i < internet_address_list_length(list) && m->out->nrcpt < RECIPIENTS_MAX; i++) {
        InternetAddress *x = internet_address_list_get_address(list, i);
        if (INTERNET_ADDRESS_IS_MAILBOX(x)) {
            struct person who = person_of(m, INTERNET_ADDRESS_MAILBOX(x));
            add_recipient(m, &who, type);
        } else if (INTERNET_ADDRESS_IS_GROUP(x) && depth < DEPTH_MAX)
            add_recipients(m, internet_address_group_get_members(INTERNET_ADDRESS_GROUP(x)), type, depth + 1);
    }
}

/* FLATENTRYLIST of one-off entry ids (MS-OXCDATA 2.3.3), and the names. */
static void set_reply_to(struct mail *m)
{
    InternetAddressList *list = g_mime_message_get_reply_to(m->g);
    int n = list != NULL ? internet_address_list_length(list) : 0;
    struct wr entries = wr_in(m->a, 1 << 20), names = wr_in(m->a, 1 << 20), all = wr_in(m->a, (1 << 20) + 8);
    uint32_t count = 0;
    for (int i = 0; i < n && count < 100; i++) {
        InternetAddress *x = internet_address_list_get_address(list, i);
        if (!INTERNET_ADDRESS_IS_MAILBOX(x))
            continue;
        struct person who = person_of(m, INTERNET_ADDRESS_MAILBOX(x));
        struct blob id = entryid_oneoff(m->a, who.name, "SMTP", who.address);
        wr_u32(&entries, (uint32_t)id.n);
        wr_put(&entries, id);
        for (size_t pad = id.n; pad % 4 != 0; pad++)
            wr_u8(&entries, 0);
        if (count++ > 0)
            wr_put(&names, blob_str("; "));
        wr_put(&names, blob_str(who.name));
    }
    if (count == 0 || entries.full || names.full)
        return;
    wr_u32(&all, count);
    wr_u32(&all, (uint32_t)entries.n);
    wr_put(&all, wr_blob(&entries));
    props_set(m->a, &m->out->set, pv_bin(PidTagReplyRecipientEntries, wr_blob(&all)));
    props_set(m->a, &m->out->set, pv_strn(PidTagReplyRecipientNames, wr_blob(&names)));
}

void mail_addresses(struct mail *m)
{
    struct person from, by;
    bool have_from = first_person(m, g_mime_message_get_from(m->g), &from), have_by = first_person(m, g_mime_message_get_sender(m->g), &by);
    if (have_from || have_by) {
        set_role(m->a, &m->out->set, &representing, have_from ? &from : &by);
        set_role(m->a, &m->out->set, &sender, have_by ? &by : &from);
    }
    add_recipients(m, g_mime_message_get_to(m->g), 1, 0);
    add_recipients(m, g_mime_message_get_cc(m->g), 2, 0);
    add_recipients(m, g_mime_message_get_bcc(m->g), 3, 0);
    set_reply_to(m);
}
