#!/usr/bin/env bash
# Runs a command with a Docker engine: the one that answers, else Debian's,
# which is started for it and stopped after it, with its state in a temporary
# folder. Containers of that one have the machine's network or none.
#
#   scripts/docker.sh COMMAND...
set -euo pipefail

die() {
  printf 'docker: %s\n' "$*" >&2
  exit 1
}

[ $# -gt 0 ] || die "usage: scripts/docker.sh COMMAND..."
command -v docker >/dev/null || die "the program docker is missing: install docker.io with apt, then try again"
if docker info >/dev/null 2>&1; then exec "$@"; fi

command -v dockerd >/dev/null || die "no engine answers at ${DOCKER_HOST:-unix:///var/run/docker.sock}, and there is none to start: install docker.io with apt, then try again"
[ "$(id -u)" -eq 0 ] || die "no engine answers at ${DOCKER_HOST:-unix:///var/run/docker.sock}, and starting one needs root"

state=$(mktemp -d "${TMPDIR:-/tmp}/drydock-docker.XXXXXX")
export DOCKER_HOST=unix://$state/engine.sock
# In a session of its own, so that Ctrl-C ends the command first; and told to
# stop when this script is killed.
PATH=$PATH:/usr/sbin:/sbin setsid setpriv --pdeathsig TERM \
  dockerd --host "$DOCKER_HOST" --data-root "$state/data" --exec-root "$state/exec" --pidfile "$state/pid" \
  --bridge none --iptables=false --ip-masq=false --ip-forward=false >"$state/log" 2>&1 &
engine=$!

stop() {
  kill "$engine" 2>/dev/null || true
  wait "$engine" 2>/dev/null || true
  # It leaves mounts behind where containers had the machine's network.
  awk -v below="$state/" 'index($2, below) == 1 { print $2 }' /proc/mounts | sort -r | xargs -r umount
  rm -rf "$state"
}
trap stop EXIT
trap 'exit 130' INT TERM

deadline=$((SECONDS + 60))
until docker info >/dev/null 2>&1; do
  if ! kill -0 "$engine" 2>/dev/null || [ $SECONDS -gt $deadline ]; then
    grep -v level=info "$state/log" | tail -n 5 >&2
    die "the engine does not start, see the lines above"
  fi
  sleep 0.2
done
"$@"
