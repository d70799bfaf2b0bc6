"""Finds the acknowledged changes that count for a base: those that its own file did not have yet."""

from . import exact
from .builds import committed_text


def acknowledged_since(repository, path, entries, revision):
    """Returns the Acknowledged of head's `entries`, for a base of this git revision.

    Entries that base's own file at `path` has are for changes before base, and do not count. If the repository does
    not know the revision, all entries count, and a note reports it. Raises GateError for a file that is wrong.
    """
    if not path or not repository:
        return exact.Acknowledged(entries)
    text = committed_text(repository, revision, path)
    if text is None:
        notes = [f"base's revision ({revision}) and its file of acknowledged changes are not known here: "
                 "all entries count"] if entries else []
        return exact.Acknowledged(entries, [], notes)
    known = exact.parse_acknowledged(text, f"{path} of {revision}")
    return exact.Acknowledged([entry for entry in entries if entry not in known],
                              [entry for entry in entries if entry in known])
