//! Which IP addresses belong to the public internet, and networks in CIDR form.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// IPv4 blocks that no stranger may make us call: address and prefix length in bits.
const INNER_V4: [(Ipv4Addr, u8); 15] = [
    (Ipv4Addr::UNSPECIFIED, 8),      // "this network", reaches the local host
    (Ipv4Addr::new(10, 0, 0, 0), 8), // private
    (Ipv4Addr::new(100, 64, 0, 0), 10), // carrier-grade NAT
    (Ipv4Addr::new(127, 0, 0, 0), 8), // loopback
    (Ipv4Addr::new(169, 254, 0, 0), 16), // link-local, cloud metadata
    (Ipv4Addr::new(172, 16, 0, 0), 12), // private
    (Ipv4Addr::new(192, 0, 0, 0), 24), // protocol assignments
    (Ipv4Addr::new(192, 0, 2, 0), 24), // documentation
    (Ipv4Addr::new(192, 88, 99, 0), 24), // 6to4 relay
    (Ipv4Addr::new(192, 168, 0, 0), 16), // private
    (Ipv4Addr::new(198, 18, 0, 0), 15), // benchmarking
    (Ipv4Addr::new(198, 51, 100, 0), 24), // documentation
    (Ipv4Addr::new(203, 0, 113, 0), 24), // documentation
    (Ipv4Addr::new(224, 0, 0, 0), 4), // multicast
    (Ipv4Addr::new(240, 0, 0, 0), 4), // reserved and broadcast
];

/// The only IPv6 block from which global unicast addresses are given out.
const GLOBAL_V6: (Ipv6Addr, u8) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// Blocks inside [`GLOBAL_V6`] that are still refused. Everything outside it is
/// refused already: `::`, `::1`, v4-mapped and v4-compatible addresses, NAT64,
/// `100::/64`, `5f00::/16`, `fc00::/7`, `fe80::/10`, `fec0::/10` and `ff00::/8`.
const INNER_V6: [(Ipv6Addr, u8); 4] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23), // Teredo and other protocols
    (Ipv6Addr::new(0x2001, 0x0db8, 0, 0, 0, 0, 0, 0), 32), // documentation
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16), // 6to4, carries an IPv4 address
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20), // documentation
];

/// Whether `ip` is an ordinary unicast address of the public internet.
///
/// IPv6 forms that carry an IPv4 address are never global, whatever they carry.
#[must_use]
pub fn is_global(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => !INNER_V4.iter().any(|&(base, len)| in_v4(ip, base, len)),
        IpAddr::V6(ip) => {
            in_v6(ip, GLOBAL_V6.0, GLOBAL_V6.1)
                && !INNER_V6.iter().any(|&(base, len)| in_v6(ip, base, len))
        }
    }
}

fn in_v4(ip: Ipv4Addr, base: Ipv4Addr, len: u8) -> bool {
    let differing = ip.to_bits() ^ base.to_bits();
    // A shift by the full width (length 0) has no value: everything matches.
    differing.checked_shr(32_u32.saturating_sub(u32::from(len))).unwrap_or(0) == 0
}

fn in_v6(ip: Ipv6Addr, base: Ipv6Addr, len: u8) -> bool {
    let differing = ip.to_bits() ^ base.to_bits();
    differing.checked_shr(128_u32.saturating_sub(u32::from(len))).unwrap_or(0) == 0
}

/// A network in CIDR form such as `10.1.2.0/24` or `fd00:1::/64`.
///
/// A bare address stands for that one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Net {
    base: IpAddr,
    len: u8,
}

impl Net {
    /// Whether `ip` lies inside; an address of the other family never does.
    #[must_use]
    pub fn contains(&self, ip: IpAddr) -> bool {
        match (self.base, ip) {
            (IpAddr::V4(base), IpAddr::V4(ip)) => in_v4(ip, base, self.len),
            (IpAddr::V6(base), IpAddr::V6(ip)) => in_v6(ip, base, self.len),
            _ => false,
        }
    }

    /// The first address of the block of `len` bits that holds `ip`.
    fn first(ip: IpAddr, len: u8) -> IpAddr {
        let len = u32::from(len);
        match ip {
            IpAddr::V4(ip) => {
                let mask = u32::MAX.checked_shl(32 - len).unwrap_or(0);
                Ipv4Addr::from_bits(ip.to_bits() & mask).into()
            }
            IpAddr::V6(ip) => {
                let mask = u128::MAX.checked_shl(128 - len).unwrap_or(0);
                Ipv6Addr::from_bits(ip.to_bits() & mask).into()
            }
        }
    }
}

impl FromStr for Net {
    type Err = BadNet;

    fn from_str(text: &str) -> Result<Self, BadNet> {
        let (address, len) = match text.split_once('/') {
            Some((address, len)) => (address, Some(len)),
            None => (text, None),
        };
        let base: IpAddr = address.parse().map_err(|_| BadNet::Address(text.to_owned()))?;
        let widest = if base.is_ipv4() { 32 } else { 128 };
        let len = match len {
            Some(digits) => {
                prefix(digits, widest).ok_or(BadNet::Length { text: text.to_owned(), widest })?
            }
            None => widest,
        };
        let first = Self::first(base, len);
        if first == base {
            Ok(Self { base, len })
        } else {
            // Most likely a slip: better asked about than widened in silence.
            Err(BadNet::HostBits { text: text.to_owned(), meant: Self { base: first, len } })
        }
    }
}

/// Reads a prefix length; signs and other oddities that `parse` accepts are refused.
fn prefix(digits: &str, widest: u8) -> Option<u8> {
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    let len = plain.then(|| digits.parse::<u8>().ok()).flatten()?;
    (len <= widest).then_some(len)
}

impl fmt::Display for Net {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.base, self.len)
    }
}

/// Why a text is not a [`Net`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadNet {
    /// The part before the slash is not an IP address.
    #[error("{0:?} is not a network, write it like 10.1.2.0/24 or fd00:1::/64")]
    Address(String),
    /// The part after the slash is not a usable length.
    #[error("{text:?} has no usable length, write a number from 0 to {widest} after the slash")]
    Length {
        /// The text as given.
        text: String,
        /// The greatest length of this address family, in bits.
        widest: u8,
    },
    /// The address has bits set beyond the length.
    #[error("{text:?} names an address inside a network, write {meant} if the whole is meant")]
    HostBits {
        /// The text as given.
        text: String,
        /// The network of that length that holds the address.
        meant: Net,
    },
}
