//! A file of people to call: CSV as spreadsheets write it, read whole, every mistake told at once.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
};

use csv::{ReaderBuilder, StringRecord};

use crate::domain::{
    CallContext, CampaignEntry, MOST_CAMPAIGN_ROWS, PhoneNumber, fold_into, is_combining,
};

/// The column that names whom to call.
const PHONE: &str = "phone";

/// What people call it as well: letters and digits alone, without case and accents. `N° de tél.` is
/// one of them.
const PHONES: &[&str] = &[
    PHONE,
    "phonenumber",
    "telephone",
    "telephonenumber",
    "tel",
    "mobile",
    "mobilenumber",
    "portable",
    "gsm",
    "number",
    "numero",
    "numerotelephone",
    "numerodetelephone",
    "numerotel",
    "numerodetel",
    "numeromobile",
    "numerodemobile",
    "numeroportable",
    "numerodeportable",
    "numtelephone",
    "numtel",
    "notel",
    "ntelephone",
    "ndetelephone",
    "ntel",
    "ndetel",
    "telephonemobile",
    "telephoneportable",
    "telmobile",
    "telportable",
];

/// Whether a column names whom to call.
fn is_phone(name: &str) -> bool {
    let mut folded = String::new();
    name.chars().for_each(|c| fold_into(&mut folded, c));
    folded.retain(|c| c.is_ascii_alphanumeric());
    PHONES.contains(&folded.as_str())
}

/// What a column is called in a greeting: as it stands, or `Date de RDV` as `date_de_rdv`, without capitals,
/// accents and what is no letter.
fn variable(name: &str) -> String {
    let is_one = |name: &str| {
        CallContext::try_from(BTreeMap::from([(name.to_owned(), String::new())])).is_ok()
    };
    if is_one(name) {
        return name.to_owned();
    }
    let mut folded = String::new();
    name.chars().filter(|c| !is_combining(*c)).for_each(|c| fold_into(&mut folded, c));
    let words = folded.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let folded = words.collect::<Vec<_>>().join("_");
    if is_one(&folded) { folded } else { name.to_owned() }
}

/// The longest part of a value that is shown.
const SHOWN: usize = 40;

/// People, as the file has them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct People {
    pub(super) entries: Vec<CampaignEntry>,
    /// Lines that say word for word what a line before says.
    pub(super) merged: Vec<u32>,
}

/// Something that is wrong.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mistake {
    line: u32,
    /// The column, from 1, and what it is called.
    column: Option<(usize, String)>,
    what: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}", self.line)?;
        if let Some((at, name)) = &self.column {
            write!(f, ", column {at} (`{name}`)")?;
        }
        write!(f, ": {}", self.what)
    }
}

fn mistake(line: u32, what: impl Into<String>) -> Mistake {
    Mistake { line, column: None, what: what.into() }
}

fn shown(text: &str) -> String {
    text.chars().take(SHOWN).collect::<String>().escape_debug().to_string()
}

/// Reads a whole file.
pub(super) fn read(bytes: &[u8]) -> Result<People, Vec<Mistake>> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.strip_prefix('\u{feff}').unwrap_or(text),
        Err(error) => {
            let before = &bytes[..error.valid_up_to()];
            return Err(vec![mistake(
                1 + breaks(before),
                "this is no UTF-8: save it anew as UTF-8 (in Excel: File, Save As, \"CSV UTF-8\"; in \
                 LibreOffice: \"Unicode (UTF-8)\" when it asks for the character set)",
            )]);
        }
    };
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter(first))
        .from_reader(text.as_bytes());
    let (mut table, mut wrong) = (None, Vec::new());
    let mut record = StringRecord::new();
    let (mut counted, mut line) = (0, 1);
    loop {
        match reader.read_record(&mut record) {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => {
                wrong.push(mistake(line, format!("cannot be read: {error}")));
                break;
            }
        }
        // The place of a record is where the one before ended: blank lines may lie between.
        let from = record.position().map_or(counted, |at| at.byte() as usize);
        let blank = text.as_bytes()[from..].iter().take_while(|byte| b"\r\n".contains(byte));
        let begin = from + blank.count();
        line += breaks(&text.as_bytes()[counted..begin]);
        counted = begin;
        let Some(table) = &mut table else {
            match Table::of(&record, line) {
                Ok(of) => table = Some(of),
                Err(of) => return Err(of),
            }
            continue;
        };
        if record.iter().any(|value| !value.trim().is_empty()) {
            table.take(&record, line, &mut wrong);
        }
    }
    let Some(table) = table else {
        return Err(vec![mistake(
            1,
            format!("the file is empty: its first line names the columns, `{PHONE}` among them"),
        )]);
    };
    if table.entries.is_empty() && wrong.is_empty() {
        wrong.push(mistake(line, "nobody is to be called: a line names a number to call"));
    }
    if wrong.is_empty() {
        Ok(People { entries: table.entries, merged: table.merged })
    } else {
        Err(wrong)
    }
}

