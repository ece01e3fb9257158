package server

import (
	"bytes"
	"strconv"
	"strings"
	"time"

	"mellium.im/xmpp/stanza"

	"parley/store"
	"parley/store/fulltext"
	"parley/wire"
	"parley/wire/form"
	"parley/wire/jid"
)

// ArchiveQuery is a request for messages (XEP-0313, section 4): of an account's archive or of a room's.
type ArchiveQuery struct {
	store.Page
	QueryID string
	Flip    bool // the page's entries are wanted newest first (section 4.1.6)
	OnlyMax bool // <max>0</max>: only the count is wanted

	search bool
}

// Fields for words that messages have to have (XEP-0431): as the XEP names it, and as clients and servers did before.
const (
	fieldText     = "{" + wire.NSFullText + "}fulltext"
	fieldWithText = "withtext"
)

var (
	errNotImplemented = stanza.Error{Type: stanza.Cancel, Condition: stanza.FeatureNotImplemented}
)

// maxIDs is how many ids one query may name.
const maxIDs = 100

// ParseArchiveQuery reads a <query xmlns='urn:xmpp:mam:2'/>; pages hold at most max entries, 50 if nothing is said.
// search says that messages may be asked for by their words. The
// error is a stanza error.
func ParseArchiveQuery(q *wire.Element, max int, search bool) (ArchiveQuery, error) {
	a := ArchiveQuery{QueryID: q.Attr("queryid"), search: search}
	a.Max = min(50, max)
	a.Flip = q.Child(wire.NSMAM, "flip-page") != nil
	if x := q.Child(wire.NSForm, "x"); x != nil {
		if err := a.filters(x); err != nil {
			return a, err
		}
	}
	if set := q.Child(wire.NSRSM, "set"); set != nil {
		if err := a.paging(set, max); err != nil {
			return a, err
		}
	}
	return a, nil
}

