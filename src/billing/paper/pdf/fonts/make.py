"""Makes the fonts of bills from the full ones of Inter (Debian's package `fonts-inter`): the letters of
European languages, digits that are all of one width, and kerning. Needs `fonttools`.

    python3 make.py /usr/share/fonts/opentype/inter
"""

import pathlib
import sys

from fontTools import subset, ttLib

LETTERS = [
    (0x20, 0x7E), (0xA0, 0x24F), (0x2B0, 0x2FF), (0x300, 0x304), (0x370, 0x3FF), (0x400, 0x4FF),
    (0x1E00, 0x1EFF), (0x2000, 0x206F), (0x20A0, 0x20BF), (0x2100, 0x2122), (0x2190, 0x2193),
    (0x2212, 0x2212), (0x2248, 0x2248), (0x2260, 0x2265),
]


def make(source, target):
    font = ttLib.TTFont(source)
    # Sums stand below each other: digits as the feature `tnum` has them.
    lookups = font["GSUB"].table.LookupList.Lookup
    for record in font["GSUB"].table.FeatureList.FeatureRecord:
        if record.FeatureTag == "tnum":
            digits = {}
            for index in record.Feature.LookupListIndex:
                for table in lookups[index].SubTable:
                    digits |= getattr(table, "ExtSubTable", table).mapping
            break
    for table in font["cmap"].tables:
        for code in range(0x30, 0x3A):
            if code in table.cmap:
                table.cmap[code] = digits.get(table.cmap[code], table.cmap[code])
    options = subset.Options()
    options.layout_features = ["kern"]
    options.hinting = False
    options.name_IDs = [0, 1, 2, 3, 4, 5, 6, 13, 14]
    options.desubroutinize = False
    options.notdef_outline = True
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=[code for a, b in LETTERS for code in range(a, b + 1)])
    subsetter.subset(font)
    for tag in ("GSUB", "GDEF", "DSIG", "STAT", "meta"):
        if tag in font:
            del font[tag]
    font.recalcTimestamp = False
    font.save(target)
    print(target, len(font.getGlyphOrder()), "glyphs", pathlib.Path(target).stat().st_size, "bytes")


for weight in ("Regular", "SemiBold"):
    make(f"{sys.argv[1]}/Inter-{weight}.otf", f"Inter-{weight}.otf")
