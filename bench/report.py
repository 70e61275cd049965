"""Medians, ratios, verdicts: from the rounds' figures to rows, and from rows to a table. Pure."""

import statistics

from targets import GOALS, ROOFLINE_US, STUDY_FLOOR

CPU_FIGURES = ("cpu_us", "answered_us")
CLIENT_BUSY_MAX = 0.9  # Above it a rate is the client's, not the server's.
FIGURES = ("ops_per_s", "p50_us", "p99_us", "cpu_us", "answered_us", "later_us", "rss_mib", "device_per_user_byte",
           "syncs_per_op", "client_busy")


def medians(rounds: list[dict]) -> dict | None:
    if not rounds:
        return None
    made = {}
    for figure in FIGURES:
        values = [one[figure] for one in rounds if one.get(figure) is not None]
        made[figure] = statistics.median(values) if values else None
    cpu = [one["cpu_us"] for one in rounds]
    return {**made, "cpu_us_min": min(cpu), "cpu_us_max": max(cpu), "rounds": len(rounds)}


def ratio(above: list[dict], below: list[dict], figure: str) -> float | None:
    """The median over rounds of above / below: the two of a round ran one after the other."""
    pairs = [one[figure] / other[figure] for one, other in zip(above, below) if other[figure]]
    return statistics.median(pairs) if pairs else None


def ratios(kura: list[dict], peer: list[dict], peer_name: str, missing: str | None) -> dict:
    """ops_ratio, cpu_ratio, p99_ratio and rss_ratio: how many times better Kura is. Null with a reason."""
    if missing or not kura or not peer:
        reason = missing or f"no figures of {'kura' if not kura else peer_name}"
        return {"ops_ratio": None, "cpu_ratio": None, "p99_ratio": None, "rss_ratio": None, "reason": reason}
    # The peer's standing work (MinIO scans its drives all the time) cannot be told from what a run left to do, and a
    # slow server has few operations to spread it over: the peer counts until its last answer, Kura until it rests.
    answered = [{"cpu_us": one["cpu_us"] - one["later_us"]} for one in peer]
    made = {"ops_ratio": ratio(kura, peer, "ops_per_s"), "cpu_ratio": ratio(answered, kura, "cpu_us"),
            "p99_ratio": ratio(peer, kura, "p99_us"), "rss_ratio": ratio(peer, kura, "rss_mib")}
    busy = {name: medians(rounds)["client_busy"] for name, rounds in (("kura", kura), (peer_name, peer))}
    over = [f"{share:.0%} of its core with {name}" for name, share in busy.items() if share >= CLIENT_BUSY_MAX]
    if over:
        made |= {"ops_ratio": None, "reason": "ops_ratio: the client took " + ", ".join(over)}
    return made


def slowness(floors: dict[str, dict]) -> float | None:
    """How many times more CPU than on the study's machine the same work takes here and now. None: not measured."""
    name, study_us = STUDY_FLOOR
    return floors[name]["cpu_us"] / study_us if name in floors else None


def row(workload, peer_name: str, by_server: dict[str, list[dict]], missing: str | None, load: str = "raw",
        floor: dict | None = None, slower: float | None = None) -> dict:
    """`slower`: slowness()."""
    kura, peer = by_server.get("kura", []), by_server.get(peer_name, [])
    made = {"workload": workload.name, "peer": peer_name, "load": load, "in_flight": workload.connections,
            **ratios(kura, peer, peer_name, missing), "kura": medians(kura), peer_name: medians(peer)}
    if workload.operation == "paced":
        # The rate was given, so its ratio says nothing.
        made |= {"ops_ratio": None, "reason": made.get("reason", "ops_ratio: at half of each server's own rate")}
    limit = ROOFLINE_US.get(workload.name)
    made["roofline_us"] = limit
    made["roofline_share"] = limit / made["kura"]["cpu_us"] if limit and made["kura"] else None
    made["floor"] = floor
    made["floor_share"] = floor["cpu_us"] / made["kura"]["cpu_us"] if floor and made["kura"] else None
    made["goals"] = [goal_of(goal, made, slower) for goal in GOALS if goal.workload == workload.name]
    return made


def goal_of(goal, made: dict, slower: float | None) -> dict:
    """A figure of CPU time has its value at the study's speed as well, and a verdict of that."""
    value = made.get(goal.figure) if goal.more_is_better else (made["kura"] or {}).get(goal.figure)
    scaled = value / slower if goal.figure in CPU_FIGURES and value and slower else None
    return {"figure": goal.figure, "value": value, "gate": goal.gate, "aim": goal.aim, "verdict": goal.verdict(value),
            "at_study_speed": scaled, "verdict_at_study_speed": goal.verdict(scaled), "source": goal.source}


def number(value: float | None, form: str = ",.1f") -> str:
    return "-" if value is None else format(value, form)


def table(rows: list[dict]) -> str:
    lines = [f"{'workload':<14}{'in flight':>9}  {'server':<7}{'ops/s':>10}{'p50 ms':>9}{'p99 ms':>9}"
             f"{'CPU us/op (min..max)':>32}{'later':>9}{'RSS MiB':>9}{'dev B/B':>9}{'syncs/op':>9}{'roofline':>9}{'client':>8}"]
    for one in rows:
        for name in ("kura", one["peer"]):
            got = one[name]
            if not got:
                continue
            cpu = f"{got['cpu_us']:,.1f} ({got['cpu_us_min']:,.1f}..{got['cpu_us_max']:,.1f})"
            share = number(one["roofline_us"] / got["cpu_us"] if one["roofline_us"] else None, ".0%")
            lines.append(f"{one['workload']:<14}{one['in_flight']:>9}  {name:<7}{got['ops_per_s']:>10,.0f}"
                         f"{got['p50_us'] / 1000:>9.2f}{got['p99_us'] / 1000:>9.2f}{cpu:>32}{got['later_us']:>9,.1f}"
                         f"{got['rss_mib']:>9,.0f}{number(got['device_per_user_byte'], '.2f'):>9}"
                         f"{number(got['syncs_per_op'], '.3f'):>9}{share:>9}{got['client_busy']:>8.0%}")
        if one["floor"]:
            lines.append(f"{one['workload']:<14}{one['in_flight']:>9}  {one['floor']['server']:<7}"
                         f"{one['floor']['ops_per_s']:>10,.0f}{'':>18}{one['floor']['cpu_us']:>32,.1f}"
                         f"{'':>36}{one['floor_share']:>9.0%}{one['floor']['client_busy']:>8.0%}")
    lines += ["", f"{'workload':<14}{'peer':<7}{'ops':>8}{'CPU':>8}{'p99':>8}{'memory':>8}  times better Kura is"]
    for one in rows:
        lines.append(f"{one['workload']:<14}{one['peer']:<7}" + "".join(
            f"{number(one[figure]):>8}" for figure in ("ops_ratio", "cpu_ratio", "p99_ratio", "rss_ratio"))
            + f"  {one.get('reason', '')}")
    lines += ["", f"{'workload':<14}{'figure':<22}{'value':>11}{'gate':>11}{'aim':>11}  verdict"]
    for one in rows:
        for goal in one["goals"]:
            scaled = f"; {goal['at_study_speed']:,.1f} at the study's speed {goal['verdict_at_study_speed']}" if goal["at_study_speed"] else ""
            lines.append(f"{one['workload']:<14}{goal['figure']:<22}{number(goal['value'], ',.2f'):>11}{goal['gate']:>11,.1f}"
                         f"{goal['aim']:>11,.2f}  {goal['verdict']}{scaled} ({goal['source']})")
    return "\n".join(lines)
