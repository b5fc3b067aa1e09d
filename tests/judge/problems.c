/* Own programs for the reference data's problems: solutions/PROBLEM.right.LANGUAGE are accepted,
 * .wrong. ones are not; and the submissions that come with the problems have the verdicts they are
 * labelled with.  Usage: problems SOLUTIONS_DIR */
#include "common/base/file.h"
#include "tests/judge/kit.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILES_MAX 64

static void check_own(kit *k, const r1_problems *problems, const char *dir) {
    static r1_row_job jobs[FILES_MAX];
    char names[FILES_MAX][64], path[R1_PATH_MAX], *sources[FILES_MAX];
    struct dirent *e;
    size_t n = 0, len;
    r1_err err;
    DIR *d = opendir(dir);

    while (d && (e = readdir(d)) && n < FILES_MAX) {
        char id[64], kind[8], extension[8];
        if (sscanf(e->d_name, "%63[^.].%7[^.].%7s", id, kind, extension) != 3)
            continue;
        snprintf(names[n], sizeof names[n], "%.63s", e->d_name);
        snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        if (r1_file_slurp(path, 1 << 20, &sources[n], &len, &err) != R1_OK)
            exit(99);
        json_t *row = json_pack("{ssss}", "problem_id", id, "language", extension);
        kit_job(row, problems, sources[n], &jobs[n]);
        json_decref(row);
        n++;
    }
    if (d)
        closedir(d);
    kit_run(k, jobs, n);
    for (size_t i = 0; i < n; i++) {
        const r1_judge_result *r = &jobs[i].job.result;
        r1_judge_verdict want = strstr(names[i], ".right.") ? R1_JUDGE_AC : R1_JUDGE_WA;
        kit_check(k, r->verdict == want, "%s: %s (%s)", names[i], r1_judge_verdict_name(r->verdict),
                  r->why);
        r1_row_job_done(&jobs[i]);
        r1_free(sources[i]);
    }
    kit_check(k, n >= 16, "only %zu programs", n);
}

/* "AC_or_TLE" allows both; PARTIAL is not AC and a share of the tests. */
static int agrees(const char *label, const r1_judge_result *r) {
    if (strcmp(label, "PARTIAL") == 0)
        return r->verdict != R1_JUDGE_AC && r->score > 0 && r->score < 1;
    return strstr(label, r1_judge_verdict_name(r->verdict)) != NULL;
}

static void check_submissions(kit *k, const r1_problems *problems) {
    json_t *rows = kit_rows(kit_shared("code_submissions_dev.jsonl"));

    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        r1_row_job j;
        kit_job(row, problems, NULL, &j);
        j.job.fraction = 1;
        kit_run(k, &j, 1);
        kit_check(k, agrees(kit_text(row, "verdict"), &j.job.result),
                  "submission %zu: %s (%s), not %s", i + 1,
                  r1_judge_verdict_name(j.job.result.verdict), j.job.result.why,
                  kit_text(row, "verdict"));
        r1_row_job_done(&j);
    }
    json_decref(rows);
}

int main(int argc, char **argv) {
    r1_problems *problems = NULL;
    r1_err err;
    kit k;

    if (argc != 2)
        return 99;
    if (r1_problems_read(kit_shared("code_problems_dev.jsonl"), &problems, &err) != R1_OK) {
        printf("%s\n", err.msg);
        return 99;
    }
    kit_open(&k, 0);
    check_own(&k, problems, argv[1]);
    check_submissions(&k, problems);
    r1_problems_free(problems);
    return kit_close(&k);
}
