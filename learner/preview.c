/* What a run would do; see preview.h. */
#include "learner/preview.h"

#include "common/base/cpu.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/comm/collect.h"
#include "common/config/number.h"
#include "learner/output.h"

#include <dirent.h>
#include <errno.h>
#include <libgen.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define MIB               1048576.0
#define THREADS_PER_CORE  8 /* more than that is a slip of the finger */
#define UNITS_AT_ONCE     512
#define CHECKPOINT_COPIES 3 /* weights and both moments */

/* ---- checks ---- */

static int samples(const r1_config *cfg, const r1_stage_config *s) {
    return s->kind != R1_STAGE_SFT || (r1_stage_can_evaluate(s) && cfg->eval.at_stage_end);
}

static r1_status check_context(const r1_config *cfg, const r1_policy *m, r1_err *err) {
    for (int i = 0; i < cfg->n_stages; i++) {
        const r1_stage_config *s = &cfg->stages[i];
        if (samples(cfg, s) &&
            s->limits.max_prompt_len + s->max_response_len > m->arch.max_positions)
            return R1_FAIL(err, R1_USAGE,
                           "%s: stage '%s': limits.max_prompt_len (%d) + max_response_len (%d) are "
                           "above the model's context of %d (max_position_embeddings)",
                           cfg->path, s->name, s->limits.max_prompt_len, s->max_response_len,
                           m->arch.max_positions);
    }
    return R1_OK;
}

r1_status r1_preview_check(const r1_plan *p, const r1_config *cfg, const r1_world *w,
                           const r1_policy *m, r1_err *err) {
    double have = r1_memory_available();
    r1_status st;

    R1_TRY(check_context(cfg, m, err));
    if (p->threads > THREADS_PER_CORE * w->node_cores)
        return R1_FAIL(err, R1_USAGE,
                       "%s: compute.threads: %d is more than %d for each of the %d cores of %s",
                       cfg->path, p->threads, THREADS_PER_CORE, w->node_cores, w->host);
    for (int i = 0; i < cfg->n_stages; i++)
        if (cfg->stages[i].limits.kv_memory > have)
            return R1_FAIL(err, R1_USAGE,
                           "%s: limits.kv_memory: %.0f MiB, but %s has %.0f MiB free", cfg->path,
                           cfg->stages[i].limits.kv_memory / MIB, w->host, have / MIB);
    if (m->source)
        st = r1_policy_weights(m, 0, 0, NULL, err);
done:
    return st;
}

static r1_status read_units(const r1_policy *m, uint32_t u0, uint32_t u1, r1_err *err) {
    const r1_layout *l = &m->model.layout;
    size_t first = r1_layout_first(l, u0);
    float *w = NULL;
    r1_status st;

    R1_TRY(R1_NEW(w, r1_layout_first(l, u1) - first, err));
    R1_TRY(r1_policy_weights(m, u0, u1, w, err));
    for (uint32_t u = u0; u < u1; u++) {
        const float *x = w + (l->units[u].offset - first);
        for (size_t i = 0; i < (size_t)l->units[u].n; i++)
            if (!isfinite(x[i])) {
                st = R1_FAIL(err, R1_DATA, "tensor '%s' holds %g, which no model can compute with",
                             l->tensors[l->units[u].tensor].name, (double)x[i]);
                goto done;
            }
    }
done:
    r1_free(w);
    return st;
}

static r1_status read_weights(const r1_world *w, const r1_policy *m, r1_err *err) {
    const r1_layout *l = &m->model.layout;
    uint32_t *cut = NULL;
    r1_status st;

    if (!m->source && !m->checkpoint)
        return R1_OK;
    R1_TRY(R1_NEW(cut, (size_t)w->all.size + 1, err));
    r1_layout_cut(l, w->all.size, cut);
    uint32_t end = cut[w->all.rank + 1];
    for (uint32_t u = cut[w->all.rank]; u < end; u += UNITS_AT_ONCE)
        R1_TRY(read_units(m, u, u + UNITS_AT_ONCE < end ? u + UNITS_AT_ONCE : end, err));
done:
    r1_free(cut);
    return r1_agree(&w->all, st, err);
}

