/* r1-generate: text or JSON lines in, continuations out. */
#include "actor/generate.h"
#include "common/base/cli.h"
#include "common/base/cpu.h"
#include "common/base/log.h"

#include <limits.h>
#include <string.h>

static r1_status check(const r1_generate_options *o, r1_err *err) {
    int own_template = strcmp(o->chat_template, "auto") != 0;

    if (!o->model || !o->prompt == !o->prompts)
        return R1_FAIL(err, R1_USAGE, "--model and one of --prompt and --prompts are needed");
    if (!o->chat && (own_template || o->system))
        return R1_FAIL(err, R1_USAGE, "--%s has no effect without --chat",
                       own_template ? "template" : "system");
    if (o->min_new > o->max_new)
        return R1_FAIL(err, R1_USAGE, "--min-new-tokens %d is above --max-new-tokens %d",
                       o->min_new, o->max_new);
    return own_template ? r1_template_check(o->chat_template, err) : R1_OK;
}

static r1_status parse(int argc, char **argv, int print, r1_generate_options *o, r1_cli_result *ret,
                       r1_err *err) {
    const r1_cli_option table[] = {
        {"model", R1_CLI_STRING, &o->model, "M",
         "Hugging Face directory, .gguf file or checkpoint (required)"},
        {"tokenizer", R1_CLI_STRING, &o->tokenizer, "T", "another tokenizer than the model's"},
        {"prompt", R1_CLI_STRING, &o->prompt, "TEXT", "continue this text, streaming to stdout"},
        {"prompts", R1_CLI_STRING, &o->prompts, "FILE.jsonl",
         "rows with text or ids (- is stdin) -> JSON lines in the same order"},
        {"chat", R1_CLI_FLAG, &o->chat, NULL, "put the text into the model's chat template"},
        {"template", R1_CLI_STRING, &o->chat_template, "KIND",
         "plain, r1_zero, chatml, llama3, deepseek or a text with {prompt} (default: the model's)"},
        {"system", R1_CLI_STRING, &o->system, "TEXT", "system message of --chat"},
        {"n", R1_CLI_INT, &o->n, "N", "samples a prompt (default 1)", 1, R1_SAMPLES_MAX},
        {"max-new-tokens", R1_CLI_INT, &o->max_new, "N", "tokens at most (default 256)", 1,
         R1_POSITIONS_MAX},
        {"min-new-tokens", R1_CLI_INT, &o->min_new, "N", "no stop token before (default 0)", 0,
         R1_POSITIONS_MAX},
        {"temperature", R1_CLI_DOUBLE, &o->temperature, "T", "0 is greedy (default 1.0)", 0, 100},
        {"top-p", R1_CLI_DOUBLE, &o->top_p, "P", "nucleus sampling (default 1.0: off)", 0, 1,
         .above = 1},
        {"top-k", R1_CLI_INT, &o->top_k, "K", "most probable tokens only (default 0: off)", 0,
         INT_MAX},
        {"seed", R1_CLI_UINT64, &o->seed, "S", "of the random numbers (default 1)"},
        {"stop", R1_CLI_STRING, &o->stop, "TEXT", "end when this text appears"},
        {"ignore-eos", R1_CLI_FLAG, &o->ignore_eos, NULL, "go on behind the end of the sequence"},
        {"dtype", R1_CLI_CHOICE, &o->dtype, "fp32|bf16", "of the computation (default bf16)"},
        {"logprobs", R1_CLI_FLAG, &o->logprobs, NULL, "log-probability of each new token"},
        {"prompt-logprobs", R1_CLI_FLAG, &o->prompt_logprobs, NULL,
         "log-probability of each token of the prompt but the first"},
        {"batch", R1_CLI_INT, &o->batch, "N", "samples that run at once (default 64)", 1,
         R1_BATCH_MAX},
        {"threads", R1_CLI_INT, &o->threads, "N", "a rank (default: cores / ranks)", 1,
         r1_cpu_threads_max()},
        {0}};
    const r1_cli cli = {
        .program = "r1-generate",
        .usage = "--model M (--prompt TEXT | --prompts FILE.jsonl)",
        .about =
            "Continue texts with a language model.  Results go to stdout, status to stderr.\n"
            "What is sampled depends on model, prompt, row, seed and options alone: not on\n"
            "ranks, threads or batch.  --prompt with --n above 1 or with log-probabilities gives\n"
            "JSON lines too.  They come as soon as those before them are done, under mpirun\n"
            "when all are.",
        .epilog = "Examples:\n"
                  "  r1-generate --model model.gguf --prompt '1 2 3 4 5' --temperature 0\n"
                  "  mpirun -np 4 r1-generate --model DIR --prompts in.jsonl --n 8 > out.jsonl\n"
                  "Exit codes: 0 done, 64 usage, 65 bad data, 74 input or output.",
        .options = table};
    int n;
    r1_status st;

    *o = (r1_generate_options){.dtype = "bf16",
                               .chat_template = "auto",
                               .n = 1,
                               .max_new = 256,
                               .temperature = 1.0,
                               .top_p = 1.0,
                               .batch = 64,
                               .seed = 1};
    R1_TRY(r1_cli_parse(&cli, argc, argv, print, ret, &n, err));
    if (*ret != R1_CLI_RUN)
        return R1_OK;
    return check(o, err);
done:
    return st;
}

int main(int argc, char **argv) {
    r1_generate j = {0};
    r1_world world;
    r1_cli_result result = R1_CLI_RUN;
    r1_err err = {0};
    r1_status st = r1_world_open(&world, &argc, &argv, &err);
    int first = world.all.rank == 0;

    j.world = &world;
    r1_log_init(world.all.rank, R1_LOG_INFO);
    if (st == R1_OK)
        st = parse(argc, argv, first, &j.o, &result, &err);
    if (st == R1_OK && result == R1_CLI_RUN)
        st = r1_generate_run(&j, &err);
    r1_world_close(&world);
    return r1_cli_end(st, &err, first);
}
