package federation

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"parley/internal/netaddr"
)

// Resolver looks up other servers in DNS. *net.Resolver implements it.
type Resolver interface {
	// LookupSRV returns the SRV records of a service, like net.Resolver.LookupSRV.
	LookupSRV(ctx context.Context, service, proto, name string) (cname string, records []*net.SRV, err error)
	// LookupNetIP returns the addresses of a host, like net.Resolver.LookupNetIP.
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// target is a place where a domain may be served.
type target struct {
	host     string // a name, or an address if the domain is one
	port     uint16
	direct   bool // TLS from the first byte (XEP-0368)
	priority uint16
	weight   uint16
	doubt    error // why DNS may have records all the same; nil if it says that it has none
	own      bool  // the domain itself, which has no SRV record
}

// maxTargets is how many targets of a domain, and how many addresses of a target, are tried.
const maxTargets = 10

// errNotFound says that a domain has no XMPP server; errNone says that the domain declares it itself.
var (
	errNotFound = errors.New("no server was found")
	errNone     = fmt.Errorf("%w: the target of its record is a dot", errNotFound)
)

// targets returns the places where a domain may be served, in the order to try them (RFC 6120, section 3.2; XEP-0368).
func (s *Server) targets(ctx context.Context, domain string) ([]target, error) {
	if a, err := netip.ParseAddr(domain); err == nil {
		return []target{{host: a.String(), port: 5269}}, nil
	}
	name, err := ascii(domain)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNotFound, err)
	}
	name += "." // without it the system's search list could find another domain
	var direct, start []*net.SRV
	var errDirect, errStart error
	var wg sync.WaitGroup
	wg.Go(func() { direct, errDirect = s.lookupSRV(ctx, "xmpps-server", name) })
	start, errStart = s.lookupSRV(ctx, "xmpp-server", name)
	wg.Wait()
	ts := append(fromSRV(direct, true), fromSRV(start, false)...)
	if len(ts) > 0 {
		order(ts)
		return ts[:min(len(ts), maxTargets)], nil
	}
	if len(direct)+len(start) > 0 { // only the target "."
		return nil, errNone
	}
	return []target{{host: name, port: 5269, doubt: errors.Join(errDirect, errStart), own: true}}, nil
}

func (s *Server) lookupSRV(ctx context.Context, service, name string) ([]*net.SRV, error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.DNSTimeout)
	defer cancel()
	_, rs, err := s.cfg.Resolver.LookupSRV(ctx, service, "tcp", name)
	if isNotFound(err) {
		err = nil
	}
	return rs, err
}

func isNotFound(err error) bool {
	var de *net.DNSError
	return errors.As(err, &de) && de.IsNotFound
}

func fromSRV(rs []*net.SRV, direct bool) (ts []target) {
	for _, r := range rs {
		if r.Target != "." && r.Target != "" && r.Port != 0 {
			ts = append(ts, target{
				host:     r.Target,
				port:     r.Port,
				direct:   direct,
				priority: r.Priority,
				weight:   r.Weight,
			})
		}
	}
	return ts
}

// order sorts by priority and, within one priority, randomly by weight (RFC 2782). The records of both services form
// one set (XEP-0368, section 3).
func order(ts []target) {
	slices.SortStableFunc(ts, func(a, b target) int { return int(a.priority) - int(b.priority) })
	for from := 0; from < len(ts); {
		to := from
		for to < len(ts) && ts[to].priority == ts[from].priority {
			to++
		}
		byWeight(ts[from:to])
		from = to
	}
}

func byWeight(ts []target) {
	for ; len(ts) > 1; ts = ts[1:] {
		sum := 0
		for _, t := range ts {
			sum += int(t.weight) + 1 // plus 1, so that weight 0 has a small chance
		}
		n := rand.IntN(sum)
		for i, t := range ts {
			if n -= int(t.weight) + 1; n < 0 {
				ts[0], ts[i] = ts[i], ts[0]
				break
			}
		}
	}
}

// addresses returns a target's addresses, alternately IPv6 and IPv4 (RFC 8305, section 4).
func (s *Server) addresses(ctx context.Context, host string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.cfg.DNSTimeout)
	defer cancel()
	as, err := s.cfg.Resolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		if isNotFound(err) {
			err = fmt.Errorf("%w: %w", errNotFound, err)
		}
		return nil, err
	}
	var six, four, out []netip.Addr
	for _, a := range as {
		if a = a.Unmap(); a.Is4() {
			four = append(four, a)
		} else {
			six = append(six, a)
		}
	}
	for i := range max(len(six), len(four)) {
		if i < len(six) {
			out = append(out, six[i])
		}
		if i < len(four) {
			out = append(out, four[i])
		}
	}
	if len(out) == 0 {
		return nil, errNotFound
	}
	return out[:min(len(out), maxTargets)], nil
}

// errPrivate says that a domain is served outside of the public internet. A stranger chooses the addresses of their own
// domain: without this check they could make the server connect to what only it can reach.
var errPrivate = errors.New("the address is not on the public internet; list its network in " +
	"federation.allow_networks to allow it")

// headStart is how long an address may take before the next one is tried in parallel (RFC 8305, section 5).
const headStart = 250 * time.Millisecond

// dial connects to the address of a target that answers first.
func (s *Server) dial(ctx context.Context, t target) (net.Conn, error) {
	as, err := s.addresses(ctx, t.host)
	if err != nil {
		return nil, err
	}
	if as = s.reachable(as); len(as) == 0 {
		return nil, errPrivate
	}
	return s.dialAny(ctx, as, t.port)
}

// reachable leaves the addresses that strangers may make the server connect to.
func (s *Server) reachable(as []netip.Addr) []netip.Addr {
	return slices.DeleteFunc(slices.Clone(as), func(a netip.Addr) bool {
		return !netaddr.Public(a) && !netaddr.Within(a, s.cfg.AllowNetworks)
	})
}

// dialAny connects to the address that answers first.
func (s *Server) dialAny(ctx context.Context, as []netip.Addr, port uint16) (net.Conn, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type outcome struct {
		nc  net.Conn
		err error
	}
	outcomes := make(chan outcome, len(as))
	d := net.Dialer{KeepAlive: s.cfg.KeepAlive}
	var wg sync.WaitGroup
	begin := func(a netip.Addr) {
		wg.Go(func() {
			nc, err := d.DialContext(ctx, "tcp", netip.AddrPortFrom(a, port).String())
			outcomes <- outcome{nc, err}
		})
	}
	next := time.NewTimer(0)
	defer next.Stop()
	var errs []error
	begun := 0
	for len(errs) < len(as) {
		select {
		case <-next.C:
			if begun < len(as) {
				begin(as[begun])
				begun++
				next.Reset(headStart)
			}
		case o := <-outcomes:
			if o.err == nil {
				cancel() // the other connections end at once
				wg.Wait()
				for range begun - len(errs) - 1 {
					if late := <-outcomes; late.nc != nil {
						late.nc.Close()
					}
				}
				return o.nc, nil
			}
			errs = append(errs, o.err)
			next.Reset(0)
		}
	}
	return nil, errors.Join(errs...)
}
