"""Bodies and keys that the clients send: sizes around every layout's edge, keys that need care."""

import hashlib
import pathlib

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30

# Empty; inline up to 16 KiB; packed up to 128 KiB; striped; more than one multipart part.
SIZES = [0, 1, 16 * KIB - 1, 16 * KIB, 16 * KIB + 1, 128 * KIB - 1, 128 * KIB, 128 * KIB + 1, MIB, 9 * MIB]

ODD_KEYS = [
    "with space", "plus+sign", "percent%41%2F%", "question?mark=1&b=2", "hash#tag", "amp&<lt>\"quote'",
    "tilde~star*(paren)!", "colon:at@comma,semi;eq=", "umlaut-\u00fc-\u00e9", "\u65e5\u672c\u8a9e/\u84b5",
    "emoji-\U0001f4e6", "combining-e\u0301", "back\\slash", "trailing/", "double//slash", "/leading",
    "dot/./segment", "ends.with.dots...", "tab\there", "new\nline", "del\x7f", "-dash", "..hidden",
    "brace{1...4}[x]^`|$", " leading and trailing ", "k" * 1024, "\u00fc" * 512,
]
# What also survives as a file name on the way through a client that copies folders.
FILE_NAMES = ["with space.bin", "plus+sign.bin", "percent%41.bin", "umlaut-\u00fc.bin", "\u65e5\u672c/\u8a9e.bin",
              "amp&'quote.bin", "eq=1/deep/er/file.bin", "(paren)~.bin"]


def body(size: int, seed: str = "") -> bytes:
    """The same bytes for the same arguments; no two pieces of it alike."""
    return hashlib.shake_128(f"{seed}/{size}".encode()).digest(size)


def stream(size: int, chunk: int = MIB):
    """Blocks of a large body that never lies in memory as a whole."""
    for index in range(0, size, chunk):
        yield body(min(chunk, size - index), str(index))


def make_tree(folder: pathlib.Path) -> dict[str, bytes]:
    """Files of every size and name below `folder`. Returns relative path -> bytes."""
    files = {f"size/{size:08d}.bin": body(size) for size in SIZES}
    files |= {name: body(100 + i, name) for i, name in enumerate(FILE_NAMES)}
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return files


def read_tree(folder: pathlib.Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def assert_same(got: dict[str, bytes], want: dict[str, bytes]):
    """Compares without printing megabytes."""
    assert sorted(got) == sorted(want)
    wrong = [name for name in want if got[name] != want[name]]
    assert not wrong, f"other bytes in {wrong}"
