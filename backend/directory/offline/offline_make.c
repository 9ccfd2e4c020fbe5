/* offline_make.c - the objects of an organization -> the next generation of its book: looked at once to know whether and how much, then written.
 *
 * Both times the same look, so that it is the same bytes: their checksum stands at the beginning of the file, and nothing is kept but a piece at a time.
 * If the look changed in between (it follows changes of visibility), the whole begins anew. */
#include "backend/base/log.h"
#include "backend/base/must.h"
#include "backend/directory/entry.h"
#include "backend/directory/offline/offline_int.h"

enum { ATTEMPTS = 3, OBJECT_ARENA = 1 << 28, HEADERS = 5, HEADER_COLUMN_SEQUENCE = 2, META_MAX = 1 << 16, LOOK_ARENA = 1 << 30 };

static const struct offline_column header_column[HEADERS] = {
    { PidTagOfflineAddressBookName, 0, 0 },
    { PidTagOfflineAddressBookDistinguishedName, 0, 0 },
    { PidTagOfflineAddressBookSequence, 0, 0 },
    { PidTagOfflineAddressBookContainerGuid, 0, 0 },
    { PidTagAddressBookHierarchicalRootDepartment, 0, 0 },
};

struct template_bytes { uint32_t lcid; struct blob bytes; };

struct making {
    struct directory   *d;
    struct arena       *a;
    const struct offline_values *from;
    const struct offline_stop   *stop;
    void               *look;
    struct offline_book book;
    const struct offline_column *column;
    size_t              columns;
    uint32_t           *wanted;
    struct propval     *value;
    int64_t            *row;
    size_t              rows;
    struct template_bytes *template;
    size_t              templates;
    const char         *root;
    /* known after the first time */
    uint32_t            records, crc, not_primary;
    uint64_t            bytes;
    struct tags         shortened;
    struct sha256      *digest;
    /* the second time */
    struct offline_pack pack;
};

/* --- objects, one after the other ------------------------------------------------------------------------------------------------------------ */

typedef ec_t take_record(struct making *m, struct blob record, const struct tags *shortened);

static ec_t one_record(struct making *m, struct arena *a, int64_t row, take_record *take)
{
    struct wr   w = wr_in(a, OFFLINE_RECORD_MAX);
    struct tags shortened = { 0 };
    ec_t ec = m->from->values(m->look, a, row, m->wanted, m->columns, m->value);
    if (ec != ecNone)
        return ec == ecNotFound ? ecNone : ec;
    offline_record(&w, a, m->column, m->value, m->columns, &shortened);
    return w.full ? EC(ecTooBig) : take(m, wr_blob(&w), &shortened);
}

static bool stopping(const struct making *m) { return m->stop != NULL && m->stop->stop(m->stop->ctx); }

static ec_t each_record(struct making *m, take_record *take)
{
    ec_t ec = ecNone;
    m->records = 0;
    m->bytes = 0;
    m->crc = 0;
    for (size_t i = 0; i < m->rows && ec == ecNone; i++) {
        struct arena *a = arena_new(OBJECT_ARENA);
        ec = stopping(m) ? EC(ecTimeout) : one_record(m, a, m->row[i], take);
        arena_free(a);
    }
    return ec;
}

static void count(struct making *m, struct blob record)
{
    m->records++;
    m->bytes += record.n;
    m->crc = offline_crc(m->crc, record);
}

/* --- the first time --------------------------------------------------------------------------------------------------------------------------- */

static ec_t measure_record(struct making *m, struct blob record, const struct tags *shortened)
{
    count(m, record);
    sha256_add(m->digest, record);
    for (size_t i = 0; i < shortened->n; i++)
        tags_add(m->a, &m->shortened, shortened->v[i]);
    for (size_t i = 0; i < m->columns; i++) /* somebody has none: it is no key */
        if ((m->column[i].flags & OFFLINE_PRIMARY) != 0 && (prop_type(m->value[i].tag) == PtypErrorCode || m->value[i].v.s.n == 0))
            m->not_primary = m->column[i].tag;
    return ecNone;
}

