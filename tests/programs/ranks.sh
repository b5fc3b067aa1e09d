#!/bin/sh
# Each program alone and under mpirun with one and two ranks: the same bytes on stdout, once, and the
# same exit code.  Usage: ranks.sh BUILD_DIR SOURCE_DIR
. "$2/tests/programs/lib.sh"

# same RC PROGRAM [ARGUMENT]...: what varies from run to run is cut out of the output.
same() {
    want=$1 program=$2
    shift 2
    for np in 0 1 2; do
        launch=
        [ $np -eq 0 ] || launch="mpirun -np $np"
        rm -rf made
        timeout -k 5 120 $launch "$build/$program" "$@" >raw 2>err </dev/null
        rc=$?
        [ $rc -eq "$want" ] || fail "np $np: $program $*: exit code $rc, not $want: $(head -5 err)"
        sed -E "s/\"(us|seconds|[a-z_]*(_s|gbs|per_s|gflops))\": [0-9.e+-]+//g" raw >out.$np
        cmp -s out.0 out.$np || fail "np $np: $program $*: other output: $(diff out.0 out.$np | head -6)"
        [ "$want" -ne 0 ] || [ -s out.$np ] || fail "np $np: $program $*: no output"
    done
}

make_model
printf '{"text": "1+1="}\n{"text": "2+3="}\n{"ids": [49, 43, 50]}\n' >prompts.jsonl
printf '{"text": "1+1="}\n{"text": "<think>x"}\n' >texts.jsonl
printf '{"question": "1+1=", "answer": "2"}\n{"question": "2+1=", "answer": "3"}\n' >data.jsonl
for p in train eval generate tokenize grade convert bench; do
    same 0 r1-$p --help
    same 0 r1-$p --version
    same 64 r1-$p --no-such-option
done
same 0 r1-generate --model "$model" --prompt 1+1= --max-new-tokens 20 --threads 1
same 0 r1-generate --model "$model" --prompts prompts.jsonl --n 3 --max-new-tokens 9 --logprobs --threads 1
same 0 r1-eval --model "$model" --data data.jsonl --reward number --n 2 --max-new-tokens 9 --threads 1
same 0 r1-tokenize --model "$model" texts.jsonl
same 0 r1-grade countdown "$src/tests/programs/countdown.jsonl"
same 65 r1-grade number texts.jsonl
same 0 r1-convert "$model" made
same 64 r1-convert "$model" "$model"
same 0 r1-bench wire --reps 1 --threads 1
same 0 r1-train "$src/tests/programs/tiny.yaml" --output made compute.threads=1
same 64 r1-bench nothing
exit $bad
