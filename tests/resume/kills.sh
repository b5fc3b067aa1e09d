#!/bin/sh
# Killed outright at moments drawn from a seed, and continued on other numbers of ranks: the newest
# complete checkpoint is the one that is used, nothing is left behind, and the run ends as if nothing
# had happened.  At least one kill hits a save, and one lies between a step that replaced the KL
# reference and the next checkpoint.
# Usage: kills.sh BUILD_DIR SOURCE_DIR [KILLS [SEED]]
set -u
kills=${3:-5} seed=${4:-1}
. "$2/tests/resume/lib.sh"
steps=24 # 16 of fine-tuning, 8 of GRPO
short="cold_start.total_updates=16 cold_start.warmup=2 rl.total_updates=32"

# draw N: a number from 0 to N - 1, in $drawn
state=$seed
draw() {
    state=$(((state * 1103515245 + 12345) % 2147483648))
    drawn=$((state / 65536 % $1))
}
# pause MS: up to so many milliseconds
pause() {
    draw "$1"
    sleep "$(printf '0.%03d' $drawn)"
}
# draw_ranks FEWEST: $ranks up to 3, and $mode
draw_ranks() {
    draw $((4 - $1))
    ranks=$(($1 + drawn)) mode=colocated
    draw 2
    [ $drawn -eq 0 ] || [ $ranks -eq 1 ] || mode=split
}

run_pids() {
    pgrep -f "^$build/r1-train .*--output $dir/$run( |\$)"
}
nobody() {
    [ -z "$(pgrep -f "$dir/$run")" ]
}
saving() {
    set -- "$dir/$run"/checkpoints/.tmp*
    [ -e "$1" ]
}
# The step of the newest checkpoint whose every byte is as its manifest says, in $newest; or null.
# A kill never leaves a name without its checkpoint, though pruning may have begun to remove old ones.
find_newest() {
    newest=null
    for c in $(ls -dr "$dir/$run"/checkpoints/step_?????? 2>/dev/null); do
        if "$build/r1-convert" --verify "$c" >/dev/null 2>&1; then
            newest=$(expr "${c##*step_}" + 0)
            return
        fi
        fail "$c is the newest, but not complete"
    done
}
# Changes whenever the summary is written; empty while there is none: a run that begins afresh removes
# that of an earlier attempt.
summary_stamp() {
    stat -c '%i %z' "$dir/$run/summary.json" 2>/dev/null
}
# Has this attempt written or cut metrics?  What it found of earlier saves is swept before that.
moves() {
    [ "$dir/$run/metrics.jsonl" -nt "$dir/begun" ]
}
arrived() {
    moves && reached $run "$at"
}
# begin EVERY: an attempt in the background as $job, from what stands in $newest
begin() {
    stamp=$(summary_stamp) finished=$(cat "$dir/$run/exit_status" 2>/dev/null)
    : >"$dir/begun"
    # shellcheck disable=SC2086 # a list of words
    train $ranks $run $short --resume auto checkpoint.every="$1" topology.mode=$mode &
    job=$!
}
# The attempt ends, with $code: nobody is left, and it began at what was the newest checkpoint.
await_end() {
    wait $job
    code=$?
    n=0
    until nobody || [ $n -gt 1000 ]; do
        sleep 0.01
        n=$((n + 1))
    done
    nobody || fail "$run: processes are left: $(pgrep -af "$dir/$run")"
    said=$(sed -nE "s/^resumed  from '.*', after step ([0-9]+)$/\1/p" "$dir/$run.err")
    [ -z "$said" ] || [ "$said" = "$newest" ] || fail "resumed from $said, the newest is $newest"
    written=$(summary_stamp)
    if [ -n "$written" ] && [ "$written" != "$stamp" ]; then
        said=$(sed -nE 's/^  "resumed_from": ([0-9a-z]+),$/\1/p' "$dir/$run/summary.json")
        [ "$said" = "$newest" ] || fail "resumed_from is $said, the newest is $newest"
    elif [ $code -eq 0 ] && [ "$finished" != 0 ]; then
        fail "$run: no summary was written"
    fi
    [ -z "$last_kill" ] || echo "$last_kill; on $ranks, $mode: resumed from ${said:-(not said)}"
    last_kill=
}

