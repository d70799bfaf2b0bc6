"""What the gate may judge by: the times and counters of a row, and in which direction each is worse."""

from common import description

LOWER_IS_BETTER = description.own().counters_better("lower")
HIGHER_IS_BETTER = description.own().counters_better("higher")
