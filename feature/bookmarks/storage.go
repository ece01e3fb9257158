package bookmarks

import (
	"bytes"
	"context"
	"errors"

	"parley/server"
	"parley/store"
	"parley/wire"
)

// The view of XEP-0048 has all bookmarks in one element. Links to web pages, which it may contain too, are kept apart.

const (
	single    = "current" // the id of the only item
	urls      = "urls"    // the name in private storage under which links are kept; no client can use it
	maxLinks  = 32 << 10  // bytes
	linkSpace = "parley:bookmarks"
)

// storage gives the view; an empty <storage/> if there are no bookmarks.
func (b *Bookmarks) storage(ctx context.Context, account string) (*wire.Element, error) {
	bs, err := b.st.Bookmarks(ctx, b.h.Domain, account)
	if err != nil {
		return nil, err
	}
	nick, err := b.nick(ctx, account)
	if err != nil {
		return nil, err
	}
	e := wire.E(nsStorage, "storage")
	for i := range bs {
		e.Add(conference(named(nick, &bs[i]), nsStorage))
	}
	kept, err := b.st.Private(ctx, b.h.Domain, account, linkSpace, urls)
	if errors.Is(err, store.ErrNotFound) {
		return e, nil
	}
	if err != nil {
		return nil, err
	}
	links, err := wire.ParseElement(kept, "")
	if err != nil {
		return nil, err
	}
	return e.Add(links.Elements()...), nil
}

func (b *Bookmarks) storageItems(ctx context.Context, account string) ([]server.PEPItem, error) {
	e, err := b.storage(ctx, account)
	if err != nil {
		return nil, err
	}
	return []server.PEPItem{{ID: single, Payload: e.AppendXML(nil, "")}}, nil
}

func (b *Bookmarks) publishStorage(ctx context.Context, account, _ string, e *wire.Element) error {
	return b.setStorage(ctx, account, e)
}

// retractStorage ignores the removal of the item: a client that moves to the newer node cleans up, and does not mean to
// remove its bookmarks.
func (b *Bookmarks) retractStorage(context.Context, string, string) error { return server.NotAllowed }

// setStorage replaces the whole list: rooms that are not in it are removed.
func (b *Bookmarks) setStorage(ctx context.Context, account string, e *wire.Element) error {
	if e.Name != (wire.Name{Space: nsStorage, Local: "storage"}) {
		return server.BadRequest
	}
	was, err := b.st.Bookmarks(ctx, b.h.Domain, account)
	if err != nil {
		return err
	}
	old := make(map[string]store.Bookmark, len(was))
	for _, m := range was {
		old[m.Room] = m
	}
	links := wire.E(linkSpace, urls)
	now := make(map[string]bool)
	var set []store.Bookmark
	for _, c := range e.Elements() {
		if c.Name != (wire.Name{Space: nsStorage, Local: "conference"}) {
			links.Add(c)
			continue
		}
		m, err := b.parse(c, c.Attr("jid"))
		if err != nil {
			return err
		}
		o, had := old[m.Room]
		m.Extensions = o.Extensions
		if now[m.Room] || had && same(&o, &m) {
			now[m.Room] = true
			continue
		}
		now[m.Room] = true
		set = append(set, m)
	}
	var drop []string
	for room := range old {
		if !now[room] {
			drop = append(drop, room)
		}
	}
	if err := b.setLinks(ctx, account, links); err != nil {
		return err
	}
	if len(set) == 0 && len(drop) == 0 {
		return nil
	}
	return b.save(ctx, account, set, drop)
}

func (b *Bookmarks) setLinks(ctx context.Context, account string, links *wire.Element) error {
	data := links.AppendXML(nil, "")
	if len(data) > maxLinks {
		return server.WithText(server.NotAcceptable, "there are too many links")
	}
	if len(links.Nodes) == 0 {
		if _, err := b.st.Private(ctx, b.h.Domain, account, linkSpace, urls); errors.Is(err, store.ErrNotFound) {
			return nil
		}
	}
	return b.st.SetPrivate(ctx, b.h.Domain, account, linkSpace, urls, data, 0)
}

func same(a, b *store.Bookmark) bool {
	return a.Name == b.Name && a.Nick == b.Nick && a.Password == b.Password && a.Autojoin == b.Autojoin &&
		bytes.Equal(a.Extensions, b.Extensions)
}
