package federation

import (
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// nameserver answers for the domains of a test over UDP; whatever else there is does not exist.
type nameserver struct {
	addr string
	mu   sync.Mutex
	srv  map[string]uint16 // "_xmpp-server._tcp.a.example.": port, on host.test at 127.0.0.1
}

func startDNS(t *testing.T) *nameserver {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n := &nameserver{addr: pc.LocalAddr().String(), srv: make(map[string]uint16)}
	done := make(chan struct{})
	t.Cleanup(func() { pc.Close(); <-done })
	go func() {
		defer close(done)
		b := make([]byte, 1500)
		for {
			k, from, err := pc.ReadFrom(b)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(b[:k]) == nil && len(m.Questions) == 1 {
				if out, err := n.answer(m).Pack(); err == nil {
					_, _ = pc.WriteTo(out, from)
				}
			}
		}
	}()
	return n
}

func (n *nameserver) answer(q dnsmessage.Message) *dnsmessage.Message {
	n.mu.Lock()
	defer n.mu.Unlock()
	a := &dnsmessage.Message{
		Header: dnsmessage.Header{
			ID:                 q.ID,
			Response:           true,
			Authoritative:      true,
			RecursionDesired:   q.RecursionDesired,
			RecursionAvailable: true,
		},
		Questions: q.Questions,
	}
	what := q.Questions[0]
	head := dnsmessage.ResourceHeader{Name: what.Name, Type: what.Type, Class: dnsmessage.ClassINET, TTL: 1}
	name := strings.ToLower(what.Name.String())
	port, ok := n.srv[name]
	switch {
	case ok && what.Type == dnsmessage.TypeSRV:
		a.Answers = []dnsmessage.Resource{
			{Header: head, Body: &dnsmessage.SRVResource{Port: port, Target: dnsmessage.MustNewName("host.test.")}},
		}
	case name == "host.test." && what.Type == dnsmessage.TypeA:
		a.Answers = []dnsmessage.Resource{{Header: head, Body: &dnsmessage.AResource{A: [4]byte{127, 0, 0, 1}}}}
	case !ok && name != "host.test.":
		a.RCode = dnsmessage.RCodeNameError
	}
	return a
}

// point lets domains be served at an address.
func (n *nameserver) point(at net.Addr, domains ...string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, d := range domains {
		n.srv["_xmpp-server._tcp."+d+"."] = netip.MustParseAddrPort(at.String()).Port()
	}
}
