/* The "amx_bf16" path: matrix products on AMX tiles, everything else as in "avx512".  Processors
 * with AMX run vdpbf16ps at half the rate of fp32 FMA, so attention stays with FMA. */
#include "common/kernels/impl.h"

#include <math.h>
#include <omp.h>
#include <string.h>

#include "common/kernels/simd_avx512.h"

#define HAVE_PAIRS 1
#define HAVE_AMX   1
#define PATH_NAME  "amx_bf16"
#define PATH_FILL  r1_ops_fill_amx_bf16
#include "common/kernels/path.inc"
