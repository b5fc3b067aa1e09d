/* Held out means never trained on: what evaluations and training stages of one recipe may share.
 * Each stage by itself is consistent already (resolve.c). */
#include "common/config/reader.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

int r1_same_file(const char *a, const char *b) {
    struct stat x, y;

    return strcmp(a, b) == 0 ||
           (stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino);
}

int r1_stage_evaluates(const r1_config *c, const r1_stage_config *s) {
    int asked = s->kind == R1_STAGE_EVAL || c->eval.at_stage_end ||
                (s->kind == R1_STAGE_GRPO && c->eval.every > 0);

    /* Plain text has no answers: such a stage is not evaluated unless data.eval says on what. */
    return asked && !s->data.eval.text_key;
}

/* Tasks that can deal the same problem. */
static int family(int task) {
    return task == R1_TASK_MULTIPLICATION ? R1_TASK_ARITHMETIC : task;
}

static int same_source(const r1_data_spec *a, const r1_data_spec *b) {
    if (a->task != R1_TASK_NONE || b->task != R1_TASK_NONE)
        return family(a->task) == family(b->task);
    return r1_same_file(a->file, b->file);
}

static r1_status check_pair(const r1_reader *r, const r1_stage_config *t,
                            const r1_stage_config *e) {
    const r1_data_spec *train = &t->data.train, *eval = &e->data.eval;
    char key[R1_KEY_TEXT];

#define AT(which) (snprintf(key, sizeof key, "%.64s.data.train." which, t->name), key)
    if (eval->split != R1_SPLIT_HELD_OUT || !same_source(train, eval))
        return R1_OK;
    if (train->split != R1_SPLIT_TRAIN)
        return r1_reader_fail_key(r, AT("split"),
                                  "%s: stage '%.64s' evaluates the held-out problems of the same "
                                  "source; set split: train",
                                  train->split == R1_SPLIT_ALL ? "all" : "held_out", e->name);
    if (train->held_out_mod != eval->held_out_mod)
        return r1_reader_fail_key(r, AT("held_out_mod"),
                                  "%d: stage '%.64s' evaluates problems of the same source that "
                                  "are held out by %d; one held_out_mod has to do for both",
                                  train->held_out_mod, e->name, eval->held_out_mod);
    if (train->task == R1_TASK_NONE && strcmp(train->prompt_key, eval->prompt_key) != 0)
        return r1_reader_fail_key(r, AT("prompt_key"),
                                  "%.60s: stage '%.64s' splits the same file by the prompts under "
                                  "%.60s",
                                  train->prompt_key, e->name, eval->prompt_key);
#undef AT
    return R1_OK;
}

r1_status r1_config_check_sides(const r1_reader *r) {
    const r1_config *c = r->cfg;
    r1_status st = R1_OK;

    for (int t = 0; t < c->n_stages && st == R1_OK; t++)
        for (int e = 0; e < c->n_stages && st == R1_OK; e++)
            if (c->stages[t].kind != R1_STAGE_EVAL && r1_stage_evaluates(c, &c->stages[e]))
                st = check_pair(r, &c->stages[t], &c->stages[e]);
    return st;
}
