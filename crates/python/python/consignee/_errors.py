"""Exceptions: one for each kind of error of the library, below :class:`Error`."""

from __future__ import annotations

from typing import ClassVar, Optional


class Error(Exception):
    """Something that the library refused or could not do.

    The message never holds a value of an order, a key or an order number, so it may be logged as it is.

    Attributes:
        kind: name of the kind, such as ``"not permitted"``; stable.
        status: number of the kind, the same as in C; stable.
    """

    kind: ClassVar[str] = "error"
    status: ClassVar[int] = 0


class NotPermitted(Error):
    """The policy in force does not give this to the party."""

    kind = "not permitted"
    status = 100


class Expired(Error):
    """The time in which the purpose may open the order, or in which the bundle may be read, is over."""

    kind = "expired"
    status = 101


class Revoked(Error):
    """The party has been revoked."""

    kind = "revoked"
    status = 102


class NotFound(Error):
    """No such order, party, alias or file; or a vault that is not trusted."""

    kind = "not found"
    status = 103


class Shredded(Error):
    """The order's secret has been destroyed."""

    kind = "shredded"
    status = 104


class Absent(Error):
    """The order has no value for this part."""

    kind = "absent"
    status = 105


class Conflict(Error):
    """Somebody else changed the order in between: read it again and repeat."""

    kind = "conflict"
    status = 106


class Exists(Error):
    """There is something else under this number or name already."""

    kind = "exists"
    status = 107


class CannotOpen(Error):
    """A wrong key or altered bytes: deliberately not told apart."""

    kind = "cannot open"
    status = 108


class RolledBack(Error):
    """Older than the newest that was seen."""

    kind = "rolled back"
    status = 109


class Damaged(Error):
    """Bytes that no version of the library wrote."""

    kind = "damaged"
    status = 110


class NewerFormat(Error):
    """Bytes of a later version of the library."""

    kind = "newer format"
    status = 111


class PolicyMismatch(Error):
    """The program was made for another policy than the one in force."""

    kind = "policy mismatch"
    status = 112


class RootKeyError(Error):
    """The root key is missing, wrong, or kept where it must not be."""

    kind = "root key"
    status = 113


class Locked(Error):
    """Another process holds the vault's write lock; or the vault was unlocked before a fork."""

    kind = "locked"
    status = 114


class StorageError(Error):
    """The store or the file system failed: disk full, no permission, input or output error."""

    kind = "storage"
    status = 115


class LimitExceeded(Error):
    """More than the library takes: too long, too many, too deep."""

    kind = "limit"
    status = 116


class InputError(Error, ValueError):
    """Input that does not follow its format.

    Attributes:
        line: line of the input, from 1; None where there are no lines.
        field: path of the field that is wrong; None where there is none.
    """

    kind = "input"
    status = 117

    def __init__(self, message: str, line: Optional[int] = None, field: Optional[str] = None) -> None:
        super().__init__(message)
        self.line = line
        self.field = field

    def __reduce__(self) -> tuple[object, ...]:
        return (type(self), (self.args[0], self.line, self.field))


_BY_STATUS: dict[int, type[Error]] = {kind.status: kind for kind in Error.__subclasses__()}


def _make(status: int, message: str, line: Optional[int], field: Optional[str]) -> Error:
    """The exception of a status of the library."""
    kind = _BY_STATUS.get(status, Error)
    return kind(message, line, field) if issubclass(kind, InputError) else kind(message)
