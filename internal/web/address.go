package web

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"unicode"
)

// Allow says why an address must not be dialled.
type Allow func(netip.Addr) error

// Any allows every address.
func Any(netip.Addr) error { return nil }

// PrivateError says that an address was refused.
type PrivateError struct{ Address netip.Addr }

func (e *PrivateError) Error() string {
	return fmt.Sprintf("%s is a private or reserved network address, from which nothing is fetched", e.Address)
}

// reserved are the IPv4 networks of IANA's special-purpose registry that are not
// globally reachable, multicast, and one address that a cloud gives its
// machines' metadata under although it is public (Azure's).
var reserved = prefixes("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
	"192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24",
	"203.0.113.0/24", "224.0.0.0/3", "168.63.129.16/32")

// Of IPv6 only global unicast is public, without the protocol assignments
// (Teredo among them), documentation, and 6to4, which is out of use and leads
// to whatever IPv4 address is in it.
var (
	global     = netip.MustParsePrefix("2000::/3")
	notGlobal  = prefixes("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
	translated = netip.MustParsePrefix("64:ff9b::/96") // NAT64: the last 32 bits are IPv4
)

func prefixes(texts ...string) []netip.Prefix {
	var out []netip.Prefix
	for _, s := range texts {
		out = append(out, netip.MustParsePrefix(s))
	}
	return out
}

// Public returns a *PrivateError for an address that is not open to all.
func Public(a netip.Addr) error {
	ip, nets := a.WithZone("").Unmap(), reserved
	if translated.Contains(ip) {
		b := ip.As16()
		ip = netip.AddrFrom4([4]byte(b[12:]))
	}
	ok := ip.Is4()
	if ip.Is6() {
		ok, nets = global.Contains(ip), notGlobal
	}
	for _, n := range nets {
		ok = ok && !n.Contains(ip)
	}
	if !ok {
		return &PrivateError{a}
	}
	return nil
}

// named returns the address that a server's name stands for, if it does without anybody
// being asked: in figures, also as others read them who may be asked instead of us (a
// proxy: 127.1, 0x7f000001, 2130706433, 0177.0.0.1, with wide digits), or this machine's
// own name. What ends in figures but is no address is an error.
func named(host string) (a netip.Addr, ok bool, err error) {
	if a, err := netip.ParseAddr(host); err == nil {
		return a, true, nil
	}
	host = strings.TrimSuffix(strings.ToLower(dots.Replace(host)), ".")
	last := host[strings.LastIndex(host, ".")+1:]
	if last == "localhost" {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1}), true, nil
	}
	_, err = figure(last)
	if err != nil && strings.TrimFunc(last, unicode.IsNumber) != "" || last == "" {
		return a, false, nil
	}
	if a, ok = ipv4(strings.Split(host, ".")); !ok {
		return a, false, errors.New("this is not a valid address: it ends in figures")
	}
	return a, true, nil
}

// dots are what names may have in place of a dot.
var dots = strings.NewReplacer("\u3002", ".", "\uff0e", ".", "\uff61", ".")

// ipv4 reads an address of one to four figures, the last of which fills all that is left.
func ipv4(parts []string) (a netip.Addr, ok bool) {
	if len(parts) > 4 {
		return a, false
	}
	var sum uint64
	for i, p := range parts {
		n, err := figure(p)
		bits := 8
		if i == len(parts)-1 {
			bits = 8 * (5 - len(parts))
		}
		if err != nil || n >= 1<<bits {
			return a, false
		}
		sum = sum<<bits | n
	}
	return netip.AddrFrom4([4]byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)}), true
}

// figure reads a number as C writes it.
func figure(s string) (uint64, error) {
	if hex, ok := strings.CutPrefix(s, "0x"); ok {
		if hex == "" { // some take it for 0
			return 0, nil
		}
		return strconv.ParseUint(hex, 16, 64)
	}
	if octal, ok := strings.CutPrefix(s, "0"); ok && octal != "" {
		return strconv.ParseUint(octal, 8, 64)
	}
	return strconv.ParseUint(s, 10, 64)
}
