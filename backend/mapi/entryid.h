/* entryid.h - ids of the store and their long forms (MS-OXCDATA 2.2).
 *
 * A FID or MID on the wire is 8 bytes: REPLID u16 little-endian, then the GLOBCNT as 6 bytes big-endian.  In memory and in the store
 * an id is only its 48-bit counter in a uint64_t, since its replica is always the mailbox's own; id_wire and id_gc convert. */
#ifndef MAPI_ENTRYID_H
#define MAPI_ENTRYID_H
#include "backend/mapi/propval.h"

enum { REPLID_OWN = 1 };            /* every FID and MID of a mailbox carries replid 1  */
#define GLOBCNT_MAX 0x7FFFFFFFFFFFull

/* Wire id (as the u64 that rd_u64 gives) <-> counter. */
uint64_t id_wire(uint16_t replid, uint64_t gc);
uint16_t id_replid(uint64_t wire);
uint64_t id_gc(uint64_t wire);

/* LongTermID: replica GUID 16, GLOBCNT 6 big-endian, pad 2 (24 bytes); XID / change key: GUID 16 + GLOBCNT 6 (22 bytes). */
enum { LONGTERMID = 24, XID = 22 };
void longtermid_write(struct wr *w, const struct guid *replica, uint64_t gc);
void xid_write(struct wr *w, const struct guid *replica, uint64_t gc);
void longtermid_read(struct rd *r, struct guid *replica, uint64_t *gc);
bool xid_read(struct blob b, struct guid *replica, uint64_t *gc);   /* false unless b is one of 22 bytes */

/* Folder EntryID 46 bytes and Message EntryID 70 bytes (2.2.4.1, 2.2.4.2): flags, provider UID (the mailbox GUID that RopLogon
 * answers), type (private folder 1, private message 7), replica GUIDs and counters.  In the arena. */
struct blob entryid_folder(struct arena *a, const struct guid *provider, const struct guid *replica, uint64_t fid);
struct blob entryid_message(struct arena *a, const struct guid *provider, const struct guid *replica, uint64_t fid, uint64_t mid);

enum entryid_kind { ENTRYID_BAD, ENTRYID_FOLDER, ENTRYID_MESSAGE };
struct entryid { struct guid provider, replica; uint64_t fid, mid; };
/* ENTRYID_BAD also for those of public folders and where folder and message are of different replicas. */
enum entryid_kind entryid_parse(struct blob b, struct entryid *out);

/* Address-book EntryID (2.2.5.2) of an X500 DN, One-Off EntryID (2.2.5.1), Store EntryID (2.2.4.3).  In the arena.  Strings are UTF-8. */
struct blob entryid_addressbook(struct arena *a, uint32_t type, const char *x500dn);
struct blob entryid_oneoff(struct arena *a, const char *display, const char *addrtype, const char *address);
struct blob entryid_store(struct arena *a, const char *server, const char *mailbox_dn);

/* What clients send in recipients: false if it is not one.  The DN borrows from b; the parts of a one-off are UTF-8 in the arena. */
struct oneoff { struct blob display, addrtype, address; };
bool entryid_addressbook_parse(struct blob b, uint32_t *type, struct blob *x500dn);
bool entryid_oneoff_parse(struct arena *a, struct blob b, struct oneoff *out);

/* PtypServerId content for an object of this store (2.11.1.4): Ours 1, FolderID, MessageID, Instance. */
struct blob svreid(struct arena *a, uint64_t fid_wire, uint64_t mid_wire, uint32_t instance);
bool svreid_parse(struct blob b, uint64_t *fid_wire, uint64_t *mid_wire, uint32_t *instance);  /* false also if it is not ours */

/* Search key of a recipient: "SMTP:USER@HOST" and NUL, upper case. */
struct blob search_key(struct arena *a, const char *addrtype, const char *address);
#endif
