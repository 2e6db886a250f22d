//! Letters: how wide they are, how they stand beside each other, and as much of a font as a document needs.

use std::collections::BTreeMap;

use pdf_writer::{
    Filter, Name, Pdf, Rect, Ref, Str,
    types::{CidFontType, FontFlags, SystemInfo, UnicodeCmap},
};
use read_fonts::{
    FontRef, ReadError, TableProvider as _,
    tables::{
        cmap::Cmap,
        gpos::{PairPos, PositionSubtables},
        hmtx::Hmtx,
    },
    types::{GlyphId16, Tag},
};
use sha2::{Digest, Sha256};
use subsetter::GlyphRemapper;

use super::file::{Refs, squeezed};
use crate::domain::{Error, Result};

/// Glyphs are numbered as the part of the font has them.
const IDENTITY: SystemInfo<'static> =
    SystemInfo { registry: Str(b"Adobe"), ordering: Str(b"Identity"), supplement: 0 };

/// How wide stems are: nothing that is shown depends on it.
const STEM: f32 = 80.0;

/// A font, and which of its glyphs a document has.
pub(super) struct Font {
    name: &'static str,
    data: &'static [u8],
    glyphs: Cmap<'static>,
    advances: Hmtx<'static>,
    /// What pairs are moved by: lookups, and the parts of each.
    pairs: Vec<Vec<PairPos<'static>>>,
    sizes: Sizes,
    used: GlyphRemapper,
    letters: BTreeMap<u16, char>,
}

/// Sizes that are the same for all glyphs, in units of the font.
struct Sizes {
    units_per_em: f32,
    /// Left, bottom, right, top of what encloses all of them.
    bounds: [i16; 4],
    ascender: i16,
    descender: i16,
    capitals: i16,
}

/// A text as a font shows it: glyphs, and by how many thousandths each is moved back.
pub(super) type Shown = Vec<([u8; 2], f32)>;

impl Font {
    pub(super) fn new(name: &'static str, data: &'static [u8]) -> Result<Self> {
        Self::read(name, data).map_err(|error| broken(name, error))
    }

    fn read(name: &'static str, data: &'static [u8]) -> Result<Self, ReadError> {
        let font = FontRef::new(data)?;
        let (head, hhea, os2) = (font.head()?, font.hhea()?, font.os2()?);
        let sizes = Sizes {
            units_per_em: f32::from(head.units_per_em()),
            bounds: [head.x_min(), head.y_min(), head.x_max(), head.y_max()],
            ascender: hhea.ascender().to_i16(),
            descender: hhea.descender().to_i16(),
            capitals: os2.s_cap_height().unwrap_or(0),
        };
        let mut pairs = Vec::new();
        for lookup in font.gpos()?.lookup_list()?.lookups().iter() {
            if let PositionSubtables::Pair(parts) = lookup?.subtables()? {
                pairs.push(parts.iter().collect::<Result<Vec<_>, _>>()?);
            }
        }
        Ok(Self {
            name,
            data,
            glyphs: font.cmap()?,
            advances: font.hmtx()?,
            pairs,
            sizes,
            used: GlyphRemapper::new(),
            letters: BTreeMap::new(),
        })
    }

    /// Thousandths of the size.
    fn thousandths(&self, units: impl Into<f32>) -> f32 {
        units.into() * 1000.0 / self.sizes.units_per_em
    }

    fn glyph(&self, letter: char) -> Option<GlyphId16> {
        let glyph = self.glyphs.map_codepoint(letter)?.try_into().ok()?;
        (glyph != GlyphId16::NOTDEF).then_some(glyph)
    }

    /// The first letter of a text that the font lacks.
    pub(super) fn lacks(&self, text: &str) -> Option<char> {
        text.chars().find(|letter| !is_ignored(*letter) && self.glyph(*letter).is_none())
    }

    /// How wide a text is at a size of 1000.
    pub(super) fn width(&self, text: &str) -> f32 {
        let mut last = None;
        let mut width = 0.0;
        for glyph in text.chars().filter(|c| !is_ignored(*c)).filter_map(|c| self.glyph(c)) {
            width += self.advance(glyph) + last.map_or(0.0, |last| self.kerning(last, glyph));
            last = Some(glyph);
        }
        width
    }

    fn advance(&self, glyph: GlyphId16) -> f32 {
        self.thousandths(self.advances.advance(glyph.into()).unwrap_or(0))
    }

    /// What a text is written with; its glyphs become part of the document.
    pub(super) fn show(&mut self, text: &str) -> Shown {
        let mut shown: Shown = Vec::new();
        let mut last = None;
        for letter in text.chars().filter(|letter| !is_ignored(*letter)) {
            let Some(glyph) = self.glyph(letter) else { continue };
            if let (Some(last), Some((_, back))) = (last, shown.last_mut()) {
                *back = -self.kerning(last, glyph);
            }
            let new = self.used.remap(glyph.to_u16());
            self.letters.entry(new).or_insert(letter);
            shown.push((new.to_be_bytes(), 0.0));
            last = Some(glyph);
        }
        shown
    }

