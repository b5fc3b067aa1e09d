#!/bin/sh
# Killed, stopped or continued on another number of ranks: the same run to the bit.
# Usage: resume.sh BUILD_DIR SOURCE_DIR
set -u
. "$2/tests/resume/lib.sh"

# disturb NAME STEPS SIGNAL: start, signal mpirun after so many steps, wait for the end
disturb() {
    train 2 "$1" --resume auto &
    job=$!
    wait_for reached "$1" "$2"
    mpi=$(mpirun_of "$1")
    [ -n "$mpi" ] && kill -"$3" "$mpi" || fail "$1 ended before it was disturbed"
    wait $job
}

train 2 whole || fail "the undisturbed run failed: $(tail -3 "$dir/whole.err")"
[ "$(steps_done whole)" -eq 64 ] || fail "the undisturbed run has not 64 steps"

for at in 3 20 61; do
    name=kill$at
    disturb "$name" "$at" KILL
    [ "$at" -lt 61 ] || grep -q '"exit_status": null' "$dir/$name/summary.json" ||
        fail "$name: the summary of a killed run has an exit status"
    train 3 "$name" --resume auto || fail "$name: resume failed: $(tail -3 "$dir/$name.err")"
    compare "$name"
done

disturb stop 25 USR1
code=$?
[ $code -eq 85 ] || fail "USR1: mpirun ended with $code, not 85"
[ "$(cat "$dir/stop/exit_status" 2>/dev/null)" = 85 ] || fail "USR1: exit_status is not 85"
grep -q "^stopped on request after step [0-9]*, saved as '$dir/stop/checkpoints/step_" "$dir/stop.err" ||
    fail "USR1: $(tail -1 "$dir/stop.err")"
grep -q '^written: ' "$dir/stop.out" || fail "USR1: what was written is not said"
train 1 stop --resume auto || fail "resume after USR1 failed"
compare stop
grep -q '"resumed_from": [1-9]' "$dir/stop/summary.json" || fail "resumed_from is missing"

# A finished run prints its results again; another configuration and a used directory are refused.
train 1 stop --resume auto || fail "a finished run does not answer"
compare stop
train 1 stop && fail "a used directory was taken without --resume"
grep -q 'holds an earlier run' "$dir/stop.err" || fail "no reason given: $(tail -1 "$dir/stop.err")"
train 1 stop --resume auto seed=2 && fail "another seed was accepted"
grep -q 'seed: 1 -> 2' "$dir/stop.err" || fail "the key that differs is not named"

# A damaged newest checkpoint is named, and the one before it is used.
cp -r "$dir/whole" "$dir/torn"
rm "$dir/torn/exit_status"
newest=$(ls -d "$dir/torn/checkpoints"/step_* | tail -1)
printf 'x' | dd of="$newest/shard_0000.h5" bs=1 seek=5000 conv=notrunc 2>/dev/null
train 2 torn --resume auto || fail "resume behind a damaged checkpoint failed"
grep -q "passing over '$newest'.*of tensor '" "$dir/torn.err" ||
    fail "the damaged checkpoint and tensor are not named"
compare torn

# Back to the end of the first stage: later checkpoints make room, and the result is the same.
train 2 torn --from rl || fail "--from rl failed: $(tail -3 "$dir/torn.err")"
compare torn
grep -q 'resumed  from .*step_000060' "$dir/torn.err" || fail "--from rl did not begin at step 60"
[ -d "$dir/torn/checkpoints/step_000064.aside1" ] || fail "a later checkpoint was not kept aside"
[ -d "$dir/torn/checkpoints/step_000064" ] || fail "the last step was not saved again"
train 2 torn --from cold_start && fail "--from the first stage took a used directory"
[ $bad -eq 0 ] && echo "8 ways back, one result"
exit $bad
