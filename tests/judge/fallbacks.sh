#!/bin/sh
# Machines that allow less: the launcher takes the next rung, or says what was refused, and verdicts stay
# the same.  The refusals are made with namespaces of our own, as root.
# Usage: fallbacks.sh BUILD_DIR SOURCE_DIR
set -u
. "$2/tests/scratch.sh"
[ "$(id -u)" -eq 0 ] || {
    echo "skipped: only root can make such machines"
    exit 77
}
unshare -U true 2>/dev/null && command -v setpriv nsenter pivot_root >/dev/null || {
    echo "skipped: no user namespaces, setpriv, nsenter or pivot_root"
    exit 77
}
cp "$build/r1-launcher" "$build/r1-grade" "$dir" && chmod 755 "$dir" "$dir"/r1-* && cd "$dir" || exit 99
cat >rows.jsonl <<'END'
{"id": "right", "source_code": "print(int(input()) * 2)", "stdin": "21", "expected_stdout": "42"}
{"id": "wrong", "source_code": "print(1)", "stdin": "", "expected_stdout": "42"}
{"id": "late", "source_code": "while True: pass", "expected_stdout": "", "limits": {"cpu_s": 0.5}}
{"id": "forks", "source_code": "import os, time\nfor i in range(9):\n    if os.fork() == 0: time.sleep(9)\nprint(1)", "expected_stdout": "1", "limits": {"cpu_s": 2, "wall_s": 4, "procs": 4}}
{"id": "large", "source_code": "x = bytearray(200 << 20)\nfor i in range(0, len(x), 4096): x[i] = 1", "expected_stdout": "", "limits": {"mem_mb": 64}}
{"id": "c", "language": "c", "source_code": "int main(void) { return 0; }", "expected_stdout": ""}
{"id": "function", "source_code": "def f(x): return x + 1", "mode": "function f: f(1) == 2"}
{"id": "writes", "source_code": "try:\n    print(open('/usr/lib/locale/x', 'w'))\nexcept OSError as e:\n    print(e.strerror)", "expected_stdout": "Read-only file system"}
END
wanted="right AC wrong WA late TLE forks RTE large MLE c AC function AC writes AC"

# judges LAYERS COMMAND...: r1-grade under the command gives the verdicts, and says these layers.
judges() {
    layers=$1
    shift
    "$@" ./r1-grade code rows.jsonl >out 2>err </dev/null || fail "$layers: exit code $?: $(head -3 err)"
    got=$(sed 's/.*"id": "\([^"]*\)", "verdict": "\([A-Z]*\)".*/\1 \2/' out | tr '\n' ' ')
    [ "$got" = "$wanted " ] || fail "$layers: $got: $(cat out)"
    grep -q "sandbox: $layers" err || fail "$layers: $(head -1 err)"
}

# refuses TEXT COMMAND...: no sandbox, and the message has the text.
refuses() {
    text=$1
    shift
    "$@" ./r1-launcher 2>err </dev/null
    rc=$?
    [ $rc -eq 69 ] || fail "$text: the launcher's exit code is $rc: $(cat err)"
    "$@" ./r1-grade code rows.jsonl >out 2>err </dev/null
    rc=$?
    [ $rc -eq 69 ] && [ ! -s out ] || fail "$text: exit code $rc"
    grep -q "no sandbox can be made on this machine: .*$text" err || fail "$text: $(cat err)"
}

nobody() {
    setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
}

# A container's /proc is partly hidden; then the kernel allows no fresh one in a user namespace.
masked() {
    unshare -m sh -c 'mount -t tmpfs none /proc/fs && exec setpriv --reuid=65534 --regid=65534 --clear-groups "$@"' sh "$@"
}

# A root directory whose /tmp is a link, and with a directory of the user's among the system's.
linked_tmp() {
    unshare -m sh -c 'set -e
        here=$PWD
        mount -t tmpfs none /mnt
        cd /mnt
        mkdir usr proc dev etc old var var/tmp own job
        chmod 777 own var/tmp
        mount --rbind "$here" job
        for d in usr proc dev etc; do mount --rbind /$d $d; done
        for d in bin sbin lib lib64; do ln -s usr/$d $d; done
        ln -s var/tmp tmp
        mount --bind own usr/lib/locale
        pivot_root . old
        umount -l old
        cd /job
        exec setpriv --reuid=65534 --regid=65534 --clear-groups "$@"' sh "$@"
}

few_descriptors() {
    sh -c 'ulimit -n 40 && exec "$@"' sh "$@"
}

no_namespaces() { # root of a user namespace that allows no further ones
    unshare -U --map-root-user sh -c 'echo 0 >/proc/sys/user/max_user_namespaces && exec "$@"' sh "$@"
}

full_root() { # the same with all ids, so that other namespaces and other users are there
    nsenter -U -t "$holder" --setuid 0 --setgid 0 "$@"
}

judges "user pid mount net ipc uts" env
judges "user pid mount net ipc uts.*every 10 ms" nobody
judges "user pid mount net.*/proc: none" masked
judges "user pid mount net ipc uts" few_descriptors
judges "user pid mount net" linked_tmp
refuses "clone.*user.max_user_namespaces" no_namespaces
unshare -U sleep 300 &
holder=$!
while [ "$(readlink /proc/$holder/ns/user)" = "$(readlink /proc/self/ns/user)" ]; do sleep 0.1; done
echo "0 0 4294967295" >/proc/$holder/uid_map && echo "0 0 4294967295" >/proc/$holder/gid_map || fail "no map"
full_root sh -c 'echo 0 >/proc/sys/user/max_user_namespaces' || fail "no limit"
judges "pid mount net ipc uts, seccomp" full_root
kill $holder
exit $bad
