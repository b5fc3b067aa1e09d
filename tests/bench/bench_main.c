/* r1-bench: how fast this machine does what a run consists of. */
#include "tests/bench/measure.h"

#include "common/base/cli.h"
#include "common/base/log.h"

#include <string.h>

static const struct {
    const char *name;
    r1_status (*run)(const bench_options *o, r1_err *err);
} benches[] = {{"decode", bench_decode}, {"prefill", bench_prefill},
               {"train", bench_train},   {"weights", bench_weights},
               {"wire", bench_wire},     {"checkpoint", bench_checkpoint}};

static r1_status check(const bench_options *o, r1_err *err) {
    const int at_least_1[] = {o->batch,     o->context, o->new_tokens,
                              o->sequences, o->length,  o->reps};

    for (size_t i = 0; i < sizeof at_least_1 / sizeof *at_least_1; i++)
        if (at_least_1[i] < 1)
            return R1_FAIL(err, R1_USAGE, "numbers are at least 1");
    if (o->reps > 64)
        return R1_FAIL(err, R1_USAGE, "--reps is at most 64");
    if (strcmp(o->dtype, "bf16") != 0 && strcmp(o->dtype, "fp32") != 0)
        return R1_FAIL(err, R1_USAGE, "--dtype %s: fp32 or bf16", o->dtype);
    return R1_OK;
}

int main(int argc, char **argv) {
    bench_options o = {.shape = "135m",
                       .dtype = "bf16",
                       .dir = ".",
                       .batch = 64,
                       .context = 64,
                       .new_tokens = 128,
                       .sequences = 4,
                       .length = 256,
                       .reps = 5};
    const r1_cli_option table[] = {
        {"model", R1_CLI_STRING, &o.model, "M", "weights of this model instead of random ones"},
        {"shape", R1_CLI_STRING, &o.shape, "S", "135m or tiny, random weights (default 135m)"},
        {"dtype", R1_CLI_STRING, &o.dtype, "fp32|bf16", "of the computation (default bf16)"},
        {"threads", R1_CLI_INT, &o.threads, "N", "default: all cores"},
        {"batch", R1_CLI_INT, &o.batch, "N", "sequences at once (default 64)"},
        {"context", R1_CLI_INT, &o.context, "N", "tokens of a prompt (default 64)"},
        {"new-tokens", R1_CLI_INT, &o.new_tokens, "N", "tokens behind it (default 128)"},
        {"sequences", R1_CLI_INT, &o.sequences, "N", "train: sequences of a step (default 4)"},
        {"length", R1_CLI_INT, &o.length, "N", "train: tokens of each (default 256)"},
        {"recompute", R1_CLI_FLAG, &o.recompute, NULL, "train: keep only each layer's input"},
        {"dir", R1_CLI_STRING, &o.dir, "DIR",
         "checkpoint: an existing directory to write below (default .)"},
        {"reps", R1_CLI_INT, &o.reps, "N", "repetitions; medians are printed (default 5)"},
        {0}};
    const r1_cli cli = {
        .program = "r1-bench",
        .usage = "decode|prefill|train|weights|wire|checkpoint",
        .about = "Measure one part of a run.  One JSON line a measurement, with the peaks of this\n"
                 "machine measured beside it.  Nothing else should run meanwhile.",
        .options = table,
        .min_positional = 1,
        .max_positional = 1};
    r1_cli_result result;
    r1_err err = {0};
    int n;
    r1_status st = r1_cli_parse(&cli, argc, argv, 1, &result, &n, &err);

    r1_log_init(-1, R1_LOG_INFO);
    if (st == R1_OK && result == R1_CLI_RUN && (st = check(&o, &err)) == R1_OK) {
        size_t i = 0, count = sizeof benches / sizeof *benches;
        while (i < count && strcmp(benches[i].name, argv[1]) != 0)
            i++;
        st = i < count ? benches[i].run(&o, &err)
                       : R1_FAIL(&err, R1_USAGE, "'%s' is no measurement; see --help", argv[1]);
    }
    if (st != R1_OK)
        r1_error("%s", err.msg);
    return r1_exit_code(st);
}
