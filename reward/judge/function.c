/* Functions of a Python source, tested from another process; see job.h.
 *
 * The checker's box holds the tests, the solver's box the candidate; each has one socket to this
 * thread, which carries calls one way and results the other.  A result is looked at here
 * (literal.c) before the checker sees it, so that plain data is all that ever reaches it.  The
 * verdict comes over a pipe that only the checker has, behind a token made for this run. */
#include "reward/judge/job.h"
#include "reward/judge/literal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "checker_py.h" /* made by embed.sh */
#include "solver_py.h"

#define TOKEN_BYTES   16
#define JOB_BYTES_MAX ((size_t)16 << 20)

/* For the tests themselves, which are short; and no more processor time than the job may take
 * altogether, since a result may be made to keep them busy. */
static const r1_judge_limits checker_limits = {.cpu_s = 20,
                                               .wall_s = 120,
                                               .memory_mb = 1024,
                                               .output_kb = 1024,
                                               .file_kb = 64,
                                               .procs = 8,
                                               .open_files = 32};

typedef struct pair {
    const r1_launcher *l;
    r1_judge_job *job;
    char token[2 * TOKEN_BYTES + 1];
    int null_fd;
    int checker, solver;           /* boxes; -1: none */
    int checker_wire, solver_wire; /* this end of their sockets */
    int verdict_fd;
    r1_buf frame;
    const char *refused; /* why a frame was not passed on */
    int solver_gone;     /* it closed its socket, as a rule by ending */
} pair;

static r1_status make_token(pair *p, r1_err *err) {
    unsigned char bytes[TOKEN_BYTES];

    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
        return R1_FAIL(err, R1_IO, "getrandom: %s", strerror(errno));
    for (int i = 0; i < TOKEN_BYTES; i++)
        snprintf(p->token + (size_t)2 * (size_t)i, 3, "%02x", bytes[i]);
    return R1_OK;
}

static r1_status add_texts(r1_buf *out, const r1_text *texts, int n, r1_err *err) {
    r1_status st = r1_literal_add_head(out, 'l', (size_t)n, err);

    for (int i = 0; st == R1_OK && i < n; i++)
        st = r1_literal_add_text(out, texts[i], err);
    return st;
}

/* What the checker reads: token, setup, names, cases, stop. */
static r1_status describe(const pair *p, r1_buf *out, r1_err *err) {
    const r1_judge_job *job = p->job;
    r1_status st;

    R1_TRY(r1_literal_add_head(out, 't', 5, err));
    R1_TRY(r1_literal_add_text(out, r1_text_of(p->token), err));
    R1_TRY(r1_literal_add_text(out, job->setup, err));
    R1_TRY(add_texts(out, job->names, job->n_names, err));
    R1_TRY(add_texts(out, job->cases, job->n_cases, err));
    st = r1_buf_add(out, job->fraction ? "F" : "T", 1, err);
done:
    return st;
}

/* Start a box with input, nothing to print to, one end of a new socket, and perhaps one more. */
static r1_status start(const pair *p, const r1_box_request *b, int input, int more, int *ret_wire,
                       int *ret_box, r1_err *err) {
    int wire[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, wire) != 0)
        return R1_FAIL(err, R1_IO, "socketpair: %s", strerror(errno));
    int fds[] = {input, p->null_fd, p->null_fd, wire[1], more};
    r1_status st = r1_box_start(p->l, b, fds, more < 0 ? 4 : 5, ret_box, err);
    close(wire[1]);
    r1_box_set_patience(wire[0], &b->limits);
    if (st == R1_OK)
        *ret_wire = wire[0];
    else
        close(wire[0]);
    return st;
}

static r1_status start_checker(pair *p, r1_err *err) {
    r1_judge_limits limits = checker_limits;
    int input = -1, verdict[2] = {-1, -1};
    r1_box_request b;
    r1_buf job;
    r1_status st;

    r1_buf_init(&job, JOB_BYTES_MAX);
    R1_TRY(describe(p, &job, err));
    R1_TRY(r1_memory_file(job.data, job.len, &input, err));
    if (pipe2(verdict, O_CLOEXEC) != 0) {
        st = R1_FAIL(err, R1_IO, "pipe2: %s", strerror(errno));
        goto done;
    }
    p->verdict_fd = verdict[0];
    if (limits.cpu_s > p->job->limits.wall_s)
        limits.cpu_s = p->job->limits.wall_s;
    r1_python_request(&limits, "checker.py", r1_text_of(checker_py), &b);
    st = start(p, &b, input, verdict[1], &p->checker_wire, &p->checker, err);
    close(verdict[1]);
done:
    if (input >= 0)
        close(input);
    r1_buf_done(&job);
    return st;
}

static r1_status start_solver(pair *p, r1_err *err) {
    r1_box_request b;

    r1_python_request(&p->job->limits, "run.py", r1_text_of(solver_py), &b);
    r1_box_add_file(&b, "solution.py", p->job->source, 0400);
    return start(p, &b, p->null_fd, -1, &p->solver_wire, &p->solver, err);
}

static int receive_all(int from, char *to, size_t n) {
    while (n) {
        ssize_t k = recv(from, to, n, 0);
        if (k == 0 || (k < 0 && errno != EINTR))
            return 0;
        to += k > 0 ? k : 0;
        n -= k > 0 ? (size_t)k : 0;
    }
    return 1;
}

static int send_all(int to, const char *s, size_t n) {
    while (n) {
        ssize_t k = send(to, s, n, MSG_NOSIGNAL);
        if (k < 0 && errno != EINTR)
            return 0;
        s += k > 0 ? k : 0;
        n -= k > 0 ? (size_t)k : 0;
    }
    return 1;
}

