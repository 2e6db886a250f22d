//! `create`: from flags, or, where somebody can answer, by asking for what flags left out.

use clap::Args;

use super::{fields::Fields, report};
use crate::{
    cli::{Context, exit, help, prompt},
    domain::{
        AssistantName, AssistantSpec, EmailAddress, Error, LanguageTag, ModelRef, Personality,
        PhoneNumber, Result, VoiceProvider,
    },
    provision,
};

/// Arguments of `create`.
#[derive(Debug, Args)]
#[command(after_long_help = help::examples(
    &[
        ("webox assistants create", "asks for everything"),
        (
            "webox assistants create --client 'Garage Dupont' --phone '01 98 76 54 32' --context-file garage.txt",
            "asks nothing; its name will be garage-dupont",
        ),
        (
            "webox assistants create cabinet --client 'Cabinet Martin' --phone +33198765433 --context-file - < cabinet.txt",
            "what it knows comes from stdin",
        ),
    ],
    &[exit::FAILURE, exit::USAGE, exit::DATA],
))]
pub(super) struct Create {
    /// Its name, a slug [default: made from the client's name].
    name: Option<String>,
    #[command(flatten)]
    fields: Fields,
    /// The user that it belongs to [default: nobody in particular].
    #[arg(long, value_name = "EMAIL")]
    owner: Option<EmailAddress>,
    /// Say what would be created, and create nothing.
    #[arg(short = 'n', long)]
    dry_run: bool,
}

pub(super) fn run(args: &Create, context: &Context) -> Result<()> {
    let mut fields = args.fields.clone();
    let missing = missing(&fields);
    if !missing.is_empty() {
        if !context.may_ask() {
            let (verb, flags) = match missing.as_slice() {
                [one] => ("is", (*one).to_owned()),
                [first @ .., last] => ("are", format!("{} and {last}", first.join(", "))),
                [] => ("is", String::new()),
            };
            return Err(Error::usage(format!(
                "{flags} {verb} missing, and nobody is there to ask"
            ))
            .hint("see `webox assistants create --help`"));
        }
        ask(&mut fields)?;
    }
    let spec = build(args.name.as_deref(), &fields)?;
    provision::check_spec(&spec)?;
    if args.dry_run {
        context.out.note(&format!("Would create `{}` at {}.", spec.name, spec.phone));
        return Ok(());
    }
    let assistant = context.desk_to_fill("assistants create")?.create(spec, args.owner.clone())?;
    let sentence = format!(
        "Created `{}`, which answers {}. Talk to it with `webox try {}`.",
        assistant.spec.name, assistant.spec.phone, assistant.spec.name
    );
    report(context, &sentence, &assistant)
}

/// The flags without which there is no assistant, as far as they were not given.
fn missing(fields: &Fields) -> Vec<&'static str> {
    let mut missing = Vec::new();
    if fields.client.is_none() {
        missing.push("--client");
    }
    if fields.phone.is_none() {
        missing.push("--phone");
    }
    if fields.context.is_none() && fields.context_file.is_none() {
        missing.push("--context-file");
    }
    missing
}

/// The form: client, e-mail, number, model, context, personality, voice, language.
fn ask(fields: &mut Fields) -> Result<()> {
    if fields.client.is_none() {
        fields.client = Some(prompt::line("Client", None, |text| {
            if text.is_empty() {
                Err(Error::input("an assistant works for somebody"))
            } else {
                Ok(())
            }
        })?);
    }
    if fields.email.is_none() {
        let email = prompt::line("E-mail (may be empty)", None, |text| {
            if text.is_empty() || text.contains('@') {
                Ok(())
            } else {
                Err(Error::input("this is no e-mail address"))
            }
        })?;
        fields.email = Some(email);
    }
    if fields.phone.is_none() {
        let check = |text: &str| text.parse::<PhoneNumber>().map(|_| ());
        fields.phone = Some(prompt::line("Number callers dial", None, check)?);
    }
    if fields.model.is_none() {
        let check = |text: &str| text.parse::<ModelRef>().map(|_| ());
        fields.model = Some(prompt::line("Model", Some(ModelRef::BUILTIN), check)?);
    }
    if fields.context.is_none() && fields.context_file.is_none() {
        let client = fields.client.as_deref().unwrap_or_default();
        let start = format!("Tu es l'assistant téléphonique de {client}.\n");
        // Closing the editor without a change keeps the sentence it began with.
        fields.context = Some(prompt::editor(&start, ".txt")?.unwrap_or(start));
    }
    if fields.personality.is_none() {
        let words: Vec<&str> = Personality::ALL.iter().map(|tone| tone.as_str()).collect();
        fields.personality = Some(words[prompt::choice("Personality", &words, 0)?].to_owned());
    }
    if fields.voice.is_none() {
        let words: Vec<&str> = VoiceProvider::ALL.iter().map(|voice| voice.as_str()).collect();
        let usual = words.iter().position(|word| *word == "twilio").unwrap_or(0);
        fields.voice = Some(words[prompt::choice("Voice", &words, usual)?].to_owned());
    }
    if fields.language.is_none() {
        let check = |text: &str| text.parse::<LanguageTag>().map(|_| ());
        fields.language = Some(prompt::line("Language", Some("fr-FR"), check)?);
    }
    Ok(())
}

/// An assistant of a client, all else as usual.
pub(in crate::cli) fn new_spec(client: &str, phone: &str, context: &str) -> Result<AssistantSpec> {
    let given = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    let fields = Fields {
        client: given(client),
        phone: given(phone),
        context: given(context),
        ..Fields::default()
    };
    if let Some(flag) = missing(&fields).first() {
        let what = flag.trim_start_matches("--").trim_end_matches("-file");
        return Err(Error::input(format!("the {what} is missing")));
    }
    build(None, &fields)
}

fn build(name: Option<&str>, fields: &Fields) -> Result<AssistantSpec> {
    let client = fields.client.clone().unwrap_or_default();
    let name = match name {
        Some(name) => name.parse()?,
        None => AssistantName::from_client(&client).ok_or_else(|| {
            Error::usage(format!("no name can be made from `{}`", client.escape_debug()))
                .hint("give one: `webox assistants create NAME`")
        })?,
    };
    let phone = fields.phone.as_deref().unwrap_or_default().parse()?;
    let mut spec = AssistantSpec::new(name, client, phone, String::new());
    fields.set(&mut spec)?;
    Ok(spec)
}
