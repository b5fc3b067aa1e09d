/* reward/: programs of the user's that judge. */
#include "tests/unit/unit.h"

#include "reward/program.h"
#include "reward/reward.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX 40

typedef struct judge {
    r1_reward_options o;
    const char *command[4];
    r1_rewards rewards;
    r1_grade_input in[MAX];
    r1_graded g[MAX];
} judge;

/* A shell script as the only reward. */
static void open_judge(judge *j, const char *script, double deadline_s) {
    r1_err err;

    *j = (judge){.command = {"sh", "-c", script}};
    j->o = (r1_reward_options){.name = "exec",
                               .weight = 1,
                               .command = j->command,
                               .n_command = 3,
                               .deadline_s = deadline_s};
    ASSERT_OK(r1_rewards_open(&j->rewards, &j->o, 1, &err), &err);
    for (int i = 0; i < MAX; i++)
        j->in[i] = (r1_grade_input){.completion = r1_text_of("0.5"),
                                    .extra = r1_text_of("{\"nums\": [1,\n2]}")};
}

static void assert_verdict(const r1_graded *g, r1_verdict_kind kind, double score) {
    if (g->verdict[0].kind != kind || g->total != score || g->usable != (kind < 3))
        fail_msg("%s (%s), total %g, usable %d", r1_verdict_name(g->verdict[0].kind),
                 g->verdict[0].note, g->total, g->usable);
}

#define ECHO "sed -u 's/.*\"completion\": \"\\([^\"]*\\)\".*\"nums\":\\[1,2\\].*/{\"score\": \\1}/'"

static void scores_come_in_order(void **state) {
    char text[MAX][16];
    judge j;

    open_judge(&j, ECHO, 20);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < MAX; i++) {
            snprintf(text[i], sizeof text[i], "%g", (i + round) * 0.25);
            j.in[i].completion = r1_text_of(text[i]);
        }
        r1_rewards_grade(&j.rewards, j.in, MAX, j.g);
        for (int i = 0; i < MAX; i++)
            assert_verdict(&j.g[i], i + round >= 4 ? R1_VERDICT_CORRECT : R1_VERDICT_WRONG,
                           (i + round) * 0.25);
    }
    r1_rewards_close(&j.rewards);
}

/* More than pipes hold, in both directions, and any bytes. */
static void large_and_broken_texts_arrive(void **state) {
    size_t n = 20000;
    char *text = malloc(n);
    judge j;

    for (size_t i = 0; i < n; i++)
        text[i] = (char)("\xff\"\\\n\xe6\x88\x91"[i % 7]);
    open_judge(
        &j, "sed -u 's/^{\"id\": \\([0-9]*\\), .*ufffd.u0022.u005c.u000a.*/{\"score\": \\1}/'", 60);
    for (int i = 0; i < MAX; i++)
        j.in[i].completion = (r1_text){text, n};
    r1_rewards_grade(&j.rewards, j.in, MAX, j.g);
    for (int i = 0; i < MAX; i++)
        assert_verdict(&j.g[i], i >= 1 ? R1_VERDICT_CORRECT : R1_VERDICT_WRONG, i);
    r1_rewards_close(&j.rewards);
    free(text);
}

static void no_score_is_no_zero(void **state) {
    static const char *const scripts[] = {
        "while read -r l; do echo '{\"score\": null}'; done",
        "while read -r l; do echo '{\"score\": \"high\"}'; done",
        "while read -r l; do echo 'Traceback:'; done",
        "exit 0",
        "echo '{\"score\": 1}'; echo '{\"score\": 1}'; echo '{\"score\": 1}'; cat >/dev/null",
    };
    judge j;

    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
        open_judge(&j, scripts[i], 20);
        r1_rewards_grade(&j.rewards, j.in, 2, j.g);
        if (i < 4)
            assert_verdict(&j.g[1], R1_VERDICT_ERROR, 0);
        r1_rewards_close(&j.rewards);
    }
}

/* It dies after each answer: what was not answered is asked once more, the rest is an error. */
static void a_program_that_ends_is_started_again(void **state) {
    judge j;

    open_judge(&j, "read -r l; echo '{\"score\": 1}'", 20);
    r1_rewards_grade(&j.rewards, j.in, 3, j.g);
    assert_verdict(&j.g[0], R1_VERDICT_CORRECT, 1);
    assert_verdict(&j.g[1], R1_VERDICT_CORRECT, 1);
    assert_verdict(&j.g[2], R1_VERDICT_ERROR, 0);
    r1_rewards_grade(&j.rewards, j.in, 2, j.g);
    assert_verdict(&j.g[1], R1_VERDICT_CORRECT, 1);
    r1_rewards_close(&j.rewards);
}

/* The first answer comes, the second never does: only the second is a timeout; the program and what
 * it started are gone. */
