/* Walking over msgpack; see walk.h. */
#include "common/wire/walk.h"

#include <stdint.h>

typedef struct walk {
    const uint8_t *s;
    size_t n, at, objects;
} walk;

/* What follows a first byte: a big-endian number of `width` bytes (0: `fixed` says it) that counts
 * `each` objects or bytes; `more` bytes beside them. */
typedef struct header {
    uint8_t width, more, objects;
    uint64_t fixed;
} header;

static int read_header(uint8_t b, header *h) {
    static const header by_byte[] = {
        {0},
        {.fixed = UINT64_MAX},
        {0},
        {0}, /* nil, (never used), false, true */
        {1},
        {2},
        {4}, /* bin 8, 16, 32 */
        {1, .more = 1},
        {2, .more = 1},
        {4, .more = 1}, /* ext */
        {.fixed = 4},
        {.fixed = 8}, /* float */
        {.fixed = 1},
        {.fixed = 2},
        {.fixed = 4},
        {.fixed = 8}, /* uint */
        {.fixed = 1},
        {.fixed = 2},
        {.fixed = 4},
        {.fixed = 8}, /* int */
        {.fixed = 2},
        {.fixed = 3},
        {.fixed = 5},
        {.fixed = 9},
        {.fixed = 17}, /* fixext */
        {1},
        {2},
        {4}, /* str */
        {2, .objects = 1},
        {4, .objects = 1}, /* array 16, 32 */
        {2, .objects = 2},
        {4, .objects = 2}, /* map */
    };

    *h = (header){0};
    if (b >= 0xc0 && b < 0xe0)
        *h = by_byte[b - 0xc0];
    else if (b >= 0xa0 && b < 0xc0)
        h->fixed = b & 31;
    else if (b >= 0x80 && b < 0xa0)
        *h = (header){.objects = b < 0x90 ? 2 : 1, .fixed = b & 15};
    return h->fixed != UINT64_MAX;
}

static int step(walk *w, size_t max_objects, int depth) {
    header h;

    if (w->at == w->n || depth > R1_WALK_DEPTH || ++w->objects > max_objects ||
        !read_header(w->s[w->at++], &h))
        return 0;
    uint64_t count = h.fixed;
    if (w->n - w->at < h.width)
        return 0;
    for (int i = 0; i < h.width; i++)
        count = count << 8 | w->s[w->at++];
    if (!h.objects) {
        if (count + h.more > w->n - w->at)
            return 0;
        w->at += (size_t)count + h.more;
        return 1;
    }
    count *= h.objects;
    if (count > w->n - w->at) /* an object has a byte at least */
        return 0;
    for (uint64_t i = 0; i < count; i++)
        if (!step(w, max_objects, depth + 1))
            return 0;
    return 1;
}

int r1_msgpack_is_whole(const void *data, size_t n, size_t max_objects) {
    walk w = {.s = data, .n = n};

    return step(&w, max_objects, 1) && w.at == n;
}
