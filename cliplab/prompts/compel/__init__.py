r"""Compel's prompt grammar: `word+`, `(words)1.3`, `"words"--`, `.swap()`, `.and()`, `.blend()`.

    cat++  dog-           1.1 and 0.9, once for each sign (Lecture eq. 17)
    (red car)1.3          any weight from 0 on (Lecture eqs 18, 20; erratum E31); word.attend(1.3)
    ((a)1.3 b)1.2         weights multiply: a@1.56, b@1.2
    \( \) \"              brackets and quotes of the text
    ("a", "b").and(1, 2)  parts, one after the other;  .blend(…) adds them up
    cat.swap(dog)         an edited prompt beside the first;  withLora(name, 0.8)

Whatever does not fit is text, in silence; A1111's syntax does not fit (erratum E13). Quirks, which
``quirks=False`` refuses:

    (a:1.2)  [a]  BREAK  AND  <lora:…>   text
    an unclosed ( or ", a stray ), a(b)  text; so is .blend(…) in mid-prompt
    (a) 1.2   cat ++   .attend(-0.5)     text; a weight has no space before it, and no minus
    (a)-0.5   (a)1e3   cat+-   a--b      a weight, then text: 0.9 and "0.5", 1 and "e3", …
    \+  \-  \,  \.  \=  \\               the backslash stays in the text, so there is no way to
                                         write words like c++ at weight 1
    "a \new car"                         in quotes, \n \r \t \f are blanks: "a ew car"
    (a...)   (b)s                        marks and words come apart: "a . . .", "b s"
    ()                                   nothing at all
    .swap(b, big)                        "big" is an option (PromptWarning)
    ("a", "b").and() c                   c is dropped (PromptWarning)

PromptError always, where Compel raises something: as many weights as parts, nothing after
.blend(…), no swap or empty part in it, more than 7,000 plus signs, `\v` and `\f`.

    grammar.py  parse, fragments        reader.py   brackets, words    quirks.py   quirks=False
    nodes.py    what is read            whole.py    .and and .blend    tool.py     all as a Tool

Source: compel 2.5.1, prompt_parser.py: PromptParser.parse_conjunction. Compel takes four to five
times as long for each bracket around a bracket; this reads any prompt, of any depth, in linear
time.
"""

from .grammar import escape, fragments, parse
from .tool import TOOL

__all__ = ["TOOL", "escape", "fragments", "parse"]
