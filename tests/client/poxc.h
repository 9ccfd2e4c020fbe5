/* poxc.h - Autodiscover as Outlook asks for it: where is the mailbox of this address?  MS-OXDSCLI 2.2.3, 2.2.4. */
#ifndef CLIENT_POXC_H
#define CLIENT_POXC_H
#include "tests/client/mapic.h"

#define POXC_PATH "/autodiscover/autodiscover.xml"

/* Texts are NULL where the answer has none. */
struct poxc_answer {
    bool        mapi;                   /* it has a mapiHttp block */
    const char *error, *message;        /* ErrorCode and its words */
    const char *action;                 /* "settings", "redirectUrl", "redirectAddr" */
    const char *redirect_url, *redirect_address;
    const char *name, *dn, *smtp;
    const char *mail[2], *book[2];      /* URLs of the endpoints: internal, external */
    const char *offline[2];             /* directories of the offline address book, in the answer's order */
};

const char *poxc_body(struct arena *a, const char *address);
/* Reads the XML of an answer; false: it is none. */
bool poxc_read(struct arena *a, struct blob xml, struct poxc_answer *out);
/* Both, over the wire, with X-MapiHttpCapability 1.  False with *why: no connection, or c->status is not 200, or no such XML. */
bool poxc_call(struct mapic *c, struct arena *a, const char *address, struct poxc_answer *out, const char **why);
#endif
