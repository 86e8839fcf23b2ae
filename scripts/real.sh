#!/usr/bin/env bash
# Prints the path of a real program that the tests compare the emulator with:
# the one on the PATH where its version fits, else one built from its Go module
# at the version pinned in scripts/tools, kept in the user's cache folder.
#
#   scripts/real.sh consul|minio|nomad
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
program=${1:-}
case $program in
consul) package=github.com/hashicorp/consul ;;
minio) package=github.com/minio/minio ;;
nomad) package=github.com/hashicorp/nomad ;;
*)
  echo "usage: scripts/real.sh consul|minio|nomad" >&2
  exit 2
  ;;
esac

tools=$here/tools/$program
version=$(awk -v package="$package" '$1 == package { print $2; exit }' "$tools/go.mod")

# fits PATH: whether the program behaves as the pinned one does. What Consul and
# Nomad answer changes from one minor version to the next; of MinIO any will do.
fits() {
  [ "$program" = minio ] || "$1" version 2>/dev/null | grep -qi "^$program ${version%.*}\."
}

if found=$(command -v "$program") && fits "$found"; then
  echo "$found"
  exit 0
fi

cache=${XDG_CACHE_HOME:-$HOME/.cache}/drydock
binary=$cache/$program-$version
if [ ! -x "$binary" ]; then
  mkdir -p "$cache"
  # One builds, others wait for it.
  exec 9>"$binary.lock"
  if command -v flock >/dev/null; then flock 9; fi
  if [ ! -x "$binary" ]; then
    echo "building the real $program $version, once; it takes some minutes" >&2
    go build -C "$tools" -o "$binary.new" "$package" >&2
    mv "$binary.new" "$binary"
  fi
fi
echo "$binary"
