#!/usr/bin/env bash
# Prints the path of a real program that the tests compare the emulator with:
# the one on the PATH, else one built from its Go module at the version pinned
# in scripts/tools, kept in the user's cache folder.
#
#   scripts/real.sh minio
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
program=${1:-}
case $program in
minio) package=github.com/minio/minio ;;
*)
  echo "usage: scripts/real.sh minio" >&2
  exit 2
  ;;
esac

if found=$(command -v "$program"); then
  echo "$found"
  exit 0
fi

tools=$here/tools/$program
version=$(awk -v package="$package" '$1 == package { print $2 }' "$tools/go.mod")
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
