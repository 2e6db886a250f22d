//! First assistants, by trade: what restaurants, garages and others have in common, as a file to go on
//! from. Nothing stands in them that only one client could say, such as a price or an address.

use std::{fmt, str::FromStr};

use toml_edit::{DocumentMut, Item, value};

use crate::domain::{
    AssistantName, Error, LanguageTag, ModelRef, PhoneNumber, Result, suggestion_hint,
};

/// What a client does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trade {
    /// Books tables.
    Restaurant,
    /// Gives appointments to patients.
    Practice,
    /// Gives appointments to cars.
    Garage,
    /// Sells.
    Shop,
    /// Works for others, and calls back.
    Studio,
    /// Lets rooms by the night.
    Hotel,
}

impl Trade {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Restaurant, Self::Practice, Self::Garage, Self::Shop, Self::Studio, Self::Hotel];

    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Restaurant => "restaurant",
            Self::Practice => "practice",
            Self::Garage => "garage",
            Self::Shop => "shop",
            Self::Studio => "studio",
            Self::Hotel => "hotel",
        }
    }

    const fn text(self) -> &'static str {
        match self {
            Self::Restaurant => include_str!("trades/restaurant.toml"),
            Self::Practice => include_str!("trades/practice.toml"),
            Self::Garage => include_str!("trades/garage.toml"),
            Self::Shop => include_str!("trades/shop.toml"),
            Self::Studio => include_str!("trades/studio.toml"),
            Self::Hotel => include_str!("trades/hotel.toml"),
        }
    }
}

impl fmt::Display for Trade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Trade {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let words = Self::ALL.map(Self::as_str);
        Self::ALL.into_iter().find(|trade| trade.as_str() == text.trim()).ok_or_else(|| {
            let hint = suggestion_hint(text, words).unwrap_or_else(|| words.join(", "));
            Error::input(format!("`{}` is no trade that is known here", text.escape_debug()))
                .hint(hint)
        })
    }
}

/// Whose first assistant it is.
#[derive(Debug, Clone)]
pub struct First {
    /// Its name.
    pub name: AssistantName,
    /// Whom it works for.
    pub client: String,
    /// The number that it answers.
    pub phone: PhoneNumber,
    /// What it speaks: French, or English to whoever speaks something else.
    pub language: LanguageTag,
    /// Who thinks.
    pub model: ModelRef,
}

/// The file of a first assistant.
pub fn first(trade: Trade, first: &First) -> Result<String> {
    let broken = || Error::failure(format!("the template of the trade `{trade}` cannot be read"));
    let mut template: DocumentMut =
        trade.text().parse().map_err(|cause: toml_edit::TomlError| broken().because(cause))?;
    let tongue = if first.language.primary() == "fr" { "fr" } else { "en" };
    let contexts = template.remove("context").ok_or_else(broken)?;
    let context = contexts.get(tongue).and_then(Item::as_str).ok_or_else(broken)?;
    let mut text = String::from(if tongue == "fr" {
        "# À compléter : les horaires, ce que l'assistant sait (`[[facts]]`), à qui passer l'appel\n\
         # (`[transfer]`). `man webox-assistant` décrit toutes les clés ; `webox apply FICHIER` les applique.\n"
    } else {
        "# To be filled in: the hours, what the assistant knows (`[[facts]]`), whom to hand over to\n\
         # (`[transfer]`). `man webox-assistant` has all keys; `webox apply FILE` applies them.\n"
    });
    let mut head = DocumentMut::new();
    head["name"] = value(first.name.as_str());
    head["client"] = value(first.client.as_str());
    head["phone"] = value(first.phone.as_str());
    text.push_str(&head.to_string());
    // Several lines, as a person would write them. The name of a client is no template of ours.
    let context = context.replace("{client}", &first.client);
    let context = context.replace('\\', "\\\\").replace("\"\"\"", "''");
    let plain: String = context.chars().filter(|c| !c.is_control() || *c == '\n').collect();
    text.push_str(&format!("context = \"\"\"\n{}\"\"\"\n\n", plain.trim_start()));
    template["ai"]["model"] = value(first.model.as_str());
    if let Some(ai) = template["ai"].as_table_mut() {
        // What stands above it is for who reads the templates.
        ai.decor_mut().set_prefix("");
    }
    let mut voice = toml_edit::Table::new();
    voice.insert("line", value("gather"));
    voice.insert("language", value(first.language.as_str()));
    voice.decor_mut().set_prefix("\n");
    template.insert("voice", Item::Table(voice));
    text.push_str(template.to_string().trim_start());
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provision::read_text;

    fn of(trade: Trade, client: &str, language: &str) -> String {
        let client = client.to_owned();
        let name = AssistantName::from_client("Chez Léon").unwrap();
        let phone = "+33144556677".parse().unwrap();
        let (language, model) = (language.parse().unwrap(), ModelRef::builtin());
        first(trade, &First { name, client, phone, language, model }).unwrap()
    }

    #[test]
    fn every_trade_is_an_assistant_that_can_be_applied() {
        for trade in Trade::ALL {
            for language in ["fr-FR", "en-GB", "de-DE"] {
                let text = of(trade, "Chez Léon", language);
                let spec = read_text("first.toml", &text)
                    .unwrap_or_else(|problems| panic!("{trade} {language}: {problems:?}\n{text}"));
                assert_eq!((spec.client.as_str(), spec.name.as_str()), ("Chez Léon", "chez-leon"));
                assert!(spec.context.contains("Chez Léon"), "{}", spec.context);
                crate::provision::check_spec(&spec).unwrap();
            }
            assert_eq!(trade.as_str().parse::<Trade>().unwrap(), trade);
        }
    }

    proptest::proptest! {
        #[test]
        fn whatever_a_client_is_called_its_file_is_read(client in "[^\\p{Cc}]{1,60}") {
            if !client.trim().is_empty() {
                let spec = read_text("first.toml", &of(Trade::Shop, &client, "fr-FR")).unwrap();
                proptest::prop_assert_eq!(spec.client, client);
            }
        }
    }
}
