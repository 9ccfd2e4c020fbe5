/* address.c - From, Sender, To, Cc, Bcc, Reply-To -> sender properties and recipient rows (MS-OXCMAIL 2.2.1). */
#include "backend/mail/mail_int.h"
#include "backend/mapi/entryid.h"

enum { GROUPS_MAX = 1000, REPLY_TO_MAX = 100, LIST_BYTES = 1 << 20 };

struct person { const char *name, *address; };

/* The five properties by which MAPI names a person, at the tags of one role. */
struct role { uint32_t name, type, address, smtp, entryid, searchkey; };

static const struct role sender = { PidTagSenderName, PidTagSenderAddressType, PidTagSenderEmailAddress, PidTagSenderSmtpAddress, PidTagSenderEntryId,
                                    PidTagSenderSearchKey };
static const struct role representing = { PidTagSentRepresentingName, PidTagSentRepresentingAddressType, PidTagSentRepresentingEmailAddress,
                                          PidTagSentRepresentingSmtpAddress, PidTagSentRepresentingEntryId, PidTagSentRepresentingSearchKey };
static const struct role receipt = { PidTagReadReceiptName, PidTagReadReceiptAddressType, PidTagReadReceiptEmailAddress, PidTagReadReceiptSmtpAddress,
                                     PidTagReadReceiptEntryId, PidTagReadReceiptSearchKey };
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

/* --- lists of addresses -------------------------------------------------------------------------------------------------------------------- */

/* GMime goes down one call for each group in a group; real mail has none.  A ';' that ends no group separates addresses, as people write it who know Outlook. */
static void tidy(char *line)
{
    unsigned colons = 0, open = 0;
    bool quoted = false;
    for (char *p = line; *p != '\0'; p++) {
        if (*p == '\\' && p[1] != '\0')
            p++;
        else if (*p == '"')
            quoted = !quoted;
        else if (*p == ':' && ++colons > GROUPS_MAX)
            *p = ' ';
        else if (*p == ':' && !quoted)
            open++;
        else if (*p == ';' && !quoted && open-- == 0) {
            *p = ',';
            open = 0;
        }
    }
}

static void unref(void *object) { g_object_unref(object); }

/* NULL: nothing in it is an address.  Lives as long as the arena. */
static InternetAddressList *parsed(struct mail *m, struct blob value)
{
    char *line = arena_strdup(m->a, mail_line(m->a, value, m->charset));
    tidy(line);
    InternetAddressList *list = *line != '\0' ? internet_address_list_parse(NULL, line) : NULL;
    if (list != NULL)
        arena_defer(m->a, unref, list);
    return list;
}

struct found { struct person *v; size_t n, cap, max; };

static void collect(struct mail *m, InternetAddressList *list, struct found *f, unsigned depth)
{
    for (int i = 0; list != NULL && i < internet_address_list_length(list) && f->n < f->max; i++) {
        InternetAddress *x = internet_address_list_get_address(list, i);
        if (INTERNET_ADDRESS_IS_MAILBOX(x)) {
            f->v = arena_grow(m->a, f->v, &f->cap, f->n, sizeof *f->v);
            f->v[f->n++] = person_of(m, INTERNET_ADDRESS_MAILBOX(x));
        } else if (INTERNET_ADDRESS_IS_GROUP(x) && depth < DEPTH_MAX)
            collect(m, internet_address_group_get_members(INTERNET_ADDRESS_GROUP(x)), f, depth + 1);
    }
}

/* Everybody whom the lines of this name mention, groups looked into. */
static struct found people(struct mail *m, const char *name, size_t max)
{
    struct found f = { .max = max };
    struct blob  value;
    for (size_t i = 0; f.n < max && part_next_head(m->root, name, &i, &value); )
        collect(m, parsed(m, value), &f, 0);
    return f;
}

/* A sender line without any address still says who wrote. */
static bool one_person(struct mail *m, const char *name, struct person *out)
{
    struct found f = people(m, name, 1);
    if (f.n != 0) {
        *out = f.v[0];
        return true;
    }
    struct blob text = blob_str(mail_words(m->a, part_head(m->root, name), m->charset));
    if (text.n >= 2 && memcmp(text.p + text.n - 2, "<>", 2) == 0)
        text.n -= 2;
    while (text.n > 0 && text.p[text.n - 1] == ' ')
        text.n--;
    *out = (struct person){ arena_str(m->a, text), "" };
    return text.n != 0;
}

