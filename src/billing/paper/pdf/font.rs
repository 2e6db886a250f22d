//! Letters: how wide they are, how they stand beside each other, and as much of a font as a document needs.

use std::collections::BTreeMap;

use pdf_writer::{
    Filter, Name, Pdf, Rect, Ref, Str,
    types::{CidFontType, FontFlags, SystemInfo, UnicodeCmap},
};
use sha2::{Digest, Sha256};
use subsetter::GlyphRemapper;
use ttf_parser::{
    Face, GlyphId, Tag,
    gpos::{PairAdjustment, PositioningSubtable},
};

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
    face: Face<'static>,
    used: GlyphRemapper,
    letters: BTreeMap<u16, char>,
}

/// A text as a font shows it: glyphs, and by how many thousandths each is moved back.
pub(super) type Shown = Vec<([u8; 2], f32)>;

impl Font {
    pub(super) fn new(name: &'static str, data: &'static [u8]) -> Result<Self> {
        let face = Face::parse(data, 0).map_err(|error| broken(name, error))?;
        Ok(Self { name, data, face, used: GlyphRemapper::new(), letters: BTreeMap::new() })
    }

    /// Thousandths of the size.
    fn thousandths(&self, units: impl Into<f32>) -> f32 {
        units.into() * 1000.0 / f32::from(self.face.units_per_em())
    }

    fn glyph(&self, letter: char) -> Option<GlyphId> {
        self.face.glyph_index(letter).filter(|glyph| glyph.0 != 0)
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

    fn advance(&self, glyph: GlyphId) -> f32 {
        self.thousandths(self.face.glyph_hor_advance(glyph).unwrap_or(0))
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
            let new = self.used.remap(glyph.0);
            self.letters.entry(new).or_insert(letter);
            shown.push((new.to_be_bytes(), 0.0));
            last = Some(glyph);
        }
        shown
    }

    /// By how much the second of two glyphs is nearer or farther than their widths say.
    fn kerning(&self, first: GlyphId, second: GlyphId) -> f32 {
        let Some(table) = self.face.tables().gpos else { return 0.0 };
        let pairs = table.lookups.into_iter().filter_map(|lookup| {
            // The first that knows the pair decides.
            let mut parts = lookup.subtables.into_iter::<PositioningSubtable>();
            parts.find_map(|part| match part {
                PositioningSubtable::Pair(pair) => advance_of(pair, first, second),
                _ => None,
            })
        });
        self.thousandths(pairs.map(f32::from).sum::<f32>())
    }

    /// Writes the font, as far as it is used.
    pub(super) fn write(&self, pdf: &mut Pdf, id: Ref, refs: &mut Refs) -> Result<()> {
        let (cid, descriptor, cmap, file) = (refs.next(), refs.next(), refs.next(), refs.next());
        let part = subsetter::subset(self.data, 0, &self.used)
            .map_err(|error| broken(self.name, error))?;
        let part = ttf_parser::RawFace::parse(&part, 0)
            .ok()
            .and_then(|face| face.table(Tag::from_bytes(b"CFF ")))
            .ok_or_else(|| broken(self.name, "it has no outlines"))?;
        let name = self.tagged_name(part);
        let type0 = format!("{name}-Identity-H");
        pdf.type0_font(id)
            .base_font(Name(type0.as_bytes()))
            .encoding_predefined(Name(b"Identity-H"))
            .descendant_font(cid)
            .to_unicode(cmap);
        let widths = self.used.remapped_gids().map(|glyph| self.advance(GlyphId(glyph)));
        pdf.cid_font(cid)
            .subtype(CidFontType::Type0)
            .base_font(Name(name.as_bytes()))
            .system_info(IDENTITY)
            .font_descriptor(descriptor)
            .default_width(0.0)
            .widths()
            .consecutive(0, widths);
        let bounds = self.face.global_bounding_box();
        pdf.font_descriptor(descriptor)
            .name(Name(name.as_bytes()))
            .flags(FontFlags::SYMBOLIC)
            .bbox(Rect::new(
                self.thousandths(bounds.x_min),
                self.thousandths(bounds.y_min),
                self.thousandths(bounds.x_max),
                self.thousandths(bounds.y_max),
            ))
            .italic_angle(0.0)
            .ascent(self.thousandths(self.face.ascender()))
            .descent(self.thousandths(self.face.descender()))
            .cap_height(self.thousandths(self.face.capital_height().unwrap_or(0)))
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

fn advance_of(pair: PairAdjustment<'_>, first: GlyphId, second: GlyphId) -> Option<i16> {
    let place = pair.coverage().get(first)?;
    let (value, _) = match pair {
        PairAdjustment::Format1 { sets, .. } => sets.get(place)?.get(second)?,
        PairAdjustment::Format2 { classes, matrix, .. } => {
            matrix.get((classes.0.get(first), classes.1.get(second)))?
        }
    };
    Some(value.x_advance)
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
