//! Shells that are broken on purpose, where that is more than leaving something out.

use tidewaiter_proto::chain::Head;
use tidewaiter_proto::receipt::{Down, Held, Receipt, SignedDown};

use super::plan::Sabotage;
use super::world::World;

impl World {
    /// Sabotage: new heads that were kept from the protocol are told once the backlog is drained.
    pub(crate) fn tell_late(&mut self, i: usize) {
        let now = self.clock(i);
        if self.process(i).is_some_and(|process| process.protocol.progress(now).backlog == 0) {
            self.tell_head(i);
        }
    }

    /// Sabotage: what the server claims is taken for the ledger's own.
    pub(crate) fn claims(&mut self, i: usize, payload: &[u8]) {
        if !self.plan.sabotaged(Sabotage::HashUnchecked) {
            return;
        }
        let key = self.server.signing.verifying();
        let claims = match SignedDown::verify(payload, &key) {
            Ok(Down::Receipt(receipt)) => {
                vec![(receipt.epoch, receipt.held, receipt.kept, receipt.verified)]
            }
            Ok(Down::Welcome(welcome)) => {
                let lives = welcome.lives.into_iter();
                lives.map(|life| (life.epoch, life.held, life.kept, life.verified)).collect()
            }
            Ok(_) | Err(_) => return,
        };
        let Some(process) = self.process(i) else { return };
        process.claimed.clear();
        for (epoch, held, kept, verified) in claims {
            process.claimed.insert((epoch, verified.seq), verified.hash);
            let ranges = kept.iter().chain(&held);
            process.claimed.extend(ranges.map(|range| ((epoch, range.to), range.hash)));
        }
    }

    /// Sabotage: a message without a signature is believed.
    pub(crate) fn believe(&mut self, i: usize, payload: &[u8]) {
        let now = self.clock(i);
        let signing = self.server.signing.clone();
        let Ok(signed) = serde_json::from_slice::<SignedDown>(payload) else { return };
        let Ok(down) = serde_json::from_str::<Down>(&signed.signed) else { return };
        let payload = serde_json::to_vec(&SignedDown::sign(&down, &signing).unwrap()).unwrap();
        if let Some(process) = self.process(i) {
            let _ = process.protocol.heard(&payload, now);
        }
    }

    /// Sabotage: the broker's acknowledgement is taken for a receipt.
    pub(crate) fn trust(&mut self, i: usize, epoch: u64, from: u64, to: u64) {
        let machine = &self.machines[i];
        let Some(hash) = machine.ledger.hash(epoch, to) else { return };
        let receipt = Down::Receipt(Receipt {
            station: machine.id.clone(),
            epoch,
            held: vec![Held { from, to, hash }],
            kept: Vec::new(),
            verified: Head::genesis(&machine.id, epoch),
            heard: self.announced(machine.name),
            at: self.wall(self.server.clock),
        });
        let signed = SignedDown::sign(&receipt, &self.server.signing).unwrap();
        self.believe(i, &serde_json::to_vec(&signed).unwrap());
    }
}
