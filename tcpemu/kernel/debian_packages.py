"""Which kernels Debian has as packages, and how one is brought into the store. Needs a Debian machine, and root.

apt is given lists of its own, beside the store: the machine's apt is only asked for the address of its mirror.
"""

import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tcpemu.kernel.kernel_errors import KernelError, KernelUnavailableError
from tcpemu.kernel.kernel_store import newest, place_of, put_away, store

_SUITES = (
    "bullseye",
    "bookworm",
    "bookworm-backports",
    "trixie",
    "trixie-backports",
    "forky",
    "sid",
    "experimental",
)
_SECURITY = ("bullseye-security", "bookworm-security", "trixie-security")
_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_IMAGE = re.compile(r"linux-image-\d+\.\d+\.\d+\S*-amd64")
_UNWANTED = ("-rt-", "-cloud-", "-dbg", "-unsigned")
_FRESH = 86_400
"""Seconds for which lists are not brought again."""
_PATIENCE = 900
"""Seconds that apt may take."""


@dataclass(frozen=True, slots=True)
class KernelPackage:
    """A kernel that can be had."""

    name: str
    version: str

    @property
    def release(self) -> str:
        """The kernel's own number, as 6.12.117."""
        match = re.match(r"[\d.]+", self.version)
        assert match is not None
        return match[0]


def available() -> dict[str, KernelPackage]:
    """The kernels for this machine's kind of processor that Debian has now, by release.

    Raises KernelUnavailableError where that cannot be asked, KernelError where apt fails.
    """
    _check_apt()
    stamp = store() / "apt" / "lists-are-of"
    if not stamp.exists() or time.time() - stamp.stat().st_mtime > _FRESH:
        # Of a suite that is gone apt complains, and brings the others.
        done = _apt("apt-get", "-qq", "update", check=False)
        if not any((store() / "apt" / "lists").glob("*Packages*")):
            raise KernelError(f"apt could not bring any list: {_end_of(done.stderr)}; is there a network?")
        stamp.touch()
    names = _apt("apt-cache", "pkgnames", "linux-image-").stdout.split()
    wanted = [
        name for name in names if _IMAGE.fullmatch(name) and not any(word in name for word in _UNWANTED)
    ]
    in_parts = _apt("apt-cache", "pkgnames", "linux-binary-").stdout.split()
    parts = [name.replace("-image-", "-modules-") for name in wanted if _binary_of(name) in in_parts]
    there = packages_in(_apt("apt-cache", "madison", *wanted).stdout if wanted else "")
    modules = packages_in(_apt("apt-cache", "madison", *parts).stdout if parts else "", each=True)
    return {
        release: package
        for release, package in there.items()
        if _binary_of(package.name) not in in_parts or package.name.replace("-image-", "-modules-") in modules
    }


def _binary_of(image: str) -> str:
    """The package that holds the image since 6.19, where the one with its name only asks for its parts."""
    return image.replace("-image-", "-binary-")


def packages_in(madison: str, *, each: bool = False) -> dict[str, KernelPackage]:
    """The packages of `apt-cache madison`, by release, of which there is one each; or each by its name."""
    found: dict[str, KernelPackage] = {}
    for line in madison.splitlines():
        name, version, _ = (part.strip() for part in line.split("|", 2))
        package = KernelPackage(name, version)
        found.setdefault(package.name if each else package.release, package)
    return found


def get(kernel: str) -> str:
    """Bring the newest kernel of that name into the store, if it is not there; its release.

    `kernel` is a release, or the start of one: 6.12 is the newest 6.12. Raises KernelUnavailableError for what
    cannot be had, KernelError where apt fails.
    """
    packages = available()
    release = newest(kernel, packages)
    if release is None:
        raise KernelUnavailableError(f"Debian has no kernel {kernel!r}; those it has: tcpemu kernel list")
    if place_of(release).exists():
        return release
    with tempfile.TemporaryDirectory(dir=store()) as folder:
        unpacked = Path(folder) / "unpacked"
        for debian in _download(packages[release], Path(folder)):
            _run(["dpkg-deb", "-x", str(debian), str(unpacked)])
        put_away(release, unpacked)
    return release


def _download(package: KernelPackage, folder: Path) -> list[Path]:
    """Since 6.19 a kernel comes in parts, and the package with its name only asks for these."""
    build = package.name.removeprefix("linux-image-")
    parts = [f"linux-{part}-{build}" for part in ("binary", "modules", "base")]
    known = _apt("apt-cache", "pkgnames", "linux-binary-").stdout.split()
    for name in parts if parts[0] in known else [package.name]:
        _apt("apt-get", "-qq", "download", f"{name}={package.version}", folder=folder)
    return sorted(folder.glob("*.deb"))


def _check_apt() -> None:
    absent = [program for program in ("apt-get", "apt-cache", "dpkg-deb") if shutil.which(program) is None]
    if absent:
        raise KernelUnavailableError(
            f"not in PATH: {', '.join(absent)}; kernels come from Debian's packages, on a Debian machine. "
            "A kernel of your own can be named by the path of its image"
        )


def _apt(*command: str, folder: Path | None = None, check: bool = True) -> subprocess.CompletedProcess[str]:
    return _run(list(command), folder=folder, check=check, settings={"APT_CONFIG": str(_configuration())})


def _run(
    command: list[str],
    *,
    folder: Path | None = None,
    check: bool = True,
    settings: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    try:
        done = subprocess.run(
            ["env", *(f"{name}={value}" for name, value in (settings or {}).items()), *command],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=_PATIENCE,
        )
    except subprocess.TimeoutExpired:
        raise KernelError(f"{command[0]} has not ended within {_PATIENCE} s") from None
    if check and done.returncode != 0:
        raise KernelError(f"{' '.join(command[:3])} failed: {_end_of(done.stderr)}; is there a network?")
    return done


def _end_of(text: str) -> str:
    return text.strip()[-300:] or "no word why"


def _configuration() -> Path:
    """Apt's settings for lists of our own, written once."""
    base = store() / "apt"
    for folder in ("sources", "lists/partial", "cache/archives/partial"):
        (base / folder).mkdir(parents=True, exist_ok=True)
    settings = base / "settings"
    if not settings.exists():
        (base / "sources" / "kernels.sources").write_text(_sources(), encoding="ascii")
        settings.write_text(
            'Dir::Etc::sourcelist "/dev/null";\n'
            f'Dir::Etc::sourceparts "{base}/sources";\nDir::State::lists "{base}/lists";\nDir::Cache "{base}/cache";\n'
            'Acquire::Languages "none";\nAPT::Sandbox::User "root";\n',
            encoding="ascii",
        )
    return settings


def _sources() -> str:
    """The suites that have kernels, at the addresses where the machine's apt finds Debian."""
    asked = _run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE)", "Created-By: Packages"]
    ).stdout.splitlines()
    places = dict.fromkeys(tuple(line.split()[:2]) for line in asked if len(line.split()) >= 2)
    security = next((uri for uri, suite in places if suite.endswith("-security")), None)
    main = next((uri for uri, suite in places if not suite.endswith("-security")), None)
    if main is None:
        raise KernelUnavailableError(
            "apt has no source of Debian's packages here: see /etc/apt/sources.list.d"
        )
    suites = [(main, suite) for suite in _SUITES]
    suites += [(security, suite) for suite in _SECURITY] if security else []
    signed = f"Signed-By: {_KEYRING}\n" if _KEYRING.exists() else ""
    return "".join(
        f"Types: deb\nURIs: {uri}\nSuites: {suite}\nComponents: main\n{signed}\n" for uri, suite in suites
    )
