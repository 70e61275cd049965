# Sourced by the verbs: messages, timing, where things are.
: "${KURA_TREE:?run ./dev}" "${KURA_CACHE:?run ./dev}"
release=$KURA_TREE/build/release

say() { printf '\033[1m%s\033[0m\n' "$*" >&2; }

# One line that says what to do, then the end.
die() {
  echo "./dev: $*" >&2
  exit 1
}

# As root, or by sudo where there is one.
as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    die "needs root once; run as root: $*"
  fi
}

# stamped NAME FILE... -- COMMAND...: runs COMMAND unless it succeeded before with the same FILEs.
stamped() {
  local name=$1 stamp files=()
  shift
  while [ "$1" != -- ]; do
    files+=("$1")
    shift
  done
  shift
  stamp=$KURA_CACHE/stamps/$name-$(cat "${files[@]}" | sha256sum | cut -c1-16)
  [ -e "$stamp" ] && return
  "$@"
  mkdir -p "$KURA_CACHE/stamps"
  rm -f "$KURA_CACHE/stamps/$name"-*
  : >"$stamp"
}
