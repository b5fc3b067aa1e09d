/* Problems in, graded trajectories out; see actor.h. */
#include "actor/actor.h"

#include "common/base/card.h"
#include "common/base/clock.h"
#include "common/base/cpu.h"
#include "common/base/hash.h"
#include "common/base/trace.h"
#include "reward/extract.h"
#include "reward/language.h"
#include "reward/reflect.h"

#include <math.h>
#include <string.h>

#define TEXT_MAX ((size_t)1 << 30)

typedef struct stage_data {
    r1_dataset *train, *eval;
    r1_rewards rewards;
} stage_data;

/* A group from its prompt to its verdicts. */
typedef struct answers {
    uint64_t index;
    r1_problem problem;
    r1_buf question;       /* the prompt with the template around it: it may open the thinking */
    int n;                 /* samples */
    r1_buf *texts;         /* [n] of those that have ended */
    r1_grade_input *in;    /* [n] likewise */
    r1_grading *grading;   /* begins with the first that ends */
    r1_finished *finished; /* NULL: some are still drawn */
    double end_s;          /* when the last one ended */
    struct answers *next;
} answers;

struct r1_actor {
    r1_actor_options o;
    r1_engine *engine;
    stage_data stages[R1_MAX_STAGES];
    r1_reflection_words reflection;
    r1_ids ids;      /* of the prompt that is being submitted */
    answers *drawn;  /* groups in the engine */
    answers *judged; /* groups that have left it, in that order */
};

static void close_stage(stage_data *d) {
    r1_dataset_close(d->train);
    r1_dataset_close(d->eval);
    r1_rewards_close(&d->rewards);
    *d = (stage_data){.train = NULL};
}

r1_status r1_actor_rewards(r1_rewards *ret, const r1_stage_config *s, struct r1_judge *judge,
                           r1_err *err) {
    r1_reward_options options[R1_MAX_REWARDS];

    for (int r = 0; r < s->n_rewards; r++) {
        const r1_reward_spec *spec = &s->rewards[r];
        options[r] =
            (r1_reward_options){.name = spec->name,
                                .source = spec->source,
                                .weight = spec->weight,
                                .require_format = spec->require_format,
                                .from = spec->from,
                                .answer = spec->answer,
                                .min_think = spec->min_think,
                                .code_language = spec->language,
                                .target = spec->target,
                                .unit = spec->unit,
                                .min_words = spec->min_words,
                                .min_steps = spec->min_steps,
                                .target_len = spec->target_len,
                                .max_len = spec->max_len > 0 ? spec->max_len : s->max_response_len,
                                .min_wrong = spec->min_wrong,
                                .max_wrong = spec->max_wrong,
                                .min_correct = spec->min_correct,
                                .max_correct = spec->max_correct,
                                .ngram = spec->ngram,
                                .max_period = spec->max_period,
                                .times = spec->times,
                                .command = spec->command.s,
                                .n_command = spec->command.n,
                                .deadline_s = spec->deadline_s,
                                .fraction = spec->fraction,
                                .judge = judge};
    }
    return r1_rewards_open(ret, options, s->n_rewards, err);
}

/* Evaluation problems of a stage: what its own configuration says. */
static r1_status open_stage(const r1_actor_options *o, int i, stage_data *d, r1_err *err) {
    const r1_config *cfg = o->cfg;
    const r1_stage_config *s = &cfg->stages[i];
    r1_dataset_options train = {
        .spec = &s->data.train, .seed = cfg->seed, .stage = (uint32_t)i, .error_rate = -1};
    r1_dataset_options eval = {.spec = &s->data.eval, .evaluation = 1, .error_rate = -1};
    r1_status st;

    R1_TRY(r1_actor_rewards(&d->rewards, s, o->judge, err));
    if (s->kind == R1_STAGE_GRPO)
        R1_TRY(r1_dataset_open(&d->train, &train, err));
    if (r1_stage_can_evaluate(s))
        R1_TRY(r1_dataset_open(&d->eval, &eval, err));
done:
    if (st != R1_OK)
        r1_err_prefix(err, "stage '%s'", s->name);
    return st;
}

