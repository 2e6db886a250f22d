//! Whoever opens connections without end, though its address has its share, is turned away by the kernel:
//! a filter on the listening socket drops its SYNs for some seconds, so that they cost no accept.
//! Connections that are open are not touched.
//!
//! The filter is a program of classic BPF, as in Linux' `Documentation/networking/filter.rst`; it needs no
//! privilege. Where there is none (another system, a sandbox), connections are accepted and closed, as those
//! are who come more slowly.

use std::{collections::HashMap, io, net::IpAddr, time::Duration};

use tokio::{net::TcpListener, time::Instant};

use super::{CONNECTIONS, OF_ONE_ADDRESS};

/// An address that is refused so often within a second is dropped from then on, for so long.
const REFUSALS: u32 = 128;
const FOR: Duration = Duration::from_secs(10);

/// How long refusals are counted.
const SECOND: Duration = Duration::from_secs(1);

/// Addresses that are dropped at once: no more than can have their share.
const MOST: usize = CONNECTIONS / OF_ONE_ADDRESS as usize;

/// The filter of a listening socket, taken away when this is dropped.
pub(super) struct SynFilter<'a> {
    listener: &'a TcpListener,
    length: Duration,
    refusals: HashMap<IpAddr, u32>,
    counted_since: Instant,
    dropped: HashMap<IpAddr, Instant>,
    is_told: bool,
}

impl<'a> SynFilter<'a> {
    /// One that drops nobody yet. A socket that systemd keeps may have the filter of a process that was killed.
    pub(super) fn on(listener: &'a TcpListener) -> Self {
        let _ = kernel::detach(listener);
        let (refusals, dropped) = (HashMap::new(), HashMap::new());
        let counted_since = Instant::now();
        Self { listener, length: FOR, refusals, counted_since, dropped, is_told: false }
    }

    /// An address came again that has its share (IPv6: a /64).
    pub(super) fn refused(&mut self, address: IpAddr) {
        let now = Instant::now();
        if now.duration_since(self.counted_since) > SECOND {
            self.refusals.clear();
            self.counted_since = now;
        }
        let refusals = self.refusals.entry(address).or_default();
        *refusals += 1;
        if *refusals != REFUSALS || self.dropped.len() >= MOST {
            return;
        }
        self.dropped.insert(address, now + self.length);
        tracing::warn!(%address, seconds = self.length.as_secs(), "opens connections without end: dropped for a while");
        self.renew();
    }

    /// Lets those in again whose time is over, when it is.
    pub(super) async fn let_in_again(&mut self) {
        let Some(next) = self.dropped.values().min() else { return std::future::pending().await };
        tokio::time::sleep_until(*next).await;
        let now = Instant::now();
        self.dropped.retain(|_, until| *until > now);
        self.renew();
    }

    fn renew(&mut self) {
        let renewed = if self.dropped.is_empty() {
            kernel::detach(self.listener)
        } else {
            kernel::attach(self.listener, self.dropped.keys())
        };
        if let Err(error) = renewed
            && !std::mem::replace(&mut self.is_told, true)
        {
            tracing::warn!(%error, "the kernel takes no filter: who opens connections without end costs what it costs");
        }
    }
}

impl Drop for SynFilter<'_> {
    /// The next process may listen at the same socket.
    fn drop(&mut self) {
        if !self.dropped.is_empty() {
            let _ = kernel::detach(self.listener);
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod kernel {
    use super::{IpAddr, TcpListener, io};

    pub(super) fn attach<'a>(
        _: &TcpListener,
        _: impl Iterator<Item = &'a IpAddr>,
    ) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) fn detach(_: &TcpListener) -> io::Result<()> {
        Ok(())
    }
}

/// The program: a rule for each address, and whoever no rule drops comes in.
#[cfg(target_os = "linux")]
mod kernel {
    use std::net::Ipv6Addr;

    use socket2::{SockFilter, SockRef};

    use super::{IpAddr, TcpListener, io};

    /// Offsets are within the header of TCP, and from here on within that of IP (`linux/filter.h`).
    const IP: u32 = 0_u32.wrapping_sub(0x10_0000);

    /// Where addresses of origin begin (RFC 791, RFC 8200), and the flags of TCP (RFC 9293).
    const V4_ORIGIN: u32 = IP + 12;
    const V6_ORIGIN: u32 = IP + 8;
    const FLAGS: u32 = 13;
    const SYN: u32 = 0x02;
    const ACK: u32 = 0x10;

