//! Channels of chats, by the incoming webhooks that they give out: Slack (and what takes the same, such
//! as Mattermost), Teams, Discord.

use reqwest::{
    Method,
    header::{CONTENT_TYPE, HeaderMap, HeaderValue, USER_AGENT},
};
use serde_json::{Value, json};

use super::{
    Failure, answer,
    outgoing::{Outgoing, Request},
};
use crate::domain::{AlertChannel, Secret, Trouble};

/// Discord takes 2,000 characters.
const LONGEST: usize = 1_900;

pub(super) async fn post(
    outgoing: &Outgoing,
    channel: AlertChannel,
    address: &Secret,
    text: &str,
    now: i64,
) -> Result<(), Failure> {
    let body = body(channel, text)
        .ok_or_else(|| (Trouble::Gone, format!("`{channel}` is no channel of a chat")))?;
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers
        .insert(USER_AGENT, HeaderValue::from_static(concat!("webox/", env!("CARGO_PKG_VERSION"))));
    let request = Request {
        method: Method::POST,
        url: address.expose().trim(),
        headers,
        body: Some(body.to_string().into_bytes()),
    };
    let response = outgoing.send(request).await.map_err(|refused| answer::unanswered(&refused))?;
    answer::taken(&response, now)
}

/// A text as a chat wants it; nobody is called by a name that stands in it.
fn body(channel: AlertChannel, text: &str) -> Option<Value> {
    let text: String = text.chars().take(LONGEST).collect();
    Some(match channel {
        // <https://docs.slack.dev/messaging/formatting-message-text>: three signs are its own.
        AlertChannel::Slack => {
            let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            json!({ "text": text })
        }
        AlertChannel::Discord => json!({ "content": text, "allowed_mentions": { "parse": [] } }),
        // What a workflow that begins with a webhook takes: an adaptive card.
        AlertChannel::Teams => {
            let lines = text.lines().map(|line| {
                json!({ "type": "TextBlock", "text": line, "wrap": true, "spacing": "Small" })
            });
            json!({
                "type": "message",
                "attachments": [{
                    "contentType": "application/vnd.microsoft.card.adaptive",
                    "contentUrl": null,
                    "content": {
                        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                        "type": "AdaptiveCard",
                        "version": "1.4",
                        "body": lines.collect::<Vec<_>>(),
                    },
                }],
            })
        }
        AlertChannel::Email | AlertChannel::Sms | AlertChannel::Webhook | AlertChannel::Command => {
            return None;
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_chat_gets_what_it_takes_and_nobody_is_called() {
        let text = "Alerte : <!channel> & @everyone\nRègle : disk";
        let slack = body(AlertChannel::Slack, text).unwrap();
        assert_eq!(slack["text"], "Alerte : &lt;!channel&gt; &amp; @everyone\nRègle : disk");
        let discord = body(AlertChannel::Discord, &"é".repeat(5_000)).unwrap();
        assert_eq!(discord["content"].as_str().unwrap().chars().count(), LONGEST);
        assert_eq!(discord["allowed_mentions"]["parse"], json!([]));
        let teams = body(AlertChannel::Teams, text).unwrap();
        let card = &teams["attachments"][0]["content"]["body"];
        assert_eq!(card[1]["text"], "Règle : disk");
        assert!(body(AlertChannel::Sms, text).is_none());
    }
}
