package messages

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

const (
	// lookBack is how many entries before a correction or a reply are searched for what it names by its id attribute,
	// which archives have no index of. A correction follows soon.
	lookBack = 1000
	// maxChanges is how many corrections or reactions of a page's messages are read; of more, the newest.
	maxChanges = 2000
)

// conversation is one that is read for somebody.
type conversation struct {
	st    Store
	in    store.Conversation
	start time.Time // earlier messages are not the reader's to see; zero: all are
	since store.ID  // the first id of that time
}

func (c *conversation) isRoom() bool { return c.in.Room != "" }

// parse reads an entry.
func (c *conversation) parse(e store.Archived) *part {
	st, err := wire.ParseStanza(e.Stanza, limits)
	if err != nil {
		return &part{e: e}
	}
	p := read(st)
	p.e, p.m.ID, p.m.At, p.sender = e, e.ID, e.ID.Time(), e.Sender
	p.e.Stanza = nil // it may be large
	if c.isRoom() {
		if j, err := jid.Parse(e.Sender); err == nil && j.Local() != "" {
			p.m.By.Address = e.Sender
		}
		if p.who == "" {
			p.who = e.Sender
		}
	} else {
		p.m.Incoming = st.From.Bare().String() != c.in.Owner+"@"+c.in.Host
	}
	if p.m.Removed != nil && e.Refers != "" {
		p.is, p.refers = buried, e.Refers
	}
	return p
}

// same says whether the same person said both: in a room by the occupant-ids, which another account of the same
// address does not have.
func (c *conversation) same(a, b *part) bool {
	if x, y := a.m.By.Occupant, b.m.By.Occupant; c.isRoom() && (x == "" || y == "") {
		return a.sender != "" && a.sender == b.sender
	}
	return a.who != "" && a.who == b.who
}

// folding makes messages of the entries of a page.
type folding struct {
	*conversation
	parts   []*part
	targets map[string]*part   // by the id that a reply has
	orphans map[*part]bool     // corrections without their message
	changes map[string][]*part // what refers to an id, in order of time
	former  map[string]store.ID
}

// fold gives the messages of a page, of which parts are the entries in order of time.
func (c *conversation) fold(ctx context.Context, parts []*part) ([]Message, error) {
	f := c.folding(parts)
	return f.messages(ctx, f.findOriginals, f.findTargets, f.findCorrections, f.findReactions)
}

func (c *conversation) folding(parts []*part) *folding {
	return &folding{
		conversation: c,
		parts:        parts,
		targets:      make(map[string]*part),
		orphans:      make(map[*part]bool),
		changes:      make(map[string][]*part),
		former:       make(map[string]store.ID),
	}
}

// messages looks up what the messages need, and gives them.
func (f *folding) messages(ctx context.Context, steps ...func(context.Context) error) ([]Message, error) {
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	var out []Message
	for _, p := range f.parts {
		if !f.shown(p) {
			continue
		}
		m, ok, err := f.message(ctx, p)
		if err != nil {
			return nil, err
		}
		if ok {
			out = append(out, m)
		}
	}
	return out, nil
}

// findOriginals finds the corrections on the page whose message is neither on it nor before it: they are shown by
// themselves.
func (f *folding) findOriginals(ctx context.Context) error {
	var names []string
	var lost []*part
	before := store.ID(0)
	for _, p := range f.parts {
		if p.is != corrects || f.original(f.parts, p) != nil {
			continue
		}
		lost, names, before = append(lost, p), append(names, p.refers), max(before, p.e.ID)
	}
	if len(lost) == 0 {
		return nil
	}
	found, err := f.named(ctx, names, before)
	if err != nil {
		return err
	}
	for _, p := range lost {
		if f.original(found, p) == nil {
			f.orphans[p] = true
		}
	}
	return nil
}

// original gives the message that a correction corrects: the newest before it of its author that has the id.
func (c *conversation) original(among []*part, of *part) *part {
	for _, p := range slices.Backward(among) {
		if p.is == says && p.m.Own == of.refers && p.e.ID < of.e.ID && p.e.ID >= c.since && c.same(p, of) {
			return p
		}
	}
	return nil
}

