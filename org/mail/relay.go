package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	netmail "net/mail"
	"net/smtp"
	"strconv"
	"time"

	"parley/internal/slot"
	"parley/people"
)

var errNotASCII = errors.New("the mail relay takes only addresses with letters of ASCII before the " +
	"@ (it has no SMTPUTF8)")

// Relay finds out whether the relay accepts addresses outside ASCII (RFC 6531). Safe from any goroutine.
type Relay struct {
	cfg   Config
	one   slot.Slot // taken while the relay is asked; guards what follows
	asked time.Time
	utf8s bool
}

// An answer of the relay counts for an hour; a person who is typing waits for one for five seconds.
const (
	believed = time.Hour
	patience = 5 * time.Second
)

// NewRelay makes a Relay. It connects only when MailsUTF8 is called or a mail needs to know.
func NewRelay(c Config) *Relay { return &Relay{cfg: c, one: slot.New()} }

// MailsUTF8 says whether the relay accepts addresses outside ASCII. It says yes if the relay does not answer: sending
// will then report the problem. It takes at most five seconds.
func (r *Relay) MailsUTF8() bool {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	ok, err := r.utf8(ctx)
	return ok || err != nil
}

func (r *Relay) utf8(ctx context.Context) (bool, error) {
	if err := r.one.Take(ctx); err != nil {
		return false, err
	}
	defer r.one.Free()
	if !r.asked.IsZero() && time.Since(r.asked) < believed {
		return r.utf8s, nil
	}
	ok, err := r.ask(ctx)
	if err == nil {
		r.utf8s, r.asked = ok, time.Now()
	}
	return ok, err
}

// ask greets the relay and reads its extensions, after TLS has begun if it is used: before that, an attacker may have
// sent them.
func (r *Relay) ask(ctx context.Context) (bool, error) {
	conf := r.cfg.tls()
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", net.JoinHostPort(r.cfg.Host, strconv.Itoa(r.cfg.Port)))
	if err != nil {
		return false, err
	}
	defer conn.Close()
	if end, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(end); err != nil {
			return false, err
		}
	}
	if r.cfg.TLS == "tls" {
		conn = tls.Client(conn, conf)
	}
	c, err := smtp.NewClient(conn, r.cfg.Host)
	if err != nil {
		return false, err
	}
	if r.cfg.TLS != "tls" && r.cfg.TLS != "none" {
		if err := c.StartTLS(conf); err != nil {
			return false, err
		}
	}
	if err := c.Hello("localhost"); err != nil {
		return false, err
	}
	ok, _ := c.Extension("SMTPUTF8")
	_ = c.Quit() // the answer is known already
	return ok, nil
}

// asciiFrom converts the sender's domain to ASCII.
func asciiFrom(from string) (string, error) {
	a, err := netmail.ParseAddress(from)
	if err != nil {
		return "", err
	}
	a.Address, _ = people.ASCIIAddress(a.Address)
	return a.String(), nil
}
