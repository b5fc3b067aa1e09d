#!/bin/sh
# A disk that is full, or may not be written: an error that names the file, what was saved stays
# whole, and with room the run goes on as if nothing had been.
# Usage: disk.sh BUILD_DIR SOURCE_DIR
set -u
if [ -z "${R1_OWN_MOUNTS:-}" ] && unshare -m true 2>/dev/null; then
    R1_OWN_MOUNTS=1 exec unshare -m "$0" "$@"
fi
. "$2/tests/scratch.sh"
ran=0
disk=$dir/disk run=$dir/disk/run

# train CODE WHAT [ARG]...: ends with CODE
train() {
    code=$1 what=$2
    shift 2
    timeout -k 5 100 mpirun -np 2 "$build/r1-train" "$src/tests/mpi/short.yaml" \
        cold_start.total_updates=12 cold_start.warmup=2 checkpoint.every=4 checkpoint.keep_last=9 \
        log.rollouts_every=1 --output "$run" --resume auto "$@" >"$dir/out" 2>"$dir/err"
    rc=$?
    ran=$((ran + 1))
    [ $rc -eq "$code" ] || fail "$what: exit code $rc, not $code: $(grep '^r1-train: ' "$dir/err" | tail -2)"
}
# says WHAT PATTERN: one error, with that in it
says() {
    [ "$(grep -c '^r1-train: error' "$dir/err")" -eq 1 ] || fail "$1: more or less than one error"
    grep -qE "^r1-train: error.*$2" "$dir/err" ||
        fail "$1: no '$2' in: $(grep '^r1-train: error' "$dir/err")"
}
# goes_on WHAT: with room again, to the end of a run that had it always
goes_on() {
    train 0 "$1, with room again"
    [ "$(grep '^weights' "$dir/out")" = "$whole" ] || fail "$1: other weights than with room from the start"
}

# An ordinary user without the right to write.
mkdir "$disk" "$dir/home"
if [ "$(id -u)" -ne 0 ]; then
    chmod a-w "$disk"
    train 74 "read-only for this user"
    says "read-only for this user" "'$run' cannot be made in '$disk': Permission denied"
    chmod u+w "$disk"
elif setpriv --reuid=65534 --regid=65534 --clear-groups test -x "$build/r1-train" 2>/dev/null; then
    chmod 755 "$dir"
    chmod 777 "$TMPDIR"
    setpriv --reuid=65534 --regid=65534 --clear-groups env HOME="$dir/home" sh -c '
        timeout -k 5 60 mpirun -np 2 "$0" "$1" --output "$2"' \
        "$build/r1-train" "$src/tests/mpi/short.yaml" "$run" >"$dir/out" 2>"$dir/err"
    rc=$?
    ran=$((ran + 1))
    [ $rc -eq 74 ] || fail "user without the right: exit code $rc: $(tail -2 "$dir/err")"
    says "user without the right" "'$run' cannot be made in '$disk': Permission denied"
else
    echo "not as another user: the program is out of its reach"
fi
if ! { [ -n "${R1_OWN_MOUNTS:-}" ] && mount -t tmpfs -o size=64m tmpfs "$disk" 2>/dev/null; }; then
    echo "no full disk: nothing can be mounted here"
    exit $bad
fi
train 0 "enough room"
whole=$(grep '^weights' "$dir/out")

# A read-only mount, before anything and with a run in it.
mount -o remount,ro "$disk"
train 74 "read-only mount with a run"
says "read-only mount with a run" "'$run' cannot be written: Read-only file system"
mount -o remount,rw "$disk"
rm -r "$run"
mount -o remount,ro "$disk"
train 74 "read-only mount"
says "read-only mount" "'$run' cannot be made in '$disk': Read-only file system"
umount "$disk"

# Full from the start.
mount -t tmpfs -o size=64m tmpfs "$disk"
cat /dev/zero >"$disk/full" 2>/dev/null
train 74 "full before"
says "full before" "'$run/[^']*': No space left on device"
rm "$disk/full"
goes_on "full before"
umount "$disk"

# Full while a later checkpoint is written: the earlier ones are whole.
mount -t tmpfs -o size=3000k tmpfs "$disk"
train 74 "full at a checkpoint"
says "full at a checkpoint" "checkpoint of step 12: .*'$run/checkpoints/.*No space left on device"
[ "$(cat "$run/exit_status" 2>/dev/null)" = 74 ] || fail "full at a checkpoint: exit_status is not 74"
[ "$(cd "$run/checkpoints" && ls -A | tr '\n' ' ')" = "step_000004 step_000008 " ] ||
    fail "full at a checkpoint: in checkpoints/: $(ls -A "$run/checkpoints")"
for step in 4 8; do
    "$build/r1-convert" --verify "$run/checkpoints/step_00000$step" >"$dir/out" 2>&1 ||
        fail "full at a checkpoint: step $step is damaged: $(tail -1 "$dir/out")"
done
mount -o remount,size=64m "$disk"
cp -a "$run" "$disk/before"
goes_on "full at a checkpoint"
grep -q '^resumed.* 8' "$dir/err" || fail "full at a checkpoint: not resumed from step 8"

# Full for the records alone, when the run goes on.
for record in metrics.jsonl rollouts; do
    rm -r "$run"
    cp -a "$disk/before" "$run"
    mkdir "$disk/small"
    mount -t tmpfs -o size=2m tmpfs "$disk/small"
    cp -a "$run/$record" "$disk/small"
    mount --bind "$disk/small/$record" "$run/$record"
    cat /dev/zero >"$disk/small/full" 2>/dev/null
    train 74 "no room for $record"
    says "no room for $record" "'$run/$record[^']*': No space left on device"
    rm "$disk/small/full"
    goes_on "no room for $record"
    umount "$run/$record" "$disk/small"
    rmdir "$disk/small"
done
umount "$disk"
[ $bad -eq 0 ] && echo "$ran runs on disks of all kinds: nothing lost"
exit $bad
