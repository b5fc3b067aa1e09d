/* The fixed tree over learner ranks, within and between nodes; see reduce.h. */
#include "common/comm/reduce.h"

#include "common/base/mem.h"
#include "common/base/trace.h"
#include "common/comm/collect.h"
#include "common/comm/wait.h"

#include <omp.h>
#include <stdatomic.h>
#include <string.h>

#define BLOCK     ((size_t)16384) /* elements that one thread joins at a time */
#define MAX_DEPTH 12              /* of the tree over ranks */
#define TAG_PART  16              /* + number of the part */

/* A largest subtree = ranks [r0, r1) that share a node. */
typedef struct part {
    int r0, r1, node;
} part;

/* What crosses nodes, seen from one rank. */
typedef struct transfer {
    int part, peer; /* learner rank at the other end */
    float *buffers[2];
    MPI_Request req[2];
} transfer;

struct r1_reducer {
    r1_reducer_options o;
    const r1_comm *c;
    int n_parts, n_in, n_out;
    part *parts;        /* in tree order */
    transfer *in, *out; /* of this rank */
    int *present;       /* [learners] */
    float *scratch;     /* [threads][MAX_DEPTH][BLOCK] */
    r1_slab slab;
};

/* Cut ranks [r0, r1) into parts; parts NULL: only count them. */
static int cut_parts(const int *node_of, int r0, int r1, part *parts, int n) {
    int alike = 1;

    for (int r = r0 + 1; r < r1; r++)
        alike &= node_of[r] == node_of[r0];
    if (alike) {
        if (parts)
            parts[n] = (part){r0, r1, node_of[r0]};
        return n + 1;
    }
    int half = r0 + (r1 - r0) / 2;
    n = cut_parts(node_of, r0, half, parts, n);
    return cut_parts(node_of, half, r1, parts, n);
}

/* Who joins and sends a part to learner `to`. */
static int sender_of(const part *p, int to) {
    return p->r0 + to % (p->r1 - p->r0);
}

/* Transfers of a rank: receive 1: parts from other nodes, 0: parts that it sends.  list NULL:
 * only count them. */
static int list_transfers(const int *node_of, int learners, int rank, int receive,
                          const part *parts, int n_parts, transfer *list) {
    int n = 0;

    for (int p = 0; p < n_parts; p++) {
        for (int to = 0; to < learners; to++) {
            int from = sender_of(&parts[p], to);
            if (node_of[to] == parts[p].node || (receive ? to : from) != rank)
                continue;
            if (list)
                list[n] = (transfer){.part = p, .peer = receive ? from : to};
            n++;
        }
    }
    return n;
}

static size_t slab_floats(int n_transfers, int threads) {
    return (size_t)n_transfers * 2 * R1_REDUCE_PIECE + (size_t)threads * MAX_DEPTH * BLOCK;
}

size_t r1_reducer_bytes(const int *node_of, int learners, int rank, int threads) {
    int n_parts = cut_parts(node_of, 0, learners, NULL, 0), n = 0;
    part *parts = r1_calloc((size_t)n_parts, sizeof *parts);

    if (parts) {
        cut_parts(node_of, 0, learners, parts, 0);
        n = list_transfers(node_of, learners, rank, 0, parts, n_parts, NULL) +
            list_transfers(node_of, learners, rank, 1, parts, n_parts, NULL);
    }
    r1_free(parts);
    return slab_floats(n, threads) * sizeof(float);
}

static float *give_buffers(transfer *list, int n, float *at) {
    for (int i = 0; i < n; i++) {
        for (int k = 0; k < 2; k++, at += R1_REDUCE_PIECE) {
            list[i].buffers[k] = at;
            list[i].req[k] = MPI_REQUEST_NULL;
        }
    }
    return at;
}

