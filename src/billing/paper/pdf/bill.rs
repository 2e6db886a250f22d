//! What stands where on a bill.

use super::sheet::{DARK, LIGHT, Look, PALE, SIZE, Sheets};
use crate::{
    billing::{
        invoice::Invoice,
        paper::{content, words::Words},
        party::Party,
    },
    domain::Result,
};

/// Where the sheet begins and ends for us.
const LEFT: f32 = 51.0;
const RIGHT: f32 = SIZE.0 - LEFT;
const TOP: f32 = 62.0;
const BOTTOM: f32 = SIZE.1 - 70.0;

const TEXT: Look = Look::plain(9.5);
const SMALL: Look = Look::plain(8.0).grey();
const LEADING: f32 = 13.0;

/// Between columns of numbers, and what the column of words keeps at least.
const GAP: f32 = 16.0;
const WORDS: f32 = 150.0;

/// How wide the sums are.
const SUMS: f32 = 250.0;

/// What is drawn, and how far down the last sheet.
struct Bill<'i> {
    sheets: Sheets,
    invoice: &'i Invoice,
    words: Words,
    y: f32,
}

/// The bill on its sheets.
pub(super) fn drawn(invoice: &Invoice, words: Words) -> Result<Sheets> {
    let mut bill = Bill { sheets: Sheets::new()?, invoice, words, y: TOP };
    bill.heading();
    bill.parties();
    bill.lines();
    bill.sums();
    bill.payment();
    bill.terms();
    bill.feet();
    Ok(bill.sheets)
}

