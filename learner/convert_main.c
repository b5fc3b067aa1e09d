/* r1-convert: a model in one form in, the same model in another out. */
#include "common/base/cli.h"
#include "common/base/log.h"
#include "common/model/export.h"
#include "common/store/checkpoint.h"
#include "learner/convert.h"

#include <limits.h>
#include <stdio.h>

static r1_status run(r1_convert_options *o, const char *verify, int n, char **argv, r1_err *err) {
    r1_status st;

    if (verify && n > 0)
        return R1_FAIL(err, R1_USAGE, "--verify takes no IN and OUT");
    if (verify) {
        R1_TRY(r1_ckpt_verify(verify, err));
        printf("%s: every byte is as it was written\n", verify);
        return R1_OK;
    }
    if (n != 2)
        return R1_FAIL(err, R1_USAGE, "IN and OUT are needed (see --help)");
    o->in = argv[1];
    o->out = argv[2];
    R1_TRY(r1_convert_run(o, err));
    printf("%s\n", o->out);
done:
    return st;
}

int main(int argc, char **argv) {
    r1_convert_options o = {.to = "auto", .shard_mb = (int)(R1_EXPORT_SHARD / 1000000)};
    const char *verify = NULL;
    const r1_cli_option table[] = {
        {"dtype", R1_CLI_STRING, &o.dtype, "F32|BF16|F16",
         "of the weights, also in lower case (default: the source's; F32 for GGUF and "
         "checkpoints)"},
        {"to", R1_CLI_CHOICE, &o.to, "hf|checkpoint|auto",
         "what OUT becomes (default auto: a checkpoint if its name begins with step_, else hf)"},
        {"max-shard-mb", R1_CLI_INT, &o.shard_mb, "N",
         "largest file of weights in 10^6 bytes (default 5000)", 1, INT_MAX},
        {"verify", R1_CLI_STRING, &verify, "CHECKPOINT",
         "only check a checkpoint's files, byte for byte"},
        {0}};
    const r1_cli cli = {
        .program = "r1-convert",
        .usage = "IN OUT [--dtype F32|BF16|F16]",
        .about = "Turns a model into a Hugging Face directory or a checkpoint.  IN is a Hugging "
                 "Face directory, a\n.gguf file or a checkpoint; OUT must not exist yet.  "
                 "Without --dtype nothing is lost: converting\nback gives the same bits.  OUT's "
                 "path goes to stdout.\nUnder mpirun the first rank does the work.",
        .epilog = "Examples\n"
                  "  r1-convert SmolLM2-135M-Instruct.Q4_1.gguf smollm2-hf\n"
                  "  r1-convert runs/gsm8k/checkpoints/step_000400 out --dtype BF16\n"
                  "  r1-convert smollm2-hf start/step_000000\n\n"
                  "Exit codes: 0, 64 wrong usage, 65 bad data (the message names file and tensor), "
                  "74 input/output.",
        .options = table,
        .min_positional = 0,
        .max_positional = 2};
    r1_cli_result result = R1_CLI_RUN;
    r1_err err = {0};
    int n = 0;

    if (!r1_cli_is_first())
        return 0;
    r1_log_init(-1, R1_LOG_INFO);
    r1_status st = r1_cli_parse(&cli, argc, argv, 1, &result, &n, &err);
    if (st == R1_OK && result == R1_CLI_RUN)
        st = run(&o, verify, n, argv, &err);
    return r1_cli_end(st, &err, 1);
}
