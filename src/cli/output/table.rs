//! For people: aligned, with headings, within the width of the terminal.

use comfy_table::{
    Attribute, Cell, CellAlignment, Color, ColumnConstraint, ContentArrangement, Table, Width,
    presets,
};
use unicode_width::UnicodeWidthStr;

use super::{Align, Colour, Listing, Room, Tone, harmless};

/// Between two columns.
const GAP: usize = 2;

/// A column up to this is never wrapped.
const NARROW: usize = 20;

/// A word beyond this, such as an address, may be broken.
const LONGEST_WORD: usize = 40;

/// Which columns a table has, and how wide each is at least.
pub(super) struct Form {
    columns: Vec<(usize, usize)>,
    width: Option<usize>,
}

impl Form {
    /// All of these columns, however wide that gets.
    pub(super) fn of(listing: &Listing, columns: Vec<usize>, width: Option<usize>) -> Self {
        let least = |at: usize| match width {
            Some(_) => needed(listing, at),
            None => usize::from(listing.columns[at].min_width),
        };
        Self { columns: columns.into_iter().map(|at| (at, least(at))).collect(), width }
    }

    /// As many of these columns as there is room for without breaking a word.
    pub(super) fn fitting(listing: &Listing, columns: Vec<usize>, width: usize) -> Self {
        let mut columns: Vec<(usize, usize)> =
            columns.into_iter().map(|at| (at, needed(listing, at))).collect();
        let roomy = |&(at, needed): &(usize, usize)| {
            (at, needed.max(usize::from(listing.columns[at].min_width)))
        };
        let of_later_rows: Vec<_> = columns.iter().map(roomy).collect();
        if total(&of_later_rows) <= width {
            return Self { columns: of_later_rows, width: Some(width) };
        }
        while total(&columns) > width {
            let Some(place) = superfluous(listing, &columns) else {
                // Nothing more can go: it is wrapped as well as it can be.
                for (_, least) in &mut columns {
                    *least = 0;
                }
                break;
            };
            columns.remove(place);
        }
        Self { columns, width: Some(width) }
    }
}

fn total(columns: &[(usize, usize)]) -> usize {
    columns.iter().map(|(_, needed)| needed + GAP).sum::<usize>().saturating_sub(GAP)
}

/// What a column needs so that no word in it is broken, and nothing short is wrapped.
fn needed(listing: &Listing, at: usize) -> usize {
    let cells = listing.rows.iter().map(|row| row.cells[at].shown.as_str());
    let (mut widest, mut word) = (0, 0);
    for text in cells.chain([listing.columns[at].heading]) {
        widest = widest.max(text.lines().map(UnicodeWidthStr::width).max().unwrap_or(0));
        let words = text.split_whitespace().map(UnicodeWidthStr::width);
        word = word.max(words.filter(|length| *length <= LONGEST_WORD).max().unwrap_or(0));
    }
    if widest <= NARROW || names_rows(listing, at) { widest } else { word.max(NARROW) }
}

/// Whether a column says what another command is given.
fn names_rows(listing: &Listing, at: usize) -> bool {
    listing.rows.iter().all(|row| row.cells[at].raw == row.id)
}

/// The column that goes first: never the first one, nor the one that names the rows, since that is what
/// another command is given.
fn superfluous(listing: &Listing, columns: &[(usize, usize)]) -> Option<usize> {
    let may_go = |room: Room| {
        let goes = |at: usize| listing.columns[at].room == room && !names_rows(listing, at);
        (1..columns.len()).rev().find(|place| goes(columns[*place].0))
    };
    may_go(Room::Yields).or_else(|| may_go(Room::Usual))
}

