#ifndef R1_REWARD_JUDGE_SECCOMP_H
#define R1_REWARD_JUDGE_SECCOMP_H
/* Which system calls a judged program may make: all but those that reach beyond the box.
 *
 * A list of what is refused, not of what is allowed: compilers and Python use several hundred
 * calls, and namespaces, limits and dropped capabilities stand behind it.  Refused calls fail
 * (EPERM, or ENOSYS where a program then tries an older way); nothing is killed for asking, except
 * programs of another instruction set, whose numbers would mean other calls.
 * clone3 is refused because its flags lie in memory that a filter can't read; io_uring because it
 * works past the filter; memory that no process maps (memfd, System V) because nobody would count
 * it; priorities because a program could starve itself and be run again. */

/* For this thread and what it starts; needs no-new-privileges.  0, or -1 with errno. */
int r1_seccomp_install(void);

#endif
