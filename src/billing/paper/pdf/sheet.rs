//! Sheets of A4, and what is drawn on them. Places are in points from the top left corner.

use pdf_writer::{Content, Name, Str};

use super::{
    file::font_name,
    font::{Font, Shown},
};
use crate::domain::Result;

/// A4.
pub(super) const SIZE: (f32, f32) = (595.28, 841.89);

/// The name of our colours on the pages.
pub(super) const COLOURS: Name<'static> = Name(b"C0");

/// A colour: red, green, blue.
pub(super) type Ink = [f32; 3];

pub(super) const DARK: Ink = [0.106, 0.122, 0.141];
pub(super) const GREY: Ink = [0.353, 0.396, 0.439];
pub(super) const LIGHT: Ink = [0.867, 0.882, 0.898];
pub(super) const PALE: Ink = [0.955, 0.961, 0.968];

/// How text looks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    bold: bool,
    size: f32,
    ink: Ink,
}

impl Look {
    pub(super) const fn plain(size: f32) -> Self {
        Self { bold: false, size, ink: DARK }
    }

    pub(super) const fn bold(size: f32) -> Self {
        Self { bold: true, size, ink: DARK }
    }

    pub(super) const fn grey(mut self) -> Self {
        self.ink = GREY;
        self
    }

    pub(super) const fn sized(mut self, size: f32) -> Self {
        self.size = size;
        self
    }

    pub(super) const fn size(self) -> f32 {
        self.size
    }
}

/// Sheets that are drawn on one after another.
pub(super) struct Sheets {
    fonts: [Font; 2],
    pages: Vec<Content>,
    missing: Option<char>,
}

impl Sheets {
    pub(super) fn new() -> Result<Self> {
        let fonts = [
            Font::new("Inter-Regular", include_bytes!("fonts/Inter-Regular.otf"))?,
            Font::new("Inter-SemiBold", include_bytes!("fonts/Inter-SemiBold.otf"))?,
        ];
        let mut sheets = Self { fonts, pages: Vec::new(), missing: None };
        sheets.turn();
        Ok(sheets)
    }

    /// Goes on with another sheet.
    pub(super) fn turn(&mut self) {
        let mut page = Content::new();
        page.set_fill_color_space(COLOURS);
        self.pages.push(page);
    }

    pub(super) fn count(&self) -> usize {
        self.pages.len()
    }

    /// All of it: sheets, fonts, and the first letter that could not be drawn.
    pub(super) fn finish(self) -> (Vec<Content>, [Font; 2], Option<char>) {
        (self.pages, self.fonts, self.missing)
    }

    pub(super) fn width(&self, look: Look, text: &str) -> f32 {
        self.fonts[usize::from(look.bold)].width(text) * look.size / 1000.0
    }

    /// Text that begins at a place of the last sheet; `y` is where letters stand on.
    pub(super) fn text(&mut self, (x, y): (f32, f32), look: Look, text: &str) {
        let last = self.pages.len() - 1;
        self.text_on(last, (x, y), look, text);
    }

    /// Text that ends at a place.
    pub(super) fn text_to(&mut self, (x, y): (f32, f32), look: Look, text: &str) {
        let width = self.width(look, text);
        self.text((x - width, y), look, text);
    }

    pub(super) fn text_on(&mut self, page: usize, (x, y): (f32, f32), look: Look, text: &str) {
        let place = usize::from(look.bold);
        let font = &mut self.fonts[place];
        self.missing = self.missing.or_else(|| font.lacks(text));
        let shown = font.show(text);
        let Some(page) = self.pages.get_mut(page).filter(|_| !shown.is_empty()) else { return };
        page.set_fill_color(look.ink).begin_text();
        page.set_font(Name(font_name(place).as_bytes()), look.size).next_line(x, SIZE.1 - y);
        write(page, &shown);
        page.end_text();
    }

    /// A filled rectangle, of which the top left corner is given.
    pub(super) fn block(&mut self, (x, y): (f32, f32), (width, height): (f32, f32), ink: Ink) {
        if let Some(page) = self.pages.last_mut() {
            page.set_fill_color(ink).rect(x, SIZE.1 - y - height, width, height).fill_nonzero();
        }
    }

    /// Lines no wider than a width: broken between words, and within one that is wider.
    pub(super) fn wrapped(&self, look: Look, text: &str, width: f32) -> Vec<String> {
        let fits = |text: &str| self.width(look, text) <= width;
        let mut lines: Vec<String> = Vec::new();
        let mut line = String::new();
        // What must not be broken has blanks of its own.
        for word in text.split([' ', '\t', '\n', '\r']).filter(|word| !word.is_empty()) {
            let longer = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
            if fits(&longer) {
                line = longer;
                continue;
            }
            if !line.is_empty() {
                lines.push(std::mem::take(&mut line));
            }
            for letter in word.chars() {
                let longer = format!("{line}{letter}");
                if !line.is_empty() && !fits(&longer) {
                    lines.push(std::mem::take(&mut line));
                }
                line.push(letter);
            }
        }
        if !line.is_empty() {
            lines.push(line);
        }
        lines
    }
}

fn write(page: &mut Content, shown: &Shown) {
    let mut positioned = page.show_positioned();
    let mut items = positioned.items();
    let mut run: Vec<u8> = Vec::new();
    for (glyph, back) in shown {
        run.extend(glyph);
        if back.abs() >= 0.5 {
            items.show(Str(&std::mem::take(&mut run))).adjust(back.round());
        }
    }
    if !run.is_empty() {
        items.show(Str(&run));
    }
}
