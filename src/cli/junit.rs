//! Rehearsals as JUnit XML, which every CI system shows.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Report as Document, TestCase, TestCaseStatus, TestSuite};

use super::rehearse::plain_transcript;
use crate::{
    domain::{Error, Result},
    rehearsal::{Outcome, Report},
};

/// One suite a file, one case a scenario.
pub(super) fn document(reports: &[Report]) -> Result<String> {
    let mut document = Document::new("webox test");
    for group in reports.chunk_by(|a, b| a.file == b.file) {
        let [first, ..] = group else { continue };
        let mut suite = TestSuite::new(first.file.clone());
        for report in group {
            let status = match &report.outcome {
                Outcome::Passed => TestCaseStatus::success(),
                Outcome::Skipped(why) => {
                    let mut status = TestCaseStatus::skipped();
                    status.set_message(why.clone());
                    status
                }
                Outcome::Failed => {
                    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
                    let mut told = report.turns.iter().flat_map(|turn| &turn.failures);
                    let first = told.next().or(report.failures.first());
                    status.set_message(first.cloned().unwrap_or_default());
                    status.set_description(plain_transcript(report));
                    status
                }
            };
            let mut case = TestCase::new(report.scenario.clone(), status);
            case.set_classname(report.assistant.clone());
            case.set_time(Duration::from_millis(report.elapsed_ms));
            suite.add_test_case(case);
        }
        document.add_test_suite(suite);
    }
    document
        .to_string()
        .map_err(|cause| Error::failure("the report cannot be written").because(cause))
}
