"""A second judge of what the miniature paints, which shares no code with the first one.

    colors.py     CIELAB and ΔE; the tints of a color
    regions.py    a picture → the connected regions that differ from its ground
    outlines.py   which of the six shapes a silhouette is
    features.py   edges and colors of a thing, in numbers
    names.py      which thing with a name it is
    verdict.py    picture and scene → what is right, and what is not
    ceilings.py   how many real pictures it calls right

It is written from definitions in words (they stand in verdict.py), and its names come from drawings
by artists that no training sees. `python -m classroom.miniature.second` prints what it makes of
real pictures.
"""

from .verdict import Fault, Verdict, judge

__all__ = ["Fault", "Verdict", "judge"]