#define MAX_SEQUENCES 512
#define PREFILL_ROWS  512

/* Samples that one request of any stage asks of one of the ranks, and its longest sequence. */
static void most_work(const r1_config *cfg, int actors, int *ret_samples, int *ret_len) {
    *ret_samples = *ret_len = 1;
    for (int i = 0; i < cfg->n_stages; i++) {
        const r1_stage_config *s = &cfg->stages[i];
        int samples = s->kind == R1_STAGE_GRPO ? s->prompts_per_step * s->group_size : 0;
        int eval = s->data.eval.n > 0 ? s->data.eval.n * cfg->eval.n_per_prompt : 0;
        int len = s->limits.max_prompt_len + (s->max_response_len > 0 ? s->max_response_len : 0);
        samples = ((samples > eval ? samples : eval) + actors - 1) / actors;
        *ret_samples = samples > *ret_samples ? samples : *ret_samples;
        *ret_len = len > *ret_len ? len : *ret_len;
    }
}

void r1_actor_size(r1_actor_options *o, int actors, int node_actors) {
    double block = (double)r1_kv_block_bytes(&o->model->arch, o->model->ops->dtype);
    double memory = o->cfg->limits.kv_memory;
    int samples, len;

    most_work(o->cfg, actors, &samples, &len);
    len = len < o->model->max_len ? len : o->model->max_len;
    int per_sequence = len / R1_KV_BLOCK + 2;
    if (isnan(memory))
        memory = r1_memory_available() / 4 / node_actors;
    o->max_sequences = samples < MAX_SEQUENCES ? samples : MAX_SEQUENCES;
    o->prefill_rows = PREFILL_ROWS;
    double want = (double)o->max_sequences * per_sequence, have = memory / block;
    o->n_blocks = (int)(want < have ? want : have > per_sequence ? have : per_sequence);
}

static const char *piece_of(void *ctx, int32_t id, size_t *ret_len) {
    return r1_tokenizer_piece(ctx, id, 0, ret_len);
}

static r1_status sample_ended(void *ctx, uint64_t index, int i, const r1_sample *s, r1_err *err);

static r1_engine_options engine_options(const r1_actor_options *o, r1_actor *a) {
    return (r1_engine_options){.model = o->model,
                               .max_sequences = o->max_sequences,
                               .n_blocks = o->n_blocks,
                               .prefill_rows = o->prefill_rows,
                               .piece = piece_of,
                               .piece_ctx = (void *)(uintptr_t)o->tokenizer,
                               .on_end = sample_ended,
                               .on_end_ctx = a};
}

size_t r1_actor_bytes(const r1_actor_options *o) {
    r1_engine_options e = engine_options(o, NULL);

    return r1_engine_bytes(&e);
}

r1_status r1_actor_open(r1_actor **ret, const r1_actor_options *o, r1_err *err) {
    r1_engine_options e;
    r1_actor *a = NULL;
    r1_status st;

    R1_TRY(R1_NEW(a, 1, err));
    a->o = *o;
    e = engine_options(o, a);
    R1_TRY(r1_reflection_init(&a->reflection, o->cfg->log.reflection_words.s,
                              o->cfg->log.reflection_words.n, err));
    R1_TRY(r1_engine_open(&a->engine, &e, err));
    for (int i = 0; i < o->cfg->n_stages; i++)
        R1_TRY(open_stage(o, i, &a->stages[i], err));
    *ret = a;
    return R1_OK;
done:
    r1_actor_close(a);
    return st;
}

void r1_actor_close(r1_actor *a) {
    if (!a)
        return;
    r1_engine_close(a->engine);
    for (int i = 0; i < R1_MAX_STAGES; i++)
        close_stage(&a->stages[i]);
    r1_ids_done(&a->ids);
    r1_free(a);
}

r1_status r1_actor_text(const r1_actor *a, const int32_t *ids, int n, r1_buf *text, r1_err *err) {
    return r1_tokenizer_decode(a->o.tokenizer, ids, (size_t)n, 1, text, err);
}

size_t r1_actor_payload_bytes(const r1_actor *a) {
    return a->o.model->layout.payload_bytes;
}