fn breaks(bytes: &[u8]) -> u32 {
    bytes.split(|byte| *byte == b'\n').count().saturating_sub(1) as u32
}

/// What the heading is divided by: French spreadsheets write semicolons.
fn delimiter(heading: &str) -> u8 {
    let count = |wanted: char| heading.chars().filter(|c| *c == wanted).count();
    // Of those found equally often, the last.
    [',', '\t', ';'].into_iter().max_by_key(|c| count(*c)).map_or(b',', |c| c as u8)
}

/// The columns, and who was found.
struct Table {
    columns: Vec<String>,
    phone: usize,
    entries: Vec<CampaignEntry>,
    merged: Vec<u32>,
    /// Where in `entries` a number is.
    found: HashMap<PhoneNumber, usize>,
}

impl Table {
    fn of(heading: &StringRecord, line: u32) -> Result<Self, Vec<Mistake>> {
        let mut columns: Vec<String> = heading.iter().map(|name| name.trim().to_owned()).collect();
        // Spreadsheets write columns that are empty.
        while columns.last().is_some_and(String::is_empty) {
            columns.pop();
        }
        let mut wrong = Vec::new();
        let phone = columns.iter().position(|name| is_phone(name));
        let headings = columns.clone();
        for name in columns.iter_mut().filter(|name| !is_phone(name)) {
            *name = variable(name);
        }
        for (at, name) in columns.iter().enumerate() {
            let column = Some((at + 1, shown(&headings[at])));
            if is_phone(name) {
                // Which of them is called, nobody guesses.
                if let Some(first) = phone.filter(|first| *first != at) {
                    let what = format!(
                        "more than one column is whom to call, column {} (`{}`) too: rename or remove \
                         one of them",
                        first + 1,
                        shown(&columns[first])
                    );
                    wrong.push(Mistake { line, column, what });
                }
                continue;
            }
            let named = BTreeMap::from([(name.clone(), String::new())]);
            if CallContext::try_from(named).is_err() {
                let what = "is no name of a column: letters, digits and `_`, a letter first, such as \
                            `first_name`";
                wrong.push(Mistake { line, column, what: what.to_owned() });
            } else if columns[..at].contains(name) {
                let what = format!("`{}` is there twice", shown(name));
                wrong.push(Mistake { line, column, what });
            }
        }
        if phone.is_none() {
            let names: Vec<String> =
                headings.iter().take(60).map(|name| format!("`{}`", shown(name))).collect();
            let what = format!(
                "no column is named `{PHONE}`, or `téléphone`, `tél`, `numéro`, `mobile`, `portable`; \
                 there is {}",
                names.join(", ")
            );
            wrong.insert(0, mistake(line, what));
        }
        match (wrong.is_empty(), phone) {
            (true, Some(phone)) => Ok(Self {
                columns,
                phone,
                entries: Vec::new(),
                merged: Vec::new(),
                found: HashMap::new(),
            }),
            _ => Err(wrong),
        }
    }

