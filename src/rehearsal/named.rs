//! Tools that rehearsals name: webox's own, and those of the assistant's file.

use super::{file::Scenario, wanted::Expect};
use crate::{
    document::Problem,
    domain::{AssistantSpec, HttpTool, did_you_mean},
};

/// The tools that a file names and that the assistant does not have.
pub(super) fn unknown(
    file: &str,
    text: &str,
    scenarios: &[Scenario],
    assistant: &AssistantSpec,
) -> Vec<Problem> {
    let own = assistant.tools.iter().map(|tool| tool.name.as_str());
    let known: Vec<&str> = HttpTool::TAKEN.iter().copied().chain(own.clone()).collect();
    let expected = |expect: &Expect| {
        expect.tool.0.iter().map(|tool| tool.name.clone()).collect::<Vec<String>>()
    };
    let mut problems = Vec::new();
    for scenario in scenarios {
        let named = std::iter::once(&scenario.greeting)
            .chain([&scenario.expect])
            .chain(scenario.turn.iter().map(|step| &step.expect))
            .flat_map(expected)
            .filter(|name| !known.contains(&name.as_str()));
        for name in named {
            problems.push(problem(file, text, &name, &known));
        }
        let answers = scenario.tools.iter().map(|played| &played.name);
        for name in answers.filter(|name| !own.clone().any(|own| own == *name)) {
            let names: Vec<&str> = own.clone().collect();
            problems.push(problem(file, text, name, &names));
        }
    }
    problems
}

fn problem(file: &str, text: &str, name: &str, known: &[&str]) -> Problem {
    let message = format!("`{}` has no tool `{}`", file_of(file), name.escape_debug());
    let near = did_you_mean(name, known.iter().copied()).into_iter().next();
    let hint = match near {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => "its file has no `[[tools]]`".to_owned(),
        None => format!("there are {}", known.join(", ")),
    };
    // The name in quotes stands where it is used; what is written otherwise is told without a place.
    match text.find(&format!("\"{name}\"")) {
        Some(at) => Problem::on(file, text, at..at + name.len() + 2, message).hint(hint),
        None => Problem::of_file(file, message).hint(hint),
    }
}

/// The assistant that rehearsals are for, as one calls it.
fn file_of(file: &str) -> &str {
    let name = file.rsplit('/').next().unwrap_or(file);
    name.strip_suffix(super::file::SUFFIX).unwrap_or(name)
}
