//! Only what identifies each row: feeds `xargs`.

use super::Listing;

pub(super) fn lines(listing: &Listing) -> String {
    listing.rows.iter().flat_map(|row| [row.id.as_str(), "\n"]).collect()
}
