//! The walk of protocols whose frames begin with a mark and say their length: a frame that fails
//! its check costs one byte, and what follows is looked at again, so that a good frame behind a
//! torn one is found.

use super::{Codec, Fault, Item, ToJson};
use std::time::Duration;

/// What stands at the beginning of some bytes.
pub enum Found<F> {
    /// The beginning of a frame, so far.
    More,
    /// No frame begins here.
    Nothing,
    /// A frame of this many bytes.
    Frame(usize, F),
    /// A whole frame that fails its check.
    Bad(Fault),
}

/// A protocol of such frames.
pub trait Framed {
    /// What a whole frame is.
    type Frame: ToJson;

    /// The silence inside a frame that ends it.
    const SILENCE: Duration;

    /// What stands at the beginning of `bytes`, which are not empty.
    fn look(&self, bytes: &[u8]) -> Found<Self::Frame>;
}

/// The walk.
#[derive(Debug, Default)]
pub struct Rescan<P> {
    protocol: P,
    pending: Vec<u8>,
    noise: usize,
}

impl<P: Framed> Rescan<P> {
    /// A codec of this protocol.
    pub fn over(protocol: P) -> Self {
        Self { protocol, pending: Vec::new(), noise: 0 }
    }

    /// Takes everything that is whole; `last` when nothing will follow.
    fn walk(&mut self, last: bool, out: &mut Vec<Item<P::Frame>>) {
        let pending = std::mem::take(&mut self.pending);
        let mut rest = pending.as_slice();
        // Bytes of a frame that will never be whole.
        let mut torn = 0_usize;
        while !rest.is_empty() {
            let used = match self.protocol.look(rest) {
                Found::More if !last => break,
                Found::More => {
                    torn = torn.saturating_add(1);
                    1
                }
                Found::Nothing if torn > 0 => {
                    torn = torn.saturating_add(1);
                    1
                }
                Found::Nothing => {
                    self.noise = self.noise.saturating_add(1);
                    1
                }
                Found::Frame(length, frame) => {
                    self.settle(&mut torn, out);
                    out.push(Item::Frame(frame));
                    length.max(1)
                }
                Found::Bad(fault) => {
                    self.settle(&mut torn, out);
                    out.push(Item::Fault(fault));
                    self.noise = self.noise.saturating_add(1);
                    1
                }
            };
            rest = rest.get(used..).unwrap_or_default();
        }
        self.pending = rest.to_vec();
        if last {
            self.settle(&mut torn, out);
        }
    }

    fn settle(&mut self, torn: &mut usize, out: &mut Vec<Item<P::Frame>>) {
        let noise = std::mem::take(&mut self.noise);
        if noise > 0 {
            out.push(Item::Fault(Fault::Noise { bytes: noise }));
        }
        let bytes = std::mem::take(torn);
        if bytes > 0 {
            out.push(Item::Fault(Fault::Partial { bytes }));
        }
    }
}

impl<P: Framed> Codec for Rescan<P> {
    type Frame = P::Frame;

    fn feed(&mut self, bytes: &[u8]) -> Vec<Item<P::Frame>> {
        let mut out = Vec::new();
        self.pending.extend_from_slice(bytes);
        self.walk(false, &mut out);
        out
    }

    fn idle(&mut self) -> Vec<Item<P::Frame>> {
        let mut out = Vec::new();
        self.walk(true, &mut out);
        out
    }

    fn silence(&self) -> Option<Duration> {
        Some(P::SILENCE)
    }
}
