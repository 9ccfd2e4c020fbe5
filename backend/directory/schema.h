/* schema.h - tables of the directory database, by version: step n leads from user_version n to n + 1. */
#ifndef DIRECTORY_SCHEMA_H
#define DIRECTORY_SCHEMA_H

#define COUNTED(name, what) \
    "CREATE TRIGGER policy_" name " AFTER " what " BEGIN UPDATE setting SET value=value+1 WHERE key='policy_version'; END;"
/* A change of the book gets the next number. */
#define NEXT_CHANGE "UPDATE setting SET value=value+1 WHERE key='book_version';"
#define LAST_CHANGE "(SELECT value FROM setting WHERE key='book_version')"
/* A domain that comes to another organization takes its objects along. */
#define MOVED(name, what, row, to) \
    "CREATE TRIGGER book_domain_" name " AFTER " what " ON domain BEGIN " NEXT_CHANGE \
    " UPDATE entry_word SET org=" to " WHERE entry IN (SELECT row FROM entry WHERE domain=" row ".domain);" \
    " UPDATE entry SET org=" to ", change=" LAST_CHANGE " WHERE domain=" row ".domain; END;"
#define CHANGED(name, what) \
    "CREATE TRIGGER book_" name " AFTER " what " BEGIN UPDATE setting SET value=value+1 WHERE key='hierarchy_version'; END;"
