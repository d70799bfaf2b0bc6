"""Makes the bytes of transfers, the same as the native servers' (servers/service/payload.cc).

They are zeros, text, random bytes, or the letter x. A payload is the beginning of one block that
repeats. The block's length is a prime, so that no chunk size divides it.
"""

import itertools

PERIOD = 1_048_583
KINDS = ("random", "text", "zeros")

_SYLLABLES = ("an ba ce di el fo ga hi in jo ka li "
              "me no or pe qu ra st th un ve wi yo").split()
_AT_ONCE = 512  # numbers


def _split_mix(seed):
    """Yields arrays of 64-bit numbers without end, by SplitMix64.

    The numbers of an array are computed together, each in its 128 bits of one large integer. That
    takes a twentieth of the time, so that a server starts soon.
    """
    mask, gamma = (1 << 64) - 1, 0x9E3779B97F4A7C15

    def spread(numbers):
        return int.from_bytes(b"".join(number.to_bytes(16, "little") for number in numbers),
                              "little")

    ones = spread([1] * _AT_ONCE)
    masks = spread([mask] * _AT_ONCE)
    steps = spread([(i + 1) * gamma & mask for i in range(_AT_ONCE)])
    while True:
        z = (steps + ones * seed) & masks
        seed = (seed + _AT_ONCE * gamma) & mask
        z = ((z ^ (z >> 30 & masks)) * 0xBF58476D1CE4E5B9) & masks
        z = ((z ^ (z >> 27 & masks)) * 0x94D049BB133111EB) & masks
        z ^= z >> 31 & masks
        yield memoryview(z.to_bytes(16 * _AT_ONCE, "little")).cast("Q")[::2]


def _random_block():
    arrays = itertools.islice(_split_mix(20240229), PERIOD // (8 * _AT_ONCE) + 1)
    return b"".join(numbers.tobytes() for numbers in arrays)[:PERIOD]


def _text_block():
    random = itertools.chain.from_iterable(_split_mix(19170227)).__next__
    words = []
    for rank in range(4096):
        count = 1 + random() % (2 if rank < 64 else 4)
        words.append("".join(_SYLLABLES[random() % 24] for _ in range(count)))
    parts = []
    size = column = 0
    while size < PERIOD:
        uniform = (random() >> 11) * 2.0**-53
        limit = 12 * uniform * (0.4 + 0.6 * uniform)
        rank = (1 << int(limit)) - 1
        token = words[min(rank + random() % (rank + 1), len(words) - 1)]
        if random() % 12 == 0:
            token += "." if random() % 4 == 0 else ","
        column += len(token) + 1
        token += "\n" if column > 72 else " "
        if column > 72:
            column = 0
        parts.append(token)
        size += len(token)
    return "".join(parts).encode("ascii")[:PERIOD]


class Payload:
    """Makes bytes of one kind: `Payload("text").of(100)`."""

    def __init__(self, kind):
        """`kind` is one of KINDS, or "x"."""
        makers = {"random": _random_block, "text": _text_block,
                  "zeros": lambda: bytes(PERIOD), "x": lambda: b"x" * PERIOD}
        self._block = makers[kind]()
        self._last = b""

    def of(self, size):
        """Returns the first `size` bytes; keeps the last large ones, to make none in a call."""
        if size <= PERIOD:
            return self._block[:size]
        last = self._last
        if len(last) != size:
            last = self._last = (self._block * (size // PERIOD + 1))[:size]
        return last