/* --- rows ---------------------------------------------------------------------------------------------------------------------------------- */

/* Rows are numbered in order, so the list need not be searched for each. */
struct recipient *mail_recipient(struct mail *m, const char *name, const char *address, uint8_t type)
{
    struct msg *out = m->out;
    if (out->nrcpt >= RECIPIENTS_MAX)
        return NULL;
    out->rcpt = arena_grow(m->a, out->rcpt, &out->rcpt_cap, out->nrcpt, sizeof *out->rcpt);
    struct recipient *r = &out->rcpt[out->nrcpt];
    r->row = (uint32_t)out->nrcpt++;
    r->type = type;
    set_role(m->a, &r->props, &recipient, &(struct person){ name, address });
    props_set(m->a, &r->props, pv_i32(PidTagObjectType, 6));
    props_set(m->a, &r->props, pv_i32(PidTagDisplayType, 0));
    props_set(m->a, &r->props, pv_i32(PidTagRecipientType, type));
    return r;
}

static void add_recipients(struct mail *m, const char *name, uint8_t type)
{
    struct found f = people(m, name, RECIPIENTS_MAX - m->out->nrcpt);
    for (size_t i = 0; i < f.n; i++)
        mail_recipient(m, f.v[i].name, f.v[i].address, type);
}

/* FLATENTRYLIST of one-off entry ids (MS-OXCDATA 2.3.3), and the names. */
static void set_reply_to(struct mail *m)
{
    struct found f = people(m, "Reply-To", REPLY_TO_MAX);
    struct wr entries = wr_in(m->a, LIST_BYTES), names = wr_in(m->a, LIST_BYTES), all = wr_in(m->a, LIST_BYTES + 8);
    for (size_t i = 0; i < f.n; i++) {
        struct blob id = entryid_oneoff(m->a, f.v[i].name, "SMTP", f.v[i].address);
        wr_u32(&entries, (uint32_t)id.n);
        wr_put(&entries, id);
        for (size_t pad = id.n; pad % 4 != 0; pad++)
            wr_u8(&entries, 0);
        if (i > 0)
            wr_put(&names, blob_str("; "));
        wr_put(&names, blob_str(f.v[i].name));
    }
    if (f.n == 0 || entries.full || names.full)
        return;
    wr_u32(&all, (uint32_t)f.n);
    wr_u32(&all, (uint32_t)entries.n);
    wr_put(&all, wr_blob(&entries));
    props_set(m->a, &m->out->set, pv_bin(PidTagReplyRecipientEntries, wr_blob(&all)));
    props_set(m->a, &m->out->set, pv_strn(PidTagReplyRecipientNames, wr_blob(&names)));
}

/* Who wants to know that it was read, or that it was not. */
static void set_receipt(struct mail *m)
{
    struct found f = people(m, "Disposition-Notification-To", 1);
    if (f.n == 0)
        return;
    set_role(m->a, &m->out->set, &receipt, &f.v[0]);
    props_set(m->a, &m->out->set, pv_bool(PidTagReadReceiptRequested, true));
    props_set(m->a, &m->out->set, pv_bool(PidTagNonReceiptNotificationRequested, true));
}

/* The recipients of a report are those that it reports on (report.c); whom it was sent to stands in the header block. */
void mail_addresses(struct mail *m)
{
    struct person from, by;
    bool have_from = one_person(m, "From", &from), have_by = one_person(m, "Sender", &by);
    if (have_from || have_by) {
        set_role(m->a, &m->out->set, &representing, have_from ? &from : &by);
        set_role(m->a, &m->out->set, &sender, have_by ? &by : &from);
    }
    if (m->out->nrcpt == 0) {
        add_recipients(m, "To", 1);
        add_recipients(m, "Cc", 2);
        add_recipients(m, "Bcc", 3);
    }
    set_reply_to(m);
    set_receipt(m);
}
