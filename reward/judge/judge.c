/* The pool; see judge.h. */
#include "reward/judge/judge.h"

#include "common/base/cpu.h"
#include "common/base/thread.h"
#include "reward/judge/job.h"

#include <stdio.h>
#include <string.h>

/* Whether programs of a language run here at all is found out when the first one comes. */
typedef enum probe {
    PROBE_NONE,
    PROBE_RUNNING,
    PROBE_GOOD,
    PROBE_BAD
} probe;

struct r1_judge {
    const r1_launcher *launcher;
    r1_launcher *own; /* NULL: the launcher is somebody else's */
    pthread_t threads[R1_JUDGE_BOXES_MAX];
    int n_threads, closing;
    pthread_mutex_t lock;
    pthread_cond_t more, finished, probed;
    r1_judge_job *first, **end; /* submitted, not begun */
    probe probes[R1_LANGUAGE_COUNT];
    char probe_why[R1_LANGUAGE_COUNT][96];
};

static double or_default(double x, double y) {
    return x > 0 ? x : y;
}

static void fill_limits(r1_judge_limits *l) {
    const r1_judge_limits *d = &r1_judge_defaults;

    l->cpu_s = or_default(l->cpu_s, d->cpu_s);
    l->wall_s = or_default(l->wall_s, 2 * l->cpu_s + 2);
    l->memory_mb = or_default(l->memory_mb, d->memory_mb);
    l->output_kb = or_default(l->output_kb, d->output_kb);
    l->file_kb = or_default(l->file_kb, d->file_kb);
    l->procs = l->procs > 0 ? l->procs : d->procs;
    l->open_files = l->open_files > R1_BOX_FDS_MAX ? l->open_files : d->open_files;
}

static void run_job(const r1_launcher *l, r1_judge_job *job) {
    r1_judge_result *r = &job->result;

    for (int tries = 0; tries < 2; tries++) {
        if (job->n_cases)
            r1_job_function(l, job);
        else
            r1_job_stdio(l, job);
        if (r->verdict != R1_JUDGE_IE)
            break;
    }
    r->score = r->verdict == R1_JUDGE_AC     ? 1
               : job->fraction && r->n_tests ? (double)r->n_passed / r->n_tests
                                             : 0;
}

/* A program that is known to be right, so that a missing compiler is not taken for a bad answer. */
static void run_probe(r1_judge *j, r1_language language) {
    static const char *const sources[] = {"#include <stdio.h>\nint main(void) { puts(\"42\"); }\n",
                                          "#include <cstdio>\nint main() { std::puts(\"42\"); }\n",
                                          "print(42)\n"};
    const r1_judge_test test = {r1_text_of(""), r1_text_of("42\n")};
    r1_judge_job job = {.language = language,
                        .source = r1_text_of(sources[language]),
                        .tests = &test,
                        .n_tests = 1};

    fill_limits(&job.limits);
    run_job(j->launcher, &job);
    pthread_mutex_lock(&j->lock);
    /* A judge that failed says nothing about the language: the next job asks again. */
    j->probes[language] = job.result.verdict == R1_JUDGE_AC   ? PROBE_GOOD
                          : job.result.verdict == R1_JUDGE_IE ? PROBE_NONE
                                                              : PROBE_BAD;
    snprintf(j->probe_why[language], sizeof j->probe_why[language], "%s: %.80s",
             r1_judge_verdict_name(job.result.verdict), job.result.why);
    pthread_cond_broadcast(&j->probed);
    pthread_mutex_unlock(&j->lock);
}

/* 1: programs of this language can be judged here. */
static int language_works(r1_judge *j, r1_language language) {
    pthread_mutex_lock(&j->lock);
    int mine = j->probes[language] == PROBE_NONE;
    if (mine)
        j->probes[language] = PROBE_RUNNING;
    pthread_mutex_unlock(&j->lock);
    if (mine)
        run_probe(j, language);
    pthread_mutex_lock(&j->lock);
    while (j->probes[language] == PROBE_RUNNING)
        pthread_cond_wait(&j->probed, &j->lock);
    int works = j->probes[language] == PROBE_GOOD;
    pthread_mutex_unlock(&j->lock);
    return works;
}

