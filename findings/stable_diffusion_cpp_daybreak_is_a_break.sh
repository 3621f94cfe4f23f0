#!/usr/bin/env bash
# In stable-diffusion.cpp a word that ends in BREAK is cut in two, and only one bracket is escaped.
#
# Versions: stable-diffusion-cpp-python 0.4.7 (its vendored src/util.cpp), g++ of the machine.
#
# Its parser of prompts is Automatic1111's, carried over to C++. The pattern asks for word
# boundaries around BREAK, but after each piece the search goes on in a copy of what is left, where
# any place is the beginning of a string: DAYBREAK becomes DAY and a new block of 77 rows. Lower
# case is safe. Of the escapes \( \) \[ \] \\ only the first is undone, so that \(cat\) is the text
# "(cat\)". A weight that closes no bracket, as in a:1.2) b, is left out without a word. The natural
# guess, that a port reads what Automatic1111 reads, is wrong in all three.
#
# Output seen:
#     a DAYBREAK b: [a DAY] 1, [BREAK] -1, [ b] 1
#     a daybreak b: [a daybreak b] 1
#     \(cat\): [(cat\)] 1
#     a:1.2) b: [a b] 1
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3.11 -m venv "$work/venv"
"$work/venv/bin/pip" download --quiet --disable-pip-version-check --no-deps --no-binary :all: \
    --dest "$work" stable-diffusion-cpp-python==0.4.7
tar -xzf "$work"/*.tar.gz -C "$work" --wildcards '*/stable-diffusion.cpp/src/util.cpp'
{
    printf '#include <%s>\n' cstdio regex string vector
    find "$work" -name util.cpp -exec sed -n '/ parse_prompt_attention(/,/^}/p' {} +
    cat <<'P'
int main(int count, char** prompts) {
    for (int i = 1; i < count; i++) {
        const char* before = ": ";
        printf("%s", prompts[i]);
        for (auto& piece : parse_prompt_attention(prompts[i])) {
            printf("%s[%s] %g", before, piece.first.c_str(), piece.second);
            before = ", ";
        }
        printf("\n");
    }
}
P
} > "$work/alone.cpp"
g++ -w '-DLOG_DEBUG(...)=' "$work/alone.cpp" -o "$work/alone"
"$work/alone" 'a DAYBREAK b' 'a daybreak b' '\(cat\)' 'a:1.2) b' | tee "$work/seen"
diff "$work/seen" <(sed -n 's/^#     //p' "$0")
