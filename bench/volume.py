"""A store's drives: folders of an ext4 file system in a loop image, whose device counts bytes and syncs.

MinIO refuses folders of the root file system, and only a device of its own tells what one store writes.
"""

import pathlib
import subprocess
import sys

SECTOR_BYTES = 512  # The unit of /sys/block/*/stat, whatever the device's sectors are.
# Kernel documentation, "Block layer statistics in /sys/block/<dev>/stat", counted from 0.
SECTORS_WRITTEN, FLUSHES = 6, 15


class Unmountable(Exception):
    """This machine cannot mount loop images: not root, or no loop devices."""


def call(*command: str | pathlib.Path) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except OSError as error:
        raise Unmountable(str(error)) from error
    if done.returncode != 0:
        raise Unmountable(f"{command[0]}: {(done.stderr or done.stdout).strip()}")
    return done.stdout.strip()


def counters(stat: str) -> tuple[int, int]:
    """Bytes written and flushes, of the text of a stat file."""
    fields = stat.split()
    return int(fields[SECTORS_WRITTEN]) * SECTOR_BYTES, int(fields[FLUSHES])


def attach(image: pathlib.Path) -> str:
    """A loop device that goes past this machine's page cache, where the image's file system can do that. Else all that
    a store writes past the cache is written to it, and a sync waits until it has gone from there to the disk: that rate
    would be the one of any server.
    """
    device = call("losetup", "--find", "--show", image)
    try:
        call("losetup", "--direct-io=on", device)
    except Unmountable as error:
        print(f"{error}: the page cache is between {image} and the disk", file=sys.stderr)
    return device


class Volume:
    def __init__(self, folder: pathlib.Path, gib: int):
        self.image, self.path = folder / "image", folder / "mount"
        self.gib = gib
        self.device = None  # "loop0" while mounted.

    def mount(self) -> "Volume":
        self.path.mkdir(parents=True)
        with self.image.open("wb") as image:
            image.truncate(self.gib << 30)
        # The image is a hole: saying so keeps mkfs and the mounted system from writing zeros to it.
        call("mkfs.ext4", "-q", "-F", "-m", "0", "-E", "assume_storage_prezeroed=1", self.image)
        device = attach(self.image)
        try:
            call("mount", "-o", "noatime", device, self.path)
        finally:
            call("losetup", "--detach", device)  # Once it is unmounted.
        self.device = device.removeprefix("/dev/")
        return self

    def unmount(self):
        if self.device:
            call("umount", self.path)
        self.device = None
        self.image.unlink(missing_ok=True)

    def sync(self):
        """What was written and waits in memory reaches the device, and thus its counters."""
        subprocess.run(["sync", "-f", self.path], check=True)

    def counters(self) -> tuple[int, int]:
        return counters(pathlib.Path(f"/sys/block/{self.device}/stat").read_text())


class PlainFolder:
    """In place of a volume on a machine that cannot mount one: nothing is counted."""

    def __init__(self, folder: pathlib.Path):
        self.path = folder / "mount"
        self.path.mkdir(parents=True)

    def unmount(self):
        pass

    def sync(self):
        subprocess.run(["sync", "-f", self.path], check=True)

    def counters(self) -> None:
        return None
