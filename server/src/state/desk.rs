//! What people do at the desk beside deciding: silences, views, orders to stations, files, merging,
//! and who looks at what.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::SignedDuration;
use sha2::{Digest, Sha256};
use tidewaiter_people::role::Permission;
use tidewaiter_proto::alert::AlertCode;
use tidewaiter_proto::order::{Order, OrderKind, TEXT_MAX};
use tidewaiter_proto::seal::random;

use super::{AppState, sites};
use crate::people::Actor;
use crate::store::{
    AlertRow, AttachmentRow, DueRow, MergeError, Note, SavedView, SilenceRow, StoreError,
};

/// Why something at the desk was not done.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DeskError {
    /// No such thing, or not for this person to see.
    #[error("there is no {0}")]
    Unknown(String),
    /// Not as it must be.
    #[error("{0}")]
    NotValid(&'static str),
    /// Merging.
    #[error(transparent)]
    Merge(#[from] MergeError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What somebody keeps quiet for a time.
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quieting {
    /// Like which alert: its code, and its traveller or its station.
    pub like: String,
    /// Whether for its traveller everywhere; else for its station, whoever comes.
    #[serde(default)]
    pub traveller: bool,
    /// Why.
    pub reason: String,
    /// For how many hours.
    pub hours: u32,
}

/// What somebody asks of a station.
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderAsk {
    /// What.
    pub kind: OrderKind,
    /// In words.
    #[serde(default)]
    pub text: String,
}

/// Who looks at which alert: known to this process, for as long as somebody looks. A hint for
/// people, nothing that is decided by.
#[derive(Debug, Default)]
pub struct Present(Mutex<BTreeMap<String, BTreeMap<String, Instant>>>);

impl Present {
    /// Notes that somebody looks; gives who else does.
    pub fn look(&self, alert: &str, who: &str) -> Vec<String> {
        let now = Instant::now();
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, people| {
            people.retain(|_, at| now.duration_since(*at) < LOOKS_FOR);
            !people.is_empty()
        });
        let people = all.entry(alert.to_owned()).or_default();
        people.insert(who.to_owned(), now);
        people.keys().filter(|person| *person != who).cloned().collect()
    }
}

impl AppState {
    /// The alert, if this person may act on it.
    async fn to_act_on(&self, actor: &Actor, id: &str) -> Result<AlertRow, DeskError> {
        let may =
            |row: &AlertRow| actor.account.may_at(Permission::AlertAct, row.alert.station.site());
        let row = self.store().alert(id).await?.filter(may);
        row.ok_or_else(|| DeskError::Unknown(format!("alert {id:?}")))
    }

    /// Keeps alerts like one out of the queue for a time.
    ///
    /// # Errors
    /// [`DeskError`]; a listed person is never silenced.
    pub async fn silence(&self, actor: &Actor, ask: Quieting) -> Result<SilenceRow, DeskError> {
        let row = self.to_act_on(actor, &ask.like).await?;
        let alert = &row.alert;
        if UNSILENCED.contains(&alert.code) {
            let why = "alerts about listed persons and companies are not silenced";
            return Err(DeskError::NotValid(why));
        }
        if ask.reason.trim().is_empty() || ask.reason.chars().count() > REASON_MAX {
            return Err(DeskError::NotValid("a silence needs a reason of 1 to 500 characters"));
        }
        if !(1..=HOURS_MAX).contains(&ask.hours) {
            return Err(DeskError::NotValid("a silence lasts 1 to 720 hours"));
        }
        let subject = match (ask.traveller, &alert.subject) {
            (true, Some(subject)) => subject.clone(),
            (true, None) => {
                return Err(DeskError::NotValid("nobody's document was read: silence the station"));
            }
            (false, _) => String::new(),
        };
        let begun_at = self.clock().now();
        let ends_at = begun_at
            .checked_add(SignedDuration::from_hours(i64::from(ask.hours)))
            .map_err(|_| DeskError::NotValid("a silence lasts 1 to 720 hours"))?;
        let silence = SilenceRow {
            id: id()?,
            code: alert.code.as_str().to_owned(),
            station: if ask.traveller { String::new() } else { alert.station.to_string() },
            subject,
            author: actor.id().to_owned(),
            reason: ask.reason.trim().to_owned(),
            begun_at,
            ends_at,
        };
        let note = Note::done(actor.id(), "silence_begun", silence.id.clone())
            .with("code", silence.code.clone())
            .with("ends_at", ends_at.to_string())
            .with("reason", silence.reason.clone());
        self.store().silence(silence.clone(), note, self.people().now()).await?;
        Ok(silence)
    }

    /// Ends a silence before its time.
    ///
    /// # Errors
    /// [`DeskError`].
    pub async fn end_silence(&self, actor: &Actor, id: &str) -> Result<(), DeskError> {
        let note = Note::done(actor.id(), "silence_ended", id);
        let when = (self.clock().now(), self.people().now());
        if self.store().end_silence(id, actor.id(), note, when).await? {
            return Ok(());
        }
        Err(DeskError::Unknown(format!("silence {id:?} that runs")))
    }

    /// Silences that run.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn silences(&self, actor: &Actor) -> Result<Vec<SilenceRow>, StoreError> {
        let seen = sites(actor, Permission::AlertRead);
        let mut rows = self.store().silences(self.clock().now()).await?;
        rows.retain(|row| {
            let site = row.station.split('/').next().unwrap_or_default();
            seen.is_empty() || site.is_empty() || seen.split(',').any(|own| own == site)
        });
        Ok(rows)
    }

    /// What is due first, with what may be seen of it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn due(&self, actor: &Actor, limit: i64) -> Result<Vec<DueRow>, StoreError> {
        self.store().clocks_running(&sites(actor, Permission::AlertRead), limit).await
    }

    /// The views that this person sees.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn views(&self, actor: &Actor) -> Result<Vec<SavedView>, StoreError> {
        self.store().views(actor.id()).await
    }

    /// Keeps a filter as a view of this person's.
    ///
    /// # Errors
    /// [`DeskError`].
    pub async fn save_view(
        &self,
        actor: &Actor,
        name: &str,
        query: &str,
        shared: bool,
    ) -> Result<SavedView, DeskError> {
        let name = name.trim();
        if name.is_empty() || name.chars().count() > 60 {
            return Err(DeskError::NotValid("a view needs a name of 1 to 60 characters"));
        }
        let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'#' && byte != b'?';
        if query.len() > 2000 || !query.bytes().all(plain) {
            return Err(DeskError::NotValid("a view's query is what stands behind `?`"));
        }
        let owner = actor.id().to_owned();
        let view = SavedView { owner, name: name.to_owned(), query: query.to_owned(), shared };
        self.store().save_view(view.clone()).await?;
        Ok(view)
    }

    /// Lets a view of this person's go.
    ///
    /// # Errors
    /// [`DeskError`].
    pub async fn drop_view(&self, actor: &Actor, name: &str) -> Result<(), DeskError> {
        if self.store().drop_view(actor.id(), name).await? {
            return Ok(());
        }
        Err(DeskError::Unknown(format!("view {name:?} of yours")))
    }

    /// Asks a station for something about an alert's inspection; the officer sees it at once.
    ///
    /// # Errors
    /// [`DeskError`].
    pub async fn order(
        &self,
        actor: &Actor,
        officer: &str,
        alert: &str,
        ask: OrderAsk,
    ) -> Result<Order, DeskError> {
        let row = self.to_act_on(actor, alert).await?;
        let Some(inspection) = row.alert.inspection.clone() else {
            return Err(DeskError::NotValid("this alert is about no inspection at a station"));
        };
        if ask.text.chars().count() > TEXT_MAX {
            return Err(DeskError::NotValid("an order's text has 500 characters at most"));
        }
        let order = Order {
            id: id()?,
            station: row.alert.station.clone(),
            inspection,
            kind: ask.kind,
            text: ask.text.trim().to_owned(),
            by: officer.to_owned(),
            at: self.clock().now(),
        };
        let note = Note::done(actor.id(), "order", alert)
            .with("order", order.id.clone())
            .with("kind", order.kind.as_str())
            .with("station", order.station.to_string());
        self.store().order(alert, order.clone(), note, self.people().now()).await?;
        Ok(order)
    }

    /// Keeps a file beside an alert.
    ///
    /// # Errors
    /// [`DeskError`]; only what its content shows to be a picture, a PDF or plain text is taken.
    pub async fn attach(
        &self,
        actor: &Actor,
        alert: &str,
        name: &str,
        content: Vec<u8>,
    ) -> Result<AttachmentRow, DeskError> {
        self.to_act_on(actor, alert).await?;
        if content.is_empty() || content.len() > ATTACHED_BYTES_MAX {
            return Err(DeskError::NotValid("a file has 1 byte to 5 MiB"));
        }
        let Some(media_type) = kind_of_content(&content) else {
            let why = "only pictures (PNG, JPEG, GIF, WebP), PDF and plain text are taken";
            return Err(DeskError::NotValid(why));
        };
        let name: String = name
            .rsplit(['/', '\\'])
            .next()
            .unwrap_or_default()
            .chars()
            .filter(|c| !c.is_control())
            .take(NAME_MAX)
            .collect();
        let row = AttachmentRow {
            sha256: hex::encode(Sha256::digest(&content)),
            name: if name.trim().is_empty() { "file".to_owned() } else { name },
            media_type: media_type.to_owned(),
            bytes: content.len() as u64,
            added_by: actor.id().to_owned(),
            added_at: self.clock().now(),
        };
        let note = Note::done(actor.id(), "attached", alert).with("sha256", row.sha256.clone());
        let done =
            self.store().attach(alert, row.clone(), content, note, self.people().now()).await?;
        if done {
            return Ok(row);
        }
        Err(DeskError::NotValid("this file is there already, or 50 files are"))
    }

    /// A file beside an alert, with its bytes; that it was looked at is kept.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn attached(
        &self,
        actor: &Actor,
        alert: &str,
        sha256: &str,
    ) -> Result<Option<(AttachmentRow, Vec<u8>)>, StoreError> {
        let Some(row) = self.store().alert(alert).await? else { return Ok(None) };
        if !actor.account.may_at(Permission::AlertRead, row.alert.station.site()) {
            return Ok(None);
        }
        let files = self.store().attachments(alert).await?;
        let Some(file) = files.into_iter().find(|file| file.sha256 == sha256) else {
            return Ok(None);
        };
        let Some(content) = self.store().attached(sha256).await? else { return Ok(None) };
        self.noted(actor, "attachment_read", format!("{alert} {sha256}")).await?;
        Ok(Some((file, content)))
    }

    /// Lets one alert speak for others; each is answered for itself.
    ///
    /// # Errors
    /// [`DeskError`] when this person may not act on the one that shall speak.
    pub async fn merge(
        &self,
        actor: &Actor,
        officer: &str,
        into: &str,
        ids: &[String],
    ) -> Result<Vec<(String, Result<(), DeskError>)>, DeskError> {
        self.to_act_on(actor, into).await?;
        let mut done = Vec::new();
        for id in ids.iter().take(BULK_MAX) {
            let merged = match self.to_act_on(actor, id).await {
                Ok(_) => self
                    .store()
                    .merge(id, into, officer, self.clock().now())
                    .await
                    .map_err(DeskError::from),
                Err(error) => Err(error),
            };
            done.push((id.clone(), merged));
        }
        Ok(done)
    }

    /// Lets an alert speak for itself again.
    ///
    /// # Errors
    /// [`DeskError`].
    pub async fn unmerge(&self, actor: &Actor, officer: &str, id: &str) -> Result<(), DeskError> {
        self.to_act_on(actor, id).await?;
        Ok(self.store().unmerge(id, officer, self.clock().now()).await?)
    }

    /// Who else looks at an alert, asked by one who looks.
    pub fn looking(&self, actor: &Actor, alert: &str) -> Vec<String> {
        self.present.look(alert, actor.id())
    }
}

