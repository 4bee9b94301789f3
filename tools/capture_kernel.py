"""Capture this machine's kernel: overflow, ignored ACKs, resets, closed windows, retries to the end, and more.

    python tools/capture_kernel.py FOLDER [SCENE...] [--list]

Every scene runs in network namespaces of its own, in real time, all of them at once: a client, a server 20 ms away, and
a middle between them. tcpdump captures it at each of the three, into SCENE.server.pcap, SCENE.client.pcap and
SCENE.middle.pcap; SCENE.json has the settings, the counters that moved and what had happened. tools/diagnose_kernel.py
takes such a folder. Needs root, ip and tcpdump; one scene needs nft.
"""

import argparse
import json
import sys
import time
from contextlib import ExitStack
from multiprocessing import Pool
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from _capture_ground import Ground, NoGround
from _capture_scenes import SCENES, Play, truth

AT_ONCE = 40


def capture(name: str, folder: Path) -> str:
    """Play a scene. An empty string, or what went wrong."""
    scene = SCENES[name]
    try:
        with ExitStack() as stack:
            ground = Ground(name, folder, stack)
            for sysctl, value in scene.sysctl.items():
                ground.sysctl("server", sysctl, value)
            for sysctl, value in scene.client_sysctl.items():
                ground.sysctl("client", sysctl, value)
            before = {role: ground.counters(role) for role in ("server", "client")}
            time.sleep(0.2)
            begins = time.monotonic()
            play = Play(ground)
            scene.play(play)
            time.sleep(max(begins + scene.lasts - time.monotonic(), 0))
            moved = {role: _moved(before[role], ground.counters(role)) for role in before}
        (folder / f"{name}.json").write_text(
            json.dumps(truth(scene, moved["server"], moved["client"]), indent=1)
        )
    except (NoGround, OSError) as error:
        return f"{name}: {error}"
    return ""


def _moved(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    return {name: after[name] - before.get(name, 0) for name in after if after[name] != before.get(name, 0)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("scenes", nargs="*")
    parser.add_argument("--list", action="store_true")
    asked = parser.parse_args()
    if asked.list or asked.folder is None:
        print("\n".join(SCENES))
        return 0
    if unknown := set(asked.scenes) - set(SCENES):
        parser.error(f"no such scene: {', '.join(sorted(unknown))}")
    asked.folder.mkdir(parents=True, exist_ok=True)
    names = asked.scenes or list(SCENES)
    with Pool(min(len(names), AT_ONCE), maxtasksperchild=1) as pool:
        failed = [told for told in pool.starmap(capture, [(name, asked.folder) for name in names], 1) if told]
    print(
        "\n".join([*failed, f"{len(names) - len(failed)} of {len(names)} scenes captured in {asked.folder}"])
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
