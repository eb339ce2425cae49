#!/usr/bin/env python3
"""Writes src/core/confusables-table.ts: the prototypes of UTS 39 for every character that a nickname can hold.

A nickname in a room has been through resourceprep, so only characters of Unicode 3.2 that it leaves as they are can stand in
one. The prototypes are asked of ICU (libicui18n, uspoof_getSkeleton), which carries Unicode's confusables.txt.
Usage: python3 scripts/confusables-table.py > src/core/confusables-table.ts   (Debian: libicu72)
"""
import ctypes
import re
import stringprep as prep
import subprocess
from unicodedata import normalize, ucd_3_2_0 as ucd


def load_icu():
    listing = subprocess.run(["ldconfig", "-p"], capture_output=True, text=True, check=True).stdout
    version = max(int(found) for found in re.findall(r"libicui18n\.so\.(\d+) ", listing))
    return ctypes.CDLL("libicui18n.so.%d" % version), version


ICU, VERSION = load_icu()


def function(name):
    return getattr(ICU, "%s_%d" % (name, VERSION))


def skeleton_of():
    opened = function("uspoof_open")
    opened.restype = ctypes.c_void_p
    checker = ctypes.c_void_p(opened(ctypes.byref(ctypes.c_int(0))))
    call = function("uspoof_getSkeletonUTF8")

    def skeleton(text):
        source = text.encode()
        target = ctypes.create_string_buffer(1000)
        error = ctypes.c_int(0)
        length = call(checker, 0, source, len(source), target, len(target), ctypes.byref(error))
        assert error.value <= 0, error.value
        return target.raw[:length].decode()

    return skeleton


DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def base36(number):
    text = ""
    while True:
        number, rest = divmod(number, 36)
        text = DIGITS[rest] + text
        if number == 0:
            return text


def main():
    skeleton = skeleton_of()
    last = 0
    entries = []
    for point in range(0x110000):
        if 0xD800 <= point <= 0xDFFF or prep.in_table_a1(chr(point)):
            continue
        char = chr(point)
        if ucd.normalize("NFKC", char) != char or normalize("NFD", char) != char:
            continue
        prototype = skeleton(char)
        if prototype == char:
            continue
        entries.append(" ".join([base36(point - last)] + [base36(ord(c)) for c in prototype]))
        last = point
    text = ",".join(entries)
    print("// Made by scripts/confusables-table.py from ICU %d; do not edit." % VERSION)
    print("// Data: Unicode confusables.txt (UTS 39), © Unicode, Inc., under the Unicode License v3.\n")
    print("/** Entries of (gap from the last code point, code points of the prototype), in base 36. */")
    print("export const PROTOTYPES =")
    lines = [text[i : i + 114] for i in range(0, len(text), 114)]
    print(" +\n".join("  '%s'" % line for line in lines) + ";")


main()