pub(super) fn render(listing: &Listing, form: &Form, colour: Colour, heading: bool) -> String {
    if listing.rows.is_empty() {
        return String::new();
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    if let Some(width) = form.width.and_then(|width| u16::try_from(width).ok()) {
        table.set_content_arrangement(ContentArrangement::Dynamic);
        // Without a terminal in its eyes the crate would not look for a width by itself.
        table.set_width(width);
    }
    if colour.is_on() {
        table.enforce_styling();
    } else {
        table.force_no_tty();
    }
    if heading {
        table.set_header(form.columns.iter().map(|(at, _)| {
            let heading = listing.columns[*at].heading.to_uppercase();
            Cell::new(heading).add_attribute(Attribute::Bold)
        }));
    }
    for row in &listing.rows {
        table.add_row(form.columns.iter().map(|(at, _)| {
            let cell = &row.cells[*at];
            painted(Cell::new(harmless::words(&cell.shown)), cell.tone)
        }));
    }
    let last = form.columns.len().saturating_sub(1);
    for (place, (at, least)) in form.columns.iter().enumerate() {
        if let Some(shown) = table.column_mut(place) {
            let gap = if place == last { 0 } else { GAP };
            shown.set_padding((0, u16::try_from(gap).unwrap_or(0)));
            if listing.columns[*at].align == Align::Right {
                shown.set_cell_alignment(CellAlignment::Right);
            }
            if *least > 0 {
                let least = u16::try_from(least + gap).unwrap_or(u16::MAX);
                shown.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(least)));
            }
        }
    }
    let mut text = String::new();
    for line in table.lines() {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// How many columns a terminal says it has; a serial console and many a container say none.
pub(super) fn width() -> Option<u16> {
    let mut probe = Table::new();
    probe.set_content_arrangement(ContentArrangement::Dynamic);
    probe.width().filter(|columns| *columns > 0)
}

fn painted(cell: Cell, tone: Tone) -> Cell {
    match tone {
        Tone::Plain => cell,
        Tone::Strong => cell.add_attribute(Attribute::Bold),
        Tone::Faint => cell.add_attribute(Attribute::Dim),
        Tone::Good => cell.fg(Color::Green),
        Tone::Warning => cell.fg(Color::Yellow),
        Tone::Bad => cell.fg(Color::Red),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::cli::output::{Cell, Column, Row};

    const SID: &str = "CA0123456789abcdef0123456789abcdef";

    fn listing() -> Listing {
        let mut listing = Listing::new(
            "calls",
            [
                Column::new("when", "when").at_least(16),
                Column::new("caller", "caller"),
                Column::new("direction", "direction").yields(),
                Column::new("outcome", "outcome"),
                Column::new("sid", "call"),
                Column::new("why", "why").keeps(),
            ],
        );
        let words = "the caller hung up while the assistant was looking something up";
        let cells = ["today 14:05", "+33123456789", "inbound", "informed", SID, words];
        let cells = cells.into_iter().map(Cell::same).collect();
        listing.rows = vec![Row { id: SID.to_owned(), cells, json: Value::Null }];
        listing
    }

    fn at(width: usize) -> String {
        let listing = listing();
        let form = Form::fitting(&listing, (0..6).collect(), width);
        render(&listing, &form, Colour::OFF, true)
    }

    fn headings(text: &str) -> Vec<&str> {
        text.lines().next().unwrap().split_whitespace().collect()
    }

    #[test]
    fn columns_go_rather_than_words_are_broken() {
        assert_eq!(headings(&at(130)), ["WHEN", "CALLER", "DIRECTION", "OUTCOME", "CALL", "WHY"]);
        assert_eq!(headings(&at(97)), ["WHEN", "CALLER", "OUTCOME", "CALL", "WHY"]);
        assert_eq!(headings(&at(84)), ["WHEN", "CALLER", "CALL", "WHY"]);
        assert_eq!(headings(&at(72)), ["WHEN", "CALL", "WHY"]);
        for width in 69..140 {
            let text = at(width);
            assert!(text.lines().all(|line| line.chars().count() <= width), "{width}\n{text}");
            for whole in ["today 14:05", SID, "assistant"] {
                assert!(text.contains(whole), "{width}\n{text}");
            }
        }
        // A sign that takes two places, in a name that names the row, takes them here as well.
        let wide = "東京レストラン予約係です";
        let mut rows = self::listing();
        rows.rows[0].id = wide.to_owned();
        rows.rows[0].cells[4] = Cell::same(wide);
        for width in 60..140 {
            let form = Form::fitting(&rows, (0..6).collect(), width);
            let text = render(&rows, &form, Colour::OFF, true);
            assert!(text.contains(wide) && text.contains("assistant"), "{width}\n{text}");
        }
        // Narrower than what must stay: everything is there, in pieces.
        assert!(at(40).lines().all(|line| line.chars().count() <= 40));
    }

    #[test]
    fn rows_that_follow_stand_below_the_first_ones() {
        let mut listing = listing();
        let form = Form::fitting(&listing, (0..6).collect(), 84);
        let first = render(&listing, &form, Colour::OFF, true);
        listing.rows[0].cells[0] = Cell::same("15:00");
        listing.rows[0].cells[1] = Cell::same("withheld");
        let later = render(&listing, &form, Colour::OFF, false);
        let column = |text: &str| text.lines().find_map(|line| line.find(SID));
        assert_eq!(column(&first), column(&later), "{first}{later}");
    }
}
