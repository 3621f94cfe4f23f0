"""``python -m cliplab.tokenize "a running dog"``: the tokens of a prompt as a table, or as JSON."""

import argparse
import json
import sys

from cliplab.tokenizer import CLIPTokenizer


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m cliplab.tokenize", description=__doc__)
    parser.add_argument("text", help='the prompt; "-" reads it from standard input')
    parser.add_argument("--clean", choices=["hf", "openai"], help="as transformers 5, or as OpenAI")
    parser.add_argument(
        "--vocabulary", help="a vocabulary saved by CLIPTokenizer.save, instead of CLIP's"
    )
    parser.add_argument("--json", action="store_true", help="ids, tokens and offsets as JSON")
    options = parser.parse_args(arguments)
    text = sys.stdin.read() if options.text == "-" else options.text
    try:
        if options.vocabulary:
            tokenizer = CLIPTokenizer.load(options.vocabulary, clean=options.clean)
        else:
            tokenizer = CLIPTokenizer(clean=options.clean or "hf")
        ids, tokens, offsets = tokenizer(text), tokenizer.tokens(text), tokenizer.offsets(text)
    except (OSError, ValueError) as error:
        parser.exit(2, f"{error}\n")
    if options.json:
        print(
            json.dumps(
                {"text": text, "ids": ids, "tokens": tokens, "offsets": offsets}, ensure_ascii=False
            )
        )
        return
    width = max(map(len, tokens))
    print(f"{'id':>6}  {'token':<{width}}  typed")
    for i, token, (start, end) in zip(ids, tokens, offsets, strict=True):
        print(f"{i:>6}  {token:<{width}}  {text[start:end]!r}")
    content = len(ids) - 2
    if content > 75:
        print(
            f"{content} content tokens; 75 fit between BOS and EOS, so {content - 75} are cut off"
        )
    else:
        print(f"{content} content tokens of the 75 that fit between BOS and EOS")


if __name__ == "__main__":
    main()