func (a *ArchiveQuery) filters(x *wire.Element) error {
	f, err := form.Parse(x)
	if err != nil || f.About() != wire.NSMAM {
		return BadRequest
	}
	for _, fd := range f.Fields {
		v := f.Get(fd.Var)
		switch fd.Var {
		case form.TypeVar, "include-groupchat":
		case "with":
			j, err := jid.Parse(v)
			if err != nil {
				return BadRequest
			}
			a.With = j.String()
		case "start":
			a.Start, err = parseTime(v)
		case "end":
			a.End, err = parseTime(v)
		case "before-id":
			a.Before, err = parseID(v)
		case "after-id":
			a.After, err = parseID(v)
		case "ids":
			err = a.ids(fd.Values)
		case fieldText, fieldWithText:
			if !a.search {
				return WithText(errNotImplemented, "unknown field "+fd.Var)
			}
			err = a.text(v)
		default: // XEP-0313, section 4.1.5
			return WithText(errNotImplemented, "unknown field "+fd.Var)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (a *ArchiveQuery) text(s string) error {
	if _, err := fulltext.Parse(s); err != nil {
		return WithText(PolicyViolation, "too many words")
	}
	a.Text = s
	return nil
}

func (a *ArchiveQuery) ids(values []string) error {
	if len(values) > maxIDs {
		return PolicyViolation
	}
	for _, v := range values {
		id, err := parseID(v)
		if err != nil {
			return err
		}
		a.IDs = append(a.IDs, id)
	}
	return nil
}

// parseID: what was never an id of ours is not in the archive.
func parseID(s string) (store.ID, error) {
	id, err := store.ParseID(s)
	if err != nil || id == 0 {
		return 0, ItemNotFound
	}
	return id, nil
}

// parseTime reads XEP-0082.
func parseTime(s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, strings.ToUpper(s))
	if err != nil {
		return t, BadRequest
	}
	return t.UTC(), nil
}

// paging reads result set management (XEP-0059).
func (a *ArchiveQuery) paging(set *wire.Element, limit int) error {
	if m := set.Child(wire.NSRSM, "max"); m != nil {
		n, err := strconv.Atoi(strings.TrimSpace(m.Text()))
		if err != nil || n < 0 {
			return BadRequest
		}
		a.Max = min(n, limit)
		a.OnlyMax = n == 0
	}
	if set.Child(wire.NSRSM, "index") != nil {
		return errNotImplemented
	}
	if e := set.Child(wire.NSRSM, "after"); e != nil {
		id, err := parseID(e.Text())
		if err != nil {
			return err
		}
		a.After = max(a.After, id)
	}
	if e := set.Child(wire.NSRSM, "before"); e != nil {
		a.Backwards = true
		if s := e.Text(); s != "" {
			id, err := parseID(s)
			if err != nil {
				return err
			}
			if a.Before == 0 || id < a.Before {
				a.Before = id
			}
		}
	}
	return nil
}

// ArchiveForm is the answer to who asks which fields there are (section 4.1.1).
func ArchiveForm(search bool) *wire.Element {
	f := form.New("form", wire.NSMAM)
	f.Add("with", "jid-single", "")
	f.Add("start", "text-single", "")
	f.Add("end", "text-single", "")
	f.Add("before-id", "text-single", "")
	f.Add("after-id", "text-single", "")
	f.Fields = append(f.Fields, form.Field{Var: "include-groupchat", Type: "boolean"})
	if search {
		f.Add(fieldText, "text-single", "")
		f.Add(fieldWithText, "text-single", "")
	}
	x := f.Element()
	x.Add(wire.E(wire.NSForm, "field", wire.E("http://jabber.org/protocol/xdata-validate", "validate",
		wire.E("http://jabber.org/protocol/xdata-validate", "open")).Set("datatype", "xs:string")).Set("var", "ids").Set("type", "list-multi"))
	return wire.E(wire.NSMAM, "query", x)
}

// ArchiveResult makes one result message (section 4.2). The bytes are put together once, around the kept stanza.
func ArchiveResult(from, to jid.JID, queryID string, id store.ID, kept []byte) *wire.Stanza {
	b := make([]byte, 0, len(kept)+320)
	b = append(b, `<result xmlns='urn:xmpp:mam:2'`...)
	if queryID != "" {
		b = append(b, ` queryid='`...)
		b = wire.AppendEscaped(b, queryID)
		b = append(b, '\'')
	}
	b = append(b, ` id='`...)
	b = append(b, id.String()...)
	b = append(b, `'><forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='`...)
	b = id.Time().AppendFormat(b, TimeFormat)
	b = append(b, `'/>`...)
	b = append(b, kept...)
	b = append(b, `</forwarded></result>`...)
	return &wire.Stanza{Kind: wire.Message, Name: wire.Name{Space: wire.NSClient, Local: "message"}, From: from, To: to, Payload: b,
		Children: []wire.Child{{Name: wire.Name{Space: wire.NSMAM, Local: "result"}, End: len(b)}}}
}

// TimeFormat is XEP-0082 in UTC with microseconds, which is all of an entry's time: who asks for what was kept until or
// since then gets that entry too (XEP-0313, section 4.1.2; XEP-0045, section 7.2.14).
const TimeFormat = "2006-01-02T15:04:05.000000Z"

// maxPageBytes is how much one page may hold: with a page of large messages the rest is asked for by its next.
const maxPageBytes = 1 << 20

// Trim cuts a page that is too large; complete is then false.
func (a ArchiveQuery) Trim(es []store.Archived, complete bool) ([]store.Archived, bool) {
	n := 0
	for i := range es {
		k := i
		if a.Backwards {
			k = len(es) - 1 - i
		}
		if n += len(es[k].Stanza); n > maxPageBytes && i > 0 {
			if a.Backwards {
				return es[k+1:], false
			}
			return es[:k], false
		}
	}
	return es, complete
}

// ArchiveFin makes the answer that ends a page (section 4.2.1). total below 0 is not told.
func ArchiveFin(es []store.Archived, complete bool, total int) *wire.Element {
	set := wire.E(wire.NSRSM, "set")
	if len(es) > 0 {
		set.Add(wire.T(wire.NSRSM, "first", es[0].ID.String()), wire.T(wire.NSRSM, "last", es[len(es)-1].ID.String()))
	}
	if total >= 0 {
		set.Add(wire.T(wire.NSRSM, "count", strconv.Itoa(total)))
	}
	fin := wire.E(wire.NSMAM, "fin", set)
	if complete {
		fin.Set("complete", "true")
	}
	return fin
}

// ArchiveMetadata makes the answer to <metadata/> (section 5); zero ids: nothing is kept.
func ArchiveMetadata(first, last store.ID) *wire.Element {
	m := wire.E(wire.NSMAM, "metadata")
	if first == 0 {
		return m
	}
	end := func(name string, id store.ID) *wire.Element {
		return wire.E(wire.NSMAM, name).Set("id", id.String()).Set("timestamp", id.Time().Format(TimeFormat))
	}
	return m.Add(end("start", first), end("end", last))
}

// Meaningful says that a message is worth keeping: by what it means, not by having a body. Reactions, retractions,
// corrections, markers and call invites are kept; typing notifications are not. Hints (XEP-0334) decide before that.
func Meaningful(st *wire.Stanza) bool {
	keep := false
	for i := range st.Children {
		n := &st.Children[i].Name
		switch n.Space {
		case wire.NSHints:
			switch n.Local {
			case "no-store", "no-permanent-store":
				return false
			case "store":
				return true
			}
		case "http://jabber.org/protocol/chatstates", wire.NSSID, wire.NSDelay, wire.NSCarbons, "urn:xmpp:eme:0",
			"http://jabber.org/protocol/nick", wire.NSPubSubEv, "urn:xmpp:mam:2", "jabber:x:event", "jabber:x:delay",
			"http://jabber.org/protocol/shim", "http://jabber.org/protocol/address", "urn:xmpp:occupant-id:0":
		case "urn:xmpp:receipts":
			keep = keep || n.Local == "received"
		case "urn:xmpp:chat-markers:0":
			keep = keep || n.Local != "markable"
		case wire.NSClient:
			keep = keep || n.Local == "body" || n.Local == "subject"
		case wire.NSMUCUser: // an invitation; empty it only says that a private message is from a room (XEP-0045, 7.5)
			keep = keep || hasChild(st.Raw(st.Children[i]))
		default:
			keep = true
		}
	}
	return keep
}

// hasChild says whether a serialised element has one.
func hasChild(raw []byte) bool {
	i := bytes.IndexByte(raw[1:], '<')
	return i >= 0 && raw[i+2] != '/'
}

// Said says that a message has something for a person to read which was not there before: not a reaction, a marker, a
// correction, a retraction, a subject. It is what counts as unread.
func Said(st *wire.Stanza) bool {
	said := false
	for i := range st.Children {
		n := &st.Children[i].Name
		switch n.Space {
		case "urn:xmpp:message-correct:0", "urn:xmpp:reactions:0", "urn:xmpp:message-retract:0", wire.NSRetract, wire.NSModerate,
			"urn:xmpp:fasten:0", "urn:xmpp:chat-markers:0":
			if n.Local != "markable" {
				return false
			}
		case "eu.siacs.conversations.axolotl", "urn:xmpp:omemo:2", "jabber:x:encrypted", "urn:xmpp:openpgp:0", "urn:xmpp:call-invites:0":
			said = said || n.Local != "fallback"
		case wire.NSClient:
			said = said || n.Local == "body"
		}
	}
	return said
}
