package bookmarks

import (
	"context"
	"slices"
	"time"

	"parley/internal/changes"
	"parley/wire"
	"parley/wire/jid"
)

const (
	nsNotify = "urn:xmpp:notification-settings:1"
	nsPinned = "urn:xmpp:bookmarks-pinning:0"
)

// Level says which messages of a room a person wants to be notified of (XEP-0492).
type Level uint8

// Levels. Unset means that the person has not chosen: the room decides.
const (
	Unset Level = iota
	Never
	OnMention
	Always
)

// Setting is the part of a person's bookmark that matters for notifications.
type Setting struct {
	Enters bool   // clients enter the room by themselves
	Nick   string // "" if there is none
	Level  Level  // for phones
	Pinned bool   // the room stands first (XEP-0469)
}

// accountSettings are the settings of an account that was asked for them lately.
type accountSettings struct {
	of map[string]Setting // by room
	at time.Time
}

const (
	maxSettings = 20_000
	// settingsAge bounds how long changes made elsewhere, such as imports, go unnoticed.
	settingsAge = time.Minute
)

// SettingOf gives an account's setting for a room; zero if it has no bookmark. It is cached, because every message asks
// for it.
func (b *Bookmarks) SettingOf(ctx context.Context, account string, room jid.JID) (Setting, error) {
	all, err := b.settingsOf(ctx, account)
	return all[room.String()], err
}

// Pinned gives the rooms that stand first for an account, in the order of their addresses.
func (b *Bookmarks) Pinned(ctx context.Context, account string) (rooms []string, err error) {
	all, err := b.settingsOf(ctx, account)
	for room, s := range all {
		if s.Pinned {
			rooms = append(rooms, room)
		}
	}
	slices.Sort(rooms)
	return rooms, err
}

// settingsOf gives an account's settings by room.
func (b *Bookmarks) settingsOf(ctx context.Context, account string) (map[string]Setting, error) {
	if s, ok := b.settings.Get(account); ok && time.Since(s.at) < settingsAge {
		return s.of, nil
	}
	at, drops := time.Now(), b.settings.Drops()
	bs, err := b.st.Bookmarks(ctx, b.h.Domain, account)
	if err != nil {
		return nil, err
	}
	s := &accountSettings{of: make(map[string]Setting, len(bs)), at: at}
	for i := range bs {
		s.of[bs[i].Room] = Setting{
			Enters: bs[i].Autojoin,
			Nick:   bs[i].Nick,
			Level:  level(bs[i].Extensions),
			Pinned: pinned(bs[i].Extensions),
		}
	}
	b.settings.PutUnless(account, s, drops)
	return s.of, nil
}

// forget has all nodes forget an account's settings after a change of its bookmarks.
func (b *Bookmarks) forget(ctx context.Context, account string) error {
	return b.h.Tell(ctx, changes.Own, account)
}

// pinned says whether a bookmark is pinned.
func pinned(extensions []byte) bool {
	if len(extensions) == 0 {
		return false
	}
	e, err := wire.ParseElement(extensions, nsBookmarks)
	return err == nil && e.Child(nsPinned, "pinned") != nil
}

// level reads <notify/> for phones: the most specific element counts (XEP-0492, section 3).
func level(extensions []byte) Level {
	if len(extensions) == 0 {
		return Unset
	}
	e, err := wire.ParseElement(extensions, nsBookmarks)
	if err != nil {
		return Unset
	}
	found, best := Unset, -1
	for _, c := range e.Child(nsNotify, "notify").Elements() {
		l, ok := map[string]Level{"never": Never, "on-mention": OnMention, "always": Always}[c.Name.Local]
		category, typ := c.Attr("identity-category"), c.Attr("identity-type")
		if !ok || c.Name.Space != nsNotify || category != "" && category != "client" ||
			typ != "" && (typ != "phone" || category == "") {
			continue
		}
		specific := 0
		if category != "" {
			specific = 1
		}
		if typ != "" {
			specific = 2
		}
		if specific > best {
			found, best = l, specific
		}
	}
	return found
}
