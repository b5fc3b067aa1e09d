/* A build without FLINT; see exact.h. */
#include "reward/math/exact.h"

int r1_exact_compare(r1_mctx *c, const r1_node *a, const r1_node *b) {
    return 0;
}
