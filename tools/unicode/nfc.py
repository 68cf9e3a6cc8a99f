#!/usr/bin/env python3
"""Writes src/Ferry.Engine/Tokenization/nfc.txt: the Unicode data that normal form C needs.

.NET composes nothing when globalization is invariant (no ICU on the machine), and a model such as Qwen expects NFC.
Run from the repository root with any Python 3; the first line of the output names its Unicode version.
"""

import sys
import unicodedata


def combining_ranges():
    start, current = 0, 0
    for code in range(0x110001):
        value = unicodedata.combining(chr(code)) if code < 0x110000 else 0
        if value != current:
            if current:
                yield start, code - 1, current
            start, current = code, value


def main():
    lines = [f"# Unicode {unicodedata.unidata_version}; written by tools/unicode/nfc.py. C first last class; D composite parts (composes); S composite parts (decomposes only)"]
    lines += [f"C {first:04X} {last:04X} {value}" for first, last, value in combining_ranges()]
    for code in range(0x110000):
        parts = unicodedata.decomposition(chr(code))
        if not parts or parts.startswith("<"):
            continue
        composes = unicodedata.normalize("NFC", chr(code)) == chr(code)
        lines.append(f"{'D' if composes else 'S'} {code:04X} {parts}")
    with open("src/Ferry.Engine/Tokenization/nfc.txt", "w", encoding="ascii") as out:
        out.write("\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
