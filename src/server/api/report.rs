//! `/api/voice/report`.

use axum::Json;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{assistants, auth::Asker, failure::Answer, parameters::Params};
use crate::{
    api::{OneReport, Success},
    domain::{Error, Month, ReportLanguage, ZoneName},
    operations::report::{self, Whose},
};

/// Which month, and whose.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Wanted {
    /// Such as `2026-11`.
    #[schemars(with = "String", regex(pattern = r"^2[01][0-9]{2}-(0[1-9]|1[0-2])$"))]
    month: Month,
    /// Of a client, by its name: of all its assistants.
    #[serde(default)]
    client: Option<String>,
    /// Of one assistant: its id or its name. Not with `client`.
    #[serde(default)]
    assistant_id: Option<String>,
    /// The language of the page; French when left out, unless none of the assistants speaks it first.
    #[serde(default)]
    lang: Option<ReportLanguage>,
    /// Whose clocks: those of the assistants when left out, if they are the same, and UTC otherwise.
    #[serde(default)]
    timezone: Option<ZoneName>,
}

pub(super) async fn report(asker: Asker, Params(wanted): Params<Wanted>) -> Answer<OneReport> {
    let html = asker
        .ask(move |store, actor, _| {
            let id = assistants::named(store, actor, wanted.assistant_id.as_ref())?;
            let whose = match (wanted.client, id) {
                (None, None) => Whose::All,
                (Some(client), None) => Whose::Client(client),
                (None, Some(id)) => Whose::Assistant(id),
                (Some(_), Some(_)) => {
                    return Err(Error::input("a report is of a client or of an assistant")
                        .hint("leave `client` or `assistant_id` out"));
                }
            };
            let wanted = report::Wanted {
                month: wanted.month,
                whose,
                language: wanted.lang,
                zone: wanted.timezone,
            };
            Ok(report::page(&report::report(store, actor, &wanted)?))
        })
        .await?;
    Ok(Json(OneReport { success: Success::default(), html }))
}