/* One value from one box for the other one.  0: the sender is gone, or what it sent is no value
 * (p->refused).  Nothing here waits for ever: the boxes' limits end them, and so their sockets. */
static int read_frame(pair *p, int from) {
    uint32_t n;
    r1_err err;

    r1_buf_clear(&p->frame);
    if (!receive_all(from, (char *)&n, sizeof n))
        return 0;
    if (n > R1_LITERAL_BYTES_MAX) {
        p->refused = "a value of more than 1 MiB";
        return 0;
    }
    if (r1_buf_add(&p->frame, &n, sizeof n, &err) != R1_OK ||
        r1_buf_extend(&p->frame, n, &err) != R1_OK ||
        !receive_all(from, p->frame.data + sizeof n, n))
        return 0;
    p->refused = r1_literal_check(p->frame.data + sizeof n, n);
    return !p->refused;
}

/* Calls and results in turn, until one side is gone. */
static void relay(pair *p) {
    while (read_frame(p, p->checker_wire)) {
        if (!send_all(p->solver_wire, p->frame.data, p->frame.len) ||
            !read_frame(p, p->solver_wire)) {
            p->solver_gone = !p->refused;
            break;
        }
        if (!send_all(p->checker_wire, p->frame.data, p->frame.len))
            break;
    }
    shutdown(p->checker_wire, SHUT_RDWR);
}

int r1_verdict_read(const char *text, const char *token, r1_judge_result *r) {
    char verdict[8], said[2 * TOKEN_BYTES + 1];
    int passed, at = 0;

    if (sscanf(text, "%32s %7s %9d %n", said, verdict, &passed, &at) != 3 ||
        strcmp(said, token) != 0 || passed < 0 || passed > r->n_tests)
        return 0;
    r->n_passed = passed;
    r->verdict = strcmp(verdict, "RTE") == 0  ? R1_JUDGE_RTE
                 : strcmp(verdict, "IE") == 0 ? R1_JUDGE_IE
                                              : R1_JUDGE_WA;
    if (strcmp(verdict, "AC") == 0 && passed == r->n_tests)
        r->verdict = R1_JUDGE_AC;
    r1_plain_text(r->why, sizeof r->why, text + at);
    return 1;
}

/* 1 if the checker gave a verdict. */
static int read_verdict(pair *p) {
    char text[1280];
    size_t have = 0;
    ssize_t n;

    while (have < sizeof text - 1 &&
           ((n = read(p->verdict_fd, text + have, sizeof text - 1 - have)) > 0 ||
            (n < 0 && errno == EINTR)))
        have += n > 0 ? (size_t)n : 0;
    text[have] = '\0';
    return r1_verdict_read(text, p->token, &p->job->result);
}

static void conclude(pair *p) {
    r1_judge_result *r = &p->job->result;

    /* The checker has had its answer or never gets one; it ends by itself, and first. */
    r1_box_result checker = r1_box_finish(p->checker);
    if (!p->solver_gone) /* else its own end is waited for: it decides */
        r1_box_stop(p->solver);
    r1_box_result solver = r1_box_finish(p->solver);
    p->checker = p->solver = -1;
    r1_note_use(r, &solver);
    if (checker.end == R1_BOX_STARVED || checker.end == R1_BOX_FAILED) {
        r->verdict = r1_box_verdict(&checker, r->why, sizeof r->why);
        return;
    }
    int said = read_verdict(p);
    if (said && (r->verdict == R1_JUDGE_AC || r->verdict == R1_JUDGE_IE))
        return;
    if (p->refused) {
        r->verdict = R1_JUDGE_WA;
        snprintf(r->why, sizeof r->why, "not plain data: %s", p->refused);
    } else if (solver.end != R1_BOX_STOPPED) {
        r->verdict = r1_box_verdict(&solver, r->why, sizeof r->why);
        if (r->verdict == R1_JUDGE_AC) {
            r->verdict = R1_JUDGE_RTE;
            snprintf(r->why, sizeof r->why, "the program ended in a call");
        }
    } else if (!said && checker.end > R1_BOX_SIGNALED) { /* over a limit, with its results */
        r->verdict = r1_box_verdict(&checker, r->why, sizeof r->why);
    } else if (!said) {
        r->verdict = R1_JUDGE_WA;
        snprintf(r->why, sizeof r->why, "no verdict: the tests ended in another way");
    }
}

void r1_job_function(const r1_launcher *l, r1_judge_job *job) {
    pair p = {.l = l,
              .job = job,
              .null_fd = open("/dev/null", O_RDWR | O_CLOEXEC),
              .checker = -1,
              .solver = -1,
              .checker_wire = -1,
              .solver_wire = -1,
              .verdict_fd = -1};
    r1_judge_result *r = &job->result;
    r1_err err;
    r1_status st;

    *r = (r1_judge_result){.n_tests = job->n_cases, .verdict = R1_JUDGE_IE};
    r1_buf_init(&p.frame, R1_LITERAL_BYTES_MAX + 64);
    if (p.null_fd < 0) {
        st = R1_FAIL(&err, R1_IO, "cannot open /dev/null: %s", strerror(errno));
        goto done;
    }
    R1_TRY(make_token(&p, &err));
    R1_TRY(start_checker(&p, &err));
    R1_TRY(start_solver(&p, &err));
    relay(&p);
    conclude(&p);
done:
    if (st != R1_OK)
        r1_plain_text(r->why, sizeof r->why, err.msg);
    if (p.checker >= 0) {
        r1_box_stop(p.checker);
        (void)r1_box_finish(p.checker);
    }
    const int fds[] = {p.null_fd, p.checker_wire, p.solver_wire, p.verdict_fd};
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    r1_buf_done(&p.frame);
}
