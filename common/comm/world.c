/* Ranks, nodes, roles, waiting; see world.h and wait.h. */
#include "common/comm/world.h"

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/comm/leaks.h"
#include "common/comm/wait.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static struct {
    double deadline_s;
    const char *phase;
    long step;
    int rank, ready;
    char host[64];
} state = {.deadline_s = 600, .phase = "start"};

void r1_comm_set_deadline(double seconds) {
    state.deadline_s = seconds;
}

void r1_comm_set_phase(const char *phase, long step) {
    state.phase = phase;
    state.step = step;
}

_Noreturn void r1_world_abort(int exit_code) {
    if (state.ready)
        MPI_Abort(MPI_COMM_WORLD, exit_code);
    _exit(exit_code);
}

static void abort_hook(int exit_code) {
    r1_world_abort(exit_code);
}

r1_status r1_mpi_check(int rc, const char *call, r1_err *err) {
    char text[MPI_MAX_ERROR_STRING];
    int n;

    if (rc == MPI_SUCCESS)
        return R1_OK;
    MPI_Error_string(rc, text, &n);
    return R1_FAIL(err, R1_PEER, "%s: %s", call, text);
}

double r1_wait_deadline(void) {
    return state.deadline_s;
}

void r1_wait_nap(int n) {
    if (n < 200)
        sched_yield();
    else
        r1_sleep_us(n < 400 ? 20 : n < 1000 ? 50 : 200);
}

r1_status r1_wait_expired(const char *what, int peer, size_t bytes, double waited_s, r1_err *err) {
    char whom[32] = "all";

    if (peer >= 0)
        snprintf(whom, sizeof whom, "rank %d", peer);
    return R1_FAIL(err, R1_PEER,
                   "rank %d on %s waited %.0f s for %s (%s, %zu bytes) in phase '%s' of step %ld",
                   state.rank, state.host, waited_s, whom, what, bytes, state.phase, state.step);
}

r1_status r1_wait(MPI_Request *request, const char *what, int peer, size_t bytes, r1_err *err) {
    double t0 = r1_now_s();

    for (int n = 0;; n++) {
        int done = 0;
        r1_status st = r1_mpi_check(MPI_Test(request, &done, MPI_STATUS_IGNORE), what, err);
        if (st != R1_OK || done)
            return st;
        r1_wait_nap(n);
        if (n % 256 == 255 && r1_now_s() - t0 > state.deadline_s)
            return r1_wait_expired(what, peer, bytes, r1_now_s() - t0, err);
    }
}

/* Take ownership of an MPI communicator. */
static r1_status adopt(r1_comm *c, MPI_Comm mpi, r1_err *err) {
    MPI_Comm *p = r1_calloc(1, sizeof(MPI_Comm));

    if (!p)
        return R1_FAIL(err, R1_NOMEM, "out of memory: communicator");
    *p = mpi;
    c->mpi = p;
    MPI_Comm_set_errhandler(mpi, MPI_ERRORS_RETURN);
    MPI_Comm_rank(mpi, &c->rank);
    MPI_Comm_size(mpi, &c->size);
    return R1_OK;
}

static void release(r1_comm *c) {
    if (c->mpi)
        MPI_Comm_free((MPI_Comm *)c->mpi);
    r1_free(c->mpi);
    *c = (r1_comm){0};
}

/* Number the nodes in the order of their first ranks, and tell everyone who is where. */
static r1_status number_nodes(r1_world *w, r1_err *err) {
    int leader = w->node.rank == 0, before = 0;
    MPI_Comm leaders;
    r1_status st;

    R1_TRY(R1_NEW(w->node_of, (size_t)w->all.size, err));
    MPI_Exscan(&leader, &before, 1, MPI_INT, MPI_SUM, r1_mpi(&w->all));
    w->node_id = w->all.rank == 0 ? 0 : before;
    MPI_Bcast(&w->node_id, 1, MPI_INT, 0, r1_mpi(&w->node));
    MPI_Allreduce(&leader, &w->n_nodes, 1, MPI_INT, MPI_SUM, r1_mpi(&w->all));
    MPI_Allgather(&w->node_id, 1, MPI_INT, w->node_of, 1, MPI_INT, r1_mpi(&w->all));
    R1_TRY(r1_mpi_check(
        MPI_Comm_split(r1_mpi(&w->all), leader ? 0 : MPI_UNDEFINED, w->node_id, &leaders),
        "MPI_Comm_split", err));
    if (leader)
        st = adopt(&w->leaders, leaders, err);
done:
    return st;
}

