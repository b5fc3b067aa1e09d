/* Ranks, nodes, roles; see world.h. */
#include "common/comm/world.h"

#include "common/base/cgroup.h"
#include "common/base/cpu.h"
#include "common/base/mem.h"
#include "common/comm/board.h"
#include "common/comm/leaks.h"
#include "common/comm/segments.h"
#include "common/comm/wait.h"
#include "common/comm/watchdog.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static int mpi_ready;

_Noreturn void r1_world_fail(int exit_code, const char *cause) {
    if (!r1_watchdog_end(exit_code, cause))
        r1_watchdog_await_end();
    if (mpi_ready)
        MPI_Abort(MPI_COMM_WORLD, exit_code);
    _exit(exit_code);
}

int r1_world_is_ending(void) {
    return r1_board_ending(NULL);
}

static void assert_hook(int exit_code) {
    char where[400], text[500];

    r1_board_describe_mine(where, sizeof where);
    snprintf(text, sizeof text, "internal error, see above: %s", where);
    r1_world_fail(exit_code, text);
}

/* Take ownership of an MPI communicator. */
static r1_status adopt(r1_comm *c, MPI_Comm mpi, r1_err *err) {
    MPI_Comm *p = r1_calloc(1, sizeof(MPI_Comm));
    MPI_Group all, mine;
    int *members = NULL;
    r1_status st = R1_OK;

    if (!p)
        return R1_FAIL(err, R1_NOMEM, "out of memory: communicator");
    *p = mpi;
    c->mpi = p;
    MPI_Comm_set_errhandler(mpi, MPI_ERRORS_RETURN);
    MPI_Comm_rank(mpi, &c->rank);
    MPI_Comm_size(mpi, &c->size);
    R1_TRY(R1_NEW(c->world, (size_t)c->size, err));
    R1_TRY(R1_NEW(members, (size_t)c->size, err));
    for (int r = 0; r < c->size; r++)
        members[r] = r;
    MPI_Comm_group(MPI_COMM_WORLD, &all);
    MPI_Comm_group(mpi, &mine);
    MPI_Group_translate_ranks(mine, c->size, members, all, c->world);
    MPI_Group_free(&all);
    MPI_Group_free(&mine);
done:
    r1_free(members);
    return st;
}

static void release(r1_comm *c) {
    if (c->mpi)
        MPI_Comm_free((MPI_Comm *)c->mpi);
    r1_free(c->mpi);
    r1_free(c->world);
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

/* mpirun may have bound each rank to a core of its own: what a node's ranks may use together, at
 * most what a container's quota allows. */
static void count_cores(r1_world *w) {
    double quota = r1_cgroup_cores(""), most;
    cpu_set_t mine, all;

    CPU_ZERO(&mine);
    sched_getaffinity(0, sizeof mine, &mine);
    quota = quota > 0 ? quota : CPU_SETSIZE;
    MPI_Allreduce(&mine, &all, (int)sizeof all, MPI_BYTE, MPI_BOR, r1_mpi(&w->node));
    MPI_Allreduce(&quota, &most, 1, MPI_DOUBLE, MPI_MAX, r1_mpi(&w->node));
    w->node_cores = CPU_COUNT(&all);
    if (w->node_cores > most)
        w->node_cores = (int)(most + 0.999);
    w->node_cores = w->node_cores > 0 ? w->node_cores : 1;
}

/* A rank that was launched ends with its launcher, also when that is killed outright: an orphan
 * would hold the run directory's lock and its core until Open MPI notices. */
static void die_with_launcher(void) {
    pid_t parent = getppid();

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(75);
}

/* By mpirun, by srun, or by whatever else speaks PMI. */
static int is_launched(void) {
    return getenv("OMPI_COMM_WORLD_SIZE") || getenv("PMIX_RANK") || getenv("PMI_RANK");
}

/* MPI_Init of Open MPI 4.1 maps 205 MiB (plug-ins, threads' stacks and heaps, segments); this is a
 * little more.  With less it loses plug-ins one by one, and crashes. */
#define MPI_ADDRESS_SPACE (240.0 * 1048576.0)

static r1_status check_address_space(r1_err *err) {
    double have = r1_address_space_left();

    return have >= MPI_ADDRESS_SPACE
               ? R1_OK
               : R1_FAIL(err, R1_USAGE,
                         "the limit on this process's address space (ulimit -v) leaves %.0f MiB; "
                         "MPI alone needs %.0f MiB",
                         have / 1048576.0, MPI_ADDRESS_SPACE / 1048576.0);
}

r1_status r1_world_open(r1_world *w, int *argc, char ***argv, r1_err *err) {
    int provided;
    MPI_Comm dup, node;
    r1_status st;

    *w = (r1_world){0};
    R1_TRY(check_address_space(err));
    if (is_launched())
        die_with_launcher();
    r1_watchdog_start();
    r1_watchdog_arm(is_launched()); /* no rank hangs in MPI_Init because another died before it */
    r1_leaks_ignore(1);
    int rc = MPI_Init_thread(argc, argv, MPI_THREAD_FUNNELED, &provided);
    r1_leaks_ignore(0);
    R1_TRY(r1_mpi_check(rc, "MPI_Init_thread", err));
    mpi_ready = 1;
    r1_assert_set_hook(assert_hook);
    R1_TRY(r1_mpi_check(MPI_Comm_dup(MPI_COMM_WORLD, &dup), "MPI_Comm_dup", err));
    R1_TRY(adopt(&w->all, dup, err));
    R1_TRY(r1_mpi_check(MPI_Comm_split_type(dup, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node),
                        "MPI_Comm_split_type", err));
    R1_TRY(adopt(&w->node, node, err));
    gethostname(w->host, sizeof w->host - 1);
    R1_TRY(number_nodes(w, err));
    count_cores(w);
    R1_TRY(r1_board_open(w, err)); /* behind its barriers everyone has mapped the segments */
    r1_segments_hide();
    r1_watchdog_arm(w->all.size > 1); /* alone it keeps nobody waiting */
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
    r1_board_leave();
    release(&w->learners);
    release(&w->leaders);
    r1_board_close();
    release(&w->node);
    release(&w->all);
    r1_free(w->node_of);
    w->node_of = NULL;
    if (mpi_ready) {
        r1_leaks_check();
        r1_segments_show();
        MPI_Finalize();
    }
    mpi_ready = 0;
    r1_watchdog_stop();
}
