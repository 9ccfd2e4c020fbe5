/* 001.sql - the tables of a mailbox. Each statement is wrapped in SQL( ) and becomes a string of schema.c, so comments are of this kind only.
 *
 * PostgreSQL: TEXT and BLOB are bytea (strings may hold NULs and lone surrogates), each table is led by mailbox_id. */

/* --- the mailbox: one row each. `info` changes rarely, `counter` with every writing transaction ------------------------- */
SQL(CREATE TABLE info (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    guid BLOB NOT NULL, replica BLOB NOT NULL, mapping BLOB NOT NULL,
    owner_dn TEXT NOT NULL, display_name TEXT NOT NULL, smtp TEXT NOT NULL,
    locale INTEGER NOT NULL, code_page INTEGER NOT NULL,
    quota_warn INTEGER NOT NULL, quota_send INTEGER NOT NULL, quota_receive INTEGER NOT NULL, /* KiB; -1 = none */
    created INTEGER NOT NULL,                  /* FILETIME, as all times here */
    special BLOB NOT NULL,                     /* FIDs in the order of enum special_folder, 8 bytes little-endian each */
    props BLOB NOT NULL                        /* of the logon object, props_pack */
))

SQL(CREATE TABLE counter (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    next_id INTEGER NOT NULL,                  /* next counter for folders, messages and changes */
    last_cn INTEGER NOT NULL,
    event_seq INTEGER NOT NULL,
    bytes INTEGER NOT NULL, messages INTEGER NOT NULL, assoc_messages INTEGER NOT NULL,
    deleted_bytes INTEGER NOT NULL, deleted_messages INTEGER NOT NULL, folders INTEGER NOT NULL
))

/* --- folders -------------------------------------------------------------------------------------------------------------- */
SQL(CREATE TABLE folder (
    fid INTEGER PRIMARY KEY,
    parent INTEGER NOT NULL,                   /* the root's parent is itself */
    type INTEGER NOT NULL,                     /* PidTagFolderType */
    special INTEGER,                           /* enum special_folder; NULL: made by a client */
    deleted INTEGER NOT NULL DEFAULT 0, deleted_at INTEGER,
    name TEXT NOT NULL, name_fold TEXT NOT NULL, /* folded: no two of one parent alike */
    class TEXT, comment TEXT, hidden INTEGER NOT NULL DEFAULT 0,
    total INTEGER NOT NULL DEFAULT 0, unread INTEGER NOT NULL DEFAULT 0, assoc INTEGER NOT NULL DEFAULT 0,
    subfolders INTEGER NOT NULL DEFAULT 0, bytes INTEGER NOT NULL DEFAULT 0,
    deleted_total INTEGER NOT NULL DEFAULT 0, deleted_assoc INTEGER NOT NULL DEFAULT 0,
    ever_deleted INTEGER NOT NULL DEFAULT 0,   /* PidTagDeletedCountTotal */
    next_article INTEGER NOT NULL DEFAULT 1,   /* PidTagArticleNumberNext */
    cn INTEGER NOT NULL, pcl BLOB NOT NULL, change_key BLOB, /* change_key NULL: made from cn */
    created INTEGER NOT NULL, modified INTEGER NOT NULL,
    content_at INTEGER NOT NULL,               /* last change of the contents: PidTagLocalCommitTimeMax */
    hierarchy_at INTEGER NOT NULL,             /* last change of the subfolders: PidTagHierRev */
    props BLOB NOT NULL                        /* all others, props_pack */
))
SQL(CREATE UNIQUE INDEX folder_name ON folder (parent, name_fold) WHERE deleted = 0)
SQL(CREATE INDEX folder_parent ON folder (parent, fid)) /* deleted ones too */
SQL(CREATE INDEX folder_cn ON folder (cn))

