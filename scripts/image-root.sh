#!/bin/sh
# Makes the folder that becomes the image drydock-images: the program, the
# libraries of this Debian that it needs, and nothing else, no shell and no
# package manager. The Dockerfile runs it.
#
#   image-root.sh PROGRAM FOLDER
set -eu
program=$1
root=$2

# Pictures are read and written by libraries that are loaded when they are
# wanted: libvips' module for HEIF and AVIF, and what libheif has as plugins.
modules=$(find /usr/lib -path '*/vips-modules-*/vips-heif.so' -o -path '*/libheif/plugins/*.so')

mkdir -p "$root/usr/bin" "$root/usr/lib" "$root/etc/ssl/certs" "$root/tmp" "$root/var/lib/dpkg/status.d"
ln -s usr/bin "$root/bin"
ln -s usr/lib "$root/lib"
[ ! -e /lib64 ] || { mkdir "$root/usr/lib64" && ln -s usr/lib64 "$root/lib64"; }
chmod 1777 "$root/tmp"
cp "$program" "$root/usr/bin/"
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
cp -L /etc/os-release "$root/etc/"
echo 'drydock:x:65532:65532::/tmp:/sbin/nologin' >"$root/etc/passwd"
echo 'drydock:x:65532:' >"$root/etc/group"

# Of each library the file, under the name by which it is looked for, and what
# Debian says of its package, for those who look for vulnerable ones.
# shellcheck disable=SC2086 # they are several
set -- "$program" $modules
missing=$(ldd "$@" | grep 'not found' || true)
[ -z "$missing" ] || {
  printf 'image-root: this Debian has not what %s was linked with:\n%s\n' "$program" "$missing" >&2
  exit 1
}
libraries=$(ldd "$@" | sed -n 's/.*[[:space:]]\(\/[^ :]*\) (0x.*/\1/p' | sort -u)
for file in $libraries $modules; do
  mkdir -p "$root$(dirname "$file")"
  cp -L "$file" "$root$file"
  for package in $(dpkg -S "$(readlink -f "$file")" | cut -d: -f1); do
    dpkg-query -s "$package" >"$root/var/lib/dpkg/status.d/$package"
  done
done

chroot "$root" "/usr/bin/$(basename "$program")" -version
