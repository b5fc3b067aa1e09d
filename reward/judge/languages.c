/* Languages: how a program is compiled and run, and what its end means; see job.h. */
#include "reward/judge/job.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIB              ((uint64_t)1 << 20)
#define COMPILE_S        10.0
#define COMPILE_BYTES    (1024 * MIB)
#define COMPILE_MESSAGES ((size_t)64 << 10)
#define BINARY_BYTES     (16 * MIB)
#define BINARY           "program"

const r1_judge_limits r1_judge_defaults = {.cpu_s = 10,
                                           .memory_mb = 512,
                                           .output_kb = 1024,
                                           .file_kb = 4096,
                                           .procs = 32,
                                           .open_files = 64};

const char *r1_judge_verdict_name(r1_judge_verdict v) {
#define X(name) #name,
    static const char *const names[] = {R1_JUDGE_LIST(X)};
#undef X
    return names[v];
}

int r1_language_parse(const char *name, size_t n, r1_language *ret) {
    static const struct {
        const char *name;
        r1_language language;
    } names[] = {
        {"c", R1_LANGUAGE_C},       {"cpp", R1_LANGUAGE_CPP},        {"c++", R1_LANGUAGE_CPP},
        {"cc", R1_LANGUAGE_CPP},    {"cxx", R1_LANGUAGE_CPP},        {"python", R1_LANGUAGE_PYTHON},
        {"py", R1_LANGUAGE_PYTHON}, {"python3", R1_LANGUAGE_PYTHON},
    };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strlen(names[i].name) == n && strncasecmp(name, names[i].name, n) == 0) {
            *ret = names[i].language;
            return 1;
        }
    return 0;
}

/* Where a tool is on this machine, and so in a box. */
static const char *tool(const char *usual, const char *local) {
    return access(usual, X_OK) == 0 || access(local, X_OK) != 0 ? usual : local;
}

static void add_word(r1_box_request *b, const char *word) {
    R1_ASSERT(b->n_words < R1_BOX_WORDS_MAX);
    b->words[b->n_words++] = word;
}

void r1_box_add_file(r1_box_request *b, const char *name, r1_text contents, uint32_t mode) {
    R1_ASSERT(b->n_files < R1_BOX_FILES_MAX);
    b->files[b->n_files++] = (r1_box_file){name, contents.s, contents.n, mode};
}

/* Sets and hashes in the same order everywhere. */
static void add_environment(r1_box_request *b) {
    static const char *const all[] = {"PATH=/usr/bin:/usr/local/bin:/bin", "LANG=C.UTF-8",
                                      "PYTHONHASHSEED=0", ("HOME=" R1_BOX_WORK), "TMPDIR=/tmp"};

    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        b->env[b->n_env++] = all[i];
}

static r1_box_limits limits_of(const r1_judge_limits *l) {
    uint64_t memory = (uint64_t)(l->memory_mb * (double)MIB);

    return (r1_box_limits){.cpu_s = l->cpu_s,
                           .wall_s = l->wall_s,
                           .memory_bytes = memory,
                           .address_bytes = memory,
                           .stack_bytes = R1_BOX_NO_LIMIT, /* else each thread's: see box.h */
                           .file_bytes = (uint64_t)(l->file_kb * 1024),
                           .tasks = (uint32_t)l->procs,
                           .open_files = (uint32_t)l->open_files};
}

/* -s: no packages of a user; -P: no modules beside the program; -B: no caches beside modules.  Not
 * -I, which ignores the hash seed, nor -S, which takes exit and quit away. */
void r1_python_request(const r1_judge_limits *limits, const char *name, r1_text code,
                       r1_box_request *ret) {
    static const char *const options[] = {"-s", "-P", "-B"};

    *ret = (r1_box_request){.limits = limits_of(limits)};
    /* Reserved and not used by an interpreter; what is used is counted. */
    ret->limits.address_bytes = 2 * ret->limits.memory_bytes + 256 * MIB;
    ret->limits.stack_bytes = 8 * MIB;
    add_word(ret, tool("/usr/bin/python3", "/usr/local/bin/python3"));
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        add_word(ret, options[i]);
    add_word(ret, name);
    r1_box_add_file(ret, name, code, 0400);
    add_environment(ret);
}

void r1_runnable_request(const r1_runnable *p, const r1_judge_limits *limits, r1_box_request *ret) {
    if (p->language == R1_LANGUAGE_PYTHON) {
        r1_python_request(limits, "solution.py", p->code, ret);
        return;
    }
    *ret = (r1_box_request){.limits = limits_of(limits)};
    add_word(ret, R1_BOX_WORK "/" BINARY);
    r1_box_add_file(ret, BINARY, p->code, 0500);
    add_environment(ret);
}

/* Without -pipe: its passes run one after the other, so that waiting for others on the machine is
 * seen as such. */
static void compiler_request(r1_language language, r1_text source, const r1_judge_limits *limits,
                             r1_box_request *ret) {
    int c = language == R1_LANGUAGE_C;
    const char *name = c ? "main.c" : "main.cpp";
    const char *const words[] = {c ? tool("/usr/bin/gcc", "/usr/local/bin/gcc")
                                   : tool("/usr/bin/g++", "/usr/local/bin/g++"),
                                 c ? "-std=gnu17" : "-std=gnu++17",
                                 "-O2",
                                 "-w",
                                 "-o",
                                 BINARY,
                                 name,
                                 "-lm"};
    double most_s = limits->wall_s < COMPILE_S ? limits->wall_s : COMPILE_S;

    *ret = (r1_box_request){.limits = {.cpu_s = most_s,
                                       .wall_s = most_s,
                                       .memory_bytes = COMPILE_BYTES,
                                       .address_bytes = COMPILE_BYTES,
                                       .stack_bytes = 64 * MIB,
                                       .file_bytes = BINARY_BYTES,
                                       .tasks = 16,
                                       .open_files = 64},
                            .fetch = BINARY};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        add_word(ret, words[i]);
    r1_box_add_file(ret, name, source, 0400);
    add_environment(ret);
}

