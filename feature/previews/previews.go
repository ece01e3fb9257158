// Package previews describes pages that people link to (XEP-0511): it fetches a page for the person who writes its
// address, and reads its title, its description and the name of its website. It loads no pictures.
//
// Anybody can have the server ask for an address, so what is fetched is bounded: only the public internet and networks
// that the configuration names, only the ports of the web, few bytes, little time, few redirects, and a pace for each
// person.
package previews

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sync/singleflight"

	"parley/internal/fault"
	"parley/internal/limit"
	"parley/internal/netaddr"
	"parley/messages"
)

// Config is what a Service needs; zero values mean the defaults.
type Config struct {
	Log   *slog.Logger
	Allow []netip.Prefix // networks besides the public internet
	On    func() bool    // whether the organization wants previews; nil: yes
	// PerMinute is how many pages may be fetched for one person; default 20.
	PerMinute int
	// Timeout is how long one page may take; default 5 s.
	Timeout time.Duration
}

// The bounds of what is fetched and remembered.
const (
	maxBody      = 512 << 10
	maxHeader    = 64 << 10
	maxRedirects = 3
	maxAddress   = 2000
	maxKept      = 2000
	kept         = time.Hour
	keptNothing  = 5 * time.Minute
	atOnce       = 8
)

// Service fetches previews for people of one host. It is safe from any goroutine.
type Service struct {
	cfg    Config
	client *http.Client
	pace   *limit.Keyed[string]
	places chan struct{} // of fetches under way
	flight singleflight.Group

	mu    sync.Mutex
	known map[string]entry
}

// entry is what is remembered of an address; without a title there is nothing to show.
type entry struct {
	preview messages.Preview
	until   time.Time
}

// New makes the service.
func New(c Config) *Service {
	if c.PerMinute <= 0 {
		c.PerMinute = 20
	}
	if c.Timeout <= 0 {
		c.Timeout = 5 * time.Second
	}
	s := &Service{
		cfg:    c,
		pace:   limit.PerMinute[string](c.PerMinute),
		places: make(chan struct{}, atOnce),
		known:  make(map[string]entry),
	}
	s.client = s.newClient()
	return s
}

// On says whether the organization wants previews.
func (s *Service) On() bool { return s.cfg.On == nil || s.cfg.On() }

var (
	errNone = fault.New(fault.Invalid, "address", "this link has no preview")
	errOff  = fault.New(fault.NotAllowed, "", "link previews are switched off")
	errPace = fault.New(fault.Limit, "", "too many links within a short time")
	errBusy = fault.New(fault.Busy, "", "too many links are being looked at")
)

// Of describes the page at an address for an account. A refusal if there is nothing to show: why a page could not be
// fetched is not said, so that nobody learns what the server can reach.
func (s *Service) Of(ctx context.Context, account, address string) (messages.Preview, error) {
	if !s.On() {
		return messages.Preview{}, errOff
	}
	if !fetchable(address) {
		return messages.Preview{}, errNone
	}
	if e, ok := s.remembered(address); ok {
		return e.answer()
	}
	if !s.pace.Allow(account, time.Time{}) {
		return messages.Preview{}, errPace
	}
	made := s.flight.DoChan(address, func() (any, error) {
		select {
		case s.places <- struct{}{}:
			defer func() { <-s.places }()
		default:
			return entry{}, errBusy
		}
		// Others wait for the same page: it does not end with the first who asked.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.cfg.Timeout)
		defer cancel()
		e := entry{until: time.Now().Add(kept)}
		var err error
		if e.preview, err = s.fetch(ctx, address); err != nil {
			e = entry{until: time.Now().Add(keptNothing)}
			s.debug("a link has no preview", "err", err)
		}
		s.remember(address, e)
		return e, nil
	})
	select {
	case <-ctx.Done():
		return messages.Preview{}, errNone
	case r := <-made:
		if r.Err != nil {
			return messages.Preview{}, r.Err
		}
		return r.Val.(entry).answer()
	}
}

