/* What samples said, as text: rollouts/step_NNNNNN.jsonl and eval_step_NNNNNN.jsonl. */
#include "learner/dump.h"

#include "common/base/file.h"
#include "common/base/trace.h"
#include "common/metrics/rollouts.h"

#include <math.h>
#include <string.h>

typedef struct texts {
    r1_buf prompt, completion;
} texts;

/* A sample and what the learner made of it. */
typedef struct sample {
    const r1_group *g;
    int member;
    int64_t step;
    double reward, advantage; /* NaN: none */
    const char *mode, *reference;
} sample;

static r1_status add_sample(const r1_run *run, const sample *x, texts *text, r1_buf *out,
                            r1_err *err) {
    const r1_stage_config *s = r1_run_stage(run);
    const r1_trajectory *t = &x->g->t[x->member];
    r1_rollout_verdict verdicts[R1_WIRE_REWARDS_MAX];
    char labels[R1_WIRE_REWARDS_MAX][R1_REWARD_LABEL];
    r1_status st;

    r1_buf_clear(&text->completion); /* as the rewards saw it: without control tokens */
    R1_TRY(r1_tokenizer_decode(run->tokenizer, t->ids, (size_t)t->n, 1, &text->completion, err));
    for (int r = 0; r < t->n_rewards; r++) {
        verdicts[r] =
            (r1_rollout_verdict){r1_reward_label(&s->rewards[r], labels[r]),
                                 {.kind = (r1_verdict_kind)t->verdict[r], .score = t->score[r]}};
        memcpy(verdicts[r].verdict.note, t->note[r], sizeof t->note[r]);
    }
    r1_rollout_row row = {.stage = s->name,
                          .mode = x->mode,
                          .step = x->step,
                          .weights_version = (int64_t)x->g->version,
                          .deal = x->g->deal,
                          .sample = x->member,
                          .prompt = text->prompt.data,
                          .len_prompt = text->prompt.len,
                          .completion = text->completion.data,
                          .len_completion = text->completion.len,
                          .reference = x->reference,
                          .len_reference = x->reference ? strlen(x->reference) : 0,
                          .n_prompt_tokens = x->g->prompt_len,
                          .n_tokens = t->n,
                          .finish_reason = t->finish == 0 ? "stop" : "length",
                          .reward = x->reward,
                          .advantage = x->advantage,
                          .verdicts = verdicts,
                          .n_verdicts = t->n_rewards};
    st = r1_rollout_add(out, &row, err);
done:
    return st;
}

static r1_status add_prompt(const r1_run *run, const r1_group *g, texts *text, r1_err *err) {
    r1_buf_clear(&text->prompt);
    return r1_tokenizer_decode(run->tokenizer, g->prompt, (size_t)g->prompt_len, 0, &text->prompt,
                               err);
}

static r1_status add_group(const r1_run *run, const r1_grpo_batch *b, int g, texts *text,
                           r1_buf *out, r1_err *err) {
    r1_problem p;
    r1_status st;

    R1_TRY(add_prompt(run, &b->groups[g], text, err));
    R1_TRY(r1_dataset_get(run->train, b->groups[g].deal, &p, err));
    for (int m = 0; m < b->group_size && st == R1_OK; m++) {
        int i = g * b->group_size + m;
        sample x = {.g = &b->groups[g],
                    .member = m,
                    .step = run->at.step + 1,
                    .reward = b->groups[g].t[m].usable ? b->reward[i] : (double)NAN,
                    .advantage = b->lens[i] ? b->advantage[i] : (double)NAN,
                    .reference = p.reference};
        st = add_sample(run, &x, text, out, err);
    }
    r1_problem_done(&p);
done:
    return st;
}

r1_status r1_grpo_dump(const r1_run *run, const r1_grpo_batch *b, r1_err *err) {
    char dir[R1_PATH_MAX];
    texts text;
    r1_buf out;
    r1_status st = R1_OK;

    R1_TRACE();
    r1_buf_init(&out, R1_ROLLOUTS_BYTES_MAX);
    r1_buf_init(&text.prompt, R1_ROLLOUTS_BYTES_MAX);
    r1_buf_init(&text.completion, R1_ROLLOUTS_BYTES_MAX);
    for (int g = 0; g < b->n_groups; g++)
        R1_TRY(add_group(run, b, g, &text, &out, err));
    R1_TRY(r1_rundir_file(&run->dir, "rollouts", dir, sizeof dir, err));
    st = r1_rollouts_write(dir, run->at.step + 1, &out, err);
done:
    r1_buf_done(&out);
    r1_buf_done(&text.prompt);
    r1_buf_done(&text.completion);
    return st;
}