/* ---- the run directory ---- */

static void up_one(char *path) {
    const char *up = dirname(path);

    memmove(path, up, strlen(up) + 1);
}

/* The nearest directory above a path that does not exist must let us make the rest. */
static r1_status check_parent(const char *path, r1_err *err) {
    char up[R1_PATH_MAX];
    r1_status st = r1_path_format(up, sizeof up, err, "%s", path);

    if (st != R1_OK)
        return st;
    do
        up_one(up);
    while (!r1_path_exists(up));
    if (!r1_path_is_dir(up))
        return R1_FAIL(err, R1_IO, "'%s' cannot be made: '%s' is not a directory", path, up);
    if (access(up, W_OK | X_OK) != 0)
        return R1_FAIL(err, R1_IO, "'%s' cannot be made in '%s': %s", path, up, strerror(errno));
    return R1_OK;
}

static r1_status check_output(const char *path, int may_exist, r1_err *err) {
    int others = 0;

    if (!r1_path_exists(path))
        return check_parent(path, err);
    DIR *dir = opendir(path);
    if (!dir)
        return R1_FAIL(err, R1_IO, "open '%s': %s", path, strerror(errno));
    for (const struct dirent *e; (e = readdir(dir));)
        others += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
                  strcmp(e->d_name, "lock") != 0;
    closedir(dir);
    if (access(path, W_OK | X_OK) != 0)
        return R1_FAIL(err, R1_IO, "'%s' cannot be written: %s", path, strerror(errno));
    if (others && !may_exist)
        return R1_FAIL(err, R1_USAGE,
                       "'%s' holds an earlier run; use --resume auto to continue it, another "
                       "--output, or remove it",
                       path);
    return R1_OK;
}

/* auto, no, or a checkpoint directory; a stage's name. */
static r1_status check_resume(const r1_config *cfg, const r1_train_options *o, r1_err *err) {
    int named = o->from == NULL;

    for (int i = 0; i < cfg->n_stages; i++)
        named |= o->from && strcmp(cfg->stages[i].name, o->from) == 0;
    if (!named)
        return R1_FAIL(err, R1_USAGE, "--from %s: the configuration has no such stage", o->from);
    if (strcmp(o->resume, "auto") == 0 || strcmp(o->resume, "no") == 0 || r1_ckpt_is(o->resume))
        return R1_OK;
    if (!r1_path_exists(o->resume))
        return R1_FAIL(err, R1_IO,
                       "--resume %s: this does not exist (auto, no or a checkpoint directory)",
                       o->resume);
    return R1_FAIL(err, R1_USAGE,
                   "--resume %s: no checkpoint (auto, no or a directory like "
                   "runs/NAME/checkpoints/step_000100)",
                   o->resume);
}

/* ---- the text ---- */

typedef struct line {
    char text[1024];
    size_t n;
} line;

static void put(line *l, const char *fmt, ...) R1_PRINTF(2, 3);
static void put(line *l, const char *fmt, ...) {
    va_list ap;

    va_start(ap, fmt);
    int n = vsnprintf(l->text + l->n, sizeof l->text - l->n, fmt, ap);
    va_end(ap);
    l->n = n < 0 || l->n + (size_t)n >= sizeof l->text ? sizeof l->text - 1 : l->n + (size_t)n;
}

static const char *plural(uint64_t n) {
    return n == 1 ? "" : "s";
}

