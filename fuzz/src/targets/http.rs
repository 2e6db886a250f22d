//! Requests to the API and to sounds: bodies, headers, queries.

use webox::{
    api::{
        ApplyInput, AssistantInput, BookingInput, CallInput, CampaignInput, CloseInput,
        DoNotCallInput, DocumentInput, PlanInput, Problem, RehearseInput, RollbackInput,
        SilenceInput, TestInput, ValidateInput,
    },
    domain::AssistantSpec,
    server,
};

use super::text;

/// Bodies of the API, and a plan that came over the network.
pub fn api_body(data: &[u8]) {
    if let Ok(input) = serde_json::from_slice::<AssistantInput>(data)
        && let Ok(spec) = input.clone().create()
    {
        let _ = input.change(spec);
    }
    if let Ok(input) = serde_json::from_slice::<ApplyInput>(data) {
        let _ = input.read_plan();
    }
    if let Ok(input) = serde_json::from_slice::<DocumentInput>(data) {
        let _ = input.read();
    }
    let _ = serde_json::from_slice::<BookingInput>(data).map(|input| input.request());
    let _ = serde_json::from_slice::<CampaignInput>(data).map(CampaignInput::into_wanted);
    let _ = serde_json::from_slice::<Problem>(data).map(Problem::into_error);
    let _ = serde_json::from_slice::<AssistantSpec>(data);
    let _ = serde_json::from_slice::<CallInput>(data);
    let _ = serde_json::from_slice::<CloseInput>(data);
    let _ = serde_json::from_slice::<DoNotCallInput>(data);
    let _ = serde_json::from_slice::<PlanInput>(data);
    let _ = serde_json::from_slice::<RehearseInput>(data);
    let _ = serde_json::from_slice::<RollbackInput>(data);
    let _ = serde_json::from_slice::<SilenceInput>(data);
    let _ = serde_json::from_slice::<TestInput>(data);
    let _ = serde_json::from_slice::<ValidateInput>(data);
}

/// A query in the first line, then headers: who asks, and for which part of a sound.
pub fn request_head(data: &[u8]) {
    const SOUND: &[u8] = b"0123456789";
    let line = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let (query, headers) = data.split_at(line);
    let _ = server::offline::query(&text(query));
    let proxy = "10.0.0.1:443".parse().expect("an address");
    let trusted = ["10.0.0.0/8".parse().expect("a network")];
    assert!(server::offline::peer(proxy, &trusted, headers).is_some());
    // Nobody else's word counts.
    let other = "203.0.113.7:443".parse().expect("an address");
    assert_eq!(
        server::offline::peer(other, &trusted, headers),
        Some("203.0.113.7".parse().expect("an address"))
    );
    let (status, length) = server::offline::part_of_sound(headers, SOUND);
    let length = length.expect("a length") as usize;
    match status {
        200 => assert_eq!(length, SOUND.len()),
        206 => assert!((1..=SOUND.len()).contains(&length)),
        304 | 416 => assert_eq!(length, 0),
        _ => panic!("{status}"),
    }
}
