//! `webox plan`: what `webox apply` would do.

use std::path::PathBuf;

use clap::Args;

use super::{
    Context,
    desk::Desk,
    diagnostics, exit, help,
    output::{Colour, Format},
    plan_text,
    wiring::Wirings,
};
use crate::{
    domain::{Error, Result},
    provision::Plan,
};

/// Arguments of `webox plan`.
#[derive(Debug, Args)]
#[command(after_long_help = help::examples(
    &[
        ("webox plan assistants/", "field by field, with what was changed by hand"),
        ("webox plan assistants/ --out plan.json && webox apply --plan plan.json", "apply exactly what was shown"),
        ("webox plan assistants/ --prune --detailed-exitcode -o markdown > plan.md", "for a pull request; 2 when there are changes"),
    ],
    &[exit::CHANGES_PRESENT, exit::USAGE, exit::DATA, exit::BUSY],
))]
pub struct PlanArguments {
    /// Files, folders (every `*.toml` in them), or `-` for stdin.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Write the plan into a file, for `webox apply --plan`.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// End with 2 when there are changes.
    #[arg(long)]
    detailed_exitcode: bool,
    /// Delete assistants of these sets that are in no file.
    #[arg(long)]
    prune: bool,
    /// Do not ask Twilio how the numbers with `phone.manage` are wired.
    #[arg(long)]
    offline: bool,
}

pub(super) fn run(args: &PlanArguments, context: &Context) -> Result<u8> {
    let known = [Format::Text, Format::Table, Format::Json, Format::Markdown];
    let format = context.out.one_of(&known)?;
    // A plan that is kept is of one store, which is there from now on.
    let desk = match args.out {
        Some(_) => context.desk_to_fill("plan")?,
        None => context.desk_to_ask("plan")?,
    };
    let plan = make(desk.as_ref(), &args.paths, args.prune, context)?;
    if let Some(path) = &args.out {
        plan.save(path)?;
    }
    let wirings = Wirings::look(desk.as_ref(), &plan, args.offline, context)?;
    match format {
        Format::Json => {
            let wiring = ("wiring", wirings.json());
            context.out.objects(plan_text::objects(&plan)?.into_iter().chain([wiring]))?;
        }
        Format::Markdown => {
            context.out.text(&plan_text::markdown(&plan))?;
            let wiring = wirings.text(Colour::OFF);
            if !wiring.is_empty() {
                context.out.text(&format!("\n```\n{wiring}```\n"))?;
            }
        }
        _ => {
            context.out.text(&plan_text::text(&plan, context.out.colour()))?;
            context.out.text(&wirings.text(context.out.colour()))?;
        }
    }
    if let Some(path) = &args.out {
        let path = path.display();
        context.out.note(&format!("Apply exactly this with `webox apply --plan {path}`."));
    }
    // A number that cannot be connected is not as the files say, either.
    let wired = wirings.to_change() + wirings.in_error();
    let changes = args.detailed_exitcode && (!plan.is_empty() || wired > 0);
    Ok(if changes { exit::CHANGES_PRESENT } else { exit::OK })
}

/// Reads the files and compares them with the store.
pub(super) fn make(
    desk: &dyn Desk,
    paths: &[PathBuf],
    prune: bool,
    context: &Context,
) -> Result<Plan> {
    let loaded = diagnostics::load(paths, context)?;
    if loaded.is_empty() {
        return Err(Error::input("there is no assistant in these paths"));
    }
    desk.plan(&loaded, prune)?.map_err(|problems| diagnostics::told(&problems, context))
}