# aim: what to hit, in $kind with $at, the step to wait for, and $every
aim() {
    from=$newest every=1
    [ "$from" != null ] || from=0
    draw 4
    kind=$(echo start step save refresh | cut -d' ' -f$((drawn + 1)))
    [ $in_refresh -gt 0 ] || kind=refresh
    [ $in_save -gt 0 ] || kind=save
    draw $((steps - from > 3 ? steps - from - 2 : 1))
    at=$((from + 1 + drawn))
    [ $kind = save ] || { draw 4; every=$((drawn + 1)); }
    [ $kind = refresh ] || return
    every=1000 # at the ends of stages only
    for at in $refreshes; do
        [ "$at" -le "$from" ] || return
    done
    kind=step
}
# Wait for the moment; 1: the run has ended first.
await() {
    case $kind in
    start) pause 999 ;;
    step) wait_for arrived && pause 200 ;;
    save) wait_for arrived && wait_for saving && pause 20 ;;
    refresh) wait_for arrived && pause 50 ;;
    esac
}
# Kill mpirun or one rank; 1: there was nobody.
strike() {
    draw $((ranks + 1))
    victim=$(mpirun_of $run) who=mpirun
    for p in $(run_pids); do
        grep -ho '/dev/shm/[^ ]*' "/proc/$p/maps" 2>/dev/null >>"$dir/shm"
        r=$(cat "/proc/$p/environ" 2>/dev/null | tr '\0' '\n' | sed -n 's/^OMPI_COMM_WORLD_RANK=//p')
        [ "$r" != "$((drawn - 1))" ] || victim=$p who="rank $r"
    done
    [ -n "$victim" ] && kill -KILL "$victim" 2>/dev/null
}
# Where it hit, by what the dead run left.
examine() {
    find_newest
    where="as it starts"
    if moves; then
        where="after step $(steps_done $run)"
        saving && where="$where, in a save" && in_save=$((in_save + 1))
        for r in $refreshes; do
            [ "${newest#null}" ] && [ "$newest" -lt "$r" ] && reached $run "$r" || continue
            where="$where, new reference of step $r not saved" in_refresh=$((in_refresh + 1))
            break
        done
    fi
    last_kill="kill $killed: $who of $ranks, $mode, $where"
}
# One attempt that is to be killed.  1: it ended in order before.
attempt() {
    aim
    begin $every
    await && strike
    hit=$?
    await_end
    [ $code -ne 0 ] || return 1
    [ $hit -eq 0 ] || fail "$run ended with $code before it was killed: $(tail -3 "$dir/$run.err")"
    killed=$((killed + 1))
    examine
}
# Attempts are killed until the dice say that the last one may end; then it is compared.
chain() {
    newest=null last_kill= code=1
    draw_ranks 2
    while [ $killed -lt "$kills" ] && attempt; do
        draw_ranks 1
        draw 3
        [ $drawn -gt 0 ] || break
    done
    if [ $code -ne 0 ]; then
        begin 5
        await_end
        [ $code -eq 0 ] || fail "$run: resume failed: $(tail -3 "$dir/$run.err")"
    fi
    compare $run
    saving && fail "$run: an interrupted save is left: $(ls -A "$dir/$run/checkpoints")"
    rm -rf "${dir:?}/$run"
}

# shellcheck disable=SC2086
train 2 whole $short || fail "the undisturbed run failed: $(tail -3 "$dir/whole.err")"
# Steps at whose end the reference was replaced, before the last: the next step has another one.
refreshes=$(sed -nE 's/.*"training\/global_step": ([0-9]+),.*"actor\/kl_reference_update": ([0-9]+),.*/\1 \2/p' \
    "$dir/whole/metrics.jsonl" | awk 'NR > 1 && $2 != old {print $1 - 1} {old = $2}')
[ "$(echo $refreshes)" = "18 19 21 22" ] || fail "the reference was replaced after $refreshes"

killed=0 in_save=0 in_refresh=0 chains=0
: >"$dir/shm"
while [ $killed -lt "$kills" ] && [ $chains -lt $((3 * kills)) ]; do
    chains=$((chains + 1)) run=run$chains
    chain
done
[ $killed -eq "$kills" ] || fail "$killed kills in $chains runs, not $kills"
[ $in_save -gt 0 ] || fail "no kill hit a save"
[ $in_refresh -gt 0 ] || fail "no kill lay between a new reference and its checkpoint"
sort -u "$dir/shm" | while read -r file; do
    [ ! -e "$file" ] || echo "left behind: $file"
done >"$dir/left"
[ ! -s "$dir/left" ] || fail "$(cat "$dir/left")"
echo "seed $seed: $killed kills in $chains runs, $in_save in a save, $in_refresh behind a new reference"
exit $bad
