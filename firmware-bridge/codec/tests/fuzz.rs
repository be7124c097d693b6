//! A mutating fuzzer of every protocol, seeded by the vectors, on the stable compiler.
//!
//! Short in the suite. Longer: `TIDEWAITER_FUZZ_SECONDS=600 cargo test --release -p tidewaiter-codec
//! --test fuzz -- --nocapture`. Another beginning: `TIDEWAITER_FUZZ_SEED=N`; a failure names its
//! protocol and bytes.
#![expect(clippy::unwrap_used, reason = "a test fails where it panics")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use tidewaiter_codec::ccnet::{self, Ccnet};
use tidewaiter_codec::cctalk::{self, Cctalk, Check};
use tidewaiter_codec::decode::Protocol;
use tidewaiter_codec::id003::{self, Id003};
use tidewaiter_codec::llrp::{self, Llrp};
use tidewaiter_codec::ssp::{self, Ssp};
use tidewaiter_codec::stream::{Codec, Item, parse_hex, spaced_hex};

/// xorshift64: any spread will do.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(limit.max(1)).unwrap()).unwrap()
    }
}

/// The inputs of a protocol's vectors, as bytes.
fn seeds(name: &str) -> Vec<Vec<u8>> {
    let path = format!("{}/vectors/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let file: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let vectors = file["vectors"].as_array().unwrap();
    let bytes = |vector: &serde_json::Value| -> Option<Vec<u8>> {
        if let Some(hex) = vector["hex"].as_str() {
            return parse_hex(hex);
        }
        if let Some(lines) = vector["lines"].as_array() {
            let lines: Vec<&str> = lines.iter().filter_map(|line| line.as_str()).collect();
            return Some(lines.join("\n").into_bytes());
        }
        let text = vector["text"].as_str().map(str::to_owned);
        let told = [&vector["message"], &vector["edges"]].into_iter().find(|told| !told.is_null());
        text.or_else(|| told.map(ToString::to_string)).map(String::into_bytes)
    };
    let seeds: Vec<Vec<u8>> = vectors.iter().filter_map(bytes).collect();
    assert_eq!(seeds.len(), vectors.len(), "{name}: a vector without an input");
    seeds
}

/// One to eight changes: a bit, a byte, a run taken out, doubled or moved in from another seed.
fn mutate(seeds: &[Vec<u8>], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = seeds[dice.below(seeds.len())].clone();
    for _ in 0..=dice.below(8) {
        let at = dice.below(bytes.len() + 1);
        let end = (at + 1 + dice.below(24)).min(bytes.len());
        match dice.below(7) {
            0 if at < bytes.len() => bytes[at] ^= 1 << dice.below(8),
            1 if at < bytes.len() => bytes[at] = EDGES[dice.below(EDGES.len())],
            2 if at < end => drop(bytes.drain(at..end)),
            3 if at < end => bytes.splice(at..at, bytes[at..end].to_vec()).for_each(drop),
            4 => {
                let other = &seeds[dice.below(seeds.len())];
                let from = dice.below(other.len() + 1);
                bytes.splice(at..at, other[from..].iter().copied()).for_each(drop);
            }
            5 => bytes.insert(at, u8::try_from(dice.below(256)).unwrap()),
            _ => bytes.truncate(at),
        }
        bytes.truncate(LONGEST);
    }
    bytes
}

/// A frame that a codec gives stood in the bytes, check and all.
fn invents_nothing(name: &str, bytes: &[u8]) {
    fn each<C: Codec>(mut codec: C, bytes: &[u8], encode: impl Fn(&C::Frame) -> Option<Vec<u8>>) {
        let mut items = codec.feed(bytes);
        items.extend(codec.idle());
        for frame in items.into_iter().filter_map(Item::frame) {
            let whole = encode(&frame).unwrap();
            assert!(bytes.windows(whole.len()).any(|window| window == whole), "an invented frame");
        }
    }
    match name {
        "ssp" => each(Ssp::new(), bytes, ssp::Packet::encode),
        "ccnet" => each(Ccnet::codec(), bytes, ccnet::Frame::encode),
        "id003" => each(Id003::codec(), bytes, id003::Frame::encode),
        "llrp" => each(Llrp::new(), bytes, llrp::Message::encode),
        "cctalk" => {
            for check in [Check::Simple, Check::Crc] {
                each(Cctalk::new(check), bytes, cctalk::Message::encode);
            }
        }
        _ => {}
    }
}

#[test]
fn no_mutation_panics_grows_or_invents_a_frame() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let time = Duration::from_secs(number("TIDEWAITER_FUZZ_SECONDS").unwrap_or(4));
    let seed = number("TIDEWAITER_FUZZ_SEED").unwrap_or(0x7469_6465);
    let mut dice = Dice(seed | 1);
    let all: Vec<_> =
        Protocol::ALL.iter().map(|(name, protocol)| (*name, *protocol, seeds(name))).collect();
    let began = Instant::now();
    let mut runs = 0_u64;
    while began.elapsed() < time {
        for (name, protocol, seeds) in &all {
            for _ in 0..50 {
                let bytes = mutate(seeds, &mut dice);
                let looked_at = catch_unwind(AssertUnwindSafe(|| {
                    let found = protocol.decode(&bytes);
                    let said: usize = found.iter().map(|value| value.to_string().len()).sum();
                    // A run of a thousand plates is the most that thirteen bytes can say.
                    let most = 1024 + bytes.len() * 2000;
                    assert!(said <= most, "{said} bytes said of {}", bytes.len());
                    invents_nothing(name, &bytes);
                }));
                assert!(looked_at.is_ok(), "{name}, seed {seed}: {}", spaced_hex(&bytes));
                runs += 1;
            }
        }
    }
    println!("{runs} inputs of {} protocols in {time:?}, seed {seed}", all.len());
}

/// Marks, lengths at their limits, digits beyond theirs.
const EDGES: [u8; 16] = [
    0x00, 0x01, 0x02, 0x03, 0x05, 0x06, 0x0A, 0x0D, 0x7F, 0x80, 0xFC, 0xFE, 0xFF, b'<', b'9', b'"',
];
const LONGEST: usize = 4096;
