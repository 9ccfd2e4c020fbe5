/* table.h - an open table: its definition, where its cursor stands, its bookmarks.  Rows are read from the store each time. */
#ifndef OBJECT_TABLE_H
#define OBJECT_TABLE_H
#include "backend/mapi/sortorder.h"
#include "session/object/object.h"

enum table_source { TABLE_OF_CONTENTS, TABLE_OF_HIERARCHY, TABLE_OF_ATTACHMENTS, TABLE_SOURCES };

/* A place in a table that outlives its row: the row's sort key and id (view.h: table_pos). */
struct bookmark { uint32_t number; struct blob key; uint64_t id; bool end; };
enum { BOOKMARKS_MAX = 256, TABLE_COLUMNS_MAX = 1000 };

struct obj_table {
    uint8_t  source;             /* enum table_source */
    uint8_t  flags;              /* TableFlags of the opening ROP */
    uint64_t fid;                /* contents, hierarchy */
    uint32_t message;            /* attachments: handle of the message object */
    bool     columns_set, view_exists; /* view_exists: it is watched (notify.h) */
    struct tags      columns;
    struct sortorder sort;
    struct blob      restriction;/* as on the wire; empty: none */
    uint16_t         code_page;  /* of the strings in it */
    struct blob key; uint64_t id; bool end; /* the cursor (view.h: table_pos) */
    uint32_t next_bookmark;
    struct bookmark *bookmark; size_t nbookmark, bookmark_cap;
};
#endif
