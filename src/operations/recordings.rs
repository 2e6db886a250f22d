//! The recording of a call: where it is, and who may hear it.

use jiff::Timestamp;

use crate::{
    domain::{Actor, CallSid, Error, KeptRecording, Removable, Result},
    operations::calls,
    store::{
        Store, imports, messages,
        recordings::{self, ToFetch},
        removals,
    },
};

/// Fetched at once.
const AT_ONCE: u32 = 4;

/// The recording of a call, or else of the message that was spoken in it. Only for those who may see the
/// call.
pub fn of_call(store: &Store, actor: &Actor, sid: &str) -> Result<(CallSid, KeptRecording)> {
    let sid = calls::resolve(store, actor, sid)?;
    let (call, _) = calls::show(store, actor, &sid)?;
    let (address, spoken) = store.read(|tx| {
        Ok((imports::extras(tx, call.id)?.recording_url, messages::of_call(tx, call.id)?))
    })?;
    if let Some(address) = address {
        let kept = KeptRecording::at(&address).ok_or_else(|| {
            Error::not_found(format!("the recording of {sid} is not at Twilio"))
                .hint(format!("it is at {address}"))
        })?;
        return Ok((sid, kept));
    }
    let spoken = spoken.into_iter().find_map(|message| message.recording);
    spoken.map(|recording| (sid.clone(), recording.kept)).ok_or_else(|| {
        Error::not_found(format!("there is no recording of {sid}"))
            .hint("calls are recorded where `compliance.recording` says so and callers agree; recordings are kept as long as `compliance.keep_recordings` says")
    })
}

/// Whether a recording is kept here.
pub async fn is_here(store: &Store, kept: KeptRecording) -> Result<bool> {
    store.read_async(move |tx| recordings::is_here(tx, &kept)).await
}

/// Has the recordings fetched of calls that began after a moment, as far as they are not here; answers
/// how many are new.
pub async fn want_all(store: &Store, since: Timestamp, now: Timestamp) -> Result<usize> {
    let new = store.read_async(move |tx| recordings::not_known(tx, since)).await?;
    if new.is_empty() {
        return Ok(0);
    }
    store
        .write_async(move |tx| {
            for (call, kept) in &new {
                recordings::want(tx, call, kept, now)?;
            }
            Ok(new.len())
        })
        .await
}

/// Some of those that are due.
pub async fn due(store: &Store, now: Timestamp) -> Result<Vec<ToFetch>> {
    store.read_async(move |tx| recordings::due(tx, now, AT_ONCE)).await
}

/// A recording is here, and Twilio need not keep it. False when it was forgotten meanwhile: then it must
/// not stay here either.
pub async fn fetched(store: &Store, one: ToFetch, now: Timestamp) -> Result<bool> {
    store
        .write_async(move |tx| {
            if !recordings::is_wanted(tx, &one.call, &one.kept)? {
                recordings::forget(tx, &one.kept)?;
                return Ok(false);
            }
            recordings::fetched(tx, &one.kept)?;
            removals::ask(tx, &one.call, &Removable::Recording(one.kept), now)?;
            Ok(true)
        })
        .await
}

/// A recording could not be fetched; `gone` when it never will be.
pub async fn failed(
    store: &Store,
    one: ToFetch,
    why: String,
    gone: bool,
    now: Timestamp,
) -> Result<()> {
    store
        .write_async(move |tx| {
            if gone || !recordings::is_wanted(tx, &one.call, &one.kept)? {
                return recordings::forget(tx, &one.kept);
            }
            recordings::failed(tx, &one, &why, now)
        })
        .await
}

/// Whether a call or a message still has a recording.
pub async fn is_wanted(store: &Store, call: CallSid, kept: KeptRecording) -> Result<bool> {
    store.read_async(move |tx| recordings::is_wanted(tx, &call, &kept)).await
}

/// A recording is not here any more, and need not be.
pub async fn forget(store: &Store, kept: KeptRecording) -> Result<()> {
    store.write_async(move |tx| recordings::forget(tx, &kept)).await
}
