#!/bin/sh
# House rules that a program can check.  Usage: style.sh SOURCE_DIR BUILD_DIR CHECK
# Each check prints what breaks the rule and exits with 1; 77 = the tool it needs is absent.
set -u
src=$1 build=$2 check=$3
cd "$src" || exit 99
files() { find common actor learner reward tests -name '*.[ch]' | sort; }
bad=0
complain() {
    echo "$*"
    bad=1
}

check_layers() {
    order="base config formats kernels model tokenizer data store wire comm metrics"
    level() { # tokenizer, data, store and wire stand side by side; config and formats below kernels
        case $1 in
        base) echo 0 ;; config) echo 1 ;; formats) echo 2 ;; kernels) echo 3 ;; model) echo 4 ;;
        tokenizer) echo 5 ;; data) echo 6 ;; store) echo 7 ;; wire) echo 8 ;; comm) echo 9 ;;
        metrics) echo 10 ;; *) echo none ;;
        esac
    }
    for layer in $order; do
        have=$(level "$layer")
        for line in $(grep -oHE '#include "[^"]+"' -r "common/$layer" --include='*.[ch]' --include='*.inc' |
            tr -d ' "' | sed 's/#include//'); do
            inc=${line#*:}
            case $inc in
            common/*)
                want=$(level "$(echo "$inc" | cut -d/ -f2)")
                [ "$want" != none ] && [ "$want" -le "$have" ] || complain "${line%%:*}: includes $inc (a higher layer)"
                ;;
            actor/* | learner/* | reward/* | tests/*) complain "${line%%:*}: includes $inc" ;;
            esac
        done
    done
    for pair in actor:learner learner:actor reward:common/model reward:common/kernels reward:common/comm \
        reward:common/wire reward:actor reward:learner; do
        hits=$(grep -nE "#include \"${pair#*:}/" -r "${pair%%:*}" --include='*.[ch]' | grep -v '_main\.c:')
        [ -z "$hits" ] || complain "$hits"
    done
    hits=$(grep -nE '#include *[<"]mpi\.h' -r common actor learner reward --include='*.[ch]' | grep -v '^common/comm/')
    [ -z "$hits" ] || complain "mpi.h outside common/comm: $hits"
}

check_headers() {
    cc=${CC:-cc}
    for h in $(find common actor learner reward -name '*.h' | sort); do
        case $h in # headers of one instruction set are compiled with it
        *_avx2.h) isa="-mavx2 -mfma -mf16c" ;;
        *_avx512.h) isa="-mavx512f -mavx512bw -mavx512dq -mavx512vl -mfma" ;;
        *) isa= ;;
        esac
        echo "#include \"$h\"" | $cc $isa -std=gnu17 -D_GNU_SOURCE -Wall -Werror -fsyntax-only -I. -I"$build/common/base" \
            $(pkg-config --cflags jansson msgpack ompi-c hdf5-serial 2>/dev/null) -x c - ||
            complain "$h does not compile alone"
        guard=R1_$(echo "$h" | sed 's/^common\///; s/\.h$//' | tr 'a-z/-' 'A-Z__')_H
        grep -q "#ifndef $guard\$" "$h" || complain "$h: guard is not $guard"
    done
}

check_format() {
    tool=$(command -v clang-format-14 || command -v clang-format) || exit 77
    "$tool" --version | grep -q 'version 14' || exit 77
    for f in $(files); do
        "$tool" --dry-run -Werror "$f" >/dev/null 2>&1 || complain "$f: not formatted (clang-format-14 -i)"
    done
    for f in $(git ls-files 2>/dev/null | grep -E '\.(c|h|inc|build|yaml|md|sh)$'); do
        grep -nP '\t|\r| +$' "$f" | sed "s|^|$f:|" | head -3 | grep . && complain "$f: tab, CR or trailing blank"
        [ -z "$(tail -c1 "$f")" ] || complain "$f: no newline at the end"
    done
}

check_length() {
    for f in $(files); do
        case $f in */tables/* | *_table.h) continue ;; esac
        n=$(wc -l <"$f")
        case $f in *_main.c) most=200 ;; *) most=1000 ;; esac
        [ "$n" -le $most ] || complain "$f: $n lines (at most $most)"
    done
    # A function starts with a line at column 0 that ends in "{" and ends with "}" at column 0.
    for f in $(find common actor learner reward -name '*.c'); do
        awk -v f="$f" '/^[A-Za-z_].*[^=] *\{$/ && !/^(typedef|struct|enum|union|static const|const)/ {start = NR; name = $0}
            /^}/ && start {if (NR - start > 80) {print f ":" start ": " NR - start " lines: " name; bad = 1} start = 0}
            length($0) > 100 {print f ":" NR ": " length($0) " columns"; bad = 1}
            END {exit bad}' "$f" || bad=1
    done
}

check_symbols() { # sanitizers add symbols of theirs, and ask for some by name (common/comm/leaks.c)
    for lib in "$build"/common/*/libr1_*.a "$build"/reward/libr1_*.a "$build"/actor/libr1_*.a "$build"/learner/libr1_*.a; do
        [ -f "$lib" ] || continue
        hits=$(nm --defined-only -g "$lib" 2>/dev/null | awk 'NF == 3 && $3 !~ /^(r1_|_r1_|__odr_asan|__[al]san_default_)/ {print $3}')
        [ -z "$hits" ] || complain "$(basename "$lib"): symbols without r1_: $hits"
    done
}

check_banned() {
    hits=$(grep -nE '\b(strcpy|strcat|strncat|sprintf|gets|alloca|srand|rand|drand48)\(' -r common actor learner reward \
        --include='*.[ch]')
    [ -z "$hits" ] || complain "$hits"
    hits=$(grep -nE '\b(malloc|calloc|realloc)\(' -r common actor learner reward --include='*.[ch]' |
        grep -vE '^common/base/mem\.c:|r1_(calloc|realloc)|__attribute__')
    [ -z "$hits" ] || complain "heap memory comes from common/base/mem.h: $hits"
    hits=$(grep -nE '\b(TODO|FIXME|XXX|HACK)\b|^#if 0|<assert\.h>' -r common actor learner reward --include='*.[ch]')
    [ -z "$hits" ] || complain "$hits"
    hits=$(grep -nwE 'exit|MPI_Abort' -r common actor learner reward --include='*.c' | grep -E '\b(exit|MPI_Abort)\(' |
        grep -vE '_main\.c:|^common/comm/|^common/base/err\.c:')
    [ -z "$hits" ] || complain "libraries do not end the process: $hits"
}

"check_$check"
exit $bad
