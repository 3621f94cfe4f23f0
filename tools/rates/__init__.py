"""False acceptance and false refusal, measured: `python -m tools.rates`.

mutants   wrong answers made by machine
rewrites  right answers in other styles
domains   inputs drawn from what each statement allows, for an oracle that no test has seen
measure   one exercise: what its tests and its check say to all of these
page      the figures, and every mutant that lives, with the reason
"""
