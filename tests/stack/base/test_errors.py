"""Errors of sockets are those that programs catch: the kinds of OSError that Python has."""

import copy
import errno
import pickle

import pytest

from tcpemu import SocketError

KINDS = {
    errno.EAGAIN: BlockingIOError,
    errno.EINPROGRESS: BlockingIOError,
    errno.EALREADY: BlockingIOError,
    errno.EPIPE: BrokenPipeError,
    errno.ECONNABORTED: ConnectionAbortedError,
    errno.ECONNREFUSED: ConnectionRefusedError,
    errno.ECONNRESET: ConnectionResetError,
    errno.ETIMEDOUT: TimeoutError,
    errno.EACCES: PermissionError,
}


@pytest.mark.parametrize("number", [*KINDS, errno.EINVAL, errno.EADDRINUSE])
def test_it_is_what_python_makes_of_the_errno(number):
    error = SocketError(number)
    assert isinstance(error, SocketError)
    assert isinstance(error, KINDS.get(number, OSError))
    assert isinstance(error, type(OSError(number, "")))
    assert (error.errno, error.name) == (number, errno.errorcode[number])
    assert str(error) == str(OSError(number, error.strerror))


@pytest.mark.parametrize("number", [errno.ECONNRESET, errno.EINVAL])
def test_it_survives_pickling_and_copying(number):
    error = SocketError(number, "with a detail")
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(again) is type(error)
        assert (again.errno, again.strerror, again.name) == (number, "with a detail", error.name)
