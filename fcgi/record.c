/* record.c - FastCGI framing: 8 bytes of head {version, type, id, length, padding, reserved}, big-endian. */
#include "fcgi/record.h"
#include "backend/base/rd.h"

enum { VERSION = 1, END_REQUEST = 3, PARAMS = 4, STDOUT = 6, STDERR = 7 };

static void put_head(struct wr *w, uint8_t type, uint16_t id, size_t n)
{
    const uint8_t head[RECORD_HEAD] = { VERSION, type, (uint8_t)(id >> 8), (uint8_t)id, (uint8_t)(n >> 8), (uint8_t)n, 0, 0 };
    wr_bytes(w, head, sizeof head);
}

void record_stdout(struct wr *w, uint16_t id, struct blob content)
{
    put_head(w, STDOUT, id, content.n);
    wr_put(w, content);
}

void record_nothing(struct wr *w, uint16_t id) { put_head(w, STDERR, id, 0); }

static struct iovec vector_of(struct blob b)
{
    return (struct iovec){ (void *)(uintptr_t)b.p, b.n }; /* iovec is not const although sendmsg only reads */
}

static struct blob head_of(struct arena *a, size_t n, uint16_t id)
{
    struct wr w = wr_in(a, RECORD_HEAD);
    put_head(&w, STDOUT, id, n);
    return wr_blob(&w);
}

static struct blob end_of(struct arena *a, uint16_t id)
{
    static const uint8_t complete[RECORD_HEAD] = { 0 }; /* appStatus 0, FCGI_REQUEST_COMPLETE */
    struct wr w = wr_in(a, RECORD_END);
    put_head(&w, STDOUT, id, 0);
    put_head(&w, END_REQUEST, id, sizeof complete);
    wr_bytes(&w, complete, sizeof complete);
    return wr_blob(&w);
}

/* Moves up to `n` bytes from the front of the pieces into the vector. */
static size_t gather(struct blob *piece, size_t pieces, size_t n, struct iovec *v)
{
    size_t used = 0;
    for (size_t i = 0; i < pieces && n != 0; i++) {
        struct rd r = rd_blob_of(piece[i]);
        struct blob part = rd_blob(&r, r.n < n ? r.n : n);
        piece[i] = rd_rest(&r);
        n -= part.n;
        if (part.n != 0)
            v[used++] = vector_of(part);
    }
    return used;
}

struct iovec *record_part(struct arena *a, uint16_t id, const struct blob *piece, size_t n, size_t *out_n)
{
    size_t total = 0, used = 0;
    for (size_t i = 0; i < n; i++)
        total += piece[i].n;
    size_t records = (total + RECORD_MOST - 1) / RECORD_MOST;
    struct iovec *v = arena_array(a, struct iovec, records * 2 + n + 2);
    struct blob *rest = arena_dup(a, piece, n * sizeof *piece);
    for (size_t left = total; left != 0; ) {
        size_t now = left < RECORD_MOST ? left : RECORD_MOST;
        v[used++] = vector_of(head_of(a, now, id));
        used += gather(rest, n, now, v + used);
        left -= now;
    }
    *out_n = used;
    return v;
}

struct iovec *record_answer(struct arena *a, uint16_t id, const struct blob *piece, size_t n, size_t *out_n)
{
    struct iovec *v = record_part(a, id, piece, n, out_n);
    v[(*out_n)++] = vector_of(end_of(a, id));
    return v;
}

bool record_params_end(struct blob seen)
{
    struct rd r = rd_blob_of(seen);
    while (rd_ok(&r) && r.n >= RECORD_HEAD) {
        struct blob head = rd_blob(&r, RECORD_HEAD);
        size_t length = (size_t)head.p[4] << 8 | head.p[5];
        if (head.p[1] == PARAMS && length == 0)
            return true;
        rd_blob(&r, length + head.p[6]);
    }
    return false;
}
