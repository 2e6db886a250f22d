//! A bucket of S3-compatible storage on this machine: it keeps what it is given, compares it with the
//! digest that comes with it, and lets nobody in whose address is not signed.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    thread::JoinHandle,
};

use axum::{
    Router,
    body::Bytes,
    http::{HeaderMap, Method, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};
use tokio::sync::oneshot;

pub(crate) const ACCESS_KEY: &str = "AKDOUBLE0000000000";
pub(crate) const SECRET_KEY: &str = "double-secret-5d1c7e";
pub(crate) const REGION: &str = "fr-par";
pub(crate) const BUCKET: &str = "calls";

/// So few on a page that a list has several.
const PAGE: usize = 2;

#[derive(Default)]
struct Kept {
    objects: BTreeMap<String, Vec<u8>>,
    asked: Vec<String>,
    is_down: bool,
    /// What was asked once and refused, where it is asked for twice.
    refused_once: Option<BTreeSet<String>>,
    /// Parts of what is not put together yet, by key.
    parts: BTreeMap<String, BTreeMap<u16, Vec<u8>>>,
    /// So many parts are refused before one is taken.
    refused_parts: u32,
    /// Files that are put together without a word of it.
    lost_answers: u32,
    /// Keys that nobody may delete.
    locked: Vec<String>,
    /// How long it thinks before it answers what is put.
    slow: std::time::Duration,
}

/// Storage that stops when it is dropped.
pub(crate) struct FakeS3 {
    address: std::net::SocketAddr,
    kept: Arc<Mutex<Kept>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl FakeS3 {
    pub(crate) fn start() -> Self {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let kept = Arc::new(Mutex::new(Kept::default()));
        let (stop, stopped) = oneshot::channel::<()>();
        let shelf = Arc::clone(&kept);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async move {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                let answer = move |method: Method, uri: Uri, headers: HeaderMap, body: Bytes| {
                    let shelf = Arc::clone(&shelf);
                    async move {
                        let slow = shelf.lock().unwrap().slow;
                        if method == Method::PUT {
                            tokio::time::sleep(slow).await;
                        }
                        answer(&shelf, &method, &uri, &headers, &body)
                    }
                };
                let router = Router::new()
                    .fallback(answer)
                    .layer(axum::extract::DefaultBodyLimit::disable());
                let served = axum::serve(listener, router);
                tokio::select! { _ = served => {}, _ = stopped => {} }
            });
        });
        Self { address, kept, stop: Some(stop), thread: Some(thread) }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Keys there are.
    pub(crate) fn keys(&self) -> Vec<String> {
        self.kept.lock().unwrap().objects.keys().cloned().collect()
    }

    /// What it was asked: methods and keys.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.kept.lock().unwrap().asked.clone()
    }

    pub(crate) fn lay(&self, key: &str, content: &[u8]) {
        self.kept.lock().unwrap().objects.insert(key.to_owned(), content.to_vec());
    }

    pub(crate) fn taken(&self, key: &str) -> Vec<u8> {
        self.kept.lock().unwrap().objects[key].clone()
    }

    /// Keys of which parts are there, that nobody put together or gave up.
    pub(crate) fn unfinished(&self) -> Vec<String> {
        self.kept.lock().unwrap().parts.keys().cloned().collect()
    }

    pub(crate) fn refuse_parts(&self, count: u32) {
        self.kept.lock().unwrap().refused_parts = count;
    }

    pub(crate) fn lose_answers(&self, count: u32) {
        self.kept.lock().unwrap().lost_answers = count;
    }

    /// Nobody may delete it.
    pub(crate) fn lock(&self, key: &str) {
        self.kept.lock().unwrap().locked.push(key.to_owned());
    }

    pub(crate) fn is_slow(&self, slow: std::time::Duration) {
        self.kept.lock().unwrap().slow = slow;
    }

    /// Refuses whatever is asked for the first time.
    pub(crate) fn refuse_once(&self) {
        self.kept.lock().unwrap().refused_once = Some(BTreeSet::new());
    }

    pub(crate) fn is_down(&self, down: bool) {
        self.kept.lock().unwrap().is_down = down;
    }
}