#define LINKED(name, what) \
    "CREATE TRIGGER offline_" name " AFTER " what " BEGIN UPDATE setting SET value=value+1 WHERE key='link_version'; END;"
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
    "CREATE INDEX delegate_of ON delegate(delegate);"
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

    /* The address book (entry.h, book.h).  A user has the row of the same number here and in `person`; address lists and templates take theirs from the same
     * sequence.  Each change gets the next book_version, so that workers read again only what is newer than what they know; entry_word is made by the
     * program (entry_word.c), which notes its version in book_words. */
    "CREATE TABLE entry(row INTEGER PRIMARY KEY AUTOINCREMENT, kind INTEGER NOT NULL, hidden INTEGER NOT NULL DEFAULT 0, dn TEXT NOT NULL UNIQUE COLLATE NOCASE,"
    " display_name TEXT NOT NULL, phonetic TEXT NOT NULL DEFAULT '', smtp TEXT NOT NULL DEFAULT '', domain TEXT NOT NULL DEFAULT '',"
    " org INTEGER NOT NULL DEFAULT 1, filter TEXT NOT NULL DEFAULT '', source TEXT NOT NULL DEFAULT '', external TEXT NOT NULL DEFAULT '',"
    " change INTEGER NOT NULL, props BLOB);"
    "CREATE UNIQUE INDEX entry_external ON entry(source, external) WHERE external<>'';"
    "CREATE INDEX entry_domain ON entry(domain);"
    "CREATE INDEX entry_change ON entry(change);"
    "CREATE TABLE entry_gone(row INTEGER PRIMARY KEY, change INTEGER NOT NULL);"
    "CREATE INDEX entry_gone_change ON entry_gone(change);"
    "CREATE TABLE entry_word(org INTEGER NOT NULL, word BLOB NOT NULL, entry INTEGER NOT NULL, PRIMARY KEY(org, word, entry)) WITHOUT ROWID;"
    "CREATE INDEX entry_word_entry ON entry_word(entry);"
    "CREATE TABLE proxy(address TEXT PRIMARY KEY COLLATE NOCASE, entry INTEGER NOT NULL REFERENCES entry(row) ON DELETE CASCADE, shown TEXT NOT NULL)"
    " WITHOUT ROWID;"
    "CREATE INDEX proxy_entry ON proxy(entry);"
    "CREATE TABLE link(source INTEGER NOT NULL, kind INTEGER NOT NULL, target INTEGER NOT NULL, PRIMARY KEY(source, kind, target)) WITHOUT ROWID;"
    "CREATE INDEX link_back ON link(target, kind, source);"
    "CREATE TABLE container(row INTEGER PRIMARY KEY REFERENCES entry(row) ON DELETE CASCADE, parent INTEGER NOT NULL DEFAULT 0, name TEXT NOT NULL,"
    " filter TEXT NOT NULL DEFAULT '', UNIQUE(parent, name));"
    "CREATE TABLE template(row INTEGER PRIMARY KEY REFERENCES entry(row) ON DELETE CASCADE, purpose INTEGER NOT NULL, type INTEGER NOT NULL,"
    " lcid INTEGER NOT NULL, name TEXT NOT NULL, address_type TEXT NOT NULL DEFAULT '', data BLOB NOT NULL, script BLOB NOT NULL, UNIQUE(purpose, type, lcid));"
    "CREATE TABLE entry_turn(context BLOB PRIMARY KEY, epoch INTEGER NOT NULL, sequence INTEGER NOT NULL, made INTEGER NOT NULL) WITHOUT ROWID;"
    "INSERT INTO setting VALUES('book_version', 1), ('book_words', 0), ('hierarchy_version', 1);"
    "INSERT INTO entry(row, kind, hidden, dn, display_name, smtp, domain, org, change) SELECT row, 0, hidden, dn, display_name, smtp,"
    " substr(smtp, instr(smtp, '@') + 1), coalesce((SELECT organization FROM domain d WHERE d.domain=substr(smtp, instr(smtp, '@') + 1)), 1), 1 FROM person;"
    "DELETE FROM sqlite_sequence WHERE name='entry';"
    "INSERT INTO sqlite_sequence SELECT 'entry', seq FROM sqlite_sequence WHERE name='person';"
    "INSERT INTO proxy SELECT address, person, 'smtp:' || address FROM address;"
    "DROP TABLE address;"
    "CREATE VIEW address AS SELECT address, entry AS person FROM proxy;" /* for workers of the release before, while they are replaced one by one */
    "CREATE TRIGGER person_gone AFTER DELETE ON person BEGIN DELETE FROM entry WHERE row=OLD.row; END;"
    "CREATE TRIGGER entry_gone AFTER DELETE ON entry BEGIN " NEXT_CHANGE
    " INSERT INTO entry_gone VALUES(OLD.row, " LAST_CHANGE ");"
    " DELETE FROM entry_word WHERE entry=OLD.row; DELETE FROM link WHERE source=OLD.row; DELETE FROM link WHERE target=OLD.row;"
    " DELETE FROM person WHERE row=OLD.row; END;"
    MOVED("insert", "INSERT", "NEW", "NEW.organization") MOVED("delete", "DELETE", "OLD", "1") MOVED("update", "UPDATE", "NEW", "NEW.organization")
    CHANGED("hierarchy_insert", "INSERT ON container") CHANGED("hierarchy_update", "UPDATE ON container") CHANGED("hierarchy_delete", "DELETE ON container"),

    /* Offline address books (offline/offline.h), one per organization.  `sequence` of a file: its generation; 0: it is being made, by `maker`, who was there at
     * `touched` [ms]; -1: it goes.  A piece's row is that of its file times OFFLINE_PIECES plus its number.  A book was looked at for changes at `looked` [ms]; who
     * does has it until `claimed`.  link_version counts what is shown of an object and is not in its row. */
    "CREATE TABLE offline_book(org INTEGER PRIMARY KEY REFERENCES organization(row) ON DELETE CASCADE, guid BLOB NOT NULL UNIQUE,"
    " sequence INTEGER NOT NULL DEFAULT 0, made INTEGER NOT NULL DEFAULT 0, objects INTEGER NOT NULL DEFAULT 0, shortened BLOB NOT NULL DEFAULT x'',"
    " digest BLOB NOT NULL DEFAULT x'', state TEXT NOT NULL DEFAULT '', looked INTEGER NOT NULL DEFAULT 0, claimed INTEGER NOT NULL DEFAULT 0);"
    "INSERT INTO offline_book(org, guid) SELECT row, randomblob(16) FROM organization;"
    "CREATE TRIGGER offline_organization AFTER INSERT ON organization BEGIN INSERT OR IGNORE INTO offline_book(org, guid) VALUES(NEW.row, randomblob(16)); END;"
    "CREATE TABLE offline_file(row INTEGER PRIMARY KEY AUTOINCREMENT, org INTEGER NOT NULL, sequence INTEGER NOT NULL, maker BLOB NOT NULL, touched INTEGER NOT NULL,"
    " kind INTEGER NOT NULL, lcid INTEGER NOT NULL, name TEXT NOT NULL, size INTEGER NOT NULL, uncompressed INTEGER NOT NULL, sha1 BLOB NOT NULL);"
    "CREATE INDEX offline_file_org ON offline_file(org, sequence, name);"
    "CREATE TABLE offline_piece(row INTEGER PRIMARY KEY, data BLOB NOT NULL);"
    "INSERT INTO setting VALUES('link_version', 1);"
    LINKED("link_insert", "INSERT ON link") LINKED("link_delete", "DELETE ON link") LINKED("mailbox", "UPDATE OF mailbox ON person"),
};
#undef COUNTED
#undef MOVED
#undef CHANGED
#undef LINKED
enum { DIRECTORY_VERSION = sizeof directory_schema / sizeof directory_schema[0] };
#endif
