/* A tree of chunks between node leaders; see spread.h. */
#include "common/comm/spread.h"

#include "common/comm/wait.h"

#define IN_FLIGHT  8 /* chunks on the way from one leader to another */
#define TAG_CREDIT 1
#define TAG_CHUNK  2

typedef struct tree {
    const r1_world *w;
    const char *what;
    unsigned char *data;
    size_t n, chunks;
    int parent, n_children, children[2]; /* nodes = ranks of the leaders; parent -1: the root */
    MPI_Request in[IN_FLIGHT], out[2][IN_FLIGHT];
} tree;

static size_t length(const tree *t, size_t chunk) {
    size_t left = t->n - chunk * R1_SPREAD_CHUNK;

    return left < R1_SPREAD_CHUNK ? left : R1_SPREAD_CHUNK;
}

static r1_status credits(tree *t, r1_err *err) {
    const r1_comm *c = &t->w->leaders;
    MPI_Request req;
    r1_status st = R1_OK;

    if (t->parent >= 0) {
        R1_TRY(r1_mpi_check(MPI_Isend(NULL, 0, MPI_BYTE, t->parent, TAG_CREDIT, r1_mpi(c), &req),
                            t->what, err));
        R1_TRY(r1_wait(&req, t->what, t->w->leaders.world[t->parent], 0, err));
    }
    for (int i = 0; i < t->n_children; i++) {
        R1_TRY(
            r1_mpi_check(MPI_Irecv(NULL, 0, MPI_BYTE, t->children[i], TAG_CREDIT, r1_mpi(c), &req),
                         t->what, err));
        R1_TRY(r1_wait(&req, "a free weight slot", c->world[t->children[i]], 0, err));
    }
done:
    return st;
}

static r1_status post(tree *t, size_t chunk, r1_err *err) {
    return r1_mpi_check(MPI_Irecv(t->data + chunk * R1_SPREAD_CHUNK, (int)length(t, chunk),
                                  MPI_BYTE, t->parent, TAG_CHUNK, r1_mpi(&t->w->leaders),
                                  &t->in[chunk % IN_FLIGHT]),
                        t->what, err);
}

/* Pass a chunk on, behind the one that used its request before. */
static r1_status pass_on(tree *t, size_t chunk, r1_err *err) {
    r1_status st = R1_OK;

    for (int i = 0; i < t->n_children; i++) {
        MPI_Request *req = &t->out[i][chunk % IN_FLIGHT];
        R1_TRY(r1_wait(req, t->what, t->w->leaders.world[t->children[i]], length(t, chunk), err));
        R1_TRY(r1_mpi_check(MPI_Isend(t->data + chunk * R1_SPREAD_CHUNK, (int)length(t, chunk),
                                      MPI_BYTE, t->children[i], TAG_CHUNK, r1_mpi(&t->w->leaders),
                                      req),
                            t->what, err));
    }
done:
    return st;
}

static r1_status run(tree *t, r1_err *err) {
    r1_status st = R1_OK;

    R1_TRY(credits(t, err));
    for (size_t k = 0; t->parent >= 0 && k < IN_FLIGHT && k < t->chunks; k++)
        R1_TRY(post(t, k, err));
    for (size_t k = 0; k < t->chunks; k++) {
        if (t->parent >= 0) {
            R1_TRY(r1_wait(&t->in[k % IN_FLIGHT], t->what, t->w->leaders.world[t->parent],
                           length(t, k), err));
            if (k + IN_FLIGHT < t->chunks)
                R1_TRY(post(t, k + IN_FLIGHT, err));
        }
        R1_TRY(pass_on(t, k, err));
    }
    for (int i = 0; i < t->n_children; i++)
        for (int k = 0; k < IN_FLIGHT; k++)
            R1_TRY(r1_wait(&t->out[i][k], t->what, t->w->leaders.world[t->children[i]],
                           R1_SPREAD_CHUNK, err));
done:
    return st;
}

/* Places in the tree: 0 is root, then the nodes of [first, end) but root. */
static int place_of(int node, int root, int first) {
    if (node == root)
        return 0;
    return node - first + (root < first || node < root);
}

static int node_at(int place, int root, int first) {
    if (place == 0)
        return root;
    int node = first + place - 1;
    return root < first || node < root ? node : node + 1;
}

r1_status r1_spread(const r1_world *w, int root, int first, int end, void *data, size_t n,
                    const char *what, r1_err *err) {
    int places = end - first + (root < first || root >= end);
    int me = place_of(w->node_id, root, first);
    tree t = {.w = w,
              .what = what,
              .data = data,
              .n = n,
              .chunks = (n + R1_SPREAD_CHUNK - 1) / R1_SPREAD_CHUNK,
              .parent = me == 0 ? -1 : node_at((me - 1) / 2, root, first)};

    R1_ASSERT(w->leaders.size == w->n_nodes && me >= 0 && me < places);
    for (int child = 2 * me + 1; child <= 2 * me + 2 && child < places; child++)
        t.children[t.n_children++] = node_at(child, root, first);
    for (int k = 0; k < IN_FLIGHT; k++)
        t.in[k] = t.out[0][k] = t.out[1][k] = MPI_REQUEST_NULL;
    return run(&t, err);
}
