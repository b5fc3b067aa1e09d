/* r1-grade: JSON lines with answers -> a verdict line each. */
#include "common/base/cli.h"
#include "common/base/cpu.h"
#include "reward/grade.h"
#include "reward/grade_report.h"

#include <stdio.h>
#include <string.h>

#define HELP_MAX 16384

/* The keys of every kind, from the table. */
static void make_epilog(char epilog[static HELP_MAX]) {
    size_t n = (size_t)snprintf(epilog, HELP_MAX, "Kinds, and the keys of a line that they read\n");

    for (int k = 0; r1_grade_kinds[k]; k++) {
        const r1_grade_kind *kind = r1_grade_kinds[k];
        const char *name = kind->name;
        for (const char *line = kind->help; *line; line += line[strcspn(line, "\n")] == '\n') {
            int len = (int)strcspn(line, "\n");
            n += (size_t)snprintf(epilog + n, HELP_MAX - n, "  %-11s %.*s\n", name, len, line);
            R1_ASSERT(n < HELP_MAX);
            name = "";
            line += len;
        }
    }
    snprintf(
        epilog + n, HELP_MAX - n,
        "\nreport CASES.jsonl OUT.jsonl compares the verdicts in OUT with the labels in CASES:\n"
        "accuracy by tier and class, wrong answers that were accepted and right ones that were\n"
        "rejected apart, each listed.\n\n"
        "Examples\n"
        "  r1-grade countdown answers.jsonl > verdicts.jsonl\n"
        "  r1-grade report answers.jsonl verdicts.jsonl\n"
        "  r1-grade code humaneval.jsonl | grep -v AC\n"
        "  r1-grade lint gsm8k.jsonl --answer-key answer --reward number | grep unparseable\n\n"
        "Exit codes: 0, 64 wrong usage, 65 a broken line (what stands before it is graded), 69 "
        "code: no\nsandbox can be made, 74 input/output.");
}

/* Options of other kinds would change nothing, so they are refused. */
static r1_status check_options(const r1_grade_kind *kind, const r1_cli_option *table, r1_err *err) {
    for (const r1_cli_option *o = table; o->name; o++) {
        const char *list = kind->options ? kind->options : "", *at = strstr(list, o->name);
        if ((o->type != R1_CLI_STRING && o->type != R1_CLI_CHOICE) ||
            !*(const char *const *)o->value)
            continue;
        size_t n = strlen(o->name);
        if (!at || (at > list && at[-1] != ' ') || (at[n] && at[n] != ' '))
            return R1_FAIL(err, R1_USAGE, "--%s is no option of kind %s", o->name, kind->name);
    }
    return R1_OK;
}

static r1_status run(const r1_grade_options *o, const r1_cli_option *table, r1_err *err) {
    const r1_grade_kind *kind;
    r1_grade_tally tally;
    void *ctx = NULL;
    r1_status st;

    if ((st = r1_grade_kind_find(o->kind, &kind, err)) != R1_OK ||
        (st = check_options(kind, table, err)) != R1_OK || (st = kind->open(o, &ctx, err)) != R1_OK)
        return st;
    st = r1_grade_file(kind, ctx, o, stdout, &tally, err);
    for (int i = 0; i < tally.n; i++)
        fprintf(stderr, "r1-grade: %llu %s\n", (unsigned long long)tally.of[i].count,
                tally.of[i].verdict);
    kind->close(ctx);
    return st;
}

int main(int argc, char **argv) {
    int cores = r1_cpu_cores(), n;
    char epilog[HELP_MAX];
    r1_grade_options o = {.jobs = cores < R1_GRADE_JOBS_MAX ? cores : R1_GRADE_JOBS_MAX};
    const r1_cli_option table[] = {
        {"jobs", R1_CLI_INT, &o.jobs, "N",
         "threads (default: all cores); they change neither order nor verdicts", 1,
         R1_GRADE_JOBS_MAX},
        {"from", R1_CLI_STRING, &o.from, "PLACE",
         "number: auto | last | boxed | answer_tag | hash: where the answer stands (default auto)"},
        {"target", R1_CLI_STRING, &o.target, "LANGUAGE",
         "language: en, zh, de, fr, es, it, pt, ja, ko, ru, ... (default: the question's)"},
        {"answer-key", R1_CLI_STRING, &o.answer_key, "KEY", "lint: of the reference answer"},
        {"reward", R1_CLI_STRING, &o.reward, "R,...",
         "lint: rewards to ask (default: all that compare with a reference)"},
        {"problems", R1_CLI_STRING, &o.problems, "FILE",
         "code: the problems that rows name by problem_id"},
        {"score", R1_CLI_CHOICE, &o.score, "fraction|all",
         "code: the share of tests that pass, or 1 if all do (default all)"},
        {0}};
    const r1_cli cli = {
        .program = "r1-grade",
        .usage = "KIND IN.jsonl > OUT.jsonl\n       r1-grade report CASES.jsonl OUT.jsonl",
        .about =
            "Grades answers by a rule.  Every line of IN.jsonl (- is stdin) is an object; for "
            "each, in\norder, a line {\"id\", \"verdict\", \"score\", \"how\", \"why\", \"us\"} "
            "goes to stdout.  score is null\nwhere nothing can be said, which is not 0.  Counts "
            "of verdicts go to stderr.  Under mpirun the\nfirst rank does the work.",
        .epilog = epilog,
        .options = table,
        .min_positional = 2,
        .max_positional = 3};
    r1_cli_result result;
    r1_err err = {0};
    r1_status st;

    if (!r1_cli_is_first())
        return 0;
    make_epilog(epilog);
    st = r1_cli_parse(&cli, argc, argv, 1, &result, &n, &err);
    if (st != R1_OK || result == R1_CLI_EXIT_OK)
        return r1_cli_end(st, &err, 1);
    o.kind = argv[1];
    o.path = argv[2];
    if (strcmp(o.kind, "report") == 0 && n == 3)
        st = r1_grade_report(argv[2], argv[3], stdout, &err);
    else if (n == 2 && strcmp(o.kind, "report") != 0)
        st = run(&o, table, &err);
    else
        st = R1_FAIL(&err, R1_USAGE, "'%s' takes %s", o.kind,
                     n == 2 ? "two files, CASES.jsonl and OUT.jsonl" : "one file");
    return r1_cli_end(st, &err, 1);
}
