//! What is too long for one request is put into a bucket in parts.

use std::time::Duration;

use sha2::{Digest, Sha256};
use webox::{
    domain::{Kind, Secret},
    integrations::s3::{Storage, StorageSettings},
};

use crate::support::fake_s3::{self, FakeS3};

fn storage(bucket: &FakeS3) -> Storage {
    let settings = StorageSettings {
        endpoint: bucket.url(),
        region: fake_s3::REGION.to_owned(),
        bucket: fake_s3::BUCKET.to_owned(),
        path_style: true,
        access_key: Secret::new(fake_s3::ACCESS_KEY),
        secret_key: Secret::new(fake_s3::SECRET_KEY),
    };
    Storage::waiting(&settings, Duration::from_millis(300)).unwrap().in_parts_of(3_000)
}

fn file(bytes: usize) -> (tempfile::NamedTempFile, Vec<u8>) {
    let content: Vec<u8> = (0..bytes).map(|n| (n * n / 7) as u8).collect();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &content).unwrap();
    (file, content)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_file_arrives_whole_though_parts_are_refused_at_first() {
    let bucket = FakeS3::start();
    bucket.refuse_parts(2);
    for (bytes, requests) in [(3_000, 1), (3_001, 2 + 2 + 2), (9_000, 3 + 2), (10_000, 4 + 2)] {
        let (file, content) = file(bytes);
        let before = bucket.asked().len();
        let sum = Sha256::digest(&content);
        storage(&bucket).put("a/b", file.path(), &sum).await.unwrap();
        assert!(bucket.taken("a/b") == content, "{bytes} bytes");
        assert_eq!(bucket.asked().len() - before, requests, "{bytes} bytes");
        assert_eq!(bucket.unfinished(), Vec::<String>::new());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_that_nobody_needs_are_taken_away() {
    let bucket = FakeS3::start();
    bucket.refuse_parts(100);
    let (file, content) = file(10_000);
    let sum = Sha256::digest(&content);
    let error = storage(&bucket).put("a/b", file.path(), &sum).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable);
    assert!(format!("{error:?}").contains("SlowDown"), "{error:?}");
    assert_eq!((bucket.unfinished(), bucket.keys()), (Vec::new(), Vec::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_line_is_no_broken_one_and_a_lost_answer_no_lost_file() {
    let bucket = FakeS3::start();
    // Longer than between two pieces of an answer.
    bucket.is_slow(Duration::from_millis(900));
    bucket.lose_answers(1);
    for bytes in [2_000, 5_000] {
        let (file, content) = file(bytes);
        let sum = Sha256::digest(&content);
        storage(&bucket).put("a/c", file.path(), &sum).await.unwrap();
        assert!(bucket.taken("a/c") == content, "{bytes} bytes");
        assert_eq!(bucket.unfinished(), Vec::<String>::new());
    }
}
