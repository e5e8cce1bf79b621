//! Socket addresses as a guest sees them: a kind, the address and the port, all in the guest's
//! byte order.
//!
//! ```text
//! 0 kind (0 IPv4, 1 IPv6)
//! 4 IPv4: four bytes          8 port
//! 4 IPv6: eight 16-bit groups 20 port
//! ```

use crate::native::GuestMemory;
use crate::wasi::abi::Addr;
use crate::wasi::call::{Call, Outcome};
use crate::wasi::errno::Errno;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Bytes of an address with its port.
pub(in crate::wasi) const ADDRESS_BYTES: u64 = 24;
/// Bytes of an address without one.
pub(super) const IP_BYTES: u64 = 20;

const IPV4: u32 = 0;
const IPV6: u32 = 1;

fn groups(bytes: &[u8]) -> [u16; 8] {
    std::array::from_fn(|i| u16::from_le_bytes([bytes[2 * i], bytes[2 * i + 1]]))
}

/// An address without a port.
pub(super) fn read_ip(memory: &GuestMemory<'_>, at: u64) -> Outcome<IpAddr> {
    let bytes: [u8; IP_BYTES as usize] = memory.read(at)?;
    match u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) {
        IPV4 => Ok(Ipv4Addr::new(bytes[4], bytes[5], bytes[6], bytes[7]).into()),
        IPV6 => Ok(Ipv6Addr::from(groups(&bytes[4..])).into()),
        _ => Err(Errno::ProtocolNotSupported.into()),
    }
}

pub(super) fn read(memory: &GuestMemory<'_>, at: u64) -> Outcome<SocketAddr> {
    let ip = read_ip(memory, at)?;
    let port_at = if ip.is_ipv4() { 8 } else { 20 };
    let port = u16::from_le_bytes(memory.read(at + port_at)?);
    Ok(SocketAddr::new(ip, port))
}

pub(in crate::wasi) fn to_bytes(address: SocketAddr) -> [u8; ADDRESS_BYTES as usize] {
    let mut bytes = [0; ADDRESS_BYTES as usize];
    match address.ip() {
        IpAddr::V4(ip) => {
            bytes[0] = IPV4 as u8;
            bytes[4..8].copy_from_slice(&ip.octets());
            bytes[8..10].copy_from_slice(&address.port().to_le_bytes());
        }
        IpAddr::V6(ip) => {
            bytes[0] = IPV6 as u8;
            for (to, group) in bytes[4..20].chunks_exact_mut(2).zip(ip.segments()) {
                to.copy_from_slice(&group.to_le_bytes());
            }
            bytes[20..22].copy_from_slice(&address.port().to_le_bytes());
        }
    }
    bytes
}

pub(super) fn write(call: &Call<'_>, at: Addr, address: SocketAddr) -> Outcome {
    call.write(at, &to_bytes(address))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::native::over;

    #[test]
    fn addresses_survive_the_way_through_the_guest() {
        for text in ["10.1.2.3:80", "[::1]:65535", "[2001:db8::ff00:42:8329]:443"] {
            let Ok(address) = text.parse::<SocketAddr>() else { panic!("{text}") };
            let mut bytes = to_bytes(address);
            assert_eq!(over(&mut bytes, |memory| read(&memory, 0)), Ok(address));
        }
        let mut unknown = [2; ADDRESS_BYTES as usize];
        let read = over(&mut unknown, |memory| read(&memory, 0));
        assert_eq!(read, Err(Errno::ProtocolNotSupported.into()));
    }
}