r1_status r1_reducer_open(r1_reducer **ret, const r1_reducer_options *o, r1_err *err) {
    const int *node_of = o->world->node_of;
    const r1_comm *c = &o->world->learners;
    r1_reducer *r = NULL;
    r1_status st;

    R1_TRY(R1_NEW(r, 1, err));
    r->o = *o;
    r->c = c;
    r->n_parts = cut_parts(node_of, 0, c->size, NULL, 0);
    R1_TRY(R1_NEW(r->parts, (size_t)r->n_parts, err));
    R1_TRY(R1_NEW(r->present, (size_t)c->size, err));
    cut_parts(node_of, 0, c->size, r->parts, 0);
    r->n_in = list_transfers(node_of, c->size, c->rank, 1, r->parts, r->n_parts, NULL);
    r->n_out = list_transfers(node_of, c->size, c->rank, 0, r->parts, r->n_parts, NULL);
    R1_TRY(R1_NEW(r->in, (size_t)r->n_in, err));
    R1_TRY(R1_NEW(r->out, (size_t)r->n_out, err));
    list_transfers(node_of, c->size, c->rank, 1, r->parts, r->n_parts, r->in);
    list_transfers(node_of, c->size, c->rank, 0, r->parts, r->n_parts, r->out);
    R1_TRY(r1_slab_open(&r->slab, slab_floats(r->n_in + r->n_out, o->threads) * sizeof(float),
                        "sums between nodes", err));
    float *at = give_buffers(r->in, r->n_in, (float *)(void *)r->slab.base);
    r->scratch = give_buffers(r->out, r->n_out, at);
    *ret = r;
    return R1_OK;
done:
    r1_reducer_close(r);
    return st;
}

void r1_reducer_close(r1_reducer *r) {
    if (!r)
        return;
    r1_free(r->parts);
    r1_free(r->present);
    r1_free(r->in);
    r1_free(r->out);
    r1_slab_close(&r->slab);
    r1_free(r);
}

static void add(float *y, const float *x, size_t n) {
    for (size_t i = 0; i < n; i++)
        y[i] += x[i];
}

/* ---- one block of elements, along the tree ---- */

typedef struct block {
    const r1_reducer *r;
    size_t at, in_piece, n; /* first element; the same within the piece; elements */
    int turn;               /* which receive buffer holds the piece */
} block;

/* A leaf of the tree over ranks, or what another node has sent.  0: nobody there had work. */
static int take_rank(const block *b, int rank, float *out) {
    if (b->r->present[rank])
        memcpy(out, b->r->o.segments[rank] + b->at, b->n * sizeof(float));
    return b->r->present[rank];
}

static int any_present(const r1_reducer *r, const part *p) {
    int any = 0;

    for (int i = p->r0; i < p->r1; i++)
        any |= r->present[i];
    return any;
}

static int take_part(const block *b, const transfer *t, float *out) {
    if (!any_present(b->r, &b->r->parts[t->part]))
        return 0;
    memcpy(out, t->buffers[b->turn] + b->in_piece, b->n * sizeof(float));
    return 1;
}

/* The part that ranks [r0, r1) are on another node, or NULL. */
static const transfer *received(const r1_reducer *r, int r0, int r1) {
    for (int i = 0; i < r->n_in; i++)
        if (r->parts[r->in[i].part].r0 == r0 && r->parts[r->in[i].part].r1 == r1)
            return &r->in[i];
    return NULL;
}

static int join(const block *b, int r0, int r1, float *scratch, float *out) {
    const transfer *t = received(b->r, r0, r1);

    if (t)
        return take_part(b, t, out);
    if (r1 - r0 == 1)
        return take_rank(b, r0, out);
    int half = r0 + (r1 - r0) / 2;
    int left = join(b, r0, half, scratch + BLOCK, out);
    float *other = left ? scratch : out;
    int right = join(b, half, r1, scratch + BLOCK, other);
    if (left && right)
        add(out, other, b->n);
    return left || right;
}

/* Elements [first + at, first + at + n) of ranks [r0, r1), threads side by side.  turn: receive
 * buffers with these elements. */
