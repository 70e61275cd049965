"""What ./dev bench concludes: ratios, their reasons when there are none, verdicts, fitted exponents."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench"))
import growth  # noqa: E402
import report  # noqa: E402
import targets  # noqa: E402
import volume  # noqa: E402
from workloads import Workload, workloads  # noqa: E402


def figures(ops_per_s: float, cpu_us: float, client_busy: float = 0.5) -> dict:
    return {"ops_per_s": ops_per_s, "cpu_us": cpu_us, "later_us": 0.0, "p50_us": 1e6 / ops_per_s,
            "p99_us": 3e6 / ops_per_s, "rss_mib": 100.0, "client_busy": client_busy}


class Ratios(unittest.TestCase):
    put = Workload("put", "4KiB")

    def row(self, kura, minio, missing=None):
        return report.row(self.put, "minio", {"kura": kura, "minio": minio}, missing)

    def test_pairs_the_rounds(self):
        row = self.row([figures(100, 10), figures(200, 20), figures(300, 30)],
                       [figures(50, 40), figures(40, 60), figures(30, 300)])
        self.assertEqual((row["ops_ratio"], row["cpu_ratio"]), (5, 4))
        self.assertNotIn("reason", row)
        self.assertEqual(row["roofline_share"], 20.5 / 20)

    def test_work_after_the_last_answer_counts_for_kura_only(self):
        kura, minio = figures(100, 10), figures(50, 100)
        kura["later_us"], minio["later_us"] = 5.0, 60.0
        self.assertEqual(self.row([kura], [minio])["cpu_ratio"], 4)

    def test_a_busy_client_takes_the_rate_away_but_not_the_cpu(self):
        row = self.row([figures(100, 10, 0.95)], [figures(50, 40)])
        self.assertIsNone(row["ops_ratio"])
        self.assertIn("95% of its core with kura", row["reason"])
        self.assertEqual(row["cpu_ratio"], 4)

    def test_no_peer_gives_null_and_the_reason(self):
        row = self.row([figures(100, 10)], [], "no loop device")
        self.assertEqual((row["ops_ratio"], row["cpu_ratio"], row["reason"]), (None, None, "no loop device"))
        self.assertEqual(row["kura"]["cpu_us"], 10)
        report.table([row])

    def test_goals(self):
        row = self.row([figures(100, 30)], [figures(20, 600)])
        verdicts = {goal["figure"]: goal["verdict"] for goal in row["goals"]}
        self.assertEqual(verdicts["ops_ratio"], "meets gate")
        self.assertEqual(verdicts["cpu_ratio"], "meets aim")
        self.assertEqual(verdicts["cpu_us"], "meets gate")
        self.assertEqual(verdicts["syncs_per_op"], "not measured")
        slow = self.row([figures(100, 41)], [figures(90, 42)])
        self.assertEqual({goal["verdict"] for goal in slow["goals"] if goal["value"] and goal["figure"] != "rss_ratio"},
                         {"misses"})

    def test_a_slow_machine_is_told_from_a_slow_product(self):
        slower = report.slowness({"get-4KiB": {"cpu_us": 16.6}})
        self.assertEqual((slower, report.slowness({})), (2, None))
        row = report.row(self.put, "minio", {"kura": [figures(100, 70)]}, "alone", slower=slower)
        [goal] = [goal for goal in row["goals"] if goal["figure"] == "cpu_us"]
        self.assertEqual((goal["verdict"], goal["at_study_speed"], goal["verdict_at_study_speed"]), ("misses", 35, "meets gate"))
        self.assertIn("35.0 at the study's speed meets gate", report.table([row]))
        alone = report.row(self.put, "minio", {"kura": [figures(100, 70)]}, "alone")["goals"]
        self.assertEqual({goal["at_study_speed"] for goal in alone}, {None})

    def test_goals_name_workloads_that_are_run(self):
        names = {workload.name for workload in workloads()}
        self.assertLessEqual({goal.workload for goal in targets.GOALS} | set(targets.ROOFLINE_US), names)


class Growth(unittest.TestCase):
    def test_exponent_of_a_power(self):
        counts = [10_000, 100_000, 1_000_000]
        self.assertAlmostEqual(growth.exponent(counts, [7 * count**0.3 for count in counts]), 0.3)
        self.assertAlmostEqual(growth.exponent(counts, [5, 5, 5]), 0)

    def test_goals_are_of_a_million_objects(self):
        names = ["put_cpu_us", "get_cpu_us", "list_cpu_us", "clean_restart_s", "crash_restart_s", "rebuild_s", "rss_mib"]
        levels = [dict.fromkeys(names, value) for value in (1.0, 1.05, 1.15, 9.0)]
        found = growth.verdicts([10_000, 100_000, 1_000_000, 5_000_000], levels)
        meets = {entry["figure"]: entry["meets"] for entry in found}
        self.assertTrue(meets["put_cpu_us"])
        self.assertFalse(meets["get_cpu_us"])
        self.assertFalse(meets["clean_restart_s"])


class Device(unittest.TestCase):
    def test_reads_bytes_and_flushes(self):
        stat = "60 0 2112 3 32 43 210 35 0 32 70 0 0 0 0 21 31"
        self.assertEqual(volume.counters(stat), (210 * 512, 21))


if __name__ == "__main__":
    unittest.main()
