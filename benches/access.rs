//! Whether the time of an answer tells a member that something is there which is not the member's.
//!
//! Each question is put in turns: about what is another's, and about what is nobody's. What counts is
//! the ratio of their medians, beside that of two questions about nobody's, which is what chance does.

#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]

mod support;

use std::{
    path::Path,
    time::{Duration, Instant},
};

use support::{Result, daemon, machine, report, setting};

/// Assistants of the other member, each with a history.
const ASSISTANTS: usize = 200;

/// What is asked, with `ID` and `NAME` of an assistant.
const QUESTIONS: [&str; 6] = [
    "assistants/ID",
    "assistants/NAME",
    "assistants/ID/history",
    "assistants/NAME/history",
    "stats?assistant_id=ID",
    "calls?assistant_id=NAME",
];

fn main() -> Result<()> {
    println!("{}", machine::describe());
    let folder = tempfile::tempdir()?;
    let db = folder.path().join("webox.db");
    let run = |args: &[&str]| run(folder.path(), &db, args);
    let settings = folder.path().join(".config/webox");
    std::fs::create_dir_all(&settings)?;
    std::fs::write(settings.join("webox.toml"), "[api]\nrequests_per_minute = 100000000\n")?;
    let clients = folder.path().join("clients");
    std::fs::create_dir(&clients)?;
    for n in 0..ASSISTANTS {
        let text = format!(
            "name = \"client-{n}\"\nclient = \"Client {n}\"\nphone = \"+331400{n:05}\"\ncontext = \"x\"\n"
        );
        std::fs::write(clients.join(format!("{n}.toml")), text)?;
    }
    for email in ["owner@example.com", "other@example.com"] {
        run(&["users", "add", email, "--role", "member"])?;
    }
    run(&["apply", "--yes", "clients", "--as", "owner@example.com"])?;
    let make =
        ["tokens", "create", "--user", "other@example.com", "--name", "t", "--scope", "read"];
    let key = run(&make)?;
    let daemon = daemon::Daemon::start(folder.path(), &[])?;
    report::title("another's beside nobody's, as a member is answered: medians and their ratio");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let http = reqwest::Client::builder().no_proxy().build()?;
        for question in QUESTIONS {
            let ask = async |id: &str, name: &str| -> Result<Duration> {
                let path = question.replace("ID", id).replace("NAME", name);
                let url = format!("http://{}/api/voice/{path}", daemon.address);
                let begun = Instant::now();
                let response = http.get(url).bearer_auth(key.trim()).send().await?;
                let status = response.status();
                response.bytes().await?;
                let elapsed = begun.elapsed();
                if status == 404 { Ok(elapsed) } else { Err(format!("{path}: {status}").into()) }
            };
            let (mut theirs, mut nobodys, mut again) = (Vec::new(), Vec::new(), Vec::new());
            for n in 0..setting("WEBOX_BENCH_QUESTIONS", 1_000) {
                // As long as each other, and another one each time.
                let n = n as usize % (ASSISTANTS - 100) + 100;
                theirs.push(ask(&n.to_string(), &format!("client-{n}")).await?);
                nobodys.push(ask(&(n + 800).to_string(), &format!("nobody-{n}")).await?);
                again.push(ask(&(n + 700).to_string(), &format!("no-one-{n}")).await?);
            }
            let [theirs, nobodys, again] = [theirs, nobodys, again].map(report::median);
            let ratio = |one: Duration| one.as_secs_f64() / nobodys.as_secs_f64();
            println!(
                "{question:<28} another's {:>8}  nobody's {:>8}  × {:.3}  (chance × {:.3})",
                report::milliseconds(theirs),
                report::milliseconds(nobodys),
                ratio(theirs),
                ratio(again),
            );
        }
        Ok(())
    })
}

/// Runs a command to its end; what it printed.
fn run(folder: &Path, db: &Path, args: &[&str]) -> Result<String> {
    let output = daemon::webox(folder, db).args(args).output()?;
    if output.status.success() {
        return Ok(String::from_utf8(output.stdout)?);
    }
    Err(String::from_utf8_lossy(&output.stderr).into_owned().into())
}
