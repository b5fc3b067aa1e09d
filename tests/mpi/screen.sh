#!/bin/sh
# What a run shows and leaves for its reader: the lines of steps, their order, advice, the logs of all
# ranks, times by phase, answers with verdicts and reasons that r1-grade confirms.
# Usage: screen.sh BUILD_DIR SOURCE_DIR
set -u
. "$2/tests/scratch.sh"
# has FILE REGEX: some line matches
has() {
    grep -Eq -e "$2" "$1" || fail "${1#"$dir"/} lacks: $2"
}
lacks() {
    grep -Eq -e "$2" "$1" && fail "${1#"$dir"/} has: $2"
}
train() { # NP NAME [ARGUMENT]...
    np=$1 name=$2
    shift 2
    timeout -k 5 120 mpirun -np "$np" "$build/r1-train" "$src/tests/mpi/short.yaml" \
        --output "$dir/$name" "$@" >"$dir/$name.out" 2>"$dir/$name.err"
}
short="cold_start.total_updates=22 rl.total_updates=8 checkpoint.every=5 log.rollouts_every=1"

train 3 split topology.mode=split $short || fail "the run failed: $(tail -2 "$dir/split.err")"
err=$dir/split.err
has "$err" '^cold_start 20/22  loss [0-9.]+  grad '
has "$err" '^rl 1/2  reward [0-9.-]+  acc [0-9.]+  len '
has "$err" 'stage eta [0-9]+:[0-9][0-9]$'
has "$err" '^model     llama, [0-9]+ parameters'
has "$err" '% of the answers were cut off at rl.max_response_len \(40\)'
lacks "$err" 'wall 0\.0 s'
order=$(grep -nE '^cold_start 22/22|^after cold_start' "$err" | cut -d: -f2 | cut -c1-10 | tr '\n' ' ')
[ "$order" = "cold_start after cold " ] || fail "the order on the screen is: $order"

for rank in 0 1 2; do
    log=$dir/split/logs/rank-$rank.log
    has "$log" "rank $rank of 3 on .*, pid [0-9]+: (learner|actor), "
    has "$log" "rank $rank ends with exit code 0 after "
done
has "$dir/split/logs/rank-0.log" 'r1-train  [0-9.]+, config '
has "$dir/split/logs/rank-0.log" 'cold_start  3/22  loss '
has "$dir/split/logs/rank-0.log" 'Time by phase over 3 ranks'
has "$dir/split/logs/rank-1.log" 'rollout with weights [0-9]+: [0-9]+ groups, [0-9]+ tokens in .* waited'
has "$dir/split/summary.json" '"rollout": \{'
[ ! -e "$dir/split/tensorboard" ] || fail "an empty folder tensorboard/ was made"
has "$dir/split/config.yaml" '^# r1-train .*split: 1 learner\(s\) and 2 actor\(s\), 1 thread\(s\) a rank'
has "$dir/split/config.yaml" '^  numeric_path: [a-z0-9_]+$'
lacks "$dir/split/config.yaml" 'numeric_path: auto|template: auto|vocab_size: auto'
has "$dir/split/metrics.jsonl" '"data/injected": 0'
has "$dir/split/metrics.jsonl" '"perf/cpu_memory_used_gb": 0\.'

# Reasons and answers.
has "$dir/split/rollouts/step_000023.jsonl" '"verdict": "(no_answer|wrong)", "score": 0, "note": "[a-z]'
answers=$dir/split/rollouts/eval_step_000024.jsonl
[ "$(grep -c '"mode": "sampled"' "$answers")" -eq 32 ] || fail "not 32 sampled answers in $answers"
[ "$(grep -c '"mode": "greedy"' "$answers")" -eq 32 ] || fail "not 32 greedy answers in $answers"
sed -nE 's/.*"format": \{"verdict": "([a-z_]+)".*/\1/p' "$answers" >"$dir/ours"
"$build/r1-grade" format "$answers" 2>/dev/null | sed -nE 's/.*"verdict": "([a-z_]+)".*/\1/p' >"$dir/theirs"
[ -s "$dir/ours" ] && cmp -s "$dir/ours" "$dir/theirs" || fail "r1-grade judges the answers otherwise"

# All rewards equal: said once at the beginning, not at each step.
train 1 flat $short cold_start.total_updates=1 cold_start.warmup=0 rewards='[{name: format}]' \
    rl.overlong.penalty=0 || fail "flat failed"
has "$dir/flat.err" 'all 12 groups have equal rewards \(1 step in a row\)'
[ "$(grep -c 'groups have equal rewards' "$dir/flat.err")" -eq 1 ] || fail "it is said at each step"

# A run that is refused or fails early has no table of times.
train 1 split $short && fail "a used directory was taken"
lacks "$dir/split.err" 'Time by phase|Bottleneck'

# The numeric path of config.yaml can be given on resume; tensorboard/ is made where it is wanted.
path=$(sed -n 's/^  numeric_path: //p' "$dir/split/config.yaml")
train 1 split $short --resume auto compute.numeric_path="$path" ||
    fail "the resolved numeric path is refused: $(tail -1 "$dir/split.err")"
train 1 events $short log.tensorboard=true && [ -s "$dir"/events/tensorboard/events* ] ||
    fail "no event file"
[ $bad -eq 0 ] && echo "the screen, 3 logs and 64 answers are right"
exit $bad
