//! Keyboard wedges: readers and scanners that pretend to be keyboards.
//!
//! The keyboard is grabbed, so that what it reads goes nowhere else: not to the desktop, not into
//! a form. Keys are those of a US layout, which is what such readers are delivered with; a reader
//! set to another layout garbles `<` and `^`, and its zones and passes fail their checks.

use std::path::Path;

use evdev::{Device, EventSummary};
use tokio::io::{AsyncRead, AsyncWriteExt, duplex};

use super::session::Broken;

/// Grabs a keyboard; gives what is typed on it, as bytes.
pub(super) fn open(keyboard: &Path) -> Result<impl AsyncRead + Send + Unpin, Broken> {
    let gone = |what: &str, error: std::io::Error| {
        Broken::Gone(format!("{} cannot be {what}: {error}", keyboard.display()))
    };
    let mut device = Device::open(keyboard).map_err(|error| gone("opened", error))?;
    device.grab().map_err(|error| gone("taken from the desktop", error))?;
    let mut events = device.into_event_stream().map_err(|error| gone("read", error))?;
    let (mut typed, line) = duplex(BUFFER);
    // Ends with the device, or with the driver that drops the other end.
    tokio::spawn(async move {
        let mut keys = Keys::default();
        while let Ok(event) = events.next_event().await {
            let EventSummary::Key(_, key, value) = event.destructure() else { continue };
            if let Some(byte) = keys.event(key.code(), value)
                && typed.write_all(&[byte]).await.is_err()
            {
                return;
            }
        }
    });
    Ok(line)
}

/// Which modifiers are down.
#[derive(Debug, Default)]
struct Keys {
    shift: u8,
    control: u8,
    caps: bool,
}

impl Keys {
    /// The byte that a key gives; `value` is 1 down, 0 up, 2 repeated.
    fn event(&mut self, code: u16, value: i32) -> Option<u8> {
        let held = |held: u8, bit: u8| if value == 0 { held & !bit } else { held | bit };
        match code {
            LEFT_SHIFT => self.shift = held(self.shift, 1),
            RIGHT_SHIFT => self.shift = held(self.shift, 2),
            LEFT_CONTROL => self.control = held(self.control, 1),
            RIGHT_CONTROL => self.control = held(self.control, 2),
            CAPS_LOCK => self.caps ^= value == 1,
            // A scanner does not hold keys down: a repeat is a stuck one.
            _ if value == 1 => return self.byte(code),
            _ => {}
        }
        None
    }

    fn byte(&self, code: u16) -> Option<u8> {
        let (plain, shifted) = KEYS
            .iter()
            .find(|(own, ..)| *own == code)
            .map(|(_, plain, shifted)| (*plain, *shifted))?;
        if self.control != 0 {
            // Control and B is STX: how a wedge types its framing.
            return shifted.is_ascii_uppercase().then_some(shifted & 0x1F);
        }
        let shift = (self.shift != 0) != (self.caps && plain.is_ascii_lowercase());
        Some(if shift { shifted } else { plain })
    }
}

const BUFFER: usize = 4096;
const LEFT_CONTROL: u16 = 29;
const LEFT_SHIFT: u16 = 42;
const RIGHT_SHIFT: u16 = 54;
const CAPS_LOCK: u16 = 58;
const RIGHT_CONTROL: u16 = 97;

/// Codes of linux/input-event-codes.h, with and without shift, US layout.
const KEYS: [(u16, u8, u8); 64] = [
    (2, b'1', b'!'),
    (3, b'2', b'@'),
    (4, b'3', b'#'),
    (5, b'4', b'$'),
    (6, b'5', b'%'),
    (7, b'6', b'^'),
    (8, b'7', b'&'),
    (9, b'8', b'*'),
    (10, b'9', b'('),
    (11, b'0', b')'),
    (12, b'-', b'_'),
    (13, b'=', b'+'),
    (15, b'\t', b'\t'),
    (16, b'q', b'Q'),
    (17, b'w', b'W'),
    (18, b'e', b'E'),
    (19, b'r', b'R'),
    (20, b't', b'T'),
    (21, b'y', b'Y'),
    (22, b'u', b'U'),
    (23, b'i', b'I'),
    (24, b'o', b'O'),
    (25, b'p', b'P'),
    (26, b'[', b'{'),
    (27, b']', b'}'),
    (28, b'\r', b'\r'),
    (30, b'a', b'A'),
    (31, b's', b'S'),
    (32, b'd', b'D'),
    (33, b'f', b'F'),
    (34, b'g', b'G'),
    (35, b'h', b'H'),
    (36, b'j', b'J'),
    (37, b'k', b'K'),
    (38, b'l', b'L'),
    (39, b';', b':'),
    (40, b'\'', b'"'),
    (41, b'`', b'~'),
    (43, b'\\', b'|'),
    (44, b'z', b'Z'),
    (45, b'x', b'X'),
    (46, b'c', b'C'),
    (47, b'v', b'V'),
    (48, b'b', b'B'),
    (49, b'n', b'N'),
    (50, b'm', b'M'),
    (51, b',', b'<'),
    (52, b'.', b'>'),
    (53, b'/', b'?'),
    (55, b'*', b'*'),
    (57, b' ', b' '),
    (71, b'7', b'7'),
    (72, b'8', b'8'),
    (73, b'9', b'9'),
    (74, b'-', b'-'),
    (75, b'4', b'4'),
    (76, b'5', b'5'),
    (77, b'6', b'6'),
    (79, b'1', b'1'),
    (80, b'2', b'2'),
    (81, b'3', b'3'),
    (82, b'0', b'0'),
    (86, b'<', b'>'),
    (96, b'\r', b'\r'),
];

#[cfg(test)]
mod tests {
    use super::{KEYS, Keys};

    /// What a wedge types for a text: shift down, key, shift up.
    fn typed(text: &[u8]) -> Vec<(u16, i32)> {
        let mut events = Vec::new();
        for byte in text {
            let (code, plain, _) =
                KEYS.iter().find(|(_, plain, shifted)| byte == plain || byte == shifted).unwrap();
            let shift = byte != plain;
            events.extend(shift.then_some((42, 1)));
            events.extend([(*code, 1), (*code, 2), (*code, 0)]);
            events.extend(shift.then_some((42, 0)));
        }
        events
    }

    fn read(events: &[(u16, i32)]) -> Vec<u8> {
        let mut keys = Keys::default();
        events.iter().filter_map(|(code, value)| keys.event(*code, *value)).collect()
    }

    #[test]
    fn every_character_that_a_zone_or_a_pass_has_is_typed() {
        let text = b"]L0M1KIM/CHOLSU E^100>6P<UTOERIKSSON<<ANNA\r0123456789 abc~\t";
        assert_eq!(read(&typed(text)), text);
        // All of printable ASCII has a key.
        let all: Vec<u8> = (b' '..=b'~').collect();
        assert_eq!(read(&typed(&all)), all);
    }

    #[test]
    fn caps_lock_turns_letters_only_and_control_gives_framing() {
        assert_eq!(read(&[(58, 1), (58, 0), (30, 1), (2, 1)]), b"A1");
        assert_eq!(read(&[(29, 1), (48, 1), (2, 1), (29, 0), (48, 1)]), b"\x02b");
    }
}
