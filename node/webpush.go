package node

import (
	"context"
	"crypto/tls"
	"net/netip"
	"slices"
	"strings"
	"time"

	"parley/feature/webpush"
	"parley/muc/notices"
	"parley/server"
	"parley/store"
	"parley/wire/jid"
)

// WithPushServices lets browsers be woken at addresses that are not on the public internet, with these settings of TLS,
// and tries again after retry. It is for tests.
func WithPushServices(allow []netip.Prefix, settings *tls.Config, retry time.Duration) Option {
	return func(n *Node) { n.pushTest = webpush.Config{Allow: allow, TLS: settings, Retry: retry} }
}

// newWebPush makes what wakes the browsers of a host's people.
func (n *Node) newWebPush(h *server.Host, told *notices.Notices) *webpush.WebPush {
	return webpush.New(webpush.Config{
		Host:    h,
		Store:   n.Store,
		Secret:  slices.Concat(n.pushSecret, []byte(h.Domain)),
		Contact: n.pushContact(h.Domain),
		Metrics: n.pushMetrics,
		Silent:  told.Silent,
		Mentions: func(ctx context.Context, account string, room jid.JID) (bool, error) {
			w, err := told.Wish(ctx, account, room)
			return w.Mentions, err
		},
		Awake: func(account string) bool { return n.chats[h.Domain].Awake(account) },
		Show: func(ctx context.Context, account string, conversation jid.JID, id store.ID) (webpush.Content, error) {
			return n.chats[h.Domain].Told(ctx, account, conversation, id)
		},
		Idle:  func() time.Duration { return n.settings.Of(h.Domain).SessionIdle },
		Retry: n.pushTest.Retry,
		Allow: n.pushTest.Allow,
		TLS:   n.pushTest.TLS,
	})
}

// pushContact says how the makers of browsers reach who runs the server.
func (n *Node) pushContact(domain string) string {
	c := n.Config.Contact
	for _, uri := range slices.Concat(c.Admin, c.Support, c.Abuse) {
		if address, ok := strings.CutPrefix(uri, "mailto:"); ok {
			return address
		}
	}
	return "https://" + domain
}
