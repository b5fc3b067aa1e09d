#!/bin/sh
# Options of all programs: help, version, spelling, ranges, exit codes, a stdout that is full.
# Usage: options.sh BUILD_DIR SOURCE_DIR
. "$2/tests/programs/lib.sh"

programs="r1-train r1-eval r1-generate r1-score r1-tokenize r1-grade r1-convert r1-bench"
for p in $programs; do
    for help in --help -h; do
        try 0 $p $help
        says out "Usage: $p "
        says out --version
        silent err
    done
    try 0 $p --version
    [ "$(grep -c 0.1.0 out)" -eq 1 ] || fail "$said: the version is not there once: $(cat out)"
    for fact in commit compiler "fault injection" kernels "Open MPI 4" "HDF5 1" processor; do
        says out "$fact"
    done
    silent err
    try 64 $p --no-such-option
    silent out
    says err "$p: error: unknown option '--no-such-option'"
    [ "$(wc -l <err)" -eq 1 ] || fail "$p: more than one line: $(cat err)"
    timeout 60 "$build/$p" --help >/dev/full 2>err
    [ $? -eq 74 ] || fail "$p --help > /dev/full does not end with 74"
    grep -q "cannot write to stdout" err || fail "$p --help > /dev/full says nothing"
done


# offers PROGRAM OPTION...: the help lists these.
offers() {
    try 0 "$1" --help
    shift
    for option in "$@"; do
        grep -qE "^  --$option( |\$)" out || fail "$program --help: no --$option"
    done
}
offers r1-train dry-run resume from output help-config
offers r1-generate model prompt prompts chat n max-new-tokens temperature top-p top-k seed dtype \
    logprobs prompt-logprobs
offers r1-score model tokenizer template system summary max-len batch dtype threads
offers r1-tokenize model
offers r1-eval model data reward n temperature top-p top-k max-new-tokens min-new-tokens stop seed \
    dtype require-format
offers r1-grade from jobs answer-key reward problems score
offers r1-convert dtype verify
offers r1-bench model dtype threads batch context dir reps

export R1_CPU_MASK=zzz
try 64 r1-generate --model none --prompt x
says err "R1_CPU_MASK=zzz is not a number"
export R1_CPU_MASK=0
try 0 r1-generate --version
says out "instruction sets: none, R1_CPU_MASK=0"
unset R1_CPU_MASK
try 0 r1-generate --help
says out "R1_CPU_MASK=N"
try 0 r1-train --help
says out "R1_TRACE=N"

make_model
printf '{"question": "1+1=", "answer": "2"}\n' >data.jsonl
generate="r1-generate --model $model"
evaluate="r1-eval --model $model --data data.jsonl --reward number"

# wrong TEXT COMMAND...: ends with 64, writes nothing to stdout, and says TEXT.
wrong() {
    text=$1
    shift
    try 64 "$@"
    silent out
    says err "$text"
}
for c in "$generate --prompt x" "$evaluate"; do
    wrong "'--temp': do you mean --template or --temperature?" $c --temp 0
    wrong "unknown option '--temperatur': do you mean --temperature?" $c --temperatur 0
    wrong "missing argument of '--seed'" $c --seed
    wrong "--n 99999 is not a number from 1 to 65535" $c --n 99999
    wrong "--n 0 is not" $c --n 0
    wrong "--top-k -1 is not a number from 0" $c --top-k -1
    wrong "--top-p 0 is not a number above 0 and up to 1" $c --top-p 0
    wrong "--temperature inf is not" $c --temperature inf
    wrong "--temperature nan is not" $c --temperature nan
    wrong "'1x' is not a valid number" $c --seed 1x
    wrong "--max-new-tokens 2147483647 is not" $c --max-new-tokens 2147483647
    wrong "--batch 2147483647 is not" $c --batch 2147483647
    wrong "--threads 100000 is not" $c --threads 100000
    wrong "--threads -3 is not" $c --threads -3
    wrong "--dtype BF16: not one of fp32|bf16" $c --dtype BF16
done
wrong "'--logprobs=yes': this option takes no argument" $generate --prompt x --logprobs=yes
wrong "--min-new-tokens 5 is above --max-new-tokens 2" $generate --prompt x --min-new-tokens 5 --max-new-tokens 2
wrong "--template has no effect without --chat" $generate --prompt x --template plain
wrong "--system has no effect without --chat" $generate --prompt x --system s
wrong "--limit 0 is not" $evaluate --limit 0
wrong "--jobs 0 is not a number from 1 to 256" r1-grade number data.jsonl --jobs 0
wrong "--reps 65 is not a number from 1 to 64" r1-bench decode --reps 65
wrong "--threads 100000 is not" r1-bench decode --threads 100000
wrong "--to gguf: not one of hf|checkpoint|auto" r1-convert "$model" out --to gguf

# As long as the context is, whatever is asked for.
try 0 $generate --prompt 1+1= --temperature 0 --ignore-eos --max-new-tokens 268435456 --batch 65536 --threads 1
[ "$(wc -c <out)" -gt 1 ] || fail "no text up to the end of the context"

# Streamed text, JSON lines, verdicts: lost output is an error in all of them.
printf '{"text": "1+1="}\n' >text.jsonl
full() {
    program=$1
    shift
    timeout 60 "$build/$program" "$@" >/dev/full 2>err
    rc=$?
    [ $rc -eq 74 ] || fail "$program $* > /dev/full: exit code $rc: $(tail -1 err)"
}
full $generate --prompt 1+1= --ignore-eos --max-new-tokens 4 --threads 1
full $generate --prompts text.jsonl --max-new-tokens 4 --threads 1
full $evaluate --max-new-tokens 4 --threads 1
full r1-tokenize --model "$model" text.jsonl
full r1-grade countdown "$src/tests/programs/countdown.jsonl"
full r1-convert "$model" converted
full r1-bench wire --reps 1
full r1-train --help-config
exit $bad
