#!/bin/sh
# deploy/install and those who call it for more, on a machine that has nothing: apt-get, dpkg-query
# and python3 are stubs that write down what they are asked for.  Usage: deploy.sh BUILD_DIR SOURCE_DIR
. "$2/tests/programs/lib.sh"

mkdir bin
stub() {
    printf '#!/bin/sh\n%s\n' "$2" >"bin/$1"
    chmod +x "bin/$1"
}
stub dpkg-query 'exit 1'
stub apt-get 'echo "$*" >>"'"$dir"'/apt"'
stub id 'echo 0'
stub sudo 'exit 1'
stub python3 'exit 1' # neither pip nor venv
PATH=$dir/bin:$PATH

# asks PACKAGE... -- COMMAND...: the command has apt-get install these packages.
asks() {
    packages=
    while [ "$1" != -- ]; do
        packages="$packages $1"
        shift
    done
    shift
    rm -f apt
    timeout 60 "$@" >out 2>err
    grep -q -- "install .*--no-install-recommends$packages\$" apt || fail "$*: $(cat apt err)"
}
asks cmake python3-pip -- "$src/deploy/install" cmake python3-pip
asks python3-pip -- "$src/deploy/get-model" smollm2 "$dir/models"
mkdir real && touch real/SmolLM2-135M-Instruct.Q4_1.gguf
export R1_PEERS_DIR=$dir/peers
asks python3-venv -- env R1_MODELS="$dir/real" "$src/tests/golden/transformers_check.sh" "$src" "$build"

rm -f apt
"$src/deploy/install" >out 2>err || fail "deploy/install: $(cat err)"
grep -q "install .* meson .*libhdf5-dev" apt || fail "deploy/install: $(cat apt)"
stub id 'echo 1000'
rm -f apt
"$src/deploy/install" cmake >out 2>err && fail "deploy/install without root succeeds"
grep -q "apt-get install cmake" err || fail "deploy/install without root: $(cat err)"
[ ! -e apt ] || fail "apt-get was called without root"
# What r1 can do without is installed where that is possible, and is no error where it is not.
stub dpkg-query 'case $* in *flint*) exit 1 ;; esac; echo "install ok installed"'
"$src/deploy/install" >out 2>err || fail "deploy/install without root and FLINT: $(cat err)"
[ ! -e apt ] || fail "apt-get was called without root"
stub id 'echo 0'
"$src/deploy/install" >out 2>err || fail "deploy/install without FLINT: $(cat err)"
grep -q "install .*--no-install-recommends libflint-dev libflint-arb-dev$" apt || fail "deploy/install without FLINT: $(cat apt)"
stub apt-get 'exit 1'
"$src/deploy/install" >out 2>err || fail "deploy/install where FLINT cannot be had: $(cat err)"
"$src/deploy/install" flintlock >out 2>err && fail "deploy/install of what cannot be had succeeds"
rm -f apt
stub dpkg-query 'echo "install ok installed"'
"$src/deploy/install" >out 2>err || fail "deploy/install with all there: $(cat err)"
exit $bad
