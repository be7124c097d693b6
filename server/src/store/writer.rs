//! The one writer: takes pieces of work from a queue, does as many as are waiting in one
//! transaction, commits once, and only then answers. A piece that fails is undone alone.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use sqlx::Connection;
use sqlx::sqlite::SqliteConnection;
use tokio::sync::{Mutex, mpsc, oneshot, watch};

use super::StoreError;

/// Handle of the writer task.
#[derive(Clone, Debug)]
pub(super) struct Writer {
    jobs: mpsc::Sender<Message>,
    commits: watch::Receiver<u64>,
    ended: Arc<Mutex<Ended>>,
}

#[derive(Debug)]
enum Ended {
    Running(oneshot::Receiver<Option<StoreError>>),
    Done(Option<StoreError>),
}

enum Message {
    Work(Work),
    Stop(oneshot::Sender<()>),
}

type Work = Box<dyn for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Done> + Send>;
type Answer = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// A piece of work done, not yet committed.
struct Done {
    keep: bool,
    answer: Answer,
}

impl Writer {
    /// Starts the writer on its own connection.
    pub(super) fn start(connection: SqliteConnection) -> Self {
        let (jobs, queue) = mpsc::channel(QUEUE);
        let (committed, commits) = watch::channel(0);
        let (end, ended) = oneshot::channel();
        tokio::spawn(async move {
            let result = run(connection, queue, committed).await;
            let _ = end.send(result.err());
        });
        Self { jobs, commits, ended: Arc::new(Mutex::new(Ended::Running(ended))) }
    }

    pub(super) fn commits(&self) -> watch::Receiver<u64> {
        self.commits.clone()
    }

    /// Does `work` in a transaction and answers once it is on disk.
    pub(super) async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, StoreError>>
            + Send
            + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job: Work = Box::new(move |connection| {
            Box::pin(async move {
                let result = work(connection).await;
                let keep = result.is_ok();
                let answer: Answer = Box::new(move |committed| {
                    // Nobody waits any more: the work is done all the same.
                    let _ = reply.send(committed.and(result));
                });
                Done { keep, answer }
            })
        });
        self.jobs.send(Message::Work(job)).await.map_err(|_| StoreError::Stopped)?;
        answer.await.map_err(|_| StoreError::Stopped)?
    }

    pub(super) async fn stop(&self) {
        let (reply, done) = oneshot::channel();
        if self.jobs.send(Message::Stop(reply)).await.is_ok() {
            let _ = done.await;
        }
    }

    pub(super) async fn stopped(&self) -> Option<StoreError> {
        let mut ended = self.ended.lock().await;
        match &mut *ended {
            Ended::Done(error) => error.clone(),
            Ended::Running(receiver) => {
                let error = receiver.await.unwrap_or(Some(StoreError::Stopped));
                *ended = Ended::Done(error.clone());
                error
            }
        }
    }
}

async fn run(
    mut connection: SqliteConnection,
    mut queue: mpsc::Receiver<Message>,
    committed: watch::Sender<u64>,
) -> Result<(), StoreError> {
    while let Some(message) = queue.recv().await {
        let first = match message {
            Message::Work(work) => work,
            Message::Stop(reply) => {
                let closed = connection.close().await;
                let _ = reply.send(());
                return Ok(closed?);
            }
        };
        let mut stop = None;
        let mut answers = Vec::new();
        begin(&mut connection).await?;
        answers.push(apply(&mut connection, first).await?);
        while answers.len() < GROUP {
            match queue.try_recv() {
                Ok(Message::Work(work)) => answers.push(apply(&mut connection, work).await?),
                Ok(Message::Stop(reply)) => {
                    stop = Some(reply);
                    break;
                }
                Err(_) => break,
            }
        }
        // A commit that fails may have lost what the system already said was written: nothing is
        // tried again, the program stops and recovers from what is on disk.
        if let Err(error) = sqlx::query("COMMIT").execute(&mut connection).await {
            let error = StoreError::from(error);
            for answer in answers {
                answer(Err(error.clone()));
            }
            return Err(error);
        }
        committed.send_modify(|count| *count = count.wrapping_add(1));
        for answer in answers {
            answer(Ok(()));
        }
        if let Some(reply) = stop {
            let closed = connection.close().await;
            let _ = reply.send(());
            return Ok(closed?);
        }
    }
    Ok(connection.close().await?)
}

/// Begins a transaction, waiting for as long as another process holds the file.
async fn begin(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    loop {
        match sqlx::query("BEGIN IMMEDIATE").execute(&mut *connection).await {
            Ok(_) => return Ok(()),
            Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some(BUSY) => {
                tracing::warn!("another process holds the store; waiting for it");
            }
            Err(error) => return Err(error.into()),
        }
    }
}

async fn apply(connection: &mut SqliteConnection, work: Work) -> Result<Answer, StoreError> {
    sqlx::query("SAVEPOINT work").execute(&mut *connection).await?;
    let done = work(connection).await;
    if !done.keep {
        sqlx::query("ROLLBACK TO work").execute(&mut *connection).await?;
    }
    sqlx::query("RELEASE work").execute(&mut *connection).await?;
    Ok(done.answer)
}

/// The most pieces of work in one transaction.
const GROUP: usize = 64;
const QUEUE: usize = 256;
/// SQLITE_BUSY
const BUSY: &str = "5";