// named reads the entries before an id that have one of some id attributes.
func (c *conversation) named(ctx context.Context, names []string, before store.ID) ([]*part, error) {
	slices.Sort(names)
	es, err := c.st.Named(ctx, c.in, slices.Compact(names), before, lookBack)
	if err != nil {
		return nil, err
	}
	all := make([]*part, 0, len(es))
	for _, e := range es {
		all = append(all, c.parse(e))
	}
	return all, nil
}

// findTargets finds the messages that others on the page reply to.
func (f *folding) findTargets(ctx context.Context) error {
	var ids []store.ID
	var names []string
	newest := store.ID(0)
	for _, p := range f.parts {
		if p.reply == "" || f.targets[p.reply] != nil {
			continue
		}
		if t := f.onPage(p.reply); t != nil {
			f.targets[p.reply] = t
			continue
		}
		if id, err := store.ParseID(p.reply); err == nil && f.isRoom() {
			ids = append(ids, id)
			continue
		}
		names, newest = append(names, p.reply), max(newest, p.e.ID)
	}
	if len(ids) > 0 {
		es, err := f.st.Entries(ctx, f.in, ids)
		if err != nil {
			return err
		}
		for _, e := range es {
			f.targets[e.ID.String()] = f.parse(e)
		}
	}
	if len(names) == 0 {
		return nil
	}
	found, err := f.named(ctx, names, newest)
	for _, p := range found {
		f.targets[p.m.Own] = p
	}
	return err
}

// onPage gives the message on the page that a reply names: in a room by its archive id, as XEP-0461 has it, or by the
// id attribute or the origin-id.
func (f *folding) onPage(id string) *part {
	for _, p := range slices.Backward(f.parts) {
		if p.is == says && (f.isRoom() && p.e.ID.String() == id || p.m.Own == id || p.m.Origin == id) {
			return p
		}
	}
	return nil
}

// shown says whether an entry becomes a message.
func (f *folding) shown(p *part) bool { return p.is == says || f.orphans[p] }

// findCorrections reads what corrects the messages. They are named by the id attribute. In a chat reactions name that,
// too, and come along.
func (f *folding) findCorrections(ctx context.Context) error {
	var ids []string
	for _, p := range f.parts {
		if !f.shown(p) || p.m.Removed != nil {
			continue
		}
		if ids = append(ids, p.m.Own); f.orphans[p] {
			ids = append(ids, p.refers)
		}
		if !f.isRoom() {
			ids = append(ids, p.m.Origin)
		}
	}
	for _, t := range f.targets {
		ids = append(ids, t.m.Own)
	}
	return f.refer(ctx, ids)
}

// findReactions reads the reactions of a room, which name the archive id. They are asked for by themselves, so that
// many of them hide no correction.
func (f *folding) findReactions(ctx context.Context) error {
	if !f.isRoom() {
		return nil
	}
	var ids []string
	for _, p := range f.parts {
		if f.shown(p) && p.m.Removed == nil {
			ids = append(ids, p.e.ID.String())
		}
	}
	return f.refer(ctx, ids)
}

// refer reads what refers to some ids.
func (f *folding) refer(ctx context.Context, ids []string) error {
	slices.Sort(ids)
	ids = slices.DeleteFunc(slices.Compact(ids), func(id string) bool { return id == "" || len(id) > maxID })
	for some := range slices.Chunk(ids, store.MaxReferred) {
		es, err := f.st.Referring(ctx, f.in, some, maxChanges)
		if err != nil {
			return err
		}
		for _, e := range es {
			if e.ID >= f.since {
				p := f.parse(e)
				f.changes[p.refers] = append(f.changes[p.refers], p)
			}
		}
	}
	return nil
}

// message gives a message as it is now. ok is false if a newer one stands for it.
func (f *folding) message(ctx context.Context, p *part) (m Message, ok bool, err error) {
	m = p.m
	defer func() { m.Version = f.version(p) }()
	if f.orphans[p] {
		m.Corrects, m.Edited = p.refers, m.At
		for _, c := range f.changes[p.refers] {
			if c.is == corrects && c.e.ID > p.e.ID && f.same(c, p) {
				return m, false, nil
			}
		}
	} else if err := f.correct(ctx, p, &m); err != nil {
		return m, false, err
	}
	if m.Removed != nil {
		return m, true, nil
	}
	if err := f.quote(ctx, p, &m); err != nil {
		return m, false, err
	}
	m.Reactions = reactionsOf(f.reactions(p))
	return m, true, nil
}

