/* Accuracy of a model on a file of problems; see evaluate.h. */
#include "actor/evaluate.h"

#include "actor/input.h"
#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/comm/collect.h"
#include "common/metrics/json.h"
#include "common/metrics/metrics.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define TEXT_MAX ((size_t)64 << 20)

typedef struct problem {
    char *prompt, *reference, *extra;
    r1_ids ids;
    r1_buf
        question; /* the prompt with the template around it, which may have opened the thinking */
    uint32_t line;
} problem;

/* What a row's samples came to; travels between ranks as it is, the dump's lines behind it. */
typedef struct tally {
    int32_t n, correct, truncated, verdicts[R1_VERDICT_COUNT], shortest, longest;
    int64_t tokens;
} tally;

typedef struct job {
    const r1_evaluate_options *o;
    r1_world *world;
    r1_loaded loaded;
    r1_rewards rewards;
    problem *problems;
    r1_request *requests;
    uint64_t n;
    FILE *rollouts;
    /* rank 0 */
    tally sum;
    uint64_t scored;                    /* problems with a sample that could be scored */
    double accuracy, squares, pass_any; /* sums over them */
} job;

static r1_status read_problem(job *j, const r1_jsonl *file, uint32_t row, problem *p, r1_err *err) {
    const r1_policy *m = &j->loaded.policy;
    json_t *obj = NULL;
    r1_status st;

    R1_TRY(r1_jsonl_row(file, row, &obj, err));
    R1_TRY(r1_jsonl_text(file, row, obj, j->o->prompt_key, 0, &p->prompt, err));
    R1_TRY(r1_jsonl_text(file, row, obj, j->o->answer_key, 1, &p->reference, err));
    R1_TRY(r1_json_dump(obj, JSON_COMPACT, "a problem", &p->extra, err));
    R1_TRY(r1_template_encode(m->tokenizer, m->template_kind, j->o->system, p->prompt, &p->ids,
                              NULL, err));
    int room = m->model.max_len - (int)p->ids.n;
    if (p->ids.n == 0 || room < 1) {
        st = R1_FAIL(err, R1_DATA, "%s:%u: the prompt has %zu tokens (1 to %d can be)", file->path,
                     file->lines[row], p->ids.n, m->model.max_len - 1);
        goto done;
    }
    r1_grade_input in = {.question = r1_text_of(p->prompt),
                         .reference = r1_text_of(p->reference),
                         .extra = r1_text_of(p->extra)};
    p->line = file->lines[row];
    r1_buf_init(&p->question, TEXT_MAX);
    R1_TRY(r1_tokenizer_decode(m->tokenizer, p->ids.ids, p->ids.n, 1, &p->question, err));
    st = r1_rewards_lint(&j->rewards, &in, err);
    if (st != R1_OK && !p->reference)
        st = R1_FAIL(err, R1_DATA, "key '%s' is missing (--answer-key names another)",
                     j->o->answer_key);
    if (st != R1_OK)
        r1_err_prefix(err, "%s:%u", file->path, file->lines[row]);
done:
    json_decref(obj);
    return st;
}

static r1_status make_problems(job *j, const r1_jsonl *file, r1_err *err) {
    r1_sampling s = {.temperature = (float)j->o->temperature,
                     .top_p = (float)j->o->top_p,
                     .top_k = j->o->top_k,
                     .min_new_tokens = j->o->min_new,
                     .n_stop_strings = j->o->stop != NULL,
                     .stop_strings = &j->o->stop};
    r1_status st;

    s.n_stop_ids = r1_loaded_stop_ids(&j->loaded, s.stop_ids);
    j->n = j->o->limit > 0 && (uint32_t)j->o->limit < file->n ? (uint32_t)j->o->limit : file->n;
    if (j->n == 0)
        return R1_FAIL(err, R1_DATA, "'%s' has no rows", file->path);
    R1_TRY(R1_NEW(j->problems, j->n, err));
    R1_TRY(R1_NEW(j->requests, j->n, err));
    for (uint32_t i = 0; i < j->n; i++) {
        problem *p = &j->problems[i];
        R1_TRY(read_problem(j, file, i, p, err));
        int room = j->loaded.policy.model.max_len - (int)p->ids.n;
        s.max_new_tokens = j->o->max_new < room ? j->o->max_new : room;
        j->requests[i] =
            (r1_request){.prompt = p->ids.ids,
                         .prompt_len = (int)p->ids.n,
                         .n = j->o->n,
                         .key = {.seed = j->o->seed, .index = i, .purpose = R1_RNG_EVAL},
                         .sampling = s};
    }
done:
    return st;
}

