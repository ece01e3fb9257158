package pie

import (
	"errors"

	"mellium.im/xmpp/stanza"

	"parley/wire"
	"parley/wire/form"
)

const nsConfig = wire.NSPubSub + "#node_config"

// maxCard is what the cards of accounts may take by default; a larger one has been refused, and stays so.
const maxCard = 128 << 10

// nodesAndCard: where the file has the card in its new form too, publishing that has written the old one anew. It is to be
// what the file says.
func (u *incoming) nodesAndCard() error {
	if err := u.nodes(); err != nil || u.card == nil {
		return err
	}
	for _, l := range u.items {
		if l.Attr("node") == "urn:xmpp:vcard4" && len(u.card.AppendXML(nil, "")) <= maxCard {
			return u.h.Store.SetPrivate(u.ctx, u.h.Domain, u.name, nsVCard, "vCard", u.card.AppendXML(nil, ""), 0)
		}
	}
	return nil
}

// nodes makes the account's nodes (section 3.10): first as they are configured, then with their items.
func (u *incoming) nodes() error {
	many := make(map[string]bool)
	for _, l := range u.items {
		many[l.Attr("node")] = len(l.Elements()) > 1
	}
	refused := make(map[string]bool)
	for _, c := range u.config {
		if c.Name.Local != "configure" {
			continue
		}
		node := c.Attr("node")
		ok, err := u.node(node, c, many[node])
		if err != nil {
			return err
		}
		refused[node] = !ok
	}
	for _, l := range u.items {
		node := l.Attr("node")
		if refused[node] { // it might be seen by others than it was
			continue
		}
		for _, it := range l.Elements() {
			if it.Name.Local != "item" {
				continue
			}
			item := wire.E(wire.NSPubSub, "item", it.Elements()...).Set("id", it.Attr("id"))
			if err := u.do("node "+node, "set", wire.E(wire.NSPubSub, "pubsub", wire.E(wire.NSPubSub, "publish", item).Set("node", node))); err != nil {
				return err
			}
		}
	}
	for _, c := range u.config {
		if n := c.Name.Local; (n == "affiliations" || n == "subscriptions") && !refused[c.Attr("node")] {
			if err := u.do("node "+c.Attr("node"), "set", wire.E(nsOwner, "pubsub", people(c))); err != nil {
				return err
			}
		}
	}
	return nil
}

// people reads a list of affiliations or subscriptions. COMPAT: Prosody 0.12 writes subscribed='subscribed'.
func people(c *wire.Element) *wire.Element {
	l := wire.E(nsOwner, c.Name.Local).Set("node", c.Attr("node"))
	for _, p := range c.Elements() {
		state := p.Attr("subscription")
		if state == "" {
			state = p.Attr("subscribed")
		}
		l.Add(wire.E(nsOwner, p.Name.Local).Set("jid", p.Attr("jid")).Set("affiliation", p.Attr("affiliation")).Set("subscription", state))
	}
	return l
}

// node makes one; false if it could not be made as it was.
func (u *incoming) node(name string, c *wire.Element, many bool) (bool, error) {
	f := form.New(form.Submit, nsConfig)
	if x := c.Child(wire.NSForm, "x"); x != nil {
		was, err := form.Parse(x)
		if err != nil {
			u.report.problem("%s: node %s: its configuration is malformed", u.self, name)
			return false, nil
		}
		for _, fd := range was.Fields {
			if fd.Var != form.TypeVar && len(fd.Values) > 0 && fd.Values[0] != "" {
				f.Add(fd.Var, "", "", fd.Values...)
			}
		}
	}
	if many && !f.Has("pubsub#max_items") {
		f.Add("pubsub#max_items", "", "", "max")
	}
	set := func(f *form.Form) error {
		_, err := u.h.Do(u.ctx, u.name, "set", wire.E(wire.NSPubSub, "pubsub", wire.E(wire.NSPubSub, "create").Set("node", name),
			wire.E(wire.NSPubSub, "configure", f.Element())))
		if is(err, stanza.Conflict) { // it is there already, or is one that every account has
			_, err = u.h.Do(u.ctx, u.name, "set", wire.E(nsOwner, "pubsub", wire.E(nsOwner, "configure", f.Element()).Set("node", name)))
			if is(err, stanza.NotAllowed) {
				err = nil // and cannot be configured
			}
		}
		return err
	}
	err := set(f)
	if is(err, stanza.NotAcceptable) { // a value that there is not here: what matters is who may see it
		least := form.New(form.Submit, nsConfig)
		if a := f.Get("pubsub#access_model"); a != "" {
			least.Add("pubsub#access_model", "", "", a)
		}
		least.Add("pubsub#max_items", "", "", "max")
		err = set(least)
	}
	failed := err != nil
	return !failed, u.problem("node "+name, err)
}

func is(err error, c stanza.Condition) bool {
	var se stanza.Error
	return errors.As(err, &se) && se.Condition == c
}
