/* The run directory of a training run; see output.h. */
#include "learner/output.h"

#include "common/base/cli.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "learner/checkpointing.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

r1_status r1_output_path(const r1_config *cfg, const char *output, char *buf, size_t size,
                         r1_err *err) {
    return output ? r1_path_format(buf, size, err, "%s", output)
                  : r1_path_format(buf, size, err, "runs/%s", cfg->name);
}

r1_status r1_output_take(r1_run *run, const char *output, int resume, r1_err *err) {
    char path[R1_PATH_MAX];
    r1_status st;

    run->t0_s = r1_now_s();
    run->metrics.fd = run->tensorboard.fd = -1;
    r1_summary_init(&run->summary);
    R1_TRY(r1_output_path(run->cfg, output, path, sizeof path, err));
    st = r1_rundir_open(&run->dir, path, resume, err);
done:
    return st;
}

/* What was found before comes from the earlier attempt's summary. */
static r1_status earlier_summary(r1_run *run, r1_err *err) {
    char path[R1_PATH_MAX];
    r1_status st;

    R1_TRY(r1_rundir_file(&run->dir, "summary.json", path, sizeof path, err));
    if (r1_path_exists(path))
        st = r1_summary_read(&run->summary, path, err);
done:
    return st;
}

/* Where a record of the run goes on.  One that is shorter than the checkpoint knew it has lost what
 * lies between: that is said, and what there is stays. */
static int64_t keep_of(const char *path, int64_t keep) {
    struct stat info;
    int64_t have = stat(path, &info) == 0 ? (int64_t)info.st_size : 0;

    if (keep <= have)
        return keep;
    r1_warn("'%s' has %lld bytes, but the checkpoint was written when it had %lld: records of "
            "earlier steps are missing",
            path, (long long)have, (long long)keep);
    return -1;
}

/* Checkpoints beyond where the run goes on make room before anything else is cut, so that a kill in
 * between leaves them with their records. */
static r1_status make_room(const r1_run *run, r1_err *err) {
    char dir[R1_PATH_MAX];
    r1_status st;

    R1_TRY(r1_checkpoint_dir(run, dir, sizeof dir, err));
    R1_TRY(r1_ckpt_sweep(dir, err));
    if (run->resumed_from >= 0)
        st = r1_ckpt_set_aside(dir, run->resumed_from, err);
done:
    return st;
}

static r1_status open_records(r1_run *run, r1_err *err) {
    char path[R1_PATH_MAX];
    r1_status st;

    R1_TRY(r1_rundir_file(&run->dir, "metrics.jsonl", path, sizeof path, err));
    R1_TRY(r1_metrics_open(&run->metrics, path, keep_of(path, run->metrics_keep), 0, err));
    if (run->cfg->log.tensorboard) {
        R1_TRY(
            r1_rundir_file(&run->dir, "tensorboard/" R1_TENSORBOARD_FILE, path, sizeof path, err));
        int64_t keep = keep_of(path, run->events_keep);
        R1_TRY(r1_rundir_file(&run->dir, "tensorboard", path, sizeof path, err));
        R1_TRY(r1_tensorboard_open(&run->tensorboard, path, keep, err));
    }
    st = r1_file_fsync(run->dir.path, err);
done:
    return st;
}

/* The resolved configuration; what it leaves to each attempt (ranks and threads) is a comment. */
static r1_status write_config(const r1_run *run, r1_err *err) {
    const r1_world *w = run->world;
    int actors = w->all.size - w->learners.size, threads = run->trainer->ops->threads;
    char *yaml = NULL;
    r1_buf text;
    r1_status st;

    r1_buf_init(&text, (size_t)16 << 20);
    R1_TRY(r1_config_dump(run->cfg, 0, &yaml, err));
    R1_TRY(r1_buf_addf(&text, err, "# r1-train %s, resolved; ", r1_version));
    if (actors)
        R1_TRY(r1_buf_addf(&text, err, "split: %d learner(s) and %d actor(s)", w->learners.size,
                           actors));
    else
        R1_TRY(r1_buf_addf(&text, err, "colocated: %d rank(s)", w->all.size));
    R1_TRY(r1_buf_addf(&text, err, ", %d thread(s) a rank, on %s\n%s", threads, w->host, yaml));
    st = r1_rundir_write_config(&run->dir, text.data, err);
done:
    r1_buf_done(&text);
    r1_free(yaml);
    return st;
}

r1_status r1_output_open(r1_run *run, r1_err *err) {
    r1_status st;

    R1_TRY(make_room(run, err));
    R1_TRY(write_config(run, err));
    R1_TRY(r1_rundir_clear_exit_status(&run->dir, err));
    if (run->resumed_from >= 0 && !run->elsewhere)
        R1_TRY(earlier_summary(run, err));
    r1_summary_cut(&run->summary, r1_run_stage(run)->name);
    *run->summary.weights_checksum = *run->summary.optimizer_checksum = '\0';
    run->summary.resumed_from = run->resumed_from;
    st = open_records(run, err);
done:
    return st;
}

static void print_written(const r1_run *run) {
    printf("written: %s/{summary.json, metrics.jsonl, rollouts/, checkpoints/, config.yaml}\n",
           run->dir.path);
    fflush(stdout);
}

