#ifndef R1_BASE_LOG_H
#define R1_BASE_LOG_H
/* Status messages.  stdout is for results; everything here goes to stderr (of rank 0 only, unless it
 * is an error) and, once opened, to this rank's log file with time, rank and level.
 *
 * Any thread may log.  Libraries log at debug; programs and stages at info.  Metrics are data, not log lines. */
#include "common/base/err.h"

typedef enum r1_log_level {
    R1_LOG_ERROR,
    R1_LOG_WARN,
    R1_LOG_INFO,
    R1_LOG_DEBUG
} r1_log_level;

/* rank < 0: a program without ranks (everything that passes the level is printed). */
void r1_log_init(int rank, r1_log_level stderr_level);
int r1_log_rank(void);
/* What errors and warnings begin with (not copied); "r1" until a program says its name. */
void r1_log_name(const char *program);

/* Append to `path` from now on (everything up to debug), after what has been said so far. */
R1_MUST_USE r1_status r1_log_open_file(const char *path, r1_err *err);
void r1_log_close(void);

void r1_log(r1_log_level level, const char *fmt, ...) R1_PRINTF(2, 3);
#define r1_error(...) r1_log(R1_LOG_ERROR, __VA_ARGS__)
#define r1_warn(...)  r1_log(R1_LOG_WARN, __VA_ARGS__)
#define r1_info(...)  r1_log(R1_LOG_INFO, __VA_ARGS__)
#define r1_debug(...) r1_log(R1_LOG_DEBUG, __VA_ARGS__)

/* Lines that go to stderr from any rank, and to its log: where everyone was when the run ended. */
void r1_report(const char *fmt, ...) R1_PRINTF(1, 2);

/* Progress of anything that may last: a bar with ETA on one line when stderr is a terminal, else a
 * plain line every 30 s; nothing at all before 5 s have passed.  Rank 0 only, others are silent. */
typedef struct r1_progress {
    const char *what; /* not copied */
    double total, t0_s, t_last_s;
    int shown;
} r1_progress;

void r1_progress_start(r1_progress *p, const char *what, double total);
void r1_progress_update(r1_progress *p, double done);
void r1_progress_finish(r1_progress *p);

#endif
