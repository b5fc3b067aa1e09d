#ifndef R1_BASE_CPU_H
#define R1_BASE_CPU_H
/* What this processor can do and how many cores this process may use.
 * R1_CPU_MASK=<number> keeps only the flags whose bits are set (0: plain C only). */

enum {
    R1_CPU_AVX2 = 1 << 0,        /* AVX2 + FMA + F16C */
    R1_CPU_AVX512 = 1 << 1,      /* F, BW, DQ, VL */
    R1_CPU_AVX512_BF16 = 1 << 2, /* vdpbf16ps */
    R1_CPU_AMX_BF16 = 1 << 3,    /* tdpbf16ps, and the system lets this process use it */
};

typedef enum r1_cpu_vendor {
    R1_CPU_OTHER,
    R1_CPU_AMD,
    R1_CPU_INTEL
} r1_cpu_vendor;

unsigned r1_cpu_flags(void); /* after the mask */
/* Is R1_CPU_MASK absent, empty (the same) or a number? */
int r1_cpu_mask_is_good(void);
r1_cpu_vendor r1_cpu_vendor_id(void);
const char *r1_cpu_name(void); /* brand string, e.g. "AMD EPYC" */

/* Cores in this process's affinity mask, at most what a container's quota allows. */
int r1_cpu_cores(void);
/* The most threads that a process may be told to use: 16 a core, at most 4096.  More only fail to
 * start, or take the memory of their stacks. */
int r1_cpu_threads_max(void);

/* Bytes of memory that this process has in use. */
double r1_memory_used(void);

/* Bytes that this node could give without swapping (MemAvailable, and within its
 * control groups' limits). */
double r1_memory_available(void);
/* Bytes that this process may still map (RLIMIT_AS), and that /dev/shm can still hold: writing beyond
 * that is SIGBUS.  A large number where there is no limit. */
double r1_address_space_left(void);
double r1_shared_memory_left(void);

#endif
