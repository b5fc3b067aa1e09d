#ifndef R1_BASE_CGROUP_H
#define R1_BASE_CGROUP_H
/* What a container or a batch system grants this process: control groups, version 2 and 1.
 *
 * The limit is the tightest of the process's own group and of all groups above it; under a container
 * the path that /proc/self/cgroup names may not be visible, then only the root's counts.
 * root: "" for the machine; tests give a directory with proc/ and sys/ in it. */

/* Bytes that the process could take before the kernel refuses: limit less use, where the page cache
 * of files counts as free, since it is given back on demand.  < 0: no limit. */
double r1_cgroup_memory(const char *root);

/* Cores' worth of time that the quota allows, e.g. 1.5.  < 0: no limit. */
double r1_cgroup_cores(const char *root);

#endif
