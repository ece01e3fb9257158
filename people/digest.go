package people

import (
	"context"
	"crypto/hmac"
	"encoding/base64"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"time"

	"parley/acts"
	"parley/auth"
	"parley/internal/fault"
	"parley/store"
	"parley/wire/jid"
)

// Digests configures the e-mails about unread messages.
type Digests struct {
	Default string // store.DigestOff …, for people who have not chosen
	Hour    int    // of the day, in the machine's time zone
	// no digest is written while the outbox holds more mails, so that others do not wait behind digests; 0: no limit
	Waiting int
}

// Missed is a room with its unread messages for one person.
type Missed struct {
	Name     string // "Engineering › Q4 launch"
	Link     string
	Unread   int
	Mentions int
}

const (
	maxMissed    = 30 // rooms in one mail
	perRound     = 20
	lookForDue   = 5 * time.Second
	lookForNew   = time.Minute
	startAtOnce  = 500
	digestMacLen = 16
)

// WritesDigests says whether e-mails about unread messages are sent.
func (p *People) WritesDigests() bool { return p.cfg.Digests != nil && p.Mails() }

// next gives when a person who has chosen every gets the next digest.
func (p *People) next(every string, now time.Time) time.Time {
	if every != store.DigestDaily && every != store.DigestWeekly {
		return time.Time{}
	}
	now = now.Local()
	for d := 0; ; d++ {
		at := time.Date(now.Year(), now.Month(), now.Day()+d, p.cfg.Digests.Hour, 0, 0, 0, time.Local)
		if at.After(now) && (every == store.DigestDaily || at.Weekday() == time.Monday) {
			return at.UTC()
		}
	}
}

// effective gives the choice that applies: the organization's if the person has made none.
func (p *People) effective(every string) string {
	if every == "" {
		return p.cfg.Digests.Default
	}
	return every
}

// DigestOf gives how often a person gets a digest.
func (p *People) DigestOf(ctx context.Context, name string) (string, error) {
	if !p.WritesDigests() {
		return store.DigestOff, nil
	}
	d, err := p.st.Digest(ctx, p.h.Domain, name)
	return p.effective(d.Every), err
}

// SetDigest writes how often a person wants a digest; only they may do this.
func (p *People) SetDigest(ctx context.Context, by Actor, name, every string) error {
	switch every {
	case store.DigestOff, store.DigestDaily, store.DigestWeekly:
	default:
		return fault.New(fault.Invalid, "digest", "Choose one: off, daily or weekly")
	}
	if by.Name != name || name == "" {
		return fault.ErrRole
	}
	if !p.WritesDigests() {
		return fault.New(fault.Invalid, "digest", "This server sends no e-mail")
	}
	return p.do(ctx, by, func(ctx context.Context, a *acts.Act) error {
		was, err := p.st.Digest(ctx, p.h.Domain, name)
		if err != nil || was.Every == every {
			return err
		}
		if err := p.st.SetDigest(ctx, p.h.Domain,
			store.Digest{Owner: name, Every: every, Due: p.next(every, p.h.Clock.Now())}); err != nil {
			return err
		}
		detail := acts.Detail{}
		acts.Was(detail, "digest", was.Every, every)
		a.Note(acts.PersonDigest, name+"@"+p.h.Domain, detail)
		return nil
	})
}

// Missed gives the rooms with unread messages that a person may read now, the latest first, and the newest message in
// them. Muted themes are among them if the person was mentioned.
func (p *People) Missed(ctx context.Context, name string) (ms []Missed, newest store.ID, err error) {
	self, err := jid.New(name, p.h.Domain, "")
	if err != nil {
		return nil, 0, err
	}
	news, err := p.cfg.Org.News(ctx, p.h.Domain, self, true)
	if err != nil {
		return nil, 0, err
	}
	for _, n := range news {
		m := Missed{
			Name:     n.Name(),
			Link:     p.cfg.URL() + ChatPath(n.Room.String()),
			Unread:   n.Unread,
			Mentions: n.Mentions,
		}
		if n.Theme != nil {
			if n.Mentions == 0 {
				state, _, err := p.st.Follow(ctx, p.h.Domain, n.Theme.Key, name)
				if err != nil {
					return nil, 0, err
				}
				if state == store.FollowMuted {
					continue
				}
			}
		}
		newest = max(newest, n.Last.ID)
		ms = append(ms, m)
	}
	return ms, newest, nil
}

// ChatPath gives the path at which the chat in the browser shows a conversation, by the bare address of the room or
// the person.
func ChatPath(with string) string { return "/chat/c/" + url.PathEscape(with) }

