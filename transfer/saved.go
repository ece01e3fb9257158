package transfer

import (
	"time"

	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// maxSaved is how many messages a person may have saved for later.
const maxSaved = 500

// saved adds the messages that a person has saved for later.
func (o *out) saved(h *server.Host, name string, to *wire.Element) {
	all, err := o.st.SavedMessages(o.ctx, h.Domain, name, 0, maxSaved)
	if o.fail(err) {
		return
	}
	for _, m := range all {
		e := wire.E(nsAccount, "saved").Set("chat", m.Chat).Set("message", m.Message.String())
		to.Add(e.Set("id", m.ID.String()))
	}
}

// saved keeps a message for later as it was kept before.
func (u *incoming) saved(e *wire.Element) error {
	j, err := jid.Parse(e.Attr("chat"))
	message, err2 := store.ParseID(e.Attr("message"))
	id, err3 := store.ParseID(e.Attr("id"))
	if err != nil || err2 != nil || err3 != nil || !j.IsBare() || id.Time().After(u.h.Clock.Now().Add(24*time.Hour)) {
		return errValue
	}
	return u.Store.SaveMessage(u.ctx, store.SavedMessage{
		Host:    u.h.Domain,
		Owner:   u.name,
		ID:      id,
		Chat:    j.String(),
		Message: message,
	}, maxSaved)
}
