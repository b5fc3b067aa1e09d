/* Rewards by name, and their weighted sum; see reward.h. */
#include "reward/reward.h"

#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/base/trace.h"
#include "reward/language.h"
#include "reward/program.h"
#include "reward/rules.h"
#include "reward/worker.h"

#include <stdio.h>
#include <string.h>

static const char *how_number(const r1_reward *r, const r1_grade_input *in) {
    r1_text span;

    return r1_place_name(r1_number_place(r->from, in, &span));
}

static const char *how_marked(const r1_reward *r, const r1_grade_input *in) {
    r1_text segment = r1_extract_segment(in->question, in->completion), span;

    return r1_place_name(r1_extract_marked(segment, &span));
}

static const char *how_math(const r1_reward *r, const r1_grade_input *in) {
    r1_text segment = r1_extract_segment(in->question, in->completion), span;
    r1_place place = r1_extract_boxed(segment, &span);

    return r1_place_name(place == R1_PLACE_NONE ? r1_extract_answer_tag(segment, &span) : place);
}

static const char *how_exact(const r1_reward *r, const r1_grade_input *in) {
    r1_text segment = r1_extract_segment(in->question, in->completion), span;
    r1_place place = r1_extract_answer_tag(segment, &span);

    return r1_place_name(place == R1_PLACE_NONE ? R1_PLACE_LAST : place);
}

static const char *how_tags(const r1_reward *r, const r1_grade_input *in) {
    return "tags";
}

static const r1_rule rules[] = {
    {"exact", r1_rule_exact, NULL, how_exact, 1},
    {"number", r1_rule_number, NULL, how_number, 1},
    {"choice", r1_rule_choice, NULL, how_marked, 0},
    {"countdown", r1_rule_countdown, NULL, how_marked, 0},
    {"format", r1_rule_format, NULL, how_tags, 0},
    {"format_code", r1_rule_format_code, NULL, how_tags, 0},
    {"tag_count", r1_rule_tag_count, NULL, how_tags, 0},
    {"reasoning_steps", r1_rule_reasoning_steps, NULL, NULL, 0},
    {"language", r1_rule_language, NULL, NULL, 0},
    {"length", r1_rule_length, NULL, NULL, 0},
    {"kimi_length_group", NULL, r1_rule_kimi, NULL, 0, 1},
    {"cosine", NULL, r1_rule_cosine, NULL, 0, 1},
    {"repetition", r1_rule_repetition, NULL, NULL, 0},
    {"loop", r1_rule_loop, NULL, NULL, 0},
    {"exec", .beside = &r1_rule_exec},
    {"code", .beside = &r1_rule_code},
    {"math", NULL, r1_rule_math, how_math, 0},
};
#define N_RULES ((int)(sizeof rules / sizeof *rules))

const char *r1_reward_name(int i) {
    return i < N_RULES ? rules[i].name : NULL;
}

int r1_reward_compares(int i) {
    return rules[i].compares;
}

/* ---- one reward ---- */

static r1_status find_rule(const char *name, const r1_rule **ret, r1_err *err) {
    char names[512] = "";
    size_t n = 0;

    for (int k = 0; k < N_RULES; k++) {
        if (strcmp(name, rules[k].name) == 0) {
            *ret = &rules[k];
            return R1_OK;
        }
        n += (size_t)snprintf(names + n, sizeof names - n, "%s%s", k ? ", " : "", rules[k].name);
        R1_ASSERT(n < sizeof names);
    }
    return R1_FAIL(err, R1_USAGE, "reward '%s' is unknown (%s)", name, names);
}

/* Index of a word among choices that end with NULL; without a word the first. */
static r1_status find_word(const char *key, const char *word, const char *const *choices, int *ret,
                           r1_err *err) {
    char list[128] = "";
    size_t n = 0;

    for (int k = 0; choices[k]; k++) {
        if (!word || strcmp(word, choices[k]) == 0) {
            *ret = k;
            return R1_OK;
        }
        n += (size_t)snprintf(list + n, sizeof list - n, "%s%s", k ? ", " : "", choices[k]);
    }
    return R1_FAIL(err, R1_USAGE, "%s '%s' is unknown (%s)", key, word, list);
}