static void judge(r1_judge *j, r1_judge_job *job) {
    r1_judge_result *r = &job->result;

    fill_limits(&job->limits);
    *r = (r1_judge_result){.verdict = R1_JUDGE_IE};
    if (!job->source.s) {
        r->verdict = R1_JUDGE_CE;
        snprintf(r->why, sizeof r->why, "no program");
    } else if (job->source.n > R1_JUDGE_SOURCE_MAX) {
        r->verdict = R1_JUDGE_CE;
        snprintf(r->why, sizeof r->why, "a source of %zu bytes, at most %zu are allowed",
                 job->source.n, R1_JUDGE_SOURCE_MAX);
    } else if (!language_works(j, job->language)) {
        snprintf(r->why, sizeof r->why, "a program known to be right is judged %s",
                 j->probe_why[job->language]);
    } else {
        run_job(j->launcher, job);
    }
}

static void unlink_job(r1_judge *j, r1_judge_job **at) {
    *at = (*at)->next;
    if (!*at)
        j->end = at;
}

static void *work(void *arg) {
    r1_judge *j = arg;

    pthread_mutex_lock(&j->lock);
    for (;;) {
        while (!j->first && !j->closing)
            pthread_cond_wait(&j->more, &j->lock);
        r1_judge_job *job = j->first;
        if (!job)
            break;
        unlink_job(j, &j->first);
        pthread_mutex_unlock(&j->lock);
        judge(j, job);
        pthread_mutex_lock(&j->lock);
        job->done = 1;
        pthread_cond_broadcast(&j->finished);
    }
    pthread_mutex_unlock(&j->lock);
    return NULL;
}

static int start_thread(r1_judge *j) {
    int error = r1_thread_start(&j->threads[j->n_threads], work, j);

    j->n_threads += error == 0;
    return error;
}

r1_status r1_judge_open(r1_judge **ret, const r1_judge_options *options, r1_err *err) {
    int boxes = options->boxes > 0 ? options->boxes : r1_cpu_cores();
    r1_judge *j = NULL;
    r1_status st;

    boxes = boxes < R1_JUDGE_BOXES_MAX ? boxes : R1_JUDGE_BOXES_MAX;
    if ((st = R1_NEW(j, 1, err)) != R1_OK)
        return st;
    j->end = &j->first;
    pthread_mutex_init(&j->lock, NULL);
    pthread_cond_init(&j->more, NULL);
    pthread_cond_init(&j->finished, NULL);
    pthread_cond_init(&j->probed, NULL);
    if (!options->launcher)
        R1_TRY(r1_launcher_open(&j->own, options->program, err));
    j->launcher = j->own ? j->own : options->launcher;
    for (int i = 0; i < boxes; i++) {
        int error = start_thread(j);
        if (error && i == 0) {
            st = R1_FAIL(err, R1_IO, "cannot start a thread of the judge: %s", strerror(error));
            goto done;
        }
    }
done:
    if (st == R1_OK)
        *ret = j;
    else
        r1_judge_close(j);
    return st;
}

void r1_judge_close(r1_judge *j) {
    if (!j)
        return;
    pthread_mutex_lock(&j->lock);
    j->closing = 1;
    pthread_cond_broadcast(&j->more);
    pthread_mutex_unlock(&j->lock);
    for (int i = 0; i < j->n_threads; i++)
        pthread_join(j->threads[i], NULL);
    r1_launcher_close(j->own);
    pthread_cond_destroy(&j->probed);
    pthread_cond_destroy(&j->finished);
    pthread_cond_destroy(&j->more);
    pthread_mutex_destroy(&j->lock);
    r1_free(j);
}

const char *r1_judge_layers(const r1_judge *j) {
    return r1_launcher_layers(j->launcher);
}

void r1_judge_submit(r1_judge *j, r1_judge_job *job) {
    job->next = NULL;
    job->done = 0;
    job->dropped = 0;
    pthread_mutex_lock(&j->lock);
    *j->end = job;
    j->end = &job->next;
    pthread_cond_signal(&j->more);
    pthread_mutex_unlock(&j->lock);
}

int r1_judge_poll(r1_judge *j, const r1_judge_job *job) {
    pthread_mutex_lock(&j->lock);
    int done = job->done;
    pthread_mutex_unlock(&j->lock);
    return done;
}

void r1_judge_wait(r1_judge *j, const r1_judge_job *job) {
    pthread_mutex_lock(&j->lock);
    while (!job->done)
        pthread_cond_wait(&j->finished, &j->lock);
    pthread_mutex_unlock(&j->lock);
}

void r1_judge_drop(r1_judge *j, r1_judge_job *job) {
    r1_judge_job **at = &j->first;

    job->dropped = 1;
    pthread_mutex_lock(&j->lock);
    while (*at && *at != job)
        at = &(*at)->next;
    if (*at) {
        unlink_job(j, at);
        job->done = 1;
    }
    pthread_mutex_unlock(&j->lock);
    r1_judge_wait(j, job);
}
