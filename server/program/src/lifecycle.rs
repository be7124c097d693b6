//! Starting, watching and stopping: named tasks, signals, deadlines. A task that dies stops the
//! program; the first signal stops it in order, the second at once.

use std::future::Future;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// The tasks of a program.
#[derive(Debug, Default)]
pub struct Lifecycle {
    tasks: JoinSet<(&'static str, anyhow::Result<()>)>,
    stop: CancellationToken,
}

impl Lifecycle {
    /// A lifecycle without tasks.
    pub fn new() -> Self {
        Self::default()
    }

    /// Cancelled when the program is to stop.
    pub fn stop(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Starts a task. It is to end when [`Self::stop`] is cancelled, and not before.
    pub fn spawn<E>(
        &mut self,
        name: &'static str,
        task: impl Future<Output = Result<(), E>> + Send + 'static,
    ) where
        E: Into<anyhow::Error>,
    {
        self.tasks.spawn(async move { (name, task.await.map_err(Into::into)) });
    }

    /// Runs until a signal comes or a task ends, then stops the others.
    ///
    /// # Errors
    /// What the first task that failed says, or that one ended before its time.
    pub async fn run(mut self) -> anyhow::Result<()> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let ended = tokio::select! {
            _ = terminate.recv() => None,
            _ = interrupt.recv() => None,
            ended = self.tasks.join_next() => ended,
        };
        tracing::info!("stopping");
        self.stop.cancel();
        let first = ended.map_or(Ok(()), |ended| match ended {
            Ok((name, Ok(()))) => Err(anyhow::anyhow!("{name} ended before its time")),
            Ok((name, Err(error))) => Err(error.context(format!("{name} failed"))),
            Err(error) => Err(anyhow::anyhow!("a task died: {error}")),
        });
        let drained = async {
            while let Some(ended) = self.tasks.join_next().await {
                if let Ok((name, Err(error))) = ended {
                    tracing::warn!(task = name, error = format!("{error:#}"), "failed at the end");
                }
            }
        };
        tokio::select! {
            () = drained => {}
            () = tokio::time::sleep(DRAIN) => tracing::warn!("some tasks did not end in time"),
            _ = terminate.recv() => tracing::warn!("stopped at once"),
            _ = interrupt.recv() => tracing::warn!("stopped at once"),
        }
        first
    }
}

/// How long tasks have to end: with what comes after, the program is gone within 2 s.
const DRAIN: Duration = Duration::from_millis(1500);
