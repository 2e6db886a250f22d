//! Tables of addresses, networks and URLs, without any connection.

use std::net::IpAddr;

use super::super::rules::is_inner_name;
use super::super::{BadNet, Net, Refused, Rules, is_global};
use super::rules;

const GLOBAL: [&str; 31] = [
    "1.0.0.0",
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "93.184.216.34",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "169.253.255.255",
    "169.255.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "191.255.255.255",
    "192.0.1.0",
    "192.0.3.0",
    "192.88.98.255",
    "192.88.100.0",
    "192.167.255.255",
    "192.169.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "2000::",
    "2001:200::1",
    "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff",
    "2001:db9::",
    "2606:4700:4700::1111",
    "3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "3fff:1000::",
];

const INNER: [&str; 61] = [
    "0.0.0.0",
    "0.255.255.255",
    "10.0.0.0",
    "10.255.255.255",
    "100.64.0.0",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.255",
    "169.254.0.0",
    "169.254.169.254",
    "169.254.255.255",
    "172.16.0.0",
    "172.31.255.255",
    "192.0.0.0",
    "192.0.0.170",
    "192.0.0.255",
    "192.0.2.1",
    "192.0.2.255",
    "192.88.99.1",
    "192.168.0.0",
    "192.168.255.255",
    "198.18.0.0",
    "198.19.255.255",
    "198.51.100.7",
    "203.0.113.255",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.0",
    "255.255.255.255",
    "::",
    "::1",
    "::2",
    "::127.0.0.1",
    "::8.8.8.8",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:8.8.8.8",
    "::ffff:0:127.0.0.1",
    "64:ff9b::",
    "64:ff9b::7f00:1",
    "64:ff9b::808:808",
    "64:ff9b:1::a00:1",
    "100::",
    "100::ffff:ffff:ffff:ffff",
    "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "2001::",
    "2001:0:53aa:64c::1",
    "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff",
    "2001:db8::1",
    "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
    "2002:7f00:1::",
    "2002:808:808::1",
    "3fff::1",
    "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff",
    "4000::",
    "5f00::1",
    "fc00::1",
    "fdff:ffff::1",
    "fe80::1",
    "fec0::1",
    "ff02::1",
];

#[test]
fn addresses_are_told_apart() {
    for text in GLOBAL {
        assert!(is_global(text.parse().unwrap()), "{text} is global");
    }
    for text in INNER {
        assert!(!is_global(text.parse().unwrap()), "{text} is not global");
    }
}

#[test]
fn everything_mapped_compatible_or_translated_is_refused() {
    for text in GLOBAL {
        let IpAddr::V4(inner) = text.parse().unwrap() else {
            continue;
        };
        for form in ["::ffff:", "::", "64:ff9b::"] {
            let ip = format!("{form}{inner}").parse().unwrap();
            assert!(!is_global(ip), "{ip}");
        }
    }
}

#[test]
fn networks_hold_their_addresses_only() {
    for (net, ip, inside) in [
        ("10.1.2.0/24", "10.1.2.0", true),
        ("10.1.2.0/24", "10.1.2.255", true),
        ("10.1.2.0/24", "10.1.1.255", false),
        ("10.1.2.0/24", "10.1.3.0", false),
        ("10.1.2.3", "10.1.2.3", true),
        ("10.1.2.3", "10.1.2.4", false),
        ("0.0.0.0/0", "255.255.255.255", true),
        ("0.0.0.0/0", "::1", false),
        ("10.0.0.0/8", "::ffff:10.0.0.1", false),
        ("fd00:1::/64", "fd00:1::ffff", true),
        ("fd00:1::/64", "fd00:1:0:1::", false),
        ("::/0", "ffff::", true),
        ("::/0", "1.2.3.4", false),
        ("::1/128", "::1", true),
    ] {
        let net: Net = net.parse().unwrap();
        assert_eq!(net.contains(ip.parse().unwrap()), inside, "{net} {ip}");
        assert_eq!(net.to_string().parse::<Net>(), Ok(net));
    }
}

#[test]
fn bad_networks_are_refused_with_advice() {
    for text in ["", "/", "crm", "10.1.2/24", "10.1.2.0 /24", "[::1]", "fe80::1%eth0"] {
        let read = text.parse::<Net>();
        assert!(matches!(read, Err(BadNet::Address(_))), "{text:?} {read:?}");
    }
    for text in ["10.0.0.0/33", "10.0.0.0/", "10.0.0.0/+8", "::/129", "::/1/2", "::/999"] {
        let read = text.parse::<Net>();
        assert!(matches!(read, Err(BadNet::Length { .. })), "{text:?} {read:?}");
    }
    let slip = "10.1.2.5/24".parse::<Net>().unwrap_err();
    assert!(slip.to_string().contains("10.1.2.0/24"), "{slip}");
    assert!("fd00::1/64".parse::<Net>().is_err());
}

#[test]
fn inner_names_are_known() {
    for name in [
        "localhost",
        "localhost.",
        "LOCALHOST",
        "a.localhost",
        "crm",
        "crm.",
        "printer.local",
        "printer.local.",
        "metadata.google.internal",
        "nas.home.arpa",
        "box.lan",
        "BOX.LAN.",
        "localhost..",
        "",
    ] {
        assert!(is_inner_name(name), "{name}");
    }
    for name in ["example.com", "local.example.com", "mylocal.com", "planlan.de", "a.b.", "xlan.co"]
    {
        assert!(!is_inner_name(name), "{name}");
    }
}

#[test]
fn urls_are_judged_before_any_lookup() {
    let strict = Rules::default();
    for text in [
        "",
        "example.com",
        "/path",
        "https://",
        "https://exa mple.com/",
        "https://example.com:0/",
        "https://example.com:99999/",
        "https://[fe80::1%25eth0]/",
        "https://[fe80::1%eth0]/",
        "https://[::1/",
        "https://256.0.0.1/",
        "https://1.2.3.4.5/",
        "https://a.0x/",
    ] {
        let read = strict.read(text);
        // "a.0x" ends in a number for the parser, which is why it is no name.
        assert_eq!(read.err(), Some(Refused::BadUrl), "{text:?}");
    }
    for text in ["http://example.com/", "ftp://example.com/", "file:///etc/passwd", "data:,x"] {
        let read = strict.read(text);
        assert!(matches!(read, Err(Refused::Scheme { .. })), "{text:?} {read:?}");
    }
    for text in ["https://u@example.com/", "https://:p@example.com/", "https://a.com:80@b.com/"] {
        assert_eq!(strict.read(text).err(), Some(Refused::UserInfo), "{text:?}");
    }
    for text in [
        "https://example.com",
        "https://8.8.8.8:8443/x",
        "https://[2606:4700::1]/",
        "https://bücher.example/",
    ] {
        assert!(strict.read(text).is_ok(), "{text:?}");
    }
}

#[test]
fn an_allowed_network_opens_only_itself() {
    let rules = rules(&["10.1.2.0/24", "fd00:1::/64"]);
    for text in
        ["http://10.1.2.7/", "http://[fd00:1::7]/", "http://0x0a010207/", "https://8.8.8.8/"]
    {
        assert!(rules.read(text).is_ok(), "{text}");
    }
    for text in
        ["http://10.1.3.7/", "http://[fd00:2::7]/", "http://[::ffff:10.1.2.7]/", "http://crm/"]
    {
        let read = rules.read(text);
        assert!(matches!(read, Err(Refused::Private { .. })), "{text} {read:?}");
    }
}
