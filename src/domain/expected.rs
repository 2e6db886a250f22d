//! What somebody has seen of a thing before changing it.

/// The revisions that a change is meant for: any, or those that were seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expected(Option<Vec<i64>>);

impl Expected {
    /// Any.
    pub fn any() -> Self {
        Self(None)
    }

    /// One of these; none at all when the list is empty.
    pub fn one_of(revisions: Vec<i64>) -> Self {
        Self(Some(revisions))
    }

    /// Whether a change is meant for a revision.
    pub fn allows(&self, revision: i64) -> bool {
        self.0.as_ref().is_none_or(|revisions| revisions.contains(&revision))
    }
}

impl From<Option<i64>> for Expected {
    fn from(revision: Option<i64>) -> Self {
        Self(revision.map(|revision| vec![revision]))
    }
}
