/* Opening a model: the layout and the rotary tables; see model.h. */
#include "common/model/model.h"

#include <math.h>

/* Inverse frequency of pair i, as `transformers` computes it (modeling_rope_utils.py): default
 * theta^(-2i/hd); linear: divided by the factor; llama3: long wavelengths divided, short ones kept,
 * those between blended. */
static double inv_freq(const r1_arch *a, int i) {
    double f = pow(a->rope_theta, -2.0 * i / a->head_dim);

    if (a->rope == R1_ROPE_LINEAR)
        return f / a->rope_factor;
    if (a->rope != R1_ROPE_LLAMA3)
        return f;
    double wavelen = 2.0 * M_PI / f, original = a->rope_original_positions;
    if (wavelen < original / a->rope_high_freq)
        return f;
    if (wavelen > original / a->rope_low_freq)
        return f / a->rope_factor;
    double smooth =
        (original / wavelen - a->rope_low_freq) / (a->rope_high_freq - a->rope_low_freq);
    return (1.0 - smooth) * f / a->rope_factor + smooth * f;
}

static void fill_cos_sin(r1_model *m) {
    int half = m->arch.head_dim / 2;

    for (int i = 0; i < half; i++) {
        double f = inv_freq(&m->arch, i);
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
