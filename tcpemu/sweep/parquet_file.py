"""Rows as a Parquet file. The only module that knows pyarrow; it is loaded where such a file is wanted."""

import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

import pyarrow
import pyarrow.parquet

_TOGETHER = 10_000
"""Rows that are written at once."""
_KINDS = {int: pyarrow.int64(), float: pyarrow.float64(), str: pyarrow.string()}


def parquet_pieces(
    columns: Mapping[str, type], rows: Iterable[Mapping[str, object]], facts: Mapping[str, object]
) -> Iterator[bytes]:
    """The octets of the file, piece by piece; `facts` go into its metadata as JSON."""
    fields = [pyarrow.field(name, _KINDS[kind]) for name, kind in columns.items()]
    schema = pyarrow.schema(fields, metadata={str(name): json.dumps(value) for name, value in facts.items()})
    with tempfile.TemporaryFile() as file:
        with pyarrow.parquet.ParquetWriter(file, schema) as writer:
            for some in _some(rows):
                writer.write_table(pyarrow.Table.from_pylist(some, schema))
        file.seek(0)
        yield from iter(lambda: file.read(2**20), b"")


def _some(rows: Iterable[Mapping[str, object]]) -> Iterator[list[dict[str, object]]]:
    left = iter(rows)
    while some := [dict(row) for row in islice(left, _TOGETHER)]:
        yield some
