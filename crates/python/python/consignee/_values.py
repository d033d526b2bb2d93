"""Values of orders as Python has them."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, NamedTuple, Optional

from ._errors import InputError


class Money(NamedTuple):
    """An amount and its currency. The amount keeps its digits: 88.00 is not 88."""

    amount: Decimal
    currency: str

    def __str__(self) -> str:
        return f"{_digits(self.amount)} {self.currency}"


class Address(NamedTuple):
    """A postal address. What a country does not use stays empty."""

    lines: tuple[str, ...]
    city: str
    region: str
    postal_code: str
    country: str

    def __str__(self) -> str:
        parts = (*self.lines, self.city, self.region, self.postal_code, self.country)
        return ", ".join(part for part in parts if part)


class Timestamp(datetime):
    """A point in time, with its offset, and with the text that it was given as.

    Attributes:
        text: the RFC 3339 text, which may have nine digits of a second where a datetime has six.
    """

    _text: Optional[str] = None

    @property
    def text(self) -> str:
        """The text that it was given as; of one that was made of another, that of isoformat."""
        return self.isoformat() if self._text is None else self._text

    def __reduce_ex__(self, protocol: Any) -> Any:
        parts = super().__reduce_ex__(protocol)
        return (_with_text, (parts[:2], self._text))


def _with_text(parts: Any, text: Optional[str]) -> Any:
    made = parts[0](*parts[1])
    made._text = text
    return made


class Put(NamedTuple):
    """What became of an order that was put."""

    record_id: str
    """The id it is stored under, in hexadecimal digits."""
    stored: bool
    """Whether it is new; False where the same order was there already."""


class Hit(NamedTuple):
    """An order that was found."""

    alias: str
    """The order, as the party knows it; :meth:`Vault.open` takes it."""
    revision: int
    ledger: int
    ledger_index: int


class Hits(list[Hit]):
    """Orders that were found, the newest first.

    Attributes:
        unreadable: number of orders that may have the value and do not open.
    """

    unreadable: int = 0


class SharedOrder(NamedTuple):
    """An order of which a copy was shared, and where the disclosure's entry is."""

    alias: str
    ledger: int
    ledger_index: int


class Shared(NamedTuple):
    """A bundle, and what became of each order."""

    bundle: Optional[bytes]
    """To be sent to the party; None where none of the orders could be shared."""
    expires: Optional[int]
    """When the bundle ends, seconds since 1970; None where it does not."""
    orders: list[Any]
    """For each order a SharedOrder, or the Error that it met."""


class LedgerState(NamedTuple):
    """A ledger: its number, how many entries it has, and its root hash of RFC 6962."""

    ledger: int
    size: int
    root: bytes


def _timestamp(seconds: int, microseconds: int, offset: Optional[int], text: str) -> Timestamp:
    zone = timezone.utc if offset is None else timezone(timedelta(minutes=offset))
    # Not fromtimestamp, which not every platform has for times before 1970.
    local = datetime(1970, 1, 1) + timedelta(minutes=offset or 0, seconds=seconds, microseconds=microseconds)
    made = Timestamp.combine(local.date(), local.time(), zone)
    made._text = text
    return made


def _digits(value: Decimal) -> str:
    """A decimal without an exponent, which orders have in none; what is far too large or small for one is refused as it is."""
    return format(value, "f") if abs(value.adjusted()) < 100 else str(value)


def _default(value: object) -> object:
    if isinstance(value, Timestamp):
        return value.text
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise TypeError("a datetime of an order needs a time zone")
        return value.isoformat()
    if isinstance(value, Decimal):
        return _digits(value)
    raise TypeError(f"an order has no value of type {type(value).__name__}")


def _plain(value: object) -> object:
    """Named tuples as the objects that JSON has for them: json would write lists."""
    if isinstance(value, Money):
        return {"value": _digits(value.amount), "currency": value.currency}
    if isinstance(value, Address):
        return value._asdict()
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


def _dumps(order: object) -> str:
    """An order, or changes to one, as JSON. What cannot be is an InputError that holds nothing of it."""
    try:
        if isinstance(order, (bytes, bytearray)):
            return bytes(order).decode()
        return json.dumps(_plain(order), default=_default, ensure_ascii=False)
    except UnicodeDecodeError:
        raise InputError("the text is not Unicode: it has bytes that are no UTF-8") from None
    except (TypeError, ValueError, RecursionError) as e:
        raise InputError(f"it cannot be written as JSON: {e}") from None
