//! Whom a guest may talk to, and which names it may look up. An empty list permits nothing.

use crate::abi::error::{Error, Result, Shown, bounded};
use crate::alloc;
use crate::wasi::args::WasiArgs;
use ipnet::IpNet;
use std::net::IpAddr;

/// Owner: the instance's WASI context.
pub(in crate::wasi) struct Pools {
    networks: Vec<Network>,
    names: Vec<Box<[u8]>>,
}

enum Network {
    /// Every address of IPv4.
    AnyV4,
    /// Every address of IPv6.
    AnyV6,
    Of(IpNet),
}

impl Pools {
    pub(in crate::wasi) fn new(args: &WasiArgs) -> Result<Self> {
        let mut networks = alloc::try_vec(args.addr_pool.len())?;
        for entry in &args.addr_pool {
            networks.push(network(entry)?);
        }
        let mut names = alloc::try_vec(args.ns_lookup_pool.len())?;
        for name in &args.ns_lookup_pool {
            names.push(alloc::try_boxed(name)?);
        }
        Ok(Self { networks, names })
    }

    pub(super) fn permits(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| match network {
            Network::AnyV4 => address.is_ipv4(),
            Network::AnyV6 => address.is_ipv6(),
            Network::Of(network) => network.contains(&address),
        })
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
fn network(entry: &[u8]) -> Result<Network> {
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
    // A wide mask is no reason to refuse the address that stands for all.
    let mask = u8::try_from(mask).map_err(|_| refused())?;
    let network = IpNet::new(address, mask).map_err(|_| refused())?;
    Ok(match address {
        IpAddr::V4(any) if any.is_unspecified() => Network::AnyV4,
        IpAddr::V6(any) if any.is_unspecified() => Network::AnyV6,
        _ => Network::Of(network),
    })
}

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
