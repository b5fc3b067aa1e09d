/* See kit.h. */
#include "tests/judge/kit.h"

#include "common/base/file.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void kit_open(kit *k, int boxes) {
    const char *launcher = getenv("R1_LAUNCHER");
    r1_err err;

    *k = (kit){.judge = NULL};
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (!launcher) {
        printf("R1_LAUNCHER is not set\n");
        exit(99);
    }
    snprintf(k->launcher, sizeof k->launcher, "%s", launcher);
    r1_status st =
        r1_judge_open(&k->judge, &(r1_judge_options){.program = launcher, .boxes = boxes}, &err);
    if (st == R1_UNAVAILABLE) {
        printf("skipped: %s\n", err.msg);
        exit(77);
    }
    if (st != R1_OK) {
        printf("%s\n", err.msg);
        exit(99);
    }
    printf("sandbox: %s\n", r1_judge_layers(k->judge));
}

int kit_close(kit *k) {
    r1_judge_close(k->judge);
    printf("%d checks, %d failed\n", k->checked, k->failed);
    return k->failed || k->checked == 0;
}

void kit_check(kit *k, int ok, const char *fmt, ...) {
    va_list args;

    k->checked++;
    if (ok)
        return;
    k->failed++;
    va_start(args, fmt);
    vprintf(fmt, args);
    va_end(args);
    putchar('\n');
}

const char *kit_shared(const char *name) {
    static char path[R1_PATH_MAX];
    const char *root = getenv("R1_SHARED");

    if (!root) {
        printf("skipped: R1_SHARED is not set\n");
        exit(77);
    }
    snprintf(path, sizeof path, "%s/data/%s", root, name);
    return path;
}

json_t *kit_rows(const char *path) {
    FILE *f = fopen(path, "r");
    json_t *rows = json_array(), *row;
    json_error_t je;

    if (!f) {
        printf("cannot open %s\n", path);
        exit(99);
    }
    while ((row = json_loadf(f, JSON_DISABLE_EOF_CHECK | JSON_ALLOW_NUL, &je)))
        json_array_append_new(rows, row);
    int whole = feof(f);
    fclose(f);
    if (!whole || json_array_size(rows) == 0) {
        printf("%s: row %zu: %s\n", path, json_array_size(rows) + 1, je.text);
        exit(99);
    }
    return rows;
}

const char *kit_text(const json_t *row, const char *key) {
    const char *s = json_string_value(json_object_get(row, key));
    return s ? s : "";
}

void kit_job(const json_t *row, const r1_problems *problems, const char *source, r1_row_job *ret) {
    r1_text text = r1_text_of(source);
    r1_err err;
    r1_status st = r1_row_tests(row, problems, ret, &err);

    if (st == R1_OK && !source)
        st = r1_row_program(row, ret->job.language, &text, &err);
    if (st == R1_OK)
        st = r1_row_source(row, text, ret, &err);
    if (st != R1_OK) {
        printf("%s: %s\n", kit_text(row, "name"), err.msg);
        exit(99);
    }
}

void kit_run(kit *k, r1_row_job *jobs, size_t n) {
    for (size_t i = 0; i < n; i++)
        r1_judge_submit(k->judge, &jobs[i].job);
    for (size_t i = 0; i < n; i++)
        r1_judge_wait(k->judge, &jobs[i].job);
}

void kit_run_one(kit *k, const json_t *row, const char *source, r1_row_job *ret) {
    kit_job(row, NULL, source, ret);
    kit_run(k, ret, 1);
}

int kit_allowed(const json_t *row, const r1_judge_result *r) {
    const json_t *list = json_object_get(row, "verdict_in");

    for (size_t i = 0; i < json_array_size(list); i++)
        if (strcmp(json_string_value(json_array_get(list, i)), r1_judge_verdict_name(r->verdict)) ==
            0)
            return 1;
    return 0;
}
