/* template.h - display templates: how a client draws the details of an object, its search dialog, its address creation forms (MS-OXOABKT).
 *
 * A template is bytes in the layout of MS-OXOABKT 2.2.2, made of data files per locale; each has a row of the address book (kind ENTRY_TEMPLATE) and a DN, so
 * that it can be named.  `type` is a display type (entrykind.def) for details, TEMPLATE_SEARCH for the search dialog, or the number of an address type for
 * creation templates. */
#ifndef DIRECTORY_TEMPLATE_H
#define DIRECTORY_TEMPLATE_H
#include "backend/directory/entry.h"

enum template_purpose { TEMPLATE_DETAILS = 0, TEMPLATE_CREATE = 1 };
enum { TEMPLATE_SEARCH = 0x200 };      /* DT_SEARCH: the dialog of "find people" */

struct template {
    int64_t     row;
    enum template_purpose purpose;
    uint32_t    type, lcid;
    const char *name;                  /* "User", "SMTP Address"; shown in the address creation table */
    const char *address_type;          /* TEMPLATE_CREATE: "SMTP" */
    const char *dn;
    struct blob data;                  /* PidTagTemplateData */
    struct blob script;                /* PidTagScriptData, may be empty */
};
/* Puts it in place of the one with the same purpose, type and lcid, or beside the others; sets row and dn. */
ec_t template_put(struct directory *d, struct arena *a, struct template *t);
/* The one for a type in a locale: the same language if there is no exact one.  ecInvalidLocale. */
ec_t template_find(struct directory *d, struct arena *a, enum template_purpose p, uint32_t type, uint32_t lcid, struct template *out);
ec_t template_by_dn(struct directory *d, struct arena *a, const char *dn, struct template *out);   /* ecInvalidLocale: none */
/* All address creation templates of a locale (exact), in the order of their names; *n may be 0. */
ec_t template_creation(struct directory *d, struct arena *a, uint32_t lcid, struct template **out, size_t *n);
/* The bytes as a client gets them: its strings in the code page (8 bit). */
struct blob template_render(struct arena *a, const struct template *t, uint32_t code_page);
#endif
