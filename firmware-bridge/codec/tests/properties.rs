//! What holds for every stream protocol, whatever the bytes.
//!
//! Any frame that is composed is read back; the same bytes give the same items however they are
//! split; garbage before good frames costs one of them at most.

use proptest::collection::vec;
use proptest::prelude::*;
use tidewaiter_codec::ccnet::{self, Ccnet};
use tidewaiter_codec::cctalk::{self, Cctalk, Check};
use tidewaiter_codec::delimited::{Delimited, ETX, Framing, STX, encode};
use tidewaiter_codec::ebds::{self, Ebds};
use tidewaiter_codec::id003::{self, Id003};
use tidewaiter_codec::llrp::{self, Llrp};
use tidewaiter_codec::scale::Toledo;
use tidewaiter_codec::ssp::{self, Ssp};
use tidewaiter_codec::stream::{Codec, Item, ToJson};

/// Every item of these bytes, cut after each of `cuts` in turn; silence at the end.
fn items<C: Codec>(mut codec: C, bytes: &[u8], cuts: &[usize]) -> Vec<Item<C::Frame>> {
    let (mut out, mut rest) = (Vec::new(), bytes);
    let mut cuts = cuts.iter().cycle();
    while !rest.is_empty() {
        let length = cuts.next().copied().unwrap_or(rest.len()).clamp(1, rest.len());
        let (part, after) = rest.split_at(length);
        out.extend(codec.feed(part));
        rest = after;
    }
    out.extend(codec.idle());
    out
}

fn json<F: ToJson>(items: &[Item<F>]) -> Vec<String> {
    items.iter().map(|item| item.to_json().to_string()).collect()
}

fn frames<F>(items: Vec<Item<F>>) -> Vec<F> {
    items.into_iter().filter_map(Item::frame).collect()
}

const COPIES: usize = 4;

/// A frame is read back whole and in pieces; behind garbage, all but one of four copies are.
/// `silent` protocols have no mark: between the garbage and the frame the line is silent.
fn holds<C: Codec>(
    codec: impl Fn() -> C,
    frame: &C::Frame,
    bytes: &[u8],
    cuts: &[usize],
    garbage: &[u8],
    silent: bool,
) -> Result<(), TestCaseError>
where
    C::Frame: PartialEq + std::fmt::Debug,
{
    let read = frames(items(codec(), bytes, cuts));
    prop_assert_eq!(read.iter().collect::<Vec<_>>(), vec![frame]);
    let mut codec = codec();
    let mut found = codec.feed(garbage);
    if silent {
        found.extend(codec.idle());
    }
    for _ in 0..COPIES {
        found.extend(codec.feed(bytes));
    }
    found.extend(codec.idle());
    let read = frames(found);
    // A sixteen-bit check lets one false frame in 65,536 through; that one costs what it covers.
    prop_assume!(read.iter().all(|read| read == frame));
    let good = read.len();
    prop_assert!((COPIES - 1..=COPIES).contains(&good), "{good} of {COPIES} behind garbage");
    Ok(())
}

fn data(most: usize) -> impl Strategy<Value = Vec<u8>> {
    // Marks and stuffing are where framing breaks: they come often.
    vec(prop_oneof![any::<u8>(), Just(0x7F), Just(0x02), Just(0x03), Just(0xFC)], 0..most)
}

fn cuts() -> impl Strategy<Value = Vec<usize>> {
    vec(1_usize..9, 1..9)
}

