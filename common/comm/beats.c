/* Heartbeats between nodes; see beats.h. */
#include "common/comm/beats.h"

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/comm/wait.h"

#include <pthread.h>

/* Seconds between two: many within the shortest deadline. */
static double beat_s(void) {
    double s = r1_comm_deadline() / 20;

    return s < 0.5 ? s : 0.5;
}

typedef struct beat {
    uint64_t moves;
    int32_t rank, waiting, peer, unused;
} beat;

static struct {
    int open;
    pthread_t thread;
    MPI_Comm leaders; /* of its own: no message meets another's receive */
    int n_leaders, me;
    r1_card *cards;
    const int *node_of;
    int size, n_here;
    beat *out;         /* [n_leaders][n_here] */
    MPI_Request *sent; /* [n_leaders] */
    beat *in;          /* [size] */
    double t_last_s;
} bt;

r1_status r1_beats_open(const r1_world *w, r1_card *cards, r1_err *err) {
    size_t n = (size_t)w->leaders.size;
    r1_status st = R1_OK;

    if (w->n_nodes == 1 || w->node.rank != 0)
        return R1_OK;
    bt.cards = cards;
    bt.node_of = w->node_of;
    bt.size = w->all.size;
    bt.n_here = w->node.size;
    bt.n_leaders = w->leaders.size;
    bt.me = w->leaders.rank;
    bt.thread = pthread_self();
    R1_TRY(R1_NEW(bt.out, n * (size_t)bt.n_here, err));
    R1_TRY(R1_NEW(bt.sent, n, err));
    R1_TRY(R1_NEW(bt.in, (size_t)bt.size, err));
    for (int i = 0; i < bt.n_leaders; i++)
        bt.sent[i] = MPI_REQUEST_NULL;
    R1_TRY(r1_mpi_check(MPI_Comm_dup(r1_mpi(&w->leaders), &bt.leaders), "MPI_Comm_dup", err));
    bt.open = 1;
    r1_tick_hook = r1_beats_exchange;
done:
    return st;
}

void r1_beats_close(void) {
    r1_tick_hook = NULL;
    for (int i = 0; bt.open && i < bt.n_leaders; i++) {
        int there = 1;
        MPI_Test(&bt.sent[i], &there, MPI_STATUS_IGNORE);
        if (!there)
            MPI_Request_free(&bt.sent[i]);
    }
    if (bt.open)
        MPI_Comm_free(&bt.leaders);
    bt.open = 0;
    r1_free(bt.sent);
    r1_free(bt.in);
    r1_free(bt.out); /* a message of it may still be on its way: none is waited for */
}

/* What this node's cards say. */
static void fill(beat *b) {
    for (int r = 0, n = 0; r < bt.size; r++) {
        const r1_card *c = &bt.cards[r];
        if (bt.node_of[r] == bt.me)
            b[n++] = (beat){.moves = atomic_load(&c->moves),
                            .rank = r,
                            .waiting = atomic_load(&c->waiting),
                            .peer = atomic_load(&c->peer)};
    }
}

static void send(void) {
    for (int i = 0; i < bt.n_leaders; i++) {
        beat *b = bt.out + (size_t)i * (size_t)bt.n_here;
        int there = 0;
        MPI_Test(&bt.sent[i], &there, MPI_STATUS_IGNORE);
        if (i == bt.me || !there)
            continue;
        fill(b);
        MPI_Isend(b, (int)((size_t)bt.n_here * sizeof *b), MPI_BYTE, i, 0, bt.leaders, &bt.sent[i]);
    }
}

static void receive(void) {
    MPI_Message message;
    MPI_Status status;
    int there = 0, bytes = 0;

    while (MPI_Improbe(MPI_ANY_SOURCE, 0, bt.leaders, &there, &message, &status) == MPI_SUCCESS &&
           there) {
        MPI_Get_count(&status, MPI_BYTE, &bytes);
        R1_ASSERT((size_t)bytes <= (size_t)bt.size * sizeof *bt.in);
        MPI_Mrecv(bt.in, bytes, MPI_BYTE, &message, MPI_STATUS_IGNORE);
        for (size_t k = 0; k < (size_t)bytes / sizeof *bt.in; k++) {
            r1_card *c = &bt.cards[bt.in[k].rank];
            atomic_store(&c->peer, bt.in[k].peer);
            atomic_store(&c->waiting, bt.in[k].waiting);
            atomic_store(&c->moves, bt.in[k].moves);
        }
    }
}

void r1_beats_exchange(void) {
    double now = r1_now_s();

    if (!bt.open || now - bt.t_last_s < beat_s() || !pthread_equal(bt.thread, pthread_self()))
        return;
    bt.t_last_s = now;
    send();
    receive();
}
