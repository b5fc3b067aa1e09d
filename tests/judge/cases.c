/* Rows with the verdict that each must get, and its score where that is not what the verdict says.
 * Usage: cases FILE.jsonl */
#include "tests/judge/kit.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void check_row(kit *k, const json_t *row, const r1_judge_result *r) {
    const char *name = kit_text(row, "name"), *verdict = r1_judge_verdict_name(r->verdict);
    const json_t *score = json_object_get(row, "score");
    char printable[96] = "";
    double want = score ? json_number_value(score) : r->verdict == R1_JUDGE_AC;

    for (int c = ' '; c <= '~'; c++)
        printable[c - ' '] = (char)c;
    kit_check(k, kit_allowed(row, r), "%s: %s (%s)", name, verdict, r->why);
    kit_check(k, r->verdict == R1_JUDGE_IE || fabs(r->score - want) < 1e-12, "%s: score %g, not %g",
              name, r->score, want);
    kit_check(k, (r->verdict == R1_JUDGE_AC && !r->n_copied) == !*r->why, "%s: %s says '%s'", name,
              verdict, r->why);
    kit_check(k, r->n_copied == json_integer_value(json_object_get(row, "copied")), "%s: %d copied",
              name, r->n_copied);
    kit_check(k, !r->why[strspn(r->why, printable)] && !strpbrk(r->why, "\"\\"),
              "%s: not to be put into a line: %s", name, r->why);
}

int main(int argc, char **argv) {
    kit k;

    if (argc != 2)
        return 99;
    kit_open(&k, 2);
    json_t *rows = kit_rows(argv[1]);
    size_t n = json_array_size(rows);
    r1_row_job *jobs = NULL;
    r1_err err;
    if (R1_NEW(jobs, n, &err) != R1_OK)
        return 99;
    for (size_t i = 0; i < n; i++) {
        const json_t *row = json_array_get(rows, i);
        kit_job(row, NULL, NULL, &jobs[i]);
        jobs[i].job.fraction = json_is_true(json_object_get(row, "fraction"));
    }
    kit_run(&k, jobs, n);
    for (size_t i = 0; i < n; i++) {
        check_row(&k, json_array_get(rows, i), &jobs[i].job.result);
        r1_row_job_done(&jobs[i]);
    }
    r1_free(jobs);
    json_decref(rows);
    return kit_close(&k);
}
