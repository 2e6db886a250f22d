//! A document cut into passages: by headings and paragraphs, each short enough to be told on the phone.

/// The longest passage, in characters.
const LONGEST_PASSAGE: usize = 700;

/// Paragraphs under one heading are put together up to this length.
const TOGETHER: usize = 400;

/// A heading is cut after so many characters.
const LONGEST_HEADING: usize = 160;

/// Passages of a document in their order: the headings above it, and its text. What stands between
/// `<!--` and `-->`, and a front matter between `---`, are for authors and are left out.
pub fn split(text: &str) -> Vec<(String, String)> {
    let text = without_comments(text);
    let mut cutter = Cutter::default();
    let lines: Vec<&str> = without_front_matter(&text).lines().collect();
    let mut fenced = false;
    for (at, line) in lines.iter().enumerate() {
        let trimmed = line.trim();
        if trimmed.starts_with("```") || trimmed.starts_with("~~~") {
            fenced = !fenced;
            continue;
        }
        if fenced {
            cutter.paragraph.push(line);
            continue;
        }
        let below = lines.get(at + 1).map_or("", |line| line.trim());
        if let Some((level, title)) = heading(trimmed) {
            cutter.heading(level, title);
        } else if let (Some(level), true) = (underline(below), is_title(trimmed)) {
            cutter.heading(level, trimmed);
        } else if underline(trimmed).is_some() || trimmed.is_empty() {
            cutter.end_paragraph();
        } else {
            cutter.paragraph.push(trimmed);
        }
    }
    cutter.end_passage();
    cutter.passages
}

#[derive(Default)]
struct Cutter<'t> {
    /// Levels and titles above.
    headings: Vec<(usize, String)>,
    paragraph: Vec<&'t str>,
    passage: String,
    passages: Vec<(String, String)>,
}

impl Cutter<'_> {
    fn heading(&mut self, level: usize, title: &str) {
        self.end_passage();
        self.headings.retain(|(above, _)| *above < level);
        self.headings.push((level, plain(title).chars().take(LONGEST_HEADING).collect()));
    }

    fn end_paragraph(&mut self) {
        let paragraph = std::mem::take(&mut self.paragraph).join("\n");
        for piece in pieces(&paragraph) {
            let together = self.passage.chars().count() + piece.chars().count();
            if !self.passage.is_empty() && together > TOGETHER {
                self.push();
            }
            if !self.passage.is_empty() {
                self.passage.push('\n');
            }
            self.passage.push_str(&piece);
        }
    }

    fn end_passage(&mut self) {
        self.end_paragraph();
        self.push();
    }

    fn push(&mut self) {
        let passage = std::mem::take(&mut self.passage);
        if passage.chars().any(char::is_alphanumeric) {
            let titles: Vec<&str> = self.headings.iter().map(|(_, title)| title.as_str()).collect();
            self.passages.push((titles.join(" › "), passage));
        }
    }
}

/// A title without the marks of Markdown.
fn plain(title: &str) -> String {
    title.trim().trim_end_matches('#').replace(['*', '_', '`'], "").trim().to_owned()
}

/// `## Title`: its level and title.
fn heading(line: &str) -> Option<(usize, &str)> {
    let title = line.trim_start_matches('#');
    let level = line.len() - title.len();
    let is_heading = (1..=6).contains(&level) && title.starts_with([' ', '\t']);
    (is_heading && !plain(title).is_empty()).then_some((level, title))
}

/// A line of `===` or `---` under a title: its level.
fn underline(line: &str) -> Option<usize> {
    let all = |mark| line.len() >= 3 && line.chars().all(|c| c == mark);
    if all('=') { Some(1) } else { all('-').then_some(2) }
}

/// Whether a line with an underline below is a title, and no item or row of a table.
fn is_title(line: &str) -> bool {
    line.starts_with(|c: char| c.is_alphanumeric()) && line.chars().count() <= LONGEST_HEADING
}

/// A paragraph in pieces of at most the longest passage, cut at lines, else at sentences, else at words.
fn pieces(paragraph: &str) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    let mut add = |unit: &str, joint: char| match pieces.last_mut() {
        Some(last) if last.chars().count() + unit.chars().count() < LONGEST_PASSAGE => {
            last.push(joint);
            last.push_str(unit);
        }
        _ => pieces.push(unit.to_owned()),
    };
    for line in paragraph.lines().filter(|line| !line.trim().is_empty()) {
        if line.chars().count() <= LONGEST_PASSAGE {
            add(line, '\n');
            continue;
        }
        for sentence in sentences(line) {
            if sentence.chars().count() <= LONGEST_PASSAGE {
                add(sentence, ' ');
                continue;
            }
            for word in sentence.split_whitespace() {
                let mut rest = word;
                while let Some((end, _)) = rest.char_indices().nth(LONGEST_PASSAGE) {
                    add(&rest[..end], ' ');
                    rest = &rest[end..];
                }
                add(rest, ' ');
            }
        }
    }
    pieces
}

