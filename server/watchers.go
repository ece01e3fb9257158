package server

import (
	"context"
	"slices"
	"strings"
	"sync"

	"parley/internal/everywhere"
	"parley/wire"
	"parley/wire/jid"
)

// Clients of people on other servers follow nodes as ours do (XEP-0163, section 4). The server knows of them only by
// their presence, so this file holds only those that showed themselves to an account of the host.

// The limits on what the server remembers of clients of other servers.
const (
	maxWatchers  = 50_000 // clients in all
	maxResources = 20     // clients per bare address
	maxAsking    = 100    // questions at a time
)

// watchers holds the clients of other servers, by their bare and full addresses.
type watchers struct {
	mu     sync.Mutex
	by     map[jid.JID][]*watcher
	n      int
	asking int
	later  []jid.JID // clients to ask when fewer questions are open
}

type watcher struct {
	who      jid.JID
	wants    *wanted            // nil: not known yet
	accounts map[string]*wanted // the accounts that see it, each with what it was last told about; nil: nothing
	asked    capsKey            // what it is being asked about; zero: nothing
	later    *laterQuestion     // what to ask it when fewer questions are open; nil: nothing
}

type laterQuestion struct {
	account, node string
	key           capsKey
}

func (w *watchers) find(who jid.JID) *watcher {
	for _, c := range w.by[who.Bare()] {
		if c.who == who {
			return c
		}
	}
	return nil
}

func (w *watchers) dropLocked(gone *watcher) {
	if gone.asked != (capsKey{}) {
		w.asking--
	}
	bare := gone.who.Bare()
	left := slices.DeleteFunc(w.by[bare], func(c *watcher) bool { return c == gone })
	w.n--
	if len(left) == 0 {
		delete(w.by, bare)
	} else {
		w.by[bare] = left
	}
}

// addLocked returns the watcher of an address that this account sees, or nil if there is no room for another one.
func (w *watchers) addLocked(who jid.JID, account string) *watcher {
	if c := w.find(who); c != nil {
		if _, sees := c.accounts[account]; !sees {
			c.accounts[account] = nil
		}
		return c
	}
	bare := who.Bare()
	if w.n >= maxWatchers || len(w.by[bare]) >= maxResources {
		return nil
	}
	if w.by == nil {
		w.by = make(map[jid.JID][]*watcher)
	}
	c := &watcher{who: who, accounts: map[string]*wanted{account: nil}}
	w.by[bare] = append(w.by[bare], c)
	w.n++
	return c
}

// Watching returns the clients of somebody on another server that follow a node.
func (h *Host) Watching(bare jid.JID, node string) []jid.JID {
	w := &h.watchers
	w.mu.Lock()
	defer w.mu.Unlock()
	var whos []jid.JID
	for _, c := range w.by[bare] {
		if c.wants == nil {
			continue
		}
		if _, ok := slices.BinarySearch(c.wants.nodes, node); ok {
			whos = append(whos, c.who)
		}
	}
	return whos
}

// Watchers returns the clients of somebody on another server, and the nodes that they follow.
func (h *Host) Watchers(bare jid.JID) map[jid.JID][]string {
	w := &h.watchers
	w.mu.Lock()
	defer w.mu.Unlock()
	m := make(map[jid.JID][]string)
	for _, c := range w.by[bare] {
		if c.wants != nil {
			m[c.who] = c.wants.nodes
		}
	}
	return m
}

// watcherFrame says to other nodes what is known of a client of another server, whose presence comes to one node.
type watcherFrame struct {
	Account string
	Who     jid.JID
	Hash    string   `json:",omitempty"`
	Ver     string   `json:",omitempty"`
	Nodes   []string `json:",omitempty"`
	Gone    bool     `json:",omitempty"` // the account sees it no more
}

// Names under which other nodes hear of a watcher, and are asked for all that they know.
const (
	watcherName  = "watcher"
	watchersName = "watchers"
)

