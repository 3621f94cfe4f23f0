"""What demos fetch by name: vocabularies, words, pictures and noise, as bytes for JavaScript."""
