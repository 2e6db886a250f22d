//! A Rust file as the paths it names. Tokens, not text: comments and strings are no mentions,
//! and what stands inside macros is seen as well.

use std::{iter::Peekable, vec};

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};

/// One source file.
pub(super) struct Source {
    /// From the repository's root.
    pub(super) path: String,
    /// The folder or file under `src` that it belongs to.
    pub(super) room: String,
    pub(super) lines: usize,
    pub(super) mentions: Vec<Mention>,
    /// Whether it is built for tests alone.
    pub(super) only_tests: bool,
    /// Files that it declares under `#[cfg(test)]`.
    pub(super) test_files: Vec<String>,
    /// Whether it declares modules and nothing else.
    pub(super) only_modules: bool,
}

/// A path named in a file: `use` trees spread out, `self` and `super` followed. A macro ends in
/// `!`, an attribute is one segment that begins with `#`.
#[derive(Debug)]
pub(super) struct Mention {
    line: usize,
    path: Vec<String>,
    in_test: bool,
}

impl Mention {
    pub(super) fn segments(&self) -> Vec<&str> {
        self.path.iter().map(String::as_str).collect()
    }
}

impl Source {
    /// Reads a file that stands at `path`.
    pub(super) fn read(path: &str, text: &str) -> Self {
        let tokens: TokenStream =
            text.parse().unwrap_or_else(|error| panic!("{path} is not Rust: {error}"));
        let module = module_of(path);
        let room = module.first().cloned().unwrap_or_else(|| "lib".to_owned());
        let mut reader = Reader { path, mentions: Vec::new(), test_files: Vec::new() };
        reader.scan(tokens.clone(), &module, false);
        let Reader { mentions, test_files, .. } = reader;
        Self {
            path: path.to_owned(),
            room,
            lines: text.lines().count(),
            mentions,
            only_tests: false,
            test_files,
            only_modules: only_modules(tokens),
        }
    }

    /// What it names in code that is shipped.
    pub(super) fn built(&self) -> impl Iterator<Item = &Mention> {
        self.mentions.iter().filter(|mention| !self.only_tests && !mention.in_test)
    }

    /// Whether it is one of these places under `src`: a room, a folder or a file.
    pub(super) fn is_in(&self, places: &[&str]) -> bool {
        let Some(path) = self.path.strip_prefix("src/") else { return false };
        let below = |place: &str| {
            path.strip_prefix(place)
                .is_some_and(|rest| rest.is_empty() || rest == ".rs" || rest.starts_with('/'))
        };
        places.iter().any(|place| below(place))
    }

    /// A sentence about a mention, with its place.
    pub(super) fn at(&self, mention: &Mention, told: &str) -> String {
        format!("{}:{}: {}: {told}", self.path, mention.line, mention.path.join("::"))
    }
}

/// The module that a file is: `src/store/calls.rs` is `store::calls`.
fn module_of(path: &str) -> Vec<String> {
    let path = path.strip_prefix("src/").unwrap_or(path);
    let path = path.strip_suffix(".rs").unwrap_or(path);
    let path = path.strip_suffix("/mod").unwrap_or(path);
    if path == "lib" { Vec::new() } else { path.split('/').map(str::to_owned).collect() }
}

/// Whether there are only attributes, `pub`, `mod`, names and `;`.
fn only_modules(tokens: TokenStream) -> bool {
    tokens.into_iter().all(|token| match token {
        TokenTree::Punct(punct) => matches!(punct.as_char(), '#' | '!' | ';'),
        TokenTree::Group(group) => group.delimiter() == Delimiter::Bracket,
        TokenTree::Ident(_) => true,
        TokenTree::Literal(_) => false,
    })
}

type Tokens = Peekable<vec::IntoIter<TokenTree>>;

struct Reader<'a> {
    path: &'a str,
    mentions: Vec<Mention>,
    test_files: Vec<String>,
}