int r1_world_node_rank(const r1_world *w, int rank) {
    int before = 0;

    for (int r = 0; r < rank; r++)
        before += w->node_of[r] == w->node_of[rank];
    return before;
}

int r1_world_first_rank(const r1_world *w, int node) {
    int r = 0;

    while (w->node_of[r] != node)
        R1_ASSERT(++r < w->all.size);
    return r;
}

/* mpirun may have bound each rank to a core of its own: what a node's ranks may use together. */
static void count_cores(r1_world *w) {
    cpu_set_t mine, all;

    CPU_ZERO(&mine);
    sched_getaffinity(0, sizeof mine, &mine);
    MPI_Allreduce(&mine, &all, (int)sizeof all, MPI_BYTE, MPI_BOR, r1_mpi(&w->node));
    w->node_cores = CPU_COUNT(&all);
    w->node_cores = w->node_cores > 0 ? w->node_cores : 1;
}

/* A rank that mpirun started ends with it, also when mpirun is killed outright: an orphan would
 * hold the run directory's lock and its core until Open MPI notices. */
static void die_with_mpirun(void) {
    pid_t parent = getppid();

    if (!getenv("OMPI_COMM_WORLD_SIZE"))
        return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(75);
}

r1_status r1_world_open(r1_world *w, int *argc, char ***argv, r1_err *err) {
    int provided;
    MPI_Comm dup, node;
    r1_status st;

    *w = (r1_world){0};
    die_with_mpirun();
    r1_leaks_ignore(1);
    int rc = MPI_Init_thread(argc, argv, MPI_THREAD_FUNNELED, &provided);
    r1_leaks_ignore(0);
    R1_TRY(r1_mpi_check(rc, "MPI_Init_thread", err));
    state.ready = 1;
    r1_assert_set_hook(abort_hook);
    R1_TRY(r1_mpi_check(MPI_Comm_dup(MPI_COMM_WORLD, &dup), "MPI_Comm_dup", err));
    R1_TRY(adopt(&w->all, dup, err));
    R1_TRY(r1_mpi_check(MPI_Comm_split_type(dup, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node),
                        "MPI_Comm_split_type", err));
    R1_TRY(adopt(&w->node, node, err));
    gethostname(w->host, sizeof w->host - 1);
    memcpy(state.host, w->host, sizeof state.host);
    state.rank = w->all.rank;
    R1_TRY(number_nodes(w, err));
    count_cores(w);
done:
    return st;
}

r1_status r1_world_set_learners(r1_world *w, int n, r1_err *err) {
    MPI_Comm c;
    int mine = w->all.rank < n;
    r1_status st;

    w->n_learners = n;
    w->n_learner_nodes = 0;
    while (w->n_learner_nodes < w->n_nodes && r1_world_first_rank(w, w->n_learner_nodes) < n)
        w->n_learner_nodes++;
    R1_TRY(r1_mpi_check(MPI_Comm_split(r1_mpi(&w->all), mine ? 0 : MPI_UNDEFINED, w->all.rank, &c),
                        "MPI_Comm_split", err));
    if (mine)
        st = adopt(&w->learners, c, err);
done:
    return st;
}

void r1_world_close(r1_world *w) {
    release(&w->learners);
    release(&w->leaders);
    release(&w->node);
    release(&w->all);
    r1_free(w->node_of);
    w->node_of = NULL;
    if (state.ready) {
        r1_leaks_check();
        MPI_Finalize();
    }
    state.ready = 0;
}
