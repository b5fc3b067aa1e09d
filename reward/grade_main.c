/* r1-grade: JSON lines with answers -> a verdict line each. */
#include "common/base/cli.h"
#include "reward/grade.h"

#include <stdio.h>

int main(int argc, char **argv) {
    r1_reward_options o = {0};
    uint64_t counts[R1_VERDICT_COUNT] = {0};
    int jobs = 1, n;
    const r1_cli_option table[] = {
        {"from", R1_CLI_STRING, &o.from, "PLACE",
         "number: auto | last | boxed | answer_tag | hash: where the answer stands (default auto)"},
        {"jobs", R1_CLI_INT, &jobs, "N", "threads; they change neither order nor verdicts (1)", 1,
         R1_GRADE_JOBS_MAX},
        {0}};
    const r1_cli cli = {
        .program = "r1-grade",
        .usage = "KIND IN.jsonl > OUT.jsonl",
        .about =
            "Grades answers by a rule.  KIND is number, math, countdown, exact or format.  Every "
            "line of IN.jsonl\n(- is stdin) is an object; for each, in order, a line {\"id\", "
            "\"verdict\", \"score\", \"how\", \"why\",\n\"us\"} goes to stdout.  score is null "
            "where the reference cannot be judged.  Under mpirun the first rank does the work.",
        .epilog =
            "Keys of a line\n"
            "  number, exact   pred (or completion, response); gold (or reference, answer, "
            "final), a list: any of them.\n"
            "                  GSM8K's rows with answer and final grade their own solution\n"
            "  math            pred, gold (a list: any of them; null: only parse pred), mode "
            "(answer, text),\n"
            "                  kind (choice), opts; verdicts are equal, not_equal and unknown\n"
            "  countdown       nums, target; answer (or completion, pred)\n"
            "  format          completion (or pred, response); prompt or question, if it "
            "opens <think>\n\n"
            "Example\n  r1-grade countdown answers.jsonl > verdicts.jsonl\n\n"
            "Exit codes: 0, 64 wrong usage, 65 a broken line (what stands before it is "
            "graded), 74 input/output.\n",
        .options = table,
        .min_positional = 2,
        .max_positional = 2};
    r1_reward *reward = NULL;
    r1_cli_result result;
    r1_err err = {0};
    r1_status st;

    if (!r1_cli_is_first())
        return 0;
    st = r1_cli_parse(&cli, argc, argv, 1, &result, &n, &err);
    if (st != R1_OK || result == R1_CLI_EXIT_OK)
        return r1_cli_end(st, &err, 1);
    o.name = argv[1];
    st = r1_reward_open(&reward, &o, &err);
    if (st == R1_OK)
        st = r1_grade_file(&(r1_grade_options){reward, argv[1], argv[2], jobs}, stdout, counts,
                           &err);
    for (int k = 0; k < R1_VERDICT_COUNT; k++)
        if (counts[k])
            fprintf(stderr, "r1-grade: %llu %s\n", (unsigned long long)counts[k],
                    r1_verdict_name((r1_verdict_kind)k));
    r1_reward_close(reward);
    return r1_cli_end(st, &err, 1);
}