proptest! {
    #[test]
    fn ssp(sequence: bool, address in 0_u8..128, data in data(256), cuts in cuts(), junk in data(40)) {
        let packet = ssp::Packet { sequence, address, data };
        let bytes = packet.encode().expect("at most 255");
        // An address of 7Fh is written as two: behind a lone 7Fh of the garbage it reads as one.
        prop_assume!(address != 0x7F);
        holds(Ssp::new, &packet, &bytes, &cuts, &junk, false)?;
    }

    #[test]
    fn ccnet(address in 1_u8..16, data in data(250), cuts in cuts(), junk in data(40)) {
        prop_assume!(!data.is_empty());
        let frame = ccnet::Frame { address, data };
        let bytes = frame.encode().expect("at most 255");
        holds(Ccnet::codec, &frame, &bytes, &cuts, &junk, false)?;
    }

    #[test]
    fn id003(command: u8, data in data(250), cuts in cuts(), junk in data(40)) {
        let frame = id003::Frame { command, data };
        let bytes = frame.encode().expect("at most 255");
        holds(Id003::codec, &frame, &bytes, &cuts, &junk, false)?;
    }

    #[test]
    fn ebds(kind in 0_u8..8, device in 0_u8..8, ack in 0_u8..2, data in data(250), cuts in cuts()) {
        let frame = ebds::Frame { kind, device, ack, data };
        let bytes = frame.encode().expect("at most 255");
        // One byte of check lets one garbage in some thousands through; that is its strength.
        holds(Ebds::codec, &frame, &bytes, &cuts, &[0x00, 0x02, 0x00, 0xFF], false)?;
    }

    #[test]
    fn cctalk_sum(destination: u8, source: u8, header: u8, data in data(256), cuts in cuts(), junk in data(40)) {
        let message = cctalk::Message { destination, source: Some(source), header, data };
        let bytes = message.encode().expect("at most 255");
        holds(|| Cctalk::new(Check::Simple), &message, &bytes, &cuts, &junk, true)?;
    }

    #[test]
    fn cctalk_crc(destination: u8, header: u8, data in data(256), cuts in cuts(), junk in data(40)) {
        let message = cctalk::Message { destination, source: None, header, data };
        let bytes = message.encode().expect("at most 255");
        holds(|| Cctalk::new(Check::Crc), &message, &bytes, &cuts, &junk, true)?;
    }

    #[test]
    fn llrp(version in 1_u8..3, kind in 0_u16..1024, id: u32, body in data(600), cuts in cuts()) {
        let message = llrp::Message { version, kind, id, body };
        let bytes = message.encode().expect("short");
        // There is no mark: garbage ends the connection, and a new one begins.
        holds(Llrp::new, &message, &bytes, &cuts, &[], false)?;
    }

    #[test]
    fn delimited(text in "[ -~]{1,200}", cuts in cuts(), junk in data(40)) {
        let bytes = encode(Some(STX), None, &text, &[ETX]);
        let read = frames(items(Delimited::new(Framing::stx_etx()), &bytes, &cuts));
        prop_assert_eq!(&read.iter().map(|frame| frame.text.as_str()).collect::<Vec<_>>(), &[text.as_str()]);
        let mut after = junk;
        after.extend(&bytes);
        let read = frames(items(Delimited::new(Framing::stx_etx()), &after, &cuts));
        prop_assert_eq!(read.last().map(|frame| frame.text.as_str()), Some(text.as_str()));
    }

    #[test]
    fn any_split_of_any_bytes_gives_the_same(bytes in data(700), cuts in cuts()) {
        fn same<C: Codec>(codec: impl Fn() -> C, bytes: &[u8], cuts: &[usize]) -> Result<(), TestCaseError> {
            let whole = json(&items(codec(), bytes, &[usize::MAX]));
            prop_assert_eq!(&whole, &json(&items(codec(), bytes, cuts)));
            prop_assert_eq!(&whole, &json(&items(codec(), bytes, &[1])));
            Ok(())
        }
        same(Ssp::new, &bytes, &cuts)?;
        same(Ccnet::codec, &bytes, &cuts)?;
        same(Id003::codec, &bytes, &cuts)?;
        same(Ebds::codec, &bytes, &cuts)?;
        same(Toledo::codec, &bytes, &cuts)?;
        same(|| Cctalk::new(Check::Simple), &bytes, &cuts)?;
        same(|| Cctalk::new(Check::Crc), &bytes, &cuts)?;
        same(Llrp::new, &bytes, &cuts)?;
        same(|| Delimited::new(Framing::lines()), &bytes, &cuts)?;
        same(|| Delimited::new(Framing::stx_etx()), &bytes, &cuts)?;
    }
}
