#!/usr/bin/env bash
# Finds or makes the real programs that stand where the emulator does offline.
#
#   scripts/real.sh PROGRAM   prints the path of consul, nomad, minio, mc, nats-server or postgres
#   scripts/real.sh path      prints one folder that has all of them by their names, for the PATH
#   scripts/real.sh list      prints which version of each is wanted, and where it is
#
# What is on the PATH is taken where its version fits. Else a program is built
# from its Go module at the version pinned in scripts/tools, once, into the
# user's cache folder; PostgreSQL comes from the system's packages.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
programs=(consul nomad minio mc nats-server postgres)

say() { printf 'real: %s\n' "$*" >&2; }
die() {
  say "$*"
  exit 1
}
has() { type -P "$1" >/dev/null; }

[ -n "${XDG_CACHE_HOME:-}${HOME:-}" ] || die "there is no cache folder to build programs in: set HOME or XDG_CACHE_HOME"
cache=${XDG_CACHE_HOME:-$HOME/.cache}/drydock

# module PROGRAM: its Go package and version, as scripts/tools has them.
module() {
  awk '$1 == "tool" { package = $2 } package && $1 == package { print package, $2; exit }' "$here/tools/$1/go.mod"
}

# wanted PROGRAM: how what it says of its version begins where it fits. What
# Consul, Nomad and NATS do changes from one minor version to the next; of the
# others any will do, but mc is the name of a file manager too.
wanted() {
  local version=
  [ "$1" = postgres ] || version=$(module "$1") version=${version#* }
  case $1 in
  consul) echo "Consul ${version%.*}." ;;
  nomad) echo "Nomad ${version%.*}." ;;
  nats-server) echo "nats-server: ${version%.*}." ;;
  postgres) echo "postgres (PostgreSQL) " ;;
  *) echo "$1 version " ;;
  esac
}

# said PROGRAM PATH: the line in which it says its version. MinIO's programs take
# the name by which they are called for theirs, and say nothing without a home.
said() {
  local flag=--version called=$2 lines code=0
  case $1 in
  consul | nomad) flag=version ;;
  minio | mc) called=$1 ;;
  esac
  lines=$(export HOME="${HOME:-/nonexistent}" && exec -a "$called" "$2" "$flag" 2>&1) || code=$?
  printf '%s\n' "${lines%%$'\n'*}"
  return "$code"
}

fits() { case $(said "$1" "$2") in "$(wanted "$1")"*) ;; *) return 1 ;; esac }

# kept PROGRAM: where it is kept once it is built.
kept() {
  local version
  version=$(module "$1")
  echo "$cache/$1-${version#* }"
}

# locate PROGRAM: the path of one that is there and fits.
locate() {
  local candidates=() candidate
  candidate=$(type -P "$1") && candidates+=("$candidate")
  if [ "$1" = postgres ]; then
    # Neither Debian nor brew puts it on the PATH. The newest comes last.
    for candidate in /usr/lib/postgresql/*/bin/postgres /{usr/local,opt/homebrew}/opt/postgresql@*/bin/postgres; do
      candidates+=("$candidate")
    done
  else
    candidates+=("$(kept "$1")")
  fi
  for candidate in ${candidates[@]+"${candidates[@]}"}; do
    if [ -x "$candidate" ] && fits "$1" "$candidate"; then
      echo "$candidate"
      return
    fi
  done
  return 1
}

# What is under way, and goes when this program does: a process group, a folder.
child='' scratch=''
stop() {
  if [ -n "$child" ]; then
    kill -TERM -- "-$child" 2>/dev/null || true
    wait "$child" 2>/dev/null || true
  fi
  [ -z "$scratch" ] || rm -rf "$scratch"
}
trap stop EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# progress TEXT: says how long it has been so far: on a terminal in place, else
# twice a minute.
spoken=0
progress() {
  sleep 0.1
  if [ -t 2 ]; then
    [ "$SECONDS" -eq "$spoken" ] || printf '\rreal: %s: %d s so far ' "$1" "$((SECONDS - began))" >&2
    spoken=$SECONDS
  elif [ $((SECONDS - spoken)) -ge 30 ]; then
    say "$1: $((SECONDS - began)) s so far"
    spoken=$SECONDS
  fi
}
clear_progress() { [ ! -t 2 ] || printf '\r\033[K' >&2; }

