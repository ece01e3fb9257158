package webpush

import (
	"crypto/ecdh"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/netip"
	"net/url"

	"parley/internal/fault"
	"parley/internal/netaddr"
	"parley/store"
)

// keys are the server's: push services know it by the public one (RFC 8292).
type keys struct {
	public, private string // in base64url
	topics          []byte // hides from push services which conversation a topic is
}

// newKeys derives the keys from a secret. Same secrets give the same keys.
func newKeys(secret []byte) keys {
	for n := byte(0); ; n++ {
		sum := derived(secret, "vapid", n)
		k, err := ecdh.P256().NewPrivateKey(sum)
		if err != nil {
			continue // no number of the curve: one sum in four thousand million
		}
		return keys{
			public:  base64.RawURLEncoding.EncodeToString(k.PublicKey().Bytes()),
			private: base64.RawURLEncoding.EncodeToString(sum),
			topics:  derived(secret, "topics", 0),
		}
	}
}

func derived(secret []byte, what string, n byte) []byte {
	m := hmac.New(sha256.New, secret)
	m.Write([]byte(what))
	m.Write([]byte{n})
	return m.Sum(nil)
}

// topic names a conversation for a push service, which keeps the newest message of each (RFC 8030, section 5.4).
func (k *keys) topic(account, conversation string) string {
	m := hmac.New(sha256.New, k.topics)
	m.Write([]byte(account + "\x00" + conversation))
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil))[:32]
}

// maxEndpoint is how long the URL of a browser may be.
const maxEndpoint = 1024

// valid checks what a browser has said. What its name resolves to is checked when it is connected to.
func (p *WebPush) valid(s *store.PushSubscription) error {
	u, err := url.Parse(s.Endpoint)
	if err != nil || len(s.Endpoint) > maxEndpoint || u.Scheme != "https" || u.Hostname() == "" || u.User != nil {
		return fault.New(fault.Invalid, "endpoint", "This is not the address of a push service")
	}
	if a, err := netip.ParseAddr(u.Hostname()); err == nil && !p.reachable(a) {
		return fault.New(fault.Invalid, "endpoint", "This is not the address of a push service")
	}
	key, err := decode(s.Key)
	if err == nil {
		_, err = ecdh.P256().NewPublicKey(key)
	}
	auth, badAuth := decode(s.Auth)
	if err != nil || badAuth != nil || len(auth) != 16 {
		return fault.New(fault.Invalid, "keys", "These are not the keys of a browser")
	}
	return nil
}

func decode(text string) ([]byte, error) { return base64.RawURLEncoding.DecodeString(text) }

// reachable says whether a browser may be woken at an address: one on the public internet, so that nobody has the
// server knock at doors of its own network.
func (p *WebPush) reachable(a netip.Addr) bool {
	return netaddr.Public(a) || netaddr.Within(a, p.cfg.Allow)
}
