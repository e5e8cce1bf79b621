//! Whom a guest may talk to, and which names it may look up. An empty list permits nothing.

use crate::abi::error::{Error, Result, Shown, bounded};
use crate::alloc;
use crate::wasi::args::WasiArgs;
use ipnet::IpNet;
use std::net::IpAddr;

/// Owner: the instance's WASI context.
pub(in crate::wasi) struct Pools {
    networks: Vec<IpNet>,
    /// Every address of IPv4.
    all_v4: bool,
    /// Every address of IPv6.
    all_v6: bool,
    names: Vec<Box<[u8]>>,
}

impl Pools {
    pub(in crate::wasi) fn new(args: &WasiArgs) -> Result<Self> {
        let mut names = alloc::try_vec(args.ns_lookup_pool.len())?;
        for name in &args.ns_lookup_pool {
            names.push(alloc::try_boxed(name)?);
        }
        let networks = alloc::try_vec(args.addr_pool.len())?;
        let mut pools = Self { networks, all_v4: false, all_v6: false, names };
        for entry in &args.addr_pool {
            let network = network(entry)?;
            match network.addr() {
                IpAddr::V4(all) if all.is_unspecified() => pools.all_v4 = true,
                IpAddr::V6(all) if all.is_unspecified() => pools.all_v6 = true,
                _ => pools.networks.push(network),
            }
        }
        Ok(pools)
    }

    /// IPv4 addresses mapped to IPv6 count as IPv4. The unspecified address stands for all of the
    /// machine's, of every network.
    pub(super) fn permits(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.permits_all(address.is_ipv6())
            || !address.is_unspecified()
                && self.networks.iter().any(|network| network.contains(&address))
    }

    /// Whether every address of a kind is permitted.
    pub(super) fn permits_all(&self, ipv6: bool) -> bool {
        if ipv6 { self.all_v6 } else { self.all_v4 }
    }

    /// Whether a socket with all addresses of IPv6 must not have those of IPv4 as well.
    pub(super) fn keeps_kinds_apart(&self) -> bool {
        self.all_v6 && !self.all_v4
    }

    /// Names are listed as they are, as `*.suffix`, or as `*` for all.
    pub(super) fn permits_name(&self, name: &[u8]) -> bool {
        self.names.iter().any(|listed| match **listed {
            [b'*'] => true,
            [b'*', b'.', ref domain @ ..] => {
                let suffix = name.len().checked_sub(domain.len() + 1).map(|at| &name[at..]);
                suffix.is_some_and(|suffix| suffix[0] == b'.' && suffix[1..] == *domain)
            }
            ref exact => exact == name,
        })
    }
}

/// `ADDRESS/MASK`.
fn network(entry: &[u8]) -> Result<IpNet> {
    let text = std::str::from_utf8(entry).unwrap_or_default();
    let Some((address, mask)) = text.split_once('/').filter(|(_, mask)| !mask.is_empty()) else {
        let text = Shown(entry);
        return Err(Error::instantiate(bounded(format_args!(
            "Invalid address pool entry: {text}, must be in the format of ADDRESS/MASK"
        ))));
    };
    let mask: i64 = mask
        .parse()
        .map_err(|_| Error::instantiate("Invalid address pool entry: mask must be a number"))?;
    if mask < 0 {
        return Err(Error::instantiate("Init wasi environment failed: invalid mask number"));
    }
    let refused = || Error::instantiate("Init wasi environment failed: store address failed");
    let address: IpAddr = address.parse().map_err(|_| refused())?;
    let mask = u8::try_from(mask).map_err(|_| refused())?;
    let network = IpNet::new(address, mask).map_err(|_| refused())?;
    // A network of IPv4 in the clothes of IPv6.
    Ok(match (address.to_canonical(), mask.checked_sub(V4_MAPPED_BITS)) {
        (canonical @ IpAddr::V4(_), Some(mask)) if address.is_ipv6() => {
            IpNet::new(canonical, mask).map_err(|_| refused())?
        }
        _ => network,
    })
}

/// Bits of an IPv6 address before the IPv4 address in it.
const V4_MAPPED_BITS: u8 = 96;

#[cfg(test)]
mod tests {
    use super::*;

