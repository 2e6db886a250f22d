//! A campaign as it goes on: a bar on a terminal, lines elsewhere. Whoever stops watching stops
//! nothing.

use std::{pin::pin, thread, time::Duration};

use jiff::Timestamp;

use super::{super::Context, tell};
use crate::{
    cli::{daemon, desk::Desk, human, progress::Tally},
    domain::{Campaign, CampaignCounts, CampaignState, Error, Kind, Result},
};

/// How often it is looked how it stands.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A daemon that runs looks after a campaign within moments.
const LOOKED_WITHIN: u32 = 5;

/// Waits a moment for a daemon; says so if there is none.
pub(super) fn is_looked_after(
    desk: &dyn Desk,
    mut campaign: Campaign,
    context: &Context,
) -> Result<Campaign> {
    let mut looks = 0;
    while campaign.state == CampaignState::Running && campaign.looked_at.is_none() {
        if looks == LOOKED_WITHIN {
            warn_of_no_daemon(context);
            break;
        }
        thread::sleep(LOOK_EVERY);
        looks += 1;
        campaign = desk.campaign(campaign.id)?;
    }
    Ok(campaign)
}

fn warn_of_no_daemon(context: &Context) {
    context.out.warn(
        "no daemon looks after this campaign: it is kept, and its calls are made once `webox serve` runs on this database",
    );
}

/// Watches it to its end.
pub(super) fn watch(
    desk: &dyn Desk,
    mut campaign: Campaign,
    context: &Context,
) -> Result<Campaign> {
    let runtime = daemon::runtime()?;
    let mut interrupted = pin!(tokio::signal::ctrl_c());
    // From here on an interrupt is waited for.
    runtime.block_on(async {
        tokio::select! {
            biased;
            _ = &mut interrupted => {}
            () = std::future::ready(()) => {}
        }
    });
    let tally = Tally::begin(context, campaign.counts.total);
    let (mut looks, mut away) = (0, false);
    let mut last: Option<(CampaignCounts, Option<String>)> = None;
    loop {
        let counts = campaign.counts;
        tally.set(counts.over(), words(&campaign, context)?);
        // What is not over comes and goes: a line for each would say nothing.
        let settled = CampaignCounts { waiting: 0, calling: 0, ..counts };
        let now = (settled, campaign.why.clone());
        if !tally.is_shown() && last.as_ref() != Some(&now) {
            context.out.note(&format!(
                "{} of {}: {}",
                counts.over(),
                counts.total,
                words(&campaign, context)?
            ));
            last = Some(now);
        }
        if campaign.state != CampaignState::Running {
            return Ok(campaign);
        }
        if looks == 4 * LOOKED_WITHIN && campaign.looked_at.is_none() {
            tally.aside(|| warn_of_no_daemon(context));
        }
        let stops = runtime.block_on(async {
            tokio::select! {
                _ = &mut interrupted => true,
                () = tokio::time::sleep(LOOK_EVERY) => false,
            }
        });
        if stops {
            drop(tally);
            let id = campaign.id.0;
            return Err(Error::new(
                Kind::Interrupted,
                format!("campaign {id} is no longer watched, and goes on"),
            )
            .hint(format!(
                "the same command watches again; `webox campaign cancel {id}` stops it"
            )));
        }
        looks += 1;
        match desk.campaign(campaign.id) {
            Ok(found) => (campaign, away) = (found, false),
            // The daemon far away is gone for a moment, and the campaign is not.
            Err(error) if passes(error.kind()) => {
                if !away {
                    tally.aside(|| context.out.warn(&format!("{error}; it is tried again")));
                }
                away = true;
            }
            Err(error) => return Err(error),
        }
    }
}

const fn passes(kind: Kind) -> bool {
    matches!(kind, Kind::Unavailable | Kind::Busy | Kind::TooMany)
}

/// How it stands, in a line.
fn words(campaign: &Campaign, context: &Context) -> Result<String> {
    let mut words = tell::counts(&campaign.counts);
    if let Some(why) = &campaign.why {
        words = format!("{words}; {why}");
    } else if let (0, Some(next)) = (campaign.counts.calling, campaign.next_at)
        && next > Timestamp::now()
    {
        words = format!("{words}; the next from {}", human::date_time_zone(next, &context.now()?));
    }
    Ok(words)
}
