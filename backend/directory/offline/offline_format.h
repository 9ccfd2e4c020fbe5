/* offline_format.h - the bytes of offline address books: records of values, the file around them, the container in which they travel (MS-OXOAB 2.9, 2.11). */
#ifndef OFFLINE_OFFLINE_FORMAT_H
#define OFFLINE_OFFLINE_FORMAT_H
#include "backend/directory/offline/offline_lzx.h"
#include "backend/mapi/propval.h"

/* --- the table of properties (2.9.4) ---------------------------------------------------------------------------------------------------------- */
enum { OFFLINE_ANR = 1, OFFLINE_PRIMARY = 2 };

/* One property: its tag in the file (PtypObject: only that there is a value is said), the tag by which its value is asked for, its flags. */
struct offline_column { uint32_t tag, wanted, flags; };

/* Those of objects, PidTagOfflineAddressBookTruncatedProperties at the end, which has no value of its own.  Static. */
size_t offline_columns(const struct offline_column **out);

/* --- records (2.9.5, 2.9.6) ------------------------------------------------------------------------------------------------------------------- */
/* Most bytes of a value: a longer string is cut, a longer binary is left out, of a multi-value those are left out that do not fit any more (2.9.2.2.1). */
enum { OFFLINE_STRING_MAX = 3400, OFFLINE_BINARY_MAX = 32768, OFFLINE_MANY_MAX = 65536, OFFLINE_RECORD_MAX = 16 << 20 };

/* Appends a record: v[i] is the value of c[i], an error (PtypErrorCode) where there is none.  A column of PidTagOfflineAddressBookTruncatedProperties says which of
 * those before it are not whole; so does *shortened, in the arena (NULL: nobody wants to know). */
void offline_record(struct wr *w, struct arena *a, const struct offline_column *c, const struct propval *v, size_t n, struct tags *shortened);

/* OAB_META_DATA: both tables.  not_primary: PidTagSmtpAddress, since somebody has none; 0. */
void offline_meta(struct wr *w, const struct offline_column *header, size_t headers, const struct offline_column *object, size_t objects, uint32_t not_primary);

/* OAB_HDR. */
enum { OFFLINE_VERSION_FULL = 0x20, OFFLINE_VERSION_TEMPLATE = 7, OFFLINE_HEADER = 12 };
void offline_header(struct wr *w, uint32_t version, uint32_t serial, uint32_t records);

/* IEEE 802.3, begun with OFFLINE_CRC_BEGIN, not inverted at the end (2). */
#define OFFLINE_CRC_BEGIN 0xFFFFFFFFu
uint32_t offline_crc(uint32_t crc, struct blob b);
/* Of two parts behind each other: the first's, and the second's begun with 0, which is n bytes long.  O(n). */
uint32_t offline_crc_join(uint32_t first, uint32_t second, uint64_t n);

/* --- the container (2.11) --------------------------------------------------------------------------------------------------------------------- */
/* Takes the bytes of a file in any portions, gives those of its container: a head, then blocks of at most OFFLINE_BLOCK bytes.  `give` takes them, as long as they
 * are valid; what it answers other than ecNone ends it. */
enum { OFFLINE_BLOCK = OFFLINE_LZX_MAX };
typedef ec_t offline_give(void *ctx, struct blob b);
struct offline_pack { struct wr block; offline_give *give; void *ctx; struct offline_lzx *lzx; };
ec_t offline_pack_begin(struct offline_pack *p, struct arena *a, uint64_t size, offline_give *give, void *ctx);
ec_t offline_pack_add(struct offline_pack *p, struct blob b);
ec_t offline_pack_end(struct offline_pack *p);
#endif
