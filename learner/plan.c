/* Sizes, memory and header of a run; see plan.h. */
#include "learner/plan.h"

#include "common/base/cli.h"
#include "common/base/cpu.h"
#include "common/base/log.h"
#include "learner/checkpointing.h"

#include <stdio.h>

#define MIB 1048576.0

r1_status r1_plan_roles(r1_plan *p, const r1_config *cfg, const r1_world *w, r1_err *err) {
    r1_status st;

    *p = (r1_plan){0};
    R1_TRY(r1_config_roles(cfg, w->all.size, w->n_nodes, &p->roles, err));
    for (int r = 0; r < w->all.size; r++)
        p->node_learners += r < p->roles.learners && w->node_of[r] == w->node_id;
    p->node_actors = p->roles.colocated ? p->node_learners : w->node.size - p->node_learners;
    p->threads = cfg->compute.threads;
    if (p->threads == R1_AUTO)
        p->threads = w->node_cores > w->node.size ? w->node_cores / w->node.size : 1;
    for (int i = 0; i < cfg->n_stages; i++)
        p->has_reference |= cfg->stages[i].kind == R1_STAGE_GRPO && cfg->stages[i].kl.coef > 0;
done:
    return st;
}

static int ceil_div(int a, int b) {
    return (a + b - 1) / b;
}

void r1_plan_sizes(r1_plan *p, const r1_config *cfg, const r1_world *w, const r1_model *model) {
    int v = cfg->topology.virtual_learners;

    p->max_tokens = p->max_members = 1;
    for (int i = 0; i < cfg->n_stages; i++) {
        const r1_stage_config *s = &cfg->stages[i];
        r1_stage_plan plan;
        int members = 1, tokens = s->limits.max_tokens_per_microbatch;
        r1_config_plan(s, &plan);
        if (s->kind == R1_STAGE_SFT)
            members = ceil_div(s->batch, v);
        if (s->kind == R1_STAGE_GRPO) {
            int groups = ceil_div(plan.groups_per_update, v);
            members = groups * s->group_size;
            int all = groups * s->limits.max_prompt_len + members * s->max_response_len;
            tokens = all < tokens ? all : tokens;
        }
        if (s->kind == R1_STAGE_EVAL)
            continue;
        p->max_members = members > p->max_members ? members : p->max_members;
        p->max_tokens = tokens > p->max_tokens ? tokens : p->max_tokens;
    }
    p->slot_bytes = model->layout.payload_bytes;
    r1_trainer_options o = r1_plan_trainer(p, cfg, w, model, NULL);
    p->snapshot_bytes = r1_checkpoint_bytes(cfg, &model->layout, p->roles.learners);
    p->learner_bytes = r1_trainer_bytes(&o, p->roles.learners, 0) + p->snapshot_bytes;
    p->window_bytes =
        p->slot_bytes * (size_t)r1_plan_slots(p) +
        (size_t)p->node_learners * r1_trainer_segment_floats(&model->layout) * sizeof(float);
}

r1_trainer_options r1_plan_trainer(const r1_plan *p, const r1_config *cfg, const r1_world *w,
                                   const r1_model *model, r1_window *window) {
    return (r1_trainer_options){.world = w,
                                .model = model,
                                .window = window,
                                .virtual_learners = cfg->topology.virtual_learners,
                                .max_tokens = p->max_tokens,
                                .max_members = p->max_members,
                                .recompute = cfg->compute.recompute == R1_RECOMPUTE_LAYER};
}

static double node_bytes(const r1_plan *p, size_t actor_bytes) {
    return (double)p->window_bytes + (double)p->node_learners * (double)p->learner_bytes +
           (double)p->node_actors * (double)actor_bytes;
}

/* Open MPI's shared-memory transport takes so much of /dev/shm for each rank, page by page. */
#define MPI_SEGMENT 4194304.0

static double shared_need(const r1_plan *p, const r1_world *w) {
    return (double)p->window_bytes + (w->node.size > 1 ? MPI_SEGMENT * w->node.size : 0);
}

/* Before the first touch: a full /dev/shm is SIGBUS. */
static r1_status check_shared(const r1_plan *p, const r1_config *cfg, const r1_world *w,
                              r1_err *err) {
    double need = shared_need(p, w), have = r1_shared_memory_left();

    if (need <= have)
        return R1_OK;
    return R1_FAIL(
        err, R1_USAGE,
        "%s: this run needs %.1f MiB in /dev/shm of %s, which has %.1f MiB free: %d weight "
        "slots of %.1f MiB, gradients of %d learner%s, %.0f MiB for each of %d ranks; "
        "enlarge /dev/shm (docker run --shm-size) or lower topology.learners%s",
        cfg->path, need / MIB, w->host, have / MIB, r1_plan_slots(p), (double)p->slot_bytes / MIB,
        p->node_learners, p->node_learners == 1 ? "" : "s", MPI_SEGMENT / MIB, w->node.size,
        p->has_reference ? "; kl.coef: 0 needs one slot less" : "");
}

/* A process goes on to map a second table of operations, the stack and the heap of the thread that
 * writes checkpoints, and what HDF5, MPI and rollouts need: 125 MiB measured with the smallest
 * models.  HDF5 crashes where it gets none. */
#define BESIDES (192 * MIB)