static r1_status add_item(const r1_run *run, const r1_item *item, uint64_t deal, texts *text,
                          r1_buf *out, r1_err *err) {
    r1_status st;

    r1_buf_clear(&text->prompt);
    r1_buf_clear(&text->completion);
    R1_TRY(r1_tokenizer_decode(run->tokenizer, item->prompt, (size_t)item->prompt_len, 0,
                               &text->prompt, err));
    R1_TRY(r1_tokenizer_decode(run->tokenizer, item->ids[0], (size_t)item->lens[0], 0,
                               &text->completion, err));
    r1_rollout_row row = {.stage = r1_run_stage(run)->name,
                          .step = run->at.step + 1,
                          .weights_version = (int64_t)run->trainer->version,
                          .deal = deal,
                          .prompt = text->prompt.data,
                          .len_prompt = text->prompt.len,
                          .completion = text->completion.data,
                          .len_completion = text->completion.len,
                          .n_prompt_tokens = item->prompt_len,
                          .n_tokens = item->lens[0],
                          .finish_reason = "stop",
                          .reward = (double)NAN,
                          .advantage = (double)NAN};
    st = r1_rollout_add(out, &row, err);
done:
    return st;
}

r1_status r1_items_dump(const r1_run *run, const r1_item *items, int n, uint64_t first_deal,
                        r1_err *err) {
    char dir[R1_PATH_MAX];
    texts text;
    r1_buf out;
    r1_status st = R1_OK;

    r1_buf_init(&out, R1_ROLLOUTS_BYTES_MAX);
    r1_buf_init(&text.prompt, R1_ROLLOUTS_BYTES_MAX);
    r1_buf_init(&text.completion, R1_ROLLOUTS_BYTES_MAX);
    for (int i = 0; i < n; i++)
        R1_TRY(add_item(run, &items[i], first_deal + (uint64_t)i, &text, &out, err));
    R1_TRY(r1_rundir_file(&run->dir, "rollouts", dir, sizeof dir, err));
    st = r1_rollouts_write(dir, run->at.step + 1, &out, err);
done:
    r1_buf_done(&out);
    r1_buf_done(&text.prompt);
    r1_buf_done(&text.completion);
    return st;
}

r1_status r1_eval_dump_add(const r1_run *run, r1_dataset *d, const r1_group *groups, int n,
                           const char *mode, r1_buf *out, r1_err *err) {
    texts text;
    r1_status st = R1_OK;

    r1_buf_init(&text.prompt, R1_ROLLOUTS_BYTES_MAX);
    r1_buf_init(&text.completion, R1_ROLLOUTS_BYTES_MAX);
    for (int g = 0; g < n && st == R1_OK; g++) {
        r1_problem p;
        R1_TRY(add_prompt(run, &groups[g], &text, err));
        R1_TRY(r1_dataset_get(d, groups[g].deal, &p, err));
        for (int m = 0; m < groups[g].n && st == R1_OK; m++) {
            const r1_trajectory *t = &groups[g].t[m];
            sample x = {.g = &groups[g],
                        .member = m,
                        .step = run->at.step,
                        .reward = t->usable ? t->reward : (double)NAN,
                        .advantage = (double)NAN,
                        .mode = mode,
                        .reference = p.reference};
            st = add_sample(run, &x, &text, out, err);
        }
        r1_problem_done(&p);
    }
done:
    r1_buf_done(&text.prompt);
    r1_buf_done(&text.completion);
    return st;
}

r1_status r1_eval_dump_write(const r1_run *run, const r1_buf *out, r1_err *err) {
    char dir[R1_PATH_MAX];
    r1_status st = r1_rundir_file(&run->dir, "rollouts", dir, sizeof dir, err);

    return st == R1_OK ? r1_rollouts_write_eval(dir, run->at.step, out, err) : st;
}
