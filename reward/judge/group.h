#ifndef R1_REWARD_JUDGE_GROUP_H
#define R1_REWARD_JUDGE_GROUP_H
/* Control groups around a box, version 1 or 2, where this process may make some.
 *
 * They count exactly what the supervisor otherwise samples every few milliseconds: memory (pages of
 * files in the box too), tasks, processor time.  Each of the three is used if it is there. */
#include "reward/judge/box.h"

#include <sys/types.h>

#define R1_GROUP_PATH_MAX 384

/* Directories below which groups can be made; an empty text where not.  Version 2 has one. */
typedef struct r1_groups {
    char memory[R1_GROUP_PATH_MAX], tasks[R1_GROUP_PATH_MAX], cpu[R1_GROUP_PATH_MAX];
    int unified;
} r1_groups;

/* Looks at /proc/self and tries; never fails, may find nothing. */
void r1_groups_find(r1_groups *ret);
/* "memory pids cpu (v1)", or "none" and what stands in for them. */
void r1_groups_text(const r1_groups *g, char *buf, size_t size);

typedef struct r1_group {
    const r1_groups *in;
    pid_t pid;         /* of the box's process 1; also the group's name */
    int memory, tasks; /* is this limit held by a group? */
} r1_group;

/* Puts the process into groups of its own.  A controller that refuses is left out. */
void r1_group_open(r1_group *ret, const r1_groups *in, pid_t pid, const r1_box_limits *limits);

typedef struct r1_group_use {
    uint64_t cpu_us, peak_bytes; /* 0 where unknown */
    int out_of_memory;           /* the kernel killed something in it */
} r1_group_use;

r1_group_use r1_group_read(const r1_group *g);
/* When no process is left in it. */
void r1_group_close(r1_group *g);

#endif
