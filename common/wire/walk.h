#ifndef R1_WIRE_WALK_H
#define R1_WIRE_WALK_H
/* A look at msgpack before it is unpacked: msgpack-c allocates for as many elements as a header claims
 * before it reads the first, so a few bytes could ask for many gigabytes. */
#include <stddef.h>

#define R1_WALK_DEPTH 8 /* objects within objects */

/* Is this one whole object, nothing behind it, of at most max_objects objects in all, whose every
 * count and length fits into the bytes that are there? */
int r1_msgpack_is_whole(const void *data, size_t n, size_t max_objects);

#endif