impl Reader<'_> {
    fn scan(&mut self, tokens: TokenStream, module: &[String], in_test: bool) {
        let mut tokens = tokens.into_iter().collect::<Vec<_>>().into_iter().peekable();
        let mut testing = in_test;
        let mut named_file = None;
        while let Some(token) = tokens.next() {
            match token {
                TokenTree::Punct(punct) if punct.as_char() == '#' => {
                    let inner = tokens.next_if(|token| is(token, '!')).is_some();
                    let Some(TokenTree::Group(attribute)) = tokens.peek() else { continue };
                    let text = attribute.stream().to_string();
                    // `#![cfg(test)]` holds for all that follows, which ends with this group.
                    testing |= is_for_tests(&text);
                    let in_test = if inner { testing } else { in_test };
                    named_file = file_name(&text).or(named_file);
                    self.attribute(attribute, in_test);
                }
                TokenTree::Punct(punct) => match punct.as_char() {
                    ';' => (testing, named_file) = (in_test, None),
                    // `Vec::<u8>::new`: the rest of a path whose root was something else.
                    '>' if colons(&mut tokens) => skip_path(&mut tokens),
                    ':' if tokens.peek().is_some_and(|token| is(token, ':')) => {
                        tokens.next();
                    }
                    _ => {}
                },
                TokenTree::Group(group) => {
                    self.scan(group.stream(), module, testing);
                    if group.delimiter() == Delimiter::Brace {
                        (testing, named_file) = (in_test, None);
                    }
                }
                TokenTree::Ident(word) if word == "mod" => {
                    let Some(TokenTree::Ident(name)) = tokens.next() else { continue };
                    let name = name.to_string();
                    match tokens.peek() {
                        Some(TokenTree::Group(_)) => {
                            let Some(TokenTree::Group(body)) = tokens.next() else { continue };
                            self.scan(body.stream(), &[module, &[name]].concat(), testing);
                            testing = in_test;
                        }
                        _ if testing && !in_test => {
                            self.test_files.push(self.file_of(&name, named_file.take()));
                        }
                        _ => {}
                    }
                }
                TokenTree::Ident(word) if word == "use" => {
                    // A leading `::` only says that a crate follows.
                    colons(&mut tokens);
                    self.tree(&mut tokens, &[], module, testing, true);
                }
                TokenTree::Ident(word) => {
                    self.path(&word, &mut tokens, &[], module, testing, false);
                }
                TokenTree::Literal(_) => {}
            }
        }
    }

    fn attribute(&mut self, attribute: &Group, in_test: bool) {
        if let Some(TokenTree::Ident(name)) = attribute.stream().into_iter().next() {
            let line = name.span().start().line;
            self.mentions.push(Mention { line, path: vec![format!("#{name}")], in_test });
        }
    }

    /// What follows a `::` or a `use`: a name, a star, or names in braces.
    fn tree(
        &mut self,
        tokens: &mut Tokens,
        before: &[String],
        module: &[String],
        in_test: bool,
        used: bool,
    ) {
        match tokens.peek() {
            Some(TokenTree::Ident(_)) => {
                let Some(TokenTree::Ident(word)) = tokens.next() else { return };
                self.path(&word, tokens, before, module, in_test, used);
            }
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                let mut inner =
                    group.stream().into_iter().collect::<Vec<_>>().into_iter().peekable();
                tokens.next();
                while inner.peek().is_some() {
                    self.tree(&mut inner, before, module, in_test, true);
                    inner.find(|token| is(token, ','));
                }
            }
            Some(star) if is(star, '*') => {
                let line = star.span().start().line;
                let path = [before, &["*".to_owned()]].concat();
                self.mention(line, path, module, in_test);
            }
            _ => {}
        }
    }

    /// A path from its word `word` on. A lone word counts only in a `use` or as a macro.
    fn path(
        &mut self,
        word: &Ident,
        tokens: &mut Tokens,
        before: &[String],
        module: &[String],
        in_test: bool,
        used: bool,
    ) {
        let line = word.span().start().line;
        let mut path = [before, &[word.to_string()]].concat();
        if colons(tokens) {
            let goes_on = match tokens.peek() {
                Some(TokenTree::Ident(_)) => true,
                Some(TokenTree::Group(group)) => group.delimiter() == Delimiter::Brace,
                Some(token) => is(token, '*'),
                None => false,
            };
            if goes_on {
                self.tree(tokens, &path, module, in_test, used);
                return;
            }
        } else if !used && is_macro(tokens) {
            if let Some(last) = path.last_mut() {
                last.push('!');
            }
        } else if !used && path.len() == 1 {
            return;
        }
        self.mention(line, path, module, in_test);
    }

    fn mention(&mut self, line: usize, path: Vec<String>, module: &[String], in_test: bool) {
        let mut from: Vec<String> = module.to_vec();
        let mut rest = path.as_slice();
        let mut ours = false;
        while let [first, tail @ ..] = rest {
            match first.as_str() {
                "crate" | "webox" => from.clear(),
                "self" => {}
                "super" => drop(from.pop()),
                _ => break,
            }
            (ours, rest) = (true, tail);
        }
        let path = if ours {
            [&["crate".to_owned()], from.as_slice(), rest].concat()
        } else {
            rest.to_vec()
        };
        if !path.is_empty() {
            self.mentions.push(Mention { line, path, in_test });
        }
    }

    /// The file of a module declared here.
    fn file_of(&self, module: &str, named: Option<String>) -> String {
        let (folder, file) = self.path.rsplit_once('/').unwrap_or(("", self.path));
        match (named, file) {
            (Some(named), _) => format!("{folder}/{named}"),
            (None, "mod.rs" | "lib.rs") => format!("{folder}/{module}.rs"),
            (None, _) => format!("{folder}/{}/{module}.rs", file.trim_end_matches(".rs")),
        }
    }
}

fn is(token: &TokenTree, mark: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == mark)
}

/// Takes a `::`, if that is next.
fn colons(tokens: &mut Tokens) -> bool {
    let mut ahead = tokens.clone();
    let found = ahead.next().is_some_and(|token| is(&token, ':'))
        && ahead.next().is_some_and(|token| is(&token, ':'));
    if found {
        *tokens = ahead;
    }
    found
}

/// Whether the word just read is a macro: `name!(`, not `name != other`.
fn is_macro(tokens: &Tokens) -> bool {
    let mut ahead = tokens.clone();
    ahead.next().is_some_and(|token| is(&token, '!'))
        && matches!(ahead.next(), Some(TokenTree::Group(_)))
}

fn skip_path(tokens: &mut Tokens) {
    while let Some(TokenTree::Ident(_)) = tokens.peek() {
        tokens.next();
        if !colons(tokens) {
            break;
        }
    }
}

fn is_for_tests(attribute: &str) -> bool {
    let attribute: String = attribute.split_whitespace().collect();
    attribute.strip_prefix("cfg(").is_some_and(|condition| {
        condition.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == "test")
            && !condition.contains("not(")
    })
}

fn file_name(attribute: &str) -> Option<String> {
    let name = attribute.strip_prefix("path")?.trim_start().strip_prefix('=')?;
    Some(name.trim().trim_matches('"').to_owned())
}
