/* What this build is and what it runs on; see cli.h. */
#include "common/base/cli.h"
#include "common/base/cpu.h"
#include "version.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char r1_version[] = R1_VERSION;

#if defined(__x86_64__)
#define KERNELS "ref avx2 avx512 avx512_bf16 amx_bf16"
#else
#define KERNELS "ref"
#endif

#ifdef NDEBUG
#define INNER_CHECKS "off"
#else
#define INNER_CHECKS "on"
#endif

/* Instruction sets by name, after R1_CPU_MASK. */
static void list_flags(char *out, size_t size) {
    static const struct {
        unsigned flag;
        const char *name;
    } names[] = {{R1_CPU_AVX2, "avx2"},
                 {R1_CPU_AVX512, "avx512"},
                 {R1_CPU_AVX512_BF16, "avx512_bf16"},
                 {R1_CPU_AMX_BF16, "amx_bf16"}};
    unsigned flags = r1_cpu_flags();

    *out = '\0';
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t at = strlen(out);
        if (flags & names[i].flag)
            snprintf(out + at, size - at, " %s", names[i].name);
    }
    if (!*out)
        snprintf(out, size, " none");
}

const char *r1_build_facts(void) {
    const char *mask = getenv("R1_CPU_MASK");
    static char text[2048];
    char flags[128];

    list_flags(flags, sizeof flags);
    snprintf(text, sizeof text,
             "commit     " R1_COMMIT "\n"
             "compiler   " R1_COMPILER "\n"
             "build      " R1_BUILD ", inner checks " INNER_CHECKS "\n"
             "kernels    " KERNELS "\n"
             "libraries  " R1_LIBRARIES "\n"
             "processor  %s, %d cores, instruction sets:%s%s%s\n",
             r1_cpu_name(), r1_cpu_cores(), flags, mask && *mask ? ", R1_CPU_MASK=" : "",
             mask && *mask ? mask : "");
    return text;
}
