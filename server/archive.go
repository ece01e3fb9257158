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

// ArchiveQuery is a request for archived messages of an account or a room (XEP-0313, section 4).
type ArchiveQuery struct {
	store.Page
	QueryID string
	Flip    bool // return the page's entries newest first (section 4.1.6)
	OnlyMax bool // the asker sent <max>0</max> and wants only the count

	search bool
}

// The form fields for full-text search: the name of XEP-0431, and the older name that clients and servers used before.
const (
	fieldText     = "{" + wire.NSFullText + "}fulltext"
	fieldWithText = "withtext"
)

var (
	errNotImplemented = stanza.Error{Type: stanza.Cancel, Condition: stanza.FeatureNotImplemented}
)

// maxIDs is how many ids a query may name.
const maxIDs = 100

// ParseArchiveQuery reads a <query xmlns='urn:xmpp:mam:2'/>. A page has at most max entries, and 50 if the query does
// not say. search allows the fields for full-text search. Errors are stanza errors.
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

// parseID reads an archive id. A text that cannot be one of our ids gives item-not-found, since the archive cannot hold
// it.
func parseID(s string) (store.ID, error) {
	id, err := store.ParseID(s)
	if err != nil || id == 0 {
		return 0, ItemNotFound
	}
	return id, nil
}

// parseTime reads a date and time (XEP-0082).
func parseTime(s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, strings.ToUpper(s))
	if err != nil {
		return t, BadRequest
	}
	return t.UTC(), nil
}

// paging reads the part for result set management (XEP-0059).
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

// ArchiveForm returns the form with the fields that a query may have (XEP-0313, section 4.1.1). search adds those for
// full-text search.
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
		wire.E("http://jabber.org/protocol/xdata-validate", "open")).Set("datatype", "xs:string")).Set("var", "ids").
		Set("type", "list-multi"))
	return wire.E(wire.NSMAM, "query", x)
}

// ArchiveResult makes one result message around the kept stanza (XEP-0313, section 4.2). It builds the bytes once.
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
	return &wire.Stanza{
		Kind:     wire.Message,
		Name:     wire.Name{Space: wire.NSClient, Local: "message"},
		From:     from,
		To:       to,
		Payload:  b,
		Children: []wire.Child{{Name: wire.Name{Space: wire.NSMAM, Local: "result"}, End: len(b)}},
	}
}

// TimeFormat is the layout of XEP-0082 in UTC with microseconds, which is the precision of an entry's time. A client
// that sends such a time back as the start or end of a query gets that entry too (XEP-0313, section 4.1.2; XEP-0045,
// section 7.2.14).
const TimeFormat = "2006-01-02T15:04:05.000000Z"

// maxPageBytes is the largest size of one page. A client fetches the rest of a larger one as the next page.
const maxPageBytes = 1 << 20

// Trim shortens a page that is larger than 1 MiB; it always keeps one entry. It returns the entries and whether the
// page still completes the result.
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

// ArchiveFin makes the answer that ends a page (XEP-0313, section 4.2.1). It leaves out a total below 0.
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

// ArchiveMetadata makes the answer to <metadata/> (XEP-0313, section 5). Zero ids stand for an empty archive.
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

// Meaningful reports whether an archive should keep a message. A message needs no body: reactions, retractions,
// corrections, markers and call invitations are kept, typing notifications are not. Hints (XEP-0334) override the rest.
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
		case wire.NSMUCUser:
			// an invitation; an empty <x/> only marks a private message of a room (XEP-0045, section 7.5)
			keep = keep || hasChild(st.Raw(st.Children[i]))
		default:
			keep = true
		}
	}
	return keep
}

// hasChild reports whether a serialised element has a child element.
func hasChild(raw []byte) bool {
	i := bytes.IndexByte(raw[1:], '<')
	return i >= 0 && raw[i+2] != '/'
}

// Said reports whether a message counts as unread: it brings new text or a call. Reactions, markers, corrections,
// retractions and subjects do not count.
func Said(st *wire.Stanza) bool {
	said := false
	for i := range st.Children {
		n := &st.Children[i].Name
		switch n.Space {
		case "urn:xmpp:message-correct:0", "urn:xmpp:reactions:0", "urn:xmpp:message-retract:0",
			wire.NSRetract, wire.NSModerate, "urn:xmpp:fasten:0", "urn:xmpp:chat-markers:0":
			if n.Local != "markable" {
				return false
			}
		case "eu.siacs.conversations.axolotl", "urn:xmpp:omemo:2", "jabber:x:encrypted", "urn:xmpp:openpgp:0",
			"urn:xmpp:call-invites:0":
			said = said || n.Local != "fallback"
		case wire.NSClient:
			said = said || n.Local == "body"
		}
	}
	return said
}
