use std::sync::Arc;

use reqwest::header::HeaderValue;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::*;
use crate::providers::llm::{table::Table, testing};

#[test]
fn waiting_times_are_read_and_nonsense_is_not() {
    let told = |name: &'static str, value: &'static str| {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_static(value));
        retry_after(&headers)
    };
    assert_eq!(told("retry-after-ms", "250"), Some(Duration::from_millis(250)));
    assert_eq!(told("retry-after", "1.5"), Some(Duration::from_millis(1500)));
    for nonsense in ["-1", "NaN", "inf", "1e300", "Wed, 21 Oct 2026 07:28:00 GMT"] {
        assert_eq!(told("retry-after", nonsense), None, "{nonsense}");
    }
}

#[test]
fn only_what_can_be_spared_is_left_out() {
    let mut body = serde_json::json!({"model": "m", "messages": [], "reasoning_effort": "none"});
    assert!(leave_out(&mut body, "reasoning_effort"));
    assert!(!leave_out(&mut body, "reasoning_effort"));
    assert!(!leave_out(&mut body, "messages"));
    assert_eq!(body, serde_json::json!({"model": "m", "messages": []}));
}

fn answer(body: &'static str, may_be_empty: bool) -> Answer {
    let bytes = stream::iter(vec![Ok::<_, ModelError>(body.as_bytes())]);
    Answer {
        events: Box::pin(bytes.eventsource()),
        decoder: Wire::ChatCompletions.decoder(),
        decoded: VecDeque::new(),
        size: 0,
        heard: false,
        over: false,
        may_be_empty,
    }
}

fn collect(answer: Answer) -> Result<Vec<ChatEvent>, ModelError> {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(events(answer).try_collect())
}

const SILENT: &str =
    "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";

#[test]
fn an_empty_answer_is_unusable_except_after_a_tool() {
    for body in ["", ": keep-alive\n\n", "<html>no</html>\n\n", SILENT] {
        let failure = collect(answer(body, false)).unwrap_err();
        assert_eq!(failure.outcome, Outcome::Unusable, "{body}");
    }
    assert_eq!(
        collect(answer(SILENT, true)),
        Ok(vec![ChatEvent::Done { reason: StopReason::Finished, usage: None }])
    );
}

#[test]
fn an_answer_that_breaks_off_gives_what_came_and_then_an_error() {
    let body = ": hello\r\n\r\ndata: {\"choices\":[{\"delta\":{\"content\":\"Bon\"}}]}\r\n\r\n";
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let items: Vec<_> = runtime.block_on(events(answer(body, false)).collect());
    assert_eq!(items[0], Ok(ChatEvent::Text("Bon".into())));
    assert_eq!(items[1].as_ref().unwrap_err().outcome, Outcome::BrokenStream);
    assert_eq!(items.len(), 2);
}

/// A server that gives one answer a connection, and tells what it was asked.
async fn server(
    answers: &'static [&'static str],
) -> (String, tokio::task::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    let asked = tokio::spawn(async move {
        let mut asked = Vec::new();
        for answer in answers {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            while !is_whole(&request) {
                assert!(socket.read_buf(&mut request).await.unwrap() > 0);
            }
            asked.push(String::from_utf8(request).unwrap());
            socket.write_all(answer.as_bytes()).await.unwrap();
        }
        asked
    });
    (url, asked)
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    length.is_some_and(|length: usize| body.len() >= length)
}

fn model(url: &str, auth: Auth) -> RemoteModel {
    RemoteModel {
        id: "openai/m".into(),
        model: "m".into(),
        url: Wire::ChatCompletions.url(url),
        auth,
        wire: Wire::ChatCompletions,
        capabilities: Table::get().unwrap().row("gpt-6-luna").unwrap().capabilities.clone(),
        http: Arc::default(),
    }
}

async fn ask(model: &RemoteModel) -> Vec<Result<ChatEvent, ModelError>> {
    model.stream(testing::conversation()).collect().await
}

