//! What stands beside the journal about its head: the head file, the mark, the checkpoint. They
//! tell a journal that lost its end, or its beginning, from one that never had more.

use std::path::Path;

use tidewaiter_proto::chain::Head;
use tidewaiter_proto::station::StationId;

use crate::disk::{Disk, read_small};
use crate::fault::OpenError;
use crate::head::{CHECKPOINT_NAME, Checkpoint, HEAD_NAME, HeadFile, MARK_NAME, Mark, read_mark};
use crate::recover::at;
use crate::segment::SegmentHeader;

/// Heads that are known beside the journal.
#[derive(Debug, Default)]
pub(crate) struct Known {
    pub(crate) head: Option<HeadFile>,
    pub(crate) mark: Option<Mark>,
    pub(crate) checkpoint: Option<Checkpoint>,
}

impl Known {
    /// Reads what is there. A damaged file is not used; gives the names of those as well.
    ///
    /// # Errors
    /// [`OpenError::Io`].
    pub(crate) fn read(
        disk: &dyn Disk,
        dir: &Path,
    ) -> Result<(Self, Vec<&'static str>), OpenError> {
        let read = |name: &str| {
            let path = dir.join(name);
            read_small(disk, &path).map_err(at(&path))
        };
        let (head, mark, checkpoint) = (read(HEAD_NAME)?, read(MARK_NAME)?, read(CHECKPOINT_NAME)?);
        let known = Self {
            head: head.as_deref().and_then(HeadFile::read),
            mark: mark.as_deref().and_then(read_mark),
            checkpoint: checkpoint.as_deref().and_then(Checkpoint::read),
        };
        let there = [
            (HEAD_NAME, head.is_some() && known.head.is_none()),
            (CHECKPOINT_NAME, checkpoint.is_some() && known.checkpoint.is_none()),
        ];
        let damaged = there.iter().filter(|(_, damaged)| *damaged).map(|(name, _)| *name);
        Ok((known, damaged.collect()))
    }

    /// The head file, or what the checkpoint repeats of it.
    pub(crate) fn file(&self) -> Option<&HeadFile> {
        self.head.as_ref().or(self.checkpoint.as_ref().map(|file| &file.head))
    }

    /// Every head that is known, its epoch, and who knows it.
    pub(crate) fn heads(&self) -> impl Iterator<Item = (u64, Head, &'static str)> {
        let head = self.head.as_ref().map(|file| (file.epoch, file.head, "the head file"));
        let mark = self.mark.map(|mark| (mark.epoch, mark.head, "the mark of the head"));
        let checkpoint = self
            .checkpoint
            .as_ref()
            .map(|file| (file.head.epoch, file.head.head, "the last checkpoint"));
        [head, mark, checkpoint].into_iter().flatten()
    }

    /// The last record of an epoch that is known.
    pub(crate) fn last(&self, epoch: u64) -> u64 {
        self.heads().filter(|known| known.0 == epoch).map(|known| known.1.seq).max().unwrap_or(0)
    }

    /// How many bytes of a segment are known to have been on disk. A new epoch may use the number
    /// of a segment again that was lost.
    pub(crate) fn written(&self, segment: u64, epoch: u64) -> u32 {
        let head = self.head.as_ref().map(|file| (file.epoch, file.end));
        let mark = self.mark.map(|mark| (mark.epoch, mark.end));
        let checkpoint =
            self.checkpoint.as_ref().map(|file| (file.position.applied.0, file.position.next));
        let ends = [head, mark, checkpoint].into_iter().flatten();
        ends.filter(|(of, end)| (*of, end.segment) == (epoch, segment))
            .map(|(_, end)| end.offset)
            .max()
            .unwrap_or(0)
    }

    /// The last record that was let go after its time; epoch 0 when none was.
    pub(crate) fn floor(&self, station: &StationId) -> (u64, Head) {
        self.file().map_or_else(|| (0, Head::genesis(station, 0)), |file| file.floor)
    }

    /// The oldest segment that is kept; 0 when that is not known.
    pub(crate) fn oldest(&self) -> u64 {
        self.file().map_or(0, |file| file.oldest)
    }

    /// What is missing between a segment and the one before it, in words, or before the first.
    pub(crate) fn gap(
        &self,
        before: Option<&SegmentHeader>,
        header: &SegmentHeader,
    ) -> Option<String> {
        let (ordinal, previous) = (header.ordinal, header.previous);
        let first = previous == Head::genesis(&header.station, header.epoch);
        let (missing, follows) = if let Some(before) = before {
            (before.ordinal + 1..ordinal, before.epoch == header.epoch || first)
        } else {
            let floor = self.floor(&header.station);
            let oldest = self.oldest().max(u64::from(floor.0 == 0));
            // A file of an earlier version does not say which is the oldest.
            let missing = if oldest == 0 { ordinal..ordinal } else { oldest..ordinal };
            (missing, first || floor == (header.epoch, previous))
        };
        if !missing.is_empty() {
            let (from, to) = (missing.start, ordinal - 1);
            return Some(format!("segments {from} to {to} are missing"));
        }
        (!follows).then(|| format!("the records up to {} are missing", previous.seq))
    }
}
