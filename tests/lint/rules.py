"""What source code may not name, and where it may all the same.

A home is a glob over paths from the top of the tree; the tests of a home (tests/<home>) belong to
it. Simulated code must be a function of its seed, so time, threads, randomness and sockets live in
net/ and in the real ports only.
"""

from typing import NamedTuple

REAL_PORTS = ("net/*", "actors/disk/local_drive*", "projections/kv/rocksdb_kv*")
REAL_PORT_TESTS = ("tests/local_drive/*", "tests/loop_scheduler/*", "tests/kv/*")
PROGRAMS = ("node/*", "bench/*", "sim/*main*", "tests/*")


class Rule(NamedTuple):
    name: str
    pattern: str  # Over code without comments and string literals.
    homes: tuple[str, ...]
    instead: str


CODE = (
    Rule("clock", r"\b(system_clock|steady_clock|high_resolution_clock|clock_gettime|gettimeofday)\b"
         r"|\btime\((nullptr|NULL|0)\)", (*REAL_PORTS, "bench/*"), "the Clock port"),
    Rule("randomness", r"\b(random_device|getrandom|RAND_bytes|srand|arc4random)\b|\brand\(\)",
         (*REAL_PORTS,), "the Random port"),
    Rule("distribution", r"\bstd::\w+_distribution\b", (), "Random: std:: distributions differ by library"),
    Rule("thread", r"\bstd::(thread|jthread|async)\b|\bpthread_create\b", (*REAL_PORTS, *REAL_PORT_TESTS, "bench/*"),
         "a Loop; only net/ and the real ports own threads"),
    Rule("sleep", r"\bthis_thread::sleep_(for|until)\b|\b(usleep|nanosleep)\b|(?<![\w.>:])sleep\(\d",
         (*REAL_PORTS, *REAL_PORT_TESTS, "bench/*"), "the Timer port"),
    Rule("environment", r"\b(secure_)?getenv\b", ("node/server/config*", "node/server/environment*"),
         "node/config, which knows every setting and where its value came from"),
    Rule("blocking-actor", r"\bscoped_actor\b|\bspawn\s*<[^>;]*\bdetached\b|\bblocking_actor\b", (),
         "event-based actors, which the simulator can order"),
    Rule("stdout", r"\bstd::cout\b|(?<![\w.>])(printf|puts|putchar)\(|\bstd::(printf|puts)\(", PROGRAMS,
         "returning the text; only programs print"),
    Rule("socket", r"\b(tcp_stream|steady_timer|basic_waitable_timer)\b|\basio::ip\b|(?<!\w)::(socket|connect|accept|bind|listen)\(",
         ("net/*", "bench/*"), "the Stream and Timer ports"),
    Rule("assert", r"(?<![\w.])assert\(", (), "INVARIANT, which stays on in release"),
    Rule("goto", r"\bgoto\s+\w+;", (), "a function"),
)

# Headers of a third-party library: pattern of the included name, and where it may be included.
HEADERS = (
    Rule("isa-l", r"^(isa-l|isa-l/.*|erasure_code)\.h$|^isa-l/", ("actors/disk/erasure*", "base/crc32c*"),
         "actors/disk/erasure and base/crc32c"),
    Rule("RocksDB", r"^rocksdb/", ("projections/kv/*",), "the Kv port"),
    Rule("Beast", r"^boost/beast", ("s3/http/*", "net/*"), "s3/http"),
    Rule("Asio", r"^boost/asio|^asio", ("net/*",), "the Stream, Timer and Loop ports"),
    Rule("CAF", r"^caf/", ("actors/*_actor.*", "actors/loop_scheduler*", "actors/*/loop_scheduler*",
                           "actors/*_system.*"),
         "pure files; carrying files end in _actor"),
    Rule("nlohmann", r"^nlohmann/", ("admin/*", "node/*", "s3/http/log*", "bench/*"), "admin and node"),
    Rule("librdkafka", r"^librdkafka/|^rdkafka", ("journal/kafka/*",), "the Journal port"),
    Rule("expat", r"^expat", ("s3/codec/*",), "s3/codec"),
    Rule("toml++", r"^toml\+\+", ("node/*",), "node/server/config_file"),
    Rule("CLI11", r"^CLI/", ("node/*", "bench/*", "sim/*"), "node"),
    Rule("simulator", r"^sim/", ("sim/*", "tests/*"), "production code never knows the simulator"),
)

# Over the whole text of every file, comments included.
TEXT = (
    Rule("leftover", r"\b(TODO|FIXME|XXX|HACK)\b|\bfor now[.;)]|\bplaceholder\b", (),
         "finishing it, or an issue"),
    Rule("machine-path", r"(?<![\w.$~{}])/(work|root|home|farm)/", (), "a path from the tree or the cache"),
    Rule("registry-host", r"https?://(deb|registry|files|proxy|sum|repo1?|static|index|pypi|crates)\."
         r"|\b(pypi\.org|npmjs\.org|proxy\.golang\.org|deb\.debian\.org|repo1\.maven\.org)\b", (),
         "the package client's own configuration"),
    Rule("skipped-test", r"\bGTEST_SKIP\b|\bDISABLED_\w+|\bpytest\.skip\b|mark\.(skip|xfail)\b", (),
         "a test that runs, or no test"),
)

BAD_NAMES = r"(^|_)(utils?|commons?|helpers?|managers?|misc)(_|$)"
BAD_TYPES = r"\b(?:class|struct|namespace)\s+(\w*(?:Utils?|Helpers?|Managers?)|utils?|helpers?|common)\b"
LINES_MAX = 500
# The last form is a contract suite, whose expectations are in a header.
EXPECTATION = (r"\b(EXPECT|ASSERT|RC_ASSERT|RC_FAIL)(_\w+)?\s*\(|\brc::(check|prop)|RC_GTEST_(FIXTURE_)?PROP"
               r"|\bINSTANTIATE_(TYPED_)?TEST_SUITE_P\b")