    /// By how much the second of two glyphs is nearer or farther than their widths say.
    fn kerning(&self, first: GlyphId16, second: GlyphId16) -> f32 {
        // Of each lookup the first part that knows the pair decides.
        let known = |parts: &Vec<_>| parts.iter().find_map(|part| advance_of(part, first, second));
        self.thousandths(self.pairs.iter().filter_map(known).map(f32::from).sum::<f32>())
    }

    /// Writes the font, as far as it is used.
    pub(super) fn write(&self, pdf: &mut Pdf, id: Ref, refs: &mut Refs) -> Result<()> {
        let (cid, descriptor, cmap, file) = (refs.next(), refs.next(), refs.next(), refs.next());
        let part = subsetter::subset(self.data, 0, &self.used)
            .map_err(|error| broken(self.name, error))?;
        let part = FontRef::new(&part)
            .ok()
            .and_then(|font| Some(font.table_data(Tag::new(b"CFF "))?.as_bytes()))
            .ok_or_else(|| broken(self.name, "it has no outlines"))?;
        let name = self.tagged_name(part);
        let type0 = format!("{name}-Identity-H");
        pdf.type0_font(id)
            .base_font(Name(type0.as_bytes()))
            .encoding_predefined(Name(b"Identity-H"))
            .descendant_font(cid)
            .to_unicode(cmap);
        let widths = self.used.remapped_gids().map(|glyph| self.advance(GlyphId16::new(glyph)));
        pdf.cid_font(cid)
            .subtype(CidFontType::Type0)
            .base_font(Name(name.as_bytes()))
            .system_info(IDENTITY)
            .font_descriptor(descriptor)
            .default_width(0.0)
            .widths()
            .consecutive(0, widths);
        let [left, bottom, right, top] = self.sizes.bounds.map(|side| self.thousandths(side));
        pdf.font_descriptor(descriptor)
            .name(Name(name.as_bytes()))
            .flags(FontFlags::SYMBOLIC)
            .bbox(Rect::new(left, bottom, right, top))
            .italic_angle(0.0)
            .ascent(self.thousandths(self.sizes.ascender))
            .descent(self.thousandths(self.sizes.descender))
            .cap_height(self.thousandths(self.sizes.capitals))
            .stem_v(STEM)
            .font_file3(file);
        let mut letters = UnicodeCmap::new(Name(b"Letters"), IDENTITY);
        for (glyph, letter) in &self.letters {
            letters.pair(*glyph, *letter);
        }
        let letters = squeezed(letters.finish().as_slice())?;
        pdf.cmap(cmap, &letters).filter(Filter::FlateDecode);
        let part = squeezed(part)?;
        pdf.stream(file, &part)
            .filter(Filter::FlateDecode)
            .pair(Name(b"Subtype"), Name(b"CIDFontType0C"));
        Ok(())
    }

    /// Parts of a font have six letters before its name, by what is in them.
    fn tagged_name(&self, part: &[u8]) -> String {
        let digest = Sha256::digest(part);
        let tag = digest.iter().take(6).map(|byte| char::from(b'A' + byte % 26));
        format!("{}+{}", tag.collect::<String>(), self.name)
    }
}

fn advance_of(pairs: &PairPos<'_>, first: GlyphId16, second: GlyphId16) -> Option<i16> {
    let value = match pairs {
        PairPos::Format1(pairs) => {
            let place = pairs.coverage().ok()?.get(first)?;
            let set = pairs.pair_sets().get(place as usize).ok()?;
            let known = set.pair_value_records().iter().filter_map(Result::ok);
            *known.into_iter().find(|pair| pair.second_glyph() == second)?.value_record1()
        }
        PairPos::Format2(pairs) => {
            pairs.coverage().ok()?.get(first)?;
            let (row, column) =
                (pairs.class_def1().ok()?.get(first), pairs.class_def2().ok()?.get(second));
            let row = pairs.class1_records().get(row as usize).ok()?;
            *row.class2_records().get(column as usize).ok()?.value_record1()
        }
        _ => return None,
    };
    Some(value.x_advance().unwrap_or(0))
}

/// What has no shape: controls, and marks that only tell how others are joined.
fn is_ignored(letter: char) -> bool {
    letter.is_control()
        || matches!(
            letter,
            '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
                | '\u{feff}' | '\u{fe00}'..='\u{fe0f}'
        )
}

fn broken(name: &str, why: impl std::fmt::Display) -> Error {
    Error::failure(format!("the font {name} cannot be used: {why}"))
}