static r1_status read_problems(job *j, r1_err *err) {
    r1_jsonl file = {0};
    r1_status st;

    R1_TRY(r1_input_open(&file, j->world, j->o->data, err));
    st = r1_agree(&j->world->all, make_problems(j, &file, err), err);
done:
    r1_jsonl_close(&file);
    return st;
}

/* ---- judging ---- */

/* Samples that could be scored: the others say nothing about the model. */
static int scored_of(const tally *t) {
    int n = 0;

    for (int v = 0; v < R1_VERDICT_COUNT; v++)
        n += r1_verdict_scorable((r1_verdict_kind)v) ? t->verdicts[v] : 0;
    return n;
}

static r1_status dump_line(const job *j, const r1_finished *f, int i, const r1_buf *text,
                           const r1_verdict *v, r1_buf *out, r1_err *err) {
    const problem *p = &j->problems[f->tag];
    r1_status st;

    R1_TRY(r1_buf_addf(out, err, "{\"row\": %llu, \"line\": %u, \"sample\": %d, \"prompt\": ",
                       (unsigned long long)f->tag, p->line, i));
    R1_TRY(r1_json_text(out, p->prompt, strlen(p->prompt), err));
    R1_TRY(r1_buf_addf(out, err, ", \"completion\": "));
    R1_TRY(r1_json_text(out, text->data ? text->data : "", text->len, err));
    st = r1_buf_addf(
        out, err, ", \"verdict\": \"%s\", \"tokens\": %d, \"finish_reason\": \"%s\"}\n",
        r1_verdict_name(v->kind), f->samples[i].n, r1_finish_name(f->samples[i].finish));
done:
    return st;
}

static r1_status judge_row(void *ctx, const r1_finished *f, r1_buf *out, r1_err *err) {
    job *j = ctx;
    const problem *p = &j->problems[f->tag];
    tally t = {.n = f->n, .shortest = INT32_MAX};
    size_t at = out->len;
    r1_buf text;
    r1_status st;

    r1_buf_init(&text, TEXT_MAX);
    R1_TRY(r1_buf_add(out, &t, sizeof t, err));
    for (int i = 0; i < f->n; i++) {
        const r1_sample *s = &f->samples[i];
        r1_buf_clear(&text);
        R1_TRY(
            r1_tokenizer_decode(j->loaded.policy.tokenizer, s->ids, (size_t)s->n, 1, &text, err));
        r1_grade_input in = {
            .asked = r1_text_of(p->prompt),
            .question = {p->question.data ? p->question.data : "", p->question.len},
            .completion = {text.data ? text.data : "", text.len},
            .reference = r1_text_of(p->reference),
            .extra = r1_text_of(p->extra),
            .ids = s->ids,
            .n_ids = s->n};
        r1_graded graded;
        r1_rewards_grade(&j->rewards, &in, 1, &graded);
        r1_verdict v = graded.verdict[0];
        t.correct += v.kind == R1_VERDICT_CORRECT;
        t.shortest = s->n < t.shortest ? s->n : t.shortest;
        t.longest = s->n > t.longest ? s->n : t.longest;
        t.verdicts[v.kind]++;
        t.tokens += s->n;
        t.truncated += s->finish == R1_FINISH_LENGTH;
        if (j->o->rollouts)
            R1_TRY(dump_line(j, f, i, &text, &v, out, err));
    }
    memcpy(out->data + at, &t, sizeof t);
done:
    r1_buf_done(&text);
    return st;
}

