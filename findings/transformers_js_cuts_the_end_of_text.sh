#!/usr/bin/env bash
# In JavaScript a prompt that is too long for CLIP loses its end mark, and with it its pooled row.
#
# Versions: @huggingface/transformers (transformers.js) 4.3.1, Node 20.
#
# CLIP reads at most 77 tokens, and the vector of a text is the state at EOS. Python's tokenizers
# cut the text to 75 tokens and put EOS behind it. transformers.js puts EOS behind the whole text
# and then cuts to 77, so that EOS is what goes first. CLIP finds EOS as the largest id. Without it
# that is BOS, in row 0, and row 0 has read nothing but itself: all texts that are too long get one
# and the same vector, however they differ. Nothing is raised or printed. The natural guess, that a
# text which is too long loses its last words, is wrong by one token, and that token was the vector.
#
# The vocabulary is CLIP's first 512 entries and the two marks, with no merges.
#
# Output seen:
#     75 words: 77 ids, the last is EOS true, the largest id is in row 76
#     76 words: 77 ids, the last is EOS false, the largest id is in row 0
#     other 76 words: 77 ids, the last is EOS false, the largest id is in row 0
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
here=$(realpath "$0")
cd "$work"
npm install --silent --no-save --ignore-scripts @huggingface/transformers@4.3.1 >&2
cat > read.mjs <<'J'
import { CLIPTokenizer } from "@huggingface/transformers";

const [BOS, EOS] = ["<|startoftext|>", "<|endoftext|>"];
const range = (from, to) => [...Array(to - from).keys()].map((i) => from + i);
const printable = [...range(33, 127), ...range(161, 173), ...range(174, 256)];
const codes = [...printable, ...range(256, 512 - printable.length)];
const letters = codes.map((code) => String.fromCharCode(code));
const symbols = [...letters, ...letters.map((letter) => `${letter}</w>`), BOS, EOS];
const vocab = Object.fromEntries(symbols.map((symbol, id) => [symbol, id]));
const mark = (content) => ({ id: vocab[content], content, special: true });
const json = {
  added_tokens: [mark(BOS), mark(EOS)],
  normalizer: { type: "Lowercase" },
  pre_tokenizer: { type: "WhitespaceSplit" },
  post_processor: { type: "RobertaProcessing", cls: [BOS, vocab[BOS]], sep: [EOS, vocab[EOS]] },
  decoder: { type: "ByteLevel" },
  model: { type: "BPE", vocab, merges: [], unk_token: EOS, end_of_word_suffix: "</w>" },
};
const names = { bos_token: BOS, eos_token: EOS, unk_token: EOS, pad_token: EOS };
const tokenizer = new CLIPTokenizer(json, { ...names, model_max_length: 77 });
const options = { padding: "max_length", max_length: 77, truncation: true, return_tensor: false };
const texts = [["75 words", "a ", 75], ["76 words", "a ", 76], ["other 76 words", "b ", 76]];
for (const [name, word, count] of texts) {
  const ids = tokenizer(word.repeat(count), options).input_ids.flat();
  const ends = `the last is EOS ${ids.at(-1) === vocab[EOS]}`;
  const largest = `the largest id is in row ${ids.indexOf(Math.max(...ids))}`;
  console.log(`${name}: ${ids.length} ids, ${ends}, ${largest}`);
}
J
node read.mjs | tee seen
diff seen <(sed -n 's/^#     //p' "$here")
