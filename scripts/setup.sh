#!/usr/bin/env bash
# Installs what is missing to build Drydock and, with the argument "test", to
# test it; with "postgres", PostgreSQL alone, without a database of the system's;
# with "docker", what makes container images where there is no registry, and an
# engine if none answers. It says what it is going to install before it does.
#
#   scripts/setup.sh [test|postgres|docker]
set -euo pipefail

purpose=${1:-build}

say() { printf 'setup: %s\n' "$*" >&2; }
die() {
  say "$*"
  exit 1
}

has() { command -v "$1" >/dev/null 2>&1; }
has_browser() { has chromium || has chromium-browser || has google-chrome || [ -d "/Applications/Google Chrome.app" ]; }

missing=()
if [ "$purpose" = postgres ]; then
  missing=(postgres)
elif [ "$purpose" = docker ]; then
  { has docker && docker info >/dev/null 2>&1; } || { has docker && PATH=$PATH:/usr/sbin has dockerd; } || missing+=(docker)
  has mmdebstrap || missing+=(mmdebstrap)
else
  has go || die "Go is missing: install it from https://go.dev/dl, then try again"
  has cc || missing+=(compiler)
  has pkg-config || missing+=(pkg-config)
  { has pkg-config && pkg-config --exists vips; } || missing+=(vips)
fi
if [ "$purpose" = test ]; then
  has_browser || missing+=(browser)
  has aws || missing+=(aws)
fi
[ ${#missing[@]} -gt 0 ] || exit 0

# packages FOR: the words of the named package manager for what is missing.
packages() {
  local part
  for part in "${missing[@]}"; do
    case $1/$part in
    apt/compiler) echo gcc libc6-dev ;;
    apt/pkg-config) echo pkg-config ;;
    apt/vips) echo libvips-dev ;;
    apt/browser) echo chromium ;;
    apt/aws) echo awscli ;;
    apt/postgres) echo postgresql ;;
    apt/mmdebstrap) echo mmdebstrap ;;
    apt/docker)
      echo docker.io
      if ! has docker && apt-cache show docker-cli >/dev/null 2>&1; then echo docker-cli; fi # a package of its own since Debian 13
      ;;
    */docker | */mmdebstrap) die "containers are tested on Debian and Ubuntu, which have docker.io and mmdebstrap" ;;
    brew/compiler) die "a C compiler is missing: run xcode-select --install, then try again" ;;
    brew/pkg-config) echo pkgconf ;;
    brew/vips) echo vips ;;
    brew/browser) echo --cask google-chrome ;;
    brew/aws) echo awscli ;;
    brew/postgres) echo postgresql@17 ;;
    esac
  done
}

# with_apt NAME... installs packages.
with_apt() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"
}

# without_database keeps Debian from making a database of its own, and from
# starting a server for it, when PostgreSQL is installed.
without_database() {
  with_apt postgresql-common && "${as_root[@]}" pg_conftool /etc/postgresql-common/createcluster.conf set create_main_cluster false
}

if has apt-get; then
  read -ra names <<<"$(packages apt | tr '\n' ' ')"
  as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    has sudo || die "as root, run: apt-get install --no-install-recommends ${names[*]}"
    as_root=(sudo)
  fi
  say "installing with apt: ${names[*]}"
  log=$(mktemp)
  trap 'rm -f "$log"' EXIT
  if ! { "${as_root[@]}" apt-get update &&
    { [ "$purpose" != postgres ] || without_database; } &&
    with_apt "${names[@]}"; } >"$log" 2>&1; then
    tail -n 15 "$log" >&2
    die "apt could not install ${names[*]}"
  fi
elif has brew; then
  read -ra names <<<"$(packages brew | tr '\n' ' ')"
  say "installing with brew: ${names[*]}"
  brew install "${names[@]}" >&2
elif [ "$purpose" = docker ]; then
  die "install a Docker engine and mmdebstrap, then try again"
elif [ "$purpose" = postgres ]; then
  die "install PostgreSQL so that postgres is on the PATH, then try again"
else
  die "install these, then try again: a C compiler, pkg-config, libvips 8.14 or newer with its headers$([ "$purpose" = test ] && echo ', Chromium, the AWS CLI')"
fi