r1_status r1_actor_hash_payload(const r1_actor *a, const void *payload, uint64_t *ret,
                                r1_err *err) {
    const r1_layout *l = &a->o.model->layout;
    uint64_t *units;
    r1_status st;

    R1_TRY(R1_NEW(units, l->n_units, err));
    r1_layout_hash_payload(l, a->o.model->ops, payload, 0, l->n_units, units);
    *ret = r1_hash64(units, l->n_units * sizeof *units);
    r1_free(units);
done:
    return st;
}

/* ---- a group's answers ---- */

static void answers_free(answers *w) {
    r1_grading_drop(w->grading);
    for (int i = 0; w->texts && i < w->n; i++)
        r1_buf_done(&w->texts[i]);
    r1_free(w->texts);
    r1_free(w->in);
    r1_buf_done(&w->question);
    r1_problem_done(&w->problem);
    r1_finished_free(w->finished);
    r1_free(w);
}

/* Takes the problem, whatever comes of it. */
static r1_status answers_new(answers **ret, const r1_actor *a, const r1_rollout_request *q,
                             uint64_t index, r1_problem *p, r1_err *err) {
    size_t n = (size_t)q->group_size;
    answers *w;
    r1_status st;

    if ((st = R1_NEW(w, 1, err)) != R1_OK) {
        r1_problem_done(p);
        return st;
    }
    w->index = index;
    w->problem = *p;
    w->n = q->group_size;
    r1_buf_init(&w->question, TEXT_MAX);
    R1_TRY(R1_NEW(w->texts, n, err));
    for (int i = 0; i < w->n; i++)
        r1_buf_init(&w->texts[i], TEXT_MAX);
    R1_TRY(R1_NEW(w->in, n, err));
    R1_TRY(r1_actor_text(a, a->ids.ids, (int)a->ids.n, &w->question, err));
    st = r1_grading_open(&w->grading, &a->stages[q->stage].rewards, w->n, err);
done:
    if (st == R1_OK)
        *ret = w;
    else
        answers_free(w);
    return st;
}

/* Take it out of a list. */
static answers *answers_unlink(answers **at, uint64_t index) {
    while ((*at)->index != index)
        at = &(*at)->next;
    answers *w = *at;
    *at = w->next;
    w->next = NULL;
    return w;
}

/* Called by the engine: judging begins while the others are drawn. */
static r1_status sample_ended(void *ctx, uint64_t index, int i, const r1_sample *s, r1_err *err) {
    const r1_actor *a = ctx;
    answers *w = a->drawn;
    r1_status st;

    while (w->index != index)
        w = w->next;
    r1_phase_begin(a->o.phases, R1_PHASE_REWARD);
    R1_TRY(r1_actor_text(a, s->ids, s->n, &w->texts[i], err));
    w->in[i] =
        (r1_grade_input){.question = {w->question.data, w->question.len},
                         .asked = r1_text_of(w->problem.prompt),
                         .completion = {w->texts[i].data ? w->texts[i].data : "", w->texts[i].len},
                         .reference = r1_text_of(w->problem.reference),
                         .extra = r1_text_of(w->problem.extra),
                         .ids = s->ids,
                         .n_ids = s->n};
    r1_grading_add(w->grading, i, &w->in[i]);
done:
    r1_phase_end(a->o.phases, R1_PHASE_REWARD);
    return st;
}

static r1_status copy_sample(const r1_sample *s, r1_trajectory *t, r1_err *err) {
    r1_status st = r1_trajectory_alloc(t, s->n, err);

    if (st != R1_OK)
        return st;
    memcpy(t->ids, s->ids, (size_t)s->n * sizeof *t->ids);
    memcpy(t->logp, s->logp, (size_t)s->n * sizeof *t->logp);
    t->finish = s->finish;
    return R1_OK;
}

static void copy_verdicts(const r1_graded *g, r1_trajectory *t) {
    t->n_rewards = g->n;
    for (int i = 0; i < g->n; i++) {
        t->verdict[i] = (int)g->verdict[i].kind;
        t->score[i] = g->verdict[i].score;
        memcpy(t->note[i], g->verdict[i].note, sizeof t->note[i]);
    }
    t->reward = g->total;
    t->usable = g->usable;
    t->correct = g->correct;
}

