/* Leaves and micro-batches of an update; see cut.h. */
#include "learner/cut.h"

#include "common/comm/reduce.h"

static int larger(int a, int b) {
    return a > b ? a : b;
}

int r1_cut_leaf(const uint8_t *skip, int n_items, int leaves, int leaf, int *order) {
    int n = 0;

    for (int p = 0; p < n_items; p++)
        if (r1_leaf_of((uint64_t)p, leaves) == leaf && !(skip && skip[p]))
            order[n++] = p;
    return n;
}

static void add_leaf(r1_cut *c, int items, int micro_batches) {
    c->micro_batches += micro_batches;
    c->micro_batches_max = larger(c->micro_batches_max, micro_batches);
    c->leaf_items_max = larger(c->leaf_items_max, items);
    if (items == 0)
        c->empty_leaves++;
    else if (c->leaf_items_min == 0 || items < c->leaf_items_min)
        c->leaf_items_min = items;
}

void r1_cut_measure(const r1_item *items, const uint8_t *skip, int n_items, int leaves,
                    int max_tokens, int *order, r1_cut *ret) {
    r1_piece pieces[R1_CUT_PIECES];

    *ret = (r1_cut){0};
    for (int leaf = 0; leaf < leaves; leaf++) {
        int n_order = r1_cut_leaf(skip, n_items, leaves, leaf, order);
        int micro_batches = 0, pos = 0, member = 0, n;
        while ((n = r1_pack_next(items, order, n_order, max_tokens, &pos, &member, pieces,
                                 R1_CUT_PIECES)) > 0) {
            micro_batches++;
            /* The last one goes on in the next micro-batch; counted where it begins. */
            ret->items_cut += member > 0 && pieces[n - 1].first == 0;
        }
        add_leaf(ret, n_order, micro_batches);
    }
}

void r1_cut_add(r1_cut *sum, const r1_cut *x) {
    sum->micro_batches += x->micro_batches;
    sum->micro_batches_max = larger(sum->micro_batches_max, x->micro_batches_max);
    sum->leaf_items_max = larger(sum->leaf_items_max, x->leaf_items_max);
    if (sum->leaf_items_min == 0 ||
        (x->leaf_items_min > 0 && x->leaf_items_min < sum->leaf_items_min))
        sum->leaf_items_min = x->leaf_items_min;
    sum->empty_leaves = larger(sum->empty_leaves, x->empty_leaves);
    sum->items_cut += x->items_cut;
}

void r1_cut_record(const r1_cut *c, r1_record *rec) {
    r1_record_int(rec, c->micro_batches, "batch/micro_batches");
    r1_record_int(rec, c->micro_batches_max, "batch/micro_batches_max");
    r1_record_int(rec, c->leaf_items_min, "batch/leaf_items_min");
    r1_record_int(rec, c->leaf_items_max, "batch/leaf_items_max");
    r1_record_int(rec, c->empty_leaves, "batch/empty_leaves");
    r1_record_int(rec, c->items_cut, "batch/groups_cut");
}