static void print_results(const r1_run *run) {
    const r1_summary *s = &run->summary;

    for (int i = 0; i < s->n_stages; i++) {
        const r1_summary_stage *g = &s->stage[i];
        char accuracy[R1_ACCURACY_TEXT], greedy[48] = "", when[96] = "before training";
        if (!g->has_eval)
            continue;
        if (strcmp(g->name, "base") != 0)
            snprintf(when, sizeof when, "after %s (%s)", g->name, g->kind);
        if (!isnan(g->eval.greedy_accuracy))
            snprintf(greedy, sizeof greedy, "  greedy %5.1f %%", 100 * g->eval.greedy_accuracy);
        printf("%-24s held-out accuracy %14s%s  (%lld problems)\n", when,
               r1_accuracy_text(g->eval.accuracy, g->eval.stderr_, 1, accuracy), greedy,
               (long long)g->eval.n);
    }
    printf("weights %s, optimizer %s\n", s->weights_checksum, s->optimizer_checksum);
    print_written(run);
}

/* Line by line, so that the log has it too. */
static void print_table(const char *table) {
    for (size_t n; *table; table += n + (table[n] != '\0')) {
        n = strcspn(table, "\n");
        r1_info("%.*s", (int)n, table);
    }
}

/* Where the time went: on the screen, and in the summary. */
static void report_phases(r1_run *run, int exit_code, const double *seconds, const int *roles) {
    double wall_s = run->phases->t_last - run->phases->t_start;
    int ranks = run->world->all.size;
    char path[R1_PATH_MAX];
    r1_err err = {0};
    r1_buf table;

    r1_buf_init(&table, (size_t)1 << 20);
    if (r1_phase_table(seconds, roles, ranks, wall_s, &table, &err) == R1_OK)
        print_table(table.data);
    r1_buf_done(&table);
    r1_phase_gather(seconds, roles, ranks, wall_s, run->summary.phases);
    run->summary.has_phases = 1;
    run->summary.exit_status = exit_code;
    run->summary.wall_s = r1_now_s() - run->t0_s;
    if (r1_rundir_file(&run->dir, "summary.json", path, sizeof path, &err) != R1_OK ||
        r1_summary_write(&run->summary, path, &err) != R1_OK)
        r1_error("%s", err.msg);
}

/* Has this attempt made a step? */
static int has_run(const r1_run *run) {
    return run->at.step > (run->resumed_from > 0 ? run->resumed_from : 0);
}

/* A run that goes on has no exit status: one that stands there belongs to an earlier attempt, which
 * this one was not allowed to touch. */
static void write_exit_status(const r1_run *run, int exit_code) {
    char path[R1_PATH_MAX];
    r1_err err;

    if (r1_rundir_file(&run->dir, "exit_status", path, sizeof path, &err) != R1_OK ||
        (!r1_path_exists(path) && r1_rundir_write_exit_status(&run->dir, exit_code, &err) != R1_OK))
        r1_warn("no exit status: %s", err.msg);
}

void r1_output_close(r1_run *run, int exit_code, const double *seconds, const int *roles) {
    if (run->dir.fd_lock < 0)
        return;
    if (seconds && has_run(run))
        report_phases(run, exit_code, seconds, roles);
    if (exit_code == 0 || exit_code == r1_exit_code(R1_STOPPED))
        r1_sleep_us(100000); /* mpirun forwards stderr on its own: the results are to come last */
    if (exit_code == 0)
        print_results(run);
    else if (exit_code == r1_exit_code(R1_STOPPED))
        print_written(run);
    write_exit_status(run, exit_code);
    r1_free(run->inputs);
    run->inputs = NULL;
    r1_metrics_close(&run->metrics);
    r1_tensorboard_close(&run->tensorboard);
    r1_rundir_close(&run->dir);
}

r1_status r1_output_show(r1_run *run, r1_err *err) {
    r1_status st = earlier_summary(run, err);

    if (st == R1_OK)
        print_results(run);
    return st;
}

r1_status r1_output_logs(const r1_run *run, r1_err *err) {
    char dir[sizeof run->dir.path], path[R1_PATH_MAX];
    r1_status st;

    memcpy(dir, run->dir.path, sizeof dir);
    R1_TRY(r1_bcast(&run->world->all, dir, sizeof dir, 0, "run directory", err));
    R1_TRY(
        r1_path_format(path, sizeof path, err, "%s/logs/rank-%d.log", dir, run->world->all.rank));
    R1_TRY(r1_log_open_file(path, err));
    R1_TRY(r1_path_format(path, sizeof path, err, "%s/exit_status", dir));
    r1_world_exit_file(path);
done:
    return r1_agree(&run->world->all, st, err);
}

void r1_output_report(r1_run *run, int role, int exit_code) {
    const r1_comm *all = &run->world->all;
    double *seconds = r1_calloc((size_t)all->size * R1_PHASE_COUNT, sizeof *seconds);
    int *roles = r1_calloc((size_t)all->size, sizeof *roles);
    r1_err err;

    double wall_s = r1_phases_flush(run->phases);
    r1_debug("rank %d ends with exit code %d after %.1f s", all->rank, exit_code, wall_s);
    if (seconds && roles &&
        r1_allgather(all, run->phases->seconds, sizeof run->phases->seconds, seconds, "phases",
                     &err) == R1_OK &&
        r1_allgather(all, &role, sizeof role, roles, "roles", &err) == R1_OK && all->rank == 0)
        r1_output_close(run, exit_code, seconds, roles);
    r1_free(seconds);
    r1_free(roles);
}