static r1_status take_row(void *ctx, uint64_t row, const char *bytes, size_t n, r1_err *err) {
    job *j = ctx;
    tally t;

    memcpy(&t, bytes, sizeof t);
    int scored = scored_of(&t);
    double right = scored ? (double)t.correct / scored : 0;
    j->scored += scored > 0;
    j->accuracy += right;
    j->squares += right * right;
    j->pass_any += t.correct > 0;
    j->sum.n += t.n;
    j->sum.correct += t.correct;
    j->sum.truncated += t.truncated;
    j->sum.tokens += t.tokens;
    j->sum.shortest = row == 0 || t.shortest < j->sum.shortest ? t.shortest : j->sum.shortest;
    j->sum.longest = t.longest > j->sum.longest ? t.longest : j->sum.longest;
    for (int v = 0; v < R1_VERDICT_COUNT; v++)
        j->sum.verdicts[v] += t.verdicts[v];
    if (j->rollouts && fwrite(bytes + sizeof t, 1, n - sizeof t, j->rollouts) != n - sizeof t)
        return R1_FAIL(err, R1_IO, "write '%s'", j->o->rollouts);
    return R1_OK;
}

/* ---- the report ---- */

static r1_status add_number(r1_buf *out, const char *key, double x, r1_err *err) {
    r1_status st = r1_buf_addf(out, err, ", \"%s\": ", key);

    return st == R1_OK ? r1_json_number(out, x, err) : st;
}

static double unscorable_of(const job *j) {
    return 1 - (double)scored_of(&j->sum) / j->sum.n;
}

static void print_table(const job *j, double mean, double error, double seconds) {
    double length = (double)j->sum.tokens / j->sum.n;
    char accuracy[R1_ACCURACY_TEXT];

    r1_info("problems          %8llu", (unsigned long long)j->n);
    r1_info("samples           %8d  (%d a problem, temperature %g)", j->sum.n, j->o->n,
            j->o->temperature);
    r1_info("mean accuracy     %17s", r1_accuracy_text(mean, error, 2, accuracy));
    if (j->scored)
        r1_info("solved at least once %5.2f %%", 100 * j->pass_any / (double)j->scored);
    r1_info("mean length       %8.1f tokens (%d to %d), %.1f %% cut off", length, j->sum.shortest,
            j->sum.longest, 100.0 * j->sum.truncated / j->sum.n);
    for (int v = 0; v < R1_VERDICT_COUNT; v++)
        if (j->sum.verdicts[v])
            r1_info("  %-16s%8d", r1_verdict_name((r1_verdict_kind)v), j->sum.verdicts[v]);
    if (unscorable_of(j) > 0)
        r1_warn("%.1f %% of the samples could not be scored and are left out",
                100 * unscorable_of(j));
    r1_info("rate              %8.0f tokens/s", (double)j->sum.tokens / seconds);
}

/* What was asked for: all that the numbers depend on. */
static r1_status add_settings(const job *j, r1_buf *out, r1_err *err) {
    const r1_evaluate_options *o = j->o;
    r1_status st;

    R1_TRY(r1_buf_addf(out, err, "{\"model\": "));
    R1_TRY(r1_json_text(out, o->model, strlen(o->model), err));
    R1_TRY(r1_buf_addf(out, err, ", \"data\": "));
    R1_TRY(r1_json_text(out, o->data, strlen(o->data), err));
    R1_TRY(r1_buf_addf(out, err, ", \"reward\": \"%s\", \"require_format\": %s, \"template\": ",
                       o->reward, o->require_format ? "true" : "false"));
    R1_TRY(r1_json_text(out, j->loaded.policy.template_kind, strlen(j->loaded.policy.template_kind),
                        err));
    st = r1_buf_addf(out, err,
                     ", \"problems\": %llu, \"n\": %d, \"temperature\": %g, \"top_p\": %g, "
                     "\"top_k\": %d, \"min_new_tokens\": %d, \"max_new_tokens\": %d, "
                     "\"seed\": %llu, \"dtype\": \"%s\", \"numeric_path\": \"%s\"",
                     (unsigned long long)j->n, o->n, o->temperature, o->top_p, o->top_k, o->min_new,
                     o->max_new, (unsigned long long)o->seed, o->dtype, j->loaded.policy.ops->path);
done:
    return st;
}

