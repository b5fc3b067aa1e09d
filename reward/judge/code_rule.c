/* The reward `code`: the program in the answer against the tests of its row; see judge_row.h for
 * what a row may hold.  Samples of one group are judged at the same time. */
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

void r1_rule_code(const r1_reward *r, const r1_grade_input *in, const r1_verdict *first, int n,
                  r1_verdict *ret) {
    r1_row_job *jobs = r1_calloc((size_t)n, sizeof *jobs);

    if (!jobs) {
        for (int s = 0; s < n; s++)
            ret[s] = r1_verdict_of(R1_VERDICT_ERROR, "out of memory");
        return;
    }
    json_t *row = json_loadb(in->extra.s, in->extra.n, JSON_ALLOW_NUL, NULL);
    for (int s = 0; s < n; s++) {
        ret[s] = prepare(&in[s], row, &jobs[s]);
        jobs[s].job.fraction = r->o.fraction;
        if (ret[s].kind == R1_VERDICT_CORRECT)
            r1_judge_submit(r->o.judge, &jobs[s].job);
    }
    for (int s = 0; s < n; s++) {
        if (ret[s].kind == R1_VERDICT_CORRECT) {
            r1_judge_wait(r->o.judge, &jobs[s].job);
            r1_tick(); /* it may have taken a while */
            ret[s] = translate(&jobs[s]);
        }
        r1_row_job_done(&jobs[s]);
    }
    json_decref(row);
    r1_free(jobs);
}