// version gives the id of the newest entry that changes a message, or its own. A change that does not count is one as
// well, so what is read later has no lower version.
func (f *folding) version(p *part) store.ID {
	newest := p.e.ID
	for _, name := range []string{p.m.Own, p.m.Origin, p.refers, p.e.ID.String()} {
		for _, c := range f.changes[name] {
			newest = max(newest, c.e.ID)
		}
	}
	return newest
}

// reactions gives the reactions to a message in order of time.
func (f *folding) reactions(p *part) []*part {
	if f.isRoom() {
		return f.changes[p.e.ID.String()]
	}
	all := f.changes[p.m.Own]
	if p.m.Origin != p.m.Own && len(f.changes[p.m.Origin]) > 0 {
		all = slices.Concat(all, f.changes[p.m.Origin])
		slices.SortFunc(all, byID)
	}
	return all
}

func byID(a, b *part) int { return cmp.Compare(a.e.ID, b.e.ID) }

// correct puts the newest correction of its author in the place of a message (XEP-0308, section 4). If a correction was
// retracted, the message was: its author, or a moderator, has seen the new text only.
func (f *folding) correct(ctx context.Context, p *part, m *Message) error {
	if m.Removed != nil || m.Own == "" || m.Kind == Subject {
		return nil
	}
	for _, c := range slices.Backward(f.changes[m.Own]) {
		if c.is != corrects && c.is != buried || c.e.ID <= p.e.ID || !f.same(c, p) {
			continue
		}
		if theirs, err := f.sameAccount(ctx, p); err != nil || !theirs {
			return err
		}
		if c.is == buried {
			*m = Message{ID: m.ID, Own: m.Own, Origin: m.Origin, At: m.At, By: m.By, Incoming: m.Incoming}
			m.Removed = c.m.Removed
			return nil
		}
		replace(m, c.m)
		return nil
	}
	return nil
}

// replace takes over what a correction says, and when. It stays a reply to the same message.
func replace(m *Message, by Message) {
	m.Text, m.Kind, m.Link, m.Files, m.Mentions = by.Text, by.Kind, by.Link, by.Files, by.Mentions
	m.Edited, m.Preview, m.Opens = by.At, by.Preview, by.Opens
	if by.Reply != nil {
		m.Reply = by.Reply
	}
}

// sameAccount says whether the address of a message's author still belongs to the same account: a new account of that
// name cannot change messages of a deleted one. Rooms tell them apart by occupant-ids.
func (f *folding) sameAccount(ctx context.Context, p *part) (bool, error) {
	if f.isRoom() && p.m.By.Occupant != "" || !p.m.Incoming && !f.isRoom() {
		return true, nil
	}
	deleted, ok := f.former[p.m.By.Address]
	if !ok {
		j, err := jid.Parse(p.m.By.Address)
		if err != nil {
			return false, nil
		}
		was, err := f.st.Former(ctx, j.Domain(), j.Local())
		switch {
		case err == nil:
			deleted = store.FirstID(was.Deleted)
		case !errors.Is(err, store.ErrNotFound):
			return false, err
		}
		f.former[p.m.By.Address] = deleted
	}
	return p.e.ID >= deleted, nil
}

// quote fills in what a message replies to, as that is now.
func (f *folding) quote(ctx context.Context, p *part, m *Message) error {
	if m.Reply == nil {
		return nil
	}
	re := *m.Reply
	m.Reply = &re
	t := f.targets[re.ID]
	if t == nil || t == p || t.e.ID < f.since || t.is != says && t.is != corrects && t.is != buried {
		return nil
	}
	now := t.m
	if err := f.correct(ctx, t, &now); err != nil {
		return err
	}
	re.ID, re.Author, re.By = t.e.ID.String(), now.By, now.By.Name()
	re.Gone = now.Removed != nil
	re.Text = shorten(now.Short(), maxQuote)
	if re.Gone {
		re.Text = ""
	}
	return nil
}