static r1_status report(const job *j, double seconds, r1_err *err) {
    double n = (double)j->scored, mean = j->accuracy / n; /* NaN when nothing could be scored */
    double var = n > 1 ? (j->squares - n * mean * mean) / (n - 1) : 0;
    double error = sqrt((var > 0 ? var : 0) / n);
    r1_buf out;
    r1_status st;

    print_table(j, mean, error, seconds);
    r1_buf_init(&out, TEXT_MAX);
    R1_TRY(add_settings(j, &out, err));
    R1_TRY(add_number(&out, "accuracy", mean, err));
    R1_TRY(add_number(&out, "stderr", error, err));
    R1_TRY(add_number(&out, "pass_any", j->pass_any / n, err));
    R1_TRY(add_number(&out, "unscorable", unscorable_of(j), err));
    R1_TRY(add_number(&out, "response_length", (double)j->sum.tokens / j->sum.n, err));
    R1_TRY(add_number(&out, "response_length_min", j->sum.shortest, err));
    R1_TRY(add_number(&out, "response_length_max", j->sum.longest, err));
    R1_TRY(add_number(&out, "clip_ratio", (double)j->sum.truncated / j->sum.n, err));
    for (int v = 0; v < R1_VERDICT_COUNT; v++)
        R1_TRY(r1_buf_addf(&out, err, ", \"%s\": %d", r1_verdict_name((r1_verdict_kind)v),
                           j->sum.verdicts[v]));
    printf("%s, \"seconds\": %.3f, \"tokens_per_s\": %.1f}\n", out.data, seconds,
           (double)j->sum.tokens / seconds);
    if (fflush(stdout) != 0)
        st = R1_FAIL(err, R1_IO, "writing to stdout");
done:
    r1_buf_done(&out);
    return st;
}

static void close_job(job *j) {
    for (uint64_t i = 0; j->problems && i < j->n; i++) {
        r1_free(j->problems[i].prompt);
        r1_free(j->problems[i].reference);
        r1_free(j->problems[i].extra);
        r1_ids_done(&j->problems[i].ids);
        r1_buf_done(&j->problems[i].question);
    }
    r1_free(j->problems);
    r1_free(j->requests);
    r1_rewards_close(&j->rewards);
    r1_loaded_close(&j->loaded);
}

r1_status r1_evaluate_model(r1_world *world, const r1_evaluate_options *o, r1_err *err) {
    r1_reward_options reward = {.name = o->reward,
                                .from = o->from,
                                .weight = 1,
                                .require_format = o->require_format,
                                .judge = o->judge};
    r1_loaded_options lo = {.policy = {.model = o->model,
                                       .tokenizer = o->tokenizer,
                                       .chat_template = o->chat_template,
                                       .dtype = strcmp(o->dtype, "bf16") == 0 ? R1_BF16 : R1_F32,
                                       .threads = o->threads},
                            .max_sequences = o->batch > o->n ? o->batch : o->n};
    job j = {.o = o, .world = world};
    int first = world->all.rank == 0;
    r1_status st;

    R1_TRY(r1_rewards_open(&j.rewards, &reward, 1, err));
    R1_TRY(r1_loaded_open(&j.loaded, world, &lo, err));
    R1_TRY(read_problems(&j, err));
    if (first && o->rollouts && !(j.rollouts = fopen(o->rollouts, "w")))
        st = R1_FAIL(err, R1_IO, "cannot create '%s'", o->rollouts);
    R1_TRY(r1_agree(&world->all, st, err));
    R1_TRY(r1_loaded_start(&j.loaded, &lo, j.requests, j.n, err));
    double t0 = r1_now_s();
    R1_TRY(r1_loaded_run(&j.loaded, j.requests, j.n, judge_row, take_row, &j, err));
    if (j.rollouts && fclose(j.rollouts) != 0)
        st = R1_FAIL(err, R1_IO, "write '%s'", o->rollouts);
    j.rollouts = NULL;
    if (st == R1_OK && first)
        st = report(&j, r1_now_s() - t0, err);
done:
    if (j.rollouts)
        fclose(j.rollouts);
    close_job(&j);
    return st;
}
