// Package mail writes e-mails and sends those in the outbox to a relay, no faster than the relay allows.
package mail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"time"

	"github.com/wneessen/go-mail"
	"golang.org/x/time/rate"

	"parley/internal/clock"
	"parley/people"
	"parley/store"
)

// Config says how to reach the relay.
type Config struct {
	Host      string
	Port      int
	TLS       string // "starttls", "tls" or "none"
	Username  string
	Password  string
	From      string
	PerMinute int
	Roots     *x509.CertPool // nil: the system's
	Clock     clock.Clock
	Log       *slog.Logger
}

// Worker sends the mails in the outboxes of some hosts to the relay.
type Worker struct {
	cfg    Config
	st     store.Outbox
	people []*people.People
	relay  *Relay
	pace   *rate.Limiter
	look   time.Duration
}

// A mail that fails is tried again after a minute, then after twice as long each time, up to six hours, for about two
// days.
const (
	firstWait   = time.Minute
	longestWait = 6 * time.Hour
	maxAttempts = 15
	oneAttempt  = 2 * time.Minute
)

// New makes a worker that sends mails of ps through the relay r, which has the configuration c. Call Run to start it.
func New(c Config, st store.Outbox, ps []*people.People, r *Relay) *Worker {
	if c.PerMinute < 1 {
		c.PerMinute = 20
	}
	return &Worker{
		cfg:    c,
		st:     st,
		people: ps,
		relay:  r,
		pace:   rate.NewLimiter(rate.Every(time.Minute/time.Duration(c.PerMinute)), c.PerMinute),
		look:   time.Second,
	}
}

