"""Lists what the gate may judge: the times and counters of a row, and the direction in which each is worse."""

from common import description

LOWER_IS_BETTER = description.own().counters_better("lower")
HIGHER_IS_BETTER = description.own().counters_better("higher")
