"""The success criteria of WCAG 2.1, levels A and AA, and what the course does about each.

What the page tests show of a criterion, they say themselves: `@pytest.mark.wcag("1.4.3")`. Here
stands what no test says: why a criterion does not apply, on what the course relies where nothing is
tested, and how far the tests go.
"""

NONE, OPEN = "Does not apply", "Not tested"

PRINCIPLES = {"1": "Perceivable", "2": "Operable", "3": "Understandable", "4": "Robust"}

# Number: (name, level, what there is to say beside the tests)
CRITERIA = {
    "1.1.1": (
        "Non-text Content",
        "A",
        "Every figure has a description, and a table of its numbers. No test can say whether a "
        "description is a good one. Pictures that a model painted are described by their prompt "
        "and by what was measured in them, not by what a person sees.",
    ),
    "1.2.1": (
        "Audio-only and Video-only (Prerecorded)",
        "A",
        f"{NONE}. There is no audio or video.",
    ),
    "1.2.2": ("Captions (Prerecorded)", "A", f"{NONE}. There is no audio or video."),
    "1.2.3": (
        "Audio Description or Media Alternative (Prerecorded)",
        "A",
        f"{NONE}. There is no audio or video.",
    ),
    "1.2.4": ("Captions (Live)", "AA", f"{NONE}. There is no audio or video."),
    "1.2.5": ("Audio Description (Prerecorded)", "AA", f"{NONE}. There is no audio or video."),
    "1.3.1": (
        "Info and Relationships",
        "A",
        "Headings, lists, heads of tables and groups of options are marked up as such, and every "
        "formula has MathML.",
    ),
    "1.3.2": (
        "Meaningful Sequence",
        "A",
        f"{OPEN}. The pages hold their text in the order in which it is read.",
    ),
    "1.3.3": (
        "Sensory Characteristics",
        "A",
        f"{OPEN}. Where a text points into a figure, it also names what it means.",
    ),
    "1.3.4": ("Orientation", "AA", f"{OPEN}. No style or script asks how a screen is held."),
    "1.3.5": ("Identify Input Purpose", "AA", f"{NONE}. No field asks about the reader."),
    "1.4.1": (
        "Use of Color",
        "A",
        "The test looks at links in text. Figures also use shapes, signs and words, which their "
        "authors have to see to.",
    ),
    "1.4.2": ("Audio Control", "A", f"{NONE}. There is no audio."),
    "1.4.3": ("Contrast (Minimum)", "AA", "Both themes are tested, at both widths."),
    "1.4.4": (
        "Resize Text",
        "AA",
        "A page of 1200 pixels at 200 % is a page of 600, and narrower ones are tested. Larger "
        "letters on an unchanged page are not.",
    ),
    "1.4.5": (
        "Images of Text",
        "AA",
        f"{OPEN}. The text in figures is text; only fields of numbers are drawn as pictures.",
    ),
    "1.4.10": (
        "Reflow",
        "AA",
        "Pages are tested down to 320 pixels. Tables, code and large formulas scroll inside "
        "themselves, which the criterion allows where both dimensions carry meaning.",
    ),
    "1.4.11": (
        "Non-text Contrast",
        "AA",
        f"{OPEN}. Controls have borders, and lines in figures have the colors of text.",
    ),
    "1.4.12": ("Text Spacing", "AA", "The test notices text that leaves the page."),
    "1.4.13": (
        "Content on Hover or Focus",
        "AA",
        f"{OPEN}. The theme shows the name of a button when one points at it. The same name is the "
        "button's label.",
    ),
    "2.1.1": (
        "Keyboard",
        "A",
        "Pages, quizzes, exercises, tables and every control of every demo are tested.",
    ),
    "2.1.2": ("No Keyboard Trap", "A", "Demos and the fields of exercises are tested."),
    "2.1.4": (
        "Character Key Shortcuts",
        "A",
        f"{OPEN}. The only shortcut is that for search, and it needs Ctrl or ⌘.",
    ),
    "2.2.1": (
        "Timing Adjustable",
        "A",
        f"{NONE}. Readers have as much time as they want. Only code that a reader has started is "
        "stopped after a while, and it can be started again.",
    ),
    "2.2.2": (
        "Pause, Stop, Hide",
        "A",
        "Nothing moves on its own, and nothing at all for readers who ask for less motion.",
    ),
    "2.3.1": ("Three Flashes or Below Threshold", "A", f"{OPEN}. Nothing flashes."),
    "2.4.1": ("Bypass Blocks", "A", "The first stop on every page leads to its text."),
    "2.4.2": ("Page Titled", "A", ""),
    "2.4.3": ("Focus Order", "A", "Demos and quizzes are tested."),
    "2.4.4": (
        "Link Purpose (In Context)",
        "A",
        "The tests show that links have words and lead somewhere, not that these words are good.",
    ),
    "2.4.5": ("Multiple Ways", "AA", "There are contents, a search, and links to both neighbors."),
    "2.4.6": (
        "Headings and Labels",
        "AA",
        "The test shows that there are headings and labels, not that they are good ones.",
    ),
    "2.4.7": ("Focus Visible", "AA", f"{OPEN}. An outline or a shadow marks what has the focus."),
    "2.5.1": ("Pointer Gestures", "A", f"{NONE}. No control needs more than a click or a drag."),
    "2.5.2": ("Pointer Cancellation", "A", f"{OPEN}. Buttons act when the pointer is let go."),
    "2.5.3": (
        "Label in Name",
        "A",
        "The tests find many controls by the words that they show, but not all.",
    ),
    "2.5.4": ("Motion Actuation", "A", f"{NONE}. No page reads how a device is moved."),
    "3.1.1": ("Language of Page", "A", ""),
    "3.1.2": ("Language of Parts", "AA", f"{NONE}. All prose is English."),
    "3.2.1": ("On Focus", "A", f"{OPEN}. No control acts when it is merely reached."),
    "3.2.2": (
        "On Input",
        "A",
        f"{OPEN}. Typing changes what a demo shows, and it takes the reader nowhere else.",
    ),
    "3.2.3": (
        "Consistent Navigation",
        "AA",
        "All pages have one layout, and their order is tested.",
    ),
    "3.2.4": ("Consistent Identification", "AA", f"{OPEN}. All demos share one set of controls."),
    "3.3.1": (
        "Error Identification",
        "A",
        "Errors are sentences that say what is wrong, and where.",
    ),
    "3.3.2": ("Labels or Instructions", "A", ""),
    "3.3.3": ("Error Suggestion", "AA", "The check of an exercise says what is missing."),
    "3.3.4": ("Error Prevention (Legal, Financial, Data)", "AA", f"{NONE}. Nothing is sent."),
    "4.1.1": ("Parsing", "A", f"{OPEN}. WCAG 2.2 has dropped this criterion."),
    "4.1.2": ("Name, Role, Value", "A", ""),
    "4.1.3": ("Status Messages", "AA", "Verdicts and failures are announced."),
}


def state(number):
    """Tested, Not tested, or Does not apply."""
    said = CRITERIA[number][2]
    return next((state for state in (NONE, OPEN) if said.startswith(state)), "Tested")