static void put_facts(line *l, const r1_data_spec *s, const r1_data_facts *f, int sft) {
    static const char *const sides[] = {" to train on", " held out", " of them used"};
    static const char *const tasks[] = {"",          "arithmetic", "multiplication",
                                        "countdown", "sort",       "parentheses"};
    unsigned long long rows = f->rows, problems = f->problems;

    if (s->task != R1_TASK_NONE)
        put(l, "task %s", tasks[s->task]);
    else
        put(l, "%s, %llu row%s", s->file, rows, plural(rows));
    if (f->problems)
        put(l, ", %llu%s", problems, sides[s->split]);
    else if (s->held_out_mod > 0)
        put(l, " without 1 in %d that is held out", s->held_out_mod);
    put(l, ", longest prompt %d", f->longest_prompt);
    if (sft)
        put(l, ", example %d", f->longest);
    put(l, " tokens");
    if (!f->problems)
        put(l, " of the first %d", R1_LINT_PROBLEMS);
    if (f->injected)
        put(l, ", %d with added tokens in the question", f->injected);
}

static void print_data(const r1_stage_config *s, const r1_stage_facts *f) {
    line l = {.n = 0};

    if (f->train.used) {
        put_facts(&l, &s->data.train, &f->train, s->kind == R1_STAGE_SFT);
        r1_info("  data    %s", l.text);
    }
    l.n = 0;
    if (f->eval.used) {
        put_facts(&l, &s->data.eval, &f->eval, 0);
        r1_info("  eval    %s", l.text);
    }
}

static void print_rewards(const r1_stage_config *s) {
    line l = {.n = 0};

    for (int i = 0; i < s->n_rewards; i++) {
        const r1_reward_spec *r = &s->rewards[i];
        char label[R1_REWARD_LABEL];
        put(&l, "%s%s x %g", i ? ", " : "", r1_reward_label(r, label), r->weight);
        if (strcmp(r->name, "number") == 0)
            put(&l, " (%s)", r->from);
        if (r->require_format)
            put(&l, " in the required format");
    }
    if (s->n_rewards)
        r1_info("  reward  %s", l.text);
}

static void print_learning(const r1_stage_config *s) {
    static const char *const schedules[] = {"constant", "linear", "cosine"};
    static const char *const advantages[] = {"group", "mean", "loo", "batch"};
    static const char *const estimators[] = {"k1", "k2", "k3"};
    const r1_optimizer_config *o = &s->optimizer;
    char lr[R1_NUMBER_TEXT];
    line l = {.n = 0};

    put(&l, "lr %s %s", r1_number_text(s->lr, lr), schedules[s->schedule]);
    if (s->warmup)
        put(&l, " after %d of warm-up", s->warmup);
    put(&l, ", AdamW %g %g, weight decay %g, norm clipped at %g", o->betas[0], o->betas[1],
        o->weight_decay, o->grad_clip);
    r1_info("  learns  %s", l.text);
    if (s->kind != R1_STAGE_GRPO)
        return;
    l.n = 0;
    put(&l, "temperature %g, up to %d tokens, advantage %s, %s clipped at -%g +%g", s->temperature,
        s->max_response_len, advantages[s->advantage],
        s->policy_loss == R1_LOSS_CISPO ? "cispo" : "ratio", s->clip_low, s->clip_high);
    if (s->kl.coef > 0)
        put(&l, ", KL %g x %s in the %s", s->kl.coef, estimators[s->kl.estimator],
            s->kl.in == R1_KL_IN_LOSS ? "loss" : "reward");
    if (s->kl.coef > 0 && s->kl.ref_sync_every > 0)
        put(&l, " to a reference that is replaced every %d updates", s->kl.ref_sync_every);
    r1_info("  grpo    %s", l.text);
}

static void print_evaluation(const r1_config *cfg) {
    const r1_eval_config *e = &cfg->eval;
    line l = {.n = 0};

    if (!e->at_stage_end && e->every <= 0) {
        r1_info("evaluate  only in eval stages");
        return;
    }
    put(&l, "%s", e->at_stage_end ? "at each stage's end" : "");
    if (e->every > 0)
        put(&l, "%severy %d steps", l.n ? ", " : "", e->every);
    put(&l, ": %d sample%s a problem at temperature %g%s", e->n_per_prompt,
        plural((uint64_t)e->n_per_prompt), e->temperature, e->greedy ? ", and greedy" : "");
    r1_info("evaluate  %s", l.text);
}

