/* table.h - an open table: its definition, where its cursor stands, its bookmarks.  Rows are read from the store each time. */
#ifndef OBJECT_TABLE_H
#define OBJECT_TABLE_H
#include "backend/mapi/sortorder.h"
#include "session/object/object.h"

enum table_source { TABLE_OF_CONTENTS, TABLE_OF_HIERARCHY, TABLE_OF_ATTACHMENTS };

struct bookmark { uint32_t number; struct blob key; uint64_t id; bool end; };

struct obj_table {
    uint8_t  source;             /* enum table_source */
    uint8_t  flags;              /* TableFlags of the opening ROP */
    uint64_t fid;                /* contents, hierarchy */
    uint32_t message;            /* attachments: handle of the message object */
    bool     columns_set, view_exists, invalid; /* view_exists: for automatic notifications; invalid: a failed sort or restrict (MS-OXCTABL) */
    struct tags      columns;
    struct sortorder sort;
    struct blob      restriction;/* as on the wire; empty: none */
    /* the cursor */
    struct blob key; uint64_t id; bool end;
    uint32_t row;                /* attachment tables: row number */
    uint32_t next_bookmark;
    struct bookmark *bookmark; size_t nbookmark, bookmark_cap;
};
#endif
