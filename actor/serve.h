#ifndef R1_ACTOR_SERVE_H
#define R1_ACTOR_SERVE_H
/* An actor rank of split mode: waits for requests of learner 0, pulls prompts, sends groups. */
#include "actor/actor.h"
#include "common/comm/mailbox.h"
#include "common/comm/window.h"
#include "common/metrics/phases.h"

/* Serve until learner 0 says that the run is over. */
R1_MUST_USE r1_status r1_actor_serve(r1_actor *a, const r1_world *world, r1_window *window,
                                     r1_phases *phases, r1_err *err);

#endif
