/* The "avx512" path. */
#include "common/kernels/impl.h"

#include <math.h>
#include <omp.h>
#include <string.h>

#include "common/kernels/simd_avx512.h"

#define PATH_NAME "avx512"
#define PATH_FILL r1_ops_fill_avx512
#include "common/kernels/path.inc"
