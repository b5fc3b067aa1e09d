#ifndef R1_REWARD_JUDGE_USAGE_H
#define R1_REWARD_JUDGE_USAGE_H
/* What a tree of processes uses now, read from /proc. */
#include <stdint.h>
#include <sys/types.h>

typedef struct r1_usage {
    uint32_t tasks; /* processes and threads, without the root of the tree */
    uint64_t resident_bytes;
    uint64_t cpu_us; /* of the living, and of the dead whose parents waited for them */
    pid_t lone; /* the only task, else the only one that runs or wants to; 0: none or several */
    uint64_t lone_delay_us; /* how long it has waited for a processor in its life */
} r1_usage;

/* At most R1_USAGE_TASKS_MAX processes are visited: more is past every limit anyway. */
#define R1_USAGE_TASKS_MAX 1024
r1_usage r1_usage_read(pid_t root);

#endif
