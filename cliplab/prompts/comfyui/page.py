r"""What ComfyUI's page makes of a prompt before its server reads it: one text out of many.

    {a|b|c}       one of the options, drawn anew for each picture; they nest
    {a}  {}       the only option, so that the braces go
    {a|b          never closed: the block reaches to the end
    //  /* */     comments, which go first, in braces and after backslashes too
    \{  \}  \|    the character itself
    \ at the end  the page looks for what follows it, and writes "\undefined"

A JSON prompt loses its braces, and `http://x.org` all after the colon. What is sent to the server
without its page stays as it is, and so `parse_prompt` and `encode_prompt` read what the server
gets.

Source: comfyui-frontend-package 1.58.1, formatUtil.ts: processDynamicPrompt.
"""

import random
import re

from ..fragment import require_prompt

# JavaScript's dot stops at four ends of a line. An unclosed /* is text, and so is each after it.
LINE = re.compile("//[^\n\r\u2028\u2029]*")
COMMENT = re.compile(rf"{LINE.pattern}|/\*[\s\S]*?(?:\*/|(?P<unclosed>\Z))")
TOKEN = re.compile(r"\\.|[{}|]|[^\\{}|]+", re.DOTALL)
ESCAPED = re.compile(r"\\([{}|])")
LONE = re.compile(r"(?<!\\)\\(?:\\\\)*\Z")  # a backslash at the end that protects nothing


def page(prompt: str, seed: int = 0) -> str:
    """The prompt that ComfyUI's page sends to the server, its choices drawn by a seed.

    seed  chooses among the options, each equally likely. The page has no seed: it draws anew
          whenever a picture is asked for.

    Linear for a given depth of braces; for each level the page takes away the backslashes before
    { } and | once more. Source: processDynamicPrompt; `Random(seed).random` is its `Math.random`.
    """
    require_prompt(prompt)
    text = COMMENT.sub(_without_comment, prompt)
    tokens = TOKEN.findall(text + "undefined" if LONE.search(text) else text)
    blocks = _blocks(tokens)
    draw = random.Random(seed).random
    # Options being read, the innermost last: what they gave, where they end, and where to go on.
    options: list[tuple[list[str], int, int]] = [([], len(tokens), 0)]
    i = 0
    while True:
        found, end, after = options[-1]
        if i == end:
            said = ESCAPED.sub(r"\1", "".join(options.pop()[0]))
            if not options:
                return said
            options[-1][0].append(said)
            i = after
        elif marks := blocks.get(i):
            k = int(draw() * (len(marks) - 1))
            options.append(([], marks[k + 1], min(marks[-1] + 1, len(tokens))))
            i = marks[k] + 1
        else:
            found.append(tokens[i])
            i += 1


def _without_comment(match: re.Match[str]) -> str:
    return "" if match["unclosed"] is None else LINE.sub("", match[0])


def _blocks(tokens: list[str]) -> dict[int, list[int]]:
    """For each { that opens a block, by its number: it, the | between options, and its }."""
    blocks: dict[int, list[int]] = {}
    open_: list[list[int]] = []
    for i, token in enumerate(tokens):
        if token == "{":
            open_.append([i])
            blocks[i] = open_[-1]
        elif open_ and token in ("|", "}"):
            open_[-1].append(i)
            if token == "}":
                open_.pop()
    for block in open_:
        block.append(len(tokens))
    return blocks


def typed(prompt: str) -> str:
    r"""What to type into ComfyUI's page so that it sends this prompt: `page(typed(p)) == p`.

    A brace gets its backslash. No backslash helps a comment, but an empty block does: `/{}/`. After
    a lone backslash at the end comes a space, for the page cannot send one without.
    """
    text = re.sub(r"(?<!\\)(\\*)([{}|])", _protected, prompt)
    text = re.sub(r"/(?=[/*])", "/{}", text)
    return text + " " if LONE.search(text) else text


def _protected(match: re.Match[str]) -> str:
    r"""A brace or a bar and the backslashes before it, of which the page takes one away.

    It reads them in pairs: a { after pairs alone opens a block, here the block `{\{}` of a brace.
    """
    backslashes, mark = match.groups()
    if mark == "{":
        return rf"\{backslashes}" + ("{" if len(backslashes) % 2 == 0 else r"{\{}")
    return rf"\{backslashes}{mark}" if backslashes else mark
