/* Phase timers and the end-of-run table; see phases.h. */
#include "common/metrics/phases.h"

#include "common/base/card.h"
#include "common/base/clock.h"

#include <stdio.h>
#include <string.h>

static const char *const names[] = {
#define X(name, text, roles) text,
    R1_PHASE_LIST(X)
#undef X
};

static const int phase_roles[] = {
#define X(name, text, roles) roles,
    R1_PHASE_LIST(X)
#undef X
};

const char *r1_phase_name(r1_phase p) {
    return names[p];
}

static int current(const r1_phases *p) {
    return p->depth ? p->stack[p->depth - 1] : R1_PHASE_OTHER;
}

/* On this rank's card, for the watchdog and for whoever waits. */
static void show(const r1_phases *p) {
    r1_card_phase(names[current(p)]);
}

void r1_phases_init(r1_phases *p) {
    memset(p->seconds, 0, sizeof p->seconds);
    p->depth = 0;
    p->t_start = p->t_last = r1_now_s();
    show(p);
}

/* Book the time since the last change. */
static void book(r1_phases *p) {
    double now = r1_now_s();

    p->seconds[current(p)] += now - p->t_last;
    p->t_last = now;
}

void r1_phase_begin(r1_phases *p, r1_phase phase) {
    R1_ASSERT(p->depth < R1_PHASE_DEPTH);
    book(p);
    p->stack[p->depth++] = (int)phase;
    show(p);
}

void r1_phase_end(r1_phases *p, r1_phase phase) {
    R1_ASSERT(p->depth > 0 && p->stack[p->depth - 1] == (int)phase);
    book(p);
    p->depth--;
    show(p);
}

double r1_phases_flush(r1_phases *p) {
    book(p);
    return p->t_last - p->t_start;
}

/* ---- the table ---- */

void r1_phase_gather(const double *seconds, const int *roles, int ranks, double wall_s,
                     r1_phase_stats ret[R1_PHASE_COUNT]) {
    for (int p = 0; p < R1_PHASE_COUNT; p++) {
        r1_phase_stats *s = &ret[p];
        *s = (r1_phase_stats){0};
        for (int r = 0; r < ranks; r++) {
            double x = seconds[r * R1_PHASE_COUNT + p];
            if (!(roles[r] & phase_roles[p]))
                continue;
            s->min = !s->ranks || x < s->min ? x : s->min;
            s->max = x > s->max ? x : s->max;
            s->avg += x;
            s->ranks++;
        }
        if (s->ranks)
            s->avg /= s->ranks;
        s->imbalance = s->avg > 0 ? 100 * (s->max / s->avg - 1) : 0;
        s->of_wall = wall_s > 0 ? 100 * s->avg / wall_s : 0;
    }
}

/* Seconds of work (not waiting) that all ranks together spent in a role's own phases. */
static double busy(const r1_phase_stats *s, int role) {
    double sum = 0;

    for (int p = 0; p < R1_PHASE_COUNT; p++)
        if (phase_roles[p] == role && p != R1_PHASE_WAIT_ACTORS && p != R1_PHASE_WAIT_LEARNER)
            sum += s[p].avg * s[p].ranks;
    return sum;
}

/* Ranks that learn if work were divided evenly over all ranks. */
static int best_learners(const r1_phase_stats *s, int ranks) {
    double learn = busy(s, R1_ROLE_LEARNER), act = busy(s, R1_ROLE_ACTOR);
    int n = learn + act > 0 ? (int)(ranks * learn / (learn + act) + 0.5) : 1;

    return n < 1 ? 1 : n > ranks - 1 ? ranks - 1 : n;
}

/* A wait or an imbalance below this many percent of the wall is no bottleneck. */
#define WORTH_NAMING 10.0

static r1_status bottleneck(const r1_phase_stats *s, const int *roles, int ranks, r1_buf *out,
                            r1_err *err) {
    double learners_wait = s[R1_PHASE_WAIT_ACTORS].of_wall;
    double actors_wait = s[R1_PHASE_WAIT_LEARNER].of_wall;
    int split = 0, top = R1_PHASE_ROLLOUT;

    for (int r = 0; r < ranks; r++)
        split |= roles[r] != (R1_ROLE_LEARNER | R1_ROLE_ACTOR);
    for (int p = 0; p < R1_PHASE_COUNT; p++)
        if (p != R1_PHASE_WAIT_ACTORS && p != R1_PHASE_WAIT_LEARNER &&
            s[p].of_wall > s[top].of_wall)
            top = p;
    if (split && (learners_wait > WORTH_NAMING || actors_wait > WORTH_NAMING)) {
        int actors_late = learners_wait > actors_wait, best = best_learners(s, ranks);
        return r1_buf_addf(
            out, err,
            "Bottleneck: %s (%s waited %.0f %% of the wall time); an even division of "
            "the work is %d learner%s and %d actor%s\n",
            actors_late ? "the actors" : "the learners", actors_late ? "learners" : "actors",
            actors_late ? learners_wait : actors_wait, best, best == 1 ? "" : "s", ranks - best,
            ranks - best == 1 ? "" : "s");
    }
    double lost = s[top].imbalance * s[top].of_wall / 100;
    return r1_buf_addf(out, err, "Bottleneck: %s (%.0f %% of the wall time%s)\n", names[top],
                       s[top].of_wall,
                       lost > WORTH_NAMING ? ", unevenly divided over the ranks" : "");
}

r1_status r1_phase_table(const double *seconds, const int *roles, int ranks, double wall_s,
                         r1_buf *out, r1_err *err) {
    r1_phase_stats s[R1_PHASE_COUNT];
    r1_status st = R1_OK;

    r1_phase_gather(seconds, roles, ranks, wall_s, s);
    R1_TRY(r1_buf_addf(out, err, "Time by phase over %d rank%s, wall %.1f s\n", ranks,
                       ranks == 1 ? "" : "s", wall_s));
    R1_TRY(r1_buf_addf(out, err, "%-14s %5s %10s %10s %10s %11s %9s\n", "phase", "ranks", "min s",
                       "avg s", "max s", "imbalance %", "% of wall"));
    for (int p = 0; p < R1_PHASE_COUNT; p++)
        if (s[p].ranks && s[p].max > 0)
            R1_TRY(r1_buf_addf(out, err, "%-14s %5d %10.2f %10.2f %10.2f %11.1f %9.1f\n", names[p],
                               s[p].ranks, s[p].min, s[p].avg, s[p].max, s[p].imbalance,
                               s[p].of_wall));
    R1_TRY(bottleneck(s, roles, ranks, out, err));
done:
    return st;
}
