/* r1-eval: how many problems of a file a model solves. */
#include "actor/evaluate.h"
#include "actor/judging.h"
#include "common/base/cli.h"
#include "common/base/cpu.h"
#include "common/base/log.h"
#include "common/comm/collect.h"

#include <limits.h>
#include <string.h>

static r1_status check(const r1_evaluate_options *o, r1_err *err) {
    if (!o->model || !o->data || !o->reward)
        return R1_FAIL(err, R1_USAGE, "--model, --data and --reward are needed");
    if (o->min_new > o->max_new)
        return R1_FAIL(err, R1_USAGE, "--min-new-tokens %d is above --max-new-tokens %d",
                       o->min_new, o->max_new);
    return strcmp(o->chat_template, "auto") == 0 ? R1_OK : r1_template_check(o->chat_template, err);
}

static r1_status parse(int argc, char **argv, int print, r1_evaluate_options *o, r1_cli_result *ret,
                       r1_err *err) {
    const r1_cli_option table[] = {
        {"model", R1_CLI_STRING, &o->model, "M",
         "Hugging Face directory, .gguf file or checkpoint (required)"},
        {"data", R1_CLI_STRING, &o->data, "FILE.jsonl",
         "problems, one object a line (- is stdin; required)"},
        {"reward", R1_CLI_STRING, &o->reward, "R",
         "number, exact, choice, countdown, format, language, ... (required)"},
        {"from", R1_CLI_STRING, &o->from, "WHERE",
         "number: auto, last, boxed, answer_tag or hash (default auto)"},
        {"prompt-key", R1_CLI_STRING, &o->prompt_key, "KEY", "of the question (default question)"},
        {"answer-key", R1_CLI_STRING, &o->answer_key, "KEY", "of the answer (default answer)"},
        {"tokenizer", R1_CLI_STRING, &o->tokenizer, "T", "another tokenizer than the model's"},
        {"template", R1_CLI_STRING, &o->chat_template, "KIND",
         "plain, r1_zero, chatml, llama3, deepseek or a text with {prompt} (default: the model's)"},
        {"system", R1_CLI_STRING, &o->system, "TEXT", "system message"},
        {"n", R1_CLI_INT, &o->n, "N", "samples a problem (default 1)", 1, R1_SAMPLES_MAX},
        {"limit", R1_CLI_INT, &o->limit, "N", "the first N problems only", 1, INT_MAX},
        {"max-new-tokens", R1_CLI_INT, &o->max_new, "N", "tokens at most (default 512)", 1,
         R1_POSITIONS_MAX},
        {"temperature", R1_CLI_DOUBLE, &o->temperature, "T", "0 is greedy (default 1.0)", 0, 100},
        {"min-new-tokens", R1_CLI_INT, &o->min_new, "N", "no stop token before (default 0)", 0,
         R1_POSITIONS_MAX},
        {"stop", R1_CLI_STRING, &o->stop, "TEXT", "end when this text appears"},
        {"require-format", R1_CLI_FLAG, &o->require_format, NULL,
         "right answers count only in R1's format, as the key of the same name in a recipe"},
        {"top-p", R1_CLI_DOUBLE, &o->top_p, "P", "nucleus sampling (default 1.0: off)", 0, 1,
         .above = 1},
        {"top-k", R1_CLI_INT, &o->top_k, "K", "most probable tokens only (default 0: off)", 0,
         INT_MAX},
        {"seed", R1_CLI_UINT64, &o->seed, "S", "of the random numbers (default 1)"},
        {"dtype", R1_CLI_CHOICE, &o->dtype, "fp32|bf16", "of the computation (default bf16)"},
        {"batch", R1_CLI_INT, &o->batch, "N", "samples that run at once (default 64)", 1,
         R1_BATCH_MAX},
        {"threads", R1_CLI_INT, &o->threads, "N", "a rank (default: cores / ranks)", 1,
         r1_cpu_threads_max()},
        {"rollouts", R1_CLI_STRING, &o->rollouts, "FILE", "write every completion and its verdict"},
        {0}};
    const r1_cli cli = {
        .program = "r1-eval",
        .usage = "--model M --data FILE.jsonl --reward R",
        .about = "Let a model answer the problems of a file and judge its answers by a rule.  A\n"
                 "table goes to stderr, one JSON line to stdout: mean accuracy over problems with\n"
                 "its standard error, lengths, verdicts.",
        .epilog = "Example:\n"
                  "  mpirun -np 4 r1-eval --model DIR --data gsm8k.jsonl --reward number --n 4\n"
                  "Exit codes: 0 done, 64 usage, 65 bad data, 74 input or output.",
        .options = table};
    int n;
    r1_status st;

    *o = (r1_evaluate_options){.dtype = "bf16",
                               .chat_template = "auto",
                               .prompt_key = "question",
                               .answer_key = "answer",
                               .n = 1,
                               .max_new = 512,
                               .temperature = 1.0,
                               .top_p = 1.0,
                               .batch = 64,
                               .seed = 1};
    R1_TRY(r1_cli_parse(&cli, argc, argv, print, ret, &n, err));
    if (*ret == R1_CLI_RUN)
        st = check(o, err);
done:
    return st;
}

int main(int argc, char **argv) {
    r1_cli_result result = R1_CLI_RUN;
    r1_evaluate_options o;
    r1_judging judging;
    r1_world world;
    r1_err err = {0}, early = {0};

    int runs = parse(argc, argv, 0, &o, &result, &early) == R1_OK && result == R1_CLI_RUN;
    r1_judging_start(&judging, runs && strcmp(o.reward, "code") == 0);
    r1_status st = r1_world_open(&world, &argc, &argv, &err);
    int first = world.all.rank == 0;

    r1_log_init(world.all.rank, R1_LOG_INFO);
    if (st == R1_OK)
        st = r1_err_copy(&err, &early);
    if (st == R1_OK && !runs) /* --help: now it is known who speaks */
        st = parse(argc, argv, first, &o, &result, &err);
    if (st == R1_OK && runs)
        st = r1_agree(&world.all, r1_judging_open(&judging, 0, &err), &err);
    o.judge = judging.judge;
    if (st == R1_OK && runs)
        st = r1_evaluate_model(&world, &o, &err);
    r1_judging_close(&judging);
    r1_world_close(&world);
    return r1_cli_end(st, &err, first);
}