/* What a batch system or `ulimit -v` leaves to one process. */
static r1_status check_process(const r1_plan *p, const r1_config *cfg, const r1_world *w,
                               size_t actor_bytes, r1_err *err) {
    double need = (double)p->window_bytes + BESIDES, have = r1_address_space_left();

    if (p->roles.colocated || w->all.rank < p->roles.learners)
        need += (double)p->learner_bytes;
    if (p->roles.colocated || w->all.rank >= p->roles.learners)
        need += (double)actor_bytes;
    if (need <= have)
        return R1_OK;
    return R1_FAIL(
        err, R1_USAGE,
        "%s: rank %d on %s will map %.0f MiB, the limit on its address space (ulimit -v) "
        "leaves %.0f MiB; raise it, lower limits.max_tokens_per_microbatch (%d) or set "
        "limits.kv_memory",
        cfg->path, w->all.rank, w->host, need / MIB, have / MIB, p->max_tokens);
}

r1_status r1_plan_check(const r1_plan *p, const r1_config *cfg, const r1_world *w,
                        size_t actor_bytes, r1_err *err) {
    double need = node_bytes(p, actor_bytes), have = r1_memory_available();
    r1_status st = R1_OK;

    if (need > have)
        return R1_FAIL(err, R1_USAGE,
                       "%s: this run needs %.0f MiB on %s, which has %.0f MiB free; lower "
                       "limits.max_tokens_per_microbatch (%d), set compute.recompute: layer, or "
                       "use fewer ranks",
                       cfg->path, need / MIB, w->host, have / MIB, p->max_tokens);
    R1_TRY(check_shared(p, cfg, w, err));
    R1_TRY(check_process(p, cfg, w, actor_bytes, err));
    if (p->threads * w->node.size > w->node_cores && w->all.rank == 0)
        r1_warn("%d rank%s x %d thread%s are more than the %d cores of %s", w->node.size,
                w->node.size == 1 ? "" : "s", p->threads, p->threads == 1 ? "" : "s", w->node_cores,
                w->host);
done:
    return st;
}

static void print_model(const r1_policy *m, const r1_config *cfg) {
    const r1_arch *a = &m->arch;
    double n = (double)m->model.layout.n_params;
    char count[32];

    snprintf(count, sizeof count, n < 1e6 ? "%.0f" : "%.1f M", n < 1e6 ? n : n / 1e6);
    r1_info("model     %s, %s parameters: %d layers x %d, %d heads (%d kv), vocabulary %d%s",
            cfg->model.init == R1_INIT_RANDOM ? r1_arch_kind_name(a->kind) : cfg->model.path, count,
            a->layers, a->hidden_size, a->heads, a->kv_heads, a->vocab_size,
            a->tied ? ", tied head" : "");
}

static int nodes_with_learners(const r1_plan *p, const r1_world *w) {
    int most = 0; /* nodes count up in order of their first ranks, learners are the first ranks */

    for (int r = 0; r < p->roles.learners; r++)
        most = w->node_of[r] > most ? w->node_of[r] : most;
    return most + 1;
}

void r1_plan_print(const r1_plan *p, const r1_config *cfg, const r1_world *w, const r1_policy *m,
                   size_t actor_bytes) {
    r1_info("r1-train  %s, config %s, run '%s', seed %llu", r1_version, cfg->path, cfg->name,
            (unsigned long long)cfg->seed);
    if (w->n_nodes > 1)
        r1_info("nodes     %d, %d of them with learners; the first is described here", w->n_nodes,
                nodes_with_learners(p, w));
    r1_info("machine   %s: %s, %d core%s for %d rank%s", w->host, r1_cpu_name(), w->node_cores,
            w->node_cores == 1 ? "" : "s", w->node.size, w->node.size == 1 ? "" : "s");
    r1_info("compute   %s on %s, %d thread%s a rank", r1_dtype_name(m->ops->dtype), m->ops->path,
            p->threads, p->threads == 1 ? "" : "s");
    if (p->roles.colocated)
        r1_info("roles     colocated: %d rank%s, each actor and learner in turn", p->roles.learners,
                p->roles.learners == 1 ? "" : "s");
    else
        r1_info("roles     split: %d learner%s, %d actor%s", p->roles.learners,
                p->roles.learners == 1 ? "" : "s", p->roles.actors,
                p->roles.actors == 1 ? "" : "s");
    print_model(m, cfg);
    r1_info("memory    shared %.1f MiB (%d weight slots of %.1f, gradients), learner %.1f MiB "
            "(%.1f to save from), actor %.1f MiB; node %.1f of %.0f MiB free",
            (double)p->window_bytes / MIB, r1_plan_slots(p), (double)p->slot_bytes / MIB,
            (double)p->learner_bytes / MIB, (double)p->snapshot_bytes / MIB,
            (double)actor_bytes / MIB, node_bytes(p, actor_bytes) / MIB,
            r1_memory_available() / MIB);
    r1_info("sums      %d virtual learners, micro-batches of at most %d tokens",
            cfg->topology.virtual_learners, p->max_tokens);
}

r1_wire_limits r1_plan_limits(const r1_config *cfg, const r1_arch *arch) {
    r1_wire_limits l = {.max_samples = cfg->eval.n_per_prompt,
                        .vocab_size = arch->vocab_size,
                        .max_prompt_len = 1,
                        .max_tokens = 1};

    for (int i = 0; i < cfg->n_stages; i++) {
        const r1_stage_config *s = &cfg->stages[i];
        if (s->kind == R1_STAGE_GRPO && s->group_size > l.max_samples)
            l.max_samples = s->group_size;
        if (s->limits.max_prompt_len > l.max_prompt_len)
            l.max_prompt_len = s->limits.max_prompt_len;
        if (s->max_response_len > l.max_tokens)
            l.max_tokens = s->max_response_len;
    }
    return l;
}
