#ifndef R1_TESTS_FUZZ_H
#define R1_TESTS_FUZZ_H
/* Fuzz targets: one function per file fuzz_NAME.c, called with bytes that may be anything.  It must
 * return, leak nothing, and check what must hold for every input (R1_ASSERT).
 *
 * With -Dfuzzing=none the default suite links it with replay.c, which feeds the committed seeds and
 * seeded mutations of them.  With -Dfuzzing=libfuzzer (clang) the engine comes from libFuzzer:
 *     CC=clang-14 meson setup build-fuzz -Dfuzzing=libfuzzer && ninja -C build-fuzz
 *     build-fuzz/tests/fuzz/fuzz_reward CORPUS tests/fuzz/seeds/reward
 * where CORPUS is a folder of its own: libFuzzer writes into the first one.  Inputs lie in blocks of
 * just their size, and files are copied into such blocks, where AddressSanitizer is on
 * (tests/run --asan, libFuzzer); without it a replay shows crashes and broken promises only. */
#include "common/base/err.h"

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#endif
