//! Cyclic redundancy checks of the cash devices, bit by bit: their frames are short.

/// CRC-16/KERMIT: polynomial 1021h reflected, start 0 (CCNET, ID-003).
pub(crate) fn kermit(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc: u16, byte| {
        (0..8).fold(crc ^ u16::from(*byte), |crc, _| {
            if crc & 1 == 1 { (crc >> 1) ^ 0x8408 } else { crc >> 1 }
        })
    })
}

/// CRC-16/XMODEM: polynomial 1021h, start 0 (ccTalk).
pub(crate) fn xmodem(bytes: &[u8]) -> u16 {
    forward(bytes, 0x1021, 0)
}

/// CRC-16/CMS: polynomial 8005h, start FFFFh (SSP).
pub(crate) fn cms(bytes: &[u8]) -> u16 {
    forward(bytes, 0x8005, 0xFFFF)
}

fn forward(bytes: &[u8], polynomial: u16, start: u16) -> u16 {
    bytes.iter().fold(start, |crc, byte| {
        (0..8).fold(crc ^ (u16::from(*byte) << 8), |crc, _| {
            if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ polynomial }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::{cms, kermit, xmodem};

    #[test]
    fn the_catalogue_of_crcs_agrees() {
        // Check values of reveng's catalogue, over "123456789".
        let digits = b"123456789";
        assert_eq!((kermit(digits), xmodem(digits), cms(digits)), (0x2189, 0x31C3, 0xAEE7));
    }
}
