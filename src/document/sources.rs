//! Tables put together from several files, whose places still name one file each.

use std::ops::Range;

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// The texts that a table was put together from: each begins where the one before ended, so that
/// a place in the whole names one file and a place in it.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    parts: Vec<(usize, String, String)>,
}

impl Sources {
    /// One file.
    pub fn one(file: &str, text: &str) -> Self {
        let mut sources = Self::default();
        sources.add(file, text);
        sources
    }

    /// Adds a file; answers how far its places are moved.
    pub fn add(&mut self, file: &str, text: &str) -> usize {
        let offset = self.parts.last().map_or(0, |(start, _, text)| start + text.len() + 1);
        self.parts.push((offset, file.to_owned(), text.to_owned()));
        offset
    }

    /// The file that a place is in, its text, and the place there.
    pub fn find(&self, span: &Range<usize>) -> (&str, &str, Range<usize>) {
        let part = self.parts.iter().rev().find(|(start, ..)| *start <= span.start);
        part.map_or(("", "", 0..0), |(start, file, text)| {
            (file, text, span.start - start..span.end.saturating_sub(*start))
        })
    }

    pub(super) fn first(&self) -> &str {
        self.parts.first().map_or("", |(_, file, _)| file)
    }
}

/// Moves every place of a table: see [`Sources::add`].
pub fn shifted<'t>(table: &DeTable<'t>, by: usize) -> DeTable<'t> {
    fn value<'t>(one: &Spanned<DeValue<'t>>, by: usize) -> Spanned<DeValue<'t>> {
        let span = one.span();
        let moved = match one.get_ref() {
            DeValue::Table(table) => DeValue::Table(shifted(table, by)),
            DeValue::Array(items) => {
                DeValue::Array(items.iter().map(|item| value(item, by)).collect())
            }
            other => other.clone(),
        };
        Spanned::new(span.start + by..span.end + by, moved)
    }
    table
        .iter()
        .map(|(key, one)| {
            let span = key.span();
            let key = Spanned::new(span.start + by..span.end + by, key.get_ref().clone());
            (key, value(one, by))
        })
        .collect()
}

/// Adds what a table lacks, section by section.
pub fn fill_in<'t>(table: &mut DeTable<'t>, from: DeTable<'t>) {
    for (key, value) in from {
        match table.iter_mut().find(|(own, _)| own.get_ref() == key.get_ref()) {
            None => {
                table.insert(key, value);
            }
            Some((_, own)) => {
                if let (DeValue::Table(own), DeValue::Table(more)) =
                    (own.get_mut(), value.into_inner())
                {
                    fill_in(own, more);
                }
            }
        }
    }
}
