"""What is folded on a page goes to the end of the printed course; see tools/joined.py.

Hints and solutions, the answers of quizzes and predictions, and the tables of figures leave a link
where they stood, and their name at the end leads back. What is folded in a table's cell is opened.
"""

from __future__ import annotations

import re

from bs4 import BeautifulSoup, Tag

HEADING = re.compile("^h[1-6]$")
FOLDED = ".clq fieldset, details:not(.clq details, td details, details details)"


def fold(article: Tag, page: str) -> list[Tag]:
    """Take out of a page's text what is folded in it.

    page: what the ids of that page begin with. Gives the entries for the end, in their order.
    """
    entries: list[Tag] = []
    for details in article.select("td details"):
        details["open"] = ""
    for folded in article.select(FOLDED):
        if folded.name == "fieldset":
            entries.append(answers(folded, page, len(entries)))
            continue
        before = folded.find_previous_sibling()
        if before is None or before.get("class") != ["to-fold"]:  # not the second of an exercise
            words, title = named(folded)
            folded.insert_before(leading(words, page, len(entries)))
            entries.append(entry(title, page, len(entries)))
        entries[-1].append(unfolded(folded))
    return entries


def answers(question: Tag, page: str, number: int) -> Tag:
    """The options of a question with what they say; the question keeps the options alone."""
    found = entry(text_of(question.legend), page, number)
    options = made("ul")
    for details in question.select("details"):
        option, said = made("li"), made("p")
        option.extend(details.summary.extract().contents[:])
        said.extend([made("em", option.get_text()), ": ", *details.extract().contents[:]])
        options.append(option)
        found.append(said)
    question.extend([options, leading("The answer", page, number)])
    return found


def named(details: Tag) -> tuple[str, str]:
    """What a link to this folded thing says, and what it belongs to."""
    if details.find_parent("figure"):
        caption = details.select_one("caption")
        return "The table of the figure", text_of(caption) if caption else "Figure"
    title = text_of(details.find_previous(HEADING))
    if title.startswith("Exercise"):
        return "Hints and solution", title
    name = name_of(details)
    return ("Hints" if name.startswith("Hint") else name), title


def name_of(details: Tag) -> str:
    """The line that unfolds it; that of a cell of code has words for both of its states."""
    return "Code" if "hide" in details.get("class", []) else text_of(details.summary)


def unfolded(details: Tag) -> Tag:
    """The same, taken out, under its name."""
    name = made("p", name_of(details), class_="fold-name")
    details.summary.extract()
    opened = made("div", class_="fold")
    opened.extend([name, *details.extract().contents[:]])
    return opened


def entry(title: str, page: str, number: int) -> Tag:
    """A place at the end; its name leads back."""
    place, name = made("div", class_="folded", id=f"{page}--folded-{number}"), made("p")
    name["class"] = "folded-name"
    name.append(made("a", title, href=f"#{page}--to-fold-{number}"))
    place.append(name)
    return place


def leading(words: str, page: str, number: int) -> Tag:
    """A line that leads to the end."""
    line = made("p", class_="to-fold", id=f"{page}--to-fold-{number}")
    line.append(made("a", f"{words}: at the end", href=f"#{page}--folded-{number}"))
    return line


def text_of(tag: Tag) -> str:
    return " ".join(tag.get_text().split())


def made(kind: str, text: str = "", class_: str = "", **attributes: str) -> Tag:
    tag = BeautifulSoup("", "html.parser").new_tag(kind, attrs=attributes)
    if class_:
        tag["class"] = [class_]
    tag.string = text
    return tag