// Run sends mails until ctx ends, and then returns nil.
func (w *Worker) Run(ctx context.Context) error {
	tick := time.NewTicker(w.look)
	defer tick.Stop()
	for {
		for _, p := range w.people {
			if err := w.round(ctx, p); err != nil && ctx.Err() == nil {
				w.cfg.Log.Error("outbox", "host", p.Host(), "err", err)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (w *Worker) round(ctx context.Context, p *people.People) error {
	ms, err := w.st.DueMails(ctx, p.Host(), w.cfg.Clock.Now(), 20)
	if err != nil {
		return err
	}
	for _, m := range ms {
		if err := w.pace.Wait(ctx); err != nil {
			return nil // the node stops
		}
		err := w.st.ClaimMail(ctx, m, w.cfg.Clock.Now().Add(2*oneAttempt))
		if errors.Is(err, store.ErrConflict) {
			continue // another node has it
		}
		if err != nil {
			return err
		}
		m.Attempts++
		if err := w.try(ctx, p, m); err != nil {
			return err
		}
	}
	return nil
}

// try makes one attempt to send m and keeps the result.
func (w *Worker) try(ctx context.Context, p *people.People, m store.Mail) error {
	m, ok, err := p.Fresh(ctx, m)
	if err != nil {
		return err
	}
	if !ok {
		m.State, m.Error, m.Done = store.MailDropped, "", w.cfg.Clock.Now().UTC()
		return w.st.SetMail(ctx, m)
	}
	within, cancel := context.WithTimeout(ctx, oneAttempt)
	err = w.send(within, p, m)
	cancel()
	if ctx.Err() != nil {
		return nil // it is tried again when the claim has run out
	}
	now := w.cfg.Clock.Now().UTC()
	switch {
	case err == nil:
		m.State, m.Error, m.Done = store.MailSent, "", now
	case final(err) || m.Attempts >= maxAttempts:
		m.State, m.Error, m.Done = store.MailFailed, Explain(err), now
	default:
		wait := longestWait
		if n := m.Attempts - 1; n < 9 {
			wait = min(firstWait<<n, longestWait)
		}
		m.Error, m.Due = Explain(err), now.Add(wait)
		w.cfg.Log.Info("mail has to wait", "host", m.Host, "mail", m.ID.String(), "attempts", m.Attempts, "err", err)
	}
	if err := w.st.SetMail(ctx, m); err != nil {
		return err
	}
	if m.State != store.MailWaiting {
		p.Delivered(ctx, m)
	}
	return nil
}

func (w *Worker) send(ctx context.Context, p *people.People, m store.Mail) error {
	msg := mail.NewMsg(mail.WithNoDefaultUserAgent())
	from, err := asciiFrom(w.cfg.From)
	if err == nil {
		err = msg.From(from)
	}
	if err != nil {
		return fmt.Errorf("from: %w", err)
	}
	to, bare := people.ASCIIAddress(m.To)
	if !bare {
		ok, err := w.relay.utf8(ctx)
		if err != nil {
			return err
		}
		if !ok {
			return errNotASCII
		}
	}
	if err := msg.To(to); err != nil {
		return &badAddress{err}
	}
	msg.Subject(m.Subject)
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	off, err := p.Unsubscribe(ctx, m)
	if err != nil {
		return err
	}
	if off != "" { // RFC 8058
		msg.SetGenHeaderPreformatted("List-Unsubscribe", "<"+off+">")
		msg.SetGenHeader("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")
	}
	msg.SetDateWithValue(w.cfg.Clock.Now())
	msg.SetMessageIDWithValue(m.ID.String() + "@" + m.Host) // the same message for every attempt
	msg.SetBodyString(mail.TypeTextPlain, m.Text)
	if m.HTML != "" {
		msg.AddAlternativeString(mail.TypeTextHTML, m.HTML)
	}
	c, err := w.cfg.client()
	if err != nil {
		return err
	}
	return c.DialAndSendWithContext(ctx, msg)
}

// badAddress is an error about an address that is malformed for any relay.
type badAddress struct{ err error }

func (b *badAddress) Error() string { return "the address is malformed: " + b.err.Error() }
func (b *badAddress) Unwrap() error { return b.err }

// final says whether trying again would not help.
func final(err error) bool {
	var bad *badAddress
	if errors.As(err, &bad) || errors.Is(err, errNotASCII) {
		return true
	}
	var se *mail.SendError
	return errors.As(err, &se) && !se.IsTemp() && se.ErrorCode() >= 500
}

// Explain says in plain words why a mail was not sent.
func Explain(err error) string {
	var se *mail.SendError
	var dns *net.DNSError
	var op *net.OpError
	var cert *tls.CertificateVerificationError
	text := ""
	switch {
	case errors.Is(err, errNotASCII):
		return err.Error()
	case errors.As(err, &se) && strings.HasPrefix(se.EnhancedStatusCode(), "5.1."):
		text = "the mail relay refuses it for good, for nobody has this address"
	case errors.As(err, &dns):
		text = "the mail relay was not found"
	case errors.As(err, &cert):
		text = "the mail relay's certificate is not trusted"
	case errors.As(err, &se) && se.ErrorCode() >= 500:
		text = "the mail relay refuses it for good"
	case errors.As(err, &se) && se.ErrorCode() >= 400:
		text = "the mail relay refuses it for now"
	case errors.As(err, &op), errors.Is(err, context.DeadlineExceeded):
		text = "the mail relay does not answer"
	}
	detail := strings.Join(strings.Fields(err.Error()), " ")
	if len(detail) > 300 {
		detail = strings.ToValidUTF8(detail[:300], "") + "…"
	}
	if text == "" {
		return detail
	}
	return text + ": " + detail
}

// tls says how the relay's certificate is checked.
func (c Config) tls() *tls.Config {
	return &tls.Config{ServerName: c.Host, RootCAs: c.Roots, MinVersion: tls.VersionTLS12, Time: c.Clock.Now}
}

// client makes the SMTP client for the relay.
func (c Config) client() (*mail.Client, error) {
	opts := []mail.Option{mail.WithPort(c.Port), mail.WithTimeout(30 * time.Second),
		mail.WithTLSConfig(c.tls())}
	switch c.TLS {
	case "tls":
		opts = append(opts, mail.WithSSL())
	case "none":
		opts = append(opts, mail.WithTLSPolicy(mail.NoTLS))
	default:
		opts = append(opts, mail.WithTLSPolicy(mail.TLSMandatory))
	}
	if c.Username != "" {
		kind := mail.SMTPAuthAutoDiscover
		if c.TLS == "none" {
			kind = mail.SMTPAuthPlainNoEnc
		}
		opts = append(opts, mail.WithSMTPAuth(kind), mail.WithUsername(c.Username), mail.WithPassword(c.Password))
	}
	cl, err := mail.NewClient(c.Host, opts...)
	if err != nil {
		return nil, fmt.Errorf("mail client: %w", err)
	}
	return cl, nil
}

// Probe connects to the relay and signs in as for a mail, but sends none.
func Probe(ctx context.Context, c Config) error {
	cl, err := c.client()
	if err != nil {
		return err
	}
	if err := cl.DialWithContext(ctx); err != nil {
		return err
	}
	return cl.Close()
}
