#ifndef R1_COMM_WORLD_H
#define R1_COMM_WORLD_H
/* Ranks, nodes and roles.  common/comm is the only code that includes mpi.h.
 *
 * Works alone (np = 1, no mpirun) and under mpirun.  One thread of a rank talks MPI.  Every wait goes
 * through one loop with a deadline and a name (wait.h): a rank that waits polls and sleeps, so it
 * does not take a core from one that works. */
#include "common/base/err.h"

#include <stdint.h>

typedef struct r1_comm {
    void *mpi; /* MPI_Comm, owned */
    int rank, size;
    int *world; /* [size] the members' ranks in the world, owned */
} r1_comm;

typedef struct r1_world {
    r1_comm all;      /* every rank */
    r1_comm node;     /* ranks that share memory */
    r1_comm leaders;  /* the first rank of each node, by node number; size 0 on other ranks */
    r1_comm learners; /* after r1_world_set_learners; size 0 on other ranks */
    int node_id, n_nodes;
    int *node_of;   /* [all.size] node of each rank; nodes count up in order of their first ranks */
    int n_learners; /* after r1_world_set_learners, on every rank: ranks 0 .. n_learners - 1 */
    int n_learner_nodes; /* so these are nodes 0 .. n_learner_nodes - 1 */
    int node_cores;      /* that any rank of this node may run on */
    char host[64];
} r1_world;

/* Collective.  Initialises MPI; sets the hook that turns R1_ASSERT into an end of all ranks. */
R1_MUST_USE r1_status r1_world_open(r1_world *w, int *argc, char ***argv, r1_err *err);
/* Collective over all: ranks 0 .. n - 1 are learners. */
R1_MUST_USE r1_status r1_world_set_learners(r1_world *w, int n, r1_err *err);
/* Place of a rank among the ranks of its own node. */
int r1_world_node_rank(const r1_world *w, int rank);
/* First rank of a node.  Where a node has learners, this is one. */
int r1_world_first_rank(const r1_world *w, int node);
/* Collective. */
void r1_world_close(r1_world *w);

/* A wait expires when nothing has moved for so many seconds (wait.h). */
void r1_comm_set_deadline(double seconds);
double r1_comm_deadline(void);

/* Where the exit code goes when the run ends without this program's main: set on every rank.  A file
 * that exists is left alone. */
void r1_world_exit_file(const char *path);

/* End every rank with this exit code.  The first cause in the job is printed, once and last; before
 * it every rank says where it was.  Call it on failures that not all ranks know of. */
_Noreturn void r1_world_fail(int exit_code, const char *cause);
/* Has anyone begun that?  mpirun then sends TERM, which looks like a wish to stop. */
int r1_world_is_ending(void);

#endif
