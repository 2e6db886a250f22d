//! Inputs made of others: bytes changed as blindly as may be, and parts that parsers look at, numbers,
//! words, lines and JSON, exchanged for such as they may not expect.

use serde_json::Value;

/// Numbers that are no pattern, and the same on every run.
pub struct Dice(u64);

impl Dice {
    /// Another start gives other numbers.
    pub fn new(start: u64) -> Self {
        Self(start.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// One below `sides`.
    pub fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides.max(1) as u64) as usize
    }

    fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.roll(all.len())]
    }
}

/// What every parser may stumble over.
const WORDS: &[&str] = &[
    "%",
    "%00",
    "%ZZ",
    "&",
    "=",
    "\n",
    "\r\n",
    "\n\n",
    "\"",
    "'",
    "\\",
    "<",
    ">",
    "]]>",
    "&#0;",
    "é",
    "e\u{301}",
    "\u{202e}",
    "\u{feff}",
    "\u{fffd}",
    "İ",
    "ß",
    "👩‍👩‍👧",
    "\0",
    "\u{1b}[2J",
    "[",
    "]",
    "{",
    "}",
    "(",
    ")",
    "#",
    ":",
    ";",
    ",",
    ".",
    "..",
    "/",
    "//",
    "?",
    "*",
    "+",
    "-",
    "_",
    "@",
    " ",
    "\t",
    "```",
    "{{",
    "}}",
    "{%",
    "%}",
    "true",
    "null",
    "NaN",
    "inf",
    "1e999",
    "+33",
    "data: ",
];

/// Numbers at the edge of something.
const NUMBERS: &[&str] = &[
    "0",
    "-0",
    "-1",
    "1",
    "00",
    "60",
    "61",
    "99",
    "127",
    "128",
    "255",
    "256",
    "366",
    "1000",
    "65535",
    "65536",
    "86400",
    "2147483647",
    "2147483648",
    "-2147483648",
    "4294967296",
    "9007199254740993",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "18446744073709551616",
    "99999999999999999999999999",
    "0.0000001",
    "1e308",
    "-1e-308",
];

/// One input more, out of a pool of others, with words of the target's own.
pub fn mutate(pool: &[Vec<u8>], words: &[&str], longest: usize, dice: &mut Dice) -> Vec<u8> {
    // What was found last is looked at more often.
    let at = dice.roll(pool.len()).max(if dice.roll(2) == 0 { dice.roll(pool.len()) } else { 0 });
    let mut input = pool[at].clone();
    for _ in 0..=dice.roll(5) {
        match dice.roll(12) {
            0..=2 => bytes(&mut input, dice),
            3 | 4 => word(&mut input, words, dice),
            5 => number(&mut input, dice),
            6 | 7 => lines(&mut input, dice),
            8 => crossed(&mut input, dice.of::<Vec<u8>>(pool), dice),
            9 => repeated(&mut input, longest, dice),
            _ => json(&mut input, words, dice),
        }
    }
    input.truncate(longest);
    input
}

fn bytes(input: &mut Vec<u8>, dice: &mut Dice) {
    let at = dice.roll(input.len() + 1);
    match dice.roll(4) {
        0 if at < input.len() => input[at] ^= 1 << dice.roll(8),
        1 if at < input.len() => input[at] = dice.roll(256) as u8,
        2 if at < input.len() => {
            let end = at + 1 + dice.roll((input.len() - at).min(32));
            drop(input.drain(at..end.min(input.len())));
        }
        _ => input.insert(at, dice.roll(256) as u8),
    }
}

fn word(input: &mut Vec<u8>, own: &[&str], dice: &mut Dice) {
    let words = if own.is_empty() || dice.roll(3) == 0 { WORDS } else { own };
    let word = dice.of(words).bytes();
    let at = dice.roll(input.len() + 1);
    let end = (at + if dice.roll(2) == 0 { 0 } else { word.len() }).min(input.len());
    drop(input.splice(at..end, word));
}

