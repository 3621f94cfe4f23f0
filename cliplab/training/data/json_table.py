"""Captions in JSON: records on lines or in a list, names with captions, COCO's, Karpathy's."""

import json
from typing import Any

from .reading import Problems
from .table import Row, Table, names_picture


def in_lines(text: str, least: int) -> bool:
    """Whether the first two lines are an object each, or the only one where one is enough."""
    lines = [line for line in text.split("\n") if line.strip()][:2]
    try:
        return len(lines) >= least and all(isinstance(json.loads(line), dict) for line in lines)
    except (ValueError, RecursionError):
        return False


def of_json_lines(text: str, problems: Problems) -> Table:
    """A record on each line; a line that is none is a problem."""
    rows = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            record = None
        if isinstance(record, dict):
            rows.append(Row(number, f"row {number}", record))
        else:
            what = f"row {number} is no JSON object on one line"
            problems.add("row", number, f"row {number}", what)
    return table_of(rows)


def of_json(text: str) -> Table:
    """The records of a JSON document. Raises ValueError where it has none that name pictures."""
    found = records(json.loads(text))
    return table_of([Row(n, f"entry {n}", record) for n, record in enumerate(found, start=1)])


def table_of(rows: list[Row]) -> Table:
    return Table(list(dict.fromkeys(column for row in rows for column in row.cells)), rows)


def records(said: Any) -> list[dict]:
    """The records, wherever they are: in a list, or in a document's only list of them."""
    if are_records(said):
        return [with_captions(record) for record in said]
    if not isinstance(said, dict) or not said:
        raise ValueError("There are no records.")
    if all(map(names_picture, said)):  # {"a.jpg": "a dog"}; also a list, or a record
        return [
            {"image": name, **(about if isinstance(about, dict) else {"caption": about})}
            for name, about in said.items()
        ]
    lists = {name: value for name, value in said.items() if are_records(value)}
    if {"images", "annotations"} <= lists.keys():  # COCO
        names = {image.get("id"): image.get("file_name") for image in lists["images"]}
        found = lists["annotations"]
        return [{**one, "file_name": names.get(one.get("image_id"))} for one in found]
    if len(lists) != 1:
        raise ValueError(f"There are {len(lists)} lists of records.")
    return records(*lists.values())


def are_records(said: Any) -> bool:
    return isinstance(said, list) and bool(said) and all(isinstance(one, dict) for one in said)


def with_captions(record: dict) -> dict:
    """Karpathy's splits keep a file's folder apart, and its captions in "sentences"."""
    if not are_records(record.get("sentences")):
        return record
    name = "/".join(filter(None, (record.get("filepath"), record.get("filename"))))
    return {"image": name, "caption": [sentence.get("raw") for sentence in record["sentences"]]}
