/* Writing a shard in the background; see writer.h. */
#include "common/store/writer.h"

#include "common/base/file.h"
#include "common/base/mem.h"
#include "common/base/thread.h"

#include <stdatomic.h>
#include <string.h>

#define PIECE ((size_t)1 << 20) /* of the copy */

struct r1_ckpt_writer {
    const r1_layout *l;
    int index, threads;
    uint32_t u0, u1;
    r1_slab slab; /* the snapshot; closed: none */
    /* of the shard under way */
    pthread_t thread;
    int started;
    atomic_int done;
    char tmp[R1_PATH_MAX];
    const float *x[3];
    r1_ckpt_shard shard;
    r1_status st;
    r1_err err;
};

static size_t floats(const r1_layout *l, uint32_t u0, uint32_t u1) {
    return r1_layout_first(l, u1) - r1_layout_first(l, u0);
}

size_t r1_ckpt_writer_bytes(const r1_layout *l, uint32_t u0, uint32_t u1) {
    return 3 * r1_align_up(floats(l, u0, u1) * sizeof(float), 64);
}

r1_status r1_ckpt_writer_open(r1_ckpt_writer **ret, const r1_layout *l, int index, uint32_t u0,
                              uint32_t u1, int snapshot, int threads, r1_err *err) {
    r1_ckpt_writer *x = NULL;
    r1_status st;

    R1_TRY(R1_NEW(x, 1, err));
    x->l = l;
    x->index = index;
    x->threads = threads;
    x->u0 = u0;
    x->u1 = u1;
    if (snapshot)
        R1_TRY(r1_slab_open(&x->slab, r1_ckpt_writer_bytes(l, u0, u1), "checkpoint snapshot", err));
    *ret = x;
    return R1_OK;
done:
    r1_ckpt_writer_close(x);
    return st;
}

void r1_ckpt_writer_close(r1_ckpt_writer *w) {
    if (!w)
        return;
    if (w->started)
        pthread_join(w->thread, NULL);
    r1_slab_close(&w->slab);
    r1_free(w);
}

static void *run(void *arg) {
    r1_ckpt_writer *x = arg;

    r1_thread_roam();
    x->st = r1_ckpt_write_shard(x->tmp, x->index, x->l, x->u0, x->u1, x->x[0], x->x[1], x->x[2],
                                &x->shard, &x->err);
    atomic_store(&x->done, 1);
    return NULL;
}

static void take_snapshot(r1_ckpt_writer *x) {
    size_t bytes = floats(x->l, x->u0, x->u1) * sizeof(float), one = r1_align_up(bytes, 64);
    size_t pieces = (bytes + PIECE - 1) / PIECE;

#pragma omp parallel for schedule(static) num_threads(x->threads) if (x->threads > 1)
    for (size_t i = 0; i < 3 * pieces; i++) {
        size_t part = i / pieces, at = i % pieces * PIECE;
        memcpy(x->slab.base + part * one + at, (const uint8_t *)x->x[part] + at,
               bytes - at < PIECE ? bytes - at : PIECE);
    }
    for (int part = 0; part < 3; part++)
        x->x[part] = (const float *)(void *)(x->slab.base + (size_t)part * one);
}

r1_status r1_ckpt_writer_start(r1_ckpt_writer *x, const char *tmp, const float *w, const float *m,
                               const float *v, r1_err *err) {
    r1_status st;

    R1_ASSERT(!x->started);
    R1_TRY(r1_path_format(x->tmp, sizeof x->tmp, err, "%s", tmp));
    x->x[0] = w;
    x->x[1] = m;
    x->x[2] = v;
    if (x->slab.base)
        take_snapshot(x);
    atomic_store(&x->done, 0);
    int rc = r1_thread_start(&x->thread, run, x);
    x->started = rc == 0;
    if (rc != 0)
        st = R1_FAIL(err, R1_NOMEM, "no thread to write a checkpoint: %s", strerror(rc));
done:
    return st;
}

int r1_ckpt_writer_busy(const r1_ckpt_writer *x) {
    return x->started && !atomic_load(&x->done);
}

r1_status r1_ckpt_writer_wait(r1_ckpt_writer *x, r1_ckpt_shard *ret, r1_err *err) {
    R1_ASSERT(x->started);
    pthread_join(x->thread, NULL);
    x->started = 0;
    if (x->st != R1_OK)
        return R1_FAIL(err, x->st, "%s", x->err.msg);
    *ret = x->shard;
    return R1_OK;
}
