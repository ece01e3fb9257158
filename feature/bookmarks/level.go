package bookmarks

import (
	"context"

	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// levels are the elements for levels of notification (XEP-0492, section 3).
var levels = map[Level]string{Never: "never", OnMention: "on-mention", Always: "always"}

// SetLevel sets of which messages of a room an account's clients notify, in the account's bookmark of the room, where
// phones find it.
func (b *Bookmarks) SetLevel(ctx context.Context, account string, room jid.JID, l Level) error {
	var add *wire.Element
	if name := levels[l]; name != "" {
		add = wire.E(nsNotify, "notify", wire.E(nsNotify, name))
	}
	return b.extend(ctx, account, room, nsNotify, add)
}

// SetPinned says whether a room is among those that stand first for an account, in the account's bookmark of the room
// (XEP-0469).
func (b *Bookmarks) SetPinned(ctx context.Context, account string, room jid.JID, on bool) error {
	var add *wire.Element
	if on {
		add = wire.E(nsPinned, "pinned")
	}
	return b.extend(ctx, account, room, nsPinned, add)
}

// extend puts an extension into an account's bookmark of a room in place of those of its namespace; nil for none. The
// rest of the bookmark stays. A room without a bookmark gets one with which clients do not enter it.
func (b *Bookmarks) extend(ctx context.Context, account string, room jid.JID, space string, add *wire.Element) error {
	bs, err := b.st.Bookmarks(ctx, b.h.Domain, account)
	if err != nil {
		return err
	}
	m := store.Bookmark{Room: room.String()}
	for i := range bs {
		if bs[i].Room == m.Room {
			m = bs[i]
		}
	}
	extensions := wire.E(nsBookmarks, "extensions")
	if len(m.Extensions) > 0 {
		was, err := wire.ParseElement(m.Extensions, nsBookmarks)
		if err == nil {
			for _, c := range was.Elements() {
				if c.Name.Space != space {
					extensions.Add(c)
				}
			}
		}
	}
	if add != nil {
		extensions.Add(add)
	}
	m.Extensions = extensions.AppendXML(nil, "")
	return b.save(ctx, account, []store.Bookmark{m}, nil)
}
