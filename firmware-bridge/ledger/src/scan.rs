//! Reads a segment from front to back, checks that each record follows from the one before, and
//! tells a torn tail from damage.
//!
//! Broken bytes are a torn tail only in the newest segment, when no later frame says that they
//! were on disk before it was written, and when nothing that is known from elsewhere (a head, where
//! the frames ended) lies beyond them. Everything else was promised once and is damage.

use tidewaiter_proto::chain::{Head, link};
use tidewaiter_proto::station::StationId;
use tidewaiter_proto::stored::{Header, Stored};

use crate::fault::Damage;
use crate::frame::{Frame, Kind, next_valid, parse_state};
use crate::options::Checks;
use crate::segment::{Found, Place, look, segment_path};

/// How far a reader of the chain has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cursor {
    /// Which life of the ledger.
    pub(crate) epoch: u64,
    /// The last record read.
    pub(crate) head: Head,
    /// Whether the next record must follow from it; not after broken bytes.
    pub(crate) certain: bool,
}

/// What is being scanned.
#[derive(Clone, Debug)]
pub(crate) struct Scanned<'a> {
    /// Ordinal of the segment.
    pub(crate) segment: u64,
    /// Offset in the file of the first of the bytes.
    pub(crate) base: u32,
    /// The bytes, to the end of the file.
    pub(crate) bytes: &'a [u8],
    /// Whose ledger.
    pub(crate) station: &'a StationId,
    /// What to check.
    pub(crate) checks: Checks,
    /// No segment follows.
    pub(crate) newest: bool,
    /// The last record of this epoch that is known from elsewhere; 0 when none is.
    pub(crate) known: u64,
    /// Bytes of this file that are known from elsewhere to have been on disk; 0 when none are.
    pub(crate) written: u32,
}

/// What a scan comes upon.
#[derive(Clone, Debug)]
pub(crate) enum Item<'a> {
    /// A record.
    Record {
        /// Where its frame begins.
        place: Place,
        /// The frame.
        frame: Frame<'a>,
        /// The record's clear header.
        header: Box<Header>,
    },
    /// A named value.
    State {
        /// Where its frame begins.
        place: Place,
        /// Its name.
        name: &'a str,
        /// Its value.
        value: &'a [u8],
    },
    /// Something that is not as it was.
    Damage(Damage),
}

/// How a scan ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Zeros follow from this offset on.
    Clean(u32),
    /// What follows from this offset on was promised to nobody.
    Torn(u32),
    /// What follows from this offset on is damaged, and no valid frame comes after it.
    Lost(u32),
}

/// Reads frames until the end.
pub(crate) fn scan<'a>(
    scanned: &Scanned<'a>,
    cursor: &mut Cursor,
    mut each: impl FnMut(Item<'a>),
) -> End {
    let bytes = scanned.bytes;
    let mut at = 0;
    loop {
        let offset = offset(scanned.base, at);
        match look(bytes, at) {
            Found::End if scanned.newest && offset < scanned.written => {
                let what = "zeros stand where frames were".to_owned();
                each(Item::Damage(damage(scanned, cursor, offset, what)));
                return End::Lost(offset);
            }
            Found::End => return End::Clean(offset),
            Found::Frame(frame) => {
                if let Some(item) = advance(scanned, cursor, offset, frame) {
                    each(Item::Damage(item));
                }
                if let Some(item) = item(scanned, offset, frame) {
                    each(item);
                }
                at += frame.length();
            }
            Found::Broken { fault, next } => {
                let promised = !scanned.newest
                    || cursor.head.seq < scanned.known
                    || offset < scanned.written
                    || proven(bytes, next, offset);
                if !promised {
                    return End::Torn(offset);
                }
                each(Item::Damage(damage(scanned, cursor, offset, fault.to_string())));
                match next {
                    Some((place, _)) => {
                        cursor.certain = false;
                        at = place;
                    }
                    None => return End::Lost(offset),
                }
            }
        }
    }
}

/// Whether a later frame says that the broken bytes were on disk before it was written.
fn proven(bytes: &[u8], next: Option<(usize, Frame<'_>)>, broken: u32) -> bool {
    let mut later = next;
    while let Some((place, frame)) = later {
        if frame.synced > u64::from(broken) {
            return true;
        }
        later = next_valid(bytes, place + frame.length());
    }
    false
}

/// Moves the cursor over a frame; damage when the frame does not follow.
fn advance(
    scanned: &Scanned<'_>,
    cursor: &mut Cursor,
    offset: u32,
    frame: Frame<'_>,
) -> Option<Damage> {
    if frame.epoch != cursor.epoch {
        let what = format!("a frame of epoch {} stands here", frame.epoch);
        return Some(damage(scanned, cursor, offset, what));
    }
    if frame.kind == Kind::State {
        if !cursor.certain {
            cursor.head = Head { seq: frame.seq, hash: frame.hash };
            cursor.certain = true;
        }
        return None;
    }
    let expected = cursor.head.seq.saturating_add(1);
    let follows = frame.seq == expected
        && (!scanned.checks.chain || link(cursor.head.hash, frame.payload) == frame.hash);
    let found = if cursor.certain && !follows {
        let what = format!("record {} does not follow from the one before", frame.seq);
        Some(damage(scanned, cursor, offset, what))
    } else {
        misfit(scanned, cursor, offset, frame)
    };
    cursor.head = Head { seq: frame.seq, hash: frame.hash };
    cursor.certain = true;
    found
}

/// Damage when the record's own header is not what the frame says.
fn misfit(scanned: &Scanned<'_>, cursor: &Cursor, offset: u32, frame: Frame<'_>) -> Option<Damage> {
    let what = match Stored::parse(frame.payload) {
        Err(error) => error.to_string(),
        Ok(stored) => {
            let header = stored.header;
            if header.station == *scanned.station
                && (header.epoch, header.seq) == (frame.epoch, frame.seq)
            {
                return None;
            }
            format!(
                "the record says it is {}, epoch {}, record {}",
                header.station, header.epoch, header.seq
            )
        }
    };
    Some(damage(scanned, cursor, offset, what))
}

fn item<'a>(scanned: &Scanned<'a>, offset: u32, frame: Frame<'a>) -> Option<Item<'a>> {
    let place = Place { segment: scanned.segment, offset };
    match frame.kind {
        Kind::Record => {
            let header = Box::new(Stored::parse(frame.payload).ok()?.header);
            Some(Item::Record { place, frame, header })
        }
        Kind::State => {
            let (name, value) = parse_state(frame.payload)?;
            Some(Item::State { place, name, value })
        }
    }
}

fn damage(scanned: &Scanned<'_>, cursor: &Cursor, offset: u32, what: String) -> Damage {
    Damage {
        epoch: cursor.epoch,
        seq: cursor.head.seq.saturating_add(1),
        what,
        file: segment_name(scanned.segment),
        offset: offset.into(),
    }
}

/// A segment's file name.
pub(crate) fn segment_name(ordinal: u64) -> String {
    segment_path(std::path::Path::new(""), ordinal).display().to_string()
}

fn offset(base: u32, at: usize) -> u32 {
    base.saturating_add(u32::try_from(at).unwrap_or(u32::MAX))
}
