//! The one writer: takes pieces of work from a queue, does as many as are waiting in one
//! transaction, commits once, and only then answers. A piece that fails is undone alone.
//!
//! Long work has a queue of its own, takes turns with the rest, and a transaction takes one piece of
//! it at most: a new alarm waits behind one batch of a backlog, not behind all that are on their way.

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
    long_jobs: mpsc::Sender<Work>,
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
        let (jobs, receiver) = mpsc::channel(QUEUE);
        let (long_jobs, long_receiver) = mpsc::channel(QUEUE);
        let queue = Queue { jobs: receiver, long_jobs: long_receiver, turn_of_long: false };
        let (committed, commits) = watch::channel(0);
        let (end, ended) = oneshot::channel();
        tokio::spawn(async move {
            let result = run(connection, queue, committed).await;
            let _ = end.send(result.err());
        });
        Self { jobs, long_jobs, commits, ended: Arc::new(Mutex::new(Ended::Running(ended))) }
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
        let (job, answer) = job(work);
        self.jobs.send(Message::Work(job)).await.map_err(|_| StoreError::Stopped)?;
        answer.await.map_err(|_| StoreError::Stopped)?
    }

    /// As [`write`](Self::write), for work that takes long and may wait.
    pub(super) async fn write_long<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, StoreError>>
            + Send
            + 'static,
    {
        let (job, answer) = job(work);
        self.long_jobs.send(job).await.map_err(|_| StoreError::Stopped)?;
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

/// What is queued for `work`, and where its answer comes.
fn job<T, F>(work: F) -> (Work, oneshot::Receiver<Result<T, StoreError>>)
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
    (job, answer)
}

/// What waits for the writer.
struct Queue {
    jobs: mpsc::Receiver<Message>,
    long_jobs: mpsc::Receiver<Work>,
    turn_of_long: bool,
}

impl Queue {
    /// What the next transaction begins with; `None` when nobody can send any more.
    async fn first(&mut self) -> Option<Message> {
        if self.turn_of_long
            && let Ok(work) = self.long_jobs.try_recv()
        {
            self.turn_of_long = false;
            return Some(Message::Work(work));
        }
        tokio::select! {
            biased;
            message = self.jobs.recv() => {
                self.turn_of_long = true;
                message
            }
            Some(work) = self.long_jobs.recv() => {
                self.turn_of_long = false;
                Some(Message::Work(work))
            }
        }
    }
}

async fn run(
    mut connection: SqliteConnection,
    mut queue: Queue,
    committed: watch::Sender<u64>,
) -> Result<(), StoreError> {
    while let Some(message) = queue.first().await {
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
            match queue.jobs.try_recv() {
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

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use futures_util::future::{BoxFuture, join_all};
    use sqlx::Connection as _;
    use sqlx::sqlite::SqliteConnection;

    use super::{GROUP, StoreError, Writer};

    fn note(
        done: Arc<Mutex<Vec<&'static str>>>,
        name: &'static str,
    ) -> impl for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<(), StoreError>> + Send
    {
        move |_| {
            Box::pin(async move {
                done.lock().unwrap().push(name);
                Ok(())
            })
        }
    }

    /// The order in which `quick` short pieces and `long` long ones are done that wait together.
    async fn order(quick: usize, long: usize) -> Vec<&'static str> {
        let writer = Writer::start(SqliteConnection::connect("sqlite::memory:").await.unwrap());
        let done = Arc::new(Mutex::new(Vec::new()));
        let work = |name: &'static str| {
            let (writer, done) = (writer.clone(), Arc::clone(&done));
            async move {
                let written = match name {
                    "long" => writer.write_long(note(done, name)).await,
                    _ => writer.write(note(done, name)).await,
                };
                written.unwrap();
            }
        };
        let longs = (0..long).map(|_| work("long"));
        join_all(longs.chain((0..quick).map(|_| work("quick")))).await;
        let done = done.lock().unwrap();
        done.clone()
    }

    #[tokio::test]
    async fn what_is_short_does_not_wait_behind_long_work_that_came_before() {
        assert_eq!(order(1, 3).await, ["quick", "long", "long", "long"]);
    }

    #[tokio::test]
    async fn long_work_has_its_turn_however_much_short_work_waits() {
        let order = order(3 * GROUP, 1).await;
        assert_eq!(order.iter().position(|name| *name == "long"), Some(GROUP));
    }
}
