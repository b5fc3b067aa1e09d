#ifndef R1_REWARD_JUDGE_BOX_H
#define R1_REWARD_JUDGE_BOX_H
/* What the judge and the launcher say to each other: one program to run in one sandbox.
 *
 * The judge (in a rank) passes the launcher one end of a socket pair per box; the launcher forks a
 * supervisor for it.  On that socket the judge sends the length of the request (4 bytes, with the
 * descriptors that the program gets as 0, 1, 2, ...), then the request; the supervisor answers with
 * one r1_box_result when nothing of the box is alive any more.  Closing the socket, or shutting
 * down its writing half, kills the box.
 *
 * Both sides are of one build on one machine; the reader still trusts no length.  Records: a tag, a
 * length (4 bytes, little-endian), bytes:
 *   L  the limits as a struct          once, first
 *   A  a word of the command           at least one, the first is a path in the box
 *   E  NAME=VALUE of the environment
 *   F  a file in the work directory: permissions (4 bytes), name, NUL, contents
 *   G  name of a file there that is copied, when the program exits with 0, to the descriptor behind
 *      the program's own; if there is none, the exit status is 1
 * A program that can't be executed has exit status 127. */
#include "common/base/mem.h"

#define R1_BOX_WORDS_MAX 48 /* of the command, and of the environment */
#define R1_BOX_FILES_MAX 8
#define R1_BOX_FDS_MAX   6
#define R1_BOX_BYTES_MAX ((size_t)96 << 20) /* a whole request */
#define R1_BOX_WORK      "/work"            /* where the program starts */

typedef struct r1_box_limits {
    double cpu_s, wall_s;
    uint64_t memory_bytes;  /* resident, of all processes together */
    uint64_t address_bytes; /* of one process; 0: no limit */
    uint64_t stack_bytes;   /* of the first thread; others have as much, or 2 MiB if no limit */
    uint64_t file_bytes;    /* of one file; all of them together: R1_BOX_DISK_BYTES */
    uint32_t tasks;         /* processes and threads */
    uint32_t open_files;
} r1_box_limits;

#define R1_BOX_NO_LIMIT UINT64_MAX /* for stack_bytes: only address_bytes limits it */

#define R1_BOX_DISK_BYTES  ((uint64_t)64 << 20)
#define R1_BOX_DISK_INODES 8192

/* A box that the machine starves is given up after wall_s this often over. */
#define R1_BOX_STARVED_TIMES 4

typedef struct r1_box_file {
    const char *name; /* no '/' in it */
    const void *data;
    size_t n;
    uint32_t mode; /* 0400, 0500, ... */
} r1_box_file;

typedef struct r1_box_request {
    r1_box_limits limits;
    const char *words[R1_BOX_WORDS_MAX + 1], *env[R1_BOX_WORDS_MAX + 1]; /* end in NULL */
    r1_box_file files[R1_BOX_FILES_MAX];
    int n_words, n_env, n_files;
    const char *fetch; /* NULL: nothing is copied out */
} r1_box_request;

typedef enum r1_box_end {
    R1_BOX_EXITED,   /* code: exit status */
    R1_BOX_SIGNALED, /* code: signal */
    R1_BOX_CPU,      /* a limit struck */
    R1_BOX_WALL,
    R1_BOX_MEMORY,
    R1_BOX_TASKS,
    R1_BOX_STOPPED, /* by the judge */
    R1_BOX_STARVED, /* the machine gave it no time to reach a limit or its end */
    R1_BOX_FAILED,  /* the sandbox could not be made: why */
} r1_box_end;

typedef struct r1_box_result {
    uint32_t end; /* r1_box_end */
    int32_t code;
    uint64_t wall_us, cpu_us;
    uint64_t delay_us;   /* of wall: wanted to run, but others had the processor */
    uint64_t peak_bytes; /* resident memory, of all processes together as far as it was seen */
    uint32_t peak_tasks;
    uint32_t reserved;
    char why[232]; /* FAILED: the call and its error */
} r1_box_result;

/* What protects the machine, as the launcher found it; its first message, once. */
typedef struct r1_box_layers {
    int32_t usable; /* 0: no box can be made */
    char text
        [244]; /* "user pid mount net ipc uts cgroup seccomp rlimits; ...", or the failed call */
} r1_box_layers;

/* Append the request's bytes. */
R1_MUST_USE r1_status r1_box_encode(const r1_box_request *b, r1_buf *out, r1_err *err);

/* The other way; *ret points into `bytes`, which must stay.  R1_DATA names what is wrong. */
R1_MUST_USE r1_status r1_box_decode(const void *bytes, size_t n, r1_box_request *ret, r1_err *err);

#endif
