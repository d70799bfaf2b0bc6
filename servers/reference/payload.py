"""The bytes of transfers, the same as the native servers' (servers/service/payload.cc): zeros,
text, random bytes, or the letter x. A payload is the beginning of one block that repeats; the
block's length is a prime, so that no chunk size fits it.
"""

PERIOD = 1_048_583
KINDS = ("random", "text", "zeros")

_MASK = (1 << 64) - 1
_SYLLABLES = ("an ba ce di el fo ga hi in jo ka li "
              "me no or pe qu ra st th un ve wi yo").split()


def _split_mix(seed):
    """SplitMix64: 64-bit numbers without end."""
    state = seed
    while True:
        state = (state + 0x9E3779B97F4A7C15) & _MASK
        z = state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
        yield z ^ (z >> 31)


def _random_block():
    numbers = _split_mix(20240229)
    words = (next(numbers).to_bytes(8, "little") for _ in range(PERIOD // 8 + 1))
    return b"".join(words)[:PERIOD]


def _text_block():
    random = _split_mix(19170227).__next__
    words = []
    for rank in range(4096):
        count = 1 + random() % (2 if rank < 64 else 4)
        words.append("".join(_SYLLABLES[random() % 24] for _ in range(count)))
    parts = []
    size = column = 0
    while size < PERIOD:
        uniform = (random() >> 11) * 2.0**-53
        limit = 12 * uniform * (0.4 + 0.6 * uniform)
        rank = 0
        while limit >= 1:
            rank = 2 * rank + 1
            limit -= 1
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
        """`kind`: one of KINDS, or "x"."""
        makers = {"random": _random_block, "text": _text_block,
                  "zeros": lambda: bytes(PERIOD), "x": lambda: b"x" * PERIOD}
        self._block = makers[kind]()
        self._last = b""

    def of(self, size):
        """The first `size` bytes. The last large ones are kept: making them is part of no call."""
        if size <= PERIOD:
            return self._block[:size]
        last = self._last
        if len(last) != size:
            last = self._last = (self._block * (size // PERIOD + 1))[:size]
        return last
