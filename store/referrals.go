package store

import (
	"context"

	"parley/wire"
)

// NSCorrect and NSReactions are the namespaces of messages that change another one.
const (
	NSCorrect   = "urn:xmpp:message-correct:0"
	NSReactions = "urn:xmpp:reactions:0"
)

// maxRefers is the length of an id that messages are found by: an index has it. Clients make ids of 36 characters.
const maxRefers = 256

// RefersOf returns the id of the message that st changes for its readers, for ArchiveEntry.Refers: that which it
// corrects (XEP-0308) or reacts to (XEP-0444). It is "" for every other message.
func RefersOf(st *wire.Stanza) string {
	for _, c := range st.Children {
		switch c.Name {
		case wire.Name{Space: NSCorrect, Local: "replace"}, wire.Name{Space: NSReactions, Local: "reactions"}:
			e, err := wire.ParseElement(st.Raw(c), wire.NSClient)
			if id := e.Attr("id"); err == nil && len(id) <= maxRefers {
				return id
			}
			return ""
		}
	}
	return ""
}

// Conversation names what belongs together in an archive: all of a room, or what an account and another address have
// said to each other.
type Conversation struct {
	Host        string
	Room        string // of a room: its localpart; Host is the service then
	Owner, With string // of an account: its localpart, and the other side, bare
}

// MaxReferred is how many ids one question may have.
const MaxReferred = 1000

// Referrals finds entries by what refers to them, and the other way round.
type Referrals interface {
	// Referring gives the entries of a conversation that refer to one of some ids (ArchiveEntry.Refers) in order of
	// time; of more than limit, or than 16 MiB, the newest. Only the first MaxReferred ids are looked at.
	Referring(ctx context.Context, c Conversation, ids []string, limit int) ([]Archived, error)
	// Entries gives those entries of a conversation that have one of some archive ids, in order of time. Only the first
	// MaxReferred ids are looked at.
	Entries(ctx context.Context, c Conversation, ids []ID) ([]Archived, error)
	// Named gives the entries of a conversation whose id attribute is one of some, in order of time. It looks at the
	// newest entries before an id only (0: of all), at most at as many as look says; of more than 16 MiB it gives the
	// newest.
	Named(ctx context.Context, c Conversation, attrs []string, before ID, look int) ([]Archived, error)
}
