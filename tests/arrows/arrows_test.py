"""Plants wrong arrows in a tree and a link graph of its own: each must be refused."""

import pathlib
import tempfile
import unittest

import arrows


def refused_links(text: str) -> list[str]:
    graph = arrows.Graph()
    arrows.add_links(graph, text)
    return graph.refused


def refused_includes(files: dict[str, str]) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        for path, text in files.items():
            file = pathlib.Path(folder) / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        graph = arrows.Graph()
        arrows.add_includes(graph, pathlib.Path(folder))
        return graph.refused


BASE = "kura_base base/ -\nkura_bucket actors/bucket/ kura_base\n"


class ArrowsTest(unittest.TestCase):
    def test_allowed_links_pass(self):
        self.assertEqual([], refused_links(BASE + "kura_op s3/op/ kura_bucket\nkura_disk actors/disk/ isal\n"))

    def test_link_against_the_arrows_is_refused(self):
        self.assertEqual(1, len(refused_links(BASE + "kura_metadata projections/metadata/ kura_bucket\n")))

    def test_library_away_from_home_is_refused(self):
        self.assertEqual(1, len(refused_links("kura_view projections/metadata/ RocksDB::rocksdb\n")))
        self.assertEqual(1, len(refused_links("kura_tenant actors/tenant/ caf_io\n")))

    def test_allowed_include_passes(self):
        self.assertEqual([], refused_includes({"s3/op/a.cc": '#include "actors/store.h"\n', "actors/store.h": ""}))

    def test_include_against_the_arrows_is_refused(self):
        self.assertEqual(1, len(refused_includes({"journal/a.cc": '#include "actors/store.h"\n'})))
        self.assertEqual(1, len(refused_includes({"node/a.cc": '  # include "sim/world.h"\n'})))

    def test_generated_header_belongs_to_the_folder_of_its_proto(self):
        files = {"journal/proto/event.proto": "", "base/a.h": '#include "event.pb.h"\n'}
        self.assertEqual(1, len(refused_includes(files)))


if __name__ == "__main__":
    unittest.main()