/* --- messages: the row that tables sort, filter and show, and the rest ------------------------------------------------------- */
SQL(CREATE TABLE message (
    mid INTEGER PRIMARY KEY,
    fid INTEGER NOT NULL,
    assoc INTEGER NOT NULL, deleted INTEGER NOT NULL DEFAULT 0, deleted_at INTEGER,
    is_read INTEGER NOT NULL, flags INTEGER NOT NULL, status INTEGER NOT NULL DEFAULT 0,
    cn INTEGER NOT NULL, read_cn INTEGER NOT NULL DEFAULT 0,
    size INTEGER NOT NULL, natt INTEGER NOT NULL DEFAULT 0, nrcpt INTEGER NOT NULL DEFAULT 0, next_att INTEGER NOT NULL DEFAULT 0,
    article INTEGER NOT NULL DEFAULT 0,
    created INTEGER NOT NULL, modified INTEGER NOT NULL,
    committed INTEGER NOT NULL DEFAULT 0,      /* last change of any kind, read state included: PidTagLocalCommitTime */
    /* NULL: the message does not have the property */
    class TEXT, subject_prefix TEXT, normalized_subject TEXT,
    sender_name TEXT, from_name TEXT, display_to TEXT, display_cc TEXT, display_bcc TEXT,
    delivered INTEGER, submitted INTEGER,
    importance INTEGER, priority INTEGER, sensitivity INTEGER, has_attach INTEGER, icon INTEGER,
    flag_status INTEGER, followup_icon INTEGER,
    topic TEXT, conversation_index BLOB, conversation_id BLOB, internet_id TEXT, search_key BLOB
))
SQL(CREATE INDEX message_fid ON message (fid, assoc, deleted, mid))
SQL(CREATE INDEX message_cn ON message (fid, cn))

SQL(CREATE TABLE message_body (
    mid INTEGER PRIMARY KEY,
    pcl BLOB NOT NULL, change_key BLOB,        /* change_key NULL: made from cn */
    props BLOB NOT NULL,                       /* the properties without a column, props_pack */
    rcpts BLOB NOT NULL                        /* rcpts_pack */
))

SQL(CREATE TABLE attachment (
    mid INTEGER NOT NULL, num INTEGER NOT NULL,
    method INTEGER, size INTEGER NOT NULL,
    props BLOB NOT NULL,
    embedded BLOB,                             /* msg_pack; NULL: none */
    PRIMARY KEY (mid, num)
))

/* --- large values: by content, in pieces --------------------------------------------------------------------------------------- */
SQL(CREATE TABLE large (
    id INTEGER PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE,                 /* SHA-256 */
    size INTEGER NOT NULL,
    refs INTEGER NOT NULL DEFAULT 0,           /* messages and staging rows that name it */
    touched INTEGER NOT NULL                   /* stored or released last */
))
SQL(CREATE INDEX large_idle ON large (touched) WHERE refs = 0)
SQL(CREATE TABLE large_piece (id INTEGER NOT NULL, n INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (id, n)))

/* Bytes not committed yet. A piece that is not there comes from the large value `base` up to base_size, and is zeros beyond. */
SQL(CREATE TABLE stage (
    id INTEGER PRIMARY KEY,
    context BLOB NOT NULL, object INTEGER NOT NULL,
    size INTEGER NOT NULL, base INTEGER, base_size INTEGER NOT NULL DEFAULT 0,
    touched INTEGER NOT NULL,
    UNIQUE (context, object)
))
SQL(CREATE INDEX stage_touched ON stage (touched))
SQL(CREATE TABLE stage_piece (stage INTEGER NOT NULL, n INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (stage, n)))
SQL(CREATE TABLE stage_pin (stage INTEGER NOT NULL, large INTEGER NOT NULL, PRIMARY KEY (stage, large)) WITHOUT ROWID)

