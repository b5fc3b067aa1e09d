/* The "avx2" path. */
#include "common/kernels/impl.h"

#include <math.h>
#include <omp.h>
#include <string.h>

#include "common/kernels/simd_avx2.h"

#define PATH_NAME "avx2"
#define PATH_FILL r1_ops_fill_avx2
#include "common/kernels/path.inc"