static r1_status read_back(int fd, r1_buf *to, r1_err *err) {
    struct stat sb;

    if (fstat(fd, &sb) != 0)
        return R1_FAIL(err, R1_IO, "fstat: %s", strerror(errno));
    r1_status st = r1_buf_extend(to, (size_t)sb.st_size, err);
    if (st == R1_OK && pread(fd, to->data, to->len, 0) != sb.st_size)
        st = R1_FAIL(err, R1_IO, "cannot read what the compiler wrote");
    return st;
}

void r1_note_use(r1_judge_result *to, const r1_box_result *from) {
    if (from->wall_us > to->wall_us) {
        to->wall_us = from->wall_us;
        to->delay_us = from->delay_us;
    }
    if (from->cpu_us > to->cpu_us)
        to->cpu_us = from->cpu_us;
    if (from->peak_bytes > to->peak_bytes)
        to->peak_bytes = from->peak_bytes;
}

r1_judge_verdict r1_compile(const r1_launcher *l, r1_language language, r1_text source,
                            const r1_judge_limits *limits, r1_buf *ret_binary,
                            r1_judge_result *result) {
    r1_box_io run = {.input = "", .fetch_fd = memfd_create("binary", MFD_CLOEXEC)};
    r1_judge_verdict v = R1_JUDGE_IE;
    r1_box_request b;
    r1_err err;
    r1_status st = R1_OK;

    r1_buf_init(&run.output, COMPILE_MESSAGES);
    r1_buf_init(ret_binary, BINARY_BYTES + 1);
    compiler_request(language, source, limits, &b);
    if (run.fetch_fd < 0)
        st = R1_FAIL(&err, R1_IO, "memfd_create: %s", strerror(errno));
    if (st == R1_OK && (st = r1_run_box(l, &b, &run, &err)) == R1_OK) {
        r1_note_use(result, &run.result);
        v = r1_box_verdict(&run.result, result->why, sizeof result->why);
        if (v == R1_JUDGE_AC)
            st = read_back(run.fetch_fd, ret_binary, &err);
        else if (v != R1_JUDGE_IE)
            v = R1_JUDGE_CE;
        if (v == R1_JUDGE_CE && *run.message)
            r1_plain_text(result->why, sizeof result->why, run.message);
    }
    if (st != R1_OK) {
        v = R1_JUDGE_IE;
        r1_plain_text(result->why, sizeof result->why, err.msg);
    }
    if (run.fetch_fd >= 0)
        close(run.fetch_fd);
    r1_buf_done(&run.output);
    return v;
}

r1_judge_verdict r1_box_verdict(const r1_box_result *r, char *why, size_t why_size) {
    switch ((r1_box_end)r->end) {
    case R1_BOX_EXITED:
        if (r->code == 0)
            return R1_JUDGE_AC;
        snprintf(why, why_size, "exit status %d", r->code);
        return R1_JUDGE_RTE;
    case R1_BOX_SIGNALED:
        snprintf(why, why_size, "signal %d (%s)", r->code, strsignal(r->code));
        return r->code == SIGXCPU ? R1_JUDGE_TLE : R1_JUDGE_RTE;
    case R1_BOX_CPU:
        snprintf(why, why_size, "%.2f s of processor time", 1e-6 * (double)r->cpu_us);
        return R1_JUDGE_TLE;
    case R1_BOX_WALL:
        snprintf(why, why_size, "%.2f s, of which %.2f s running", 1e-6 * (double)r->wall_us,
                 1e-6 * (double)r->cpu_us);
        return R1_JUDGE_TLE;
    case R1_BOX_MEMORY:
        snprintf(why, why_size, "%.0f MiB of memory", (double)r->peak_bytes / (double)MIB);
        return R1_JUDGE_MLE;
    case R1_BOX_TASKS:
        snprintf(why, why_size, "%u processes", r->peak_tasks);
        return R1_JUDGE_RTE;
    case R1_BOX_STOPPED:
        snprintf(why, why_size, "printed too much");
        return R1_JUDGE_OLE;
    case R1_BOX_STARVED:
        snprintf(why, why_size, "the machine is too busy: %.1f s for %.1f s of running",
                 1e-6 * (double)r->wall_us, 1e-6 * (double)r->cpu_us);
        return R1_JUDGE_IE;
    case R1_BOX_FAILED:
        break;
    }
    r1_plain_text(why, why_size, r->why);
    return R1_JUDGE_IE;
}

void r1_plain_text(char *to, size_t size, const char *from) {
    size_t n = 0;

    for (; *from && n + 1 < size; from++) {
        char c = *from;
        if (c == '"')
            c = '\'';
        if (c == '\\')
            c = '/';
        if (c == '\n' || c == '\t')
            c = ' ';
        if (c >= ' ' && c <= '~' && !(c == ' ' && n && to[n - 1] == ' '))
            to[n++] = c;
    }
    while (n && to[n - 1] == ' ')
        n--;
    to[n] = '\0';
}
