#!/bin/sh
# test_comm on one node and on several (this machine under other names).
# Usage: comm.sh BUILD_DIR SOURCE_DIR
set -u
. "$2/tests/scratch.sh"
for hosts in n1:1 n1:4 n1:2,n2:2 n1:3,n2:2,n3:1 n1:1,n2:1,n3:1,n4:1,n5:1; do
    for map in slot node; do
        np=$(echo "$hosts" | tr ',' '\n' | awk -F: '{n += $2} END {print n}')
        nodes=$(echo "$hosts" | tr ',' '\n' | wc -l)
        out=$(timeout -k 5 100 mpirun --mca plm_rsh_agent "$src/tests/mpi/two-nodes" --host "$hosts" \
            --map-by $map -np "$np" "$build/tests/mpi/test_comm" 2>&1)
        case $out in
        *"$nodes nodes, $np ranks"*passed*) echo "$hosts by $map: $out" ;;
        *) echo "$hosts by $map: $out"; bad=1 ;;
        esac
    done
done
exit $bad