    fn take(&mut self, record: &StringRecord, line: u32, wrong: &mut Vec<Mistake>) {
        let before = wrong.len();
        let columns = self.columns.len();
        let filled = record.iter().skip(columns).any(|value| !value.trim().is_empty());
        if record.len() < columns || filled {
            let what = format!(
                "has {} values where the heading has {columns}: a value with a comma or semicolon in it \
                 stands in quotes",
                record.len()
            );
            wrong.push(mistake(line, what));
            return;
        }
        let mut context = BTreeMap::new();
        let mut number = None;
        for (at, (name, value)) in self.columns.iter().zip(record.iter()).enumerate() {
            let value = value.trim();
            let mut tell = |what: String| {
                wrong.push(Mistake { line, column: Some((at + 1, name.clone())), what });
            };
            if at == self.phone {
                match value.parse::<PhoneNumber>() {
                    _ if value.is_empty() => tell("there is no number".to_owned()),
                    Ok(read) => number = Some(read),
                    Err(error) => tell(error.message().to_owned()),
                }
                continue;
            }
            // Nothing is known then: the greeting says what to do without.
            if value.is_empty() {
                continue;
            }
            let alone = BTreeMap::from([(name.clone(), value.to_owned())]);
            match CallContext::try_from(alone) {
                Ok(_) => drop(context.insert(name.clone(), value.to_owned())),
                Err(error) => tell(error.message().to_owned()),
            }
        }
        let context = match CallContext::try_from(context) {
            Ok(context) => context,
            Err(error) => {
                wrong.push(mistake(line, error.message()));
                return;
            }
        };
        let Some(number) = number.filter(|_| wrong.len() == before) else { return };
        if let Some(first) = self.found.get(&number).map(|at| &self.entries[*at]) {
            if first.context == context {
                self.merged.push(line);
                return;
            }
            let what = format!(
                "{number} is in line {} already, with other values: nobody is called twice",
                first.line.unwrap_or_default()
            );
            let column = Some((self.phone + 1, self.columns[self.phone].clone()));
            wrong.push(Mistake { line, column, what });
            return;
        }
        if self.entries.len() == MOST_CAMPAIGN_ROWS {
            if wrong.last().is_none_or(|last| !last.what.starts_with("there are more")) {
                let what =
                    format!("there are more than {MOST_CAMPAIGN_ROWS} people: split the file");
                wrong.push(mistake(line, what));
            }
            return;
        }
        self.found.insert(number.clone(), self.entries.len());
        self.entries.push(CampaignEntry { line: Some(line), number, context });
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn told(text: &str) -> Vec<String> {
        read(text.as_bytes()).unwrap_err().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn files_of_spreadsheets() {
        for text in [
            "phone,name,at\n06 12 34 56 78,Zoé,mardi\n+33123456789,,\"a, b\"\n",
            "\u{feff}Phone;name;at;;\r\n06 12 34 56 78;Zoé;mardi;;\r\n;;;;\r\n\r\n01 23 45 67 89;;\"a, b\";;\r\n",
            "name\tphone\tat\nZoé\t0612345678\tmardi\n\t+33123456789\ta, b",
        ] {
            let people = read(text.as_bytes()).unwrap();
            let [zoe, other] = &people.entries[..] else { panic!("{people:?}") };
            assert_eq!((zoe.number.as_str(), zoe.line), ("+33612345678", Some(2)));
            assert_eq!(zoe.context.values()["name"], "Zoé");
            assert_eq!(other.number.as_str(), "+33123456789");
            assert_eq!(other.context.values().get("name"), None, "an empty value is none");
            assert_eq!(other.context.values()["at"], "a, b");
        }
    }

    #[test]
    fn headings_as_people_write_them() {
        for heading in [
            "téléphone",
            "Téléphone",
            "TÉLÉPHONE",
            "Te\u{301}le\u{301}phone",
            "telephone",
            "tel",
            "Tél.",
            "numéro",
            "Numero",
            "Numéro de téléphone",
            "numero_de_telephone",
            "N° tél",
            "N° de téléphone",
            "mobile",
            "Portable",
            "Tél. portable",
            "GSM",
            "Phone number",
            "Number",
        ] {
            let text = format!("\u{feff}nom;{heading};heure\r\nZoé;06 12 34 56 78;10 h\r\n");
            let people =
                read(text.as_bytes()).unwrap_or_else(|wrong| panic!("{heading}: {wrong:?}"));
            let [zoe] = &people.entries[..] else { panic!("{people:?}") };
            assert_eq!(zoe.number.as_str(), "+33612345678");
            assert_eq!(zoe.context.values().keys().collect::<Vec<_>>(), ["heure", "nom"]);
        }
        let text = "Pre\u{301}nom;Tél.;Date de RDV;N° d'ordre;Montant (€);First\nZoé;0612345678;lundi;7;12;x\n";
        let people = read(text.as_bytes()).unwrap();
        let values = people.entries[0].context.values();
        let names = ["First", "date_de_rdv", "montant", "n_d_ordre", "prenom"];
        assert_eq!(values.keys().collect::<Vec<_>>(), names);
        for heading in ["numero_de_commande", "telephoniste", "hotel", "phone_type"] {
            assert!(!is_phone(heading), "{heading}");
        }
    }

    #[test]
    fn every_mistake_is_told_with_its_place() {
        let text = "phone;name\r\n\r\n06 12;Zoé\r\n112;x\r\n+33612345678;a;b\r\n+33612345678\r\n;y\r\n\
                    \"+33612345678\";\"a\nb\"\r\n0612345679;c\r\n0612345679;d\r\n";
        let told = told(text);
        assert_eq!(told.len(), 7, "{told:#?}");
        for (told, wanted) in told.iter().zip([
            "line 3, column 1 (`phone`): `06 12` is not a phone number",
            "line 4, column 1 (`phone`): `112` is an emergency number",
            "line 5: has 3 values where the heading has 2",
            "line 6: has 1 values",
            "line 7, column 1 (`phone`): there is no number",
            "line 8, column 2 (`name`): the value `name` is longer",
            "line 11, column 1 (`phone`): +33612345679 is in line 10 already",
        ]) {
            assert!(told.starts_with(wanted), "{told} / {wanted}");
        }
    }

    #[test]
    fn headings_that_are_none() {
        assert!(told("")[0].contains("the file is empty"));
        let none = &told("nom;âge\n")[0];
        assert!(
            none.contains("no column is named `phone`") && none.contains("`nom`, `âge`"),
            "{none}"
        );
        assert!(told("phone,1er choix\n")[0].starts_with("line 1, column 2 (`1er choix`)"));
        assert!(
            told("phone,Prénom,prenom\n")[0]
                .contains("column 3 (`prenom`): `prenom` is there twice")
        );
        assert!(told("phone,a,a\n")[0].contains("twice"));
        for (heading, at) in [
            ("phone,phone\n", "line 1, column 2 (`phone`): more than one column is whom to call"),
            (
                "\n\nnom;téléphone;Portable\n",
                "line 3, column 3 (`Portable`): more than one column is whom to call, column 2 (`téléphone`)",
            ),
        ] {
            let told = told(heading);
            assert!(told.len() == 1 && told[0].starts_with(at), "{told:?}");
        }
        assert!(told("phone\n")[0].contains("nobody is to be called"));
        let wrong = read(b"phone,name\n0612345678,Zo\xe9\n").unwrap_err();
        assert!(wrong[0].to_string().starts_with("line 2: this is no UTF-8"), "{wrong:?}");
    }

    #[test]
    fn who_is_named_again_word_for_word_is_called_once() {
        let people = read(b"phone,name\n0612345678,Z\n+33 6 12 34 56 78,Z\n").unwrap();
        assert_eq!((people.entries.len(), people.merged), (1, vec![3]));
    }

    #[test]
    fn a_file_that_is_too_long() {
        let lines: Vec<String> =
            (0..=MOST_CAMPAIGN_ROWS).map(|n| format!("+3361{n:07}\n")).collect();
        let told = told(&format!("phone\n{}", lines.concat()));
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].starts_with("line 10002: there are more than 10000"), "{told:?}");
    }

