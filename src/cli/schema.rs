//! `webox schema`: the JSON Schema of an assistant's file, for editors.

use clap::Args;

use super::{Context, help};
use crate::{domain::Result, provision};

/// Arguments of `webox schema`.
#[derive(Debug, Args)]
#[command(after_long_help = help::examples(
    &[("webox schema > assistants/assistant.schema.json", "then begin each file with `#:schema ./assistant.schema.json`")],
    &[],
))]
pub struct Schema {}

pub(super) fn run(_: &Schema, context: &Context) -> Result<()> {
    context.out.text(&format!("{:#}\n", provision::schema()))
}