/* OAB_META_DATA and the header record. */
static struct blob prefix(struct making *m, uint32_t sequence)
{
    struct wr w = wr_in(m->a, META_MAX);
    struct propval v[HEADERS] = { pv_str(PidTagOfflineAddressBookName, m->book.name), pv_str(PidTagOfflineAddressBookDistinguishedName, m->book.dn),
                                  pv_i32(PidTagOfflineAddressBookSequence, (int32_t)sequence),
                                  pv_str(PidTagOfflineAddressBookContainerGuid, offline_guid_text(m->a, &m->book.guid)),
                                  pv_str(PidTagAddressBookHierarchicalRootDepartment, m->root != NULL ? m->root : "") };
    offline_meta(&w, header_column, HEADERS, m->column, m->columns, m->not_primary);
    offline_record(&w, m->a, header_column, v, HEADERS, NULL);
    must(!w.full);
    return wr_blob(&w);
}

static ec_t measure(struct making *m, uint8_t digest[SHA256])
{
    m->digest = sha256_new(m->a);
    TRY(each_record(m, measure_record));
    sha256_add(m->digest, prefix(m, 0));
    for (size_t i = 0; i < m->templates; i++)
        sha256_add(m->digest, m->template[i].bytes);
    sha256_end(m->digest, digest);
    return ecNone;
}

/* --- the second time -------------------------------------------------------------------------------------------------------------------------- */

static ec_t write_record(struct making *m, struct blob record, const struct tags *shortened)
{
    (void)shortened;
    count(m, record);
    return offline_pack_add(&m->pack, record);
}

static const char *file_name(struct making *m, const char *what, uint32_t sequence)
{
    return arena_printf(m->a, "%s-%s-%u.lzx", offline_guid_text(m->a, &m->book.guid), what, sequence);
}

static ec_t write_full(struct making *m, struct offline_writer *w, uint32_t sequence)
{
    struct blob before = prefix(m, sequence);
    uint32_t records = m->records, crc = m->crc;
    uint64_t bytes = m->bytes, size = OFFLINE_HEADER + before.n + bytes;
    struct wr head = wr_in(m->a, OFFLINE_HEADER);
    offline_header(&head, OFFLINE_VERSION_FULL, offline_crc_join(offline_crc(OFFLINE_CRC_BEGIN, before), crc, bytes), records);
    TRY(offline_writer_open(w, OFFLINE_FULL, 0, file_name(m, "data", sequence)));
    TRY(offline_pack_begin(&m->pack, m->a, size, offline_writer_give, w));
    TRY(offline_pack_add(&m->pack, wr_blob(&head)));
    TRY(offline_pack_add(&m->pack, before));
    TRY(each_record(m, write_record));
    if (records != m->records || crc != m->crc || bytes != m->bytes)
        return EC(ecTimeout);
    TRY(offline_pack_end(&m->pack));
    return offline_writer_close(w, size);
}

static ec_t write_template(struct making *m, struct offline_writer *w, const struct template_bytes *t, uint32_t sequence)
{
    TRY(offline_writer_open(w, OFFLINE_TEMPLATE, t->lcid, file_name(m, arena_printf(m->a, "lng%04x", t->lcid), sequence)));
    TRY(offline_pack_begin(&m->pack, m->a, t->bytes.n, offline_writer_give, w));
    TRY(offline_pack_add(&m->pack, t->bytes));
    TRY(offline_pack_end(&m->pack));
    return offline_writer_close(w, t->bytes.n);
}

static ec_t write_all(struct making *m, struct offline_writer *w, uint32_t sequence)
{
    TRY(write_full(m, w, sequence));
    for (size_t i = 0; i < m->templates; i++)
        TRY(write_template(m, w, &m->template[i], sequence));
    return ecNone;
}

/* --- the whole -------------------------------------------------------------------------------------------------------------------------------- */

static ec_t same_as_before(struct making *m, const uint8_t digest[SHA256], bool *same)
{
    sqlite3_stmt *q = q_begin(m->d, "SELECT 1 FROM offline_book WHERE org=?1 AND digest=?2 AND sequence=?3");
    if (q == NULL)
        return EC(ecDiskError);
    sqlite3_bind_int64(q, 1, m->book.org);
    sqlite3_bind_blob(q, 2, digest, SHA256, SQLITE_TRANSIENT);
    sqlite3_bind_int64(q, 3, m->book.sequence);
    ec_t ec = q_row(q, same);
    q_end(m->d, q);
    return ec;
}