// maxTold is how many watchers a node that has joined is told of by each other one.
const maxTold = 20_000

// watchersElsewhere has watchers known on all nodes.
func (h *Host) watchersElsewhere() {
	everywhere.On(h.Everywhere, watcherName, func(_ context.Context, f watcherFrame) (any, error) {
		h.noteWatcher(f)
		return nil, nil
	})
	everywhere.On(h.Everywhere, watchersName, func(context.Context, struct{}) (any, error) {
		return h.watchersKnown(), nil
	})
}

// CatchUp asks the other nodes for what only they know, after this one may have missed what they told.
func (h *Host) CatchUp() {
	for _, all := range everywhere.Asked[[]watcherFrame](h.Everywhere, watchersName, struct{}{}) {
		for _, f := range all {
			h.noteWatcher(f)
		}
	}
}

func (h *Host) watchersKnown() (all []watcherFrame) {
	w := &h.watchers
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, cs := range w.by {
		for _, c := range cs {
			for account, told := range c.accounts {
				if told != nil && len(all) < maxTold {
					all = append(all, watcherFrame{account, c.who, told.key.hash, told.key.ver, told.nodes, false})
				}
			}
		}
	}
	return all
}

// noteWatcher notes what another node knows. That node does what follows from it.
func (h *Host) noteWatcher(f watcherFrame) {
	if f.Gone {
		h.unwatchHere(f.Account, f.Who)
		return
	}
	w := &h.watchers
	w.mu.Lock()
	defer w.mu.Unlock()
	if c := w.addLocked(f.Who, f.Account); c != nil {
		c.wants = &wanted{capsKey{f.Hash, f.Ver}, f.Nodes}
		c.accounts[f.Account] = c.wants
	}
}

// watch notes what a presence from another server's client to an account says of that client.
func (h *Host) watch(ctx context.Context, account string, st *wire.Stanza) {
	if st.From.IsBare() || h.Router.Host(st.From.Domain()) != nil {
		return
	}
	if st.Type == "unavailable" {
		h.unwatch(account, st.From)
		return
	}
	if !st.Has(wire.NSCaps, "c") {
		return
	}
	e := st.Element(wire.NSCaps, "c")
	key := capsKey{strings.Clone(e.Attr("hash")), strings.Clone(e.Attr("ver"))}
	if key.ver == "" || len(key.ver) > maxWantedLen || !h.watched(ctx, account, st.From) {
		return
	}
	if nodes, ok := h.known.Get(key); ok {
		h.watchers.mu.Lock()
		c := h.watchers.addLocked(st.From, account)
		h.watchers.mu.Unlock()
		if c != nil {
			h.watcherWants(ctx, account, st.From, &wanted{key, nodes})
		}
		return
	}
	node := strings.Clone(e.Attr("node"))
	if h.beginAsking(account, st.From, node, key) {
		who := st.From
		h.questions.ask(ctx, func(ctx context.Context) { h.askWatcher(ctx, account, who, node, key) })
	}
}

// watched reports whether it is worth knowing what somebody follows: one of the two sees the other's presence.
// Permission is checked when there is an event, and a subscription may come after the presence. For accounts without a
// session the contacts would have to be read for each presence; they ask when they come.
func (h *Host) watched(ctx context.Context, account string, who jid.JID) bool {
	if h.Account(account) == nil {
		h.watchers.mu.Lock()
		defer h.watchers.mu.Unlock()
		c := h.watchers.find(who)
		return c != nil
	}
	cs, err := h.Contacts(ctx, account)
	return err == nil && (cs.SubscribedFrom(who.Bare()) || cs.SubscribedTo(who.Bare()))
}

func (h *Host) unwatch(account string, who jid.JID) {
	if h.unwatchHere(account, who) {
		h.Everywhere.Tell(watcherName, watcherFrame{Account: account, Who: who, Gone: true})
	}
}

