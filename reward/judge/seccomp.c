/* The filter, as classic BPF; see seccomp.h. */
#include "reward/judge/seccomp.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#if defined __x86_64__
#define ARCH AUDIT_ARCH_X86_64
#elif defined __aarch64__
#define ARCH AUDIT_ARCH_AARCH64
#else
#define ARCH 0 /* no filter is known for it: nothing runs */
#endif

/* Newer than some headers; the same number everywhere from 424 on. */
enum {
    NR_io_uring_setup = 425,
    NR_io_uring_enter,
    NR_io_uring_register,
    NR_open_tree,
    NR_move_mount,
    NR_fsopen,
    NR_fsconfig,
    NR_fsmount,
    NR_fspick,
    NR_pidfd_open,
    NR_clone3,
    NR_pidfd_getfd = 438,
    NR_process_madvise = 440,
    NR_mount_setattr = 442,
    NR_quotactl_fd = 443,
    NR_memfd_secret = 447,
    NR_process_mrelease = 448,
    NR_set_mempolicy_home_node = 450,
};

#define TIOCLINUX_ 0x541C

static const struct refused {
    uint32_t nr, error;
} refused[] = {
    {NR_clone3, ENOSYS},
    {NR_io_uring_setup, ENOSYS},
    {NR_io_uring_enter, ENOSYS},
    {NR_io_uring_register, ENOSYS},
    {NR_memfd_secret, ENOSYS},
    {__NR_memfd_create, ENOSYS},
    /* Objects of System V and queues: where no ipc namespace can be made they would be shared. */
    {__NR_shmget, ENOSYS},
    {__NR_shmat, ENOSYS},
    {__NR_shmctl, ENOSYS},
    {__NR_semget, ENOSYS},
    {__NR_semop, ENOSYS},
    {__NR_semtimedop, ENOSYS},
    {__NR_semctl, ENOSYS},
    {__NR_msgget, ENOSYS},
    {__NR_msgsnd, ENOSYS},
    {__NR_msgrcv, ENOSYS},
    {__NR_msgctl, ENOSYS},
    {__NR_mq_open, ENOSYS},
    {__NR_mq_unlink, ENOSYS},
    {__NR_userfaultfd, ENOSYS},
    {NR_open_tree, EPERM},
    {NR_move_mount, EPERM},
    {NR_fsopen, EPERM},
    {NR_fsconfig, EPERM},
    {NR_fsmount, EPERM},
    {NR_fspick, EPERM},
    {NR_mount_setattr, EPERM},
    {NR_pidfd_getfd, EPERM},
    {NR_process_madvise, EPERM},
    {NR_process_mrelease, EPERM},
    {NR_quotactl_fd, EPERM},
    {NR_set_mempolicy_home_node, EPERM},
    {__NR_mount, EPERM},
    {__NR_umount2, EPERM},
    {__NR_pivot_root, EPERM},
    {__NR_chroot, EPERM},
    {__NR_unshare, EPERM},
    {__NR_setns, EPERM},
    {__NR_ptrace, EPERM},
    {__NR_process_vm_readv, EPERM},
    {__NR_process_vm_writev, EPERM},
    {__NR_kcmp, EPERM},
    {__NR_bpf, EPERM},
    {__NR_perf_event_open, EPERM},
    {__NR_keyctl, EPERM},
    {__NR_add_key, EPERM},
    {__NR_request_key, EPERM},
    {__NR_kexec_load, EPERM},
    {__NR_init_module, EPERM},
    {__NR_finit_module, EPERM},
    {__NR_delete_module, EPERM},
    {__NR_swapon, EPERM},
    {__NR_swapoff, EPERM},
    {__NR_reboot, EPERM},
    {__NR_quotactl, EPERM},
    {__NR_acct, EPERM},
    {__NR_syslog, EPERM},
    {__NR_settimeofday, EPERM},
    {__NR_clock_settime, EPERM},
    {__NR_adjtimex, EPERM},
    {__NR_clock_adjtime, EPERM},
    {__NR_sethostname, EPERM},
    {__NR_setdomainname, EPERM},
    {__NR_personality, EPERM},
    {__NR_name_to_handle_at, EPERM},
    {__NR_open_by_handle_at, EPERM},
    {__NR_fanotify_init, EPERM},
    {__NR_lookup_dcookie, EPERM},
    {__NR_migrate_pages, EPERM},
    {__NR_move_pages, EPERM},
    {__NR_mbind, EPERM},
    {__NR_set_mempolicy, EPERM},
    {__NR_setpriority, EPERM},
    {__NR_sched_setparam, EPERM},
    {__NR_sched_setscheduler, EPERM},
    {__NR_sched_setattr, EPERM},
    {__NR_sched_setaffinity, EPERM},
    {__NR_ioprio_set, EPERM},
#ifdef __x86_64__
    {__NR_iopl, EPERM},
    {__NR_ioperm, EPERM},
    {__NR_modify_ldt, EPERM},
    {__NR_uselib, EPERM},
    {__NR_kexec_file_load, EPERM},
#endif
};