static struct blob numbers(struct making *m, const struct tags *t)
{
    struct wr w = wr_in(m->a, t->n * sizeof(uint32_t));
    for (size_t i = 0; i < t->n; i++)
        wr_u32(&w, t->v[i]);
    return wr_blob(&w);
}

/* *made stays false if there is nothing new; ecTimeout: somebody else was quicker, or what is seen changed: once more. */
static ec_t with_look(struct making *m, const char *state, bool *made)
{
    uint8_t digest[SHA256];
    bool    same = false;
    TRY(m->from->rows(m->look, m->a, &m->row, &m->rows));
    TRY(m->from->root(m->look, m->a, &m->root));
    TRY(measure(m, digest));
    TRY(same_as_before(m, digest, &same));
    if (same || (m->records == 0 && m->book.sequence == 0))
        return offline_looked(m->d, m->book.org, state);
    struct offline_writer w;
    struct offline_result r = { m->records, numbers(m, &m->shortened), blob_of(digest, sizeof digest), state };
    uint32_t sequence = m->book.sequence + 1;
    offline_writer_new(&w, m->d, m->a, m->book.org);
    ec_t ec = write_all(m, &w, sequence);
    if (ec == ecNone)
        ec = offline_writer_publish(&w, sequence, &r, made);
    if (!*made)
        offline_writer_drop(&w);
    return ec == ecNone && !*made ? EC(ecTimeout) : ec;
}

static ec_t read_templates(struct making *m)
{
    uint32_t *lcid;
    TRY(offline_template_locales(m->d, m->a, &lcid, &m->templates));
    m->template = arena_array(m->a, struct template_bytes, m->templates);
    for (size_t i = 0; i < m->templates; i++) {
        m->template[i].lcid = lcid[i];
        TRY(offline_template_file(m->d, m->a, lcid[i], &m->template[i].bytes));
    }
    return ecNone;
}

static void ask_for(struct making *m)
{
    m->columns = offline_columns(&m->column);
    m->wanted = arena_array(m->a, uint32_t, m->columns);
    m->value = arena_array(m->a, struct propval, m->columns);
    for (size_t i = 0; i < m->columns; i++)
        m->wanted[i] = m->column[i].wanted;
}

static ec_t attempt(struct making *m, bool *made)
{
    const char *state;
    TRY(offline_of(m->d, m->a, m->book.org, &m->book));
    TRY(offline_state(m->d, m->a, &state)); /* before the look: what comes in between is found by the next one */
    TRY(read_templates(m));
    ask_for(m);
    TRY(m->from->begin(m->d, m->a, m->book.org, &m->look));
    ec_t ec = with_look(m, state, made);
    m->from->end(m->look);
    return ec;
}

static void tell(struct making *m, struct arena *a)
{
    log_line(LOGL_INFO, "directory", "offline address book made", "value",
             arena_printf(a, "%s, generation %u, %u objects, %llu bytes", offline_guid_text(a, &m->book.guid), m->book.sequence + 1, m->records, (unsigned long long)m->bytes), NULL);
}

ec_t offline_make(struct directory *d, struct arena *a, const struct offline_values *from, uint32_t org, const struct offline_stop *stop, bool *made)
{
    ec_t ec = ecTimeout;
    *made = false;
    TRY(offline_sweep(d, offline_now()));
    for (int i = 0; i < ATTEMPTS && ec == ecTimeout && !(i != 0 && stop != NULL && stop->stop(stop->ctx)); i++) {
        struct making m = { .d = d, .a = arena_new(LOOK_ARENA), .from = from, .stop = stop, .book.org = org };
        ec = attempt(&m, made);
        if (*made)
            tell(&m, a);
        arena_free(m.a);
    }
    ec_t swept = offline_sweep(d, offline_now());
    return ec != ecNone ? ec : swept;
}
