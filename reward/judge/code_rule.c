/* The reward `code`: the program in the answer against the tests of its row; see judge_row.h for
 * what a row may hold.  A sample's job is submitted when the sample is there, so that it is judged
 * while others are drawn. */
#include "common/base/card.h"
#include "common/base/mem.h"
#include "reward/judge/code_block.h"
#include "reward/judge/judge_row.h"
#include "reward/rules.h"

#include <stdio.h>

/* Tests and program of one sample; the verdict where there is nothing to be run. */
static r1_verdict prepare(const r1_grade_input *in, const json_t *row, r1_row_job *j) {
    r1_text segment = r1_extract_segment(in->question, in->completion), source = {NULL, 0};
    r1_err err;

    if (!row)
        return r1_verdict_of(R1_VERDICT_UNPARSEABLE_GOLD, "the row holds no tests");
    if (r1_row_tests(row, NULL, j, &err) != R1_OK)
        return r1_verdict_of(R1_VERDICT_UNPARSEABLE_GOLD, err.msg);
    if (!r1_code_block(segment, j->job.language, &source))
        return r1_verdict_of(R1_VERDICT_NO_ANSWER, "no fenced block of code");
    if (r1_row_source(row, source, j, &err) != R1_OK)
        return r1_verdict_of(R1_VERDICT_ERROR, err.msg);
    return r1_verdict_of(R1_VERDICT_CORRECT, "");
}

static r1_verdict translate(const r1_row_job *j) {
    const r1_judge_result *r = &j->job.result;
    char note[R1_VERDICT_NOTE_MAX];

    snprintf(note, sizeof note, "%s: %.80s", r1_judge_verdict_name(r->verdict), r->why);
    if (r->verdict == R1_JUDGE_IE)
        return r1_verdict_of(R1_VERDICT_ERROR, note);
    return r1_verdict_scored(r->score, 1, r->verdict == R1_JUDGE_AC ? "" : note);
}

/* A group: a job for each sample whose answer holds a program. */
typedef struct group {
    const r1_reward *r;
    const r1_grade_input *in;
    json_t *row; /* of the group's question, once a sample is there; NULL: it is none */
    int n;
    r1_row_job *jobs;
    r1_verdict *verdicts; /* CORRECT: the job says more */
    uint8_t *added;
} group;

static void end_group(void *task, r1_verdict *ret) {
    group *g = task;

    for (int s = 0; g->added && s < g->n; s++) {
        if (!g->added[s])
            continue;
        int judged = g->verdicts[s].kind == R1_VERDICT_CORRECT;
        if (judged && ret)
            r1_judge_wait(g->r->o.judge, &g->jobs[s].job);
        else if (judged)
            r1_judge_drop(g->r->o.judge, &g->jobs[s].job);
        r1_tick(); /* it may have taken a while */
        if (ret)
            ret[s] = judged ? translate(&g->jobs[s]) : g->verdicts[s];
        r1_row_job_done(&g->jobs[s]);
    }
    json_decref(g->row);
    r1_free(g->added);
    r1_free(g->verdicts);
    r1_free(g->jobs);
    r1_free(g);
}

static void *open_group(const r1_reward *r, const r1_grade_input *in, int n) {
    group *g = r1_calloc(1, sizeof *g);

    if (!g)
        return NULL;
    *g = (group){.r = r, .in = in, .n = n};
    g->jobs = r1_calloc((size_t)n, sizeof *g->jobs);
    g->verdicts = r1_calloc((size_t)n, sizeof *g->verdicts);
    g->added = g->jobs && g->verdicts ? r1_calloc((size_t)n, sizeof *g->added) : NULL;
    if (g->added)
        return g;
    end_group(g, NULL);
    return NULL;
}

static void add_sample(void *task, int s) {
    group *g = task;
    r1_row_job *j = &g->jobs[s];

    if (!g->row)
        g->row = json_loadb(g->in[s].extra.s, g->in[s].extra.n, JSON_ALLOW_NUL, NULL);
    g->added[s] = 1;
    g->verdicts[s] = prepare(&g->in[s], g->row, j);
    j->job.fraction = g->r->o.fraction;
    if (g->verdicts[s].kind == R1_VERDICT_CORRECT)
        r1_judge_submit(g->r->o.judge, &j->job);
}

static int is_ready(void *task) {
    const group *g = task;

    for (int s = 0; s < g->n; s++)
        if (!g->added[s] || (g->verdicts[s].kind == R1_VERDICT_CORRECT &&
                             !r1_judge_poll(g->r->o.judge, &g->jobs[s].job)))
            return 0;
    return 1;
}

const r1_beside_rule r1_rule_code = {open_group, add_sample, is_ready, end_group};
