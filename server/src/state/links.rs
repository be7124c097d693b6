//! What links parties, asked of the lists in force.

use tidewaiter_risk::policy::day_of;
use tidewaiter_risk::screening::{Network, Question};

use super::AppState;
use crate::screen::{self, NoAnswer};

/// Why a question to the lists has no answer.
#[derive(Debug, thiserror::Error)]
pub enum LinksError {
    /// Something in it is not valid.
    #[error(transparent)]
    NoAnswer(#[from] NoAnswer),
    /// The work on it ended with a fault.
    #[error("the lists did not answer: see the server's log")]
    Died,
}

impl AppState {
    /// What links who is asked about to listed parties, today.
    ///
    /// # Errors
    /// [`LinksError`].
    pub async fn network(&self, question: Question) -> Result<Network, LinksError> {
        let law = self.law();
        let today = day_of(self.clock().now());
        // A country's lists are long: comparing is no work for the tasks that serve.
        let answered = tokio::task::spawn_blocking(move || {
            screen::network(&question, &law.lists, &law.pack, today)
        });
        match answered.await {
            Ok(answer) => Ok(answer?),
            Err(error) => {
                tracing::error!(%error, "a question to the lists died");
                Err(LinksError::Died)
            }
        }
    }
}
