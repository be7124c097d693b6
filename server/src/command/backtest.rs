//! `tidewaiter-server backtest`: a draft policy on stored records, beside the policy in force.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use indicatif::ProgressBar;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use tidewaiter_risk::backtest::{Compared, Difference, Precision, Report};
use tidewaiter_risk::crossing::assemble;
use tidewaiter_risk::engine::listed::{Asked, Listed};
use tidewaiter_risk::engine::{Case, Engine, Screener};
use tidewaiter_risk::history::{Digest, MemoryHistory};
use tidewaiter_risk::policy::day_of;
use tidewaiter_risk::rule::Status;
use tidewaiter_risk::screening::Index;

use super::{Configured, Verdict, permission};
use crate::assess::judge::jurisdiction_of;
use crate::assess::together::Together;
use crate::authority::Authority;
use crate::configuration::ServerConfiguration;
use crate::inspection::Opener;
use crate::law::force::Force;
use crate::law::{self, Law};
use crate::store::{InspectionRow, Store};

pub(super) const EXAMPLE: &str = "Example:\n  tidewaiter-server backtest --config server.toml --policy draft/ --from 2026-01-01 --to 2026-12-31\n\n\
Each crossing is judged as of its own day: with the law of that day, what the lists held by then and\n\
the history before it. Rules in draft and in shadow of the given policy count as if they were in\n\
force. stdout: the report as JSON: by rule, code, site and day what is added and dropped, with\n\
precision on what was decided (outcomes of inspections, reasons for closing alerts); stderr: the same\n\
in short. Exit status: 0; 1 when the store cannot be read; 2 for a wrong configuration.";

/// Arguments of `backtest`.
#[derive(Debug, Args)]
pub(super) struct Backtest {
    #[command(flatten)]
    configured: Configured,
    /// Directory of the policy pack to try.
    #[arg(long, value_name = "DIR")]
    policy: PathBuf,
    /// The first day or instant.
    #[arg(long, value_name = "T", value_parser = first_instant)]
    from: Timestamp,
    /// The last day, or the instant before which to end.
    #[arg(long, value_name = "T", value_parser = last_instant)]
    to: Timestamp,
}

/// What a back-test works with.
struct Trial {
    store: Store,
    opener: Opener,
    active: Engine,
    draft: Engine,
    jurisdiction: Option<String>,
    history: MemoryHistory,
    report: Report,
}

/// Lists as they were on the day that is asked about: what was listed later is not there yet.
struct AsOf(Index);

impl Screener for AsOf {
    fn versions(&self) -> BTreeMap<String, String> {
        self.0.versions()
    }

    fn screen(&self, asked: &Asked) -> Vec<Listed> {
        let mut hits = self.0.screen(asked);
        hits.retain(|hit| {
            hit.listed_on.zip(asked.on).is_none_or(|(listed_on, day)| listed_on <= day)
        });
        hits
    }
}

fn as_of_each_day(law: Law) -> Engine {
    let rates = law.pack.rates.clone();
    Engine::new(law.pack, AsOf(law.lists), rates)
}

impl Backtest {
    pub(super) fn run(self) -> anyhow::Result<Verdict> {
        let configuration = ServerConfiguration::read(&self.configured.config)?;
        let policy = &configuration.policy;
        let lists = policy.lists.as_deref();
        let statuses = [Status::Active, Status::Shadow, Status::Draft];
        let draft = as_of_each_day(law::read(Some(&self.policy), lists)?).running(&statuses);
        let authority = Authority::open(&configuration.server.data)
            .context("the authority cannot be opened")?;
        super::runtime()?.block_on(async {
            let store = Store::open(&configuration.store_file())
                .await
                .context("the store cannot be opened")?;
            // What two persons agreed to last, which the directory does not say.
            let active = Force::open(policy, &store).await?.law().as_ref().clone();
            permission::note(&store, "backtest", &self.policy.display().to_string()).await?;
            let mut trial = Trial {
                opener: Opener::new(store.clone(), authority.sealing.clone()),
                store,
                active: as_of_each_day(active),
                draft,
                jurisdiction: policy.jurisdiction.clone(),
                history: MemoryHistory::default(),
                report: Report::default(),
            };
            trial.run(self.from, self.to).await?;
            trial.store.close().await;
            let mut out = std::io::stdout().lock();
            writeln!(out, "{}", serde_json::to_string_pretty(&trial.report)?)?;
            super::say_on_stderr(&in_short(&trial.report));
            Ok(Verdict::Well)
        })
    }
}

