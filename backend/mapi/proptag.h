/* proptag.h - property tags (MS-OXCDATA 2.9) and property types (2.11.1).
 *
 * A tag is id << 16 | type.  The names come from proptag.def and keep the spelling of MS-OXPROPS. */
#ifndef MAPI_PROPTAG_H
#define MAPI_PROPTAG_H
#include <stdbool.h>
#include <stdint.h>

enum {
    PtypUnspecified = 0x0000, PtypNull = 0x0001, PtypInteger16 = 0x0002, PtypInteger32 = 0x0003, PtypFloating32 = 0x0004,
    PtypFloating64 = 0x0005, PtypCurrency = 0x0006, PtypFloatingTime = 0x0007, PtypErrorCode = 0x000A, PtypBoolean = 0x000B,
    PtypObject = 0x000D, PtypInteger64 = 0x0014, PtypString8 = 0x001E, PtypString = 0x001F, PtypTime = 0x0040,
    PtypGuid = 0x0048, PtypServerId = 0x00FB, PtypRestriction = 0x00FD, PtypRuleAction = 0x00FE, PtypBinary = 0x0102,
    PtypMultipleFlag = 0x1000, PtypMultipleInstance = 0x3000,
    PtypMultipleInteger32 = 0x1003, PtypMultipleString8 = 0x101E, PtypMultipleString = 0x101F, PtypMultipleBinary = 0x1102
};

#define PROP_TAG(id, type) ((uint32_t)(id) << 16 | (uint32_t)(type))
static inline uint16_t prop_id(uint32_t tag)   { return (uint16_t)(tag >> 16); }
static inline uint16_t prop_type(uint32_t tag) { return (uint16_t)tag; }
static inline bool prop_named(uint32_t tag)    { return tag >= 0x80000000u; }
static inline bool type_multi(uint16_t type)   { return (type & PtypMultipleFlag) != 0; }
/* Is a value of this type kept as an array?  An instance of a multi-value (both flags, MS-OXCDATA 2.11.1.3) is a single value. */
static inline bool type_array(uint16_t type)   { return (type & PtypMultipleInstance) == PtypMultipleFlag; }
static inline uint16_t type_single(uint16_t type) { return (uint16_t)(type & ~PtypMultipleInstance); }
static inline bool type_string(uint16_t type)  { return type_single(type) == PtypString || type_single(type) == PtypString8; }

/* The same property with another type; PROP_UNICODE turns String8 (also multi-valued) into String, as values are kept. */
static inline uint32_t prop_retype(uint32_t tag, uint16_t type) { return (tag & 0xFFFF0000u) | type; }
static inline uint32_t prop_unicode(uint32_t tag)
{
    return type_string(prop_type(tag)) ? prop_retype(tag, (uint16_t)((tag & PtypMultipleInstance) | PtypString)) : tag;
}

/* A type that a value can have on the wire (not Unspecified, Null counts). */
bool type_known(uint16_t type);

enum {
#define PROPTAG(tag, name) name = tag,
#include "backend/mapi/proptag.def"
#undef PROPTAG
};

/* Name for a tag ("PidTagSubject"), matched by id and, where several share an id, by type; NULL if unknown. Static. */
const char *proptag_name(uint32_t tag);

/* Tag for a name, or 0. */
uint32_t proptag_by_name(const char *name);
#endif
