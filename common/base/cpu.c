/* CPU detection through cpuid and xgetbv; other architectures report no flags. */
#include "common/base/cpu.h"

#include "common/base/cgroup.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#include <cpuid.h>

static unsigned long long xcr0(void) {
    unsigned lo, hi;

    __asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
    return (unsigned long long)hi << 32 | lo;
}

/* Linux lets a process use the tile registers (component 18 of the state) once it has asked. */
static int tiles_allowed(void) {
#if defined(__linux__)
    return syscall(SYS_arch_prctl, 0x1023 /* ARCH_REQ_XCOMP_PERM */, 18) == 0;
#else
    return 0;
#endif
}

static unsigned detect(void) {
    unsigned a, b, c, d, flags = 0;

    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE) || !(c & bit_FMA) || !(c & bit_F16C))
        return 0;
    unsigned long long os = xcr0();
    if ((os & 0x6) != 0x6 || !__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(b & bit_AVX2))
        return 0;
    flags |= R1_CPU_AVX2;
    unsigned need = bit_AVX512F | bit_AVX512BW | bit_AVX512DQ | bit_AVX512VL;
    if ((os & 0xe0) != 0xe0 || (b & need) != need)
        return flags;
    flags |= R1_CPU_AVX512;
    int amx = (d & (1u << 22)) && (d & (1u << 24)) && (os & 0x60000) == 0x60000 && tiles_allowed();
    if (__get_cpuid_count(7, 1, &a, &b, &c, &d) && (a & (1u << 5)))
        flags |= R1_CPU_AVX512_BF16;
    if (amx)
        flags |= R1_CPU_AMX_BF16;
    return flags;
}

static void cpuid_text(unsigned leaf0, unsigned leaves, char *out) {
    for (unsigned i = 0; i < leaves; i++) {
        unsigned r[4] = {0};
        __get_cpuid(leaf0 + i, &r[0], &r[1], &r[2], &r[3]);
        memcpy(out + (size_t)16 * i, r, 16);
    }
}
#else
static unsigned detect(void) {
    return 0;
}
#endif

unsigned r1_cpu_flags(void) {
    const char *mask = getenv("R1_CPU_MASK");
    unsigned flags = detect();

    return mask && *mask ? flags & (unsigned)strtoul(mask, NULL, 0) : flags;
}

int r1_cpu_mask_is_good(void) {
    const char *mask = getenv("R1_CPU_MASK");
    char *end;

    if (!mask || !*mask)
        return 1;
    errno = 0;
    unsigned long v = strtoul(mask, &end, 0);
    return errno == 0 && *end == '\0' && end != mask && *mask != '-' && v <= UINT_MAX;
}

r1_cpu_vendor r1_cpu_vendor_id(void) {
#if defined(__x86_64__)
    unsigned a, b, c, d;

    if (__get_cpuid(0, &a, &b, &c, &d)) {
        if (b == signature_AMD_ebx)
            return R1_CPU_AMD;
        if (b == signature_INTEL_ebx)
            return R1_CPU_INTEL;
    }
#endif
    return R1_CPU_OTHER;
}

const char *r1_cpu_name(void) {
    static char name[49];

#if defined(__x86_64__)
    if (!name[0])
        cpuid_text(0x80000002u, 3, name);
#endif
    return name[0] ? name : "unknown CPU";
}

int r1_cpu_cores(void) {
    double quota = r1_cgroup_cores("");
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return 1;
    int n = CPU_COUNT(&set), most = quota > 0 ? (int)(quota + 0.999) : n;
    return most < n ? most : n;
}

int r1_cpu_threads_max(void) {
    int n = 16 * r1_cpu_cores();

    return n < 4096 ? n : 4096;
}

/* MemAvailable of the machine, in bytes. */
static double machine_has(void) {
    FILE *f = fopen("/proc/meminfo", "re");
    char line[256];
    double kib = -1;

    while (f && kib < 0 && fgets(line, sizeof line, f))
        if (sscanf(line, "MemAvailable: %lf", &kib) != 1)
            kib = -1;
    if (f)
        fclose(f);
    return kib < 0 ? 1e9 : kib * 1024;
}

double r1_memory_available(void) {
    double have = machine_has(), granted = r1_cgroup_memory("");

    return granted >= 0 && granted < have ? granted : have;
}

#define UNLIMITED 1e18

double r1_address_space_left(void) {
    struct rlimit limit;
    double pages = 0;

    if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
        return UNLIMITED;
    FILE *f = fopen("/proc/self/statm", "re");
    if (f && fscanf(f, "%lf", &pages) != 1)
        pages = 0;
    if (f)
        fclose(f);
    return (double)limit.rlim_cur - pages * (double)sysconf(_SC_PAGESIZE);
}

double r1_shared_memory_left(void) {
    struct statvfs fs;

    return statvfs("/dev/shm", &fs) == 0 ? (double)fs.f_bavail * (double)fs.f_frsize : UNLIMITED;
}

double r1_memory_used(void) {
    double all, resident = 0;
    FILE *f = fopen("/proc/self/statm", "re");

    if (f && fscanf(f, "%lf %lf", &all, &resident) != 2)
        resident = 0;
    if (f)
        fclose(f);
    return resident * (double)sysconf(_SC_PAGESIZE);
}
