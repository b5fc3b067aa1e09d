#ifndef R1_LEARNER_OUTPUT_H
#define R1_LEARNER_OUTPUT_H
/* The run directory of a training run: opening, resuming, closing.  Rank 0 only, but for the
 * report. */
#include "learner/run.h"

/* Its path: runs/NAME unless output names one. */
R1_MUST_USE r1_status r1_output_path(const r1_config *cfg, const char *output, char *buf,
                                     size_t size, r1_err *err);
/* Take the directory: runs/NAME unless output names one.  resume 0: a directory with a run in it is
 * R1_USAGE. */
R1_MUST_USE r1_status r1_output_take(r1_run *run, const char *output, int resume, r1_err *err);
/* Write config.yaml and open the metrics, cut to where the run goes on. */
R1_MUST_USE r1_status r1_output_open(r1_run *run, r1_err *err);

/* The end: exit_status, and for a finished run the results on stdout and the table of phases
 * (seconds [ranks][R1_PHASE_COUNT], roles [ranks]) on stderr. */
void r1_output_close(r1_run *run, int exit_code, const double *seconds, const int *roles);

/* Collective over all ranks, after rank 0 took the directory: logs/rank-N.log of each; and where
 * an abnormal end leaves its exit status. */
R1_MUST_USE r1_status r1_output_logs(const r1_run *run, r1_err *err);
/* Collective over all ranks: everyone's phases to rank 0, which closes the record of the run.
 * role: R1_ROLE_* bits of this rank. */
void r1_output_report(r1_run *run, int role, int exit_code);

/* The results of the finished run that is in the directory already, on stdout. */
R1_MUST_USE r1_status r1_output_show(r1_run *run, r1_err *err);

#endif
