package pubsub

import (
	"context"
	"errors"
	"sync"
	"time"

	"mellium.im/xmpp/stanza"

	"parley/org"
	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// Groups appear as spaces (XEP-0503): every group is a node of the service `spaces.<host>`, made for each asker from
// what they may know. Nothing is stored: the members are the subscribers, the roles the affiliations, the themes the
// items.

const (
	nsSpaces     = "urn:xmpp:spaces:0"
	nsPubSubFilt = "urn:xmpp:pubsub-filter:0"
	nsBookmarks  = "urn:xmpp:bookmarks:1"
	nsPinning    = "urn:xmpp:bookmarks-pinning:0"
)

// SpacesConfig holds what NewSpaces needs.
type SpacesConfig struct {
	Host  *server.Host
	Store Store
	Org   *org.Org
	// URL returns the beginning of the addresses of photos, before <host>/<group>/<hash>; nil: there are no photos.
	URL func() string
}

// Spaces is the service of spaces of one host.
type Spaces struct {
	cfg    SpacesConfig
	h      *server.Host
	st     Store
	o      *org.Org
	jid    jid.JID
	engine engine // parses requests, for pages and items
	events chan *happened
	asked  sync.Map // membership: changes that a person asked for and whose answer they get

	mu    sync.Mutex
	noted int64         // how many events were noted
	told  int64         // how many of them have been told of
	moved chan struct{} // closed when told rises
}

// happened is an event with its place among all.
type happened struct {
	org.Event
	place int64 // from 1
}

// request is a request that may change something. Its answer comes after the notifications of earlier changes, and
// before those of its own.
type request struct {
	answered chan struct{} // closed when it is answered
	first    int64         // the place of the first event that it has caused; 0: there is none. Under Spaces.mu
}

// membership is a person in a group.
type membership struct {
	group string
	who   jid.JID
}

// NewSpaces returns the service. Open puts it on the router. Install its Feature before anything changes.
func NewSpaces(c SpacesConfig) *Spaces {
	s := &Spaces{cfg: c, h: c.Host, st: c.Store, o: c.Org, events: make(chan *happened, maxEvents),
		moved:  make(chan struct{}),
		engine: engine{h: c.Host, st: c.Store, limits: Limits{}.withDefaults(0), def: serviceDefault}}
	c.Org.Subscribe(s.note)
	return s
}

// Open puts the service on the router and into the host's disco#items. It fails if the domain is taken.
func (s *Spaces) Open() (err error) {
	if s.jid, err = jid.New("", org.SpacesDomain(s.h.Domain), ""); err != nil {
		return err
	}
	if err := s.h.Router.Add(s.jid.Domain(), s); err != nil {
		return err
	}
	s.h.AddItem(server.Item{JID: s.jid, Name: "Spaces"})
	return nil
}

// Feature returns the accounts' part of the service: the list of a person's spaces that Movim reads, and the worker
// that sends notifications.
func (s *Spaces) Feature() *server.Feature {
	return &server.Feature{
		Name: "spaces",
		XEP: []server.XEP{{
			Number:  503,
			Title:   "Server-side spaces",
			Version: "0.3.0",
			Notes:   "spaces are the groups; no banners",
			Partial: true,
		}},
		PEP: []server.PEPNode{{Name: nodeMovim, Access: "whitelist", Items: s.subscriptionItems,
			Publish: s.keepExtensions, Retract: func(context.Context, string, string) error { return nil }}},
		Run: s.run,
	}
}

// spacesFeatures lists the features that XEP-0503, section 4, requires, and further ones.
var spacesFeatures = func() []string {
	fs := []string{
		wire.NSPubSub, nsSpaces, wire.NSDiscoInfo, wire.NSDiscoItems, wire.NSRSM, wire.NSCommands,
		nsPubSubFilt, "urn:xmpp:ping",
	}
	for _, n := range []string{
		"access-authorize", "access-open", "access-whitelist", "config-node", "create-nodes", "delete-items",
		"delete-nodes", "get-pending", "instant-nodes", "item-ids", "manage-subscriptions", "member-affiliation",
		"meta-data", "modify-affiliations", "multi-items", "outcast-affiliation", "persistent-items", "publish",
		"publisher-affiliation", "retract-items", "retrieve-affiliations", "retrieve-items", "retrieve-subscriptions",
		"rsm", "subscribe", "subscription-notifications",
	} {
		fs = append(fs, wire.NSPubSub+"#"+n)
	}
	return fs
}()

// olderTold is how long an answer waits for the notifications of earlier changes.
const olderTold = 5 * time.Second

// afterOlder returns when the changes that came before those of a request have been told of. Otherwise the client that
// has changed a space would get an older state of it after its answer.
func (s *Spaces) afterOlder(ctx context.Context, r *request) {
	ctx, cancel := context.WithTimeout(ctx, olderTold)
	defer cancel()
	for {
		s.mu.Lock()
		over, moved := s.told >= r.first-1, s.moved
		s.mu.Unlock()
		if over {
			return
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return
		}
	}
}

// Receive takes a stanza to the service.
func (s *Spaces) Receive(ctx context.Context, st *wire.Stanza) error {
	if st.Kind == wire.Presence {
		return nil
	}
	if st.To != s.jid {
		return server.ServiceUnavailable
	}
	if st.Kind == wire.Message {
		if st.Type == "error" || st.Type == "headline" {
			return nil
		}
		if x := st.Element(wire.NSForm, "x"); x != nil {
			return s.answer(ctx, st.From, x)
		}
		return server.ServiceUnavailable
	}
	if !st.Receipt.Earlier(ctx) { // the sender's earlier stanzas in groups' rooms come first
		return server.ResourceConstraint
	}
	if st.Type != "set" {
		return server.AnswerIQ(ctx, s.h.Router, st, s.serve)
	}
	r := &request{answered: make(chan struct{})}
	defer close(r.answered)
	return server.AnswerIQ(org.WithCause(ctx, r), s.h.Router, st,
		func(ctx context.Context, st *wire.Stanza, e *wire.Element) (*wire.Element, error) {
			out, err := s.serve(ctx, st, e)
			s.afterOlder(ctx, r)
			return out, err
		})
}

func (s *Spaces) serve(ctx context.Context, st *wire.Stanza, e *wire.Element) (*wire.Element, error) {
	if ss := s.h.Router.Session(st.From); ss != nil {
		ss.Set(server.Spaces)
	}
	node := e.Attr("node")
	switch st.Type + " " + e.Name.Space + " " + e.Name.Local {
	case "set " + wire.NSCommands + " command":
		return server.RunCommand(ctx, s.commands(), st.From, e)
	case "get " + wire.NSDiscoInfo + " query":
		if c := server.CommandInfo(s.commands(), node); c != nil {
			return c, nil
		}
		if node != "" {
			return s.info(ctx, st.From, node)
		}
		i := server.Info{
			Identities: []server.Identity{{Category: "pubsub", Type: "service", Name: "Spaces"}},
			Features:   spacesFeatures,
		}
		return i.Element(""), nil
	case "get " + wire.NSDiscoItems + " query":
		if c := server.CommandItems(ctx, s.commands(), st.From, s.jid, node); c != nil {
			return c, nil
		}
		if node != "" {
			return s.itemNames(ctx, st.From, node)
		}
		return s.list(ctx, st.From, e)
	case "get urn:xmpp:ping ping":
		return nil, nil
	case "get " + wire.NSPubSub + " pubsub", "set " + wire.NSPubSub + " pubsub":
		return s.do(ctx, st, e, spacesVerbs)
	case "get " + nsOwner + " pubsub", "set " + nsOwner + " pubsub":
		return s.do(ctx, st, e, spacesOwnerVerbs)
	}
	return nil, stanza.Error{Type: stanza.Cancel, Condition: stanza.ServiceUnavailable}
}

// list returns the spaces that the asker may know of (XEP-0503, section 5.1). A filter that excludes spaces (XEP-0462)
// gives an empty list.
func (s *Spaces) list(ctx context.Context, who jid.JID, e *wire.Element) (*wire.Element, error) {
	q := wire.E(wire.NSDiscoItems, "query")
	if f := e.Child(nsPubSubFilt, "filter"); f != nil {
		ok, err := filterHasSpaces(f)
		if err != nil || !ok {
			return q, err
		}
	}
	p, set, err := ask{engine: &s.engine}.page(e, q)
	if err != nil {
		return nil, err
	}
	gs, err := s.o.VisibleGroups(ctx, s.h.Domain, who, everything)
	if err != nil {
		return nil, err
	}
	all := make([]server.PEPItem, len(gs))
	for i, g := range gs {
		all[i] = server.PEPItem{ID: g.ID, Payload: []byte(g.Name)}
	}
	if set == nil {
		p.Max = server.MaxUnpaged
	}
	items, total, err := pageOf(all, p)
	if errors.Is(err, store.ErrNotFound) {
		return nil, server.ItemNotFound
	}
	if err != nil {
		return nil, err
	}
	if set != nil && set.onlyCount {
		items = nil
	}
	for _, it := range items {
		q.Add(wire.E(wire.NSDiscoItems, "item").Set("jid", s.jid.String()).Set("node", it.ID).
			Set("name", string(it.Payload)))
	}
	if set != nil || len(items) < total {
		q.Add(rsm(items, total))
	}
	return q, nil
}

// space is one node as one asker sees it.
type space struct {
	*Spaces
	from  jid.JID
	group store.Group
	aff   string // as org calls it
	role  string // role as a member; "": not a member
}

// load returns a space, or item-not-found if the asker may not know of it.
func (s *Spaces) load(ctx context.Context, who jid.JID, node string) (*space, error) {
	if node == "" {
		return nil, errNodeRequired
	}
	ok, err := s.o.Visible(ctx, s.h.Domain, node, "", who)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, server.ItemNotFound
	}
	sp := &space{Spaces: s, from: who}
	if sp.group, err = s.o.GroupByID(ctx, s.h.Domain, node); err != nil {
		return nil, err
	}
	if sp.aff, err = s.o.Affiliation(ctx, s.h.Domain, node, "", who); err != nil {
		return nil, err
	}
	sp.role, err = s.o.RoleOf(ctx, s.h.Domain, node, who)
	return sp, err
}

// led returns a space if the asker moderates its group; otherwise the error is forbidden.
func (s *Spaces) led(ctx context.Context, who jid.JID, node string) (*space, error) {
	sp, err := s.load(ctx, who, node)
	if err != nil {
		return nil, err
	}
	if sp.aff != org.Owner && sp.aff != org.Admin {
		return nil, server.Forbidden
	}
	return sp, nil
}

func (s *Spaces) owned(ctx context.Context, who jid.JID, node string) (*space, error) {
	sp, err := s.load(ctx, who, node)
	if err != nil {
		return nil, err
	}
	if sp.aff != org.Owner {
		return nil, server.Forbidden
	}
	return sp, nil
}
