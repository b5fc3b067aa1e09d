#ifndef R1_METRICS_SUMMARY_H
#define R1_METRICS_SUMMARY_H
/* summary.json: what a run came to, for people and scripts.  Rewritten after each evaluation,
 * before the checkpoint that follows it, after each stage and at the end: a resumed run finds all
 * results from before. */
#include "common/base/err.h"
#include "common/metrics/phases.h"

#include <stdint.h>

#define R1_SUMMARY_STAGES 64

typedef struct r1_summary_stage {
    char name[72];
    char kind[8];
    int64_t steps, updates;
    double wall_s;
    int has_eval;
    struct {
        double accuracy, stderr_; /* NaN: null */
        int64_t n;
        double greedy_accuracy; /* NaN: null */
    } eval;
} r1_summary_stage;

typedef struct r1_summary {
    int n_stages;
    r1_summary_stage stage[R1_SUMMARY_STAGES];
    char weights_checksum[17], optimizer_checksum[17]; /* empty: null */
    int64_t resumed_from;                              /* step; -1: null */
    double wall_s;
    int exit_status;  /* -1: null, the run goes on or was killed */
    int reproducible; /* 0: a wall-clock time-out decided a verdict */
    int has_phases;
    r1_phase_stats phases[R1_PHASE_COUNT]; /* written, not read */
} r1_summary;

/* Nothing yet: no stages, not resumed, reproducible. */
void r1_summary_init(r1_summary *s);
/* Forget the stages behind the one of that name (all of them stay if there is none). */
void r1_summary_cut(r1_summary *s, const char *name);
/* The stage of that name, added behind the others if it is new. */
r1_summary_stage *r1_summary_stage_of(r1_summary *s, const char *name, const char *kind);
R1_MUST_USE r1_status r1_summary_write(const r1_summary *s, const char *path, r1_err *err);
R1_MUST_USE r1_status r1_summary_read(r1_summary *ret, const char *path, r1_err *err);

#endif
