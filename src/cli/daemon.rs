//! What the commands that run a daemon share: a runtime, and the models that are set up.

use std::sync::Arc;

use tokio::runtime::{Builder, Runtime};

use crate::{
    config::Settings,
    domain::{Actor, Error, Result},
    operations::{assistants, secrets::Secrets},
    providers::llm::{self, Models, ProviderSettings},
    store::Store,
};

pub(super) fn runtime() -> Result<Runtime> {
    Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::failure("the daemon's runtime could not be started").because(error))
}

/// The models that the settings give keys or addresses for.
pub(super) fn models(settings: &Settings) -> Models {
    let url = |url: &Option<crate::config::PublicUrl>| url.as_ref().map(ToString::to_string);
    Models::new(ProviderSettings {
        openai_api_key: settings.openai.api_key.value.clone(),
        openai_base_url: url(&settings.openai.base_url.value),
        anthropic_api_key: settings.anthropic.api_key.value.clone(),
        anthropic_base_url: url(&settings.anthropic.base_url.value),
    })
}

/// The same, with the secrets that a store keeps.
pub(super) fn models_with(settings: &Settings, store: &Store, secrets: &Secrets) -> Models {
    let (store, secrets) = (store.clone(), secrets.clone());
    models(settings).keeping(Arc::new(move |owner, name| secrets.find(&store, owner, name)))
}

/// Says which assistants use a model that is, or soon will be, shut down or without a key.
pub(super) fn warn_of_models(store: &Store, models: &Models) -> Result<()> {
    let today = jiff::Timestamp::now().to_zoned_datetime(jiff::tz::TimeZone::UTC).date();
    for overview in assistants::list(store, &Actor::webox("serve"))? {
        let spec = &overview.assistant.spec;
        let owner = overview.assistant.owner.as_ref().map(|owner| owner.id);
        for model in std::iter::once(&spec.ai.model).chain(&spec.ai.fallbacks) {
            if model.is_builtin() {
                continue;
            }
            if let Some(warning) = llm::warning(model, today) {
                tracing::warn!(assistant = %spec.name, model = %model, "{warning}");
            }
            let key = spec.ai.api_key.as_ref();
            let key = key.filter(|_| models.share_a_provider(model, &spec.ai.model));
            if let Err(error) = models.find_with(model, key, owner) {
                tracing::warn!(
                    assistant = %spec.name, model = %model, detail = %error.detail,
                    "this model cannot be asked; the next in the chain will answer"
                );
            }
        }
    }
    Ok(())
}
