"""What the trade agrees on beforehand: code lists, countries, places, goods headings, check digits.

Everything here is public knowledge and data, read from package files or from a library that
carries it. Labels come in the five languages of the lane: es, en, fr, nl, pt. Nothing here knows
of a consignment, a person or a decision.
"""
