"""What the page is made of beside ourselves: which packages, in which versions, with the hashes of their files.

Pyodide is Python for browsers, from the npm registry; the others are what scenario files are read with, from the
Python Package Index. One of them is not plain Python: its wheel is the one for Pyodide's platform.
"""

from typing import NamedTuple

PYODIDE = "314.0.7"
PYODIDE_SHA512 = (
    "d18bd7c4485f11da4b7dbfd790cd8114078c44eab488c517d9bcf31fda4eb6dc"
    "8c716930abe1db139bb2b860fcd8b37bcb6abe48dbe2ffa579244b0e943d91d4"
)
"""Of the archive that npm gives."""
PYODIDE_FILES = (
    "pyodide.mjs",
    "pyodide.asm.mjs",
    "pyodide.asm.wasm",
    "pyodide-lock.json",
    "python_stdlib.zip",
)
"""Those of its files that the page loads."""
PYTHON = "3.14"
PLATFORM = "pyemscripten_2026_0_wasm32"
"""Its Python, and what wheels with machine code must be made for."""


class PinnedWheel(NamedTuple):
    """A wheel of the Python Package Index."""

    package: str
    version: str
    file: str
    sha256: str


WHEELS = (
    PinnedWheel(
        "annotated-types",
        "0.8.0",
        "annotated_types-0.8.0-py3-none-any.whl",
        "f072f4d804ea359e4eaf198b1af7a8b0943881a87f31bb764f8bf219bb9419e0",
    ),
    PinnedWheel(
        "pydantic",
        "2.14.4",
        "pydantic-2.14.4-py3-none-any.whl",
        "653a2ad9f6d8858529c77c72717d0ea991d6c6837fe683246b2f4b2bbfc3fadc",
    ),
    PinnedWheel(
        "pydantic-core",
        "2.50.5",
        f"pydantic_core-2.50.5-cp314-cp314-{PLATFORM}.whl",
        "b2910ec0fa5aeb9bef70156f2b79f4783978fdcfaa7b2f1b5d1814458d2e79a1",
    ),
    PinnedWheel(
        "typing-extensions",
        "4.16.0",
        "typing_extensions-4.16.0-py3-none-any.whl",
        "481caa481374e813c1b176ada14e97f1f67a4539ce9cfeb3f350d78d6370c2e8",
    ),
    PinnedWheel(
        "typing-inspection",
        "0.4.5",
        "typing_inspection-0.4.5-py3-none-any.whl",
        "bc210535442b39e1bf2805e0c7a17dfd6a4ace760c84c7f7d16245d23a6b1c39",
    ),
)
