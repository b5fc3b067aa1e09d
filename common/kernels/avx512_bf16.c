/* The "avx512_bf16" path. */
#include "common/kernels/impl.h"

#include <math.h>
#include <omp.h>
#include <string.h>

#include "common/kernels/simd_avx512.h"

#define HAVE_PAIRS 1
#define HAVE_DP    1
#define PATH_NAME  "avx512_bf16"
#define PATH_FILL  r1_ops_fill_avx512_bf16
#include "common/kernels/path.inc"