    proptest! {
        /// Whatever the bytes: an answer, and every mistake on a line that there is.
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let lines = 1 + breaks(&bytes);
            if let Err(wrong) = read(&bytes) {
                prop_assert!(!wrong.is_empty());
                prop_assert!(wrong.iter().all(|one| (1..=lines).contains(&one.line)), "{wrong:?}");
            }
        }

        #[test]
        fn no_text_panics(text in "(phone[,;]name\n)?[ \"a-c0-9,;\r\n+é]{0,200}") {
            let lines = 1 + breaks(text.as_bytes());
            if let Err(wrong) = read(text.as_bytes()) {
                prop_assert!(wrong.iter().all(|one| (1..=lines).contains(&one.line)), "{wrong:?}");
            }
        }

        /// What a spreadsheet writes is read back, whichever divides its values.
        #[test]
        fn what_is_written_is_read(
            people in prop::collection::btree_map(0_u32..9_999_999, "[ -~é€]{0,30}", 1..20),
            by in prop::sample::select(vec![';', ',']),
            windows in any::<bool>(),
        ) {
            let quoted = |value: &str| format!("\"{}\"", value.replace('"', "\"\""));
            let line = if windows { "\r\n" } else { "\n" };
            let mut text = format!("\u{feff}name{by}phone{line}");
            for (number, name) in &people {
                text += &format!("{}{by}+3361{number:07}{line}", quoted(name));
            }
            let read = read(text.as_bytes()).unwrap();
            prop_assert_eq!(read.entries.len(), people.len());
            for (at, (entry, (number, name))) in read.entries.iter().zip(&people).enumerate() {
                prop_assert_eq!(entry.number.as_str(), format!("+3361{number:07}"));
                prop_assert_eq!(entry.line, Some(at as u32 + 2));
                let value = entry.context.values().get("name").map_or("", String::as_str);
                prop_assert_eq!(value, name.trim());
            }
        }
    }
}