# take_lock takes the lock on file descriptor 9 unless another has it. A lock
# ends with the processes that hold it, however they end. macOS has no flock.
take_lock() {
  if has flock; then
    flock -n 9
  else
    perl -e 'use Fcntl ":flock"; open my $lock, ">&=", 9 or die; exit !flock $lock, LOCK_EX | LOCK_NB'
  fi
}

# space PROGRAM: how much a build takes with all of Go's caches, in MB; about a
# third of it where the modules have been fetched already.
space() {
  local package version mb=0
  case $1 in
  consul | nomad) mb=3300 ;;
  minio) mb=2000 ;;
  mc) mb=800 ;;
  nats-server) mb=400 ;;
  esac
  if [ "$mb" -gt 0 ]; then
    read -r package version <<<"$(module "$1")"
    [ ! -d "$(go env GOMODCACHE)/$package@$version" ] || mb=$((mb / 3))
  fi
  echo "$mb"
}

# make_cache makes the cache folder, and sees that it can be written.
make_cache() {
  local problem
  problem=$({ mkdir -p "$cache" && : >"$cache/.writable" && rm -f "$cache/.writable"; } 2>&1) ||
    die "cannot write to the cache folder $cache (${problem##*: }): make it writable, or set XDG_CACHE_HOME to a folder that is"
}

# check_space PROGRAM... sees that the disk takes what will be built.
check_space() {
  local program need=0 free
  for program in "$@"; do need=$((need + $(space "$program"))); done
  # The column before that of the percentage: names may have spaces.
  free=$(df -Pk "$cache" | awk 'NR == 2 { for (i = 2; i <= NF; i++) if ($i ~ /%$/) { print int($(i - 1) / 1024); exit } }')
  [ "${free:-$need}" -ge "$need" ] ||
    die "too little space to build $*: about $need MB are needed and $free MB are free in $cache: free some, or set XDG_CACHE_HOME to a folder on another disk"
}

# explain LOG: what a build failed of, in one line, and what to do.
explain() {
  local line
  if grep -qi 'no space left on device\|disk quota exceeded' "$1"; then
    echo "the disk is full: free some space, or set XDG_CACHE_HOME to a folder on another disk"
  elif line=$(grep -m 1 -E 'dial (tcp|udp)|proxyconnect|TLS handshake|i/o timeout|connection re|disabled by GOPROXY|: [45][0-9][0-9] ' "$1"); then
    echo "the first build needs the network, or a Go proxy in GOPROXY: ${line#go: }"
  elif grep -q 'signal: killed' "$1"; then
    echo "the compiler was killed, most likely for want of memory: end other programs, or set GOFLAGS=-p=1"
  else
    line=$(grep -v '^go: downloading\|^#\|^$' "$1" | head -n 1)
    echo "${line:-go build said nothing}"
  fi
}