const ANSWERED: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\
    connection: close\r\n\r\n\
    data: {\"choices\":[{\"delta\":{\"content\":\"Oui\"},\"finish_reason\":\"stop\"}]}\n\n\
    data: [DONE]\n\n";

const UNSUPPORTED: &str = "HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n\
    {\"error\":{\"message\":\"no\",\"param\":\"reasoning_effort\",\"code\":\"unsupported_value\"}}";

#[tokio::test]
async fn a_refused_field_is_left_out_from_then_on() {
    let (url, asked) = server(&[UNSUPPORTED, ANSWERED, ANSWERED]).await;
    let model = model(&url, Auth::Bearer(Secret::new("k1")));
    for _ in 0..2 {
        let events = ask(&model).await;
        assert_eq!(events[0], Ok(testing::text("Oui")));
        assert_eq!(events[1], Ok(testing::done(StopReason::Finished, None)));
    }
    let asked = asked.await.unwrap();
    let sent: Vec<bool> = asked.iter().map(|text| text.contains("reasoning_effort")).collect();
    assert_eq!(sent, [true, false, false]);
    assert!(asked[0].contains("authorization: Bearer k1"));
}

#[tokio::test]
async fn a_field_that_stays_refused_is_an_error() {
    let (url, _asked) = server(&[UNSUPPORTED, UNSUPPORTED]).await;
    let events = ask(&model(&url, Auth::None)).await;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].as_ref().unwrap_err().outcome, Outcome::BadRequest);
}

#[tokio::test]
async fn a_refusal_is_told_without_the_key() {
    let (url, _asked) = server(&["HTTP/1.1 401 Unauthorized\r\nconnection: close\r\n\r\n\
        {\"error\":{\"message\":\"wrong key: my-key\",\"code\":\"invalid_api_key\"}}"])
    .await;
    let failure = ask(&model(&url, Auth::Bearer(Secret::new("my-key")))).await.remove(0);
    let failure = failure.unwrap_err();
    assert_eq!(failure.outcome, Outcome::Denied);
    assert_eq!(failure.detail, "401 invalid_api_key: wrong key: ***");
}

#[tokio::test]
async fn a_page_is_not_an_answer_and_a_redirect_is_not_followed() {
    let (url, _asked) = server(&[
        "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nconnection: close\r\n\r\n<html>Hi</html>",
        "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\nconnection: close\r\n\r\n",
    ])
    .await;
    let model = model(&url, Auth::None);
    for _ in 0..2 {
        assert_eq!(ask(&model).await[0].as_ref().unwrap_err().outcome, Outcome::Unusable);
    }
}

#[tokio::test]
async fn a_connection_that_is_cut_breaks_the_answer() {
    let (url, _asked) = server(&["HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\
        content-length: 9999\r\n\r\ndata: {\"choices\":[{\"delta\":{\"content\":\"Ou\"}}]}\n\n"])
    .await;
    let events = ask(&model(&url, Auth::None)).await;
    assert_eq!(events[0], Ok(testing::text("Ou")));
    assert_eq!(events[1].as_ref().unwrap_err().outcome, Outcome::BrokenStream);
}

#[tokio::test]
async fn nobody_there_is_unreachable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    drop(listener);
    let failure = ask(&model(&url, Auth::None)).await.remove(0).unwrap_err();
    assert_eq!(failure.outcome, Outcome::Unreachable);
    assert!(failure.detail.to_lowercase().contains("refused"), "{}", failure.detail);
}

#[test]
fn an_answer_without_end_is_cut() {
    let line = format!(
        "data: {{\"choices\":[{{\"delta\":{{\"content\":\"{}\"}}}}]}}\n\n",
        "a".repeat(1000)
    );
    let body: &'static str = line.repeat(ANSWER / 1000 + 2).leak();
    assert_eq!(collect(answer(body, false)).unwrap_err().outcome, Outcome::Unusable);
}

#[test]
fn a_mark_before_the_first_event_is_none_of_it() {
    let event = "data: {\"choices\":[{\"delta\":{\"content\":\"Oui\"}}]}\n\n";
    for marks in ["", "\u{feff}", "\u{feff}\u{feff}"] {
        let body = format!("{marks}{event}");
        for size in [1, 2, 1_000] {
            let pieces = body.as_bytes().chunks(size).map(<[u8]>::to_vec).collect();
            let events = crate::providers::llm::offline::stream(0, pieces);
            assert_eq!(events[0], Ok(testing::text("Oui")), "{marks:?} in pieces of {size}");
        }
    }
}
