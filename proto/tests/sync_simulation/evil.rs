//! What an enemy in the broker can make without any key: altered, replayed, misplaced and forged
//! messages, and floods of them.

use std::sync::Arc;

use tidewaiter_proto::batch::{Batch, build};
use tidewaiter_proto::receipt::{Down, Held, Receipt, SignedDown};
use tidewaiter_proto::record::{ClockQuality, Draft, Source};
use tidewaiter_proto::seal::{BodyKey, KeyId};
use tidewaiter_proto::signing::Signing;
use tidewaiter_proto::stored::seal;

use super::broker::Packet;
use super::plan::Sabotage;
use super::world::{Event, World};

/// The enemy's own key; nobody has enrolled it.
pub(crate) fn forger() -> Signing {
    Signing::from_seed(&[66; 32])
}

impl World {
    pub(crate) fn spy_up(&mut self, packet: &Packet) {
        if self.broker.spied_up.len() < SPIED {
            self.broker.spied_up.push(packet.clone());
        } else {
            let at = usize::try_from(self.rng.below(SPIED as u64)).unwrap();
            self.broker.spied_up[at] = packet.clone();
        }
    }

    pub(crate) fn spy_down(&mut self, name: usize, payload: &Arc<[u8]>) {
        if self.broker.spied_down.len() < SPIED {
            self.broker.spied_down.push((name, payload.clone()));
        } else {
            let at = usize::try_from(self.rng.below(SPIED as u64)).unwrap();
            self.broker.spied_down[at] = (name, payload.clone());
        }
    }

    /// Something else in the place of a message to the server.
    pub(crate) fn altered(&mut self, packet: Packet) -> Packet {
        let payload = match self.rng.below(6) {
            0 | 1 => self.broken(&packet.payload),
            2 => self.replayed(&packet),
            3 => (0..self.rng.below(300)).map(|n| u8::try_from(n % 251).unwrap()).collect(),
            4 => vec![0; 70_000],
            _ => self.forged(&packet).unwrap_or_default(),
        };
        Packet { payload: payload.into(), ..packet }
    }

    pub(crate) fn altered_down(&mut self, payload: Arc<[u8]>) -> Arc<[u8]> {
        if self.rng.below(2) == 0 || self.broker.spied_down.is_empty() {
            return self.broken(&payload).into();
        }
        let at = self.rng.below(self.broker.spied_down.len() as u64);
        self.broker.spied_down[usize::try_from(at).unwrap()].1.clone()
    }

    /// A bit flipped, or the end cut off.
    fn broken(&mut self, payload: &[u8]) -> Vec<u8> {
        let mut payload = payload.to_vec();
        let at = usize::try_from(self.rng.below(payload.len() as u64)).unwrap();
        if self.rng.below(3) == 0 {
            payload.truncate(at);
        } else if let Some(byte) = payload.get_mut(at) {
            *byte ^= 1 << self.rng.below(8);
        }
        payload
    }

    /// What was said before, by the same station or another.
    fn replayed(&mut self, packet: &Packet) -> Vec<u8> {
        let like = self.broker.spied_up.iter().filter(|spied| spied.batch == packet.batch);
        let like: Vec<_> = like.map(|spied| spied.payload.clone()).collect();
        let at = self.rng.below(like.len() as u64);
        like.get(usize::try_from(at).unwrap()).map_or_else(Vec::new, |payload| payload.to_vec())
    }

    /// A batch that is right in everything but the record in it and the key.
    fn forged(&mut self, packet: &Packet) -> Option<Vec<u8>> {
        let id = &self.names[packet.name];
        let key = self.station_key(packet.name);
        let batch = Batch::verify(&packet.payload, &key).ok()?;
        let draft = Draft {
            at: self.wall(0),
            clock: ClockQuality::Synced,
            inspection: None,
            source: Source::Agent("forger".to_owned()),
            subject: None,
            type_name: "note_added".to_owned(),
            body_json: r#"{"type":"note_added","text":"nothing to declare"}"#.to_owned(),
        };
        let body = BodyKey::from_bytes([6; 32]);
        let (epoch, from) = (batch.epoch, batch.from);
        let record = seal(id, epoch, from, &draft, KeyId([6; 16]), &body, &[6; 24]).ok()?;
        build(id, epoch, from, batch.previous, &batch.keys, &[record], &forger()).ok()
    }

    /// A receipt for what the broker has just thrown away; right in everything but the key.
    pub(crate) fn forge_receipt(&mut self, packet: &Packet) {
        if !packet.batch || self.plan.tamper == 0 {
            return;
        }
        let key = self.station_key(packet.name);
        let Ok(batch) = Batch::verify(&packet.payload, &key) else { return };
        let station = self.names[packet.name].clone();
        let verified = tidewaiter_proto::chain::Head::genesis(&station, batch.epoch);
        let held = vec![Held { from: batch.from, to: batch.to(), hash: batch.signed.head.hash }];
        let at = self.wall(self.server.clock);
        let (epoch, kept, heard) = (batch.epoch, Vec::new(), self.announced(packet.name));
        let receipt = Receipt { station, epoch, held, kept, verified, heard, at };
        let signed = SignedDown::sign(&Down::Receipt(receipt), &forger()).unwrap();
        let payload = serde_json::to_vec(&signed).unwrap();
        self.after(1, Event::ForwardedDown { name: packet.name, payload: payload.into() });
    }

    /// Very many messages at once on the topics of one station.
    pub(crate) fn flood(&mut self) {
        let name = usize::try_from(self.rng.below(self.names.len() as u64)).unwrap();
        for _ in 0..FLOOD {
            let batch = self.rng.below(3) > 0;
            let seen = self.rng.below(self.broker.spied_up.len() as u64);
            let payload = self
                .broker
                .spied_up
                .get(usize::try_from(seen).unwrap())
                .map_or_else(|| Arc::from([]), |packet| packet.payload.clone());
            let packet = Packet { id: 0, name, batch, payload };
            let packet = if self.rng.below(3) == 0 { packet } else { self.altered(packet) };
            self.after(1, Event::Forwarded { packet });
        }
        for i in 0..self.machines.len() {
            for _ in 0..FLOOD / 4 {
                let seen = self.rng.below(self.broker.spied_down.len() as u64);
                let seen = self.broker.spied_down.get(usize::try_from(seen).unwrap());
                let Some(payload) = seen.map(|(_, payload)| payload.clone()) else { continue };
                let payload = self.altered_down(payload);
                self.publish_forged(i, payload);
            }
        }
    }

    /// Sabotage: the server makes a forged batch its own.
    pub(crate) fn legalised(&self, packet: &Packet) -> Option<Arc<[u8]>> {
        if !self.plan.sabotaged(Sabotage::BatchUnsigned) {
            return None;
        }
        let batch = Batch::verify(&packet.payload, &forger().verifying()).ok()?;
        let machine = self.machines.iter().find(|machine| machine.name == packet.name)?;
        let (epoch, from) = (batch.epoch, batch.from);
        let (keys, records) = (&batch.keys, &batch.records);
        let bytes =
            build(&machine.id, epoch, from, batch.previous, keys, records, &machine.signing);
        bytes.ok().map(Into::into)
    }
}

/// Messages that the spy keeps of each direction.
const SPIED: usize = 64;
const FLOOD: u64 = 60;
