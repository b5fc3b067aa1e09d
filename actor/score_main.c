/* r1-score: what a reward model says about answers. */
#include "actor/score.h"
#include "common/base/cli.h"
#include "common/base/cpu.h"
#include "common/base/log.h"
#include "common/tokenizer/template.h"

#include <string.h>

int main(int argc, char **argv) {
    r1_score_options o = {
        .chat_template = "auto", .dtype = "bf16", .threads = 1, .batch = 16, .max_len = 4096};
    const r1_cli_option table[] = {
        {"model", R1_CLI_STRING, &o.model, "M",
         "Hugging Face directory of a ...ForSequenceClassification with one label (required)"},
        {"tokenizer", R1_CLI_STRING, &o.tokenizer, "T", "another tokenizer than the model's"},
        {"template", R1_CLI_STRING, &o.chat_template, "KIND",
         "plain, r1_zero, chatml, llama3, deepseek or a text with {prompt} (default: the model's)"},
        {"system", R1_CLI_STRING, &o.system, "TEXT", "system message of the chat"},
        {"summary", R1_CLI_FLAG, &o.summary, NULL,
         "score only what stands behind the thinking, not the thinking"},
        {"max-len", R1_CLI_INT, &o.max_len, "N",
         "longest chat in tokens (default 4096, or the model's positions)", 1, 1 << 28},
        {"batch", R1_CLI_INT, &o.batch, "N", "answers at once (default 16)", 1, 4096},
        {"dtype", R1_CLI_CHOICE, &o.dtype, "fp32|bf16", "of the computation (default bf16)"},
        {"threads", R1_CLI_INT, &o.threads, "N", "default 1: every rank that judges starts one", 1,
         r1_cpu_threads_max()},
        {0}};
    const r1_cli cli = {
        .program = "r1-score",
        .usage = "--model M < IN.jsonl > OUT.jsonl",
        .about =
            "Say what answers are worth by a reward model.  Each line of stdin is an object with\n"
            "the strings prompt (or question) and completion; a line {\"score\": x} goes to\n"
            "stdout for each, in order, {\"score\": null, \"note\": \"why\"} where there is none.\n"
            "Question and answer are plain text: no token in them can end a turn.  As the\n"
            "command of the reward exec it is the reward model of a run.",
        .epilog = "Examples:\n"
                  "  r1-score --model RM < answers.jsonl\n"
                  "  rewards: [{name: exec, command: [r1-score, --model, RM, --summary]}]\n"
                  "Exit codes: 0 done, 64 usage, 65 bad data, 74 input or output.",
        .options = table};
    r1_cli_result result;
    r1_err err = {0};
    int n;

    r1_log_init(0, R1_LOG_INFO);
    r1_status st = r1_cli_parse(&cli, argc, argv, 1, &result, &n, &err);
    if (st == R1_OK && result == R1_CLI_RUN && !o.model)
        st = R1_FAIL(&err, R1_USAGE, "--model is missing (see --help)");
    if (st == R1_OK && result == R1_CLI_RUN)
        st = r1_template_check(strcmp(o.chat_template, "auto") ? o.chat_template : "plain", &err);
    if (st == R1_OK && result == R1_CLI_RUN)
        st = r1_score_run(&o, &err);
    return r1_cli_end(st, &err, 1);
}
