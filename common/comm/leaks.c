/* LeakSanitizer beside Open MPI; see leaks.h.  Compiled with AddressSanitizer only. */
#include "common/comm/leaks.h"

#include <sanitizer/lsan_interface.h>
#include <unistd.h>

/* Asked for by the sanitizer's run time by these names. */
const char *__asan_default_options(void) __attribute__((visibility("default"), used));
const char *__lsan_default_suppressions(void) __attribute__((visibility("default"), used));

const char *__asan_default_options(void) {
    return "leak_check_at_exit=0";
}

const char *__lsan_default_suppressions(void) {
    return "leak:libmpi\nleak:libopen-rte\nleak:libopen-pal\nleak:libpmix\nleak:mca_\nleak:"
           "libhwloc\n"
           "leak:libevent\nleak:libucs\nleak:libfabric\nleak:libpsm\nleak:librdmacm\n";
}

void r1_leaks_ignore(int on) {
    if (on)
        __lsan_disable();
    else
        __lsan_enable();
}

void r1_leaks_check(void) {
    if (__lsan_do_recoverable_leak_check())
        _exit(23);
}
