package transfer

import (
	"errors"
	"slices"

	"mellium.im/xmpp/stanza"

	"parley/wire"
	"parley/wire/form"
	"parley/wire/jid"
)

const nsConfig = wire.NSPubSub + "#node_config"

// maxCard is the default limit of cards; a larger one has been refused, and stays refused.
const maxCard = 128 << 10

// Nodes that need special treatment.
const (
	nodePicture     = "urn:xmpp:avatar:data"
	nodePictureInfo = "urn:xmpp:avatar:metadata"
	nodeCard        = "urn:xmpp:vcard4"
)

// namesOthers says whether a node's items refer to items of other nodes, and so are published after those. Files have
// nodes in any order (Prosody's in a new one each time), and clients that are notified of a picture or a key ask for it
// at once.
func namesOthers(node string) bool {
	switch node {
	case nodePictureInfo, "eu.siacs.conversations.axolotl.devicelist", "urn:xmpp:omemo:2:devices":
		return true
	}
	return false
}

// nodesAndCard imports the account's nodes (section 3.10): first their configuration, then their items, and last items
// that refer to others.
func (u *incoming) nodesAndCard() error {
	refused, err := u.configure()
	if err != nil {
		return err
	}
	var last []*wire.Element
	for _, l := range u.items {
		switch node := l.Attr("node"); {
		case refused[node]: // otherwise others might see it who could not before
		case namesOthers(node):
			last = append(last, l)
		default:
			if err := u.publish(node, l); err != nil {
				return err
			}
		}
	}
	if err := u.cardAgain(); err != nil {
		return err
	}
	for _, l := range last {
		if err := u.publish(l.Attr("node"), l); err != nil {
			return err
		}
	}
	for _, c := range u.config {
		if n := c.Name.Local; (n == "affiliations" || n == "subscriptions") && !refused[c.Attr("node")] {
			if err := u.people(c); err != nil {
				return err
			}
		}
	}
	return nil
}

// cardAgain writes the old card of the file again if publishing its new form has overwritten it. A picture in the nodes
// is added to it afterwards.
func (u *incoming) cardAgain() error {
	if u.card == nil {
		return nil
	}
	for _, l := range u.items {
		if b := u.card.AppendXML(nil, ""); l.Attr("node") == nodeCard && len(b) <= maxCard {
			return u.Store.SetPrivate(u.ctx, u.h.Domain, u.name, nsVCard, "vCard", b, 0)
		}
	}
	return nil
}

// configure makes the nodes as they were, and gives the names of those that could not be made so.
func (u *incoming) configure() (refused map[string]bool, err error) {
	many := make(map[string]bool)
	for _, l := range u.items {
		many[l.Attr("node")] = len(l.Elements()) > 1
	}
	refused = make(map[string]bool)
	for _, c := range u.config {
		if c.Name.Local != "configure" {
			continue
		}
		node := c.Attr("node")
		ok, err := u.node(node, c, many[node])
		if err != nil {
			return nil, err
		}
		refused[node] = !ok
	}
	return refused, nil
}

func (u *incoming) publish(node string, l *wire.Element) error {
	for _, it := range l.Elements() {
		if it.Name.Local != "item" {
			continue
		}
		id := it.Attr("id")
		if node == nodePictureInfo && u.lost[id] { // reported already; contacts must not look for it in vain
			continue
		}
		item := wire.E(wire.NSPubSub, "item", it.Elements()...).Set("id", id)
		_, err := u.h.Do(u.ctx, u.name, "set",
			wire.E(wire.NSPubSub, "pubsub", wire.E(wire.NSPubSub, "publish", item).Set("node", node)))
		kind, what := itemOf(node)
		if err != nil && node == nodePicture {
			u.lost[id] = true
		}
		if node == nodePictureInfo && err == nil { // the picture itself is counted
			continue
		}
		if err := u.problem(kind, what, err); err != nil {
			return err
		}
	}
	return nil
}

// itemOf gives the kind of a node's items, and the name of one.
func itemOf(node string) (kind, what string) {
	switch node {
	case nodePicture, nodePictureInfo:
		return kindPictures, "the picture"
	case nodeCard:
		return kindCards, "the card"
	case "storage:bookmarks", "urn:xmpp:bookmarks:1", "urn:xmpp:bookmarks:0":
		return kindBookmarks, "a bookmark"
	}
	return kindItems, "an item of node " + node
}

// people imports who else may do what with a node, or subscribes to it, without the account's own ownership.
func (u *incoming) people(c *wire.Element) error {
	l := people(c)
	l.Nodes = slices.DeleteFunc(l.Nodes, func(n wire.Node) bool {
		if n.Element == nil {
			return true
		}
		j, err := jid.Parse(n.Element.Attr("jid"))
		return err == nil && j.Bare() == u.self && n.Element.Attr("affiliation") != "" &&
			n.Element.Attr("affiliation") != "none"
	})
	if len(l.Elements()) == 0 {
		return nil
	}
	return u.do(kindNodes, c.Name.Local+" of node "+c.Attr("node"), wire.E(nsOwner, "pubsub", l))
}

// people reads a list of affiliations or subscriptions. COMPAT: Prosody 0.12 writes subscribed='subscribed'.
func people(c *wire.Element) *wire.Element {
	l := wire.E(nsOwner, c.Name.Local).Set("node", c.Attr("node"))
	for _, p := range c.Elements() {
		state := p.Attr("subscription")
		if state == "" {
			state = p.Attr("subscribed")
		}
		l.Add(wire.E(nsOwner, p.Name.Local).Set("jid", p.Attr("jid")).Set("affiliation", p.Attr("affiliation")).
			Set("subscription", state))
	}
	return l
}

// node makes a node; false if it could not be made as it was.
func (u *incoming) node(name string, c *wire.Element, many bool) (bool, error) {
	f := form.New(form.Submit, nsConfig)
	if x := c.Child(wire.NSForm, "x"); x != nil {
		was, err := form.Parse(x)
		if err != nil {
			u.report.problem(kindNodes, "%s: node %s: its configuration is malformed", u.self, name)
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
		_, err := u.h.Do(u.ctx, u.name, "set", wire.E(wire.NSPubSub, "pubsub",
			wire.E(wire.NSPubSub, "create").Set("node", name), wire.E(wire.NSPubSub, "configure", f.Element())))
		if is(err, stanza.Conflict) { // it exists, or every account has it
			_, err = u.h.Do(u.ctx, u.name, "set",
				wire.E(nsOwner, "pubsub", wire.E(nsOwner, "configure", f.Element()).Set("node", name)))
			if is(err, stanza.NotAllowed) {
				err = nil // and it cannot be configured
			}
		}
		return err
	}
	err := set(f)
	if is(err, stanza.NotAcceptable) { // a value does not exist here: what matters is who may see the node
		least := form.New(form.Submit, nsConfig)
		if a := f.Get("pubsub#access_model"); a != "" {
			least.Add("pubsub#access_model", "", "", a)
		}
		least.Add("pubsub#max_items", "", "", "max")
		err = set(least)
	}
	if err == nil {
		return true, nil
	}
	return false, u.problem(kindNodes, "node "+name+" with all its items", err)
}

func is(err error, c stanza.Condition) bool {
	var se stanza.Error
	return errors.As(err, &se) && se.Condition == c
}
