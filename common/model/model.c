/* Opening a model: the layout and the rotary tables; see model.h. */
#include "common/model/model.h"

#include <math.h>

static void fill_cos_sin(r1_model *m) {
    int half = m->arch.head_dim / 2;

    for (int i = 0; i < half; i++) {
        double f = r1_arch_inv_freq(&m->arch, i);
        for (int p = 0; p < m->max_len; p++) {
            float *row = m->cos_sin + (size_t)p * (size_t)m->arch.head_dim;
            row[i] = (float)cos(p * f);
            row[half + i] = (float)sin(p * f);
        }
    }
}

r1_status r1_model_open(r1_model *m, const r1_arch *arch, const r1_ops *ops, int max_len,
                        r1_err *err) {
    r1_status st;

    *m = (r1_model){.arch = *arch, .ops = ops, .max_len = max_len};
    R1_TRY(r1_layout_open(&m->layout, arch, ops->dtype, err));
    R1_TRY(R1_NEW(m->cos_sin, (size_t)max_len * (size_t)arch->head_dim, err));
    fill_cos_sin(m);
    return R1_OK;
done:
    r1_model_close(m);
    return st;
}

void r1_model_close(r1_model *m) {
    r1_layout_close(&m->layout);
    r1_free(m->cos_sin);
    *m = (r1_model){0};
}
