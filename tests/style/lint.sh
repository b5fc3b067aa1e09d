#!/bin/sh
# clang-tidy and cppcheck over all sources: tests/run --lint.
# Usage: lint.sh SOURCE_DIR BUILD_DIR
set -u
src=$1 build=$2
cd "$src" || exit 99
files=$(git ls-files '*.c')
bad=0
for f in $files; do # only what this build compiles
    grep -q "\"file\": \"../$f\"" "$build/compile_commands.json" && echo "$f"
done >"$build/lint.files"
xargs -a "$build/lint.files" -P "$(nproc)" -n 1 clang-tidy-14 --quiet -p "$build" \
    >"$build/lint.tidy" 2>"$build/lint.tidy.err" || bad=1
grep -E 'warning:|error:' "$build/lint.tidy"
cppcheck --quiet --enable=warning,portability --std=c11 --error-exitcode=1 --inline-suppr -j "$(nproc)" \
    -D'json_object_foreach(o, k, v)=while (v)' --suppressions-list=tests/style/cppcheck.txt -I . --file-list="$build/lint.files" || bad=1
n=$(wc -l <"$build/lint.files")
[ $bad -eq 0 ] && echo "$n files, no finding"
exit $bad
