"""A second, naive reading of conditions: one row at a time, in plain Python, None for unknown.

It shares nothing with the compiler but the documents that authors write.
"""

import unicodedata
from datetime import datetime

COUNTERS = {
    "consignee_ref": "consignee_changes",
    "seal_count": "seal_changes",
    "bill": "amendments",
    "declaration_key": "amendments",
}


def holds(document, row, thresholds=(), lists=()):
    """True, False or None for one row given as a mapping of Python values."""
    lists, thresholds = dict(lists), dict(thresholds)
    if "all" in document:
        parts = [holds(part, row, thresholds, lists) for part in document["all"]]
        return False if False in parts else None if None in parts else True
    if "any" in document:
        parts = [holds(part, row, thresholds, lists) for part in document["any"]]
        return True if True in parts else None if None in parts else False
    if "not" in document:
        part = holds(document["not"], row, thresholds, lists)
        return None if part is None else not part
    op = document["op"]
    if op.startswith("not_"):
        part = positive(op[4:], document, row, thresholds, lists)
        return None if part is None else not part
    if op == "ne":
        part = positive("eq", document, row, thresholds, lists)
        return None if part is None else not part
    return positive(op, document, row, thresholds, lists)


def positive(op, document, row, thresholds, lists):
    if op == "changed":
        count = row[COUNTERS[document["field"]]]
        return None if count is None else count > 0
    if "hours" in document:
        start, end = (row[name] for name in document["hours"])
        left = None if start is None or end is None else (end - start).total_seconds() / 3600
    else:
        left = row[document["field"]]
    if op == "null":
        return left is None
    if op == "empty":
        return left is None or left == "" or left == []
    right = resolve(document["value"], row, thresholds, lists, isinstance(left, datetime))
    if op == "member_of":
        right = lists[document["value"]]
    if left is None or right is None:
        return None
    many = list(right) if isinstance(right, (list, tuple)) else [right]
    match op:
        case "eq":
            return left == right
        case "lt":
            return left < right
        case "gt":
            return left > right
        case "le":
            return left <= right
        case "ge":
            return left >= right
        case "in" | "member_of":
            return left in many
        case "between":
            return right[0] <= left <= right[1]
        case "begins_with":
            return any(left.startswith(value) for value in many)
        case "ends_with":
            return any(left.endswith(value) for value in many)
        case "contains":
            return any(value in left for value in many)
        case "matches_words":
            return any(has_phrase(words(left), words(value)) for value in many)
    raise AssertionError(op)


def resolve(value, row, thresholds, lists, moment):
    if isinstance(value, list):
        return [resolve(item, row, thresholds, lists, moment) for item in value]
    if isinstance(value, dict):
        if "field" in value:
            return row[value["field"]]
        if "threshold" in value:
            return thresholds[value["threshold"]]
        return list(lists[value["list"]])
    return datetime.fromisoformat(value) if moment else value


def words(text):
    plain = unicodedata.normalize("NFD", text.lower())
    plain = "".join(c for c in plain if not "\u0300" <= c <= "\u036f")
    found, current = [], ""
    for character in plain + " ":
        if character in "abcdefghijklmnopqrstuvwxyz0123456789":
            current += character
        elif current:
            found.append(current)
            current = ""
    return found


def has_phrase(held, phrase):
    return any(held[i : i + len(phrase)] == phrase for i in range(len(held) - len(phrase) + 1))
