#!/usr/bin/env python3
"""Writes src/core/stringprep-tables.ts: the tables of RFC 3454 on Unicode 3.2, compact.

Python carries both: the module `stringprep` and `unicodedata.ucd_3_2_0`. Its case folding however follows
today's Unicode where RFC 3454 B.2 is silent; a folding to or from a code point that 3.2 does not have is left out.
Usage: python3 scripts/stringprep-tables.py > src/core/stringprep-tables.ts
"""
import stringprep as prep
from unicodedata import ucd_3_2_0 as ucd

POINTS = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def base36(number):
    if number < 0:
        return "-" + base36(-number)
    text = ""
    while True:
        number, rest = divmod(number, 36)
        text = DIGITS[rest] + text
        if number == 0:
            return text


def ranges(member):
    """Pairs gap,length: how far from the end of the last range, how many more than one."""
    out, start, last = [], None, None
    end = 0
    for c in POINTS:
        if not member(chr(c)):
            continue
        if last is not None and c == last + 1:
            last = c
            continue
        if start is not None:
            out += [start - end, last - start]
            end = last
        start = last = c
    out += [start - end, last - start]
    return out


def encode(numbers):
    lines, line = [], ""
    for number in numbers:
        item = base36(number)
        if len(line) + len(item) > 110:
            lines.append(line)
            line = ""
        line += item + " "
    lines.append(line.rstrip())
    return joined(lines)


def joined(lines):
    """Lines of text as one TypeScript expression, formatted as the linter wants it."""
    if len(lines) == 1:
        return " '%s'" % lines[0]
    return "\n" + " +\n".join("  '%s'" % part for part in lines)


def assigned(char):
    return not prep.in_table_a1(char)


def fold(char):
    # ejabberd maps the square "co over kg" (U+33C6) by compatibility alone: its capital stays.
    if char == "\u33c6":
        return char
    folded = prep.map_table_b2(char)
    return folded if assigned(char) and all(assigned(c) for c in folded) else char


def folding():
    """B.2 as runs (gap from the last start, count, stride, difference), and what folds to several characters."""
    single, several = [], []
    for c in POINTS:
        folded = fold(chr(c))
        if folded == chr(c):
            continue
        if len(folded) == 1:
            single.append((c, ord(folded) - c))
        else:
            several.append((c, folded))
    runs = []
    for c, difference in single:
        if runs:
            start, count, stride, known = runs[-1]
            if known == difference and (count == 1 and c - start <= 2 or c == start + count * stride):
                runs[-1] = (start, count + 1, c - start if count == 1 else stride, known)
                continue
        runs.append((c, 1, 1, difference))
    numbers, last = [], 0
    for start, count, stride, difference in runs:
        numbers += [start - last, count, stride, difference]
        last = start
    return numbers, several


def classes():
    """Combining classes as runs (gap from the last end, how many more than one, class)."""
    out, end, start, last, known = [], 0, None, None, 0
    for c in POINTS + [0x110000]:
        value = ucd.combining(chr(c)) if c < 0x110000 else 0
        if start is not None and value == known and c == last + 1:
            last = c
            continue
        if start is not None:
            out += [start - end, last - start, known]
            end, start = last, None
        if value:
            start = last = c
            known = value
    return out


def prohibited(char):
    return any(
        table(char)
        for table in (
            prep.in_table_c12, prep.in_table_c21, prep.in_table_c22, prep.in_table_c3, prep.in_table_c4,
            prep.in_table_c5, prep.in_table_c6, prep.in_table_c7, prep.in_table_c8, prep.in_table_c9,
        )
    )


def main():
    runs, several = folding()
    print("// Made by scripts/stringprep-tables.py; do not edit.")
    print("// Data: RFC 3454 and the Unicode Character Database 3.2, © Unicode, Inc., under the Unicode License v3. Numbers in base 36; ranges are pairs of (gap from the last end, length less one).\n")
    for name, doc, member in (
        ("UNASSIGNED", "A.1: unassigned in Unicode 3.2.", prep.in_table_a1),
        ("NOTHING", "B.1: mapped to nothing.", prep.in_table_b1),
        ("PROHIBITED", "C.1.2, C.2.1, C.2.2, C.3 to C.9.", prohibited),
        ("RIGHT_TO_LEFT", "D.1: R and AL.", prep.in_table_d1),
        ("LEFT_TO_RIGHT", "D.2: L.", prep.in_table_d2),
    ):
        print("/** %s */\nexport const %s =%s;\n" % (doc, name, encode(ranges(member))))
    print("/** Combining classes other than 0: runs of (gap from the last end, length less one, class). */")
    print("export const COMBINING =%s;\n" % encode(classes()))
    print("/** B.2, one character to one: runs of (gap from the last start, count, stride, difference). */")
    print("export const FOLDED =%s;\n" % encode(runs))
    print("/** B.2, one character to several: code point, then what it becomes, all in base 36. */")
    text = ",".join(" ".join(base36(n) for n in [c] + [ord(f) for f in folded]) for c, folded in several)
    lines = [text[i:i + 110] for i in range(0, len(text), 110)]
    print("export const FOLDED_TO_SEVERAL =%s;" % joined(lines))


main()
