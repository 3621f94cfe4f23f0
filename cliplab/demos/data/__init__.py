"""What demos fetch by name: vocabularies, pictures and noise, as bytes that JavaScript reads."""
