//! The master key and what it opens, and files that hold a secret each.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

use super::{Case, Finding, Group, count, without_store};
use crate::{
    domain::{KeySource, SecretRef, Sight},
    operations::secrets,
    store::assistants,
    vault::HANDED_OVER,
};

const GROUP: Group = Group::Keys;

pub(super) fn look(case: &Case) -> Vec<Finding> {
    let mut found = vec![master(case)];
    found.extend(handed_over(case));
    found.extend(files(case));
    let Some(_) = &case.store else {
        found.extend(without_store(GROUP));
        return found;
    };
    found.extend(kept(case));
    found.extend(named(case));
    found
}

fn master(case: &Case) -> Finding {
    let vault = case.here.secrets.vault();
    let source = vault.source();
    match vault.key_in_force() {
        Ok(key) => GROUP.ok("master key", format!("{key} is in force, from {source}")),
        Err(error) => {
            let missing = matches!(source, KeySource::File(path) if !path.exists());
            let sealed = case.store.as_ref().and_then(|store| secrets::first_sealed(store).ok());
            // Whoever keeps no secret needs none yet.
            if missing && matches!(sealed, Some(None)) {
                let advice = "`webox init` makes it; without it no secret can be kept";
                return GROUP.warning("master key", error.to_string(), advice);
            }
            // A new one would open nothing of what is there.
            if missing && matches!(sealed, Some(Some(_))) {
                let advice = "put back the copy of it that is kept apart from this machine; \
                              a new one opens none of the secrets here";
                return GROUP.problem("master key", error.to_string(), advice);
            }
            GROUP.failed("master key", &error)
        }
    }
}

/// Whether the daemon has other keys than there are by now.
fn handed_over(case: &Case) -> Option<Finding> {
    let KeySource::File(file) = case.here.secrets.vault().source() else { return None };
    let (copy, now) = (std::fs::read(HANDED_OVER).ok()?, std::fs::read(file).ok()?);
    if copy.trim_ascii() == now.trim_ascii() {
        return None;
    }
    let seen = format!("the daemon has other master keys than {} by now", file.display());
    let advice = "systemctl restart webox: it opens nothing that is kept, and seals backups with a key of before";
    Some(GROUP.problem("daemon's key", seen, advice))
}

/// Files that the settings name for their secrets.
fn files(case: &Case) -> Vec<Finding> {
    let open = case.here.secret_files.iter().filter_map(|(key, path)| {
        let metadata = std::fs::metadata(path).ok()?;
        let mode = metadata.permissions().mode() & 0o777;
        // A pipe of the shell's is nobody else's.
        if !metadata.is_file() || mode.trailing_zeros() >= 6 {
            return None;
        }
        let seen = format!("{} can be read by others (mode {mode:04o})", path.display());
        // Containers are given theirs so, and nobody else is in there to read it.
        if std::fs::metadata("/proc/self").is_ok_and(|us| us.uid() != metadata.uid()) {
            let advice = "it is another user's file: have it be the daemon's, mode 0400, where others may log in";
            return Some(GROUP.warning(key, seen, advice));
        }
        let advice =
            format!("chmod 600 {}; a secret that was read needs replacing", path.display());
        Some(GROUP.problem(key, seen, advice))
    });
    open.collect()
}

/// Secrets of webox's own keeping.
fn kept(case: &Case) -> Vec<Finding> {
    let Some(store) = &case.store else { return Vec::new() };
    match case.here.secrets.unopened(store) {
        Err(error) => vec![GROUP.failed("secrets", &error)],
        Ok((0, _)) => vec![GROUP.ok("secrets", "none is kept")],
        Ok((all, broken)) if broken.is_empty() => {
            let kept = count(all, "kept secret opens", "kept secrets open");
            vec![GROUP.ok("secrets", kept)]
        }
        Ok((_, broken)) => {
            let broken = broken.iter();
            broken.map(|(name, error)| GROUP.failed(format!("secret {name}"), error)).collect()
        }
    }
}

/// What assistants and alerts name: in the environment, in files, in our keeping.
fn named(case: &Case) -> Vec<Finding> {
    let Some(store) = &case.store else { return Vec::new() };
    let all = match store.read(|tx| assistants::list(tx, Sight::All)) {
        Ok(all) => all,
        Err(error) => return vec![GROUP.failed("assistants", &error)],
    };
    let (mut found, mut well) = (Vec::new(), 0);
    for overview in all {
        let assistant = overview.assistant;
        let owner = assistant.owner.as_ref().map(|owner| owner.id);
        for (field, reference) in assistant.spec.secrets() {
            // Those that do not open are told above.
            let kept = matches!(reference, SecretRef::Secret(_));
            match case.here.secrets.resolve(store, owner, reference) {
                Ok(_) => well += 1,
                Err(error) if kept && error.kind() != crate::domain::Kind::NotFound => {}
                Err(error) => {
                    let mut one = GROUP.failed(format!("{} {field}", assistant.spec.name), &error);
                    if kept {
                        one.advice =
                            Some(format!("keep it: `webox secrets set NAME`; {}", hint(&error)));
                    }
                    found.push(one);
                }
            }
        }
    }
    for (name, reference) in &case.here.destinations {
        match case.here.secrets.resolve(store, None, reference) {
            Ok(_) => well += 1,
            Err(error) => found.push(GROUP.failed(format!("alerts {name}"), &error)),
        }
    }
    if found.is_empty() && well > 0 {
        let named = count(well, "secret that is named is", "secrets that are named are");
        found.push(GROUP.ok("named", format!("{named} there")));
    }
    found
}

fn hint(error: &crate::domain::Error) -> &str {
    error.hint_text().unwrap_or("list them with `webox secrets`")
}
