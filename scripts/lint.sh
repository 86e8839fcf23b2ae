#!/usr/bin/env bash
# Everything that reviews should not have to say. The tools' versions are
# pinned by the tool lines of go.mod.
set -euo pipefail
cd "$(dirname "$0")/.."

unformatted=$(gofmt -l $(git ls-files -co --exclude-standard -- '*.go'))
if [ -n "$unformatted" ]; then
  printf 'not formatted, run gofmt -w on:\n%s\n' "$unformatted" >&2
  exit 1
fi
go vet ./...
go build -tags image -o /dev/null . # the program of the image drydock
go tool staticcheck ./...
for file in jobs/*.nomad.hcl; do
  go tool hclfmt -require-no-change "$file" >/dev/null || {
    echo "not formatted, run go tool hclfmt -w $file" >&2
    exit 1
  }
done
go test -run '^TestStructure' .
