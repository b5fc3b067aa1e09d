/* Weights from files into the flat space; see layout.h. */
#include "common/base/card.h"
#include "common/formats/tensors.h"
#include "common/model/layout.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* The entry of one of our tensors, checked: its shape is [rows, cols], or [cols] of a vector. */
static r1_status find(const r1_layout *l, const r1_tensors *src, uint32_t tensor,
                      const r1_tensor_entry **ret, r1_err *err) {
    const r1_tensor *t = &l->tensors[tensor];
    const r1_tensor_entry *e = r1_tensors_find(src, t->name);
    char want[64], have[200] = "";

    if (!e)
        return R1_FAIL(err, R1_DATA, "'%s' has no tensor '%s'", r1_tensors_path(src), t->name);
    int fits = t->is_matrix ? e->n_dims == 2 && e->dims[0] == (uint64_t)t->rows &&
                                  e->dims[1] == (uint64_t)t->cols
                            : e->n_dims == 1 && e->dims[0] == (uint64_t)t->cols;
    if (fits) {
        *ret = e;
        return R1_OK;
    }
    for (int i = 0; i < e->n_dims; i++) {
        size_t at = strlen(have);
        snprintf(have + at, sizeof have - at, "%s%llu", i ? ", " : "",
                 (unsigned long long)e->dims[i]);
    }
    if (t->is_matrix)
        snprintf(want, sizeof want, "%d, %d", t->rows, t->cols);
    else
        snprintf(want, sizeof want, "%d", t->cols);
    return R1_FAIL(err, R1_DATA, "%s: tensor '%s' has shape [%s], the configuration says [%s]",
                   e->file, t->name, have, want);
}

/* A tensor that we would pass over may be one that the arithmetic needs (a bias, a layer too many).
 * Known to be safe: tables of the rotary embedding (the descriptor has them as numbers), and a head
 * that the configuration ties. */
static r1_status refuse_unknown(const r1_layout *l, const r1_tensors *src, r1_err *err) {
    for (size_t i = 0; i < r1_tensors_count(src); i++) {
        const r1_tensor_entry *e = r1_tensors_at(src, i);
        uint32_t lo = 0, hi = l->n_tensors;
        while (lo < hi) { /* both lists are sorted by name */
            uint32_t mid = lo + (hi - lo) / 2;
            if (strcmp(l->tensors[mid].name, e->name) < 0)
                lo = mid + 1;
            else
                hi = mid;
        }
        if (lo < l->n_tensors && strcmp(l->tensors[lo].name, e->name) == 0)
            continue;
        if (!strstr(e->name, "rotary_emb.inv_freq") && strcmp(e->name, "rope_freqs.weight") != 0 &&
            strcmp(e->name, "lm_head.weight") != 0)
            return R1_FAIL(err, R1_DATA,
                           "%s: tensor '%s' does not belong to the model that the configuration "
                           "describes",
                           e->file, e->name);
    }
    return R1_OK;
}

/* A NaN or an infinity in a weight would show only as nonsense much later. */
static r1_status refuse_nonfinite(const r1_tensor *t, const r1_unit *u, const float *w,
                                  const char *file, r1_err *err) {
    for (size_t i = 0; i < u->n; i++)
        if (!isfinite(w[i]))
            return R1_FAIL(err, R1_DATA, "%s: tensor '%s' holds %g at row %zu, column %zu", file,
                           t->name, (double)w[i], (size_t)u->row0 + i / (size_t)t->cols,
                           i % (size_t)t->cols);
    return R1_OK;
}

r1_status r1_layout_load(const r1_layout *l, const r1_tensors *src, uint32_t u0, uint32_t u1,
                         float *w, r1_err *err) {
    size_t first = u0 < l->n_units ? l->units[u0].offset : 0;
    const r1_tensor_entry *e = NULL;
    r1_status st;

    R1_TRY(refuse_unknown(l, src, err));
    for (uint32_t t = 0; t < l->n_tensors; t++) /* all of them: every owner refuses alike */
        R1_TRY(find(l, src, t, &e, err));
    for (uint32_t i = u0; i < u1; i++) {
        const r1_unit *u = &l->units[i];
        const r1_tensor *t = &l->tensors[u->tensor];
        R1_TRY(find(l, src, u->tensor, &e, err));
        float *to = w + (u->offset - first);
        r1_tensors_read(e, u->offset - t->offset, u->n, to);
        R1_TRY(refuse_nonfinite(t, u, to, e->file, err));
        r1_tick();
    }
    return R1_OK;
done:
    return st;
}