/* Free bytes of the file system that a path lies on or will lie on. */
static double disk_free(const char *path) {
    char up[R1_PATH_MAX];
    struct statvfs fs;

    snprintf(up, sizeof up, "%s", path);
    while (!r1_path_exists(up))
        up_one(up);
    return statvfs(up, &fs) == 0 ? (double)fs.f_bavail * (double)fs.f_frsize : -1;
}

static void print_output(const r1_config *cfg, const r1_policy *m, const char *path) {
    double each = (double)m->model.layout.n_params * CHECKPOINT_COPIES * sizeof(float);
    int kept = cfg->checkpoint.keep_last + cfg->n_stages + (cfg->checkpoint.best != NULL);
    double have = disk_free(path);
    line l = {.n = 0};
    long long steps = 0;

    for (int i = 0; i < cfg->n_stages; i++) {
        r1_stage_plan p;
        r1_config_plan(&cfg->stages[i], &p);
        steps += p.steps;
    }
    put(&l, "%.1f MiB each, at each stage's end", each / MIB);
    if (cfg->checkpoint.every > 0)
        put(&l, " and every %d steps", cfg->checkpoint.every);
    put(&l, ", at most %d%s kept, %.1f MiB", kept,
        cfg->checkpoint.keep_every > 0 ? " (and every n-th)" : "", each * kept / MIB);
    if (have >= 0)
        put(&l, "; the disk has %.0f MiB free", have / MIB);
    r1_info("steps     %lld in all", steps);
    r1_info("saves     %s", l.text);
    r1_info("output    %s%s", path, r1_path_exists(path) ? "" : " (new)");
    if (have >= 0 && have < 2 * each)
        r1_warn("the disk under '%s' has %.0f MiB free, two checkpoints need %.0f", path,
                have / MIB, 2 * each / MIB);
}

static void print_stages(const r1_config *cfg, const r1_stage_facts *facts) {
    for (int i = 0; i < cfg->n_stages; i++) {
        const r1_stage_config *s = &cfg->stages[i];
        char text[256];
        r1_info("stage %d   %s (%s): %s", i + 1, s->name, r1_stage_kind_name(s->kind),
                r1_config_plan_text(s, text, sizeof text));
        print_data(s, &facts[i]);
        print_rewards(s);
        if (s->kind != R1_STAGE_EVAL)
            print_learning(s);
    }
}

r1_status r1_preview_show(const r1_config *cfg, const r1_policy *m, const r1_stage_facts *facts,
                          const r1_train_options *o, r1_err *err) {
    char path[R1_PATH_MAX];
    r1_status st;

    R1_TRY(r1_output_path(cfg, o->output, path, sizeof path, err));
    print_stages(cfg, facts);
    r1_info("template  %.200s%s%.200s", m->template_kind, m->system ? ", system text: " : "",
            m->system ? m->system : "");
    print_evaluation(cfg);
    print_output(cfg, m, path);
    R1_TRY(check_resume(cfg, o, err));
    st = check_output(path, strcmp(o->resume, "no") != 0 || o->from, err);
done:
    return st;
}

r1_status r1_preview_rehearse(const r1_config *cfg, const r1_world *w, const r1_policy *m,
                              r1_err *err) {
    char *yaml = NULL;
    r1_status st;

    R1_TRY(read_weights(w, m, err));
    if (w->all.rank != 0)
        return R1_OK;
    R1_TRY(r1_config_dump(cfg, 0, &yaml, err));
    if (fputs(yaml, stdout) == EOF || fflush(stdout) != 0)
        st = R1_FAIL(err, R1_IO, "writing to stdout: %s", strerror(errno));
    r1_free(yaml);
    r1_info("dry run: nothing was written");
done:
    return st;
}
