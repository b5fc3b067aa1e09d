/* Kind lint: which reference answers of a data file cannot be judged, by which reward.
 *
 * A training set with such a row stops at its first one; this lists them all.  For each row:
 * verdict judged (by all rewards asked about), partly, or unparseable_gold (by none); score is the
 * share of rewards that can; how names them; why names the others with their reasons. */
#include "reward/grade.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

typedef struct linter {
    const char *answer_key; /* NULL: the usual ones */
    int n;
    r1_reward *r[R1_REWARDS_MAX];
    const char *name[R1_REWARDS_MAX];
    char names[256]; /* --reward, cut at its commas */
    atomic_ullong rows, refused[R1_REWARDS_MAX];
} linter;

static void close_linter(void *ctx) {
    linter *l = ctx;

    if (!l)
        return;
    for (int i = 0; i < l->n; i++) {
        fprintf(stderr, "r1-grade: reward %s cannot judge %llu of %llu references\n", l->name[i],
                atomic_load(&l->refused[i]), atomic_load(&l->rows));
        r1_reward_close(l->r[i]);
    }
    r1_free(l);
}

static r1_status add_reward(linter *l, const char *name, r1_err *err) {
    r1_reward_options options = {.name = name};
    r1_status st;

    if (l->n == R1_REWARDS_MAX)
        return R1_FAIL(err, R1_USAGE, "--reward lists more than %d rewards", R1_REWARDS_MAX);
    if ((st = r1_reward_open(&l->r[l->n], &options, err)) == R1_OK)
        l->name[l->n++] = name;
    return st;
}

static r1_status open_linter(const r1_grade_options *o, void **ret_ctx, r1_err *err) {
    const char *asked = o->reward ? o->reward : "";
    linter *l = NULL;
    r1_status st;

    R1_TRY(R1_NEW(l, 1, err));
    l->answer_key = o->answer_key;
    if (strlen(asked) >= sizeof l->names) {
        st = R1_FAIL(err, R1_USAGE, "--reward has more than %zu bytes", sizeof l->names - 1);
        goto done;
    }
    memcpy(l->names, asked, strlen(asked));
    for (char *rest = l->names, *name; (name = strtok_r(rest, ",", &rest));)
        R1_TRY(add_reward(l, name, err));
    for (int i = 0; !o->reward && r1_reward_name(i); i++)
        if (r1_reward_compares(i))
            R1_TRY(add_reward(l, r1_reward_name(i), err));
    *ret_ctx = l;
    return R1_OK;
done:
    r1_free(l);
    return st;
}

/* Can it judge one of the references? */
static r1_status can_judge(const r1_reward *r, const r1_grade_row *row, const json_t *gold,
                           const char *key, int *ret_can, r1_err *why, r1_err *err) {
    size_t n = json_is_array(gold) ? json_array_size(gold) : 1;
    r1_status st = R1_OK;

    *ret_can = 0;
    r1_err_set(why, R1_DATA, "no reference");
    for (size_t i = 0; i < n && !*ret_can && st == R1_OK; i++) {
        r1_grade_input in = {.extra = row->text};
        char *own = NULL;
        st = r1_row_text(json_is_array(gold) ? json_array_get(gold, i) : gold, key, &in.reference,
                         &own, err);
        if (st == R1_OK)
            *ret_can = r1_reward_lint(r, &in, why) == R1_OK;
        r1_free(own);
    }
    return st;
}

/* "a" or "b, a": names and reasons behind what is there already. */
static void append(char *buf, size_t size, const char *sep, const char *text) {
    size_t n = strlen(buf);

    snprintf(buf + n, size - n, "%s%s", n ? sep : "", text);
}

static r1_status lint_row(void *ctx, const r1_grade_row *row, r1_row_verdict *ret, r1_err *err) {
    static const char *const usual[] = {"gold", "reference", "answer", "final", NULL};
    linter *l = ctx;
    const char *named[] = {l->answer_key, NULL}, *key = NULL;
    const json_t *gold = r1_row_first(row->json, l->answer_key ? named : usual, &key);
    int judged = 0;

    if (!gold)
        return R1_FAIL(err, R1_DATA, "key '%s' is missing (--answer-key names another)",
                       l->answer_key ? l->answer_key : "gold");
    for (int i = 0; i < l->n; i++) {
        r1_err why;
        int can;
        r1_status st = can_judge(l->r[i], row, gold, key, &can, &why, err);
        if (st != R1_OK)
            return st;
        judged += can;
        if (can)
            append(ret->how, sizeof ret->how, ",", l->name[i]);
        else
            append(ret->why, sizeof ret->why, "; ", why.msg);
        if (!can)
            atomic_fetch_add(&l->refused[i], 1);
    }
    atomic_fetch_add(&l->rows, 1);
    ret->verdict = judged == l->n ? "judged" : judged ? "partly" : "unparseable_gold";
    ret->score = (double)judged / l->n;
    return R1_OK;
}

const r1_grade_kind r1_grade_lint = {
    "lint",
    "gold (or reference, answer, final; --answer-key names another): which\n"
    "rewards can judge the reference answer",
    "answer-key reward",
    open_linter,
    lint_row,
    close_linter};
