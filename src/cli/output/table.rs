//! For people: aligned, with headings, within the width of the terminal.

use comfy_table::{
    Attribute, Cell, CellAlignment, Color, ColumnConstraint, ContentArrangement, Table, Width,
    presets,
};

use super::{Align, Colour, Listing, Tone, harmless};

pub(super) fn render(
    listing: &Listing,
    columns: &[usize],
    colour: Colour,
    fit: bool,
    heading: bool,
) -> String {
    if listing.rows.is_empty() {
        return String::new();
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    if fit {
        table.set_content_arrangement(ContentArrangement::Dynamic);
    }
    if colour.is_on() {
        table.enforce_styling();
    } else {
        table.force_no_tty();
        if fit {
            // Without a terminal in its eyes the crate would not look for a width by itself.
            if let Some(width) = width() {
                table.set_width(width);
            }
        }
    }
    if heading {
        table.set_header(columns.iter().map(|at| {
            let heading = listing.columns[*at].heading.to_uppercase();
            Cell::new(heading).add_attribute(Attribute::Bold)
        }));
    }
    for row in &listing.rows {
        table.add_row(columns.iter().map(|at| {
            let cell = &row.cells[*at];
            painted(Cell::new(harmless::words(&cell.shown)), cell.tone)
        }));
    }
    for (place, at) in columns.iter().enumerate() {
        let column = &listing.columns[*at];
        if let Some(shown) = table.column_mut(place) {
            shown.set_padding((0, 2));
            if column.align == Align::Right {
                shown.set_cell_alignment(CellAlignment::Right);
            }
            if column.min_width > 0 {
                shown.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(
                    column.min_width + 2,
                )));
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

pub(super) fn width() -> Option<u16> {
    let mut probe = Table::new();
    probe.set_content_arrangement(ContentArrangement::Dynamic);
    probe.width()
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
