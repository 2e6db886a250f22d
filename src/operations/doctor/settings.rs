//! The settings: which file, what is odd about it, and the variables that it names.

use super::{Case, Finding, Group};

const GROUP: Group = Group::Settings;

pub(super) fn look(case: &Case) -> Vec<Finding> {
    let here = &case.here;
    let read = match &here.settings {
        Some(path) => GROUP.ok("file", format!("{} is read", path.display())),
        None => GROUP.ok("file", "there is none: environment and defaults hold"),
    };
    let odd = here.warnings.iter().map(|warning| {
        GROUP.warning("variables", warning, "correct its name, or take it out of the environment")
    });
    let unset = here.unset.iter().map(|(key, variable)| {
        GROUP.problem(
            key,
            format!("`{key}` names the variable {variable}, which is not set here"),
            format!("set {variable} where the daemon is started, or name a file: `{{ file = … }}`"),
        )
    });
    std::iter::once(read).chain(odd).chain(unset).collect()
}