/* Numbers that only the text has. */
static void look_at(const r1_actor *a, const r1_grade_input *in, r1_trajectory *t) {
    r1_text thinking = r1_extract_thinking(in->completion);
    r1_language_share share = r1_language_count(thinking, r1_language_asked(in), R1_UNIT_CHARS);

    t->text[R1_TEXT_REFLECTIONS] = (float)r1_reflections(&a->reflection, thinking);
    t->text[R1_TEXT_ANSWER_CHANGED] = (float)r1_answer_changed(in->completion);
    t->text[R1_TEXT_THINK_CHARS] = (float)r1_text_chars(thinking);
    t->text[R1_TEXT_LANGUAGE] = (float)r1_language_consistency(share, 0);
}

/* The verdicts of a group that has them all, with what goes to the learner. */
static r1_status collect(const r1_actor *a, answers *w, r1_group *g, r1_err *err) {
    const r1_finished *f = w->finished;
    r1_graded *graded;
    r1_status st;

    R1_TRY(R1_NEW(graded, (size_t)f->n, err));
    r1_grading_end(w->grading, graded);
    w->grading = NULL;
    for (int i = 0; i < f->n && st == R1_OK; i++) {
        st = copy_sample(&f->samples[i], &g->t[i], err);
        copy_verdicts(&graded[i], &g->t[i]);
        look_at(a, &w->in[i], &g->t[i]);
    }
    r1_free(graded);
done:
    return st;
}

/* ---- one request ---- */

typedef struct work {
    r1_actor *a;
    const r1_rollout_request *req;
    r1_group_fn done;
    void *ctx;
    double t0_s;
} work;

/* The ids that the model continues; a prompt above the limit is an error. */
static r1_status encode_prompt(const r1_actor_options *o, int stage, const r1_problem *p,
                               r1_ids *ids, r1_err *err) {
    const r1_stage_config *s = &o->cfg->stages[stage];
    r1_status st;

    ids->n = 0;
    st = r1_template_encode(o->tokenizer, o->template_kind, o->system, p->prompt, ids, NULL, err);
    if (st == R1_OK && (ids->n > (size_t)s->limits.max_prompt_len || ids->n == 0))
        st = R1_FAIL(err, R1_DATA, "the prompt has %zu tokens, limits.max_prompt_len is %d", ids->n,
                     s->limits.max_prompt_len);
    return st;
}

static r1_status get_problem(work *w, uint64_t index, r1_problem *p, r1_err *err) {
    r1_actor *a = w->a;
    int stage = w->req->stage;
    stage_data *s = &a->stages[stage];
    r1_status st = r1_dataset_get(w->req->evaluation ? s->eval : s->train, index, p, err);

    if (st != R1_OK)
        return st;
    if ((st = encode_prompt(&a->o, stage, p, &a->ids, err)) != R1_OK) {
        r1_err_prefix(err, "problem %llu of stage '%s'", (unsigned long long)index,
                      a->o.cfg->stages[stage].name);
        r1_problem_done(p);
    }
    return st;
}

static r1_status submit(work *w, uint64_t index, r1_err *err) {
    r1_actor *a = w->a;
    const r1_rollout_request *q = w->req;
    const r1_stage_config *s = &a->o.cfg->stages[q->stage];
    answers *group;
    r1_problem p;
    r1_status st;

    R1_TRACE();
    R1_TRY(get_problem(w, index, &p, err));
    R1_TRY(answers_new(&group, a, q, index, &p, err));
    group->next = a->drawn;
    a->drawn = group;
    r1_request r = {
        .tag = index, .prompt = a->ids.ids, .prompt_len = (int)a->ids.n, .n = q->group_size};
    r.key = (r1_rng_key){.seed = a->o.cfg->seed,
                         .index = index,
                         .stage = (uint32_t)q->stage,
                         .purpose = q->evaluation ? R1_RNG_EVAL : R1_RNG_SAMPLE};
    r.sampling = (r1_sampling){.temperature = q->temperature,
                               .top_p = q->top_p,
                               .top_k = q->top_k,
                               .min_new_tokens = q->min_new_tokens,
                               .max_new_tokens = q->max_new_tokens,
                               .n_stop_strings = s->stop.n,
                               .stop_strings = s->stop.s};
    r.sampling.n_stop_ids = r1_tokenizer_eos(a->o.tokenizer, r.sampling.stop_ids, R1_MAX_STOP_IDS);
    st = r1_engine_submit(a->engine, &r, err);
done:
    return st;
}

