"""Which few consignments deserve an inspection, and why, in words that can be checked later.

Rules are data, features are as of the moment of decision, and every assessment can be recomputed
to the same bytes from what is stored. Nationality, ethnicity, religion and migration status are
never a field of use here: the unit of the queue does not carry them.
"""
