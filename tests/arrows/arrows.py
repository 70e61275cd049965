"""Prints the arrows between the top folders and refuses any that ARCHITECTURE.md does not allow.

Usage: arrows.py TREE LINK_GRAPH. An arrow is a link line (LINK_GRAPH, written by link_graph.cmake at
configure time) or an #include of another folder's header. Third-party libraries are linked only by
the folder that is their home. Exits 1 on any other arrow.
"""

import pathlib
import re
import sys
from collections import defaultdict

EVERYTHING = "base net security journal projections actors s3 admin node sim tests bench".split()
_BELOW_ACTORS = {"base", "net", "security", "journal"}
ALLOWED = {
    "base": set(),
    "net": {"base"},
    "security": {"base", "net"},
    "journal": {"base"},
    "projections": {"base", "net", "security", "journal"},
    "actors": {"projections", *_BELOW_ACTORS},
    "s3": {"actors", "projections", *_BELOW_ACTORS},
    # admin speaks HTTP with SigV4 over the sessions of s3, and S3 knows nothing of admin.
    "admin": {"s3", "actors", "projections", *_BELOW_ACTORS},
    **{folder: set(EVERYTHING) - {"sim", "tests", "bench"} for folder in ("node", "bench")},
    "sim": set(EVERYTHING) - {"tests", "bench"},
    "tests": set(EVERYTHING),
}

# Linked library, and the folders whose targets may name it.
HOMES = {
    r"RocksDB::|^rocksdb$": ("projections/kv/",),
    r"^isal$|isa-l": ("actors/disk/", "base/"),
    r"^caf|CAF::|libcaf": ("actors/",),
    r"rdkafka": ("journal/kafka/",),
    r"^expat$|EXPAT::": ("s3/codec/",),
    r"caf_io|caf_openssl": (),
}


class Graph:
    def __init__(self):
        self.arrows = defaultdict(set)  # (from folder, to folder) -> evidence
        self.refused = []

    def add(self, source: str, target: str, evidence: str):
        if source == target:
            return
        self.arrows[source, target].add(evidence)
        if target not in ALLOWED.get(source, set()):
            self.refused.append(f"{source} -> {target} is not an allowed arrow: {evidence}")


def add_links(graph: Graph, text: str):
    rows = [line.split() for line in text.splitlines() if line.strip()]
    folder_of = {target: folder for target, folder, _ in rows}
    for target, folder, linked in rows:
        if linked in folder_of and folder_of[linked] != "/":  # Flags of all live at the top.
            graph.add(folder.split("/")[0], folder_of[linked].split("/")[0], f"{target} links {linked}")
        for pattern, homes in HOMES.items():
            if re.search(pattern, linked) and not folder.startswith(("tests/", *homes)):
                graph.refused.append(f"{folder} links {linked}, whose home is {' '.join(homes) or 'nowhere'}: {target}")


def add_includes(graph: Graph, tree: pathlib.Path):
    generated = {}  # object.pb.h is included by name; it belongs to the folder of its .proto.
    sources = []
    for folder in EVERYTHING:
        for path in sorted((tree / folder).rglob("*")):
            if path.suffix == ".proto":
                generated[f"{path.stem}.pb.h"] = folder
            elif path.suffix in (".h", ".cc"):
                sources.append((folder, path))
    for folder, path in sources:
        for name in re.findall(r'^\s*#\s*include\s*"([^"]+)"', path.read_text(), re.MULTILINE):
            target = generated.get(name.rsplit("/", 1)[-1], name.split("/")[0])
            if target in ALLOWED:
                graph.add(folder, target, f"{path.relative_to(tree)} includes {name}")


def main() -> int:
    tree, link_graph = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    graph = Graph()
    add_links(graph, link_graph.read_text())
    add_includes(graph, tree)
    for source in EVERYTHING:
        targets = [t for t in EVERYTHING if (source, t) in graph.arrows]
        print(f"{source:<12}-> {', '.join(targets) or '-'}")
    print("\n".join(sorted(set(graph.refused))))
    return 1 if graph.refused else 0


if __name__ == "__main__":
    sys.exit(main())
