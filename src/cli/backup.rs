//! `webox backup`: copies of the database for the day when all else is lost.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::{Args, Subcommand};
use serde_json::json;

use super::{
    Context, daemon, exit, help, human,
    output::{Cell, Column, Format, Listing, Row, Tone},
    progress::Waiting,
    prompt, views,
};
use crate::{
    domain::{BackupPlace, Error, Kind, Result, Secret},
    operations::backups::{self, Backups, Listed, Pruned, Which},
    store::backup::{is_there, resolved},
};

/// Arguments of `webox backup`.
#[derive(Debug, Args)]
#[command(after_long_help = help::examples(
    &[
        ("webox backup", "those that there are, the newest first"),
        ("webox backup create", "to the place that webox.toml names, while calls go on"),
        ("webox backup verify --all", "reads every backup whole, and looks the databases over"),
        ("webox backup restore latest --yes", "puts the newest in the place of the database, which is put aside"),
    ],
    &[exit::FAILURE, exit::REFUSED, exit::USAGE, exit::DATA, exit::UNAVAILABLE, exit::BUSY, exit::DENIED, exit::CONFIG],
))]
pub struct Backup {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    list: Reading,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make one now, and remove those that need not be kept.
    Create(Create),
    /// List them, the newest first (the same as `webox backup`).
    List(Reading),
    /// Read backups to their end, and look over the databases in them.
    Verify(Verify),
    /// Put a backup in the place of the database.
    Restore(Restore),
}

#[derive(Debug, Args)]
struct Create {
    /// Where to: a folder, or s3://BUCKET/PREFIX. Nothing is removed there.
    #[arg(long, value_name = "PLACE")]
    to: Option<BackupPlace>,
    /// Seal it for a recipient of age (age1…) instead of by the master key; may be repeated.
    #[arg(long = "recipient", value_name = "RECIPIENT")]
    recipients: Vec<String>,
}

#[derive(Debug, Default, PartialEq, Eq, Args)]
struct Reading {
    /// Where from: a folder, or s3://BUCKET/PREFIX.
    #[arg(long, value_name = "PLACE")]
    from: Option<BackupPlace>,
    /// The file with the identity of a recipient, as age-keygen writes it.
    #[arg(long, value_name = "FILE")]
    identity: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct Verify {
    /// Which: a name, a file, or latest.
    #[arg(value_name = "BACKUP", default_value = "latest")]
    backup: Which,
    /// All that there are.
    #[arg(long, conflicts_with = "backup")]
    all: bool,
    #[command(flatten)]
    reading: Reading,
}

#[derive(Debug, Args)]
struct Restore {
    /// Which: a name, a file, or latest.
    #[arg(value_name = "BACKUP")]
    backup: Which,
    /// Do not ask where there is a database already: it is put aside.
    #[arg(short, long)]
    yes: bool,
    #[command(flatten)]
    reading: Reading,
}

const COLUMNS: [Column; 8] = [
    Column::new("name", "name"),
    Column::new("made", "made"),
    Column::new("size", "size").right(),
    Column::new("schema", "schema").right(),
    Column::new("calls", "calls").right(),
    Column::new("rows", "rows").right().hidden(),
    Column::new("webox", "webox").hidden(),
    Column::new("opens", "opens").keeps(),
];

pub(super) fn run(args: &Backup, context: &Context) -> Result<()> {
    context.here("backup")?;
    if context.acts_as_another() {
        return Err(Error::usage("--as is for what a user may do")
            .hint("whoever may read the file of the database may copy it"));
    }
    if args.action.is_some() && args.list != Reading::default() {
        return Err(Error::usage("flags of the list stand before the name of an action")
            .hint("write them after it: `webox backup list --from /mnt/backups`"));
    }
    match &args.action {
        None => list(&args.list, context),
        Some(Action::Create(args)) => create(args, context),
        Some(Action::List(args)) => list(args, context),
        Some(Action::Verify(args)) => verify(args, context),
        Some(Action::Restore(args)) => restore(args, context),
    }
}

/// Backups to read: of one file, which needs no place to be set, or of a place.
fn reading(args: &Reading, which: Option<&Which>, context: &Context) -> Result<Backups> {
    let settings = context.settings()?;
    let identity = args.identity.as_ref().or(settings.backup.identity.value.as_ref());
    let identity = identity.map(|path| identities(path)).transpose()?;
    let beside = match which {
        Some(Which::File(file)) => file.parent().map(|at| BackupPlace::Folder(at.to_owned())),
        // One that lies here, where no other place is known.
        Some(Which::Named(name))
            if args.from.is_none()
                && settings.backup.to.value.is_none()
                && Path::new(&name.to_string()).exists() =>
        {
            Some(BackupPlace::Folder(".".into()))
        }
        _ => None,
    };
    if let Some(BackupPlace::Folder(folder)) = &args.from
        && !folder.is_dir()
    {
        return Err(Error::not_found(format!("there is no folder {}", folder.display()))
            .hint("is it mounted? `--from` names the folder that backups lie in"));
    }
    daemon::backups(settings, beside.as_ref().or(args.from.as_ref()), &[], identity)
}

/// What is in this folder and not in the place is named as a file.
fn not_here(error: Error, which: &Which) -> Error {
    match which {
        Which::Named(name)
            if error.kind() == Kind::NotFound && Path::new(&name.to_string()).exists() =>
        {
            error.hint(format!("the file in this folder is `./{name}`"))
        }
        _ => error,
    }
}

fn identities(path: &std::path::Path) -> Result<(Secret, String)> {
    let shown = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|cause| {
        Error::input(format!("the identity {shown} cannot be read")).because(cause)
    })?;
    Ok((Secret::new(text), shown))
}

