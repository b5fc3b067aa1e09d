/* Hostile programs: the verdict, and every sentence of `must` against a bait.
 * Usage: attacks FILE.jsonl|shared [nobody]; nobody: as an ordinary user, from root.
 *
 * Baits: a secret in this process's environment, from which the launcher starts; listeners at port
 * 9 of the loopback (from root) and at an abstract address; a directory that anybody may write to,
 * with the expected output in it; an honest job beside each attack, and another one after it.  A
 * program whose output matters is run a second time in a box of the same kind, with what it prints
 * kept. */
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/hash.h"
#include "reward/judge/job.h"
#include "tests/judge/kit.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define SECRET "GRADER_SECRET"
#define NOBODY 65534

typedef struct bait {
    kit k;
    char dir[64], secret[32];
    int port, abstract; /* listeners; -1: could not be made */
    int root;           /* at the start: then there must be one at port 9 */
    r1_launcher *launcher;
    uint64_t tree; /* hash of dir */
} bait;

/* One attack and what is known after it. */
typedef struct attack {
    bait *b;
    const json_t *row;
    const char *name;
    r1_judge_result result, victim;
    char output[65536]; /* stdout and stderr of a second run */
} attack;

static uint64_t hash_tree(const char *dir) {
    char path[R1_PATH_MAX], text[R1_PATH_MAX + 64];
    struct dirent *e;
    struct stat sb;
    uint64_t sum = 0;
    DIR *d = opendir(dir);

    while (d && (e = readdir(d))) {
        snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        if (strcmp(e->d_name, "..") == 0 || lstat(path, &sb) != 0)
            continue;
        int n = snprintf(text, sizeof text, "%s %o %u %lld %ld.%09ld", path, sb.st_mode, sb.st_uid,
                         (long long)sb.st_size, (long)sb.st_mtim.tv_sec, sb.st_mtim.tv_nsec);
        sum += r1_hash64(text, (size_t)n); /* in any order */
        if (S_ISREG(sb.st_mode)) {
            char *data = NULL;
            size_t len = 0;
            if (r1_file_slurp(path, 1 << 26, &data, &len, NULL) == R1_OK)
                sum += r1_hash64(data, len);
            r1_free(data);
        }
    }
    if (d)
        closedir(d);
    return sum;
}

static int listen_at(int family, const struct sockaddr *address, socklen_t n) {
    int one = 1, fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, address, n) == 0 && listen(fd, 8) == 0)
        return fd;
    close(fd);
    return -1;
}

static void put_file(const char *path, const char *data, size_t n, mode_t mode) {
    int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);

    if (fd < 0 || write(fd, data, n) != (ssize_t)n || fchmod(fd, mode) != 0) {
        printf("cannot write %s\n", path);
        exit(99);
    }
    close(fd);
}

static char scratch[64];

static void remove_scratch(void) {
    r1_err err;

    if (r1_dir_remove(scratch, &err) != R1_OK)
        printf("%s\n", err.msg);
}

