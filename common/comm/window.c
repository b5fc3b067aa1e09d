/* Shared windows; see window.h. */
#include "common/comm/window.h"

#include "common/base/mem.h"
#include "common/base/trace.h"
#include "common/comm/collect.h"
#include "common/comm/wait.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/statvfs.h>

#define MAX_NODE_RANKS 1024

/* At the start of the leader's segment. */
struct r1_window_head {
    _Atomic uint64_t version[2], hash[2];
    _Atomic int current;
    _Atomic int reading[MAX_NODE_RANKS];
};

static size_t head_bytes(void) {
    return r1_align_up(sizeof(struct r1_window_head), 4096);
}

static void set_reading(r1_window *w, int slot) {
    atomic_store(&w->head->reading[w->world->node.rank], slot);
}

/* Shared memory is backed by /dev/shm; writing beyond its size would be SIGBUS. */
static r1_status check_space(const r1_world *world, size_t mine, r1_err *err) {
    size_t all[MAX_NODE_RANKS], need = 0;
    struct statvfs fs;
    r1_status st;

    R1_ASSERT(world->node.size <= MAX_NODE_RANKS);
    R1_TRY(r1_allgather(&world->node, &mine, sizeof mine, all, "sizes of the window", err));
    for (int r = 0; r < world->node.size; r++)
        need += all[r];
    if (statvfs("/dev/shm", &fs) == 0 && (size_t)fs.f_bavail * fs.f_frsize < need)
        st =
            R1_FAIL(err, R1_USAGE,
                    "/dev/shm on %s has %.0f MiB free, the shared windows need %.0f MiB (weights "
                    "and gradients of this model; enlarge /dev/shm or use fewer learners per node)",
                    world->host, (double)fs.f_bavail * (double)fs.f_frsize / 1048576.0,
                    (double)need / 1048576.0);
    st = r1_agree(&world->node, st, err);
done:
    return st;
}

r1_status r1_window_open(r1_window *w, const r1_world *world, size_t slot_bytes, int n_slots,
                         size_t segment_bytes, r1_err *err) {
    size_t slot = r1_align_up(slot_bytes, 4096), shared = r1_align_up(segment_bytes, 4096);
    size_t front = world->node.rank == 0 ? head_bytes() + (size_t)n_slots * slot : 0;
    MPI_Win win;
    void *base;
    r1_status st;

    *w = (r1_window){.world = world, .slot_bytes = slot, .n_slots = n_slots};
    R1_TRY(check_space(world, front + shared, err));
    R1_TRY(R1_NEW(w->segments, (size_t)world->node.size, err));
    R1_TRY(R1_NEW(w->segment_bytes, (size_t)world->node.size, err));
    R1_TRY(r1_mpi_check(MPI_Win_allocate_shared((MPI_Aint)(front + shared), 1, MPI_INFO_NULL,
                                                r1_mpi(&world->node), &base, &win),
                        "MPI_Win_allocate_shared", err));
    MPI_Win *kept = r1_calloc(1, sizeof *kept);
    R1_ASSERT(kept != NULL);
    *kept = win;
    w->win = kept;
    if (front + shared)
        memset(base, 0, front + shared); /* the owner touches its pages first */
    for (int r = 0; r < world->node.size; r++) {
        MPI_Aint bytes;
        int unit;
        void *at;
        R1_TRY(r1_mpi_check(MPI_Win_shared_query(win, r, &bytes, &unit, &at),
                            "MPI_Win_shared_query", err));
        size_t skip = r == 0 ? head_bytes() + (size_t)n_slots * slot : 0;
        if (r == 0) {
            w->head = at;
            w->slots = (unsigned char *)at + head_bytes();
        }
        w->segments[r] = (float *)(void *)((unsigned char *)at + skip);
        w->segment_bytes[r] = (size_t)bytes - skip;
    }
    R1_TRY(r1_barrier(&world->node, "clearing the window", err)); /* before anyone writes to it */
    set_reading(w, -1);
    st = r1_barrier(&world->node, "opening the window", err);
done:
    if (st != R1_OK)
        r1_window_close(w);
    return st;
}

void r1_window_close(r1_window *w) {
    if (w->win)
        MPI_Win_free((MPI_Win *)w->win);
    r1_free(w->win);
    r1_free(w->segments);
    r1_free(w->segment_bytes);
    *w = (r1_window){0};
}

void *r1_window_slot(const r1_window *w, int slot) {
    R1_ASSERT(slot >= 0 && slot < w->n_slots);
    return w->slots + (size_t)slot * w->slot_bytes;
}

int r1_window_current(const r1_window *w, uint64_t *ret_version, uint64_t *ret_hash) {
    int slot = atomic_load_explicit(&w->head->current, memory_order_acquire);

    *ret_version = atomic_load_explicit(&w->head->version[slot], memory_order_relaxed);
    *ret_hash = atomic_load_explicit(&w->head->hash[slot], memory_order_relaxed);
    return slot;
}

void r1_window_publish(r1_window *w, int slot, uint64_t version, uint64_t hash) {
    R1_TRACE();
    atomic_store_explicit(&w->head->version[slot], version, memory_order_relaxed);
    atomic_store_explicit(&w->head->hash[slot], hash, memory_order_relaxed);
    atomic_store(&w->head->current, slot); /* release, and ordered with the readers' words */
}

/* Announce first, then look again: a writer that missed the word has published another slot. */
static int announce(r1_window *w, uint64_t version, int *ret_slot, uint64_t *ret_hash) {
    uint64_t have;
    int slot = atomic_load(&w->head->current);

    set_reading(w, slot);
    *ret_slot = slot;
    if (slot == r1_window_current(w, &have, ret_hash) && have == version)
        return 1;
    set_reading(w, -1);
    return 0;
}

r1_status r1_window_enter(r1_window *w, uint64_t version, uint64_t hash, int *ret_slot,
                          r1_err *err) {
    uint64_t have;
    r1_waiter wait;
    r1_status st = R1_OK;

    r1_wait_begin(&wait, "weights of the next version", -1, w->slot_bytes);
    while (!announce(w, version, ret_slot, &have) && st == R1_OK)
        st = r1_wait_round(&wait, err);
    r1_wait_end(&wait);
    if (st != R1_OK || have == hash)
        return st;
    set_reading(w, -1);
    return R1_FAIL(err, R1_PEER, "weights of version %llu on %s have the hash %016llx, not %016llx",
                   (unsigned long long)version, w->world->host, (unsigned long long)have,
                   (unsigned long long)hash);
}

void r1_window_leave(r1_window *w) {
    set_reading(w, -1);
}

r1_status r1_window_wait_unread(const r1_window *w, int slot, r1_err *err) {
    r1_waiter wait;
    r1_status st = R1_OK;

    r1_wait_begin(&wait, "readers of the old weights", -1, w->slot_bytes);
    for (int r = 0; r < w->world->node.size && st == R1_OK; r++)
        while (atomic_load(&w->head->reading[r]) == slot && st == R1_OK)
            st = r1_wait_round(&wait, err);
    r1_wait_end(&wait);
    return st;
}
