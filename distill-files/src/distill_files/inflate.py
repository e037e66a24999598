"""Compressed files and standard input become plain files in a private folder."""

from __future__ import annotations

import gzip
import io
import sys
import zlib
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import IO, Any, BinaryIO

from distill_core.errors import SourceError
from distill_files.found import Found

RATIO = 200
"""How many times larger than its compressed bytes a file's content may be …"""
FREE = 2**20
"""… beyond this size."""

_CHUNK = 2**18
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"


def plain_file(found: Found, folder: Path, number: int) -> Path:
    """The file itself, or its content spooled into ``folder`` under that number.

    Raises SourceError: ``source-missing`` if it cannot be opened, ``source-format`` if the
    compressed data is broken or cut, ``source-limit`` if it grows beyond RATIO.
    """
    try:
        with _opened(found) as file:
            counted = _Counted(file)
            kind = _compression(found, counted.head)
            if kind is None and not found.is_stdin and file.seekable():
                return Path(found.path)
            target = folder / str(number)
            with target.open("xb") as out:
                _copy(counted, kind, out, found)
            return target
    except OSError as error:
        raise SourceError(
            f"{found.written!r} cannot be read: {error.strerror or error}", code="source-missing"
        ) from error


class _Counted(io.RawIOBase):
    """A stream that may be a pipe: its first bytes are known, what was taken of it is counted."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.taken = 0
        self.head = b""
        while len(self.head) < 4 and (more := file.read(4 - len(self.head))):
            self.head += more
        self._rest = self.head

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        found = self._rest[: len(buffer)] or self._file.read(len(buffer))
        self._rest = self._rest[len(found) :] if self._rest else b""
        buffer[: len(found)] = found
        self.taken += len(found)
        return len(found)


def _opened(found: Found) -> AbstractContextManager[Any]:
    if found.is_stdin:
        if sys.stdin is None:
            raise OSError("standard input is closed")
        return nullcontext(sys.stdin.buffer)
    return Path(found.path).open("rb")


def _compression(found: Found, head: bytes) -> str | None:
    if head.startswith(_GZIP):
        return "gzip"
    if head.startswith(_ZSTD):
        return "zstd"
    for ending, kind in ((".gz", "gzip"), (".zst", "zstd")):
        if found.name.lower().endswith(ending):
            raise SourceError(
                f"{found.written!r} is no {kind} file, for all its name ({found.name})",
                code="source-format",
            )
    return None


def _copy(file: _Counted, kind: str | None, out: IO[bytes], found: Found) -> None:
    reader: Any = file
    if kind == "gzip":
        reader = gzip.GzipFile(fileobj=file)
    elif kind == "zstd":
        reader = _zstd(file)
    size = 0
    try:
        while chunk := reader.read(_CHUNK):
            size += len(chunk)
            if kind and size > FREE and size > RATIO * file.taken:
                raise SourceError(
                    f"{found.written!r} grows to more than {RATIO} times its size ({found.name})",
                    code="source-limit",
                    hint="if it is no attack, inflate it and name the plain file",
                )
            out.write(chunk)
    except (EOFError, zlib.error, gzip.BadGzipFile, _zstd_error()) as error:
        raise SourceError(
            f"{found.written!r} is a broken {kind} file, or cut short ({found.name})",
            code="source-format",
            hint="copy it again",
        ) from error


def _zstd(file: _Counted) -> Any:
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    return zstd.ZstdFile(file)


def _zstd_error() -> type[Exception]:
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    return zstd.ZstdError