fn create(args: &Create, context: &Context) -> Result<()> {
    let settings = context.settings()?;
    let backups = daemon::backups(settings, args.to.as_ref(), &args.recipients, None)?;
    let store = context.store()?;
    let waiting = Arc::new(Waiting::begin(context, "copying the database"));
    let told = Arc::clone(&waiting);
    let progress = Arc::new(move |done: u64, all: u64| {
        if let Some(percent) = (done * 100).checked_div(all) {
            told.tell(format!("copying the database: {percent}%"));
        }
    });
    let keep = settings.backup.keep.value.filter(|_| args.to.is_none());
    let (made, pruned) = daemon::runtime()?.block_on(async {
        if args.to.is_none() {
            backups.claim(&store).await?;
        }
        let made = backups.create(&store, context.started, progress).await?;
        // It is made, whatever becomes of older ones.
        let pruned = match &keep {
            Some(keep) => backups.prune(&store, keep, context.started).await,
            None => Ok(Pruned::default()),
        };
        Ok::<_, Error>((made, pruned))
    })?;
    drop(waiting);
    context.out.listing(&table(&[made], context)?)?;
    let pruned = pruned?;
    for name in pruned.removed {
        context.out.note(&format!("Removed {name}, which need not be kept."));
    }
    for (name, error) in pruned.stay {
        context.out.warn(&format!("{name} need not be kept, and stays: {error}"));
    }
    if settings.backup.recipients.value.is_empty() && args.recipients.is_empty() {
        context
            .out
            .note("The master key opens it, and is not in it: keep a copy of that elsewhere.");
    }
    Ok(())
}

fn list(args: &Reading, context: &Context) -> Result<()> {
    let backups = reading(args, None, context)?;
    let listed = daemon::runtime()?.block_on(backups.list())?;
    context.out.listing(&table(&listed, context)?)?;
    if listed.is_empty() && context.out.format() == Format::Table {
        context.out.note("No backups yet. `webox backup create` makes one.");
    }
    for one in &listed {
        if let Some(trouble) = &one.trouble {
            context.out.warn(trouble);
        }
    }
    Ok(())
}

fn table(listed: &[Listed], context: &Context) -> Result<Listing> {
    let now = context.now()?;
    let mut listing = Listing::new("backups", COLUMNS);
    listing.rows = listed
        .iter()
        .map(|one| {
            let about = one.manifest.as_ref();
            let count = |count: Option<u64>| match count {
                Some(count) => Cell::shown(count.to_string(), human::number(count)),
                None => Cell::none(),
            };
            let made_at = one.name.made_at();
            let opens = match one.opens {
                Some(true) => Cell::shown("true", "yes"),
                Some(false) => Cell::shown("false", "no").tone(Tone::Warning),
                None => Cell::none(),
            };
            Row {
                id: one.name.to_string(),
                json: views::value(one),
                cells: vec![
                    Cell::same(one.name.to_string()).tone(Tone::Strong),
                    Cell::shown(made_at.to_string(), human::age(made_at, &now)),
                    Cell::shown(one.bytes.to_string(), human::bytes(one.bytes)),
                    Cell::maybe(about.map(|about| about.schema.to_string())),
                    count(about.and_then(|about| about.rows.get("calls").copied())),
                    count(about.map(crate::domain::BackupManifest::all_rows)),
                    Cell::maybe(about.map(|about| about.webox.clone())),
                    opens,
                ],
            }
        })
        .collect();
    Ok(listing)
}