/// Sentences of a line, each with the mark that ends it.
pub(super) fn sentences(line: &str) -> Vec<&str> {
    let mut sentences = Vec::new();
    let mut start = 0;
    for (at, mark) in line.char_indices().filter(|(_, c)| matches!(c, '.' | '!' | '?' | '…')) {
        let end = at + mark.len_utf8();
        let after = line[end..].trim_start_matches(['*', '_', '»', '"', ')']);
        let ends = after.starts_with(char::is_whitespace)
            // In "12. Rue" and "env. 5" no sentence ends.
            && after.trim_start().starts_with(|c: char| !c.is_lowercase() && !c.is_ascii_digit());
        let before = line[start..at].trim();
        let last = before.rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
        // "M. Paul", "Dr. Roux", "12. Rue": neither.
        let is_short = last.chars().count() <= 2 && last.starts_with(|c: char| !c.is_lowercase());
        if ends && !(is_short && mark == '.') {
            let end = line.len() - after.len();
            sentences.push(line[start..end].trim());
            start = end;
        }
    }
    sentences.push(line[start..].trim());
    sentences.retain(|sentence| !sentence.is_empty());
    sentences
}

fn without_comments(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, inside)) = rest.split_once("<!--") {
        kept.push_str(before);
        rest = inside.split_once("-->").map_or("", |(_, after)| after);
    }
    kept.push_str(rest);
    kept
}

fn without_front_matter(text: &str) -> &str {
    let Some(inside) = text.trim_start().strip_prefix("---\n") else { return text };
    // A rule at the beginning is no front matter: that holds keys.
    let is_key = |line: &str| line.split_once(':').is_some_and(|(key, _)| !key.contains(' '));
    match inside.split_once("\n---\n") {
        Some((keys, after)) if keys.lines().next().is_some_and(is_key) => after,
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cut(text: &str) -> Vec<(String, String)> {
        split(text)
    }

    fn passage(heading: &str, text: &str) -> (String, String) {
        (heading.to_owned(), text.to_owned())
    }

    #[test]
    fn passages_stand_under_their_headings() {
        let text = "---\ntitle: Menu\n---\n# La **carte**\nDe saison.\n\n## Desserts ##\n- Tarte Tatin\n- Glaces\n\
                    <!-- plus de soufflé -->\n\n## Vins\n\n### Rouges\nPinot noir.\nMenu\n====\nNuméro deux.\n";
        assert_eq!(
            cut(text),
            [
                passage("La carte", "De saison."),
                passage("La carte › Desserts", "- Tarte Tatin\n- Glaces"),
                passage("La carte › Vins › Rouges", "Pinot noir."),
                passage("Menu", "Numéro deux."),
            ]
        );
    }

    #[test]
    fn plain_text_is_cut_at_paragraphs() {
        let paragraph = format!("{}fin.", "mot ".repeat(60));
        let text = format!("{paragraph}\n\n{paragraph}\n\nCourt.\n");
        let passages = cut(&text);
        assert_eq!(passages.len(), 2);
        assert_eq!(passages[1].1, format!("{paragraph}\nCourt."));
        assert!(cut("\n \n---\n***\n").is_empty());
        assert_eq!(cut("| plat | prix |\n|---|---|\n| soupe | 5 € |").len(), 1);
    }

    #[test]
    fn sentences_end_where_one_breathes() {
        assert_eq!(
            sentences("**Un parking ?** Oui, au 12. Rue Choron. C'est M. Paul, env. 5 min à pied."),
            ["**Un parking ?**", "Oui, au 12. Rue Choron.", "C'est M. Paul, env. 5 min à pied."]
        );
        assert_eq!(sentences("¿Hay wifi? Sí."), ["¿Hay wifi?", "Sí."]);
    }

    proptest! {
        #[test]
        fn nothing_is_longer_than_allowed_and_no_word_is_lost(
            text in "([a-zé]{1,9}[ .\n]{1,3}|#{1,3} [a-z]{1,5}\n|- |\\|---|x{900} ){0,120}"
        ) {
            let passages = split(&text);
            prop_assert!(passages.iter().all(|(_, text)| text.chars().count() <= LONGEST_PASSAGE));
            let told: Vec<String> = passages.iter().map(|(h, t)| format!("{h} {t} ")).collect();
            let told = told.concat();
            let letters = |text: &str| text.chars().filter(|c| *c == 'é').count();
            prop_assert!(letters(&told) >= letters(&text));
        }

        #[test]
        fn no_text_panics(text in "(?s).{0,300}") {
            let _ = split(&text);
        }
    }
}
