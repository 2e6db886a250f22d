//! Only what identifies each row: feeds `xargs`.

use super::Listing;

pub(super) fn lines(listing: &Listing) -> String {
    listing.rows.iter().map(|row| format!("{}\n", row.id)).collect()
}