/// What content is, by its first bytes; `None` for what is not taken.
pub fn kind_of_content(content: &[u8]) -> Option<&'static str> {
    const KINDS: [(&[u8], &str); 5] = [
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xff\xd8\xff", "image/jpeg"),
        (b"GIF8", "image/gif"),
        (b"%PDF-", "application/pdf"),
        (b"RIFF", "image/webp"),
    ];
    let known = KINDS.iter().find(|(start, _)| content.starts_with(start));
    match known {
        Some((_, "image/webp")) => (content.get(8..12) == Some(b"WEBP")).then_some("image/webp"),
        Some((_, kind)) => Some(kind),
        None => {
            let text = std::str::from_utf8(content).ok()?;
            let plain = |c: char| !c.is_control() || matches!(c, '\n' | '\r' | '\t');
            text.chars().all(plain).then_some("text/plain; charset=utf-8")
        }
    }
}

/// Sixteen random bytes, in hex.
pub(super) fn id() -> Result<String, StoreError> {
    Ok(hex::encode(random::<16>().map_err(|_| StoreError::Stopped)?))
}

/// When a person counts as gone: a page that is looked at asks again long before.
const LOOKS_FOR: Duration = Duration::from_secs(40);
/// Codes that stay in the queue, whoever is tired of them.
const UNSILENCED: [AlertCode; 4] = [
    AlertCode::ListMatch,
    AlertCode::ListMatchPossible,
    AlertCode::RetroMatch,
    AlertCode::BreakGlass,
];
const REASON_MAX: usize = 500;
const HOURS_MAX: u32 = 720;
const NAME_MAX: usize = 100;
/// The largest file beside an alert.
pub const ATTACHED_BYTES_MAX: usize = 5 * 1024 * 1024;
/// The most alerts that are worked on at once.
pub const BULK_MAX: usize = 500;

#[cfg(test)]
mod tests {
    use super::{Present, kind_of_content};

    #[test]
    fn content_says_what_it_is_and_a_name_does_not() {
        assert_eq!(kind_of_content(b"\x89PNG\r\n\x1a\nrest"), Some("image/png"));
        assert_eq!(kind_of_content(b"RIFF\0\0\0\0WEBPrest"), Some("image/webp"));
        assert_eq!(kind_of_content(b"RIFF\0\0\0\0WAVErest"), None);
        assert_eq!(kind_of_content("Notiz: größer".as_bytes()), Some("text/plain; charset=utf-8"));
        assert_eq!(kind_of_content(b"MZ\x90\0"), None);
    }

    #[test]
    fn who_looks_is_told_of_the_others_and_not_of_themselves() {
        let present = Present::default();
        assert!(present.look("a", "s-1").is_empty());
        assert_eq!(present.look("a", "s-2"), ["s-1"]);
        assert_eq!(present.look("a", "s-1"), ["s-2"]);
        assert!(present.look("b", "s-1").is_empty());
    }
}
