//! Parts of requests, read without the network they come over: for `fuzz/`.

use std::net::{IpAddr, SocketAddr};

use axum::http::{Extensions, HeaderMap, HeaderName, HeaderValue};
use bytes::Bytes;
use ipnet::IpNet;

use super::{admission, api, audio, peer};
use crate::{
    api::BundleFile,
    domain::Result,
    provision::{Loaded, Problem},
};

/// Headers, a line each; lines that could not arrive as headers are left out.
fn headers(lines: &[u8]) -> HeaderMap {
    let pairs = lines.split(|byte| *byte == b'\n').filter_map(|line| {
        let at = line.iter().position(|byte| *byte == b':')?;
        let value = line.get(at + 1..)?.trim_ascii();
        let name = HeaderName::from_bytes(line.get(..at)?).ok()?;
        Some((name, HeaderValue::from_bytes(value).ok()?))
    });
    let mut headers = HeaderMap::new();
    for (name, value) in pairs.take(100) {
        headers.append(name, value);
    }
    headers
}

/// Who asks, through a proxy that is trusted.
pub fn peer(connected: SocketAddr, trusted: &[IpNet], lines: &[u8]) -> Option<IpAddr> {
    let mut extensions = Extensions::new();
    extensions.insert(peer::Peer(connected));
    peer::address(&extensions, &headers(lines), trusted)
}

/// The status and length of the part of a sound that is asked for.
pub fn part_of_sound(lines: &[u8], sound: &'static [u8]) -> (u16, Option<u64>) {
    let response = audio::part(&headers(lines), "\"e\"", Bytes::from_static(sound));
    let length = axum::body::HttpBody::size_hint(response.body()).exact();
    (response.status().as_u16(), length)
}

/// Whether what stands after the `?` of a webhook's address can be read, and as a page's cursor.
pub fn query(text: &str) -> (bool, bool) {
    let cursor = api::Cursor::try_from(text.to_owned());
    (admission::read_query(text).is_some(), cursor.is_ok())
}

/// The files of a bundle, or what is wrong with them.
pub fn bundle(files: &[BundleFile]) -> Result<std::result::Result<Vec<Loaded>, Vec<Problem>>> {
    api::load_bundle(files, None)
}
