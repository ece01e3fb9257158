package door

import (
	"net/http"
	"net/netip"
	"testing"
)

func nets(list ...string) (ps []netip.Prefix) {
	for _, s := range list {
		ps = append(ps, netip.MustParsePrefix(s))
	}
	return ps
}

func TestClient(t *testing.T) {
	named, near := Trust(nets("10.0.0.0/8", "2001:db8:aaaa::/48", "127.0.0.0/8")), TrustNear()
	for name, c := range map[string]struct {
		p    Proxies
		peer string
		h    http.Header
		want string
	}{
		"no header": {named, "10.0.0.1", http.Header{}, "10.0.0.1"},
		"nobody is believed": {Proxies{}, "127.0.0.1",
			http.Header{"X-Forwarded-For": {"1.2.3.4"}}, "127.0.0.1"},
		"a stranger": {named, "9.9.9.9", http.Header{"X-Forwarded-For": {"1.2.3.4"}}, "9.9.9.9"},
		"one":        {named, "10.0.0.1", http.Header{"X-Forwarded-For": {"1.2.3.4"}}, "1.2.3.4"},
		"the last that is no proxy": {named, "10.0.0.1",
			http.Header{"X-Forwarded-For": {"6.6.6.6, 1.2.3.4, 10.1.1.1", "10.2.2.2"}}, "1.2.3.4"},
		"proxies only": {named, "10.0.0.1",
			http.Header{"X-Forwarded-For": {"10.3.3.3, 10.1.1.1"}}, "10.3.3.3"},
		"IPv6": {named, "2001:db8:aaaa::1",
			http.Header{"X-Forwarded-For": {"2001:db8:bbbb::5"}}, "2001:db8:bbbb::5"},
		"with ports": {named, "10.0.0.1",
			http.Header{"X-Forwarded-For": {"1.2.3.4:99, [2001:db8:aaaa::9]:80"}}, "1.2.3.4"},
		"IPv4 in IPv6": {named, "::ffff:10.0.0.1",
			http.Header{"X-Forwarded-For": {"::ffff:1.2.3.4"}}, "1.2.3.4"},
		"not an address": {named, "10.0.0.1",
			http.Header{"X-Forwarded-For": {"1.2.3.4, evil"}}, "10.0.0.1"},
		"beyond what is no address": {named, "10.0.0.1",
			http.Header{"X-Forwarded-For": {"1.2.3.4, unknown, 10.5.5.5"}}, "10.5.5.5"},
		"empty": {named, "10.0.0.1", http.Header{"X-Forwarded-For": {""}}, "10.0.0.1"},
		"Forwarded": {named, "10.0.0.1", http.Header{
			"Forwarded": {`for=6.6.6.6, for="[2001:db8:cafe::17]:4711";proto=https;by="a,b;c", For=10.9.9.9`},
		}, "2001:db8:cafe::17"},
		"Forwarded, hidden": {named, "10.0.0.1",
			http.Header{"Forwarded": {`for=1.2.3.4, for=_hidden`}}, "10.0.0.1"},
		"Forwarded beside the other": {named, "10.0.0.1",
			http.Header{"Forwarded": {"for=6.6.6.6"}, "X-Forwarded-For": {"1.2.3.4"}}, "1.2.3.4"},
		"X-Real-IP": {named, "10.0.0.1", http.Header{"X-Real-Ip": {"1.2.3.4"}}, "1.2.3.4"},
		"X-Real-IP beside the other": {named, "10.0.0.1",
			http.Header{"X-Real-Ip": {"6.6.6.6"}, "X-Forwarded-For": {"1.2.3.4"}}, "1.2.3.4"},
		"near": {near, "127.0.0.1",
			http.Header{"X-Forwarded-For": {"6.6.6.6, 1.2.3.4"}}, "1.2.3.4"},
		"near, and the client is, too": {near, "::1",
			http.Header{"X-Forwarded-For": {"6.6.6.6, 192.168.1.9"}}, "192.168.1.9"},
		"near, from a private network":   {near, "172.18.0.2", http.Header{"X-Forwarded-For": {"1.2.3.4"}}, "1.2.3.4"},
		"near is not who comes from far": {near, "9.9.9.9", http.Header{"X-Forwarded-For": {"1.2.3.4"}}, "9.9.9.9"},
	} {
		if got := c.p.Client(netip.MustParseAddr(c.peer), c.h); got != netip.MustParseAddr(c.want) {
			t.Errorf("%s: %v, not %s", name, got, c.want)
		}
	}
}

// FuzzClient: whatever a header says, an untrusted peer counts as the client, and a trusted one yields an address.
func FuzzClient(f *testing.F) {
	for _, s := range []string{
		"1.2.3.4", "for=1.2.3.4", `for="[::1]:9";by="x\"y"`, "[::1]:99, ::1%eth0", `"`, `\`, ",,", "=;=,",
	} {
		f.Add(s)
	}
	p := Trust(nets("10.0.0.0/8"))
	peer, stranger := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("9.9.9.9")
	f.Fuzz(func(t *testing.T, s string) {
		for _, name := range []string{"X-Forwarded-For", "Forwarded", "X-Real-Ip"} {
			h := http.Header{name: {s, s}}
			if got := p.Client(stranger, h); got != stranger {
				t.Errorf("a stranger is believed to be %v", got)
			}
			if got := p.Client(peer, h); !got.IsValid() || got.Is4In6() || got.Zone() != "" {
				t.Errorf("%q gives %v", s, got)
			}
		}
	})
}