    fn pools(addresses: &[&str], names: &[&str]) -> Result<Pools> {
        let list = |texts: &[&str]| texts.iter().map(|t| t.as_bytes().to_vec()).collect();
        Pools::new(&WasiArgs {
            addr_pool: list(addresses),
            ns_lookup_pool: list(names),
            ..WasiArgs::default()
        })
    }

    #[test]
    fn a_pool_permits_its_networks_and_no_others() {
        let Ok(pools) = pools(&["10.1.0.0/16", "fe80::/10"], &[]) else { panic!("refused") };
        let permits = |text: &str| text.parse().is_ok_and(|ip| pools.permits(ip));
        assert!(permits("10.1.255.1") && permits("fe80::1"));
        assert!(!permits("10.2.0.1") && !permits("::1") && !permits("127.0.0.1"));
    }

    #[test]
    fn unspecified_addresses_stand_for_all_of_their_kind() {
        let Ok(pools) = pools(&["0.0.0.0/32"], &[]) else { panic!("refused") };
        let permits = |text: &str| text.parse().is_ok_and(|ip| pools.permits(ip));
        assert!(permits("1.2.3.4") && !permits("::1"));
    }

    #[test]
    fn every_address_is_what_it_leads_to() {
        for (pool, permitted, refused) in [
            (
                "127.0.0.0/8",
                &["127.1.2.3", "::ffff:127.0.0.1"][..],
                &["0.0.0.0", "::", "::1", "255.255.255.255", "224.0.0.1", "::ffff:1.0.0.1"][..],
            ),
            ("::/0", &["::", "::1", "ff02::1"], &["127.0.0.1", "::ffff:127.0.0.1", "0.0.0.0"]),
            ("0.0.0.0/0", &["0.0.0.0", "1.2.3.4", "::ffff:0.0.0.0"], &["::", "::1"]),
            // The unspecified address is no member of a network.
            ("::1/64", &["::1", "::2"], &["::", "::ffff:1.2.3.4"]),
            ("0.0.0.1/8", &["0.0.0.1", "0.1.2.3"], &["0.0.0.0", "::ffff:0.0.0.0"]),
            ("1::/1", &["1::1", "::1"], &["::", "::ffff:1.2.3.4"]),
            ("::ffff:10.0.0.0/104", &["10.1.2.3", "::ffff:10.1.2.3"], &["11.0.0.0", "::a"]),
            ("::ffff:0.0.0.0/96", &["0.0.0.0", "9.9.9.9"], &["::", "::1"]),
        ] {
            let Ok(pools) = pools(&[pool], &[]) else { panic!("refused: {pool}") };
            let permits = |text: &str| {
                let Ok(address) = text.parse() else { panic!("no address: {text}") };
                pools.permits(address)
            };
            for address in permitted {
                assert!(permits(address), "{pool} {address}");
            }
            for address in refused {
                assert!(!permits(address), "{pool} {address}");
            }
        }
    }

    #[test]
    fn entries_that_make_no_sense_are_told() {
        for (entry, text) in [
            (
                "1.2.3.4",
                "Invalid address pool entry: 1.2.3.4, must be in the format of ADDRESS/MASK",
            ),
            ("1.2.3.4/x", "Invalid address pool entry: mask must be a number"),
            ("1.2.3.4/-1", "Init wasi environment failed: invalid mask number"),
            ("1.2.3.4/33", "Init wasi environment failed: store address failed"),
            ("nonsense/8", "Init wasi environment failed: store address failed"),
        ] {
            let error = pools(&[entry], &[]).err().map(|e| e.message().to_owned());
            assert_eq!(error.as_deref(), Some(text));
        }
    }

    #[test]
    fn names_are_exact_or_below_a_domain() {
        let Ok(pools) = pools(&[], &["example.com", "*.example.org"]) else { panic!("refused") };
        for name in ["example.com", "a.example.org", "a.b.example.org"] {
            assert!(pools.permits_name(name.as_bytes()), "{name}");
        }
        for name in ["a.example.com", "example.org", "xexample.org", "org", ""] {
            assert!(!pools.permits_name(name.as_bytes()), "{name}");
        }
    }
}
