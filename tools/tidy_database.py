"""Writes build/tidy/compile_commands.json: g++'s commands as clang-tidy understands them."""

import json
import pathlib
import sys

source, target = map(pathlib.Path, sys.argv[1:3])
commands = json.loads((source / "compile_commands.json").read_text())
for entry in commands:
    # clang 14 has coroutines without a flag, but does not say so in the macro that libstdc++ asks.
    entry["command"] = entry["command"].replace("-fcoroutines", "-D__cpp_impl_coroutine=201902L")
target.mkdir(parents=True, exist_ok=True)
(target / "compile_commands.json").write_text(json.dumps(commands))
