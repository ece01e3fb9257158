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
// phones find it. The rest of the bookmark stays. A room without a bookmark gets one with which clients do not enter
// it.
func (b *Bookmarks) SetLevel(ctx context.Context, account string, room jid.JID, l Level) error {
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
				if c.Name.Space != nsNotify {
					extensions.Add(c)
				}
			}
		}
	}
	if name := levels[l]; name != "" {
		extensions.Add(wire.E(nsNotify, "notify", wire.E(nsNotify, name)))
	}
	m.Extensions = extensions.AppendXML(nil, "")
	return b.save(ctx, account, []store.Bookmark{m}, nil)
}
