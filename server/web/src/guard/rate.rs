//! How often one address may ask: so much at once, then so much a second (GCRA, the leaky bucket
//! as a meter), in memory of a fixed bound.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A limit on each address. Clones share what they have counted.
#[derive(Clone, Debug)]
pub struct Rate {
    every: Duration,
    burst: u32,
    /// When the bucket of an address is empty again.
    empty_at: Arc<Mutex<HashMap<IpAddr, Instant>>>,
}

impl Rate {
    /// `burst` requests at once, and from then on one `every` so long.
    pub fn new(burst: u32, every: Duration) -> Self {
        Self { every, burst, empty_at: Arc::default() }
    }

    /// Counts a request.
    ///
    /// # Errors
    /// How long the address must wait, when it is one too many.
    pub fn take(&self, address: IpAddr, now: Instant) -> Result<(), Duration> {
        let mut known = self.empty_at.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= ADDRESSES_MOST {
            known.retain(|_, at| *at > now);
            if known.len() >= ADDRESSES_MOST {
                // A flood from more addresses than there is room for: nobody is counted, and the
                // memory stays bounded.
                known.clear();
            }
        }
        let at = known.get(&address).copied().unwrap_or(now).max(now);
        let after = at + self.every;
        let room = self.every.saturating_mul(self.burst);
        let over = after.saturating_duration_since(now).saturating_sub(room);
        if over.is_zero() {
            known.insert(address, after);
            Ok(())
        } else {
            Err(over)
        }
    }
}

const ADDRESSES_MOST: usize = 20_000;

#[cfg(test)]
mod tests {
    use super::Rate;
    use std::net::{IpAddr, Ipv4Addr};
    use std::time::{Duration, Instant};

    #[test]
    fn an_address_has_its_burst_then_its_pace_and_nobody_elses() {
        let rate = Rate::new(3, Duration::from_secs(1));
        let (one, two) = (IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V4(Ipv4Addr::BROADCAST));
        let now = Instant::now();
        for _ in 0..3 {
            assert!(rate.take(one, now).is_ok());
        }
        assert_eq!(rate.take(one, now), Err(Duration::from_secs(1)));
        assert!(rate.take(two, now).is_ok());
        let later = now + Duration::from_secs(1);
        assert!(rate.take(one, later).is_ok());
        assert!(rate.take(one, later).is_err());
        assert!(rate.take(one, now + Duration::from_hours(1)).is_ok());
    }

    #[test]
    fn memory_is_bounded_however_many_addresses_ask() {
        let rate = Rate::new(1, Duration::from_hours(1));
        let now = Instant::now();
        for number in 0..50_000_u32 {
            let _ = rate.take(IpAddr::V4(Ipv4Addr::from_bits(number)), now);
        }
        assert!(rate.empty_at.lock().unwrap().len() <= super::ADDRESSES_MOST);
    }
}
