//! Tickets: what a socket shows to be let into a call. A call has one at a time, and how many it was given
//! tells what became of its sockets.

use jiff::Timestamp;
use rusqlite::params;

use super::{StoreError, Tx};
use crate::domain::{CallId, CallSid};

/// Gives a call a ticket, in the place of the one it had.
pub fn give(tx: &Tx, id: CallId, hash: &[u8; 32], expires_at: Timestamp) -> Result<(), StoreError> {
    tx.prepare_cached(
        "UPDATE calls SET ticket = ?2, ticket_expires_at = ?3, tickets = tickets + 1 WHERE id = ?1",
    )?
    .execute(params![id.0, hash, expires_at.as_millisecond()])?;
    Ok(())
}

/// Takes a call's ticket, which is then good no more; says whether it was the one.
pub fn take(tx: &Tx, sid: &CallSid, hash: &[u8; 32], now: Timestamp) -> Result<bool, StoreError> {
    let taken = tx
        .prepare_cached(
            "UPDATE calls SET ticket = NULL
             WHERE sid = ?1 AND ticket = ?2 AND ticket_expires_at >= ?3 AND ended_at IS NULL",
        )?
        .execute(params![sid.as_str(), hash, now.as_millisecond()])?;
    Ok(taken == 1)
}

/// Takes a call for one that was given as many tickets as any may have.
pub fn exhaust(tx: &Tx, id: CallId, most: u32) -> Result<(), StoreError> {
    tx.prepare_cached("UPDATE calls SET ticket = NULL, tickets = max(tickets, ?2) WHERE id = ?1")?
        .execute(params![id.0, most])?;
    Ok(())
}

/// How many tickets a call was given.
pub fn given(tx: &Tx, id: CallId) -> Result<u32, StoreError> {
    Ok(tx
        .prepare_cached("SELECT tickets FROM calls WHERE id = ?1")?
        .query_row([id.0], |row| row.get(0))?)
}

/// Whether a socket of the call was let in.
pub fn was_connected(tx: &Tx, id: CallId) -> Result<bool, StoreError> {
    Ok(tx
        .prepare_cached("SELECT tickets > 0 AND ticket IS NULL FROM calls WHERE id = ?1")?
        .query_row([id.0], |row| row.get(0))?)
}

/// Whether a call ever went over a socket: each ticket but the one that is out was used, or given up.
pub fn went_over_socket(tx: &Tx, id: CallId) -> Result<bool, StoreError> {
    Ok(tx
        .prepare_cached(
            "SELECT tickets > 1 OR (tickets = 1 AND ticket IS NULL) FROM calls WHERE id = ?1",
        )?
        .query_row([id.0], |row| row.get(0))?)
}
