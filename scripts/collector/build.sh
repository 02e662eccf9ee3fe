#!/usr/bin/env bash
# Builds a small OpenTelemetry Collector (OTLP in, files out) for the tests that want a real one, and prints its path.
# Versions are those of go.mod. Needs Go; a minute and a half the first time, nothing after that.
# Exit status 3: not here, because Go is missing or too old.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
VERSION=$(sed -n 's|^\tgo.opentelemetry.io/collector/otelcol v||p' "$HERE/go.mod")
OUT=${POINTSMAN_TOOLS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/pointsman-tools}/otelcol-$VERSION/otelcol

if [ ! -x "$OUT" ]; then
  command -v go >/dev/null || { echo "Go is not installed" >&2; exit 3; }
  needs=$(sed -n 's/^go //p' "$HERE/go.mod") has=$(go env GOVERSION | sed 's/^go//')
  printf '%s\n%s\n' "$needs" "$has" | sort -V -C || { echo "Go $has is older than $needs" >&2; exit 3; }
  mkdir -p "$(dirname "$OUT")"
  echo "building an OpenTelemetry Collector $VERSION ..." >&2
  CGO_ENABLED=0 nice -n 10 go build -C "$HERE" -trimpath -buildvcs=false -ldflags "-s -w" -o "$OUT.new" .
  mv "$OUT.new" "$OUT"
fi
echo "$OUT"
