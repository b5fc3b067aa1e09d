/* Writing a shard file; see checkpoint.h.
 *
 * One thread copies the parts into the file, which the disk writes meanwhile.  A second one follows
 * it: it hashes the units in memory, reads the file back and compares, and hashes the file for the
 * manifest.  Only what has been read back may replace an older checkpoint. */
#include "common/store/checkpoint.h"

#include "common/base/file.h"
#include "common/base/hash.h"
#include "common/base/mem.h"
#include "common/base/thread.h"
#include "common/store/h5.h"
#include "common/store/manifest.h"

#include <stdio.h>
#include <string.h>

#define PIECE R1_MANIFEST_PIECE

static const char *const parts[3] = {"w", "m", "v"};

typedef struct writer {
    const r1_layout *l;
    uint32_t u0, u1;
    const float *x[3]; /* NULL: zeros */
    uint64_t *hashes;  /* [3][units] */
    const char *path;
    uint64_t *piece; /* [n_pieces] hashes of the file's pieces, 0: not known yet */
    size_t n_pieces; /* and no more of them lie within the parts */
} writer;

static size_t count(const writer *s) {
    return r1_layout_first(s->l, s->u1) - r1_layout_first(s->l, s->u0);
}

static uint64_t *hashes_of(const writer *s, int part) {
    return s->hashes + (size_t)part * (s->u1 - s->u0);
}

/* ---- the thread behind ---- */

typedef struct follower {
    writer *s;
    int part;
    pthread_t thread;
    pthread_mutex_t lock; /* guards what stands here */
    pthread_cond_t more;
    uint64_t offset; /* of the part in the file */
    size_t written;  /* bytes of it */
    int ended;       /* no more will come */
    /* of the thread alone, until it is joined */
    uint64_t at;   /* offset */
    uint32_t unit; /* the next to compare */
    r1_status st;
    r1_err err;
} follower;

static void wrote(void *arg, uint64_t offset, size_t bytes) {
    follower *f = arg;

    pthread_mutex_lock(&f->lock);
    f->offset = offset;
    f->written = bytes;
    pthread_cond_signal(&f->more);
    pthread_mutex_unlock(&f->lock);
}

static size_t wait_for_more(follower *f, size_t have) {
    pthread_mutex_lock(&f->lock);
    while (f->written == have && !f->ended)
        pthread_cond_wait(&f->more, &f->lock);
    size_t written = f->written;
    f->at = f->offset;
    pthread_mutex_unlock(&f->lock);
    return written;
}

/* The units that end before `bytes` of the part. */
static r1_status compare_units(follower *f, const uint8_t *file, size_t bytes) {
    const writer *s = f->s;
    size_t first = r1_layout_first(s->l, s->u0);

    for (; f->unit < s->u1; f->unit++) {
        const r1_unit *u = &s->l->units[f->unit];
        size_t at = (u->offset - first) * sizeof(float), n = u->n * sizeof(float);
        uint64_t *hash = &hashes_of(s, f->part)[f->unit - s->u0];
        if (at + n > bytes)
            break;
        *hash = r1_hash64((const uint8_t *)s->x[f->part] + at, n);
        if (r1_hash64(file + at, n) != *hash)
            return R1_FAIL(&f->err, R1_IO,
                           "'%s' does not hold what was written into it: the disk lies", s->path);
    }
    return R1_OK;
}

/* Bytes [from, to) of the part are new: hash the pieces that they complete. */
static void hash_pieces(const follower *f, const uint8_t *file, size_t from, size_t to) {
    const writer *s = f->s;
    uint64_t whole = (f->at + PIECE - 1) / PIECE, next = (f->at + from) / PIECE;

    for (uint64_t k = next > whole ? next : whole; (k + 1) * PIECE <= f->at + to; k++)
        if (k < s->n_pieces)
            s->piece[k] = r1_hash64(file + k * PIECE, PIECE);
}

static r1_status follow_to(follower *f, size_t from, size_t to) {
    r1_map map = {0};
    r1_status st;

    R1_TRY(r1_map_open(&map, f->s->path, &f->err));
    if (f->at > map.len || to > map.len - f->at) {
        st = R1_FAIL(&f->err, R1_IO, "'%s' is shorter than what was written into it", f->s->path);
        goto done;
    }
    for (size_t at = from, end; at < to && st == R1_OK; at = end) { /* while caches hold it */
        end = to - at < PIECE ? to : at + PIECE;
        st = compare_units(f, map.data + f->at, end);
        hash_pieces(f, map.data, at, end);
    }
done:
    r1_map_close(&map);
    return st;
}

