//! A bundle of accounts in pieces, put together again.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use tidewaiter_proto::receipt::AccountsPiece;

/// The pieces of one bundle that have come.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    serial: String,
    parts: Vec<Option<Vec<u8>>>,
}

impl Pieces {
    /// Takes a piece; gives the whole when it was the last. Pieces of another bundle begin anew.
    pub(super) fn take(&mut self, piece: AccountsPiece) -> Option<Vec<u8>> {
        let count = usize::from(piece.parts);
        if count == 0 || count > PARTS_MOST || usize::from(piece.part) >= count {
            return None;
        }
        if piece.serial != self.serial || count != self.parts.len() {
            self.serial = piece.serial;
            self.parts = vec![None; count];
        }
        if let Some(place) = self.parts.get_mut(usize::from(piece.part)) {
            *place = Some(BASE64.decode(&piece.piece).ok()?);
        }
        let whole: Option<Vec<Vec<u8>>> = self.parts.iter().cloned().collect();
        let whole = whole?.concat();
        *self = Self::default();
        Some(whole)
    }
}

/// More pieces than this are of no bundle: its memory is bounded by it.
const PARTS_MOST: usize = 8;

#[cfg(test)]
mod tests {
    use super::{BASE64, Pieces};
    use base64::Engine as _;
    use tidewaiter_proto::receipt::AccountsPiece;

    fn piece(serial: &str, part: u16, parts: u16) -> AccountsPiece {
        AccountsPiece {
            station: "ruvvo/dep-07".parse().unwrap(),
            serial: serial.to_owned(),
            part,
            parts,
            piece: BASE64.encode(format!("{serial}{part}")),
        }
    }

    #[test]
    fn pieces_make_a_whole_in_any_order_and_never_with_anothers() {
        let mut pieces = Pieces::default();
        assert_eq!(pieces.take(piece("a", 1, 2)), None);
        assert_eq!(pieces.take(piece("b", 0, 2)), None);
        assert_eq!(pieces.take(piece("b", 1, 2)).as_deref(), Some(&b"b0b1"[..]));
        assert_eq!(pieces.take(piece("c", 0, 1)).as_deref(), Some(&b"c0"[..]));
        for (part, parts) in [(0, 0), (2, 2), (0, 999)] {
            assert_eq!(pieces.take(piece("d", part, parts)), None);
        }
    }
}
