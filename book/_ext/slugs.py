"""The anchors of headings: an erratum's is its number, so that chapters link to `errata.md#e1`."""

import re

from myst_parser.mdit_to_docutils.base import default_slugify


def slug(title):
    """ "E1: the dog that was a doctor" -> "e1"; any other heading as MyST does it."""
    erratum = re.match(r"E\d+(?=:)", title)
    return erratum[0].lower() if erratum else default_slugify(title)