# build PROGRAM OF builds one in a folder of its own, and puts it in its place
# when it is whole and runs. OF says which one of how many it is.
build() {
  local program=$1 of=$2 binary package version name found began=$SECONDS
  read -r package version <<<"$(module "$program")"
  binary=$(kept "$program") name="$program $version$of"
  exec 9>"$binary.lock"
  if ! take_lock; then
    say "waiting for another that builds $name"
    until take_lock; do progress "waiting for $name"; done
    clear_progress
  fi
  if [ -x "$binary" ] && fits "$program" "$binary"; then return; fi
  if found=$(type -P "$program"); then
    say "$found is \"$(said "$program" "$found")\", and what is wanted is \"$(wanted "$program")…\": Drydock builds its own"
  fi
  say "building $name; it takes minutes, once: it is kept in $cache"
  scratch=$binary.new
  rm -rf "$scratch"
  mkdir -p "$scratch/tmp"
  set -m # a process group of its own, so that all of it can be stopped
  GOWORK=off GOTMPDIR=$scratch/tmp go build -C "$here/tools/$program" -o "$scratch/$program" "$package" >"$scratch/log" 2>&1 </dev/null &
  child=$!
  set +m
  while kill -0 "$child" 2>/dev/null; do progress "building $name"; done
  clear_progress
  wait "$child" || {
    child=''
    mv -f "$scratch/log" "$binary.log"
    die "$program $version could not be built: $(explain "$binary.log") (everything is in $binary.log)"
  }
  child=''
  fits "$program" "$scratch/$program" || die "$program $version was built, and does not run: $(said "$program" "$scratch/$program" || true)"
  mv -f "$scratch/$program" "$binary"
  rm -rf "$scratch" "$binary.log"
  scratch=''
  exec 9>&-
  say "built $name in $((SECONDS - began)) s"
}

# ensure PROGRAM... makes those that are missing, and leaves in paths where each is.
ensure() {
  local missing=() program path of='' i
  paths=()
  for program in "$@"; do
    path=$(locate "$program") || missing+=("$program")
    paths+=("$path")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  program=${missing[0]}
  if [ "$program" != postgres ]; then
    has go || die "Go is missing, which builds $program: install it from https://go.dev/dl, or put $program on the PATH, then try again"
    make_cache
    check_space "${missing[@]}"
  fi
  for ((i = 0; i < ${#missing[@]}; i++)); do
    program=${missing[i]}
    [ ${#missing[@]} -eq 1 ] || of=" ($((i + 1)) of ${#missing[@]})"
    if [ "$program" = postgres ]; then "$here/setup.sh" postgres; else build "$program" "$of"; fi
  done
  paths=()
  for program in "$@"; do
    path=$(locate "$program") || die "$program was installed, and does not run"
    paths+=("$path")
  done
}

# links prints a folder of links to the paths of the programs. Its name is made
# from what the links lead to, so that its contents never change under whoever
# uses it.
links() {
  local i path name targets='' folder link
  for ((i = 0; i < ${#programs[@]}; i++)); do
    path=${paths[i]} # the last is PostgreSQL's
    targets+="${programs[i]} $path"$'\n'
  done
  # What comes with PostgreSQL, such as initdb, is beside it.
  for path in "$(dirname "$(readlink -f "$path")")"/*; do
    name=${path##*/}
    [ "$name" = postgres ] || targets+="$name $path"$'\n'
  done
  make_cache
  folder=$cache/path-$(printf %s "$targets" | cksum | tr ' ' -)
  mkdir -p "$folder"
  while read -r name path; do
    link=$folder/$name
    [ "$(readlink "$link" || true)" != "$path" ] || continue
    ln -s "$path" "$link.$$"
    mv -f "$link.$$" "$link"
  done < <(printf %s "$targets")
  echo "$folder"
}

# The folders of links are no place to look for programs.
PATH=$(printf %s "$PATH" | tr : '\n' | awk -v links="$cache/path-" 'index($0, links) != 1' | paste -sd : -)

case ${1:-} in
path)
  ensure "${programs[@]}"
  links
  ;;
list)
  for program in "${programs[@]}"; do
    printf '%-12s %-60s %s\n' "$program" "$(wanted "$program")…" "$(locate "$program" || echo missing)"
  done
  ;;
consul | nomad | minio | mc | nats-server | postgres)
  ensure "$1"
  echo "${paths[0]}"
  ;;
*)
  echo "usage: scripts/real.sh consul|nomad|minio|mc|nats-server|postgres|path|list" >&2
  exit 2
  ;;
esac