// RunDigests writes digests that are due, until ctx ends. Of several nodes, the one that first puts off the next digest
// writes it.
func (p *People) RunDigests(ctx context.Context) error {
	if !p.WritesDigests() {
		return nil
	}
	tick := time.NewTicker(lookForDue)
	defer tick.Stop()
	var looked time.Time
	for {
		now := p.h.Clock.Now()
		err := error(nil)
		if p.cfg.Digests.Default != store.DigestOff && time.Since(looked) >= lookForNew {
			looked = time.Now()
			_, err = p.st.StartDigests(ctx, p.h.Domain, p.next(p.cfg.Digests.Default, now), startAtOnce)
		}
		if err = errors.Join(err, p.writeDigests(ctx, now)); err != nil && ctx.Err() == nil {
			p.cfg.Log.Error("digests", "host", p.h.Domain, "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (p *People) writeDigests(ctx context.Context, now time.Time) error {
	limit := perRound
	if most := p.cfg.Digests.Waiting; most > 0 {
		ms, err := p.st.DueMails(ctx, p.h.Domain, now, most)
		if err != nil {
			return err
		}
		limit = min(limit, most-len(ms))
	}
	if limit <= 0 {
		return nil
	}
	ds, err := p.st.DueDigests(ctx, p.h.Domain, now, limit)
	if err != nil {
		return err
	}
	for _, d := range ds {
		if err := p.writeDigest(ctx, d, now); err != nil && !errors.Is(err, store.ErrConflict) {
			return err
		}
	}
	return nil
}

func (p *People) writeDigest(ctx context.Context, d store.Digest, now time.Time) error {
	every := p.effective(d.Every)
	next := p.next(every, now)
	if next.IsZero() && d.Every == "" { // the organization may turn digests on one day
		next = p.next(store.DigestDaily, now)
	}
	m := store.Mail{
		Host:       p.h.Domain,
		ID:         p.h.IDs.Next(),
		Invitation: store.DigestOf(d.Owner),
		State:      store.MailWaiting,
		Due:        now.UTC(),
	}
	newest, ok, err := p.digest(ctx, &m)
	if err != nil {
		return err
	}
	if !ok || newest <= d.Told {
		return p.st.PutOffDigest(ctx, p.h.Domain, d, next, d.Told, nil)
	}
	return p.st.PutOffDigest(ctx, p.h.Domain, d, next, newest, &m)
}

// digest writes the mail; ok is false if the person does not want it or has missed nothing.
func (p *People) digest(ctx context.Context, m *store.Mail) (newest store.ID, ok bool, err error) {
	name, _ := m.Digest()
	u, err := p.st.Person(ctx, p.h.Domain, name)
	if errors.Is(err, store.ErrNotFound) || err == nil && (u.Email == "" || u.State() != store.StateActive) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, err
	}
	every, err := p.DigestOf(ctx, name)
	if err != nil || every == store.DigestOff {
		return 0, false, err
	}
	ms, newest, err := p.Missed(ctx, name)
	if err != nil || len(ms) == 0 {
		return 0, false, err
	}
	l := Letter{
		Kind:         LetterDigest,
		Lang:         u.Lang,
		Organization: p.Title(),
		Name:         u.FullName,
		Every:        every,
		Link:         p.cfg.URL() + "/",
		Decline:      p.DigestURL(u),
		Settings:     p.cfg.URL() + "/me/notifications",
	}
	l.More = max(0, len(ms)-maxMissed)
	l.Missed = ms[:len(ms)-l.More]
	m.To = u.Email
	m.Subject, m.Text, m.HTML, err = p.cfg.Compose(l)
	return newest, err == nil, err
}

// Fresh brings a mail up to date before it is sent. Unread messages are looked up again: a person who lost a group
// while the relay was down reads nothing about it. It gives false if there is nothing to send any more.
func (p *People) Fresh(ctx context.Context, m store.Mail) (store.Mail, bool, error) {
	if _, ok := m.Digest(); !ok {
		return m, true, nil
	}
	if !p.WritesDigests() {
		return m, false, nil
	}
	_, ok, err := p.digest(ctx, &m)
	return m, ok, err
}

// Unsubscribe gives the URL that ends mails of this kind with one click (RFC 8058); "" for a mail that the person asked
// for.
func (p *People) Unsubscribe(ctx context.Context, m store.Mail) (string, error) {
	name, ok := m.Digest()
	if !ok {
		return "", nil
	}
	u, err := p.st.Person(ctx, p.h.Domain, name)
	return p.DigestURL(u), err
}

// DigestURL gives the URL that ends a person's digests without signing in. It is valid as long as the account exists.
func (p *People) DigestURL(u store.Person) string {
	return p.cfg.URL() + "/digest/" + base64.RawURLEncoding.EncodeToString(append(p.digestMAC(u), u.Name...))
}

func (p *People) digestMAC(u store.Person) []byte {
	return auth.Derive(p.cfg.Secret, "digest", p.h.Domain, u.Name,
		strconv.FormatInt(u.Created.UnixMicro(), 10))[:digestMacLen]
}

// ByDigest gives the person of a DigestURL's token; NotFound if this host did not make it.
func (p *People) ByDigest(ctx context.Context, token string) (store.Person, error) {
	none := fault.New(fault.NotFound, "", "There is no such page")
	if len(token) > 2000 {
		return store.Person{}, none
	}
	b, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(b) <= digestMacLen || strings.ContainsRune(string(b[digestMacLen:]), 0) {
		return store.Person{}, none
	}
	u, err := p.st.Person(ctx, p.h.Domain, strings.ToValidUTF8(string(b[digestMacLen:]), ""))
	if errors.Is(err, store.ErrNotFound) || err == nil && !hmac.Equal(b[:digestMacLen], p.digestMAC(u)) {
		return store.Person{}, none
	}
	return u, err
}
