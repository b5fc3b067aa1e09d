# To be sourced by test scripts, with BUILD_DIR and SOURCE_DIR as arguments: $build, $src, what Open MPI
# needs, and a directory $dir that goes when the script ends.  fail says why and sets $bad.
# TMPDIR is in $dir: Open MPI jobs of one user share a session directory below TMPDIR, and a job that
# ends sometimes removes it from under one that starts (open-mpi/ompi#8510).
build=$1 src=$2
. "$src/deploy/mpi-env"
dir=$(mktemp -d) || exit 99
trap 'chmod -R u+w "$dir"; rm -rf "$dir"' EXIT
mkdir "$dir/tmp" && export TMPDIR="$dir/tmp" || exit 99
bad=0

fail() {
    echo "$*"
    bad=1
}
