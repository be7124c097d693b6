//! Text frames of a reader whose framing nobody configured: lines, until it shows that it frames
//! with STX and ETX.

use tidewaiter_codec::delimited::{Delimited, Framing, STX, Text};
use tidewaiter_codec::stream::{Codec, Item};

/// Frames of either kind.
#[derive(Debug)]
pub(super) struct Frames {
    codec: Delimited,
    framed: bool,
}

impl Frames {
    pub(super) fn new() -> Self {
        Self { codec: Delimited::new(Framing::lines()), framed: false }
    }

    pub(super) fn feed(&mut self, bytes: &[u8]) -> Vec<Item<Text>> {
        let start = bytes.iter().position(|byte| *byte == STX).filter(|_| !self.framed);
        let Some((lines, framed)) = start.and_then(|at| bytes.split_at_checked(at)) else {
            return self.codec.feed(bytes);
        };
        let mut items = self.codec.feed(lines);
        items.extend(self.codec.idle());
        self.codec = Delimited::new(Framing::stx_etx());
        self.framed = true;
        items.extend(self.codec.feed(framed));
        items
    }

    pub(super) fn idle(&mut self) -> Vec<Item<Text>> {
        self.codec.idle()
    }
}

#[cfg(test)]
mod tests {
    use super::Frames;
    use tidewaiter_codec::stream::Item;

    fn texts(chunks: &[&[u8]]) -> Vec<String> {
        let mut frames = Frames::new();
        let items = chunks.iter().flat_map(|chunk| frames.feed(chunk)).collect::<Vec<_>>();
        items.into_iter().filter_map(Item::frame).map(|text| text.text).collect()
    }

    #[test]
    fn both_framings_are_read_without_being_told() {
        assert_eq!(texts(&[b"ONE\rTWO\r\n"]), ["ONE", "TWO"]);
        assert_eq!(texts(&[b"\x02ONE\rTWO\x03\r\n\x02THREE\x03"]), ["ONE\rTWO", "THREE"]);
        assert_eq!(texts(&[b"torn", b"\x02ON", b"E\x03"]), ["ONE"]);
    }
}
