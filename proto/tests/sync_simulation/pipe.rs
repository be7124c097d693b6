//! One direction of a connection: bytes in order, at a rate, held while the direction is cut.

use std::collections::VecDeque;

/// What waits in one direction. The world asks for the next message to leave, and when.
pub(crate) struct Pipe<T> {
    items: VecDeque<(u64, T)>,
    /// Counts connections: what was on its way with an earlier one never arrives.
    generation: u64,
    busy: bool,
    pub(crate) cut: bool,
}

impl<T> Pipe<T> {
    pub(crate) fn new() -> Self {
        Self { items: VecDeque::new(), generation: 0, busy: false, cut: false }
    }

    /// A new connection, or none.
    pub(crate) fn reset(&mut self) {
        self.items.clear();
        self.busy = false;
        self.generation += 1;
    }

    pub(crate) fn push(&mut self, bytes: u64, item: T) {
        self.items.push_back((bytes, item));
    }

    pub(crate) fn waiting(&self) -> u64 {
        self.items.iter().map(|(bytes, _)| bytes).sum()
    }

    /// Begins to send the first message; gives its size and what [`Pipe::leave`] is called with.
    pub(crate) fn serve(&mut self) -> Option<(u64, u64)> {
        if self.busy || self.cut {
            return None;
        }
        let (bytes, _) = self.items.front()?;
        self.busy = true;
        Some((*bytes, self.generation))
    }

    /// The last byte of the first message was sent; none when the direction was cut meanwhile.
    pub(crate) fn leave(&mut self, generation: u64) -> Option<T> {
        if generation != self.generation {
            return None;
        }
        self.busy = false;
        if self.cut { None } else { self.items.pop_front().map(|(_, item)| item) }
    }
}
