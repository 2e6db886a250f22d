//! The environment variables that webox reads: one table for the check of misspelt ones and for the
//! manual.

/// Their names, and what they say. Any of the secrets may come from a file instead, which
/// `NAME_FILE` names.
pub const VARIABLES: &[(&str, &str)] = &[
    ("WEBOX_CONFIG", "The settings file, as with --config."),
    ("WEBOX_DB", "The database, as with --db."),
    (
        "WEBOX_SERVER",
        "The daemon to ask instead of the database here, as with --server. Empty, it is refused.",
    ),
    ("WEBOX_TOKEN", "The key that a daemon is asked with; before the one that webox login kept."),
    ("WEBOX_TOKEN_FILE", "A file with that key, alone, which only its owner can read."),
    ("WEBOX_LISTEN", "The address to listen at, as with serve --listen."),
    (
        "WEBOX_PUBLIC_URL",
        "The address that Twilio reaches the daemon by, as with serve --public-url.",
    ),
    ("WEBOX_LOG", "What is logged: a level such as info, or a filter such as webox=debug."),
    ("WEBOX_TZ", "The zone of times on the terminal."),
    (
        "WEBOX_TRUSTED_PROXIES",
        "Addresses and networks whose X-Forwarded-For is believed, separated by commas.",
    ),
    ("WEBOX_CORS_ORIGINS", "Web pages from elsewhere that may ask the API, separated by commas."),
    (
        "WEBOX_ALLOWED_NETWORKS",
        "Networks that deliveries may go to although they are not public, separated by commas.",
    ),
    ("WEBOX_ALLOW_HTTP", "Whether deliveries may go to addresses without TLS: true or false."),
    (
        "WEBOX_MASTER_KEY",
        "The master key of kept secrets, as text; several lines while one replaces another.",
    ),
    ("WEBOX_MASTER_KEY_FILE", "The file with the master key."),
    (
        "WEBOX_RECORDINGS_FOLDER",
        "The folder that recordings of calls are fetched into; they stay at Twilio without one.",
    ),
    ("WEBOX_SMTP_HOST", "The server that mail leaves by."),
    ("WEBOX_SMTP_PORT", "Its port; 465, 587 or 25 by its encryption otherwise."),
    ("WEBOX_SMTP_ENCRYPTION", "How it is spoken to: tls, starttls or none."),
    ("WEBOX_SMTP_USER", "Who sends, where the server asks."),
    ("WEBOX_SMTP_PASSWORD", "The password of that user."),
    ("WEBOX_SMTP_PASSWORD_FILE", "A file with it, alone."),
    ("WEBOX_SMTP_FROM", "The address that mail is from."),
    ("WEBOX_BACKUP_TO", "Where backups are made to: a folder, or s3://BUCKET/PREFIX."),
    ("WEBOX_BACKUP_ENDPOINT", "Where the storage of such a bucket answers."),
    ("WEBOX_BACKUP_REGION", "Its region."),
    ("WEBOX_BACKUP_ACCESS_KEY", "Who asks there."),
    ("WEBOX_BACKUP_ACCESS_KEY_FILE", "A file with that, alone."),
    ("WEBOX_BACKUP_SECRET_KEY", "The key that is asked with."),
    ("WEBOX_BACKUP_SECRET_KEY_FILE", "A file with it, alone."),
    (
        "WEBOX_UPGRADE_WITHOUT_COPY",
        "Whether a database of an older webox is brought forward without a copy of it: true or false.",
    ),
    (
        "WEBOX_METRICS_LISTEN",
        "Where figures for Prometheus are to be had, as with serve --metrics-listen; off for nowhere.",
    ),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "The collector that figures and traces are pushed to."),
    ("OTEL_EXPORTER_OTLP_HEADERS", "What it wants to be told: name=value, separated by commas."),
    ("OTEL_EXPORTER_OTLP_HEADERS_FILE", "A file with that, alone."),
    ("TWILIO_ACCOUNT_SID", "The account whose numbers ring here."),
    (
        "TWILIO_AUTH_TOKEN",
        "What Twilio signs with; several, separated by commas, while one replaces another.",
    ),
    ("TWILIO_AUTH_TOKEN_FILE", "A file with it, alone."),
    ("TWILIO_BASE_URL", "Where Twilio's REST API answers, in another region."),
    ("OPENAI_API_KEY", "The key to OpenAI, or to a server that speaks like it."),
    ("OPENAI_API_KEY_FILE", "A file with it, alone."),
    ("OPENAI_BASE_URL", "Where that server answers."),
    ("ANTHROPIC_API_KEY", "The key to Anthropic."),
    ("ANTHROPIC_API_KEY_FILE", "A file with it, alone."),
    ("ANTHROPIC_BASE_URL", "Where Anthropic answers, when not at the usual address."),
    ("OPENAI_VOICE_MODEL", "The model that speaks at OpenAI, or a server like it."),
    ("ELEVENLABS_API_KEY", "The key to ElevenLabs."),
    ("ELEVENLABS_API_KEY_FILE", "A file with it, alone."),
    ("ELEVENLABS_BASE_URL", "Where ElevenLabs answers, when not at the usual address."),
    ("ELEVENLABS_MODEL", "The model that speaks there."),
    ("DEEPGRAM_API_KEY", "The key to Deepgram."),
    ("DEEPGRAM_API_KEY_FILE", "A file with it, alone."),
    ("DEEPGRAM_BASE_URL", "Where Deepgram answers, when not at the usual address."),
    ("AZURE_SPEECH_KEY", "The key to a speech resource of Azure's."),
    ("AZURE_SPEECH_KEY_FILE", "A file with it, alone."),
    ("AZURE_SPEECH_REGION", "Where that resource is, such as westeurope."),
    ("AZURE_SPEECH_BASE_URL", "Where it answers, in a cloud of its own."),
    ("GOOGLE_API_KEY", "A key to Google Cloud's text to speech."),
    ("GOOGLE_API_KEY_FILE", "A file with it, alone."),
    ("GOOGLE_APPLICATION_CREDENTIALS", "The file with the key of a service account of Google's."),
    ("GOOGLE_CLOUD_PROJECT", "The project that pays; the service account's own otherwise."),
    ("GOOGLE_CLOUD_LOCATION", "Where Google listens: global, eu, europe-west4."),
    ("GOOGLE_SPEECH_BASE_URL", "Where Google listens, when not at the usual address."),
    ("GOOGLE_VOICE_BASE_URL", "Where Google speaks, when not at the usual address."),
    ("HUBSPOT_BASE_URL", "Where HubSpot answers, when not at the usual address."),
    ("GOOGLE_CALENDAR_BASE_URL", "Where Google's calendars are, when not at the usual address."),
    ("PIPEDRIVE_BASE_URL", "Where Pipedrive answers, when not at the usual address."),
    (
        "CREDENTIALS_DIRECTORY",
        "systemd's folder of credentials; read before files and variables: webox-token, webox-master-key, twilio-auth-token, openai-api-key, anthropic-api-key, elevenlabs-api-key, deepgram-api-key, azure-speech-key, google-api-key, smtp-password, backup-access-key, backup-secret-key.",
    ),
    (
        "XDG_CONFIG_HOME, XDG_DATA_HOME",
        "Where settings and keys, and where the database are, when not below HOME.",
    ),
    ("NO_COLOR", "Colours nothing, unless --color says otherwise."),
    ("CI", "Asks nothing: fails where a question would come."),
];

/// Those that are ours alone.
pub(super) fn ours() -> impl Iterator<Item = &'static str> {
    VARIABLES.iter().map(|(name, _)| *name).filter(|name| name.starts_with("WEBOX_"))
}
