//! How many files and connections a process may have open.

use super::{Case, Finding, Group};

const GROUP: Group = Group::Files;

/// A call on a socket has a connection of Twilio's and up to three to those who think, listen and speak.
const FEW: u64 = 4_096;
const TOO_FEW: u64 = 1_024;

pub(super) fn look(case: &Case) -> Vec<Finding> {
    let Some(most) = case.here.open_files else {
        return vec![GROUP.skipped("limit", "this system does not tell")];
    };
    // A daemon that systemd starts has that of its unit, which is larger.
    let seen = format!("what is started here may have at most {most} files and connections open");
    let advice = "raise it: `LimitNOFILE=` of the systemd unit, or `ulimit -Hn` before the start";
    vec![match most {
        0..TOO_FEW => GROUP.problem("limit", seen, advice),
        TOO_FEW..FEW => GROUP.warning("limit", seen, advice),
        u64::MAX => GROUP
            .ok("limit", "what is started here may have any number of files and connections open"),
        _ => GROUP.ok("limit", seen),
    }]
}