static void join_piece(r1_reducer *r, int r0, int r1, size_t first, size_t n, int turn,
                       float *out) {
    size_t blocks = (n + BLOCK - 1) / BLOCK;

#pragma omp parallel for schedule(static) num_threads(r->o.threads)
    for (size_t i = 0; i < blocks; i++) {
        size_t at = i * BLOCK, len = n - at < BLOCK ? n - at : BLOCK;
        float *scratch = r->scratch + (size_t)omp_get_thread_num() * MAX_DEPTH * BLOCK;
        block b = {r, first + at, at, len, turn};
        if (!join(&b, r0, r1, scratch, out + at))
            memset(out + at, 0, len * sizeof(float));
    }
}

/* ---- pieces between nodes ---- */

/* Elements of piece k of learner r's shard. */
static size_t piece(const r1_reducer *r, int rank, size_t k, size_t *ret_first) {
    size_t first = r->o.first[rank] + k * R1_REDUCE_PIECE, end = r->o.first[rank + 1];

    *ret_first = first;
    return first >= end ? 0 : end - first < R1_REDUCE_PIECE ? end - first : R1_REDUCE_PIECE;
}

static r1_status post(r1_reducer *r, size_t k, r1_err *err) {
    r1_status st = R1_OK;
    size_t first, n = piece(r, r->c->rank, k, &first);

    for (int i = 0; n > 0 && i < r->n_in; i++) {
        transfer *t = &r->in[i];
        if (any_present(r, &r->parts[t->part]))
            R1_TRY(r1_mpi_check(MPI_Irecv(t->buffers[k % 2], (int)n, MPI_FLOAT, t->peer,
                                          TAG_PART + t->part, r1_mpi(r->c), &t->req[k % 2]),
                                "MPI_Irecv", err));
    }
done:
    return st;
}

static r1_status wait_all(transfer *list, int n, size_t k, const char *what, r1_err *err) {
    r1_status st = R1_OK;

    for (int i = 0; i < n; i++)
        R1_TRY(
            r1_wait(&list[i].req[k % 2], what, list[i].peer, R1_REDUCE_PIECE * sizeof(float), err));
done:
    return st;
}

static r1_status send(r1_reducer *r, size_t k, r1_err *err) {
    r1_status st;

    R1_TRY(wait_all(r->out, r->n_out, k, "sending gradients", err)); /* of piece k - 2 */
    for (int i = 0; i < r->n_out; i++) {
        transfer *t = &r->out[i];
        const part *p = &r->parts[t->part];
        size_t first, n = piece(r, t->peer, k, &first);
        if (n == 0 || !any_present(r, p))
            continue;
        join_piece(r, p->r0, p->r1, first, n, 0, t->buffers[k % 2]);
        R1_TRY(r1_mpi_check(MPI_Isend(t->buffers[k % 2], (int)n, MPI_FLOAT, t->peer,
                                      TAG_PART + t->part, r1_mpi(r->c), &t->req[k % 2]),
                            "MPI_Isend", err));
    }
done:
    return st;
}

r1_status r1_reducer_run(r1_reducer *r, int present, float *out, r1_err *err) {
    size_t pieces = 0, first, n;
    r1_status st;

    R1_TRACE();
    for (int i = 0; i < r->c->size; i++) {
        size_t m = (r->o.first[i + 1] - r->o.first[i] + R1_REDUCE_PIECE - 1) / R1_REDUCE_PIECE;
        pieces = m > pieces ? m : pieces;
    }
    atomic_thread_fence(memory_order_release);
    R1_TRY(r1_allgather(r->c, &present, sizeof present, r->present, "gradients", err));
    atomic_thread_fence(memory_order_acquire);
    R1_TRY(post(r, 0, err));
    for (size_t k = 0; k < pieces; k++) {
        R1_TRY(send(r, k, err));
        R1_TRY(post(r, k + 1, err));
        R1_TRY(wait_all(r->in, r->n_in, k, "gradients of another node", err));
        if ((n = piece(r, r->c->rank, k, &first)) > 0)
            join_piece(r, 0, r->c->size, first, n, (int)(k % 2), out + k * R1_REDUCE_PIECE);
    }
    R1_TRY(wait_all(r->out, r->n_out, 0, "sending gradients", err));
    st = wait_all(r->out, r->n_out, 1, "sending gradients", err);
done:
    return st;
}
