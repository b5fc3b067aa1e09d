#ifndef R1_METRICS_PHASES_H
#define R1_METRICS_PHASES_H
/* Where a rank's time goes: phase timers while running, a table over ranks at the end.
 *
 * Times are exclusive: beginning an inner phase stops the outer one's clock, ending it starts that
 * again, and what lies in no phase is `other`.  So the phases of a rank add up to its wall time.  The
 * current phase stands on the rank's card (common/base/card.h), for the watchdog and for reports.
 *
 * No MPI here: the caller gathers r1_phases.seconds of all ranks. */
#include "common/base/err.h"
#include "common/base/mem.h"

/* X(NAME, name, roles that have it: 1 learners, 2 actors) */
#define R1_PHASE_LIST(X)               \
    X(ROLLOUT, "rollout", 2)           \
    X(REWARD, "reward", 2)             \
    X(FORWARD, "forward", 1)           \
    X(BACKWARD, "backward", 1)         \
    X(REDUCE, "reduce", 1)             \
    X(OPTIMIZER, "optimizer", 1)       \
    X(WEIGHT_SYNC, "weight_sync", 3)   \
    X(WAIT_ACTORS, "wait_actors", 1)   \
    X(WAIT_LEARNER, "wait_learner", 2) \
    X(CHECKPOINT, "checkpoint", 1)     \
    X(EVAL, "eval", 1)                 \
    X(OTHER, "other", 3)

typedef enum r1_phase {
#define X(name, text, roles) R1_PHASE_##name,
    R1_PHASE_LIST(X)
#undef X
    R1_PHASE_COUNT
} r1_phase;

enum {
    R1_ROLE_LEARNER = 1,
    R1_ROLE_ACTOR = 2
};

#define R1_PHASE_DEPTH 16

typedef struct r1_phases {
    double seconds[R1_PHASE_COUNT]; /* exclusive, up to the last change of phase */
    double t_start, t_last;
    int stack[R1_PHASE_DEPTH], depth;
} r1_phases;

const char *r1_phase_name(r1_phase p);

void r1_phases_init(r1_phases *p);
/* Pairs; end must name the phase that was begun last. */
void r1_phase_begin(r1_phases *p, r1_phase phase);
void r1_phase_end(r1_phases *p, r1_phase phase);
/* Bring seconds[] up to now; returns the wall time since init. */
double r1_phases_flush(r1_phases *p);

/* Over the ranks that have a phase by their role. */
typedef struct r1_phase_stats {
    int ranks;
    double min, avg, max; /* seconds */
    double imbalance;     /* percent: 100 * (max / avg - 1) */
    double of_wall;       /* percent: 100 * avg / wall */
} r1_phase_stats;

/* seconds[rank * R1_PHASE_COUNT + phase]; roles[rank] = R1_ROLE_* bits. */
void r1_phase_gather(const double *seconds, const int *roles, int ranks, double wall_s,
                     r1_phase_stats ret[R1_PHASE_COUNT]);

/* The table, then one line that names the bottleneck and, for separate roles, the division of the
 * ranks that would have kept both busy. */
R1_MUST_USE r1_status r1_phase_table(const double *seconds, const int *roles, int ranks,
                                     double wall_s, r1_buf *out, r1_err *err);

#endif
