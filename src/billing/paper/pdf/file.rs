//! A document as PDF/A-3b has it, with the electronic bill within it: Factur-X.

use std::io::Write as _;

use flate2::{Compression, write::ZlibEncoder};
use jiff::civil::Date;
use pdf_writer::{
    Content, Filter, Finish as _, Name, Pdf, Rect, Ref, Str, TextStr, types::AssociationKind,
};
use sha2::{Digest, Sha256};

use super::{font::Font, sheet::COLOURS};
use crate::domain::{Error, Result};

/// The name by which programs look for the electronic bill.
const ATTACHED: &str = "factur-x.xml";

/// Numbers of objects, in the order in which they are asked for.
pub(super) struct Refs(i32);

impl Refs {
    pub(super) fn next(&mut self) -> Ref {
        self.0 += 1;
        Ref::new(self.0)
    }
}

/// What a document is.
pub(super) struct About<'a> {
    pub(super) title: &'a str,
    pub(super) author: &'a str,
    pub(super) language: &'a str,
    pub(super) day: Date,
    /// The electronic bill.
    pub(super) xml: &'a str,
}

/// Smaller.
pub(super) fn squeezed(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder
        .write_all(bytes)
        .and_then(|()| encoder.finish())
        .map_err(|error| Error::failure("a bill could not be compressed").because(error))
}

/// The document of some pages. The same pages are the same bytes, whenever they are asked for.
pub(super) fn document(
    about: &About<'_>,
    size: (f32, f32),
    pages: Vec<Content>,
    fonts: &[Font],
) -> Result<Vec<u8>> {
    let (mut pdf, mut refs) = (Pdf::new(), Refs(0));
    let mut digest = Sha256::new();
    digest.update(about.xml);
    let (catalog, tree, info, metadata) = (refs.next(), refs.next(), refs.next(), refs.next());
    let (spec, attached, colours) = (refs.next(), refs.next(), refs.next());
    let faces: Vec<Ref> = fonts.iter().map(|_| refs.next()).collect();
    let sheets: Vec<(Ref, Ref)> = pages.iter().map(|_| (refs.next(), refs.next())).collect();

    let mut root = pdf.catalog(catalog);
    root.pages(tree).metadata(metadata).lang(TextStr(about.language));
    root.viewer_preferences().display_doc_title(true);
    root.names().embedded_files().names().insert(Str(ATTACHED.as_bytes()), spec);
    root.insert(Name(b"AF")).array().item(spec);
    root.finish();

    let kids = sheets.iter().map(|(page, _)| *page);
    pdf.pages(tree).kids(kids).count(i32::try_from(sheets.len()).unwrap_or(i32::MAX));
    for (content, (page, stream)) in pages.into_iter().zip(&sheets) {
        let mut sheet = pdf.page(*page);
        sheet.parent(tree).media_box(Rect::new(0.0, 0.0, size.0, size.1)).contents(*stream);
        let mut resources = sheet.resources();
        resources.color_spaces().pair(COLOURS, colours);
        let mut named = resources.fonts();
        for (place, face) in faces.iter().enumerate() {
            named.pair(Name(font_name(place).as_bytes()), *face);
        }
        named.finish();
        resources.finish();
        sheet.finish();
        let content = content.finish().into_vec();
        digest.update(&content);
        pdf.stream(*stream, &squeezed(&content)?).filter(Filter::FlateDecode);
    }
    // Colours that mean the same on every device: nothing else needs to be said of the paper.
    pdf.color_space(colours).srgb();
    for (font, id) in fonts.iter().zip(&faces) {
        font.write(&mut pdf, *id, &mut refs)?;
    }

    let day = pdf_day(about.day);
    let xml = squeezed(about.xml.as_bytes())?;
    let mut file = pdf.embedded_file(attached, &xml);
    file.subtype(Name(b"text/xml")).filter(Filter::FlateDecode);
    let length = i32::try_from(about.xml.len()).unwrap_or(i32::MAX);
    file.params().size(length).modification_date(day);
    file.finish();
    pdf.file_spec(spec)
        .path(Str(ATTACHED.as_bytes()))
        .unic_file(TextStr(ATTACHED))
        .embedded_file_with_unicode(attached)
        .association_kind(AssociationKind::Alternative)
        .description(TextStr("Factur-X"));

    pdf.document_info(info)
        .title(TextStr(about.title))
        .author(TextStr(about.author))
        .creator(TextStr("webox"))
        .producer(TextStr("webox"))
        .creation_date(day)
        .modified_date(day);
    let told = told(about);
    pdf.stream(metadata, told.as_bytes())
        .pair(Name(b"Type"), Name(b"Metadata"))
        .pair(Name(b"Subtype"), Name(b"XML"));
    let id = digest.finalize()[..16].to_vec();
    pdf.set_file_id((id.clone(), id));
    Ok(pdf.finish())
}

/// The name of a font on the pages.
pub(super) fn font_name(place: usize) -> String {
    format!("F{place}")
}

/// Days begin at midnight, which PDF must be told.
fn pdf_day(day: Date) -> pdf_writer::Date {
    pdf_writer::Date::new(day.year().unsigned_abs())
        .month(day.month().unsigned_abs())
        .day(day.day().unsigned_abs())
        .hour(0)
        .minute(0)
        .second(0)
        .utc_offset_hour(0)
        .utc_offset_minute(0)
}

/// What the document tells of itself (XMP): that it is PDF/A-3b, and which electronic bill is in it, with
/// the description of those words that PDF/A wants.
fn told(about: &About<'_>) -> String {
    let escaped = |text: &str| {
        let legal: String = text.chars().filter(|c| !c.is_control()).collect();
        quick_xml::escape::escape(&legal).into_owned()
    };
    let day = about.day.strftime("%Y-%m-%dT00:00:00+00:00");
    include_str!("told.xml")
        .replace("{day}", &day.to_string())
        .replace("{language}", &escaped(about.language))
        .replace("{author}", &escaped(about.author))
        .replace("{title}", &escaped(about.title))
}