static void set_defaults(r1_reward_options *o) {
    o->code_language = o->code_language ? o->code_language : "python";
    o->min_steps = o->min_steps ? o->min_steps : 3;
    o->target_len = o->target_len ? o->target_len : 1000;
    o->max_len = o->max_len ? o->max_len : 1000;
    o->ngram = o->ngram ? o->ngram : 3;
    o->max_period = o->max_period ? o->max_period : 512;
    o->times = o->times ? o->times : 5;
    o->deadline_s = o->deadline_s > 0 ? o->deadline_s : 30;
    if (o->min_wrong == 0 && o->max_wrong == 0 && o->min_correct == 0 && o->max_correct == 0) {
        o->min_wrong = -1;
        o->max_wrong = -0.5;
        o->min_correct = 0.5;
        o->max_correct = 1;
    }
}

r1_status r1_reward_open(r1_reward **ret, const r1_reward_options *options, r1_err *err) {
    static const char *const froms[] = {"auto", "last", "boxed", "answer_tag", "hash", NULL};
    static const char *const answers[] = {"answer_tag", "boxed", NULL};
    const r1_reward_options *o = options;
    int auto_target = !o->target || strcmp(o->target, "auto") == 0, from, answer;
    int language = auto_target ? -1 : r1_language_find(o->target);
    const r1_rule *rule;
    r1_reward *r;
    r1_status st;

    if ((st = find_rule(o->name, &rule, err)) != R1_OK)
        return st;
    R1_TRY(find_word("from", o->from, froms, &from, err));
    R1_TRY(find_word("answer", o->answer, answers, &answer, err));
    if (rule->beside == &r1_rule_code && !o->judge) {
        st = R1_FAIL(err, R1_USAGE, "it runs programs, for which nothing was prepared here");
        goto done;
    }
    if (!auto_target && language < 0) {
        st = R1_FAIL(err, R1_USAGE, "target '%s' is unknown (auto, %s)", o->target,
                     r1_language_names());
        goto done;
    }
    R1_TRY(R1_NEW(r, 1, err));
    *r = (r1_reward){rule, *o, (r1_number_from)from, language};
    r->o.answer = answers[answer];
    set_defaults(&r->o);
    if (rule->beside == &r1_rule_exec) {
        st = r1_program_open(&r->program, o->command, o->n_command, r->o.deadline_s, err);
        if (st == R1_OK)
            st = r1_worker_open(&r->worker, err);
    }
    if (st == R1_OK)
        *ret = r;
    else
        r1_reward_close(r);
done:
    if (st != R1_OK)
        r1_err_prefix(err, "reward '%s'", o->name);
    return st;
}

void r1_reward_close(r1_reward *r) {
    if (r) {
        r1_worker_close(r->worker);
        r1_program_close(r->program);
    }
    r1_free(r);
}

static const char no_memory[] = "out of memory";

r1_verdict r1_reward_grade(const r1_reward *r, const r1_grade_input *in) {
    r1_verdict v;

    if (r->rule->follows)
        return r1_verdict_of(R1_VERDICT_ERROR, "needs another reward that says what is right");
    if (r->rule->grade)
        return r->rule->grade(r, in);
    if (r->rule->group) {
        r->rule->group(r, in, NULL, 1, &v);
        return v;
    }
    void *task = r->rule->beside->open(r, in, 1);
    if (!task)
        return r1_verdict_of(R1_VERDICT_ERROR, no_memory);
    r->rule->beside->add(task, 0);
    r->rule->beside->end(task, &v);
    return v;
}

const char *r1_reward_how(const r1_reward *r, const r1_grade_input *in) {
    return r->rule->how ? r->rule->how(r, in) : "text";
}

r1_status r1_reward_lint(const r1_reward *r, const r1_grade_input *in, r1_err *err) {
    r1_grade_input probe = *in;

    probe.completion = r1_text_of("x");
    if (r->rule->follows || r->rule->beside == &r1_rule_exec)
        return R1_OK;
    r1_verdict v = r1_reward_grade(r, &probe);
    if (v.kind == R1_VERDICT_UNPARSEABLE_GOLD)
        return R1_FAIL(err, R1_DATA, "reward '%s' cannot judge the reference '%.*s': %s",
                       r->rule->name, (int)(in->reference.n < 80 ? in->reference.n : 80),
                       in->reference.s, v.note);
    return R1_OK;
}

