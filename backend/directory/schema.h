/* schema.h - tables of the directory database, by version: step n leads from user_version n to n + 1. */
#ifndef DIRECTORY_SCHEMA_H
#define DIRECTORY_SCHEMA_H

static const char *const directory_schema[] = {
    "CREATE TABLE person("
    " row INTEGER PRIMARY KEY AUTOINCREMENT,"
    " login TEXT NOT NULL UNIQUE,"
    " smtp TEXT NOT NULL,"
    " dn TEXT NOT NULL UNIQUE COLLATE NOCASE,"
    " display_name TEXT NOT NULL,"
    " password TEXT NOT NULL,"
    " mailbox BLOB UNIQUE,"
    " locale INTEGER NOT NULL,"
    " disabled INTEGER NOT NULL DEFAULT 0,"
    " hidden INTEGER NOT NULL DEFAULT 0);"
    "CREATE TABLE address(address TEXT PRIMARY KEY, person INTEGER NOT NULL REFERENCES person(row) ON DELETE CASCADE) WITHOUT ROWID;"
    "CREATE TABLE delegate(owner INTEGER NOT NULL REFERENCES person(row) ON DELETE CASCADE,"
    " delegate INTEGER NOT NULL REFERENCES person(row) ON DELETE CASCADE, PRIMARY KEY(owner, delegate)) WITHOUT ROWID;"
    "CREATE TABLE setting(key TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID;"
    "INSERT INTO setting VALUES('server_guid', randomblob(16));",
};
enum { DIRECTORY_VERSION = sizeof directory_schema / sizeof directory_schema[0] };
#endif
