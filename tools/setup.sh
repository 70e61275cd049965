# Installs what is missing, and says nothing when nothing is. `setup.sh build` stops after what the
# build needs. Tools that Debian lacks in a usable version go to the cache, never into the system.
set -euo pipefail
. "$KURA_TREE/tools/lib.sh"
clients=$KURA_TREE/tests/clients

install_packages() {
  local wanted missing=() name
  wanted=$(sed 's/#.*//' "$@")
  for name in $wanted; do
    dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null | grep -qx installed || missing+=("$name")
  done
  [ ${#missing[@]} -eq 0 ] && return
  command -v apt-get >/dev/null || die "needs Debian 12; install by hand: ${missing[*]}"
  say "installing ${missing[*]}"
  as_root apt-get update -q >"$KURA_CACHE/apt.log" 2>&1 || die "apt-get update failed: $KURA_CACHE/apt.log"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
    "${missing[@]}" >"$KURA_CACHE/apt.log" 2>&1 || die "apt-get install failed: $KURA_CACHE/apt.log"
}

# venv NAME: a virtual environment with requirements/NAME.txt.
venv() {
  local dir=$KURA_CACHE/venv/$1
  say "python environment $1"
  rm -rf "$dir"
  python3 -m venv "$dir"
  "$dir/bin/pip" install -q --disable-pip-version-check -r "$clients/requirements/$1.txt"
}

# major_at_least N TOOL ARGS...: whether TOOL's version, "v20.1" or "go1.26", starts at N or above.
minor_of() { "$@" 2>/dev/null | grep -oE '(v|go1\.)[0-9]+' | head -1 | grep -oE '[0-9]+$' || echo 0; }

# Node.js 20 or newer and npm, from the system or from a Python wheel.
node_bin() {
  if [ "$(minor_of node --version)" -ge 20 ] && command -v npm >/dev/null; then
    dirname "$(command -v node)"
  else
    stamped node "$clients/requirements/node.txt" -- venv node >&2
    echo "$KURA_CACHE/venv/node/bin"
  fi
}

install_js() {
  local bin
  bin=$(node_bin)
  say "AWS SDK for JavaScript"
  mkdir -p "$KURA_CACHE/js" "$KURA_CACHE/bin"
  cp "$clients"/js/package.json "$clients"/js/package-lock.json "$KURA_CACHE/js/"
  PATH=$bin:$PATH npm ci --prefix "$KURA_CACHE/js" --no-audit --no-fund --silent
  ln -sf "$bin/node" "$KURA_CACHE/bin/node"
}

install_mc() {
  local go
  go=$(command -v go || true)
  if [ -z "$go" ] || [ "$(minor_of go version)" -lt 24 ]; then
    stamped go "$clients/requirements/go.txt" -- venv go
    go=$KURA_CACHE/venv/go/bin/go
  fi
  say "mc, built from its Go module (some minutes, once)"
  GOTOOLCHAIN=local GOBIN=$KURA_CACHE/bin GOFLAGS=-mod=mod \
    "$go" install "github.com/minio/mc@$(cat "$clients/requirements/mc.txt")"
}

mkdir -p "$KURA_CACHE/bin"
packages=$KURA_TREE/tools/packages
if [ "${1:-}" = build ]; then
  install_packages "$packages/build.txt"
  exit
fi
install_packages "$packages/build.txt" "$packages/test.txt"
stamped clients "$clients/requirements/clients.txt" -- venv clients
stamped boto3_old "$clients/requirements/boto3_old.txt" -- venv boto3_old
stamped js "$clients/js/package.json" "$clients/js/package-lock.json" -- install_js
stamped mc "$clients/requirements/mc.txt" -- install_mc