static void set_baits(bait *b) {
    struct sockaddr_in in = {.sin_family = AF_INET,
                             .sin_port = htons(9),
                             .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    struct sockaddr_un un = {.sun_family = AF_UNIX, .sun_path = "\0judge-test"};
    const char *launcher = getenv("R1_LAUNCHER");
    char path[128], *data = NULL;
    size_t n = 0;

    b->root = geteuid() == 0;
    snprintf(b->secret, sizeof b->secret, "s3cret-%d", (int)getpid());
    setenv(SECRET, b->secret, 1);
    b->port = listen_at(AF_INET, (struct sockaddr *)&in, sizeof in);
    b->abstract = listen_at(AF_UNIX, (struct sockaddr *)&un,
                            (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 11));
    snprintf(b->dir, sizeof b->dir, "/tmp/r1-attacks-XXXXXX");
    if (!mkdtemp(b->dir) || chmod(b->dir, 0777) != 0)
        exit(99);
    memcpy(scratch, b->dir, sizeof scratch);
    atexit(remove_scratch);
    snprintf(path, sizeof path, "%s/expected.ans", b->dir);
    put_file(path, "7391\n", 5, 0666);
    /* A copy that an ordinary user may start, wherever the build is. */
    if (!launcher || r1_file_slurp(launcher, 1 << 26, &data, &n, NULL) != R1_OK)
        exit(99);
    snprintf(path, sizeof path, "%s/r1-launcher", b->dir);
    put_file(path, data, n, 0755);
    setenv("R1_LAUNCHER", path, 1);
    r1_free(data);
}

/* Processes below this one that are no launcher: boxes, and their supervisors. */
static int boxes_alive(void) {
    char path[300], name[32];
    struct dirent *e;
    int n = 0;
    DIR *d = opendir("/proc");

    while (d && (e = readdir(d))) {
        int parent = 0;
        snprintf(path, sizeof path, "/proc/%s/stat", e->d_name);
        FILE *f = e->d_name[0] >= '1' && e->d_name[0] <= '9' ? fopen(path, "r") : NULL;
        if (!f)
            continue;
        if (fscanf(f, "%*d (%31[^)]) %*c %d", name, &parent) == 2 && parent != getpid()) {
            /* up to this process? */
            for (int up = parent, steps = 0; up > 1 && steps < 20; steps++) {
                if (up == getpid()) {
                    n++;
                    break;
                }
                snprintf(path, sizeof path, "/proc/%d/stat", up);
                FILE *g = fopen(path, "r");
                up = 0;
                if (g) {
                    if (fscanf(g, "%*d (%*[^)]) %*c %d", &up) != 1)
                        up = 0;
                    fclose(g);
                }
            }
        }
        fclose(f);
    }
    if (d)
        closedir(d);
    return n;
}

/* A supervisor ends just after it has sent the result. */
static int nothing_left(void) {
    for (int i = 0; i < 500 && boxes_alive(); i++)
        r1_sleep_us(10000);
    return !boxes_alive();
}

/* The program again in a box of its own, keeping what it prints. */
static void look_at_output(attack *a) {
    r1_box_io run = {.input = "", .fetch_fd = -1};
    r1_buf binary;
    r1_box_request b;
    r1_row_job j;
    r1_err err;

    kit_job(a->row, NULL, NULL, &j);
    r1_judge_limits limits = {.cpu_s = 2,
                              .wall_s = 8,
                              .memory_mb = 256,
                              .output_kb = 32,
                              .file_kb = 64,
                              .procs = 32,
                              .open_files = 64};
    r1_runnable p = {j.job.language, j.job.source};
    r1_buf_init(&binary, 1);
    if (j.job.language != R1_LANGUAGE_PYTHON) {
        r1_judge_limits slow = limits;
        slow.wall_s = 10;
        if (r1_compile(a->b->launcher, j.job.language, j.job.source, &slow, &binary,
                       &j.job.result) != R1_JUDGE_AC)
            kit_check(&a->b->k, 0, "%s: does not compile: %s", a->name, j.job.result.why);
        p.code = (r1_text){binary.data, binary.len};
    }
    r1_runnable_request(&p, &limits, &b);
    r1_buf_init(&run.output, 32768);
    if (r1_run_box(a->b->launcher, &b, &run, &err) != R1_OK)
        kit_check(&a->b->k, 0, "%s: %s", a->name, err.msg);
    snprintf(a->output, sizeof a->output, "%.*s%s", (int)run.output.len, run.output.data,
             run.message);
    r1_buf_done(&run.output);
    r1_buf_done(&binary);
    r1_row_job_done(&j);
}

static double limit_s(const attack *a) {
    const json_t *l = json_object_get(a->row, "limits");
    double wall = json_number_value(json_object_get(l, "wall_s"));
    return wall > 0 ? wall : 2 * r1_judge_defaults.cpu_s + 2;
}

/* Of the box's own time: what others on the machine take does not count. */
static int in_time(attack *a) {
    return 1e-6 * (double)(a->result.wall_us - a->result.delay_us) <= limit_s(a) + 1;
}

static int none_left(attack *a) {
    return nothing_left();
}

static int unharmed(attack *a) {
    return a->victim.verdict == R1_JUDGE_AC;
}

static int has_verdict(attack *a) {
    return a->result.verdict != R1_JUDGE_IE;
}

static int no_secret(attack *a) {
    const char *kept = getenv(SECRET);

    return kept && strcmp(kept, a->b->secret) == 0 && *a->output &&
           !strstr(a->output, a->b->secret);
}

static int no_hash(attack *a) {
    return !strstr(a->output, "root:") && !strstr(a->output, "$y$") && !strstr(a->output, "$6$");
}

static int not_readable(attack *a) {
    char *expected = strdup(kit_text(a->row, "expected_stdout"));
    expected[strcspn(expected, "\n")] = '\0';
    int hidden = !strstr(a->output, expected);
    free(expected);
    return hidden && a->result.verdict != R1_JUDGE_AC;
}

static int not_called(int listener) {
    int fd = accept(listener, NULL, NULL);
    if (fd >= 0)
        close(fd);
    return listener >= 0 && fd < 0 && errno == EAGAIN;
}

static int no_packet(attack *a) {
    int quiet = a->b->port < 0 ? !a->b->root : not_called(a->b->port);

    return quiet && a->result.verdict != R1_JUDGE_AC;
}

static int not_reached(attack *a) {
    return not_called(a->b->abstract) && a->result.verdict != R1_JUDGE_AC;
}

static int no_nested(attack *a) {
    return strcmp(a->output, "-1\n") == 0;
}

static int no_ring(attack *a) {
    return strcmp(a->output, "0\n") == 0;
}

static int no_line(attack *a) {
    char line[256];
    int clean = 1;
    FILE *f = fopen("/etc/passwd", "r");

    while (f && fgets(line, sizeof line, f)) {
        line[strcspn(line, "\n")] = '\0';
        clean &= strlen(line) < 4 || !strstr(a->result.why, line);
    }
    return f && fclose(f) == 0 && clean;
}

/* No reward, and a right program gets it from the same tests. */
static int no_reward(attack *a) {
    const char *right = kit_text(a->row, "correct");
    r1_row_job j;

    kit_run_one(&a->b->k, a->row, *right ? right : "def f(x): return x * x\n", &j);
    int accepted = j.job.result.verdict == R1_JUDGE_AC && j.job.result.score == 1;
    r1_row_job_done(&j);
    return accepted && a->result.score == 0 && a->result.verdict != R1_JUDGE_AC;
}

static int real_input(attack *a) {
    return a->result.verdict == R1_JUDGE_AC && *kit_text(a->row, "stdin");
}

static int by_float(attack *a) {
    json_t *words = json_copy((json_t *)(uintptr_t)a->row);
    r1_row_job j;

    json_object_set_new(words, "compare", json_string("tokens"));
    kit_run_one(&a->b->k, words, NULL, &j);
    int refused = j.job.result.verdict == R1_JUDGE_WA;
    r1_row_job_done(&j);
    json_decref(words);
    return refused && a->result.verdict == R1_JUDGE_AC;
}

static const struct sentence {
    const char *begins;
    int (*holds)(attack *a);
    int wants_output;
} sentences[] = {
    {"verdict within wall limit + 1 s", in_time, 0},
    {"no process of the job is left after the verdict", none_left, 0},
    {"the judge and its other jobs are unharmed", unharmed, 0},
    {"a full stderr pipe does not block the judge", has_verdict, 0},
    {"the value of GRADER_SECRET is not in the output", no_secret, 1},
    {"no password hash in the output", no_hash, 1},
    {"the expected output is not readable from inside the job", not_readable, 1},
    {"no packet leaves the job; a listener on the host loopback sees no connection", no_packet, 0},
    {"an abstract unix socket of the host is not reachable", not_reached, 0},
    {"nested user namespaces are refused", no_nested, 1},
    {"io_uring_setup is refused", no_ring, 1},
    {"no line of the file appears in the diagnostics that are stored", no_line, 0},
    {"reward 0", no_reward, 0},
    {"real stdin, not a mock", real_input, 0},
    {"compare mode tokens+float1e-9", by_float, 0},
};

static void check_sentence(attack *a, const char *must) {
    const struct sentence *s = NULL;

    for (size_t i = 0; i < sizeof sentences / sizeof *sentences && !s; i++)
        if (strncmp(must, sentences[i].begins, strlen(sentences[i].begins)) == 0)
            s = &sentences[i];
    if (s && s->wants_output && !*a->output)
        look_at_output(a);
    kit_check(&a->b->k, s && s->holds(a), "%s: %s%s", a->name, must,
              s ? "" : ": no assertion for this sentence");
}

/* The attack and an honest program at the same time, then the baits. */
static void check_attack(bait *b, const json_t *row) {
    static attack a;
    const json_t *must = json_object_get(row, "must");
    r1_judge_test test = {r1_text_of("3\n1\n2\n3\n"), r1_text_of("6\n")};
    r1_judge_job victim = {
        .language = R1_LANGUAGE_PYTHON,
        .source = r1_text_of("import sys, time\ntime.sleep(0.1)\nn, *x = map(int, sys.stdin)\n"
                             "print(sum(x[:n]))\n"),
        .tests = &test,
        .n_tests = 1};
    r1_judge_job next = victim;
    r1_row_job j;

    a = (attack){.b = b, .row = row, .name = kit_text(row, "name")};
    kit_job(row, NULL, NULL, &j);
    r1_judge_submit(b->k.judge, &victim);
    kit_run(&b->k, &j, 1);
    r1_judge_wait(b->k.judge, &victim);
    a.result = j.job.result;
    a.victim = victim.result;
    int wants_function = strncmp(kit_text(row, "mode"), "function", 8) == 0;
    kit_check(&b->k, kit_allowed(row, &a.result), "%s: %s (%s)", a.name,
              r1_judge_verdict_name(a.result.verdict), a.result.why);
    kit_check(&b->k, (strcmp(j.how, "function") == 0) == wants_function, "%s: how is %s", a.name,
              j.how);
    kit_check(&b->k, unharmed(&a), "%s: the job beside it: %s (%s)", a.name,
              r1_judge_verdict_name(a.victim.verdict), a.victim.why);
    for (size_t i = 0; i < json_array_size(must); i++)
        check_sentence(&a, json_string_value(json_array_get(must, i)));
    kit_check(&b->k, nothing_left(), "%s: processes are left", a.name);
    kit_check(&b->k, hash_tree(b->dir) == b->tree, "%s: files have changed", a.name);
    r1_judge_submit(b->k.judge, &next);
    r1_judge_wait(b->k.judge, &next);
    kit_check(&b->k, next.result.verdict == R1_JUDGE_AC, "%s: the job after it: %s (%s)", a.name,
              r1_judge_verdict_name(next.result.verdict), next.result.why);
    r1_row_job_done(&j);
}

int main(int argc, char **argv) {
    static bait b;
    r1_err err;

    if (argc < 2)
        return 99;
    json_t *rows =
        kit_rows(strcmp(argv[1], "shared") == 0 ? kit_shared("code_attacks_dev.jsonl") : argv[1]);
    set_baits(&b);
    if (argc > 2) {
        if (getuid() != 0) {
            printf("skipped: only root can become nobody\n");
            return 77;
        }
        if (chown(b.dir, NOBODY, NOBODY) != 0 || setgid(NOBODY) != 0 || setuid(NOBODY) != 0)
            return 99;
    }
    kit_open(&b.k, 2);
    if (r1_launcher_open(&b.launcher, getenv("R1_LAUNCHER"), &err) != R1_OK) {
        printf("%s\n", err.msg);
        return 99;
    }
    b.tree = hash_tree(b.dir);
    for (size_t i = 0; i < json_array_size(rows); i++)
        check_attack(&b, json_array_get(rows, i));
    r1_launcher_close(b.launcher);
    int rc = kit_close(&b.k);
    json_decref(rows);
    return rc;
}