/* Groups that have left the engine wait for their verdicts. */
static void take_finished(r1_actor *a) {
    answers **end = &a->judged;

    while (*end)
        end = &(*end)->next;
    for (r1_finished *f; (f = r1_engine_poll(a->engine)); end = &(*end)->next) {
        *end = answers_unlink(&a->drawn, f->tag);
        (*end)->finished = f;
        (*end)->end_s = r1_now_s();
    }
}

static r1_status deliver(work *w, answers *group, r1_err *err) {
    const r1_finished *f = group->finished;
    r1_group g;
    r1_status st = r1_group_alloc(&g, f->prompt_len, f->n, err);

    if (st != R1_OK)
        return st;
    memcpy(g.prompt, f->prompt, (size_t)f->prompt_len * sizeof *g.prompt);
    g.deal = f->tag;
    g.version = w->req->version;
    g.stage = w->req->stage;
    r1_phase_begin(w->a->o.phases, R1_PHASE_REWARD);
    st = collect(w->a, group, &g, err);
    r1_phase_end(w->a->o.phases, R1_PHASE_REWARD);
    if (st == R1_OK)
        st = r1_template_injected(w->a->o.tokenizer, group->problem.prompt, &g.injected, err);
    g.gen_s = group->end_s - w->t0_s;
    g.reward_s = r1_now_s() - group->end_s;
    if (st == R1_OK)
        return w->done(w->ctx, &g, err);
    r1_group_done(&g);
    return st;
}

/* Groups go in the order in which they were finished, whoever is judged first.  If there is nothing
 * else to do, a wait of a millisecond: programs that judge have deadlines of their own, so this
 * rank is well however long they take. */
static r1_status deliver_judged(work *w, int idle, r1_err *err) {
    r1_actor *a = w->a;
    r1_status st = R1_OK;

    if (idle && a->judged && !r1_grading_ready(a->judged->grading)) {
        r1_phase_begin(a->o.phases, R1_PHASE_REWARD);
        r1_sleep_us(1000);
        r1_phase_end(a->o.phases, R1_PHASE_REWARD);
    }
    while (st == R1_OK && a->judged && r1_grading_ready(a->judged->grading)) {
        answers *group = answers_unlink(&a->judged, a->judged->index);
        st = deliver(w, group, err);
        answers_free(group);
    }
    return st;
}

static void drop_answers(answers **list) {
    while (*list)
        answers_free(answers_unlink(list, (*list)->index));
}

r1_status r1_actor_roll(r1_actor *a, const r1_rollout_request *req, const void *payload,
                        r1_next_fn next, r1_group_fn done, void *ctx, r1_err *err) {
    work w = {a, req, done, ctx, r1_now_s()};
    int more = 1;
    r1_status st = R1_OK;

    r1_card_step(a->o.cfg->stages[req->stage].name, req->step);
    while (st == R1_OK && (more || r1_engine_pending(a->engine) > 0 || a->judged)) {
        uint64_t index;
        while (st == R1_OK && more && r1_engine_pending(a->engine) < a->o.max_sequences) {
            more = next(ctx, &index);
            if (more)
                st = submit(&w, index, err);
        }
        int idle = r1_engine_pending(a->engine) == 0;
        if (st == R1_OK && !idle)
            st = r1_engine_step(a->engine, payload, err);
        r1_tick();
        take_finished(a);
        if (st == R1_OK)
            st = deliver_judged(&w, idle, err);
    }
    drop_answers(&a->drawn); /* after an error */
    drop_answers(&a->judged);
    return st;
}
