#ifndef R1_STORE_MANIFEST_H
#define R1_STORE_MANIFEST_H
/* `manifest`: one line a file of a checkpoint, "hash size name"; names may begin with "../" for the
 * reference policy.  The hash is the xxh3 of the xxh3 (64 bits, little-endian) of the file's pieces
 * of 1 MiB, so that pieces can be hashed as they are written.  The first line is the format, the
 * last one the xxh3 of all before it.  Written last.  Limits: 1200 files, names of 95 bytes. */
#include "common/base/err.h"

#include <stdint.h>

typedef struct r1_manifest_entry {
    char name[96];
    uint64_t bytes, hash;
} r1_manifest_entry;

#define R1_MANIFEST_MAX   1200
#define R1_MANIFEST_PIECE ((size_t)1 << 20)

typedef struct r1_manifest {
    int n;
    r1_manifest_entry entry[R1_MANIFEST_MAX];
} r1_manifest;

/* Size and hash of a file.  known[n_known]: hashes of its first pieces, 0 where not known. */
R1_MUST_USE r1_status r1_manifest_measure(const char *path, const uint64_t *known, size_t n_known,
                                          uint64_t *ret_bytes, uint64_t *ret_hash, r1_err *err);
R1_MUST_USE r1_status r1_manifest_add(r1_manifest *m, const char *name, uint64_t bytes,
                                      uint64_t hash, r1_err *err);
const r1_manifest_entry *r1_manifest_find(const r1_manifest *m, const char *name);
R1_MUST_USE r1_status r1_manifest_write(const r1_manifest *m, const char *dir, r1_err *err);
R1_MUST_USE r1_status r1_manifest_read(r1_manifest *m, const char *dir, r1_err *err);
/* How closely files are looked at.  Shards and references carry hashes of their own, which are
 * compared when they are read. */
typedef enum r1_manifest_depth {
    R1_MANIFEST_SIZES,
    R1_MANIFEST_HEAD /* sizes, and the contents of all but shards and references */
} r1_manifest_depth;

/* Is every file there as the manifest says?  R1_DATA names the first that is not. */
R1_MUST_USE r1_status r1_manifest_check(const r1_manifest *m, const char *dir,
                                        r1_manifest_depth depth, r1_err *err);
/* Is it a file with hashes of its own? */
int r1_manifest_is_shard(const char *name);

#endif
