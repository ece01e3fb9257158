package doctor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/idna"

	"parley/admin"
	"parley/config"
	"parley/node/plan"
)

// Ports are the ports of doors, by the names of node.Node.Addr. 0: closed.
type Ports map[string]int

// portsOf gives the ports that a configuration opens.
func portsOf(c *config.Config) Ports {
	first := func(as []string) int {
		for _, a := range as {
			if _, p, err := net.SplitHostPort(a); err == nil {
				if n, err := strconv.Atoi(p); err == nil {
					return n
				}
			}
		}
		return 0
	}
	p := Ports{"c2s": first(c.Listeners.C2S.Addresses), "c2s_tls": first(c.Listeners.C2STLS.Addresses)}
	if c.Federation.Enabled {
		p["s2s"], p["s2s_tls"] = first(c.Federation.Addresses), first(c.Federation.TLSAddresses)
	}
	return p
}

// services gives the domains below a host that other servers look for.
func services(c *config.Config) []string {
	return []string{c.Rooms.Label, c.Groups.SpacesLabel, "pubsub"}
}

// Records gives the DNS records that a host needs if its server is the machine of that name ("": the host's own).
func Records(c *config.Config, host, machine string) []admin.DNSRecord {
	return RecordsAt(c, portsOf(c), host, machine)
}

// RecordsAt is Records for a server that listens on these ports.
func RecordsAt(c *config.Config, p Ports, host, machine string) (out []admin.DNSRecord) {
	if machine == "" {
		machine = host
	}
	add := func(typ, name, value, why string, must bool) {
		out = append(out, admin.DNSRecord{Type: typ, Name: name + ".", Value: value, Why: why, Must: must})
	}
	srv := func(service, name, door string, usual int, why string) {
		if p[door] != 0 {
			add("SRV", "_"+service+"._tcp."+name, fmt.Sprintf("0 5 %d %s.", p[door], machine), why,
				machine != host || p[door] != usual && usual != 0)
		}
	}
	add("A", machine, "", "the machine: its IPv4 address, and AAAA for IPv6", true)
	srv("xmpp-client", host, "c2s", 5222, "apps")
	srv("xmpps-client", host, "c2s_tls", 0, "apps behind networks that let only TLS through")
	if p["s2s"] == 0 && p["s2s_tls"] == 0 {
		return out
	}
	for _, name := range append([]string{host}, below(services(c), host)...) {
		srv("xmpp-server", name, "s2s", 0, "other servers")
		srv("xmpps-server", name, "s2s_tls", 0, "other servers, TLS")
	}
	// A service without a record of its own is not found by other servers, whatever the port.
	for i := range out {
		if strings.HasPrefix(out[i].Name, "_xmpp-server._tcp.") &&
			(p["s2s"] != 5269 || machine != host || out[i].Name != "_xmpp-server._tcp."+host+".") {
			out[i].Must = true
		}
	}
	return out
}

func below(labels []string, host string) (names []string) {
	for _, l := range labels {
		names = append(names, l+"."+host)
	}
	return names
}

// local says whether a domain exists on one machine only, and in no DNS.
func local(domain string) bool {
	return domain == "localhost" || strings.HasSuffix(domain, ".localhost") || strings.HasSuffix(domain, ".local")
}

// maxLookups is how many lookups run at the same time.
const maxLookups = 8

// LookUp fills in what is published for each record.
func LookUp(ctx context.Context, c *config.Config, rs []admin.DNSRecord) {
	l := looker{plan.Resolver(c.DNS.Resolver), c.DNS.Timeout}
	var wg sync.WaitGroup
	free := make(chan struct{}, maxLookups)
	for i := range rs {
		wg.Go(func() {
			free <- struct{}{}
			defer func() { <-free }()
			l.look(ctx, &rs[i])
		})
	}
	wg.Wait()
}

type looker struct {
	*net.Resolver
	timeout time.Duration
}

func (l looker) look(ctx context.Context, r *admin.DNSRecord) {
	if local(strings.TrimSuffix(r.Name, ".")) || strings.HasSuffix(r.Name, ".localhost.") {
		r.State, r.Found = admin.OK, "it is this machine's own name: no record is needed"
		return
	}
	name, err := idna.Lookup.ToASCII(strings.TrimSuffix(strings.ReplaceAll(r.Name, "_", ""), "."))
	if err != nil {
		r.State, r.Found = admin.Failed, "this is not a valid name in DNS"
		return
	}
	ctx, cancel := context.WithTimeout(ctx, l.timeout)
	defer cancel()
	if r.Type != "SRV" {
		r.State, r.Found = l.addresses(ctx, name+".")
		return
	}
	service, rest, _ := strings.Cut(name, ".tcp.")
	_, found, err := l.LookupSRV(ctx, service, "tcp", rest+".")
	l.srv(ctx, r, found, err)
}

func (l looker) addresses(ctx context.Context, name string) (state, text string) {
	as, err := l.LookupNetIP(ctx, "ip", name)
	if err != nil || len(as) == 0 {
		return admin.Failed, dnsError(err)
	}
	var out []string
	for _, a := range as {
		out = append(out, a.Unmap().String())
	}
	slices.Sort(out)
	return admin.OK, strings.Join(out, ", ")
}

func (l looker) srv(ctx context.Context, r *admin.DNSRecord, found []*net.SRV, err error) {
	if err != nil || len(found) == 0 {
		r.State, r.Found = admin.Failed, dnsError(err)
		return
	}
	want := 0
	fmt.Sscanf(r.Value, "0 5 %d", &want)
	var out []string
	for _, f := range found {
		state, text := l.addresses(ctx, f.Target)
		out = append(out, fmt.Sprintf("%d %d %d %s (%s)", f.Priority, f.Weight, f.Port, f.Target, text))
		switch {
		case state == admin.OK && int(f.Port) == want:
			r.State = admin.OK
		case r.State == "":
			r.State = admin.Warning
		}
	}
	r.Found = strings.Join(out, "; ")
}

func dnsError(err error) string {
	var de *net.DNSError
	switch {
	case err == nil, errors.As(err, &de) && de.IsNotFound:
		return "there is none"
	case errors.As(err, &de) && de.IsTimeout, errors.Is(err, context.DeadlineExceeded):
		return "DNS did not answer in time"
	}
	return "DNS: " + err.Error()
}

// loopbackOnly says whether all addresses in a text are loopback addresses.
func loopbackOnly(text string) bool {
	any := false
	for _, f := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" ,;()", r) }) {
		if a, err := netip.ParseAddr(f); err == nil {
			if !a.IsLoopback() {
				return false
			}
			any = true
		}
	}
	return any
}
