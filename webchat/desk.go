package webchat

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"
	"unicode/utf8"

	"parley/internal/fault"
	"parley/store"
	"parley/wire/jid"
)

// Sidebar is how somebody has arranged the conversations, the same in all browsers.
type Sidebar struct {
	Kept       bool     `json:"kept" doc:"it was arranged once; otherwise this is how it begins"`
	Favourites []string `json:"favourites" doc:"ids, in their order; rooms are pinned in bookmarks too (XEP-0469)"`
	ByName     bool     `json:"byName" doc:"groups are in order of their names, not with the newest first"`
	Folded     []string `json:"folded" doc:"parts that are closed"`
}

// NewSidebar arranges the conversations.
type NewSidebar struct {
	Favourites []string `json:"favourites" maxItems:"200"`
	ByName     bool     `json:"byName"`
	Folded     []string `json:"folded" maxItems:"500"`
}

// maxSidebar is how many bytes an arrangement has.
const maxSidebar = 32 << 10

// SidebarOf gives how somebody has arranged the conversations. A room is a favourite if its bookmark says so, whichever
// client pinned it.
func (s *Service) SidebarOf(ctx context.Context, account string) (Sidebar, error) {
	out := Sidebar{Favourites: []string{}, ByName: true, Folded: []string{}}
	body, err := s.cfg.Store.Sidebar(ctx, s.cfg.Host.Domain, account)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return out, err
	}
	if err == nil {
		var kept NewSidebar
		if err := json.Unmarshal([]byte(body), &kept); err != nil {
			return out, err
		}
		out.Kept, out.ByName, out.Folded = true, kept.ByName, append(out.Folded, kept.Folded...)
		out.Favourites = append(out.Favourites, kept.Favourites...)
	}
	pinned, err := s.cfg.Bookmarks.Pinned(ctx, account)
	if err != nil {
		return out, err
	}
	out.Favourites = slices.DeleteFunc(out.Favourites, func(id string) bool {
		return s.bookmarked(id) && !slices.Contains(pinned, id)
	})
	for _, id := range pinned {
		if !slices.Contains(out.Favourites, id) {
			out.Favourites = append(out.Favourites, id)
		}
	}
	return out, nil
}

// bookmarked says whether a conversation is one of those that have bookmarks: a room.
func (s *Service) bookmarked(id string) bool {
	j, err := jid.Parse(id)
	return err == nil && j.Domain() == s.cfg.Org.RoomDomain(s.cfg.Host.Domain)
}

// Arrange keeps how somebody wants the conversations, and pins the rooms among the favourites in their bookmarks.
func (s *Service) Arrange(ctx context.Context, account string, n NewSidebar) (Sidebar, error) {
	for _, id := range n.Favourites {
		if j, err := jid.Parse(id); err != nil || j.Local() == "" || !j.IsBare() || j.String() != id {
			return Sidebar{}, fault.New(fault.Invalid, "favourites", "This is no conversation")
		}
	}
	body, err := json.Marshal(n)
	if err != nil {
		return Sidebar{}, err
	}
	if len(body) > maxSidebar || !utf8.Valid(body) {
		return Sidebar{}, fault.New(fault.Invalid, "", "There are too many favourites and closed parts")
	}
	before, err := s.SidebarOf(ctx, account)
	if err != nil {
		return Sidebar{}, err
	}
	if err := s.cfg.Store.SetSidebar(ctx, s.cfg.Host.Domain, account, string(body)); err != nil {
		return Sidebar{}, err
	}
	pin := func(id string, on bool) error {
		j, err := jid.Parse(id)
		if err != nil {
			return nil // of a bookmark that names no room
		}
		return refused(s.cfg.Bookmarks.SetPinned(ctx, account, j, on))
	}
	for _, id := range n.Favourites {
		if s.bookmarked(id) && !slices.Contains(before.Favourites, id) {
			if err := pin(id, true); err != nil {
				return Sidebar{}, err
			}
		}
	}
	for _, id := range before.Favourites {
		if !slices.Contains(n.Favourites, id) && (s.bookmarked(id) || s.pinnedElsewhere(ctx, account, id)) {
			if err := pin(id, false); err != nil {
				return Sidebar{}, err
			}
		}
	}
	now, err := s.SidebarOf(ctx, account)
	if err == nil {
		s.tell(account, event("sidebar", now))
	}
	return now, err
}

// pinnedElsewhere says whether a room of another server is pinned.
func (s *Service) pinnedElsewhere(ctx context.Context, account, id string) bool {
	pinned, err := s.cfg.Bookmarks.Pinned(ctx, account)
	return err == nil && slices.Contains(pinned, id)
}

// BookmarksSaved tells browsers of rooms that another client may have pinned (bookmarks.Bookmarks.Saved).
func (s *Service) BookmarksSaved(account string) {
	if !s.listens(account) {
		return
	}
	s.do(func(ctx context.Context) {
		now, err := s.SidebarOf(ctx, account)
		if err != nil {
			s.failed("cannot read favourites", err, "account", account)
			return
		}
		if now.Kept || len(now.Favourites) > 0 {
			s.tell(account, event("sidebar", now))
		}
	})
}

// Draft is what somebody has written in a conversation and not sent.
type Draft struct {
	Conversation string    `json:"conversation"`
	Text         string    `json:"text" doc:"none: it was sent or deleted"`
	At           time.Time `json:"at"`
}

// DraftList is what somebody has not sent yet, the newest first.
type DraftList struct {
	Drafts []Draft `json:"drafts"`
}

// The limits of drafts.
const (
	maxDraft  = 10_000 // characters
	maxDrafts = 100
)

// Drafts gives what a person has not sent yet.
func (s *Service) Drafts(ctx context.Context, account string) (DraftList, error) {
	list := DraftList{Drafts: []Draft{}}
	ds, err := s.cfg.Store.Drafts(ctx, s.cfg.Host.Domain, account)
	for _, d := range ds {
		list.Drafts = append(list.Drafts, Draft{d.Chat, d.Text, d.At})
	}
	return list, err
}

// SetDraft keeps what a person has written in a conversation, and tells the person's other browsers.
func (s *Service) SetDraft(ctx context.Context, account string, id jid.JID, text string) (Draft, error) {
	if !utf8.ValidString(text) || utf8.RuneCountInString(text) > maxDraft {
		return Draft{}, fault.New(fault.Invalid, "text", "A draft has at most 10,000 characters")
	}
	d := store.Draft{Chat: id.String(), Text: text, At: s.cfg.Host.IDs.Now().UTC().Truncate(time.Microsecond)}
	err := s.cfg.Store.SetDraft(ctx, s.cfg.Host.Domain, account, d, maxDrafts)
	if store.KindOf(err) == fault.Limit {
		return Draft{}, fault.New(fault.Limit, "", "You have 100 drafts: send or delete some")
	}
	if err != nil {
		return Draft{}, err
	}
	out := Draft{d.Chat, d.Text, d.At}
	s.tell(account, event("draft", out))
	return out, nil
}
