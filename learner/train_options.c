/* The command line of r1-train; see train_options.h. */
#include "learner/train_options.h"

#include "common/base/mem.h"
#include "common/base/stop.h"

#include <stdio.h>
#include <string.h>

static r1_status print_help_config(const char *key, r1_err *err) {
    char *text = NULL;
    r1_status st = r1_config_help(key, &text, err);

    if (st == R1_OK)
        fputs(text, stdout);
    r1_free(text);
    return st;
}

r1_status r1_train_options_parse(r1_train_options *o, int argc, char **argv, int print,
                                 r1_cli_result *ret, r1_err *err) {
    int help_config = 0, n = 0;
    const r1_cli_option table[] = {
        {"dry-run", R1_CLI_FLAG, &o->dry_run, NULL,
         "resolve, plan and check everything, then stop"},
        {"resume", R1_CLI_STRING, &o->resume, "auto|PATH|no",
         "continue from a checkpoint (default no: the run directory must be new)"},
        {"from", R1_CLI_STRING, &o->from, "STAGE",
         "begin at this stage, with the last checkpoint of the one before"},
        {"output", R1_CLI_STRING, &o->output, "DIR", "run directory (default runs/NAME)"},
        {"max-hours", R1_CLI_DOUBLE, &o->max_hours, "H",
         "stop in time to have ended after H hours, as if on SIGUSR1", 0, 100000, .above = 1},
        {"help-config", R1_CLI_FLAG, &help_config, NULL,
         "print every configuration key (or those named: --help-config kl.coef)"},
        {0}};
    const r1_cli cli = {
        .program = "r1-train",
        .usage = "CONFIG.yaml [key.path=value]...",
        .about =
            "Train a reasoning model as a recipe says: supervised fine-tuning and GRPO by rule\n"
            "rewards, over all ranks of mpirun (or alone).  Results go to stdout, status to\n"
            "stderr, everything else to the run directory.",
        .epilog =
            "Examples:\n"
            "  mpirun -np 4 r1-train configs/quickstart.yaml\n"
            "  r1-train configs/quickstart.yaml rl.total_updates=10 --output runs/short\n"
            "Exit codes: 0 done, 64 usage or configuration, 65 bad data, 70 bug, 74 input or\n"
            "output, 75 a rank was lost (try again), 85 stopped on request (run it again\n"
            "with --resume auto).\n"
            "Signals: USR1, TERM and INT stop at the next step with a checkpoint and exit code 85\n"
            "(under mpirun only USR1 leaves enough time), a second TERM or INT at once; USR2 "
            "notes\n"
            "in logs/ what every rank is doing.\n"
            "R1_TRACE=N in the environment prints which files the N-th dealt prompt passes.",
        .options = table,
        .max_positional = 1024};
    r1_status st;

    o->resume = "no";
    R1_TRY(r1_cli_parse(&cli, argc, argv, print, ret, &n, err));
    if (*ret != R1_CLI_RUN)
        return R1_OK;
    if (help_config) {
        *ret = R1_CLI_EXIT_OK;
        return print ? print_help_config(n > 0 ? argv[1] : NULL, err) : R1_OK;
    }
    if (n < 1)
        return R1_FAIL(err, R1_USAGE, "no configuration; see r1-train --help");
    if (o->max_hours > 0)
        r1_stop_after(o->max_hours);
    o->config = argv[1];
    o->overrides = argv + 2;
    o->n_overrides = n - 1;
done:
    return st;
}

void r1_train_options_read(r1_train_options *o, int argc, char **argv, r1_config **ret_cfg,
                           r1_cli_result *ret, r1_err *err) {
    r1_status st;

    err->status = R1_OK;
    R1_TRY(R1_NEW(o->argv, (size_t)argc + 1, err)); /* parsing moves words: argv stays whole */
    memcpy(o->argv, argv, (size_t)argc * sizeof *argv);
    R1_TRY(r1_train_options_parse(o, argc, o->argv, 0, ret, err));
    if (*ret == R1_CLI_RUN)
        R1_TRY(r1_config_load(ret_cfg, o->config, o->n_overrides, o->overrides, err));
done:
    return;
}

void r1_train_options_done(r1_train_options *o) {
    r1_free(o->argv);
}