/* ---- the sum ---- */

r1_status r1_rewards_open(r1_rewards *ret, const r1_reward_options *options, int n, r1_err *err) {
    r1_reward_options format = {.name = "format"};
    r1_status st;

    *ret = (r1_rewards){0};
    R1_ASSERT(n <= R1_REWARDS_MAX);
    for (int i = 0; i < n; i++) {
        R1_TRY(r1_reward_open(&ret->r[i], &options[i], err));
        ret->options[ret->n++] = options[i];
        if (i == 0 && ret->r[i]->rule->follows) {
            st = R1_FAIL(err, R1_USAGE,
                         "reward '%s' goes by the verdict of the first reward, so it cannot be it",
                         options[i].name);
            goto done;
        }
        if (options[i].require_format && !ret->format)
            R1_TRY(r1_reward_open(&ret->format, &format, err));
    }
    return R1_OK;
done:
    r1_rewards_close(ret);
    return st;
}

void r1_rewards_close(r1_rewards *r) {
    for (int i = 0; i < r->n; i++)
        r1_reward_close(r->r[i]);
    r1_reward_close(r->format);
    *r = (r1_rewards){0};
}

/* Which rewards a row asks: those without a source, and those with its data_source.  Returns the
 * first of them that judges by itself; -1: none, or no memory to read the row. */
static int select_rewards(const r1_rewards *r, r1_text extra, int asked[static R1_REWARDS_MAX]) {
    json_t *root = NULL;
    json_error_t je;
    int first = -1, sources = 0;

    for (int i = 0; i < r->n; i++) {
        sources |= r->options[i].source != NULL;
        asked[i] = 0;
    }
    if (sources && extra.n &&
        r1_json_parse(&root, extra.s, extra.n, JSON_ALLOW_NUL, &je) == R1_NOMEM)
        return -1;
    const char *source = json_string_value(json_object_get(root, "data_source"));
    for (int i = 0; i < r->n; i++) {
        const char *want = r->options[i].source;
        asked[i] = !want || (source && strcmp(want, source) == 0);
        if (asked[i] && first < 0 && !r->r[i]->rule->follows)
            first = i;
    }
    json_decref(root);
    return first;
}

/* Right, but not in the required form, is wrong. */
static void require_format(const r1_rewards *r, int i, const r1_grade_input *in, r1_verdict *v) {
    if (r->options[i].require_format && r1_verdict_scorable(v->kind) && v->score > 0 &&
        r1_reward_grade(r->format, in).kind != R1_VERDICT_CORRECT)
        *v = r1_verdict_of(R1_VERDICT_WRONG, "right, but not in the required format");
}

/* A group whose samples come one by one. */
struct r1_grading {
    const r1_rewards *r;
    int n, added;
    int first, asked[R1_REWARDS_MAX]; /* select_rewards, once a sample is there */
    void *task[R1_REWARDS_MAX];       /* of rewards that run programs */
    r1_grade_input in[];
};

r1_status r1_grading_open(r1_grading **ret, const r1_rewards *r, int n, r1_err *err) {
    r1_grading *g = r1_calloc(1, sizeof *g + (size_t)n * sizeof *g->in);

    if (!g)
        return R1_FAIL(err, R1_NOMEM, "out of memory: the grading of %d samples", n);
    g->r = r;
    g->n = n;
    *ret = g;
    return R1_OK;
}

static void open_tasks(r1_grading *g, r1_text extra) {
    g->first = select_rewards(g->r, extra, g->asked);
    for (int i = 0; i < g->r->n; i++) {
        const r1_reward *r = g->r->r[i];
        if (r->rule->beside && g->asked[i] && g->first >= 0)
            g->task[i] = r->rule->beside->open(r, g->in, g->n);
    }
}

void r1_grading_add(r1_grading *g, int s, const r1_grade_input *in) {
    g->in[s] = *in;
    if (g->added++ == 0)
        open_tasks(g, in->extra);
    for (int i = 0; i < g->r->n; i++)
        if (g->task[i])
            g->r->r[i]->rule->beside->add(g->task[i], s);
}

int r1_grading_ready(const r1_grading *g) {
    for (int i = 0; i < g->r->n; i++)
        if (g->task[i] && !g->r->r[i]->rule->beside->ready(g->task[i]))
            return 0;
    return g->added == g->n;
}

