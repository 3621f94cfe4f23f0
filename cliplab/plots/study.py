"""The weighting study of the miniature, as lines over the weight."""

from .curves import curves

MEASURES = {
    "present": "share with the named attribute",
    "area": "area in pixels",
    "excess": "color excess, from 0 to 1",
    "other": "share with the other thing right",
}


def study_curves(study, kind, measure="present", title=None, source=None):
    """What a word's weight does to the picture: one line for each method, over the weight.

    study: what `classroom.miniature.study.study` returns, or study.json in the miniature's
    folder. kind: "color", "shape", "large", "small", "background" or "one of two". measure: one of
    MEASURES ("other" for "one of two" alone). ValueError for what was not studied.
    """
    effects = study["effects"]
    if kind not in effects:
        raise ValueError(f"There is no kind {kind!r} in this study, only {', '.join(effects)}.")
    known = next(iter(effects[kind].values()))
    if measure not in known:
        raise ValueError(
            f"Of {kind!r} this study has {', '.join(known)}; there is no {measure!r} in it."
        )
    lines = {method: found[measure] for method, found in effects[kind].items()}
    return curves(
        study["weights"], lines, "weight of the word", MEASURES[measure], title=title, source=source
    )