// unwatchHere is unwatch for this node. It returns false if the account did not see the client.
func (h *Host) unwatchHere(account string, who jid.JID) (saw bool) {
	w := &h.watchers
	w.mu.Lock()
	defer w.mu.Unlock()
	c := w.find(who)
	if c == nil {
		return false
	}
	_, saw = c.accounts[account]
	delete(c.accounts, account)
	if len(c.accounts) == 0 {
		w.dropLocked(c)
	}
	return saw
}

// beginAsking reports whether to ask a client now. If it is being asked already, the answer serves this account too; if
// too many questions are open, the client waits for its turn.
func (h *Host) beginAsking(account string, who jid.JID, node string, key capsKey) bool {
	w := &h.watchers
	w.mu.Lock()
	defer w.mu.Unlock()
	c := w.addLocked(who, account)
	if c == nil {
		return false
	}
	if c.wants != nil && c.wants.key == key && c.accounts[account] == c.wants {
		return false // the answer holds for this client alone and is known
	}
	if c.asked == key {
		return false
	}
	if w.asking >= maxAsking {
		if c.later == nil && len(w.later) < maxWatchers {
			w.later = append(w.later, who)
		}
		c.later = &laterQuestion{account, node, key}
		return false
	}
	w.askedLocked(c, key)
	return true
}

func (w *watchers) askedLocked(c *watcher, key capsKey) {
	if c.asked == (capsKey{}) {
		w.asking++
	}
	c.asked, c.later = key, nil
}

// askNext asks the clients whose turn has come.
func (h *Host) askNext(ctx context.Context) {
	w := &h.watchers
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.later) > 0 && w.asking < maxAsking {
		who := w.later[0]
		w.later = w.later[1:]
		if c := w.find(who); c != nil && c.later != nil {
			q := c.later
			w.askedLocked(c, q.key)
			h.questions.ask(ctx, func(ctx context.Context) { h.askWatcher(ctx, q.account, who, q.node, q.key) })
		}
	}
}

func (h *Host) askWatcher(ctx context.Context, account string, who jid.JID, node string, key capsKey) {
	from, err := jid.New(account, h.Domain, "")
	var nodes []string
	ok := false
	if err == nil {
		nodes, ok = h.askCaps(ctx, from, who, node, key)
	}
	w := &h.watchers
	w.mu.Lock()
	var accounts []string
	if c := w.find(who); c != nil && c.asked == key {
		c.asked = capsKey{}
		w.asking--
		for a := range c.accounts {
			accounts = append(accounts, a)
		}
		if !ok {
			w.dropLocked(c)
			for _, a := range accounts {
				h.Everywhere.Tell(watcherName, watcherFrame{Account: a, Who: who, Gone: true})
			}
		}
	}
	w.mu.Unlock()
	h.askNext(ctx)
	if ok {
		for _, a := range accounts {
			h.watcherWants(ctx, a, who, &wanted{key, nodes})
		}
	}
}

// watcherWants notes what a client follows and tells the features what is new in it, for one account.
func (h *Host) watcherWants(ctx context.Context, account string, who jid.JID, now *wanted) {
	w := &h.watchers
	w.mu.Lock()
	c := w.find(who)
	if c == nil {
		w.mu.Unlock()
		return
	}
	told, sees := c.accounts[account]
	if !sees { // it went away meanwhile
		w.mu.Unlock()
		return
	}
	added := now.nodes
	if told != nil {
		added = slices.DeleteFunc(slices.Clone(now.nodes), func(n string) bool {
			_, had := slices.BinarySearch(told.nodes, n)
			return had
		})
	}
	c.accounts[account], c.wants = now, now
	w.mu.Unlock()
	if told == nil || told.key != now.key {
		h.Everywhere.Tell(watcherName, watcherFrame{account, who, now.key.hash, now.key.ver, now.nodes, false})
	}
	if len(added) == 0 {
		return
	}
	for _, f := range h.Features {
		if f.WantsFrom != nil {
			f.WantsFrom(ctx, account, who, added)
		}
	}
}
