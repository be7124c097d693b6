//! The server's store: SQLite, one writer with group commit, readers beside it.
//!
//! Owns every SQL text of the program (in `store/…`, one file a noun) and the promise that what a
//! method has answered is on disk. It holds no policy: what an alert means is decided elsewhere.
//! SQL keeps to the portable subset, so that another engine can take these methods over.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use sqlx::ConnectOptions;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};
use tokio::sync::watch;

mod accept;
mod account;
mod alert;
mod answered;
mod approval;
mod audit;
mod bundle;
mod case;
mod change;
mod desk;
mod export;
mod facts;
mod figures;
mod incoming;
mod inspection;
mod law;
mod order;
mod pending;
mod policy;
mod presence;
mod quarantine;
mod second;
mod session;
mod station;
mod writer;

pub use accept::Accepted;
pub use account::{AccountError, AccountRow};
pub use alert::{
    Act, ActError, Action, Agreed, AlertFilter, AlertOrder, AlertPage, AlertRow, Aside,
    CLOSING_REASONS, Decision, MergeError, Upserted, state_name,
};
pub use answered::Answered;
pub use approval::ApprovalRow;
pub use audit::Note;
pub use bundle::{BundleRow, BundleState};
pub use case::CaseRow;
pub use change::{Change, ChangeKind};
pub use desk::{AttachmentRow, SavedView, SilenceRow};
pub use export::{ExportedAlert, ExportedDecision, ExportedRecord, ExportedStation};
pub use facts::{CashRow, ClockRow, DueRow, Facts};
pub use figures::{CashFigure, CashFigures, CoverageFigure, Period, RuleFigure, TimeFigure};
pub use incoming::IncomingRow;
pub use inspection::{InspectionPage, InspectionRow, KeyedRecords, MovementRow, StoredRecord};
pub use law::{Activation, ShadowCount, ShadowHit};
pub use order::OrderRow;
pub use pending::{LedgerFinding, Pending, PendingWork};
pub use quarantine::Quarantined;
pub use second::{BREAK_GLASS_LONGEST, BreakGlassRow, Override};
pub use session::SessionRow;
pub use station::StationRow;

use writer::Writer;

/// The server's store. Clones share it.
#[derive(Clone, Debug)]
pub struct Store {
    readers: SqlitePool,
    writer: Writer,
}

/// Why the store did not do what was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// The database refused or failed.
    #[error("the store failed")]
    Database(#[source] std::sync::Arc<sqlx::Error>),
    /// The tables are of a version that this program cannot bring up to date.
    #[error("the store's tables could not be brought up to date")]
    Migration(#[source] std::sync::Arc<sqlx::migrate::MigrateError>),
    /// What is stored is not what this program wrote.
    #[error("the store holds a {column} in {table} that is not valid: {problem}")]
    Inconsistent {
        /// Which table.
        table: &'static str,
        /// Which column.
        column: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// A number does not fit the store.
    #[error("{what} {value} is larger than the store can hold")]
    OutOfRange {
        /// Which number.
        what: &'static str,
        /// The number.
        value: u64,
    },
    /// The writer has stopped; the program is about to.
    #[error("the store has stopped")]
    Stopped,
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(std::sync::Arc::new(error))
    }
}

impl Store {
    /// Opens the store in `file`, making it and its tables where needed.
    ///
    /// # Errors
    /// [`StoreError`] when the file cannot be opened or its tables not be brought up to date.
    pub async fn open(file: &Path) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY_TIMEOUT)
            .foreign_keys(true);
        let mut connection: SqliteConnection = options.clone().connect().await?;
        sqlx::migrate!("./migrations")
            .run(&mut connection)
            .await
            .map_err(|error| StoreError::Migration(std::sync::Arc::new(error)))?;
        let writer = Writer::start(connection);
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .connect_with(options.read_only(true))
            .await?;
        Ok(Self { readers, writer })
    }

    /// Resolves once the writer has stopped, with the reason if it failed.
    pub async fn stopped(&self) -> Option<StoreError> {
        self.writer.stopped().await
    }

    /// Counts commits: readers that follow changes wait on it, then look.
    pub fn commits(&self) -> watch::Receiver<u64> {
        self.writer.commits()
    }

    /// Takes no more work, finishes what was asked, closes the file.
    pub async fn close(&self) {
        self.writer.stop().await;
        self.readers.close().await;
    }

    /// Whether the store answers.
    ///
    /// # Errors
    /// [`StoreError`] when it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1").execute(&self.readers).await?;
        Ok(())
    }
}

/// Takes `count` numbers of a counter and gives the first of them.
async fn take_numbers(
    connection: &mut SqliteConnection,
    counter: &'static str,
    count: i64,
) -> Result<i64, StoreError> {
    let last: i64 =
        sqlx::query_scalar("UPDATE counter SET value = value + $1 WHERE name = $2 RETURNING value")
            .bind(count)
            .bind(counter)
            .fetch_one(connection)
            .await?;
    Ok(last - count + 1)
}

fn to_number(what: &'static str, value: u64) -> Result<i64, StoreError> {
    i64::try_from(value).map_err(|_| StoreError::OutOfRange { what, value })
}

fn from_number(table: &'static str, column: &'static str, value: i64) -> Result<u64, StoreError> {
    u64::try_from(value).map_err(|_| StoreError::Inconsistent {
        table,
        column,
        problem: format!("{value} is negative"),
    })
}

fn to_time(
    table: &'static str,
    column: &'static str,
    micros: i64,
) -> Result<Timestamp, StoreError> {
    Timestamp::from_microsecond(micros).map_err(|error| StoreError::Inconsistent {
        table,
        column,
        problem: error.to_string(),
    })
}

fn to_bytes<const N: usize>(
    table: &'static str,
    column: &'static str,
    bytes: &[u8],
) -> Result<[u8; N], StoreError> {
    bytes.try_into().map_err(|_| StoreError::Inconsistent {
        table,
        column,
        problem: format!("{} bytes where {N} are expected", bytes.len()),
    })
}

fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(
    table: &'static str,
    column: &'static str,
    text: &str,
) -> Result<T, StoreError> {
    text.parse().map_err(|error: T::Err| StoreError::Inconsistent {
        table,
        column,
        problem: error.to_string(),
    })
}

fn from_json<T: serde::de::DeserializeOwned>(
    table: &'static str,
    column: &'static str,
    text: &str,
) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::Inconsistent {
        table,
        column,
        problem: error.to_string(),
    })
}

fn to_json<T: serde::Serialize>(
    table: &'static str,
    column: &'static str,
    value: &T,
) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Inconsistent {
        table,
        column,
        problem: error.to_string(),
    })
}

/// How long a writer in another process (an enrolment) may hold the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
const READERS: u32 = 4;

#[cfg(test)]
pub(crate) mod tests;