impl Drop for FakeS3 {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn refused(status: u16, code: &str, message: &str) -> Response {
    let body = format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>");
    (StatusCode::from_u16(status).unwrap(), body).into_response()
}

fn answer(
    shelf: &Mutex<Kept>,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    body: &Bytes,
) -> Response {
    let mut kept = shelf.lock().unwrap();
    let key = uri.path().strip_prefix(&format!("/{BUCKET}/")).unwrap_or_default().to_owned();
    kept.asked.push(format!("{method} {key}"));
    if kept.is_down {
        return refused(503, "SlowDown", "Please reduce your request rate.");
    }
    let what = format!("{method} {key}");
    if kept.refused_once.as_mut().is_some_and(|refused| refused.insert(what)) {
        return refused(503, "SlowDown", "Please reduce your request rate.");
    }
    let query: BTreeMap<String, String> = reqwest::Url::parse(&format!("http://x{uri}"))
        .unwrap()
        .query_pairs()
        .into_owned()
        .collect();
    let of = |name: &str| query.get(name).map_or("", String::as_str);
    let credential: Vec<&str> = of("X-Amz-Credential").split('/').collect();
    let signed: Vec<&str> = of("X-Amz-SignedHeaders").split(';').collect();
    let signature = of("X-Amz-Signature");
    if of("X-Amz-Algorithm") != "AWS4-HMAC-SHA256"
        || signature.len() != 64
        || !signature.bytes().all(|byte| byte.is_ascii_hexdigit())
        || !signed.contains(&"host")
    {
        return refused(403, "AccessDenied", "The request is not signed.");
    }
    let [who, _day, REGION, "s3", "aws4_request"] = credential[..] else {
        return refused(400, "AuthorizationQueryParametersError", "The credential is wrong.");
    };
    if who != ACCESS_KEY {
        return refused(403, "InvalidAccessKeyId", "The access key does not exist.");
    }
    if !uri.path().starts_with(&format!("/{BUCKET}")) {
        return refused(404, "NoSuchBucket", "The bucket does not exist.");
    }
    if let Some(answer) = in_parts(&mut kept, method, &key, &query, headers, body) {
        return answer;
    }
    match *method {
        Method::PUT => {
            let digest = headers.get("x-amz-checksum-sha256").and_then(|value| value.to_str().ok());
            if !signed.contains(&"x-amz-checksum-sha256") {
                return refused(403, "AccessDenied", "There were headers which were not signed.");
            }
            if digest != Some(STANDARD.encode(Sha256::digest(body)).as_str()) {
                return refused(400, "BadDigest", "The digest did not match.");
            }
            if headers.get("content-length").is_none() {
                return refused(411, "MissingContentLength", "A length is needed.");
            }
            kept.objects.insert(key, body.to_vec());
            StatusCode::OK.into_response()
        }
        Method::DELETE if kept.locked.contains(&key) => {
            refused(403, "AccessDenied", "The object is locked.")
        }
        Method::DELETE => {
            kept.objects.remove(&key);
            StatusCode::NO_CONTENT.into_response()
        }
        Method::GET if key.is_empty() => {
            let after = of("continuation-token");
            let mut there = kept
                .objects
                .iter()
                .filter(|(key, _)| key.starts_with(of("prefix")) && key.as_str() > after);
            let page: Vec<_> = there.by_ref().take(PAGE).collect();
            let mut xml = String::from(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
                 <ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
                 <Name>calls</Name><MaxKeys>2</MaxKeys><EncodingType>url</EncodingType>",
            );
            if let (Some(_), Some((last, _))) = (there.next(), page.last()) {
                xml.push_str("<IsTruncated>true</IsTruncated>");
                xml.push_str(&format!("<NextContinuationToken>{last}</NextContinuationToken>"));
            }
            for (key, content) in page {
                let length = content.len();
                xml.push_str(&format!(
                    "<Contents><Key>{key}</Key><LastModified>2026-11-27T05:30:00.000Z</LastModified>\
                     <ETag>&quot;0&quot;</ETag><Size>{length}</Size><StorageClass>STANDARD</StorageClass></Contents>"
                ));
            }
            xml.push_str("</ListBucketResult>");
            xml.into_response()
        }
        Method::GET => {
            let Some(content) = kept.objects.get(&key) else {
                return refused(404, "NoSuchKey", "The key does not exist.");
            };
            let range = headers.get("range").and_then(|value| value.to_str().ok());
            let last =
                range.and_then(|range| range.strip_prefix("bytes=0-")?.parse::<usize>().ok());
            match last {
                Some(last) => {
                    let part = content[..content.len().min(last + 1)].to_vec();
                    (StatusCode::PARTIAL_CONTENT, part).into_response()
                }
                None => content.clone().into_response(),
            }
        }
        _ => StatusCode::METHOD_NOT_ALLOWED.into_response(),
    }
}

/// What is about a file in parts: begin, put one, put them together, give them up.
fn in_parts(
    kept: &mut Kept,
    method: &Method,
    key: &str,
    query: &BTreeMap<String, String>,
    headers: &HeaderMap,
    body: &Bytes,
) -> Option<Response> {
    let (id, xmlns) = (format!("upload of {key}"), "http://s3.amazonaws.com/doc/2006-03-01/");
    if *method == Method::POST && headers.get("content-length").is_none() {
        return Some(refused(411, "MissingContentLength", "A length is needed."));
    }
    if *method == Method::POST && query.contains_key("uploads") {
        kept.parts.insert(key.to_owned(), BTreeMap::new());
        let xml = format!(
            "<InitiateMultipartUploadResult xmlns=\"{xmlns}\"><Bucket>calls</Bucket><Key>{key}</Key>\
             <UploadId>{id}</UploadId></InitiateMultipartUploadResult>"
        );
        return Some(xml.into_response());
    }
    let given = query.get("uploadId")?;
    if *given != id || !kept.parts.contains_key(key) {
        return Some(refused(404, "NoSuchUpload", "The upload does not exist."));
    }
    Some(match *method {
        Method::PUT if kept.refused_parts > 0 => {
            kept.refused_parts -= 1;
            refused(503, "SlowDown", "Please reduce your request rate.")
        }
        Method::PUT => {
            let digest = headers.get("content-md5").and_then(|value| value.to_str().ok());
            if digest != Some(STANDARD.encode(md5::Md5::digest(body)).as_str()) {
                return Some(refused(400, "BadDigest", "The digest did not match."));
            }
            let number: u16 = query["partNumber"].parse().unwrap();
            kept.parts.get_mut(key)?.insert(number, body.to_vec());
            ([("etag", format!("\"part-{number}\""))], ()).into_response()
        }
        Method::POST => {
            let parts = kept.parts.remove(key)?;
            let told = String::from_utf8_lossy(body);
            for number in 1..=parts.len() {
                assert!(told.contains(&format!("part-{number}")), "{told}");
            }
            assert!(parts.keys().copied().eq(1..=parts.len() as u16), "{:?}", parts.keys());
            kept.objects.insert(key.to_owned(), parts.into_values().flatten().collect());
            if kept.lost_answers > 0 {
                kept.lost_answers -= 1;
                return Some(refused(500, "InternalError", "We encountered an internal error."));
            }
            let xml = format!(
                "<CompleteMultipartUploadResult xmlns=\"{xmlns}\"><Location>x</Location><Bucket>calls</Bucket>\
                 <Key>{key}</Key><ETag>&quot;0-2&quot;</ETag></CompleteMultipartUploadResult>"
            );
            xml.into_response()
        }
        _ => {
            kept.parts.remove(key);
            StatusCode::NO_CONTENT.into_response()
        }
    })
}