#define N_REFUSED (sizeof refused / sizeof *refused)

typedef struct program {
    struct sock_filter code[2 * N_REFUSED + 40];
    unsigned short n;
} program;

static void emit(program *p, uint32_t code, uint32_t k, uint8_t yes, uint8_t no) {
    p->code[p->n++] = (struct sock_filter){(uint16_t)code, yes, no, k};
}

static void load(program *p, size_t offset) {
    emit(p, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static void give(program *p, uint32_t what) {
    emit(p, BPF_RET | BPF_K, what, 0, 0);
}

/* Low half of an argument: the kernel looks at no more of these either. */
static size_t argument(int i) {
    return offsetof(struct seccomp_data, args) + (size_t)i * sizeof(uint64_t);
}

#define ERRNO(e) (SECCOMP_RET_ERRNO | (e))

static void build(program *p) {
    const uint32_t namespaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
                                CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;

    load(p, offsetof(struct seccomp_data, arch));
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0);
    give(p, SECCOMP_RET_KILL_PROCESS);
    load(p, offsetof(struct seccomp_data, nr));
#ifdef __x86_64__ /* x32 */
    emit(p, BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1);
    give(p, SECCOMP_RET_KILL_PROCESS);
#endif
    for (size_t i = 0; i < N_REFUSED; i++) {
        emit(p, BPF_JMP | BPF_JEQ | BPF_K, refused[i].nr, 0, 1);
        give(p, ERRNO(refused[i].error));
    }
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, __NR_clone, 0, 4);
    load(p, argument(0));
    emit(p, BPF_JMP | BPF_JSET | BPF_K, namespaces, 0, 1);
    give(p, ERRNO(EPERM));
    give(p, SECCOMP_RET_ALLOW);
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, __NR_ioctl, 0, 5);
    load(p, argument(1));
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, TIOCSTI, 1, 0);
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, TIOCLINUX_, 0, 1);
    give(p, ERRNO(EPERM));
    give(p, SECCOMP_RET_ALLOW);
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, __NR_socket, 1, 0);
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, __NR_socketpair, 0, 6);
    load(p, argument(0));
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, AF_UNIX, 3, 0);
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, AF_INET, 2, 0);
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, AF_INET6, 1, 0);
    give(p, ERRNO(EPERM));
    give(p, SECCOMP_RET_ALLOW);
    /* Limits of other processes: process 1 has the same user. */
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, __NR_prlimit64, 0, 4);
    load(p, argument(0));
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0);
    give(p, ERRNO(EPERM));
    give(p, SECCOMP_RET_ALLOW);
    /* An action for SIGCHLD (argument 1 is not NULL): the time of children that are not waited for
     * is added to nobody's. */
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, __NR_rt_sigaction, 0, 7);
    load(p, argument(0));
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, SIGCHLD, 0, 5);
    load(p, argument(1));
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 2);
    load(p, argument(1) + sizeof(uint32_t));
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0);
    give(p, ERRNO(EPERM));
    give(p, SECCOMP_RET_ALLOW);
}

int r1_seccomp_install(void) {
    program p = {.n = 0};

    if (ARCH == 0) {
        errno = ENOSYS;
        return -1;
    }
    build(&p);
    struct sock_fprog f = {p.n, p.code};
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &f);
}
