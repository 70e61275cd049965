# ./dev run [--listen ADDR]: a store on six drive folders under ./data, with keys of its own.
set -euo pipefail
. "$KURA_TREE/tools/lib.sh"
listen=127.0.0.1:9000
if [ "${1:-}" = --listen ] && [ -n "${2:-}" ]; then
  listen=$2
elif [ $# -gt 0 ]; then
  die "usage: ./dev run [--listen ADDR]"
fi
data=$KURA_TREE/data
# Where clients on this machine find it: ":9000" listens on every address.
place=${listen/#:/127.0.0.1:}
url=http://$place
taken() { (exec 3<>"/dev/tcp/${place%:*}/${place##*:}") 2>/dev/null; }
taken && die "$listen is taken: stop what listens there, or ./dev run --listen 127.0.0.1:9100"

# key FILE LENGTH: random letters and digits, readable by the owner alone.
key() {
  [ -s "$1" ] && return
  (umask 077 && LC_ALL=C tr -dc 'A-Za-z0-9' </dev/urandom | head -c "$2" >"$1") || [ -s "$1" ]
}

bash "$KURA_TREE/tools/build.sh" release kura >&2
mkdir -p "$data"/d{1..6}
key "$data/root_access_key" 20
key "$data/root_secret_key" 40
# For curl -K: old curls sign an upload only with the payload header given.
(umask 077 && cat >"$data/curlrc") <<TEXT
aws-sigv4 = "aws:amz:us-east-1:s3"
header = "x-amz-content-sha256: UNSIGNED-PAYLOAD"
user = "$(cat "$data/root_access_key"):$(cat "$data/root_secret_key")"
TEXT

env -u KURA_ROOT_ACCESS_KEY -u KURA_ROOT_SECRET_KEY \
  KURA_ROOT_ACCESS_KEY_FILE=$data/root_access_key KURA_ROOT_SECRET_KEY_FILE=$data/root_secret_key \
  "$release/kura" server --listen "$listen" "$data/d{1...6}" &
server=$!
trap 'kill -TERM $server 2>/dev/null' INT TERM
until curl -fs -o /dev/null "$url/health/ready"; do
  kill -0 $server 2>/dev/null || { wait $server && exit 1 || exit $?; }
  sleep 0.2
done
cat <<TEXT

Kura serves S3 on $url (drives: data/d1 ... data/d6; ctrl-C stops it)
  access key  $(cat "$data/root_access_key")   (data/root_access_key)
  secret key  $(cat "$data/root_secret_key")   (data/root_secret_key)

A first bucket, PUT and GET, from this folder:
  curl -K data/curlrc -X PUT $url/first
  curl -K data/curlrc -T README.md $url/first/README.md
  curl -K data/curlrc $url/first/README.md
TEXT
# A signal ends the first wait early; the second one collects the drained server.
wait $server || wait $server
