"""Our own wheel: all that the page needs, the same octets every time."""

import base64
import csv
import hashlib
import io
import zipfile
from pathlib import Path

import tcpemu
from tcpemu.playground.own_wheel import own_wheel

HOUSE = Path(tcpemu.__file__).parent


def test_it_has_every_module_and_asset_and_nothing_made_for_a_machine():
    octets = own_wheel()
    assert octets == own_wheel()
    wheel = zipfile.ZipFile(io.BytesIO(octets))
    names = set(wheel.namelist())
    wanted = {
        f"tcpemu/{path.relative_to(HOUSE)}"
        for path in HOUSE.rglob("*")
        if path.suffix in (".py", ".toml", ".js", ".md")
    }
    assert wanted <= names
    assert not [name for name in names if name.endswith((".so", ".pyc", ".c"))]
    (record,) = (name for name in names if name.endswith("RECORD"))
    rows = {
        name: (digest, size) for name, digest, size in csv.reader(io.StringIO(wheel.read(record).decode()))
    }
    assert set(rows) == names
    for name in names - {record}:
        digest = base64.urlsafe_b64encode(hashlib.sha256(wheel.read(name)).digest()).rstrip(b"=").decode()
        assert rows[name] == (f"sha256={digest}", str(wheel.getinfo(name).file_size))
