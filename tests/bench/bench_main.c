/* r1-bench: how fast this machine does what a run consists of. */
#include "tests/bench/measure.h"

#include "common/base/cli.h"
#include "common/base/cpu.h"
#include "common/base/log.h"

#include <string.h>

static const struct {
    const char *name;
    r1_status (*run)(const bench_options *o, r1_err *err);
} benches[] = {{"decode", bench_decode}, {"prefill", bench_prefill},
               {"train", bench_train},   {"weights", bench_weights},
               {"wire", bench_wire},     {"checkpoint", bench_checkpoint},
               {"grade", bench_grade}};

static r1_status parse(int argc, char **argv, bench_options *o, r1_cli_result *ret, r1_err *err) {
    const r1_cli_option table[] = {
        {"model", R1_CLI_STRING, &o->model, "M", "weights of this model instead of random ones"},
        {"shape", R1_CLI_CHOICE, &o->shape, "135m|tiny", "of random weights (default 135m)"},
        {"dtype", R1_CLI_CHOICE, &o->dtype, "fp32|bf16", "of the computation (default bf16)"},
        {"threads", R1_CLI_INT, &o->threads, "N", "default: all cores", 1, r1_cpu_threads_max()},
        {"batch", R1_CLI_INT, &o->batch, "N", "sequences at once (default 64)", 1, 4096},
        {"context", R1_CLI_INT, &o->context, "N", "tokens of a prompt (default 64)", 1, 1 << 17},
        {"new-tokens", R1_CLI_INT, &o->new_tokens, "N", "tokens behind it (default 128)", 1,
         1 << 17},
        {"sequences", R1_CLI_INT, &o->sequences, "N", "train: sequences of a step (default 4)", 1,
         4096},
        {"length", R1_CLI_INT, &o->length, "N", "train: tokens of each (default 256)", 1, 1 << 17},
        {"recompute", R1_CLI_FLAG, &o->recompute, NULL, "train: keep only each layer's input"},
        {"dir", R1_CLI_STRING, &o->dir, "DIR",
         "checkpoint: an existing directory to write below (default .)"},
        {"reps", R1_CLI_INT, &o->reps, "N", "repetitions; medians are printed (default 5)", 1, 64},
        {0}};
    const r1_cli cli = {
        .program = "r1-bench",
        .usage = "decode|prefill|train|weights|wire|checkpoint|grade",
        .about = "Measure one part of a run.  One JSON line a measurement, with the peaks of this\n"
                 "machine measured beside it.  Nothing else should run meanwhile;\n"
                 "under mpirun the first rank alone measures.",
        .epilog =
            "Rates\n"
            "  gflops       of the matrices' multiply-adds; peak_gflops: what the cores can do\n"
            "  weights_gbs  weights that pass (train: gradient and moments too); read_gbs: what "
            "the\n"
            "               memory can do, with as many threads\n"
            "  checkpoint   write_gbs with fsync, read_gbs_checkpoint from the disk and not from\n"
            "               the page cache; disk_write_gbs, disk_read_gbs: a plain file of the "
            "size\n"
            "  grade        mathematical answers in made-up responses, in processor time; the best "
            "repetition;\n"
            "               with R1_SHARED solutions of GSM8K and the slowest hard case too\n\n"
            "Examples\n"
            "  r1-bench decode --batch 64 --context 64 --new-tokens 128\n"
            "  r1-bench train --dtype fp32 --sequences 4 --length 256\n"
            "  r1-bench checkpoint --dir /scratch\n\n"
            "Exit codes: 0, 64 wrong usage, 65 bad data (a model), 74 input/output.",
        .options = table,
        .min_positional = 1,
        .max_positional = 1};
    int n;

    *o = (bench_options){.shape = "135m",
                         .dtype = "bf16",
                         .dir = ".",
                         .batch = 64,
                         .context = 64,
                         .new_tokens = 128,
                         .sequences = 4,
                         .length = 256,
                         .reps = 5};
    return r1_cli_parse(&cli, argc, argv, 1, ret, &n, err);
}

static r1_status run(const char *what, const bench_options *o, r1_err *err) {
    for (size_t i = 0; i < sizeof benches / sizeof *benches; i++)
        if (strcmp(benches[i].name, what) == 0)
            return benches[i].run(o, err);
    return R1_FAIL(err, R1_USAGE, "'%s' is no measurement; see --help", what);
}

int main(int argc, char **argv) {
    bench_options o;
    r1_cli_result result = R1_CLI_RUN;
    r1_err err = {0};

    if (!r1_cli_is_first())
        return 0;
    r1_log_init(-1, R1_LOG_INFO);
    r1_status st = parse(argc, argv, &o, &result, &err);
    if (st == R1_OK && result == R1_CLI_RUN)
        st = run(argv[1], &o, &err);
    return r1_cli_end(st, &err, 1);
}
