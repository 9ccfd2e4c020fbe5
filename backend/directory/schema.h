/* schema.h - tables of the directory database, by version: step n leads from user_version n to n + 1. */
#ifndef DIRECTORY_SCHEMA_H
#define DIRECTORY_SCHEMA_H

#define COUNTED(name, what) \
    "CREATE TRIGGER policy_" name " AFTER " what " BEGIN UPDATE setting SET value=value+1 WHERE key='policy_version'; END;"
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

    /* Policies (policy.h).  Organization 1 is the configuration's, whatever its name is by now; an installation that served MAPI over HTTP before there
     * was a switch goes on serving it, and a later step leaves the switches as they are.  The triggers count the changes, so that workers need not
     * read everything again because of a new password. */
    "CREATE TABLE organization(row INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE COLLATE NOCASE, mapi_http INTEGER NOT NULL DEFAULT 1,"
    " retention INTEGER NOT NULL DEFAULT 0);"
    "INSERT INTO organization(row, name) VALUES(1, '');"
    "CREATE TABLE domain(domain TEXT PRIMARY KEY, organization INTEGER NOT NULL REFERENCES organization(row) ON DELETE CASCADE) WITHOUT ROWID;"
    "ALTER TABLE person ADD COLUMN mapi_http INTEGER;"
    "ALTER TABLE person ADD COLUMN block_external INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE person ADD COLUMN retention INTEGER NOT NULL DEFAULT 0;"
    "CREATE INDEX person_policy ON person(row) WHERE mapi_http IS NOT NULL OR block_external<>0 OR retention<>0;"
    "CREATE TABLE vdir(row INTEGER PRIMARY KEY CHECK(row=1), internal_url TEXT NOT NULL DEFAULT '', external_url TEXT NOT NULL DEFAULT '',"
    " internal_methods INTEGER NOT NULL DEFAULT 15, external_methods INTEGER NOT NULL DEFAULT 15);"
    "INSERT INTO vdir(row) VALUES(1);"
    "CREATE TABLE moved(name TEXT PRIMARY KEY, url TEXT NOT NULL, address TEXT NOT NULL) WITHOUT ROWID;"
    "INSERT INTO setting VALUES('policy_version', 1), ('context_layout', 1);"
    COUNTED("organization", "INSERT ON organization") COUNTED("organization_2", "UPDATE ON organization")
    COUNTED("organization_3", "DELETE ON organization")
    COUNTED("domain", "INSERT ON domain") COUNTED("domain_2", "UPDATE ON domain") COUNTED("domain_3", "DELETE ON domain")
    COUNTED("person", "UPDATE OF mapi_http, block_external, retention ON person") COUNTED("vdir", "UPDATE ON vdir")
    COUNTED("moved", "INSERT ON moved") COUNTED("moved_2", "UPDATE ON moved") COUNTED("moved_3", "DELETE ON moved")
    COUNTED("setting", "UPDATE OF value ON setting WHEN new.key='context_layout'"),
};
#undef COUNTED
enum { DIRECTORY_VERSION = sizeof directory_schema / sizeof directory_schema[0] };
#endif
