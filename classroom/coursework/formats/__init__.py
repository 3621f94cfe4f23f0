"""What students get, in the form of each tool.

A module has `handout(master)`, what may be handed out, and for tools that need it
`instructor(master)`, the tool's own input with all answers: relative path → text of the file.
"""

from . import nbgrader, otter, site, student

FORMATS = {"student": student, "nbgrader": nbgrader, "otter": otter, "site": site}