static void a_program_that_hangs_is_killed(void **state) {
    char path[] = "/tmp/r1-test-exec-XXXXXX", script[200];
    long pid = 0;
    judge j;

    close(mkstemp(path));
    snprintf(script, sizeof script,
             "sleep 600 & echo $! >%s; read -r l; echo '{\"score\": 1}'; wait", path);
    open_judge(&j, script, 1);
    r1_rewards_grade(&j.rewards, j.in, 2, j.g);
    assert_verdict(&j.g[0], R1_VERDICT_CORRECT, 1);
    assert_verdict(&j.g[1], R1_VERDICT_TIMEOUT, 0);
    r1_rewards_close(&j.rewards);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    assert_int_equal(fscanf(f, "%ld", &pid), 1);
    fclose(f);
    unlink(path);
    snprintf(script, sizeof script, "/proc/%ld/stat", pid);
    char stat = '?';
    for (int i = 0; i < 1000 && stat != 'Z';
         i++) { /* the signal is sent; it dies in its own time */
        f = fopen(script, "r");
        if (!f || fscanf(f, "%*d %*s %c", &stat) != 1)
            stat = 'Z';
        if (f)
            fclose(f);
        usleep(stat == 'Z' ? 0 : 10000);
    }
    assert_int_equal(stat, 'Z');
}

static r1_grading *begin(judge *j, int n) {
    r1_grading *g;
    r1_err err;

    ASSERT_OK(r1_grading_open(&g, &j->rewards, n, &err), &err);
    for (int s = n - 1; s >= 0; s--) {
        assert_false(r1_grading_ready(g));
        r1_grading_add(g, s, &j->in[s]);
    }
    return g;
}

/* Nobody waits for a program that takes its time; it sees the groups in their order, whoever is
 * ended first. */
static void groups_are_judged_meanwhile(void **state) {
    char gate[] = "/tmp/r1-test-exec-XXXXXX", script[200];
    r1_grading *g[3];
    judge j;

    close(mkstemp(gate));
    snprintf(script, sizeof script,
             "n=0; while read -r l; do while [ -e %s ]; do sleep 0.01; done; n=$((n + 1)); "
             "echo \"{\\\"score\\\": 0.$n}\"; done",
             gate);
    open_judge(&j, script, 60);
    for (int i = 0; i < 3; i++)
        g[i] = begin(&j, 2);
    for (int i = 0; i < 3; i++)
        assert_false(r1_grading_ready(g[i]));
    unlink(gate);
    while (!r1_grading_ready(g[2]))
        usleep(1000);
    for (int i = 2; i >= 0; i--) {
        assert_true(r1_grading_ready(g[i]));
        r1_grading_end(g[i], j.g);
        assert_verdict(&j.g[0], R1_VERDICT_WRONG, (double)(0.1f * (float)(2 * i + 1)));
        assert_verdict(&j.g[1], R1_VERDICT_WRONG, (double)(0.1f * (float)(2 * i + 2)));
    }
    r1_rewards_close(&j.rewards);
}

static long size_of(const char *path) {
    struct stat sb;

    return stat(path, &sb) == 0 ? (long)sb.st_size : -1;
}

/* Only what has begun is waited for: the program never hears of the other groups. */
static void groups_are_dropped(void **state) {
    char heard[] = "/tmp/r1-test-exec-XXXXXX", script[200];
    r1_grading *g[4];
    judge j;

    close(mkstemp(heard));
    snprintf(script, sizeof script, "while read -r l; do echo >>%s; done", heard);
    open_judge(&j, script, 1);
    for (int i = 0; i < 3; i++)
        g[i] = begin(&j, 2);
    g[3] = begin(&j, 1);
    while (size_of(heard) < 2)
        usleep(1000);
    for (int i = 3; i >= 0; i--)
        r1_grading_drop(g[i]);
    r1_grading_drop(NULL);
    r1_rewards_close(&j.rewards);
    assert_int_equal(size_of(heard), 2);
    unlink(heard);
}

/* Also one of which not all samples came. */
static void half_a_group_is_dropped(void **state) {
    r1_grading *g;
    r1_err err;
    judge j;

    open_judge(&j, ECHO, 20);
    ASSERT_OK(r1_grading_open(&g, &j.rewards, 2, &err), &err);
    r1_grading_add(g, 1, &j.in[0]);
    assert_false(r1_grading_ready(g));
    r1_grading_drop(g);
    r1_rewards_close(&j.rewards);
}

static void programs_are_checked(void **state) {
    const char *const none[] = {"no-such-program-of-r1"};
    r1_reward *r = NULL;
    r1_err err;

    ASSERT_FAILS(
        r1_reward_open(&r, &(r1_reward_options){.name = "exec", .command = none, .n_command = 1},
                       &err),
        R1_USAGE, &err, "'no-such-program-of-r1'");
    ASSERT_FAILS(r1_reward_open(&r, &(r1_reward_options){.name = "exec"}, &err), R1_USAGE, &err,
                 "no program ''");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scores_come_in_order),
        cmocka_unit_test(large_and_broken_texts_arrive),
        cmocka_unit_test(no_score_is_no_zero),
        cmocka_unit_test(a_program_that_ends_is_started_again),
        cmocka_unit_test(a_program_that_hangs_is_killed),
        cmocka_unit_test(groups_are_judged_meanwhile),
        cmocka_unit_test(groups_are_dropped),
        cmocka_unit_test(half_a_group_is_dropped),
        cmocka_unit_test(programs_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
