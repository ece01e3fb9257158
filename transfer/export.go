package transfer

import (
	"context"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"

	"parley/server"
	"parley/store"
	"parley/wire"
)

// Exporter writes accounts to a file.
type Exporter struct {
	Store     Store
	Archive   bool // with their messages
	Passwords bool // with the keys of their passwords
}

// nodesKept are nodes that every account has and that are written like other nodes.
var nodesKept = []string{"urn:xmpp:bookmarks:1"}

// out writes elements, and keeps the first error.
type out struct {
	ctx context.Context
	st  Store
	w   io.Writer
	err error
}

func (o *out) raw(s string) {
	if o.err == nil {
		_, o.err = io.WriteString(o.w, s)
	}
}

func (o *out) element(e *wire.Element) {
	if e != nil && o.err == nil {
		_, o.err = o.w.Write(append(e.AppendXML(nil, ""), '\n'))
	}
}

func (o *out) fail(err error) bool {
	if o.err == nil {
		o.err = err
	}
	return o.err != nil
}

// open writes a start tag in the format's namespace.
func (o *out) open(local, name, value string) {
	b := append([]byte("<"+local), " xmlns='"+ns+"'"...)
	if name != "" {
		b = append(wire.AppendEscaped(append(b, " "+name+"='"...), value), '\'')
	}
	o.raw(string(b) + ">\n")
}

// Write writes the accounts of hosts that pick accepts, in order of name. After an error the file is not whole.
func (x Exporter) Write(ctx context.Context, w io.Writer, hosts []*server.Host,
	pick func(h *server.Host, name string) bool) error {
	o := &out{ctx: ctx, st: x.Store, w: w}
	o.raw("<?xml version='1.0' encoding='UTF-8'?>\n")
	o.open("server-data", "", "")
	for _, h := range hosts {
		o.open("host", "jid", h.Domain)
		for after := ""; o.err == nil; {
			us, err := o.st.Users(ctx, h.Domain, after, page)
			if o.fail(err) || len(us) == 0 {
				break
			}
			for _, u := range us {
				if pick(h, u.Name) && o.err == nil {
					x.user(o, h, u)
				}
			}
			after = us[len(us)-1].Name
		}
		o.raw("</host>\n")
	}
	o.raw("</server-data>\n")
	return o.err
}

func (x Exporter) user(o *out, h *server.Host, u store.User) {
	o.open("user", "name", u.Name)
	x.account(o, h, u)
	if x.Passwords && len(u.Keys) > 0 {
		o.keys(u.Keys)
	}
	o.contacts(h, u.Name)
	o.answer(h, u.Name, wire.E(nsVCard, "vCard"))
	o.private(h, u.Name)
	o.blocked(h, u.Name)
	o.answer(h, u.Name, wire.E(wire.NSMAM, "prefs"))
	o.nodes(h, u.Name)
	if x.Archive { // before waiting messages, which refer to archived ones
		o.archive(h, u.Name)
	}
	o.waiting(h, u.Name)
	o.raw("</user>\n")
}

// answer writes the answer that the account's own client would get; nothing if it is empty.
func (o *out) answer(h *server.Host, name string, q *wire.Element) {
	if o.err != nil {
		return
	}
	e, err := h.Do(o.ctx, name, "get", q)
	if o.fail(err) || e == nil || len(e.Elements()) == 0 {
		return
	}
	o.element(e)
}

func (o *out) keys(kept []byte) {
	for _, e := range o.credentials(kept) {
		o.element(e)
	}
}

func (o *out) contacts(h *server.Host, name string) {
	cs, _, err := o.st.Roster(o.ctx, h.Domain, name)
	if o.fail(err) {
		return
	}
	q := wire.E(wire.NSRoster, "query")
	var requests []*wire.Element
	for _, c := range cs {
		if c.Request != nil {
			if e, err := wire.ParseElement(c.Request, wire.NSClient); err == nil {
				requests = append(requests, e)
			}
		}
		if !c.InRoster {
			continue
		}
		it := wire.E(wire.NSRoster, "item").Set("jid", c.JID).Set("name", c.Name).Set("subscription", c.Subscription)
		if c.Ask {
			it.Set("ask", "subscribe")
		}
		if c.Approved {
			it.Set("approved", "true")
		}
		for _, g := range c.Groups {
			it.Add(wire.T(wire.NSRoster, "group", g))
		}
		q.Add(it)
	}
	o.element(q)
	for _, r := range requests {
		o.element(r)
	}
}

// private writes private storage, without the data of this server's features.
func (o *out) private(h *server.Host, name string) {
	all, err := o.st.AllPrivate(o.ctx, h.Domain, name)
	if o.fail(err) {
		return
	}
	q := wire.E(nsPrivate, "query")
	for _, b := range all {
		e, err := wire.ParseElement(b, "")
		if o.fail(err) {
			return
		}
		if e.Name.Space != nsVCard && !strings.HasPrefix(e.Name.Space, "parley:") {
			q.Add(e)
		}
	}
	if marks, err := h.Do(o.ctx, name, "get",
		wire.E(nsPrivate, "query", wire.E("storage:bookmarks", "storage"))); !o.fail(err) {
		for _, e := range marks.Elements() {
			if len(e.Elements()) > 0 {
				q.Add(e)
			}
		}
	}
	if len(q.Elements()) > 0 {
		o.element(q)
	}
}

