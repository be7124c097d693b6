"""Writes risk/src/screening/hanja.txt: how Korean reads Chinese characters.

    python3 risk/tools/hanja.py ucd.all.grouped.xml > risk/src/screening/hanja.txt

The input is Unicode's own database as XML (www.unicode.org/Public/, ucdxml), Unicode 14 or later. It
needs nothing but Python.

One reading a character: that of South Korea's schools where there is one, else that of KS X 1001, else
the first; among readings that the law of initial sounds tells apart (류 and 유) the one before the law,
as the North spells it. A character without a reading takes that of its traditional form or its variant.
"""

import re
import sys

ATTRIBUTE = re.compile(r' (cp|kHangul|kTraditionalVariant|kSimplifiedVariant|kZVariant|kSemanticVariant)="([^"]*)"')
# Of two readings the schools teach, the one names have.
IN_NAMES = {"車": "차", "更": "경"}

HEADER = """\
# Sino-Korean readings: the reading, then the characters read so. One reading a character, without the
# law of initial sounds; readings of surnames that differ are in the code.
# Made by risk/tools/hanja.py from the Unicode Character Database {version}: kHangul, and for characters
# without it the reading of their traditional form or variant (kTraditionalVariant, kZVariant,
# kSimplifiedVariant, kSemanticVariant). Copyright (C) 1991-2021 Unicode, Inc. Unicode License v3
# (SPDX Unicode-3.0), https://www.unicode.org/license.txt: use, copy and change are permitted with this
# notice; provided as is, without warranty."""


def is_common(character):
    return 0x4E00 <= ord(character) <= 0x9FFF


def initial(syllable):
    """The leading consonant's place: 2 is ㄴ, 5 is ㄹ, 11 is none."""
    return (ord(syllable) - 0xAC00) // 588


def chosen(field):
    """The one reading out of `류:0E 유:0`."""
    readings = [part.split(":") for part in field.split()]
    rank = {5: 0, 2: 1}

    def order(reading):
        syllable, source = reading[0], reading[1] if len(reading) > 1 else ""
        others = [other for other, *_ in readings if other != syllable]
        # 류 and 유, 녀 and 여: the same but for the first sound.
        same = any((ord(other) - 0xAC00) % 588 == (ord(syllable) - 0xAC00) % 588 for other in others)
        law = rank.get(initial(syllable), 2) if same else 2
        return ("E" not in source, law, "0" not in source)

    return min(readings, key=order)[0]


def characters(field):
    return [chr(int(code, 16)) for code in re.findall(r"U\+([0-9A-F]+)", field)]


def main(path):
    readings, variants, version = {}, {}, "?"
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            if "<description>" in line:
                version = re.search(r"[\d.]+", line).group()
            if "<char " not in line:
                continue
            found = dict(ATTRIBUTE.findall(line))
            if "cp" not in found or not is_common(character := chr(int(found["cp"], 16))):
                continue
            if found.get("kHangul"):
                readings[character] = IN_NAMES.get(character, chosen(found["kHangul"]))
            # 广 is a rare character of its own, and the simplified 廣.
            older = characters(found.get("kTraditionalVariant", ""))
            if "0" not in found.get("kHangul", "") and older not in ([], [character]):
                readings.pop(character, None)
            for rank, name in enumerate(["kTraditionalVariant", "kZVariant", "kSimplifiedVariant", "kSemanticVariant"]):
                for other in characters(found.get(name, "")):
                    variants.setdefault(character, []).append((rank, other))
                    # A simplified form often says nothing of where it comes from.
                    variants.setdefault(other, []).append((rank + 4, character))
    known = dict(readings)
    for character, others in variants.items():
        if character not in known and is_common(character):
            read = [readings[other] for _, other in sorted(others) if other in readings]
            if read:
                known[character] = read[0]
    by_reading = {}
    for character, reading in known.items():
        by_reading.setdefault(reading, []).append(character)
    print(HEADER.format(version=version))
    for reading in sorted(by_reading):
        print(reading, "".join(sorted(by_reading[reading])))


if __name__ == "__main__":
    main(sys.argv[1])
