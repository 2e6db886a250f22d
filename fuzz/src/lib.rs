//! What outsiders reach, one target a parser; and what looks for inputs that one of them does not bear.

pub mod coverage;
pub mod hunt;
pub mod mutate;
pub mod targets;

use targets::{files, http, providers, sound, speech, twilio, values};

/// A parser that is attacked.
pub struct Target {
    /// Its name, and its folder's under `seeds`.
    pub name: &'static str,
    /// Must bear whatever bytes.
    pub run: fn(&[u8]),
    /// Words that such inputs have.
    pub words: &'static [&'static str],
    /// Longer inputs are cut.
    pub longest: usize,
}

/// All of them.
#[rustfmt::skip]
pub const TARGETS: &[Target] = &[
    Target { name: "form_body", run: twilio::form_body, longest: 8 * 1024, words: &["CallSid=CA00000000000000000000000000000001", "&From=%2B33612345678", "&To=", "&SpeechResult=", "&Confidence=", "&CallStatus=", "&CallDuration=", "&Digits=", "&DialCallStatus=", "&RecordingUrl=", "&AnsweredBy=", "&StirVerstat=", "&TranscriptionText="] },
    Target { name: "signature", run: twilio::signature, longest: 8 * 1024, words: &["https://", "http://", ":443", ":80", "#", "?bodySHA256=", "user@"] },
    Target { name: "twiml_text", run: twilio::twiml_text, longest: 8 * 1024, words: &["<Say>", "</Say>", "<![CDATA[", "&#x0;", "<?xml", "<!--", "<!DOCTYPE"] },
    Target { name: "socket_message", run: twilio::socket_message, longest: 8 * 1024, words: &["media", "start", "stop", "mark", "dtmf", "clear", "setup", "prompt", "interrupt", "error", "payload", "customParameters", "handoffData"] },
    Target { name: "twilio_answer", run: twilio::twilio_answer, longest: 8 * 1024, words: &["calls", "incoming_phone_numbers", "price", "price_unit", "next_page_uri", "start_time", "Tue, 24 Nov 2026 10:00:00 +0000", "inbound", "outbound-api"] },
    Target { name: "assistant_toml", run: files::assistant_toml, longest: 16 * 1024, words: &["[ai]", "[voice]", "[limits]", "[[deliver]]", "[[tools]]", "[bookings]", "[hours]", "[transfer]", "[[transfer.humans]]", "[compliance]", "[after_call]", "[facts]", "= true", "= \"5m\"", "= []", "= {}", "\"\"\"", "19:00-23:00", "knowledge = []", "1979-05-27T07:32:00Z"] },
    Target { name: "rehearsal_toml", run: files::rehearsal_toml, longest: 8 * 1024, words: &["[[scenario]]", "expect = ", "contains = ", "say = ", "persona = ", "[[scenario.turn]]", "= true", "= \"x\"", "regex = ", "(a+)+$", "(?P<", "\\\\p{L}"] },
    Target { name: "settings_toml", run: files::settings_toml, longest: 8 * 1024, words: &["[twilio]", "[server]", "[server.acme]", "[backup]", "[alerts]", "[[alerts.rules]]", "[[alerts.destinations]]", "[smtp]", "[vault]", "[limits]", "= { env = \"A\" }", "= \"6h\"", "= []", "0.0.0.0:443", "https://a.example", "10.0.0.0/8", "every", "keep"] },
    Target { name: "prices_toml", run: files::prices_toml, longest: 8 * 1024, words: &["[[rate]]", "[[exchange]]", "[plans.x]", "[clients.x]", "[seller]", "currency = \"EUR\"", "0.0085", "\"0.0085\"", "2026-01-01", "unit = ", "vat = "] },
    Target { name: "template", run: files::template, longest: 4 * 1024, words: &["{{ caller.name }}", "{% for a in b %}", "{% endfor %}", "{% if x %}", "{% endif %}", "{% set x = ", "{% macro m() %}{{ m() }}{% endmacro %}", "|default(", "|replace(", "|length", "range(", " * 1000000", "|join", "|indent(", "~", "loop.", "[::-1]", "{% raw %}"] },
    Target { name: "tool_schema", run: files::tool_schema, longest: 4 * 1024, words: &["type", "object", "properties", "required", "pattern", "format", "date", "email", "$ref", "#/definitions/a", "allOf", "anyOf", "oneOf", "not", "if", "enum", "const", "minLength", "maxItems", "additionalProperties", "(a+)+$", "^(a|a)*$", "multipleOf", "uniqueItems"] },
    Target { name: "document", run: files::document, longest: 8 * 1024, words: &["# ", "## ", "---\n", "===\n", "- ", "| a | b |", "```\n", "<!--", "-->", "> ", "1. ", "prix", "12 €", "Dr. "] },
    Target { name: "people_csv", run: files::people_csv, longest: 8 * 1024, words: &["phone", "name", ";", ",", "\t", "\"", "\"\"", "\r\n", "+33612345678", "0612345678", "112"] },
    Target { name: "bundle", run: files::bundle, longest: 16 * 1024, words: &["%% ", "_defaults.toml\n", "../", "/", "a/b.toml\n", "context_file = \"a.md\"", "knowledge = [\"*.md\"]", "**", "name = "] },
    Target { name: "backup_file", run: files::backup_file, longest: 64 * 1024, words: &["age-encryption.org/v1\n", "-> X25519 ", "-> scrypt ", "--- ", "manifest.json", "webox.db", "ustar", "SQLite format 3\0"] },
    Target { name: "model_output", run: speech::model_output, longest: 4 * 1024, words: &["**", "```", "<think>", "</think>", "](https://", "- ", "20h30", "€", "1. ", "| ", "<say>"] },
    Target { name: "concierge", run: speech::concierge, longest: 2 * 1024, words: &["demain ", "non ", "plutôt ", "à 20h ", "pour 4 ", "au nom de ", "oui", "annuler ", "friday ", "noon ", "half past ", "mañana ", "morgen ", "domani ", "le 32 ", "minuit ", "quatre-vingt-dix-neuf ", "ma réservation "] },
    Target { name: "tool_arguments", run: speech::tool_arguments, longest: 4 * 1024, words: &["book", "take_message", "transfer", "find_bookings", "reschedule", "cancel", "search_knowledge", "end_call", "party", "date", "time", "name", "2026-11-23", "20:00"] },
    Target { name: "redaction", run: speech::redaction, longest: 1024, words: &["4532 0151 1283 0366", "FR14 2004 1010 0505 0001 3M02 606", "1 85 03 75 116 042 42", "jean point dupont arobase gmail point com", "a@b.fr", "zéro ", "quatre-vingt-dix ", "cent "] },
    Target { name: "model_stream", run: providers::model_stream, longest: 8 * 1024, words: &["data: ", "\n\n", "event: ", "[DONE]", "choices", "delta", "tool_calls", "arguments", "content", "finish_reason", "usage", "content_block_delta", "input_json_delta", "partial_json", "message_stop", "response.output_text.delta", "response.completed", "function_call", "index", "retry: ", "id: ", ": "] },
    Target { name: "model_answer", run: providers::model_answer, longest: 4 * 1024, words: &["error", "message", "type", "code", "param", "detail", "loc", "data", "embedding", "index", "usage", "insufficient_quota", "rate_limit_error"] },
    Target { name: "speech_message", run: providers::speech_message, longest: 8 * 1024, words: &["Results", "TurnInfo", "EndOfTurn", "EagerEndOfTurn", "transcript", "channel", "alternatives", "is_final", "from_finalize", "audio", "isFinal", "text", "language", "turn_index", "audio_window_end", "1e308"] },
    Target { name: "calendar_answer", run: providers::calendar_answer, longest: 8 * 1024, words: &["BEGIN:VEVENT\n", "END:VEVENT\n", "DTSTART", ";TZID=", ";VALUE=DATE:", "DTEND", "DURATION:PT1H", "RRULE:FREQ=DAILY", "TRANSP:TRANSPARENT", "20261201T090000Z", "00000000", "99991231T235959Z", "<calendar-data>", "]]>", "&#13;", "dateTime", "items", "\\\\n", "BEGIN:VALARM\n"] },
    Target { name: "when_and_who", run: values::when_and_who, longest: 1024, words: &["today", "yesterday", "ago", "1h30m", "2026-11-29", "T02:30", "+33", "00:00", "24:00", "-", "d", "w", "fr-FR", "#", ";ext=", "999999999999"] },
    Target { name: "values", run: values::values, longest: 1024, words: &["EUR", "USD", "0.0085", "CA", "AC", "@", "s3://", "/", "every", "6h", "mon-fri", "09:00", "2026-12", "2026-12-25", "> ", ">= ", "%", "x", "rc=3", "&", "openai/", "09:00-12:00"] },
    Target { name: "command_line", run: values::command_line, longest: 2 * 1024, words: &["calls", "list", "--since", "-o", "json", "assistants", "create", "--help", "apply", "--yes", "campaign", "backup", "--", "--server", "-vvv", "@", "--color=never"] },
    Target { name: "api_body", run: http::api_body, longest: 8 * 1024, words: &["client_name", "twilio_phone_number", "limits", "max_call_duration", "plan", "changes", "spec", "phone", "context", "rows", "files", "path", "text", "sha256", "window"] },
    Target { name: "request_head", run: http::request_head, longest: 2 * 1024, words: &["call_sid=", "&turn=", "&step=", "X-Forwarded-For: ", "Range: bytes=", "0-", "-1", ",", "If-Range: ", "If-None-Match: ", "W/", "*", "\"e\"", "10.1.2.3", "::ffff:10.0.0.1", "[::1]"] },
    Target { name: "wav", run: sound::wav, longest: 8 * 1024, words: &["RIFF", "WAVE", "fmt ", "data", "LIST", "\u{1}\0\u{1}\0", "\u{7}\0\u{1}\0", "\0\0\0\0"] },
    Target { name: "sound", run: sound::sound, longest: 16 * 1024, words: &["\0\0", "\u{7f}\u{7f}"] },
];