    pub(super) fn attach<'a>(
        listener: &TcpListener,
        addresses: impl Iterator<Item = &'a IpAddr>,
    ) -> io::Result<()> {
        // Of a connection's packets only the first has a SYN alone.
        let mut program = vec![byte(FLAGS), and(SYN | ACK), unless(SYN, 1), skip(1), end(true)];
        program.extend(addresses.flat_map(|address| match address {
            IpAddr::V4(v4) => vec![
                byte(IP),
                and(0xF0),
                unless(0x40, 3),
                word(V4_ORIGIN),
                unless(v4.to_bits(), 1),
                end(false),
            ],
            IpAddr::V6(v6) => {
                let [high, low] = network(*v6);
                vec![
                    byte(IP),
                    and(0xF0),
                    unless(0x60, 5),
                    word(V6_ORIGIN),
                    unless(high, 3),
                    word(V6_ORIGIN + 4),
                    unless(low, 1),
                    end(false),
                ]
            }
        }));
        program.push(end(true));
        SockRef::from(listener).attach_filter(&program)
    }

    pub(super) fn detach(listener: &TcpListener) -> io::Result<()> {
        SockRef::from(listener).detach_filter()
    }

    /// The /64 of an address, in words.
    fn network(address: Ipv6Addr) -> [u32; 2] {
        let bits = address.to_bits();
        [(bits >> 96) as u32, (bits >> 64) as u32]
    }

    // What a step does (`linux/bpf_common.h`).

    const fn word(at: u32) -> SockFilter {
        SockFilter::new(0x20, 0, 0, at)
    }

    const fn byte(at: u32) -> SockFilter {
        SockFilter::new(0x30, 0, 0, at)
    }

    const fn and(bits: u32) -> SockFilter {
        SockFilter::new(0x54, 0, 0, bits)
    }

    /// Passes over so many steps unless the last that was loaded is this.
    const fn unless(value: u32, over: u8) -> SockFilter {
        SockFilter::new(0x15, 0, over, value)
    }

    const fn skip(over: u32) -> SockFilter {
        SockFilter::new(0x05, 0, 0, over)
    }

    const fn end(passes: bool) -> SockFilter {
        SockFilter::new(0x06, 0, 0, if passes { u32::MAX } else { 0 })
    }
}

#[cfg(target_os = "linux")]
#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use socket2::{Domain, Socket, Type};

    use super::*;

    /// Whether somebody at an address gets a connection, at once.
    fn gets_in(from: &str, to: &TcpListener) -> bool {
        let origin = SocketAddr::new(from.parse().unwrap(), 0);
        let port = to.local_addr().unwrap().port();
        let here = if origin.is_ipv4() { "127.0.0.1" } else { "::1" };
        let socket = Socket::new(Domain::for_address(origin), Type::STREAM, None).unwrap();
        socket.bind(&origin.into()).unwrap();
        let there = SocketAddr::new(here.parse().unwrap(), port);
        socket.connect_timeout(&there.into(), Duration::from_millis(300)).is_ok()
    }

    #[tokio::test]
    async fn who_is_refused_without_end_is_dropped_and_nobody_else() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut filter = SynFilter::on(&listener);
        let strangers: Vec<IpAddr> = (2..5).map(|n| IpAddr::from([127, 0, 0, n])).collect();
        for stranger in &strangers {
            for _ in 1..REFUSALS {
                filter.refused(*stranger);
            }
        }
        assert!(gets_in("127.0.0.2", &listener));
        for stranger in &strangers {
            filter.refused(*stranger);
        }
        let gets_in = ["127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5"]
            .map(|from| gets_in(from, &listener));
        assert_eq!(gets_in, [true, false, false, false, true]);
    }

    #[tokio::test]
    async fn at_a_socket_of_both_kinds_each_is_told_by_its_own() {
        // A machine may have IPv4 alone.
        let Ok(listener) = TcpListener::bind("[::]:0").await else { return };
        let mut filter = SynFilter::on(&listener);
        let drop_all = |filter: &mut SynFilter<'_>, address: &str| {
            let address = address.parse().unwrap();
            (0..REFUSALS).for_each(|_| filter.refused(address));
        };
        // Not ours, so that the second word is looked at; then ours.
        drop_all(&mut filter, "0:0:0:1::");
        drop_all(&mut filter, "127.0.0.2");
        assert!(gets_in("::1", &listener) && !gets_in("127.0.0.2", &listener));
        drop_all(&mut filter, "::");
        assert!(!gets_in("::1", &listener) && gets_in("127.0.0.3", &listener));
    }

    #[tokio::test]
    async fn after_a_while_and_after_a_restart_everybody_gets_in() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut filter = SynFilter::on(&listener);
        filter.length = Duration::from_millis(1);
        let stranger = IpAddr::from([127, 0, 0, 2]);
        let drop_it = |filter: &mut SynFilter<'_>| {
            (0..REFUSALS).for_each(|_| filter.refused(stranger));
            assert!(!gets_in("127.0.0.2", &listener));
        };
        drop_it(&mut filter);
        filter.let_in_again().await;
        assert!(gets_in("127.0.0.2", &listener));
        filter.counted_since = Instant::now();
        filter.refusals.clear();
        drop_it(&mut filter);
        // Killed, and started anew at the same socket.
        std::mem::forget(filter);
        let mut next = SynFilter::on(&listener);
        assert!(gets_in("127.0.0.2", &listener));
        drop_it(&mut next);
        drop(next);
        assert!(gets_in("127.0.0.2", &listener));
    }
}