/* --- names, replicas, receive folders, rights ----------------------------------------------------------------------------------- */
SQL(CREATE TABLE named (
    id INTEGER PRIMARY KEY,                    /* 0x8000 .. 0xFFFE */
    guid BLOB NOT NULL, kind INTEGER NOT NULL, lid INTEGER NOT NULL, name TEXT NOT NULL,
    UNIQUE (guid, kind, lid, name)
))
SQL(CREATE TABLE replid (replid INTEGER PRIMARY KEY, guid BLOB NOT NULL UNIQUE))
SQL(CREATE TABLE receive_folder (
    class_fold TEXT PRIMARY KEY, class TEXT NOT NULL, fid INTEGER NOT NULL, changed INTEGER NOT NULL
))
SQL(CREATE TABLE permission (
    fid INTEGER NOT NULL,
    member TEXT NOT NULL,                      /* DN, folded; '' = default, 'anonymous' */
    dn TEXT NOT NULL, rights INTEGER NOT NULL,
    member_id INTEGER NOT NULL,                /* PidTagMemberId */
    PRIMARY KEY (fid, member)
))

/* --- what happened ------------------------------------------------------------------------------------------------------------------ */
SQL(CREATE TABLE tombstone (                   /* for ICS: mid left the folder */
    id INTEGER PRIMARY KEY,
    fid INTEGER NOT NULL, mid INTEGER NOT NULL, /* a folder: fid = its parent, mid = its FID */
    cn INTEGER NOT NULL, kind INTEGER NOT NULL, /* enum tombstone_kind */
    at INTEGER NOT NULL
))
SQL(CREATE INDEX tombstone_fid ON tombstone (fid, cn))
SQL(CREATE INDEX tombstone_at ON tombstone (at))

SQL(CREATE TABLE event (
    seq INTEGER PRIMARY KEY,
    at INTEGER NOT NULL, kind INTEGER NOT NULL, assoc INTEGER NOT NULL,
    fid INTEGER NOT NULL, mid INTEGER NOT NULL, old_fid INTEGER NOT NULL, old_mid INTEGER NOT NULL,
    total INTEGER NOT NULL, unread INTEGER NOT NULL,
    flags INTEGER NOT NULL, class TEXT, changed BLOB /* tags, 4 bytes little-endian each */
))

SQL(CREATE TABLE journal (
    context BLOB PRIMARY KEY,
    epoch INTEGER NOT NULL, seq INTEGER NOT NULL, digest BLOB NOT NULL, running INTEGER NOT NULL,
    cursor BLOB NOT NULL, delta BLOB NOT NULL, answer BLOB NOT NULL,
    touched INTEGER NOT NULL
))
SQL(CREATE INDEX journal_touched ON journal (touched))

/* --- views: sorted folders (view*.c adds its tables here) ------------------------------------------------------------------------------- */
SQL(CREATE TABLE view (
    id INTEGER PRIMARY KEY,
    fid INTEGER NOT NULL, assoc INTEGER NOT NULL,
    def BLOB,                                  /* order, collation, restriction (view_def.c); NULL: dropped, its rows wait for the sweeper */
    state INTEGER NOT NULL,                    /* enum view_state */
    built INTEGER NOT NULL,                    /* while it is built: messages up to this MID are in */
    usual INTEGER NOT NULL,                    /* never dropped for lack of use */
    used INTEGER NOT NULL,                     /* seconds since 1970, written at most once an hour */
    UNIQUE (fid, assoc, def)
))
SQL(CREATE INDEX view_used ON view (state, used))
SQL(CREATE TABLE view_row (
    view INTEGER NOT NULL, key BLOB NOT NULL, id INTEGER NOT NULL,
    PRIMARY KEY (view, key, id)
) WITHOUT ROWID)
SQL(CREATE TABLE view_bucket (                 /* how many rows begin at (key, id) and end before the next bucket of the level */
    view INTEGER NOT NULL, level INTEGER NOT NULL, key BLOB NOT NULL, id INTEGER NOT NULL, n INTEGER NOT NULL,
    PRIMARY KEY (view, level, key, id)
) WITHOUT ROWID)

/* --- imports: which messages came in before, by the digest of their bytes ---------------------------------------------------------------- */
SQL(CREATE TABLE imported (
    key BLOB PRIMARY KEY                       /* 32 bytes (backend/mail: mail_key); a message deleted since is not brought back */
) WITHOUT ROWID)