func (s *Service) debug(text string, args ...any) {
	if s.cfg.Log != nil {
		s.cfg.Log.Debug(text, args...)
	}
}

func (e entry) answer() (messages.Preview, error) {
	if e.preview.Title == "" {
		return messages.Preview{}, errNone
	}
	return e.preview, nil
}

func (s *Service) remembered(address string) (entry, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.known[address]
	if ok && time.Now().After(e.until) {
		delete(s.known, address)
		ok = false
	}
	return e, ok
}

// remember keeps an entry. When there are too many, all are forgotten: they are soon found again.
func (s *Service) remember(address string, e entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.known) >= maxKept {
		clear(s.known)
	}
	s.known[address] = e
}

// fetchable says whether an address may be fetched at all, whoever it leads to.
func fetchable(address string) bool {
	if len(address) > maxAddress {
		return false
	}
	u, err := url.Parse(address)
	return err == nil && isWeb(u)
}

func isWeb(u *url.URL) bool {
	return (u.Scheme == "https" || u.Scheme == "http") && u.Hostname() != "" && u.User == nil && u.Opaque == ""
}

var (
	errPrivate   = errors.New("the address is not one of the public internet; previews.allow may name its network")
	errPort      = errors.New("the port is none of the web")
	errRedirects = errors.New("too many redirects, or one that leads out of the web")
)

// reachable says whether the server connects to an address: it is asked after the name was resolved, so that no name
// leads past it.
func (s *Service) reachable(address string) error {
	at, err := netip.ParseAddrPort(address)
	switch {
	case err != nil:
		return err
	case netaddr.Within(at.Addr(), s.cfg.Allow):
		return nil
	case !netaddr.Public(at.Addr()):
		return errPrivate
	case at.Port() != 80 && at.Port() != 443:
		return errPort
	}
	return nil
}

// newClient makes a client that keeps no connections, no cookies and no proxy, and checks each address and redirect.
func (s *Service) newClient() *http.Client {
	d := &net.Dialer{Timeout: s.cfg.Timeout, Control: func(_, address string, _ syscall.RawConn) error {
		return s.reachable(address)
	}}
	return &http.Client{
		Timeout: s.cfg.Timeout,
		CheckRedirect: func(q *http.Request, via []*http.Request) error {
			if len(via) > maxRedirects || !isWeb(q.URL) {
				return errRedirects
			}
			q.Header.Del("Referer")
			return nil
		},
		Transport: &http.Transport{
			DialContext:            d.DialContext,
			TLSHandshakeTimeout:    s.cfg.Timeout,
			ResponseHeaderTimeout:  s.cfg.Timeout,
			MaxResponseHeaderBytes: maxHeader,
			DisableKeepAlives:      true,
			ForceAttemptHTTP2:      true,
		},
	}
}

// fetch reads the page at an address.
func (s *Service) fetch(ctx context.Context, address string) (messages.Preview, error) {
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return messages.Preview{}, err
	}
	q.Header.Set("Accept", "text/html, application/xhtml+xml")
	q.Header.Set("User-Agent", "parley-preview")
	res, err := s.client.Do(q)
	if err != nil {
		return messages.Preview{}, err
	}
	defer res.Body.Close()
	kind := res.Header.Get("Content-Type")
	if res.StatusCode != http.StatusOK || !isPage(kind) {
		return messages.Preview{}, errors.New("the answer is no page: " + res.Status)
	}
	head, err := readHead(res.Body, kind)
	if err != nil {
		return messages.Preview{}, err
	}
	p, ok := messages.NewPreview(address, head.title(), head.description(), head.site)
	if !ok {
		return p, errors.New("the page has no title")
	}
	return p, nil
}

func isPage(contentType string) bool {
	kind, _, _ := strings.Cut(strings.ToLower(contentType), ";")
	kind = strings.TrimSpace(kind)
	return kind == "text/html" || kind == "application/xhtml+xml"
}
