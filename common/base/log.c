/* Status messages and progress; see log.h. */
#include "common/base/log.h"

#include "common/base/clock.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct {
    int rank;
    r1_log_level level;
    const char *name;
    FILE *file;
    double t0_s;
    int bar_shown; /* a progress bar stands on the current line of the terminal */
} lg = {.rank = -1, .level = R1_LOG_INFO, .name = "r1"};
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* What was said before the file was opened goes into it first. */
static struct {
    char text[1 << 16];
    size_t n;
} early;

static void keep_early(const char *level, const char *line) {
    size_t room = sizeof early.text - early.n;
    int n = snprintf(early.text + early.n, room, "%10.3f rank %d %-5s %s\n", r1_now_s() - lg.t0_s,
                     lg.rank, level, line);

    if (n > 0 && (size_t)n < room)
        early.n += (size_t)n;
}

void r1_log_init(int rank, r1_log_level stderr_level) {
    lg.rank = rank;
    lg.level = stderr_level;
    if (lg.t0_s == 0.0)
        lg.t0_s = r1_now_s();
}

int r1_log_rank(void) {
    return lg.rank;
}

void r1_log_name(const char *program) {
    lg.name = program;
}

r1_status r1_log_open_file(const char *path, r1_err *err) {
    FILE *f = fopen(path, "ae");

    if (!f)
        return R1_FAIL(err, R1_IO, "cannot open log '%s': %s", path, strerror(errno));
    r1_log_close();
    lg.file = f;
    fwrite(early.text, 1, early.n, f);
    fflush(f);
    early.n = 0;
    return R1_OK;
}

void r1_log_close(void) {
    pthread_mutex_lock(&lock);
    if (lg.file)
        fclose(lg.file);
    lg.file = NULL;
    pthread_mutex_unlock(&lock);
}

static void clear_bar(void) {
    if (lg.bar_shown)
        fputs("\r\033[K", stderr);
    lg.bar_shown = 0;
}

static void to_file(const char *level, const char *line) {
    if (!lg.file) {
        keep_early(level, line);
        return;
    }
    fprintf(lg.file, "%10.3f rank %d %-5s %s\n", r1_now_s() - lg.t0_s, lg.rank, level, line);
    fflush(lg.file);
}

void r1_log(r1_log_level level, const char *fmt, ...) {
    static const char *const names[] = {"error", "warn", "info", "debug"};
    char line[2048];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    pthread_mutex_lock(&lock);
    to_file(names[level], line);
    if (level <= lg.level && (lg.rank <= 0 || level == R1_LOG_ERROR)) {
        clear_bar();
        if (level == R1_LOG_ERROR && lg.rank > 0)
            fprintf(stderr, "%s: error (rank %d): %s\n", lg.name, lg.rank, line);
        else if (level <= R1_LOG_WARN)
            fprintf(stderr, "%s: %s: %s\n", lg.name, level == R1_LOG_ERROR ? "error" : "warning",
                    line);
        else
            fprintf(stderr, "%s\n", line);
    }
    pthread_mutex_unlock(&lock);
}

void r1_report(const char *fmt, ...) {
    char line[16384];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    pthread_mutex_lock(&lock);
    to_file("info", line);
    clear_bar();
    fprintf(stderr, "%s\n", line);
    pthread_mutex_unlock(&lock);
}

void r1_progress_start(r1_progress *p, const char *what, double total) {
    double now = r1_now_s();

    *p = (r1_progress){.what = what, .total = total > 0 ? total : 1, .t0_s = now, .t_last_s = now};
}

void r1_progress_update(r1_progress *p, double done) {
    double now = r1_now_s(), since = now - p->t0_s;
    int tty = isatty(STDERR_FILENO);

    if (lg.rank > 0 || lg.level < R1_LOG_INFO || since < 5.0 ||
        now - p->t_last_s < (tty ? 0.2 : 30.0))
        return;
    double share = done / p->total;
    share = share < 0 ? 0 : share > 1 ? 1 : share;
    double eta_s = share > 0 ? since * (1 - share) / share : 0;
    p->t_last_s = now;
    p->shown = 1;
    if (tty) {
        char bar[31];
        int full = (int)(share * 30);

        memset(bar, '.', 30);
        memset(bar, '#', (size_t)full);
        bar[30] = '\0';
        fprintf(stderr, "\r\033[K%s [%s] %3.0f %%  eta %.0f s", p->what, bar, 100 * share, eta_s);
        fflush(stderr);
        lg.bar_shown = 1;
    } else {
        fprintf(stderr, "%s: %.0f %%, eta %.0f s\n", p->what, 100 * share, eta_s);
    }
}

void r1_progress_finish(r1_progress *p) {
    if (p->shown && lg.rank <= 0)
        clear_bar();
    p->shown = 0;
}
