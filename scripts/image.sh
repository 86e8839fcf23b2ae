#!/usr/bin/env bash
# Builds the container images drydock and drydock-images, says how large they
# are and how they are run; or, with the argument parts, images of NATS, MinIO
# and PostgreSQL for clusters that no registry can be reached from.
#
#   scripts/image.sh [parts]
#
# BASE is the image with the Debian or Ubuntu that libvips comes from, and GO
# the one that the programs are compiled in. Where BASE is not given and no
# registry can be reached, or it is "local", the base is made here with
# mmdebstrap, of this machine's own release: so the programs that are built on
# this machine run in it, and are taken as they are.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly registry_base=debian:bookworm-slim
version=${VERSION:-$(git describe --tags --always --dirty 2>/dev/null || echo unknown)}
revision=$(git rev-parse HEAD 2>/dev/null || echo unknown)

say() { printf 'image: %s\n' "$*" >&2; }
die() {
  say "$*"
  exit 1
}

log=$(mktemp)
unfinished= folder=
trap 'rm -rf "$log" "$unfinished" "$folder"' EXIT

# attempt WHAT COMMAND...: runs it in silence; when it fails the program ends
# with one line, after what the command said where that is not understood.
attempt() {
  local what=$1
  shift
  "$@" >"$log" 2>&1 && return
  if grep -qi 'no space left' "$log"; then
    die "$what: the disk is full: make some 2 GB free where $(df --output=target "${TMPDIR:-/tmp}" | tail -n 1), ${XDG_CACHE_HOME:-$HOME/.cache} and the engine's images are (docker system prune frees unused ones), then try again"
  fi
  tail -n 20 "$log" >&2
  die "$what: it failed, see the lines above"
}

need_engine() {
  command -v docker >/dev/null || die "the program docker is missing: install docker.io with apt, then try again"
  docker info >"$log" 2>&1 && return
  if grep -qi 'permission denied' "$log"; then
    die "the Docker engine does not let you in: become a member of the group docker, or run this as root"
  fi
  die "no Docker engine answers at ${DOCKER_HOST:-unix:///var/run/docker.sock}: start one (systemctl start docker), or have one for this alone: scripts/docker.sh make image"
}

# make_base NAME PACKAGE...: makes a local base with the packages once, and keeps
# it in the user's cache folder. Its name on the engine is left in $base.
make_base() {
  local name=$1
  shift
  local packages
  packages=$(IFS=, && echo "$*")
  local distribution release components as_root=() archive
  # shellcheck source=/dev/null
  read -r distribution release < <(. /etc/os-release 2>/dev/null && echo "$ID ${VERSION_CODENAME:-}") || true
  case ${distribution:-} in
  debian) components=main ;;
  ubuntu) components=main,universe ;;
  *) die "no registry can be reached, and a base of its own needs Debian or Ubuntu: give an image that the engine has, as make image BASE=$registry_base" ;;
  esac
  base=drydock-$name:$release
  archive=${XDG_CACHE_HOME:-$HOME/.cache}/drydock/$name-$release-$(dpkg --print-architecture).tar
  mkdir -p "$(dirname "$archive")"
  exec 9>"$archive.lock"
  flock 9 # one makes it, others wait for it
  if [ ! -e "$archive" ]; then
    command -v mmdebstrap >/dev/null || die "mmdebstrap is missing, which makes the base where no registry can be reached: install it with apt, then try again"
    if [ "$(id -u)" -ne 0 ]; then
      command -v sudo >/dev/null || die "mmdebstrap needs root to make the base, and there is no sudo: run this once as root"
      as_root=(sudo)
    fi
    unfinished=$archive.new.tar
    say "making the $name of $distribution $release, once; it takes a minute or two"
    attempt "making the base" "${as_root[@]}" mmdebstrap --variant=essential --components="$components" \
      --include="$packages" --dpkgopt=force-unsafe-io \
      --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/man/*' \
      "$release" "$unfinished"
    mv "$unfinished" "$archive"
  fi
  exec 9>&-
  if ! docker image inspect "$base" >/dev/null 2>&1; then
    attempt "bringing the base to the engine" docker import "$archive" "$base"
  fi
}

# build NAME: builds the image of the target, from the folder "." or from an
# archive of what is needed on standard input. "local" is the tag that the job
# files have; none is "latest", which Nomad would want from a registry.
build() {
  docker build --target "$1" --tag "$1:$version" --tag "$1:local" --build-arg BASE="$base" --build-arg GO="$go" \
    --build-arg VERSION="$version" --build-arg REVISION="$revision" "$context"
}

build_local() { tar -cf - Dockerfile scripts/image-root.sh bin/image/drydock bin/drydock-images | build "$1"; }

# build_parts: the images of the platform's parts, of the programs that
# scripts/real.sh has and the system's PostgreSQL.
build_parts() {
  local part
  make_base parts postgresql
  folder=$(mktemp -d)
  for part in nats-server minio mc; do cp "$(scripts/real.sh "$part")" "$folder/$part"; done
  for part in nats minio postgres; do
    attempt "building $part" docker build --file scripts/parts.Dockerfile --target "$part" --tag "drydock-$part:local" --build-arg BASE="$base" "$folder"
  done
}

need_engine
if [ "${1:-}" = parts ]; then
  build_parts
  exit
fi
base=${BASE:-}
if [ -z "$base" ]; then
  say "looking for $registry_base"
  if timeout 60 docker pull --quiet "$registry_base" >/dev/null 2>&1; then base=$registry_base; else base=local; fi
fi
if [ "$base" = local ]; then
  make_base base usr-is-merged ca-certificates libvips42
  say "on the base of this machine's release, with the programs that are built here"
  attempt "building the programs" make VERSION="$version" bin/image/drydock bin/drydock-images
  go=$base context=- builder=build_local
else
  say "on $base; the programs are compiled in a container, which takes some minutes"
  go=${GO:-golang:$(awk '$1 == "go" { split($2, v, "."); print v[1] "." v[2] }' go.mod)-bookworm} context=. builder=build
fi
for image in drydock drydock-images; do
  attempt "building $image" "$builder" "$image"
done

for image in drydock drydock-images; do
  printf '%-40s %4d MB\n' "$image:$version" $(($(docker image inspect --format '{{.Size}}' "$image:$version") / 1000000))
done
cat <<EOF

Run a role:    docker run --rm --read-only --cap-drop all --tmpfs /tmp --network host -e DRYDOCK_BUS=nats://… drydock:$version uploads
On Nomad:      nomad job run -var driver=docker jobs/uploads.nomad.hcl
EOF