impl Trial {
    /// Every crossing that was opened from `from` on and before `to`, in the order of time.
    async fn run(&mut self, from: Timestamp, to: Timestamp) -> anyhow::Result<()> {
        self.remember_until(from).await?;
        let progress = ProgressBar::new_spinner();
        let mut last = (Timestamp::MIN, String::new(), String::new());
        loop {
            let after = (last.0, last.1.as_str(), last.2.as_str());
            let rows = self.store.inspections_between(None, from, to, after, AT_ONCE).await?;
            let Some(row) = rows.last() else { break };
            last = (row.opened_at, row.station.to_string(), row.inspection.clone());
            for row in &rows {
                self.one(row).await?;
                progress.inc(1);
            }
            progress.set_message(format!("{} crossings, {}", self.report.crossings, last.0));
        }
        progress.finish_and_clear();
        Ok(())
    }

    /// What was known before the first day; nothing later, or the past would know the future.
    async fn remember_until(&mut self, from: Timestamp) -> anyhow::Result<()> {
        let mut after = String::new();
        loop {
            let page = self.store.digests(&after, AT_ONCE).await?;
            let Some((last, _)) = page.last() else { return Ok(()) };
            after.clone_from(last);
            let digests = page.iter().filter_map(|(_, text)| serde_json::from_str(text).ok());
            self.history.extend(digests.filter(|digest: &Digest| digest.opened < from));
        }
    }

    async fn one(&mut self, row: &InspectionRow) -> anyhow::Result<()> {
        let opened = self.opener.open(&row.station, &row.key_id).await?;
        let mut records: Vec<_> = opened.records.into_iter().map(|opened| opened.record).collect();
        records.retain(|record| record.inspection.as_deref() == Some(row.inspection.as_str()));
        let mut together = Together { rows: vec![row.clone()], records };
        together.follow_links(&self.store, &self.opener).await?;
        let records = together.records;
        let Some(now) = records.iter().map(|record| record.at).max() else { return Ok(()) };
        let law =
            jurisdiction_of(self.active.pack(), self.jurisdiction.as_deref(), &row.station, now);
        let case = Case::new(&law, now, &records).with_history(&self.history);
        let (active, draft) = (self.active.assess(&case), self.draft.assess(&case));
        let decision = row
            .decision
            .as_ref()
            .and_then(|name| serde_json::from_value(serde_json::Value::String(name.clone())).ok());
        let closed = self.store.closings_of(&row.station, &row.inspection).await?;
        self.report.add(&Compared {
            site: row.station.site(),
            day: day_of(row.opened_at),
            inspection: &row.inspection,
            active: &active,
            draft: &draft,
            decision,
            closed: &closed,
        });
        self.history.extend(assemble(&records).crossings.iter().flat_map(Digest::of_each));
        Ok(())
    }
}

fn in_short(report: &Report) -> String {
    let Difference { added, dropped, kept, reweighed } = report.alerts;
    let precision = |precision: &Precision| {
        let share = precision.share().map(|share| share.round_dp(3).to_string());
        format!(
            "{} of {} decided confirmed ({}), {} missed",
            precision.confirmed,
            precision.decided,
            share.unwrap_or_else(|| "nothing decided".to_owned()),
            precision.missed
        )
    };
    format!(
        "{} crossings: {added} alerts added, {dropped} dropped, {kept} kept, {reweighed} of them \
         weighed otherwise\nin force: {}\ndraft:    {}\nalerts closed, in force: {}\nalerts closed, \
         draft:    {}",
        report.crossings,
        precision(&report.active),
        precision(&report.draft),
        precision(&report.active_alerts),
        precision(&report.draft_alerts)
    )
}

fn first_instant(text: &str) -> Result<Timestamp, String> {
    instant(text, 0)
}

/// A day as the last one ends where the next begins.
fn last_instant(text: &str) -> Result<Timestamp, String> {
    instant(text, 1)
}

fn instant(text: &str, days: i64) -> Result<Timestamp, String> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    let wrong = || format!("{text:?} is no day (2026-01-31) and no instant (2026-01-31T12:00:00Z)");
    let day: Date = text.parse().map_err(|_| wrong())?;
    let day = day.checked_add(jiff::Span::new().days(days)).map_err(|_| wrong())?;
    TimeZone::UTC.to_timestamp(day.at(0, 0, 0, 0)).map_err(|_| wrong())
}

const AT_ONCE: i64 = 1000;

#[cfg(test)]
mod tests {
    use super::{first_instant, last_instant};

    #[test]
    fn the_last_day_is_whole_and_an_instant_is_itself() {
        let shown = |at: Result<jiff::Timestamp, String>| at.unwrap().to_string();
        assert_eq!(shown(first_instant("2026-01-31")), "2026-01-31T00:00:00Z");
        assert_eq!(shown(last_instant("2026-01-31")), "2026-02-01T00:00:00Z");
        assert_eq!(shown(last_instant("2026-01-31T12:00:00Z")), "2026-01-31T12:00:00Z");
        assert!(first_instant("31.1.2026").unwrap_err().contains("no day"));
    }
}
