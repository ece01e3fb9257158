package webpush

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"syscall"
	"time"

	"github.com/SherClockHolmes/webpush-go"
	"github.com/prometheus/client_golang/prometheus"

	"parley/store"
)

// What becomes of a message for one browser: the values of the metric's label, besides those in queue.go.
const (
	sent    = "sent"
	gone    = "gone"    // the browser is not subscribed any more
	later   = "later"   // the push service is not there, or has too much to do
	refused = "refused" // the push service does not take it
)

type outcome struct {
	what string
	wait time.Duration // that the push service asks for
}

const (
	timeout    = 15 * time.Second
	maxOfHost  = 8              // connections with one push service
	tokenLife  = 12 * time.Hour // of what proves to a push service who asks (RFC 8292)
	dayOfTTL   = 24 * 60 * 60
	maxWait    = time.Hour
	recordSize = 3072 // of the encrypted content: all messages look the same
)

// post hands a message to the push service of a browser.
func (p *WebPush) post(ctx context.Context, s store.PushSubscription, c Content, urgent bool) outcome {
	text, err := json.Marshal(c)
	if err != nil {
		return outcome{what: refused}
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	urgency := webpush.UrgencyNormal
	if urgent {
		urgency = webpush.UrgencyHigh
	}
	to := &webpush.Subscription{Endpoint: s.Endpoint, Keys: webpush.Keys{P256dh: s.Key, Auth: s.Auth}}
	res, err := webpush.SendNotificationWithContext(ctx, text, to, &webpush.Options{
		HTTPClient:      p.client,
		RecordSize:      recordSize,
		Subscriber:      p.cfg.Contact,
		Topic:           p.keys.topic(s.Owner, c.Conversation),
		TTL:             dayOfTTL,
		Urgency:         urgency,
		VapidExpiration: p.cfg.Host.Clock.Now().Add(tokenLife),
		VAPIDPublicKey:  p.keys.public,
		VAPIDPrivateKey: p.keys.private,
	})
	switch {
	case errors.Is(err, errPrivate), errors.Is(err, webpush.ErrMaxPadExceeded):
		p.cfg.Host.Log.Info("a browser is not woken", "account", s.Owner, "err", err)
		return outcome{what: refused}
	case err != nil:
		p.cfg.Host.Log.Debug("a push service cannot be reached", "account", s.Owner, "err", err)
		return outcome{what: later}
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10)) // so that the connection can be used again
	switch code := res.StatusCode; {
	case code >= 200 && code <= 299:
		return outcome{what: sent}
	case code == http.StatusNotFound || code == http.StatusGone:
		return outcome{what: gone}
	case code == http.StatusTooManyRequests || code >= 500:
		seconds, _ := strconv.Atoi(res.Header.Get("Retry-After"))
		return outcome{later, min(maxWait, time.Duration(max(0, min(seconds, 86_400)))*time.Second)}
	}
	p.cfg.Host.Log.Info("a push service refuses a message", "account", s.Owner, "status", res.StatusCode)
	return outcome{what: refused}
}

var errPrivate = errors.New("the address of the push service is not one of the public internet")

// newClient makes a client that does not connect to private addresses, whatever names resolve to, and does not follow
// redirects.
func (p *WebPush) newClient() *http.Client {
	d := &net.Dialer{Timeout: timeout, Control: func(_, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil {
			return err
		}
		if !p.reachable(at.Addr()) {
			return errPrivate
		}
		return nil
	}}
	return &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext:         d.DialContext,
			ForceAttemptHTTP2:   true,
			TLSClientConfig:     p.cfg.TLS,
			TLSHandshakeTimeout: timeout,
			MaxConnsPerHost:     maxOfHost,
			MaxIdleConnsPerHost: 2,
			IdleConnTimeout:     time.Minute,
		},
	}
}

func isMissing(err error) bool { return errors.Is(err, store.ErrNotFound) }

// Metrics counts what becomes of messages for browsers, on all hosts.
type Metrics struct{ outcomes *prometheus.CounterVec }

// NewMetrics makes the metrics and registers them.
func NewMetrics(r prometheus.Registerer) *Metrics {
	m := &Metrics{prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "parley_webpush_total",
		Help: "Messages for browsers that nobody looks at, by what became of them.",
	}, []string{"outcome"})}
	for _, o := range []string{sent, gone, later, refused, "awake", "silent", "nobody", "dropped"} {
		m.outcomes.WithLabelValues(o)
	}
	r.MustRegister(m.outcomes)
	return m
}

func (m *Metrics) count(outcome string) { m.outcomes.WithLabelValues(outcome).Inc() }
