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

// Resolver finds other servers; *net.Resolver is one.
type Resolver interface {
	LookupSRV(ctx context.Context, service, proto, name string) (cname string, records []*net.SRV, err error)
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// target is where a domain may be served.
type target struct {
	host     string // a name, or an address where the domain is one
	port     uint16
	direct   bool // TLS from the first byte (XEP-0368)
	priority uint16
	weight   uint16
	doubt    error // why there may be records all the same; nil if DNS has said that there are none
	own      bool  // it is the domain itself, which has no record of where it is served
}

// maxTargets is how many of a domain's targets, and addresses of a target, are tried at most.
const maxTargets = 10

// errNotFound says that a domain has no XMPP server, errNone that it says so itself.
var (
	errNotFound = errors.New("no server was found")
	errNone     = fmt.Errorf("%w: the target of its record is a dot", errNotFound)
)

// targets finds where a domain is served, in the order to try (RFC 6120, section 3.2; XEP-0368).
func (s *Server) targets(ctx context.Context, domain string) ([]target, error) {
	if a, err := netip.ParseAddr(domain); err == nil {
		return []target{{host: a.String(), port: 5269}}, nil
	}
	name, err := ascii(domain)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNotFound, err)
	}
	name += "." // else the system's search list would find a domain for us that is another
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
	if len(direct)+len(start) > 0 { // a target of "." only
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
			ts = append(ts, target{host: r.Target, port: r.Port, direct: direct, priority: r.Priority, weight: r.Weight})
		}
	}
	return ts
}

// order sorts by priority and, within one, at random by weight (RFC 2782). Records of both services are one set
// (XEP-0368, section 3).
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
			sum += int(t.weight) + 1 // 1 more, so that weight 0 has a small chance
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

// addresses gives a target's addresses, IPv6 and IPv4 in turns (RFC 8305, section 4).
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

// errPrivate says that a domain is served in a network that is not of the public internet. Whoever asks us to write to a domain
// of their own chooses its addresses: without this they would have us connect to what only we can reach.
var errPrivate = errors.New("the address is not one of the public internet; federation.allow_networks may name its network")

// headStart is how long an address may take before the next is tried beside it (RFC 8305, section 5).
const headStart = 250 * time.Millisecond

// dial connects to a target: to whichever of its addresses answers first.
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

// reachable leaves those that others may have us connect to.
func (s *Server) reachable(as []netip.Addr) []netip.Addr {
	return slices.DeleteFunc(slices.Clone(as), func(a netip.Addr) bool { return !netaddr.Public(a) && !netaddr.Within(a, s.cfg.AllowNetworks) })
}

// dialAny connects to whichever address answers first.
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
				cancel() // the others: they end at once
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
