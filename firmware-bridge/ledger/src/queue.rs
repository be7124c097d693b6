//! The one queue into the ledger: appends wait here for their group.
//!
//! Two writer threads take turns: while one writes and syncs its group, the other takes what
//! arrives, numbers and seals it. Only one group is written at a time, in the order of numbers.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use tidewaiter_proto::chain::ChainHash;
use tidewaiter_proto::record::Draft;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use crate::fault::AppendError;
use crate::sequencer::Sequencer;

/// Where a record stands once it is on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// Which life of the ledger.
    pub epoch: u64,
    /// Its number.
    pub seq: u64,
    /// Its chain hash.
    pub hash: ChainHash,
}

/// Where an answer goes.
pub(crate) type Reply<T> = oneshot::Sender<Result<T, AppendError>>;

/// One thing to do, in order.
pub(crate) enum Request {
    /// Number, seal and write a record.
    Append {
        draft: Box<Draft>,
        event: Option<[u8; 16]>,
        reply: Reply<Appended>,
        /// Given back when the request is taken.
        permit: OwnedSemaphorePermit,
    },
    /// Write a named value.
    State { key: String, value: Vec<u8>, reply: Reply<()> },
    /// Do something while nothing is being numbered or written.
    Alone(Box<dyn FnOnce(&mut Sequencer) + Send>),
}

/// What a writer thread does next.
pub(crate) enum Turn {
    /// Number and seal these.
    Take(Vec<Request>),
    /// Write the group; the turn to write is taken.
    Write,
    /// Nothing is being written: do this.
    Alone(Box<dyn FnOnce(&mut Sequencer) + Send>),
    /// Nothing more will come.
    Stop,
}

#[derive(Default)]
struct Waiting {
    requests: VecDeque<Request>,
    writing: bool,
    stopped: bool,
    /// The one thread that asks for a turn waits for the turn to write, not only for a request:
    /// waking it for nothing costs a record more than sealing it does.
    wants_to_write: bool,
}

/// The queue.
#[derive(Default)]
pub(crate) struct Queue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

impl Queue {
    /// Adds a request.
    pub(crate) fn push(&self, request: Request) -> Result<(), AppendError> {
        let mut waiting = lock(&self.waiting);
        if waiting.stopped {
            return Err(AppendError::Closed);
        }
        waiting.requests.push_back(request);
        drop(waiting);
        self.changed.notify_all();
        Ok(())
    }

    /// Waits for the next turn. `begun`: a group has been begun; `room`: how many more it takes.
    pub(crate) fn turn(&self, begun: bool, room: usize) -> Turn {
        let mut waiting = lock(&self.waiting);
        loop {
            match waiting.requests.front() {
                Some(Request::Alone(_)) if !begun && !waiting.writing => {
                    if let Some(Request::Alone(work)) = waiting.requests.pop_front() {
                        return Turn::Alone(work);
                    }
                }
                Some(Request::Alone(_)) => {}
                Some(_) if room > 0 => return Turn::Take(take(&mut waiting.requests, room)),
                None if !begun && waiting.stopped => return Turn::Stop,
                _ => {}
            }
            if begun && !waiting.writing {
                waiting.writing = true;
                return Turn::Write;
            }
            // A request that is done alone waits for the writing to end too.
            waiting.wants_to_write = begun || !waiting.requests.is_empty();
            waiting = self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Gives the turn to write back.
    pub(crate) fn written(&self) {
        let mut waiting = lock(&self.waiting);
        waiting.writing = false;
        let wanted = waiting.wants_to_write || !waiting.requests.is_empty();
        drop(waiting);
        if wanted {
            self.changed.notify_all();
        }
    }

    /// Takes no more; what waits is still done.
    pub(crate) fn stop(&self) {
        lock(&self.waiting).stopped = true;
        self.changed.notify_all();
    }

    /// How many are waiting.
    pub(crate) fn length(&self) -> usize {
        lock(&self.waiting).requests.len()
    }
}

fn take(requests: &mut VecDeque<Request>, room: usize) -> Vec<Request> {
    let mut taken = Vec::new();
    while taken.len() < room
        && !matches!(requests.front(), None | Some(Request::Alone(_)))
        && let Some(request) = requests.pop_front()
    {
        taken.push(request);
    }
    taken
}

/// Locks; a lock that a panicking thread held is taken as it is, because the ledger has stopped
/// recording by then.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
