/* Packing of groups into ragged batches; see packing.h. */
#include "learner/packing.h"

#include "common/base/trace.h"

static int blocks_of(int positions) {
    return (positions + R1_KV_BLOCK - 1) / R1_KV_BLOCK;
}

/* Rows of one completion behind its prompt: its last token is only predicted. */
static int own_rows(int len) {
    return len > 1 ? len - 1 : 0;
}

int r1_piece_rows(const r1_item *item, int first, int n) {
    int rows = item->prompt_len;

    for (int m = first; m < first + n; m++)
        rows += own_rows(item->lens[m]);
    return rows;
}

int r1_piece_blocks(const r1_item *item, int first, int n) {
    int p = item->prompt_len;

    if (n == 1)
        return blocks_of(p + own_rows(item->lens[first]));
    int blocks = blocks_of(p), full = p / R1_KV_BLOCK;
    for (int m = first; m < first + n; m++)
        blocks += blocks_of(p + own_rows(item->lens[m])) - full;
    return blocks;
}

int r1_pack_next(const r1_item *items, const int *order, int n_order, int max_tokens, int *pos,
                 int *member, r1_piece *pieces, int max_pieces) {
    int n_pieces = 0, rows = 0;

    while (*pos < n_order && n_pieces < max_pieces) {
        const r1_item *item = &items[order[*pos]];
        int first = *member, n = item->n - first;
        int need = r1_piece_rows(item, first, n);

        if (rows + need > max_tokens && n_pieces > 0)
            break; /* the next micro-batch starts with a whole item, cut only if it is too long */
        if (need > max_tokens) {
            need = r1_piece_rows(item, first, n = 1);
            while (first + n < item->n && need + own_rows(item->lens[first + n]) <= max_tokens)
                need += own_rows(item->lens[first + n++]);
        }
        pieces[n_pieces++] = (r1_piece){order[*pos], first, n};
        rows += need;
        *member = first + n;
        if (*member < item->n)
            break; /* the rest of a cut item starts a micro-batch of its own */
        *member = 0;
        (*pos)++;
    }
    return n_pieces;
}

size_t r1_pack_bytes(int max_rows, int max_out, int max_sequences) {
    size_t rows = (size_t)max_rows, out = (size_t)max_out, seqs = (size_t)max_sequences;
    size_t tables =
        rows / R1_KV_BLOCK + 2 * seqs; /* entries: every table names its shared blocks */

    return rows * 8 + out * (8 + sizeof(r1_origin)) +
           seqs * (sizeof(r1_span) + sizeof(int32_t *) + sizeof(r1_attn_seq) + sizeof(int)) +
           (tables + seqs * tables) * sizeof(int32_t) + (size_t)64 * (16 + seqs);
}

/* Where the builder stands in the arrays of the batch. */
typedef struct builder {
    int32_t *ids, *pos, *out_rows, *targets;
    r1_origin *origins;
    r1_span *spans;
    const int32_t **tables;
    r1_attn_seq *seqs;
    int *group_start;
    int rows, out, n_spans, n_seqs, n_groups, next_block;
    r1_arena *arena;
} builder;

static void add_rows(builder *b, const int32_t *ids, int n, int pos, int seq) {
    if (n <= 0)
        return;
    b->spans[b->n_spans++] = (r1_span){.row = b->rows, .n = n, .pos = pos, .seq = seq};
    for (int i = 0; i < n; i++) {
        b->ids[b->rows + i] = ids[i];
        b->pos[b->rows + i] = pos + i;
    }
    b->rows += n;
}

static void add_out(builder *b, int row, int32_t target, int item, int member, int token) {
    b->out_rows[b->out] = row;
    b->targets[b->out] = target;
    b->origins[b->out++] = (r1_origin){item, member, token};
}

/* A table of `blocks` entries: the first `shared` are those of `from`, the others are new. */
static int32_t *new_table(builder *b, int blocks, const int32_t *from, int shared) {
    int32_t *t = r1_arena_take(b->arena, (size_t)(blocks ? blocks : 1) * sizeof *t);

    for (int i = 0; i < blocks; i++)
        t[i] = i < shared ? from[i] : b->next_block++;
    return t;
}