static void *follow(void *arg) {
    follower *f = arg;
    size_t to;

    for (size_t from = 0; f->st == R1_OK && (to = wait_for_more(f, from)) > from; from = to)
        f->st = follow_to(f, from, to);
    return NULL;
}

/* ---- the thread in front ---- */

static r1_status write_stored(writer *s, hid_t file, const char *name, int part, r1_err *err) {
    follower f = {.s = s, .part = part, .unit = s->u0};
    r1_status st;

    pthread_mutex_init(&f.lock, NULL);
    pthread_cond_init(&f.more, NULL);
    int started = r1_thread_start(&f.thread, follow, &f) == 0;
    st = r1_h5_write_followed(file, name, H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, s->x[part], count(s),
                              wrote, &f, err);
    pthread_mutex_lock(&f.lock);
    f.ended = 1;
    pthread_cond_signal(&f.more);
    pthread_mutex_unlock(&f.lock);
    if (started)
        pthread_join(f.thread, NULL);
    else
        follow(&f); /* later, but no less */
    if (st == R1_OK && f.st != R1_OK)
        st = R1_FAIL(err, f.st, "%s", f.err.msg);
    pthread_cond_destroy(&f.more);
    pthread_mutex_destroy(&f.lock);
    return st;
}

/* A part of zeros has no place in the file. */
static r1_status write_zeros(writer *s, hid_t file, const char *name, int part, r1_err *err) {
    uint64_t *hashes = hashes_of(s, part);
    float *zeros = NULL;
    size_t most = 1;
    r1_status st;

    for (uint32_t u = s->u0; u < s->u1; u++)
        most = s->l->units[u].n > most ? s->l->units[u].n : most;
    R1_TRY(R1_NEW(zeros, most, err));
    for (uint32_t u = s->u0; u < s->u1; u++)
        hashes[u - s->u0] = r1_hash64(zeros, s->l->units[u].n * sizeof *zeros);
    r1_free(zeros);
    st = r1_h5_write(file, name, H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, NULL, count(s), err);
done:
    return st;
}

static r1_status write_part(writer *s, hid_t file, int part, r1_err *err) {
    char name[32];
    r1_status st;

    snprintf(name, sizeof name, "/%s", parts[part]);
    R1_TRY(s->x[part] && s->u1 > s->u0 ? write_stored(s, file, name, part, err)
                                       : write_zeros(s, file, name, part, err));
    snprintf(name, sizeof name, "/hash/%s", parts[part]);
    st = r1_h5_write(file, name, H5T_STD_U64LE, H5T_NATIVE_UINT64, hashes_of(s, part),
                     s->u1 - s->u0, err);
done:
    return st;
}

static r1_status write_file(writer *s, int index, r1_err *err) {
    hid_t file = -1;
    r1_status st, closed;

    R1_TRY(r1_h5_create(&file, s->path, err));
    R1_TRY(r1_h5_attribute_text(file, "format", "r1-shard", err));
    R1_TRY(r1_h5_attribute_int(file, "format_version", R1_CKPT_FORMAT, err));
    R1_TRY(r1_h5_attribute_int(file, "shard", index, err));
    R1_TRY(r1_h5_attribute_int(file, "first_unit", s->u0, err));
    R1_TRY(r1_h5_group(file, "/hash", err));
    for (int part = 0; part < 3; part++)
        R1_TRY(write_part(s, file, part, err));
done:
    if (file >= 0) {
        closed = r1_h5_close(file, s->path, st == R1_OK ? err : NULL);
        st = st == R1_OK ? closed : st;
    }
    return st;
}

r1_status r1_ckpt_write_shard(const char *tmp, int index, const r1_layout *l, uint32_t u0,
                              uint32_t u1, const float *w, const float *m, const float *v,
                              r1_ckpt_shard *ret, r1_err *err) {
    char path[R1_PATH_MAX];
    writer s = {.l = l, .u0 = u0, .u1 = u1, .x = {w, m, v}, .path = path};
    r1_status st;

    R1_TRY(r1_path_format(path, sizeof path, err, "%s/shard_%04d.h5", tmp, index));
    R1_TRY(R1_NEW(s.hashes, 3 * (size_t)(u1 - u0) + 1, err));
    s.n_pieces = 3 * count(&s) * sizeof(float) / PIECE + 1;
    R1_TRY(R1_NEW(s.piece, s.n_pieces, err));
    R1_TRY(write_file(&s, index, err));
    *ret = (r1_ckpt_shard){.u0 = u0, .u1 = u1};
    R1_TRY(r1_manifest_measure(path, s.piece, s.n_pieces, &ret->bytes, &ret->hash, err));
    st = r1_file_fsync(path, err);
done:
    r1_free(s.hashes);
    r1_free(s.piece);
    return st;
}