// blocked writes the blocked addresses as a privacy list, which the format knows.
func (o *out) blocked(h *server.Host, name string) {
	js, err := o.st.Blocked(o.ctx, h.Domain, name)
	if o.fail(err) || len(js) == 0 {
		return
	}
	l := wire.E(nsPrivacy, "list").Set("name", "blocked")
	for i, j := range js {
		l.Add(wire.E(nsPrivacy, "item").Set("type", "jid").Set("value", j).Set("action", "deny").
			Set("order", strconv.Itoa(i+1)))
	}
	l.Add(wire.E(nsPrivacy, "item").Set("action", "allow").Set("order", strconv.Itoa(len(js)+1)))
	o.element(wire.E(nsPrivacy, "query", wire.E(nsPrivacy, "default").Set("name", "blocked"), l))
}

func (o *out) nodes(h *server.Host, name string) {
	nodes := append([]string(nil), nodesKept...)
	for after := ""; o.err == nil; {
		ns, err := o.st.Nodes(o.ctx, h.Domain, name, after, page)
		if o.fail(err) || len(ns) == 0 {
			break
		}
		for _, n := range ns {
			nodes = append(nodes, n.Name)
		}
		after = ns[len(ns)-1].Name
	}
	owner := wire.E(nsOwner, "pubsub")
	for _, n := range nodes {
		for _, what := range []string{"configure", "affiliations", "subscriptions"} {
			if o.err != nil {
				return
			}
			e, err := h.Do(o.ctx, name, "get", wire.E(nsOwner, "pubsub", wire.E(nsOwner, what).Set("node", n)))
			if o.fail(err) {
				return
			}
			if what == "affiliations" {
				e = others(e, name+"@"+h.Domain)
			}
			for _, c := range e.Elements() {
				if len(c.Elements()) > 0 {
					owner.Add(c)
				}
			}
		}
	}
	o.element(owner)
	o.raw("<pubsub xmlns='" + wire.NSPubSub + "'>\n")
	for _, n := range nodes {
		o.items(h, name, n)
	}
	o.raw("</pubsub>\n")
}

// others gives affiliations without the account's own ownership.
func others(e *wire.Element, self string) *wire.Element {
	out := wire.E(e.Name.Space, e.Name.Local)
	for _, l := range e.Elements() {
		c := wire.E(l.Name.Space, l.Name.Local).Set("node", l.Attr("node"))
		for _, a := range l.Elements() {
			if a.Attr("jid") != self {
				c.Add(a)
			}
		}
		out.Add(c)
	}
	return out
}

func (o *out) items(h *server.Host, name, node string) {
	o.raw(string(append(wire.AppendEscaped([]byte("<items node='"), node), "'>\n"...)))
	for after := ""; o.err == nil; {
		set := wire.E(wire.NSRSM, "set", wire.T(wire.NSRSM, "max", "100"))
		if after != "" {
			set.Add(wire.T(wire.NSRSM, "after", after))
		}
		e, err := h.Do(o.ctx, name, "get",
			wire.E(wire.NSPubSub, "pubsub", wire.E(wire.NSPubSub, "items").Set("node", node), set))
		if errors.Is(err, server.FeatureNotImplemented) { // the node does not keep items
			break
		}
		if o.fail(err) {
			return
		}
		items := e.Child(wire.NSPubSub, "items").Elements()
		if len(items) == 0 {
			break
		}
		for _, it := range items {
			if node == nodeCard4 {
				it = o.ownCard(h, it)
			}
			o.element(it)
			after = it.Attr("id")
		}
	}
	o.raw("</items>\n")
}

const (
	nsCard4   = "urn:ietf:params:xml:ns:vcard-4.0"
	nodeCard4 = "urn:xmpp:vcard4"
)

// ownCard gives a card without values of profile fields, which are written with the account. The importing server may
// not have such a field, and then nothing would say who may see the value.
func (o *out) ownCard(h *server.Host, item *wire.Element) *wire.Element {
	fs, err := o.st.ProfileFields(o.ctx, h.Domain)
	if o.fail(err) {
		return item
	}
	out := &wire.Element{Name: item.Name, Attrs: item.Attrs}
	for _, n := range item.Nodes {
		card := n.Element
		if n.Raw != nil {
			if card, err = wire.ParseElement(n.Raw, ""); o.fail(err) {
				return item
			}
		}
		if card == nil {
			continue
		}
		kept := &wire.Element{Name: card.Name, Attrs: card.Attrs}
		for _, n := range card.Nodes {
			if e := n.Element; e == nil || e.Name.Space != nsCard4 ||
				!slices.ContainsFunc(fs, func(f store.ProfileField) bool { return e.Name.Local == "x-"+f.Key }) {
				kept.Nodes = append(kept.Nodes, n)
			}
		}
		out.Add(kept)
	}
	return out
}

func (o *out) waiting(h *server.Host, name string) {
	n, _, err := o.st.CountOffline(o.ctx, h.Domain, name)
	if o.fail(err) || n == 0 {
		return
	}
	es, err := o.st.TakeOffline(o.ctx, h.Domain, name, n)
	if o.fail(err) {
		return
	}
	o.open("offline-messages", "", "")
	for _, e := range es {
		o.raw(string(e.Stanza) + "\n")
	}
	o.raw("</offline-messages>\n")
}

func (o *out) archive(h *server.Host, name string) {
	o.raw("<archive xmlns='" + nsArchive + "'>\n")
	p := store.Page{Max: page}
	for o.err == nil {
		es, complete, _, err := o.st.ReadArchive(o.ctx, h.Domain, name, p)
		if o.fail(err) {
			return
		}
		for _, e := range es {
			delay := wire.E(wire.NSDelay, "delay").Set("stamp", e.ID.Time().Format(timeFormat))
			o.element(wire.E(wire.NSMAM, "result",
				wire.E(nsForward, "forwarded", delay).AddRaw(e.Stanza)).Set("id", e.ID.String()))
			p.After = e.ID
		}
		if complete || len(es) == 0 {
			break
		}
	}
	o.raw("</archive>\n")
}
