//! `webox assistants`: who answers which number.

mod create;
mod edit;
mod fields;
mod list;
mod switch;

use clap::{Args, Subcommand};

pub(in crate::cli) use create::new_spec;

use super::{Context, exit, help, views};
use crate::domain::{Assistant, Result};

/// Arguments of `webox assistants`.
#[derive(Debug, Args)]
#[command(after_long_help = help::examples(
    &[
        ("webox assistants", "list them"),
        ("webox assistants create", "asks for everything, on a terminal"),
        ("webox assistants disable le-gourmet", "from the next call on it does not answer"),
        ("webox assistants -o ids | xargs -n1 webox assistants show", "one after the other"),
    ],
    &[exit::FAILURE, exit::USAGE, exit::DATA],
))]
pub struct Assistants {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List all assistants (the same as `webox assistants`).
    List,
    /// Show everything that is set about an assistant.
    Show(list::Show),
    /// Create an assistant, from flags or by asking.
    Create(create::Create),
    /// Change an assistant, by flags or in your editor.
    Edit(edit::Edit),
    /// Let assistants answer their numbers.
    Enable(switch::Names),
    /// Let assistants no longer answer.
    Disable(switch::Names),
    /// Enable what is disabled and disable what is enabled.
    Toggle(switch::Names),
    /// Hand assistants over to a user.
    Give(switch::Give),
    /// Delete an assistant; its calls stay.
    Delete(switch::Delete),
}

pub(super) fn run(args: &Assistants, context: &Context) -> Result<()> {
    match &args.action {
        None | Some(Action::List) => list::list(context),
        Some(Action::Show(args)) => list::show(args, context),
        Some(Action::Create(args)) => create::run(args, context),
        Some(Action::Edit(args)) => edit::run(args, context),
        Some(Action::Enable(args)) => switch::run(args, switch::To::On, context),
        Some(Action::Disable(args)) => switch::run(args, switch::To::Off, context),
        Some(Action::Toggle(args)) => switch::run(args, switch::To::Other, context),
        Some(Action::Give(args)) => switch::give(args, context),
        Some(Action::Delete(args)) => switch::delete(args, context),
    }
}

/// Tells what was done, to a person in a sentence, to a script as the assistant itself.
fn report(context: &Context, sentence: &str, assistant: &Assistant) -> Result<()> {
    use super::output::Format;
    context.out.note(sentence);
    match context.out.format() {
        Format::Table => Ok(()),
        Format::Json | Format::Jsonl => {
            context.out.object("assistant", views::assistant(assistant).into())
        }
        _ => list::some(context, std::slice::from_ref(assistant)),
    }
}