/* One completion that continues its prompt: a sequence of its own. */
static void add_single(builder *b, const r1_item *item, int index, int member) {
    int p = item->prompt_len, len = item->lens[member], rest = own_rows(len);
    int row0 = b->rows, seq = b->n_seqs++;

    b->tables[seq] = new_table(b, blocks_of(p + rest), NULL, 0);
    b->seqs[seq] = (r1_attn_seq){.row = row0, .len = p + rest};
    add_rows(b, item->prompt, p, 0, seq);
    for (int i = 0; i < rest; i++) { /* the same span goes on */
        b->ids[b->rows + i] = item->ids[member][i];
        b->pos[b->rows + i] = p + i;
    }
    b->spans[b->n_spans - 1].n += rest;
    b->rows += rest;
    for (int t = 0; t < len; t++)
        add_out(b, row0 + p - 1 + t, item->ids[member][t], index, member, t);
}

/* A shared prompt and its completions. */
static void add_group(builder *b, const r1_item *item, int index, int first, int n) {
    int p = item->prompt_len, full = p / R1_KV_BLOCK;
    int prompt_row = b->rows, prompt_seq = b->n_seqs++;
    int32_t *prompt_table = new_table(b, blocks_of(p), NULL, 0);

    b->tables[prompt_seq] = prompt_table;
    b->seqs[prompt_seq] = (r1_attn_seq){.row = prompt_row, .len = p};
    add_rows(b, item->prompt, p, 0, prompt_seq);
    for (int m = first; m < first + n; m++) {
        int len = item->lens[m], rest = own_rows(len), seq = b->n_seqs++, row0 = b->rows;

        b->tables[seq] = new_table(b, blocks_of(p + rest), prompt_table, full);
        b->seqs[seq] =
            (r1_attn_seq){.prefix_row = prompt_row, .prefix_len = p, .row = row0, .len = rest};
        add_rows(b, item->ids[m], rest, p, seq);
        for (int t = 0; t < len; t++)
            add_out(b, t == 0 ? prompt_row + p - 1 : row0 + t - 1, item->ids[m][t], index, m, t);
    }
}

void r1_pack_build(const r1_item *items, const r1_piece *pieces, int n_pieces, r1_arena *arena,
                   r1_packed *ret) {
    size_t rows = 0, out = 0, seqs = 0;

    R1_TRACE();
    for (int i = 0; i < n_pieces; i++) {
        const r1_item *item = &items[pieces[i].item];
        rows += (size_t)r1_piece_rows(item, pieces[i].first, pieces[i].n);
        seqs += (size_t)(pieces[i].n == 1 ? 1 : pieces[i].n + 1);
        for (int m = pieces[i].first; m < pieces[i].first + pieces[i].n; m++)
            out += (size_t)item->lens[m];
    }
    builder b = {.arena = arena};
    b.ids = r1_arena_take(arena, rows * 4);
    b.pos = r1_arena_take(arena, rows * 4);
    b.out_rows = r1_arena_take(arena, out * 4);
    b.targets = r1_arena_take(arena, out * 4);
    b.origins = r1_arena_take(arena, out * sizeof *b.origins);
    b.spans = r1_arena_take(arena, seqs * sizeof *b.spans);
    b.tables = r1_arena_take(arena, seqs * sizeof *b.tables);
    b.seqs = r1_arena_take(arena, seqs * sizeof *b.seqs);
    b.group_start = r1_arena_take(arena, ((size_t)n_pieces + 1) * sizeof(int));
    for (int i = 0; i < n_pieces; i++) {
        const r1_item *item = &items[pieces[i].item];
        b.group_start[b.n_groups++] = b.n_seqs;
        if (pieces[i].n == 1)
            add_single(&b, item, pieces[i].item, pieces[i].first);
        else
            add_group(&b, item, pieces[i].item, pieces[i].first, pieces[i].n);
    }
    b.group_start[b.n_groups] = b.n_seqs;
    *ret = (r1_packed){.batch = {.n_rows = b.rows,
                                 .ids = b.ids,
                                 .pos = b.pos,
                                 .n_spans = b.n_spans,
                                 .spans = b.spans,
                                 .tables = b.tables,
                                 .n_out = b.out,
                                 .out_rows = b.out_rows,
                                 .n_groups = b.n_groups,
                                 .group_start = b.group_start,
                                 .seqs = b.seqs},
                       .targets = b.targets,
                       .origins = b.origins,
                       .n_blocks = b.next_block};
}
