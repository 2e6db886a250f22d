//! The prototype's assistants and calls, brought over; whatever could not come is named.
//!
//! A second import takes nothing new: an assistant is known by the row it was made from, a call by
//! its SID. Work is done in transactions of bounded size, so that a daemon on the same store goes on
//! answering, and an import that was broken off is finished by running it again.

mod assistants;
mod calls;
mod report;
mod values;

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::audit;
use crate::{
    domain::{Actor, AssistantId, Author, LanguageTag, PhoneNumber, Result},
    store::{
        Store, StoreError, Tx,
        audit::Deed,
        prototype::{Prototype, Table},
    },
};
use report::Notes;
pub use report::{Fate, Remark, Report, Tally};

/// Rows in one transaction.
const PAGE: u32 = 1_000;

/// What to do with what is found.
#[derive(Debug, Clone, Copy)]
pub struct Wishes {
    /// Only say what would be done.
    pub dry_run: bool,
    /// What time it is: a call may still be going on.
    pub now: Timestamp,
}

/// Where a call goes.
#[derive(Debug, Clone)]
struct Home {
    id: AssistantId,
    phone: PhoneNumber,
    language: LanguageTag,
}

/// What is remembered from page to page.
struct State {
    author: Author,
    wishes: Wishes,
    /// Ids above this one are free.
    largest_id: i64,
    /// By the prototype's id; nothing for an assistant that could not be taken.
    homes: HashMap<String, Option<Home>>,
    /// Assistants that a dry run would have made: the store does not know them.
    planned: Vec<crate::store::imports::Known>,
    /// Calls of this file, by the digits of their SID, with their row.
    sids: HashMap<u128, u64>,
    report: Report,
}

/// Imports everything; tells `progress` after each page how many rows are done, and of how many.
pub fn run(
    store: &Store,
    prototype: &Prototype,
    wishes: Wishes,
    actor: &Actor,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Report> {
    actor.may_administer()?;
    let total = prototype.count(Table::Assistants)? + prototype.count(Table::Calls)?;
    let mut state = State {
        wishes,
        author: actor.author.clone(),
        largest_id: prototype.largest_assistant_id()?,
        homes: HashMap::new(),
        planned: Vec::new(),
        sids: HashMap::new(),
        report: Report::default(),
    };
    let mut done = 0;
    for table in [Table::Assistants, Table::Calls] {
        shapes(prototype, table, &mut state.report);
        let mut cursor = prototype.start(table);
        loop {
            progress(done, total);
            let rows = prototype.page(&mut cursor, PAGE)?;
            if rows.is_empty() {
                break;
            }
            done += rows.len() as u64;
            let work = move |tx: &Tx| -> Result<State, StoreError> {
                match table {
                    Table::Assistants => assistants::page(tx, &rows, &mut state)?,
                    Table::Calls => calls::page(tx, &rows, &mut state)?,
                }
                Ok(state)
            };
            // A dry run has a connection that cannot write: a mistake here would be an error.
            state = if wishes.dry_run { store.read(work)? } else { store.write(work)? };
        }
    }
    let report = state.report;
    if !wishes.dry_run {
        let (actor, taken) = (actor.clone(), (report.assistants.taken, report.calls.taken));
        store.write(move |tx| {
            let deed = Deed {
                action: "import",
                target: "prototype".to_owned(),
                before: Value::Null,
                after: json!({ "assistants": taken.0, "calls": taken.1 }),
            };
            audit::record(tx, &actor, wishes.now, &deed)
        })?;
    }
    Ok(report)
}

/// Says what the file lacks, and what it has that the prototype has not.
fn shapes(prototype: &Prototype, table: Table, report: &mut Report) {
    let shape = prototype.shape(table);
    let mut about_the_table = |field: &str, fate, reason: &str| {
        report.remarks.push(Remark {
            table: table.name(),
            row: None,
            id: None,
            field: Some(field.to_owned()).filter(|field| !field.is_empty()),
            fate,
            reason: reason.to_owned(),
        });
    };
    if !shape.exists {
        about_the_table("", Fate::LeftBehind, "the file has no such table");
    }
    for column in &shape.missing {
        let reason = "the table has no such column: taken as empty in every row";
        about_the_table(column, Fate::Changed, reason);
    }
    for column in &shape.unknown {
        about_the_table(
            column,
            Fate::LeftBehind,
            "not a column that the prototype is known to have",
        );
    }
}