fn verify(args: &Verify, context: &Context) -> Result<()> {
    let backups = reading(&args.reading, Some(&args.backup).filter(|_| !args.all), context)?;
    let beside = resolved(&context.settings()?.db.value);
    let runtime = daemon::runtime()?;
    let which = if args.all {
        let listed = runtime.block_on(backups.list())?;
        if listed.is_empty() {
            return Err(backups::none_yet());
        }
        listed.into_iter().map(|one| Which::Named(one.name)).collect()
    } else {
        vec![args.backup.clone()]
    };
    let mut listing = Listing::new(
        "backups",
        [
            Column::new("name", "name"),
            Column::new("whole", "whole"),
            Column::new("schema", "schema").right(),
            Column::new("rows", "rows").right(),
            Column::new("trouble", "trouble").hidden(),
        ],
    );
    let (mut broken, mut unopened) = (false, None);
    let waiting = Waiting::begin(context, "reading backups to their end");
    for one in which {
        let shown = match &one {
            Which::Latest => "latest".to_owned(),
            Which::Named(name) => name.to_string(),
            Which::File(path) => path.display().to_string(),
        };
        let (name, cells, trouble) =
            match runtime.block_on(backups.verify(&one, &beside, context.started)) {
                Ok((name, about)) => {
                    let rows = about.all_rows();
                    let cells = vec![
                        Cell::shown("true", "yes"),
                        Cell::same(about.schema.to_string()),
                        Cell::shown(rows.to_string(), human::number(rows)),
                        Cell::none(),
                    ];
                    (name, cells, None)
                }
                // One of several is told of with the rest.
                Err(unverified) if args.all => {
                    let whole = if unverified.is_broken {
                        Cell::shown("false", "no").tone(Tone::Bad)
                    } else {
                        Cell::none().tone(Tone::Warning)
                    };
                    let said = Cell::same(unverified.error.to_string());
                    let cells = vec![whole, Cell::none(), Cell::none(), said];
                    (shown, cells, Some(unverified))
                }
                Err(unverified) => return Err(not_here(unverified.error, &one)),
            };
        listing.rows.push(Row {
            id: name.clone(),
            json: json!({
                "name": name,
                "whole": match &trouble {
                    None => Some(true),
                    Some(unverified) => unverified.is_broken.then_some(false),
                },
                "trouble": trouble.as_ref().map(|unverified| unverified.error.to_string()),
            }),
            cells: std::iter::once(Cell::same(name).tone(Tone::Strong)).chain(cells).collect(),
        });
        if let Some(unverified) = trouble {
            context.out.warn(&unverified.error.to_string());
            if unverified.is_broken {
                broken = true;
            } else {
                unopened.get_or_insert(unverified.error);
            }
        }
    }
    drop(waiting);
    context.out.listing(&listing)?;
    if broken {
        return Err(Error::failure("not every backup is whole")
            .hint("remove those that are not, and make a new one: `webox backup create`"));
    }
    match unopened {
        None => Ok(()),
        Some(error) => {
            Err(Error::new(error.kind(), "not every backup could be opened: they may be whole")
                .maybe_hint(error.hint_text().map(str::to_owned)))
        }
    }
}

fn restore(args: &Restore, context: &Context) -> Result<()> {
    let backups = reading(&args.reading, Some(&args.backup), context)?;
    let db = resolved(&context.settings()?.db.value);
    let mut over = args.yes;
    if !over && is_there(&db) {
        if !context.may_ask() {
            return Err(Error::new(
                Kind::Refused,
                format!("there is a database already: {}", db.display()),
            )
            .hint("add `--yes`: it is put aside, not removed; or name another place with `--db`"));
        }
        let question = format!(
            "{} is there already. Put it aside, and the backup in its place?",
            db.display()
        );
        if !prompt::confirm(context, &question, "--yes")? {
            return Err(Error::new(Kind::Refused, "nothing was changed"));
        }
        over = true;
    }
    let waiting = Waiting::begin(context, "reading the backup to its end");
    let restored = daemon::runtime()?
        .block_on(backups.restore(&args.backup, &db, over, context.started))
        .map_err(|error| not_here(error, &args.backup))?;
    drop(waiting);
    if matches!(context.out.format(), Format::Json | Format::Jsonl) {
        return context.out.object("restored", views::value(&restored));
    }
    let about = &restored.manifest;
    let made = human::date_time_zone(about.made_at, &context.now()?);
    context.out.note(&format!(
        "{} is as it was at {made}: schema {}, {}.",
        restored.store.display(),
        about.schema,
        human::count(about.all_rows(), "row", "rows"),
    ));
    if let Some(aside) = &restored.aside {
        context.out.note(&format!("What was there is {} now.", aside.display()));
    }
    if about.schema < crate::store::SCHEMA_VERSION {
        context.out.note("It is brought to this webox's schema when it is next opened.");
    }
    context.out.note(
        "It does not know what came since: bills, who asked not to be called or to be forgotten. \
         See \"The day it happens\" in docs/backups.md.",
    );
    if restored.paused_campaigns > 0 {
        context.out.warn(&format!(
            "{} that ran when the backup was made {} paused: it does not know whom {} called since \
             (`webox campaign`)",
            human::count(restored.paused_campaigns, "campaign", "campaigns"),
            if restored.paused_campaigns == 1 { "is" } else { "are" },
            if restored.paused_campaigns == 1 { "it" } else { "they" },
        ));
    }
    Ok(())
}
