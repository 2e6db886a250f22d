//! How large a template may be, before anything reads it: what is nested without end would take more stack
//! than a thread has, and what multiplies texts more memory than a machine has.

/// A template is no longer than this, in characters.
const LONGEST: usize = 8_000;

/// Words and signs in one `{{ … }}` or `{% … %}`.
const MOST_PARTS: usize = 120;

/// Texts put together in a template, each perhaps with itself.
const MOST_SUMS: usize = 8;

/// Says what is too much.
pub(super) fn check(template: &str) -> Result<(), String> {
    if template.chars().count() > LONGEST {
        return Err(format!("is longer than {LONGEST} characters"));
    }
    let mut sums = 0;
    for tag in tags(template) {
        let mut parts = 0;
        let mut before = ' ';
        for c in tag.chars() {
            // A word is one part, a sign another.
            let begins = c.is_alphanumeric() && !before.is_alphanumeric();
            parts += usize::from(begins || c.is_ascii_punctuation());
            sums += usize::from(matches!(c, '~' | '+'));
            if c == '*' {
                return Err("multiplies, which templates do not".to_owned());
            }
            before = c;
        }
        if parts > MOST_PARTS {
            let begin: String = tag.trim().chars().take(40).collect();
            return Err(format!("does too much at once in `{begin}…`: take it apart"));
        }
    }
    if sums > MOST_SUMS {
        return Err(format!("puts texts together with `~` or `+` more than {MOST_SUMS} times"));
    }
    Ok(())
}

/// What stands in each `{{ … }}` and `{% … %}`, without the texts in quotes.
fn tags(template: &str) -> Vec<String> {
    let (mut found, mut rest) = (Vec::new(), template);
    while let Some(at) = rest.find('{') {
        let (end, inside) = match rest.as_bytes().get(at + 1) {
            Some(b'#') => {
                rest = rest[at + 2..].split_once("#}").map_or("", |(_, after)| after);
                continue;
            }
            Some(b'{') => ("}}", &rest[at + 2..]),
            Some(b'%') => ("%}", &rest[at + 2..]),
            _ => {
                rest = &rest[at + 1..];
                continue;
            }
        };
        let (tag, after) = tag(inside, end);
        rest = after;
        if end == "%}" && tag.trim_matches(['-', '+', ' ', '\t', '\r', '\n']) == "raw" {
            rest = rest.split_once("endraw").map_or("", |(_, after)| after);
        }
        found.push(tag);
    }
    found
}

/// The tag that begins here, and what is after it.
fn tag<'t>(text: &'t str, end: &str) -> (String, &'t str) {
    let (mut tag, mut chars) = (String::new(), text.char_indices());
    while let Some((at, c)) = chars.next() {
        if text[at..].starts_with(end) {
            return (tag, &text[at + end.len()..]);
        }
        tag.push(c);
        if matches!(c, '"' | '\'') {
            while let Some((_, inside)) = chars.next() {
                if inside == '\\' {
                    chars.next();
                } else if inside == c {
                    break;
                }
            }
        }
    }
    (tag, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_is_small_enough() {
        for template in [
            "",
            "Bonjour {{ caller.name | default('Madame, Monsieur') }}, *à bientôt* ~ {a} + 1",
            "{% if call.topic %}{{ call.topic ~ ' : ' }}{% else %}-{% endif %}{# {{ * #}",
            "{% raw %}{{ a * b }}{% endraw %}{{ \"a * b }} '\" }}",
        ] {
            assert_eq!(check(template), Ok(()), "{template}");
        }
    }

    #[test]
    fn what_would_take_all_of_a_thread_or_a_machine_is_refused() {
        let chain = format!("{{{{ a{} }}}}", "|trim".repeat(100));
        let hidden = format!("{{{{ '}}}}\\'' {} }}}}", "|trim".repeat(100));
        let after_comment = format!("{{# {{{{ \" #}}{{{{ a{} }}}}", ".b".repeat(100));
        for template in [chain, hidden, after_comment] {
            assert!(check(&template).unwrap_err().starts_with("does too much"), "{template}");
        }
        assert!(check("{{ 'a' * 9 }}").is_err());
        assert!(check(&"{% set a = a ~ a %}".repeat(9)).is_err());
        assert!(check("{% raw %}{{ \" {% endraw %}{{ 'a' * 9 }}").is_err());
        assert!(check(&"a".repeat(9_000)).is_err());
    }
}