impl Bill<'_> {
    /// Whether so much has room on the sheet; another one is begun otherwise.
    fn keep(&mut self, height: f32) -> bool {
        if self.y + height <= BOTTOM {
            return true;
        }
        self.sheets.turn();
        let title = content::title(self.invoice, self.words);
        let title = format!("{title} {}", self.invoice.number);
        let look = Look::bold(9.0).grey();
        self.sheets.text((LEFT, TOP - 10.0), look, &title);
        self.y = TOP + 8.0;
        false
    }

    fn heading(&mut self) {
        let facts = content::facts(self.invoice, self.words);
        let look = Look::plain(9.0);
        let widest =
            |of: &dyn Fn(&(&'static str, String)) -> f32| facts.iter().map(of).fold(0.0, f32::max);
        let values = widest(&|(_, value)| self.sheets.width(look, value)).min(190.0);
        let names = widest(&|(name, _)| self.sheets.width(look, name));
        let begin = RIGHT - values - 14.0 - names;
        let mut y = TOP;
        for (name, value) in &facts {
            self.sheets.text((begin, y), look.grey(), name);
            for part in self.sheets.wrapped(look, value, values) {
                self.sheets.text_to((RIGHT, y), look, &part);
                y += LEADING;
            }
        }
        let mut title = Look::bold(20.0);
        let room = begin - LEFT - 20.0;
        let (kind, number) = (content::title(self.invoice, self.words), &self.invoice.number);
        let whole = format!("{kind} {number}");
        while self.sheets.width(title, &whole) > room && title.size() > 12.0 {
            title = title.sized(title.size() - 0.5);
        }
        let parts = self.sheets.wrapped(title, &whole, room);
        let leading = title.size() * 1.2;
        // Where it ends, the facts end.
        let mut at = y - LEADING - leading * (parts.len() - 1) as f32;
        if at < TOP {
            y += TOP - at;
            at = TOP;
        }
        for part in &parts {
            self.sheets.text((LEFT, at), title, part);
            at += leading;
        }
        self.sheets.block((LEFT, y - 1.0), (RIGHT - LEFT, 1.5), DARK);
        self.y = y + 30.0;
    }

    fn parties(&mut self) {
        let half = (RIGHT - LEFT) / 2.0;
        let begun = self.y;
        let mut lowest = begun;
        for (side, (title, party)) in
            content::parties(self.invoice, self.words).into_iter().enumerate()
        {
            let x = LEFT + half * side as f32;
            let end = self.party((x, begun), half - 20.0, title, party);
            lowest = lowest.max(end);
        }
        self.y = lowest + 26.0;
    }

    fn party(&mut self, (x, y): (f32, f32), width: f32, title: &str, party: &Party) -> f32 {
        self.sheets.text((x, y), Look::bold(7.5).grey(), &title.to_uppercase());
        let mut y = y + 16.0;
        let name = Look::bold(10.5);
        for line in self.sheets.wrapped(name, &party.name, width) {
            self.sheets.text((x, y), name, &line);
            y += LEADING + 1.0;
        }
        for line in content::particulars(party, self.words) {
            for part in self.sheets.wrapped(TEXT, &line, width) {
                self.sheets.text((x, y), TEXT, &part);
                y += LEADING;
            }
        }
        y
    }

    /// Where columns of numbers end, and how wide that of words is.
    fn columns(&self) -> ([f32; 4], f32) {
        let heads = content::heads(self.words);
        let mut widths = [0.0_f32; 4];
        for (width, head) in widths.iter_mut().zip(&heads[1..]) {
            *width = self.sheets.width(Look::bold(8.0), head);
        }
        for line in &self.invoice.lines {
            for (width, number) in widths.iter_mut().zip(content::numbers(line, self.words)) {
                *width = width.max(self.sheets.width(TEXT, &number));
            }
        }
        let mut ends = [RIGHT; 4];
        for place in (0..3).rev() {
            ends[place] = ends[place + 1] - widths[place + 1] - GAP;
        }
        (ends, (ends[0] - widths[0] - GAP - LEFT).max(WORDS))
    }

    fn head(&mut self, ends: &[f32; 4]) {
        let look = Look::bold(8.0).grey();
        let heads = content::heads(self.words);
        self.sheets.text((LEFT, self.y), look, heads[0]);
        for (end, head) in ends.iter().zip(&heads[1..]) {
            self.sheets.text_to((*end, self.y), look, head);
        }
        self.sheets.block((LEFT, self.y + 6.0), (RIGHT - LEFT, 0.8), DARK);
        self.y += 7.0;
    }

    fn lines(&mut self) {
        let (ends, width) = self.columns();
        let invoice = self.invoice;
        self.keep(60.0);
        self.head(&ends);
        let last = invoice.lines.len().saturating_sub(1);
        for (place, line) in invoice.lines.iter().enumerate() {
            let what = self.sheets.wrapped(TEXT, &self.words.what(&line.what), width);
            let whose = self.sheets.wrapped(SMALL, &line.assistant, width);
            let height = LEADING * what.len() as f32 + 11.0 * whose.len() as f32 + 10.0;
            // Sums do not stand on a sheet alone.
            let after = if place == last { self.height_of_sums() } else { 0.0 };
            if !self.keep(height + after) {
                self.head(&ends);
            }
            let mut y = self.y + 14.0;
            for (end, number) in ends.iter().zip(content::numbers(line, self.words)) {
                self.sheets.text_to((*end, y), TEXT, &number);
            }
            for part in &what {
                self.sheets.text((LEFT, y), TEXT, part);
                y += LEADING;
            }
            for part in &whose {
                self.sheets.text((LEFT, y - 1.0), SMALL, part);
                y += 11.0;
            }
            self.y += height;
            self.sheets.block((LEFT, self.y), (RIGHT - LEFT, 0.5), LIGHT);
        }
    }

    fn height_of_sums(&self) -> f32 {
        content::sums(self.invoice, self.words).len() as f32 * 18.0 + 30.0
    }

    fn sums(&mut self) {
        let sums = content::sums(self.invoice, self.words);
        let last = sums.len() - 1;
        self.y += 10.0;
        for (place, (name, amount)) in sums.into_iter().enumerate() {
            let amount = self.words.amount(amount);
            if place == last {
                let look = Look::bold(13.0);
                self.sheets.block((RIGHT - SUMS, self.y + 4.0), (SUMS, 1.5), DARK);
                self.y += 23.0;
                self.sheets.text((RIGHT - SUMS, self.y), look, &name);
                self.sheets.text_to((RIGHT, self.y), look, &amount);
            } else {
                self.y += 15.0;
                self.sheets.text((RIGHT - SUMS, self.y), TEXT.grey(), &name);
                self.sheets.text_to((RIGHT, self.y), TEXT, &amount);
                self.y += 3.0;
            }
        }
        self.y += 26.0;
    }

    fn payment(&mut self) {
        for why in content::untaxed(self.invoice, self.words) {
            for line in self.sheets.wrapped(TEXT, why, RIGHT - LEFT) {
                self.keep(LEADING);
                self.sheets.text((LEFT, self.y), TEXT, &line);
                self.y += LEADING + 2.0;
            }
        }
        let Some(payment) = content::payment(self.invoice, self.words) else { return };
        let lines = self.sheets.wrapped(TEXT, &payment, RIGHT - LEFT - 24.0);
        let height = LEADING * lines.len() as f32 + 14.0;
        self.keep(height + 8.0);
        self.sheets.block((LEFT, self.y - 4.0), (RIGHT - LEFT, height), PALE);
        self.y += 12.0;
        for line in lines {
            self.sheets.text((LEFT + 12.0, self.y), TEXT, &line);
            self.y += LEADING;
        }
        self.y += 18.0;
    }

    fn terms(&mut self) {
        let Some(terms) = content::terms(self.invoice) else { return };
        let lines = self.sheets.wrapped(SMALL, &terms, RIGHT - LEFT);
        self.keep(11.5 * lines.len() as f32);
        for line in lines {
            self.sheets.text((LEFT, self.y), SMALL, &line);
            self.y += 11.5;
        }
    }

    /// What stands at the foot of every sheet.
    fn feet(&mut self) {
        let look = SMALL.sized(7.5);
        let count = self.sheets.count();
        let legal =
            content::legal(self.invoice).unwrap_or_else(|| self.invoice.seller.name.clone());
        let room = RIGHT - LEFT - 50.0;
        let lines = self.sheets.wrapped(look, &legal, room);
        for page in 0..count {
            let number = format!("{} / {count}", page + 1);
            let mut y = SIZE.1 - 44.0;
            let begin = RIGHT - self.sheets.width(look, &number);
            self.sheets.text_on(page, (begin, y), look, &number);
            for line in &lines {
                self.sheets.text_on(page, (LEFT, y), look, line);
                y += 10.0;
            }
        }
    }
}
