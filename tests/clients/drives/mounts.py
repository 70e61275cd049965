"""Drives that can be lost: one small tmpfs each, bound to the folder that the server is given.

Removing a folder under open descriptors removes nothing, so a lost drive is a lazy unmount. The
tmpfs itself stays mounted beside it, so that the same drive can come back.
"""

import os
import pathlib
import random
import subprocess


def mount(*arguments):
    subprocess.run(["mount", *map(str, arguments)], check=True)


def unmount(folder: pathlib.Path):
    subprocess.run(["umount", "-l", str(folder)], check=True)


class Mounts:
    """REQUIRES: root. Drives are counted from 0; folders[i] is what the server sees."""

    def __init__(self, base: pathlib.Path, count: int = 6, size_mib: int = 1024):
        self.base, self.size_mib = base, size_mib
        self.folders, self.disks = [], []
        for _ in range(count):
            self.add()

    def add(self) -> int:
        """One place more, with an empty drive in it."""
        i = len(self.folders)
        self.folders.append(self.base / f"d{i + 1}")
        self.disks.append(self.base / f"disk{i + 1}")
        self.folders[i].mkdir()
        self.disks[i].mkdir()
        self.insert(i)
        return i

    def insert(self, i: int):
        """A new, empty drive in place i."""
        mount("-t", "tmpfs", "-o", f"size={self.size_mib}m,mode=755", "tmpfs", self.disks[i])
        self.attach(i)

    def attach(self, i: int):
        mount("--bind", self.disks[i], self.folders[i])

    def lose(self, i: int):
        unmount(self.folders[i])

    def replace(self, i: int):
        """The drive is gone for good, and an empty one is in its place."""
        unmount(self.folders[i])
        unmount(self.disks[i])
        self.insert(i)

    def files(self, i: int) -> list[pathlib.Path]:
        return sorted(p for p in self.disks[i].rglob("*") if p.is_file() and p.stat().st_size)

    def corrupt(self, i: int, seed: int):
        """Flips a byte in each 512 of every file, the identity file excepted: rot, not a foreign drive."""
        chance = random.Random(seed)
        for path in self.files(i):
            if path.parent == self.disks[i]:
                continue
            with path.open("r+b") as file:
                data = bytearray(file.read())
                for at in range(chance.randrange(512), len(data), 512):
                    data[at] ^= 1 << chance.randrange(8)
                file.seek(0)
                file.write(data)

    def ballast(self, i: int, leave_mib: float):
        """Fills the drive with a foreign file until only `leave_mib` are free."""
        room = os.statvfs(self.disks[i])
        size = room.f_bavail * room.f_frsize - int(leave_mib * (1 << 20))
        with (self.disks[i] / "ballast").open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, size)

    def fill_up(self, i: int):
        """To the last byte, also what was given back since the ballast was put there."""
        room = os.statvfs(self.disks[i])
        size = room.f_bavail * room.f_frsize
        with (self.disks[i] / "ballast").open("ab") as file:
            while size >= room.f_frsize:
                try:
                    return os.posix_fallocate(file.fileno(), file.tell(), size)
                except OSError:  # Somebody was faster.
                    size //= 2

    def remove_ballast(self, i: int):
        (self.disks[i] / "ballast").unlink()

    def used_bytes(self) -> int:
        return sum(p.stat().st_blocks * 512 for i in range(len(self.disks)) for p in self.files(i))

    def close(self):
        for folder in self.folders + self.disks:
            while os.path.ismount(folder):
                unmount(folder)
