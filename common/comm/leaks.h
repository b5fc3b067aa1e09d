#ifndef R1_COMM_LEAKS_H
#define R1_COMM_LEAKS_H
/* Leaks of our own code under AddressSanitizer (tests/run --asan); nothing in other builds.
 *
 * Open MPI never frees much of what it allocates, and its plug-ins are gone when a program ends, so
 * that a report at exit cannot be told apart from ours.  What is allocated inside MPI's own calls is
 * ignored, and the check runs while its plug-ins are still loaded. */

/* Around MPI_Init, and in front of MPI_Finalize: found leaks end the process with exit code 23. */
#if defined(__SANITIZE_ADDRESS__)
void r1_leaks_ignore(int on);
void r1_leaks_check(void);
#else
static inline void r1_leaks_ignore(int on) {
    (void)on;
}
static inline void r1_leaks_check(void) {
}
#endif

#endif
