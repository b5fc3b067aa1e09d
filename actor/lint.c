/* A look at every problem of a stage; see lint.h. */
#include "actor/lint.h"

#include "common/base/card.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/data/example.h"

#include <stdio.h>
#include <string.h>

typedef struct lint {
    const r1_actor_options *o;
    const r1_stage_config *s;
    const char *what; /* "train" or "eval" */
    r1_dataset *data;
    r1_rewards *rewards; /* NULL: the answers are trained on */
    r1_data_facts *facts;
    r1_example example;
} lint;

/* Bytes of a text that a message quotes. */
static int first_line(const char *text) {
    size_t n = strcspn(text, "\n");

    return n < 60 ? (int)n : 60;
}

static r1_status missing_answer(const lint *l, r1_err *err) {
    return R1_FAIL(err, R1_DATA, "key '%s' is missing (data.%s.answer_key names another)",
                   r1_dataset_spec(l->data)->answer_key, l->what);
}

/* Can the rewards judge it? */
static r1_status lint_reference(lint *l, const r1_problem *p, r1_err *err) {
    r1_grade_input in = {.question = r1_text_of(p->prompt),
                         .reference = r1_text_of(p->reference),
                         .extra = r1_text_of(p->extra)};
    r1_status st = r1_rewards_lint(l->rewards, &in, err);

    /* Programs are judged by tests, not by an answer; their reward says what is missing. */
    return st != R1_OK && !p->reference && !l->o->judge ? missing_answer(l, err) : st;
}

static r1_status lint_prompt(lint *l, const r1_problem *p, int *ret_injected, r1_err *err) {
    const r1_limits_config *limits = &l->s->limits;
    r1_ids *ids = &l->example.ids;
    r1_status st;

    ids->n = 0;
    st = r1_template_encode(l->o->tokenizer, l->o->template_kind, l->o->system, p->prompt, ids,
                            ret_injected, err);
    l->example.prompt_len = (int)ids->n;
    if (st == R1_OK && ids->n == 0)
        st = R1_FAIL(err, R1_DATA, "the prompt has no tokens");
    if (st == R1_OK && ids->n > (size_t)limits->max_prompt_len)
        st = R1_FAIL(err, R1_DATA, "the prompt has %zu tokens, limits.max_prompt_len is %d", ids->n,
                     limits->max_prompt_len);
    return st;
}

static r1_status lint_example(lint *l, const r1_problem *p, int *ret_injected, r1_err *err) {
    r1_prompting how = {l->o->tokenizer, l->o->template_kind, l->o->system};
    size_t limit = (size_t)l->s->limits.max_tokens_per_microbatch;
    size_t context = (size_t)l->o->model->arch.max_positions, n;
    r1_status st;

    if (!p->text && !p->completion)
        return missing_answer(l, err);
    if ((st = r1_example_encode(&how, p, &l->example, ret_injected, err)) != R1_OK)
        return st;
    n = l->example.ids.n;
    if (n > context)
        return R1_FAIL(err, R1_DATA, "%zu tokens, more than the model's context of %zu", n,
                       context);
    if (n > limit)
        return R1_FAIL(err, R1_DATA, "%zu tokens, more than limits.max_tokens_per_microbatch (%zu)",
                       n, limit);
    return R1_OK;
}

static void note(lint *l, uint64_t i, int injected) {
    r1_data_facts *f = l->facts;
    int n = (int)l->example.ids.n;
    char where[R1_PATH_MAX];

    if (l->example.prompt_len > f->longest_prompt)
        f->longest_prompt = l->example.prompt_len;
    if (!l->rewards && n > f->longest)
        f->longest = n;
    if (injected == 0 || f->injected++ > 0)
        return;
    r1_dataset_where(l->data, i, where, sizeof where);
    r1_warn("%s: the question holds %d added token%s of the tokenizer as text%s", where, injected,
            injected == 1 ? "" : "s",
            strcmp(l->o->template_kind, "plain") == 0
                ? ", which template plain takes for the tokens themselves"
                : "; it stays plain text");
}

static r1_status lint_problem(lint *l, uint64_t i, r1_err *err) {
    int injected = 0;
    r1_problem p;
    r1_status st = r1_dataset_get(l->data, i, &p, err);

    if (st != R1_OK)
        return st;
    if (l->rewards)
        st = lint_reference(l, &p, err);
    if (st == R1_OK)
        st = l->rewards ? lint_prompt(l, &p, &injected, err) : lint_example(l, &p, &injected, err);
    if (st == R1_OK) {
        note(l, i, injected);
    } else {
        const char *shown = p.text ? p.text : p.prompt;
        char where[R1_PATH_MAX];
        r1_dataset_where(l->data, i, where, sizeof where);
        r1_err_prefix(err, "%s ('%.*s')", where, first_line(shown), shown);
    }
    r1_problem_done(&p);
    return st;
}

static r1_status lint_data(lint *l, const r1_dataset_options *options, r1_err *err) {
    r1_progress progress;
    char base[R1_PATH_MAX];
    r1_status st = r1_dataset_open(&l->data, options, err);

    if (st == R1_IO)
        r1_err_suffix(err, "%s", r1_path_base(options->spec->file, base, sizeof base));
    if (st != R1_OK) {
        r1_err_prefix(err, "data.%s%s", l->what, options->spec->file ? ".file" : "");
        return st;
    }
    *l->facts = (r1_data_facts){
        .used = 1, .rows = r1_dataset_rows(l->data), .problems = r1_dataset_size(l->data)};
    uint64_t n = l->facts->problems ? l->facts->problems : R1_LINT_PROBLEMS;
    r1_progress_start(&progress, "reading the data", (double)n);
    for (uint64_t i = 0; i < n && st == R1_OK; i++) {
        st = lint_problem(l, i, err);
        r1_tick();
        r1_progress_update(&progress, (double)i);
    }
    r1_progress_finish(&progress);
    r1_dataset_close(l->data);
    l->data = NULL;
    return st;
}

static r1_status lint_train(lint *l, int stage, r1_rewards *rewards, r1_err *err) {
    int sft = l->s->kind == R1_STAGE_SFT;
    r1_dataset_options options = {.spec = &l->s->data.train,
                                  .seed = l->o->cfg->seed,
                                  .stage = (uint32_t)stage,
                                  .in_order = 1,
                                  .error_rate = sft ? l->s->traces_error_rate : -1};

    l->rewards = sft ? NULL : rewards;
    return lint_data(l, &options, err);
}

r1_status r1_lint_stage(const r1_actor_options *o, int stage, r1_stage_facts *ret, r1_err *err) {
    const r1_stage_config *s = &o->cfg->stages[stage];
    r1_dataset_options eval = {.spec = &s->data.eval, .evaluation = 1, .error_rate = -1};
    lint l = {.o = o, .s = s, .what = "train", .facts = &ret->train};
    r1_rewards rewards;
    r1_status st;

    *ret = (r1_stage_facts){.train = {0}};
    R1_TRY(r1_actor_rewards(&rewards, s, o->judge, err));
    if (s->kind != R1_STAGE_EVAL)
        st = lint_train(&l, stage, &rewards, err);
    if (st == R1_OK && r1_stage_can_evaluate(s)) {
        l.what = "eval";
        l.facts = &ret->eval;
        l.rewards = &rewards;
        st = lint_data(&l, &eval, err);
    }
    r1_dataset_close(l.data);
    r1_ids_done(&l.example.ids);
    r1_rewards_close(&rewards);
done:
    if (st != R1_OK)
        r1_err_prefix(err, "stage '%s'", s->name);
    return st;
}