/* Component i of all samples together, into values [n]; 0: no memory. */
static int grade_together(r1_grading *g, int i, const r1_graded *graded, r1_verdict *values) {
    const r1_rule *rule = g->r->r[i]->rule;

    if (rule->beside) {
        if (!g->task[i])
            return 0;
        rule->beside->end(g->task[i], values);
        g->task[i] = NULL;
        return 1;
    }
    r1_verdict *firsts = r1_calloc((size_t)g->n, sizeof *firsts);
    for (int s = 0; firsts && s < g->n; s++)
        firsts[s] = graded[s].verdict[g->first];
    if (firsts)
        rule->group(g->r->r[i], g->in, firsts, g->n, values);
    r1_free(firsts);
    return firsts != NULL;
}

/* Component i of all samples; the first one is done before those that follow it. */
static void grade_component(r1_grading *g, int i, r1_graded *ret) {
    const r1_reward *r = g->r->r[i];
    r1_verdict *values = r->rule->grade ? NULL : r1_calloc((size_t)g->n, sizeof *values);
    int together = values && grade_together(g, i, ret, values);

    for (int s = 0; s < g->n; s++) {
        r1_verdict *v = &ret[s].verdict[i];
        *v = r->rule->grade ? r->rule->grade(r, &g->in[s])
             : together     ? values[s]
                            : r1_verdict_of(R1_VERDICT_ERROR, no_memory);
        require_format(g->r, i, &g->in[s], v);
    }
    r1_free(values);
}

static void add_up(const r1_grading *p, r1_graded *g) {
    for (int i = 0; i < p->r->n; i++) {
        const r1_verdict *v = &g->verdict[i];
        if (!p->asked[i])
            continue;
        if (!r1_verdict_scorable(v->kind) && p->r->options[i].weight != 0)
            g->usable = 0;
        else
            g->total += p->r->options[i].weight * (double)v->score;
    }
    g->correct = p->first >= 0 && g->verdict[p->first].kind == R1_VERDICT_CORRECT;
    g->usable &= p->first >= 0;
    if (!g->usable)
        g->total = 0;
}

void r1_grading_end(r1_grading *g, r1_graded *ret) {
    int n = g->r->n;

    R1_TRACE();
    R1_ASSERT(g->added == g->n);
    for (int s = 0; s < g->n; s++)
        ret[s] = (r1_graded){.n = n, .usable = 1};
    if (g->first >= 0)
        grade_component(g, g->first, ret);
    for (int i = 0; i < n; i++) {
        for (int s = 0; s < g->n && !g->asked[i]; s++)
            ret[s].verdict[i] = r1_verdict_of(R1_VERDICT_NOT_ASKED, "for another data_source");
        if (g->asked[i] && i != g->first)
            grade_component(g, i, ret);
    }
    for (int s = 0; s < g->n; s++)
        add_up(g, &ret[s]);
    r1_grading_drop(g);
}

void r1_grading_drop(r1_grading *g) {
    for (int i = 0; g && i < g->r->n; i++)
        if (g->task[i])
            g->r->r[i]->rule->beside->end(g->task[i], NULL);
    r1_free(g);
}

void r1_rewards_grade(const r1_rewards *r, const r1_grade_input *in, int n, r1_graded *ret) {
    r1_grading *g;

    if (r1_grading_open(&g, r, n, NULL) != R1_OK) {
        for (int s = 0; s < n; s++) {
            ret[s] = (r1_graded){.n = r->n};
            for (int i = 0; i < r->n; i++)
                ret[s].verdict[i] = r1_verdict_of(R1_VERDICT_ERROR, no_memory);
        }
        return;
    }
    for (int s = 0; s < n; s++)
        r1_grading_add(g, s, &in[s]);
    r1_grading_end(g, ret);
}

r1_status r1_rewards_lint(const r1_rewards *r, const r1_grade_input *in, r1_err *err) {
    int asked[R1_REWARDS_MAX], first = select_rewards(r, in->extra, asked);
    r1_status st;

    for (int i = 0; i < r->n; i++)
        if (asked[i] && (st = r1_reward_lint(r->r[i], in, err)) != R1_OK)
            return st;
    return first >= 0 ? R1_OK : R1_FAIL(err, R1_DATA, "no reward is for the row's data_source");
}
