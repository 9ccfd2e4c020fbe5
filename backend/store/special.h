/* special.h - the folders that every mailbox has, and the properties by which Outlook finds them. */
#ifndef STORE_SPECIAL_H
#define STORE_SPECIAL_H
#include "backend/store/store_int.h"

struct special {
    const char *id;                         /* "INBOX" */
    enum special_folder sf, parent;         /* the root is its own parent */
    uint32_t    type;                       /* PidTagFolderType */
    bool        hidden;
    const char *class;                      /* PidTagContainerClass, or NULL */
    const char *english, *german;
};
extern const struct special special[SF_COUNT];

/* Name in the language of the locale; English for those that have no column. */
const char *special_name(const struct special *s, uint32_t lcid);

/* ANSI code page of the locale's language. */
uint32_t special_code_page(uint32_t lcid);

/* The properties on Inbox and Root that name other folders (MS-OXOSFLD 2.2.3 - 2.2.7). In the arena. */
void special_pointers(struct arena *a, const struct mailbox_info *i, struct props *out);
#endif