/// A run of figures becomes another number.
fn number(input: &mut Vec<u8>, dice: &mut Dice) {
    let starts: Vec<usize> = (0..input.len())
        .filter(|at| input[*at].is_ascii_digit() && (*at == 0 || !input[at - 1].is_ascii_digit()))
        .collect();
    if starts.is_empty() {
        return word(input, NUMBERS, dice);
    }
    let start = *dice.of(&starts);
    let length = input[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    drop(input.splice(start..start + length, dice.of(NUMBERS).bytes()));
}

/// A line is doubled, taken out, or changes places with another.
fn lines(input: &mut Vec<u8>, dice: &mut Dice) {
    let mut lines: Vec<Vec<u8>> = input.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    let (one, other) = (dice.roll(lines.len()), dice.roll(lines.len()));
    match dice.roll(3) {
        0 => lines.insert(other, lines[one].clone()),
        1 => drop(lines.remove(one)),
        _ => lines.swap(one, other),
    }
    *input = lines.join(&b'\n');
}

/// The beginning of one, and the end of another.
fn crossed(input: &mut Vec<u8>, other: &[u8], dice: &mut Dice) {
    let (at, from) = (dice.roll(input.len() + 1), dice.roll(other.len() + 1));
    if dice.roll(2) == 0 {
        input.truncate(at);
    }
    drop(input.splice(at..at, other[from..].iter().copied()));
}

/// A piece stands there often: what is nested, or long.
fn repeated(input: &mut Vec<u8>, longest: usize, dice: &mut Dice) {
    let at = dice.roll(input.len() + 1);
    let end = (at + 1 + dice.roll(40)).min(input.len());
    let piece = input[at..end].to_vec();
    let most = (longest / piece.len().max(1)).min(1 << dice.roll(11));
    drop(input.splice(at..at, piece.repeat(most)));
}

/// One value of a document in JSON becomes another; a line each may be such a document.
fn json(input: &mut Vec<u8>, words: &[&str], dice: &mut Dice) {
    let lines: Vec<&[u8]> = input.split(|byte| *byte == b'\n').collect();
    let at = dice.roll(lines.len());
    // Server-sent events have a word before it.
    let begin = lines[at].iter().position(|byte| matches!(byte, b'{' | b'[')).unwrap_or(0);
    let (before, text) = lines[at].split_at(begin);
    let (mut whole, text) = match serde_json::from_slice::<Value>(input) {
        Ok(value) => (Some(value), &b""[..]),
        Err(_) => (None, text),
    };
    let Some(mut value) = whole.take().or_else(|| serde_json::from_slice(text).ok()) else {
        return word(input, words, dice);
    };
    change(&mut value, words, dice, 0);
    let written = serde_json::to_vec(&value).unwrap_or_default();
    if text.is_empty() {
        *input = written;
        return;
    }
    let line = [before, &written].concat();
    let mut all: Vec<Vec<u8>> = lines.into_iter().map(<[u8]>::to_vec).collect();
    all[at] = line;
    *input = all.join(&b'\n');
}

fn change(value: &mut Value, words: &[&str], dice: &mut Dice, depth: usize) {
    let deeper = depth < 12 && dice.roll(4) != 0;
    match value {
        Value::Object(fields) if deeper && !fields.is_empty() => {
            let name = fields.keys().nth(dice.roll(fields.len())).cloned().unwrap_or_default();
            match dice.roll(8) {
                0 => drop(fields.remove(&name)),
                1 => {
                    let moved = fields.get(&name).cloned().unwrap_or_default();
                    drop(fields.insert((*dice.of(WORDS)).to_owned(), moved));
                }
                _ => {
                    if let Some(inner) = fields.get_mut(&name) {
                        change(inner, words, dice, depth + 1);
                    }
                }
            }
        }
        Value::Array(items) if deeper && !items.is_empty() => {
            let at = dice.roll(items.len());
            match dice.roll(6) {
                0 => drop(items.remove(at)),
                1 => items.push(items[at].clone()),
                _ => change(&mut items[at], words, dice, depth + 1),
            }
        }
        _ => *value = other(value, words, dice),
    }
}

fn other(value: &Value, words: &[&str], dice: &mut Dice) -> Value {
    let word = |dice: &mut Dice| {
        let all = if words.is_empty() || dice.roll(3) == 0 { WORDS } else { words };
        (*dice.of(all)).to_owned()
    };
    match dice.roll(8) {
        0 => Value::Null,
        1 => Value::Bool(dice.roll(2) == 0),
        2 => serde_json::from_str(dice.of::<&str>(NUMBERS)).unwrap_or_default(),
        3 => Value::Array(vec![value.clone(); 1 + dice.roll(3)]),
        4 => Value::Object([(word(dice), value.clone())].into_iter().collect()),
        5 => Value::String((*dice.of(NUMBERS)).to_owned()),
        _ => match value {
            Value::String(text) => {
                let mut text = text.clone();
                let places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
                let at = if places.is_empty() { 0 } else { *dice.of(&places) };
                text.insert_str(at, &word(dice));
                Value::String(text)
            }
            _ => Value::String(word(dice)),
        },
    }
}
