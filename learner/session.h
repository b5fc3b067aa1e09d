#ifndef R1_LEARNER_SESSION_H
#define R1_LEARNER_SESSION_H
/* The learner's side of r1-train: opened, taken where the run goes on, run to its end. */
#include "learner/checkpointing.h"
#include "learner/output.h"
#include "learner/plan.h"
#include "learner/remote.h"

/* A run that stands at the beginning; rollout source and stop are the caller's to fill in. */
void r1_session_init(r1_run *run, const r1_config *cfg, const r1_world *w, const r1_policy *m,
                     r1_trainer *t, r1_phases *phases);

/* Who this rank is, into its log. */
void r1_session_say(const r1_world *w, const r1_plan *p);

/* A signal that came while data and weights were read.  Collective. */
R1_MUST_USE r1_status r1_session_stopped_early(const r1_world *w, r1_err *err);

/* Rank 0: the run directory, and where the run goes on.  resume and from: the options. */
R1_MUST_USE r1_status r1_session_take(r1_run *run, const char *output, const char *resume,
                                      const char *from, r1_resume *ret, r1_err *err);

/* Collective over the learners: memory, and this learner's weights. */
R1_MUST_USE r1_status r1_session_open(r1_trainer *t, const r1_plan *p, const r1_config *cfg,
                                      const r1_world *w, const r1_policy *m, r1_window *window,
                                      r1_phases *phases, r1_err *err);

/* Collective over the learners: the recipe from where the run goes on.  remote: actors to dismiss
 * at the end; NULL: there are none of their own. */
R1_MUST_USE r1_status r1_session_learn(r1_run *run, const r1_resume *resume,
                                       const r1_remote *remote, r1_err *err);

#endif
