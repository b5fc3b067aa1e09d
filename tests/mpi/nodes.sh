#!/bin/sh
# The same weights, moments and metrics on several nodes as on one.  The nodes are this machine under
# other names (two-nodes): real Open MPI nodes, with memory windows of their own.
# Usage: nodes.sh BUILD_DIR SOURCE_DIR
set -u
. "$2/tests/scratch.sh"

# run NAME HOSTS MAP_BY NP [OVERRIDE]...
run() {
    name=$1 hosts=$2 map=$3 np=$4
    shift 4
    timeout -k 5 120 mpirun --mca plm_rsh_agent "$src/tests/mpi/two-nodes" --host "$hosts" \
        --map-by "$map" -np "$np" "$build/r1-train" "$src/tests/mpi/short.yaml" "$@" \
        --output "$dir/$name" >"$dir/$name.out" 2>"$dir/$name.err" || {
        echo "$name failed with $?"
        tail -5 "$dir/$name.err"
    }
}
result() {
    grep '^weights' "$dir/$1.out"
    sed -E 's/"(timing_s|perf)\/[^,}]*[,}]//g' "$dir/$1/metrics.jsonl"
}
same() { # NAME NODES: as on one node, and it was on so many
    if [ "$(result "$1")" = "$(result one)" ] && grep -q "nodes     $2," "$dir/$1.err"; then
        echo "$1: as on one node"
    else
        echo "$1 differs: $(grep '^weights' "$dir/$1.out"), $(grep 'nodes  ' "$dir/$1.err")"
        bad=1
    fi
}

timeout -k 5 120 mpirun -np 2 "$build/r1-train" "$src/tests/mpi/short.yaml" --output "$dir/one" \
    >"$dir/one.out" 2>"$dir/one.err" || tail -5 "$dir/one.err"
[ "$(result one | wc -l)" -eq 65 ] || { echo "the run on one node is incomplete"; exit 1; }

run colocated n1:2,n2:2 slot 4 topology.mode=colocated
same colocated 2
run uneven n1:3,n2:1,n3:1 slot 5 topology.mode=colocated
same uneven 3
run actors n1:2,n2:1,n3:2,n4:1 slot 6 topology.mode=split topology.learners=3
same actors 4
run scattered n1:2,n2:2,n3:2 node 6 topology.mode=split topology.learners=4
same scattered 3
[ $bad -eq 0 ] && echo "4 clusters, one result"
exit $bad
