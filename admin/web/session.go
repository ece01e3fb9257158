package web

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"parley/acts"
	"parley/people"
	"parley/server"
	"parley/store"
)

const (
	sessionCookie = "__Host-parley"
	langCookie    = "__Host-parley-lang"
	maxSessions   = 20 // of one account
	touchEvery    = time.Minute
	freshFor      = 10 * time.Minute // after which the password is asked for again before something sensitive
)

func hashToken(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

func newToken() string {
	var b [24]byte
	rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// signIn makes a session: always with a new token, and ends the session that the browser had before.
func (c *request) signIn(p *people.People, u store.Person) error {
	token, idle := newToken(), p.Policy().SessionIdle
	agent := c.r.UserAgent()
	if len(agent) > 300 {
		agent = agent[:300]
	}
	if before, w, _, err := c.s.who(c.r); err != nil {
		return err
	} else if before != nil {
		if err := c.s.Store.DeleteWebSession(c.r.Context(), w.Host, w.Owner, w.Hash); err != nil &&
			!errors.Is(err, store.ErrNotFound) {
			return err
		}
		before.CloseStreams(w.Owner, func(i server.SessionInfo) bool { return i.Credential == w.Hash }, goodbye)
	}
	w := store.WebSession{
		Host:    p.Host(),
		Hash:    hashToken(token),
		Owner:   u.Name,
		Created: c.now,
		Seen:    c.now,
		Expires: c.now.Add(idle),
		Proven:  c.now,
		Remote:  c.remote(),
		Agent:   strings.ToValidUTF8(agent, ""),
	}
	if err := c.s.Store.CreateWebSession(c.r.Context(), w, maxSessions); err != nil {
		return err
	}
	c.cookie(sessionCookie, token+"."+p.Host(), idle)
	return nil
}

func (c *request) cookie(name, value string, keep time.Duration) {
	k := &http.Cookie{
		Name:     name,
		Value:    value,
		Path:     "/",
		MaxAge:   int(keep.Seconds()),
		Secure:   true,
		HttpOnly: true,
		SameSite: http.SameSiteLaxMode,
	}
	if keep <= 0 {
		k.MaxAge = -1
	}
	http.SetCookie(c.w, k)
}

// signedIn finds out who asks. An error is ours.
func (c *request) signedIn() error {
	p, w, u, err := c.s.who(c.r)
	if err != nil || p == nil {
		return err
	}
	c.P, c.Session, c.Me = p, w, &u
	c.Actor = people.As(u, acts.Page, c.remote())
	c.Lang = c.s.Words.Of(c.r, langOr(u.Lang, c.cookieLang()), p.Policy().Lang)
	idle := p.Policy().SessionIdle
	if c.now.Sub(w.Seen) > min(touchEvery, idle/2) {
		w.Seen, w.Expires, w.Proven = c.now, c.now.Add(idle), time.Time{}
		if err := c.s.Store.TouchWebSession(c.r.Context(), w); err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if k, err := c.r.Cookie(sessionCookie); err == nil {
			c.cookie(sessionCookie, k.Value, idle)
		}
	}
	return nil
}

func langOr(ls ...string) string {
	for _, l := range ls {
		if l != "" {
			return l
		}
	}
	return ""
}

// who returns the person of a request's session; nil people if the session is not valid.
func (s *Server) who(r *http.Request) (*people.People, store.WebSession, store.Person, error) {
	k, err := r.Cookie(sessionCookie)
	if err != nil {
		return nil, store.WebSession{}, store.Person{}, nil
	}
	token, host, _ := strings.Cut(k.Value, ".")
	p := s.people(host)
	if p == nil {
		return nil, store.WebSession{}, store.Person{}, nil
	}
	w, u, err := s.Store.WebSessionAndOwner(r.Context(), host, hashToken(token), s.Clock.Now())
	if errors.Is(err, store.ErrNotFound) {
		return nil, w, store.Person{}, nil
	}
	if err != nil {
		return nil, w, store.Person{}, err
	}
	if s.Clock.Now().Sub(w.Seen) > p.Policy().SessionIdle { // the session was longer when this was seen
		return nil, w, store.Person{}, nil
	}
	if u.State() != store.StateActive {
		return nil, w, u, nil
	}
	return p, w, u, nil
}

func (c *request) cookieLang() string {
	if k, err := c.r.Cookie(langCookie); err == nil {
		return k.Value
	}
	return ""
}

// toLogin sends someone to sign in, and back here afterwards.
func (c *request) toLogin() {
	to := "/login"
	if c.r.Method == http.MethodGet && c.r.URL.Path != "/" {
		to += "?back=" + url.QueryEscape(c.r.URL.RequestURI())
	}
	_ = c.to(to)
}

// fresh: the password was given a short while ago, so that something sensitive may be done.
func (c *request) fresh() bool { return c.now.Sub(c.Session.Proven) < freshFor }
