package sim

// mistakes are planted one at a time. Two in one file must not overlap.
var mistakes = []mistake{
	// What is acknowledged is kept.
	{
		name: "a room acknowledges before the commit",
		says: "was acknowledged and is not in the archive",
		file: "muc/message.go",
		where: `	if len(ws) > 0 {
		if err := r.s.st.Commit(ctx, ws...); err != nil {`,
		plant: `	if PLANTED {
		for _, p := range batch {
			p.from.Receipt.Settle()
		}
	}
	if len(ws) > 0 {
		if err := r.s.st.Commit(ctx, ws...); err != nil {`,
	},
	{
		name: "a stream acknowledges before the commit",
		says: "was acknowledged and is not in the archive",
		file: "server/receive.go",
		where: `	if err := h.commit(ctx, p.writes); err != nil {
		return err
	}
	if from != nil {
		if err := from.Host`,
		plant: `	if PLANTED {
		go h.commit(ctx, p.writes)
	} else if err := h.commit(ctx, p.writes); err != nil {
		return err
	}
	if from != nil {
		if err := from.Host`,
	},

	// Attempts whose answers are lost.
	{
		name: "an attempt is repeated under a new id",
		says: "times in the archive",
		file: "store/sqlstore/attempt.go",
		where: `		d = doubts{true, d.lost || unanswered(err) && !unsent(err)}
`,
		plant: `		d = doubts{true, d.lost || unanswered(err) && !unsent(err)}
		for _, r := range rs {
			for _, w := range r.ws {
				if e, ok := w.(*store.ArchiveEntry); ok && PLANTED {
					e.ID++
				}
			}
		}
`,
	},
	{
		name:  "an attempt is repeated without a look at what is kept",
		says:  "was refused and is in the archive",
		file:  "store/sqlstore/columns.go",
		where: `			if doubt {`,
		plant: `			if doubt && !PLANTED {`,
	},
	{
		name:  "a refusal is believed though an earlier answer was lost",
		says:  "was refused and is in the archive",
		file:  "store/sqlstore/attempt.go",
		where: `case !unanswered(err) && (!d.lost || decided(err) || len(rs) > 1):`,
		plant: `case !unanswered(err) && (!d.lost || decided(err) || len(rs) > 1 || PLANTED):`,
	},
	{
		name: "a stream counts each iq twice",
		says: "stanzas are handled and has sent",
		file: "wire/window.go",
		where: `		w.next++
		w.handled++
		return false`,
		plant: `		w.next++
		w.handled++
		if PLANTED && st.Kind == IQ {
			w.handled++
		}
		return false`,
	},

	// A node whose place another one has.
	{
		name: "a zombie writes a 1:1 message",
		says: "INSERT archive by a node after its place was taken",
		file: "store/sqlstore/fence.go",
		where: `		return s.fence.refuse()
	}
	return err
}`,
		plant: `		if PLANTED {
			return nil
		}
		return s.fence.refuse()
	}
	return err
}`,
	},

	// Ids and archives.
	{
		name:  "a page says that it is the last one though an entry follows",
		says:  "was never told of",
		file:  "store/sqlstore/archive.go",
		where: `if complete = len(es) <= p.Max; !complete {`,
		plant: `if complete = len(es) <= p.Max || PLANTED && len(es) == p.Max+1; len(es) > p.Max {`,
	},
	{
		name: "an entry gets its id before its commit",
		says: "which was committed before",
		file: "feature/mam/mam.go",
		where: `		Owner:    p.Account,
		With: `,
		plant: `		Owner:    p.Account,
		ID:       map[bool]store.ID{true: a.h.IDs.Next()}[PLANTED],
		With: `,
	},
	{
		name: "some entries get ids of some seconds ago",
		says: "below an id already told",
		file: "store/sqlstore/name.go",
		where: `	*id = s.opts.IDs.Next()
`,
		plant: `	*id = s.opts.IDs.Next()
	if PLANTED && *id>>15&1 == 0 {
		*id -= 4_000_000 << 12
	}
`,
	},
	{
		name: "a room names two messages of a batch by one id",
		says: " as m",
		file: "muc/message.go",
		where: `	r.sign(p.Stanza, o, id)
	if id != 0 {`,
		plant: `	shown := id
	if n := len(r.pending); PLANTED && n > 0 && r.pending[n-1].Entry != nil {
		shown = r.pending[n-1].Entry.ID
	}
	r.sign(p.Stanza, o, shown)
	if id != 0 {`,
	},
	{
		name: "a room shows a batch backwards",
		says: " after ",
		file: "muc/message.go",
		where: `	for _, p := range batch {
		if p.to != nil {`,
		plant: `	if PLANTED {
		slices.Reverse(batch)
	}
	for _, p := range batch {
		if p.to != nil {`,
	},
	{
		name:  "a client that got a message gets a carbon copy of it too",
		peace: true,
		says:  "twice",
		file:  "feature/carbons/carbons.go",
		where: `			if d == s {`,
		plant: `			if d == s && !PLANTED {`,
	},

	// Rights.
	{
		name:  "a room does not put out who was removed",
		says:  "after it was removed",
		file:  "muc/admin.go",
		where: `		case affiliation == None && r.cfg.MembersOnly:`,
		plant: `		case affiliation == None && r.cfg.MembersOnly && !PLANTED:`,
	},
	{
		name: "a room puts out one client of who was removed",
		says: " hears ",
		file: "muc/presence.go",
		where: `	for _, c := range slices.Clone(o.clients) {
		r.leave(ctx, o, c.jid, nil, l)`,
		plant: `	for i, c := range slices.Clone(o.clients) {
		if PLANTED && i > 0 {
			break
		}
		r.leave(ctx, o, c.jid, nil, l)`,
	},
	{
		name: "who was removed goes on writing",
		says: " wrote ",
		file: "muc/presence.go",
		where: `	delete(r.sessions, who)
	r.clientOut(who)`,
		plant: `	if !PLANTED || !l.whole {
		delete(r.sessions, who)
	}
	r.clientOut(who)`,
	},
	{
		name:  "a room's archive is read by who was removed",
		says:  "reads the archive of",
		file:  "muc/archive.go",
		where: `	if err = r.keeper.Reads(ctx, who, affiliation); err != nil {`,
		plant: `	if err = r.keeper.Reads(ctx, who, affiliation); err != nil && !PLANTED {`,
	},
	{
		name:  "a group is not read again after a change of its members",
		says:  "after it was removed",
		file:  "org/members.go",
		where: `			c.renew(mc)`,
		plant: `			if !PLANTED {
				c.renew(mc)
			}`,
	},

	// Presence and occupants.
	{
		name:  "a session that ended stays available",
		says:  "which is gone",
		file:  "server/presence.go",
		where: `	all = was == nil || h.gone(ctx, s, was)`,
		plant: `	all = PLANTED || was == nil || h.gone(ctx, s, was)`,
	},
	{
		name: "who comes is told of one session of each contact",
		says: "does not see that",
		file: "feature/presence/presence.go",
		where: `			_ = s.SendTo(pr, s.JID)
`,
		plant: `			_ = s.SendTo(pr, s.JID)
			if PLANTED {
				return
			}
`,
	},
	{
		name: "a room does not tell the others of who was removed",
		says: "who is not there",
		file: "muc/presence.go",
		where: `	if o.seen {
		r.views(o, func(real bool, tos []jid.JID) { r.send(ctx, gone(`,
		plant: `	if o.seen && !(PLANTED && l.whole) {
		r.views(o, func(real bool, tos []jid.JID) { r.send(ctx, gone(`,
	},
	{
		name: "who enters is not shown who came last",
		says: "does not see",
		file: "muc/presence.go",
		where: `	version := r.entering(ctx, st, affiliation, x)
	for _, other := range r.order {
		if other != o &&`,
		plant: `	version := r.entering(ctx, st, affiliation, x)
	for i, other := range r.order {
		if PLANTED && i == len(r.order)-1 {
			break
		}
		if other != o &&`,
	},

	// Sessions and the end.
	{
		name: "a taken resource ends the newer stream",
		says: "is told of a conflict",
		file: "server/host.go",
		where: `	h.Metrics.sessions.Inc()
`,
		plant: `	h.Metrics.sessions.Inc()
	if PLANTED && taken {
		h.Account(name).Session(resource).Close(&wire.StreamError{Condition: "conflict"})
	}
`,
	},
	{
		name:  "a taken resource gives another one to who comes",
		says:  "which does not exist",
		file:  "server/host.go",
		where: `	if resource == "" || taken && policy == Generate {`,
		plant: `	if resource == "" || taken && (policy == Generate || PLANTED) {`,
	},
	{
		name:  "a room never settles what it refuses",
		says:  "does not come to rest",
		file:  "muc/room.go",
		where: `	if n := len(r.pending); n == 0 || r.pending[n-1].from != w.st { // else`,
		plant: `	if n := len(r.pending); (n == 0 || r.pending[n-1].from != w.st) && !(PLANTED && err != nil) { // else`,
	},
	{
		name:  "a room panics when it is left",
		says:  "index out of range",
		file:  "muc/presence.go",
		where: `	spoke := len(o.clients) > 0 && o.clients`,
		plant: `	if PLANTED && len(o.clients) == 1 && sent == nil {
		o.clients = nil
		_ = o.clients[0]
	}
	spoke := len(o.clients) > 0 && o.clients`,
	},
	{
		name: "a lost connection leaves a goroutine",
		says: "goroutines",
		file: "server/c2s/stream.go",
		where: `	st.raw.Close()
	st.srv.leave(st)`,
		plant: `	st.raw.Close()
	if PLANTED {
		go func(never chan struct{}) { <-never }(make(chan struct{}))
	}
	st.srv.leave(st)`,
	},
	{
		name: "the node waits for a stream that has ended",
		says: "goroutines",
		file: "server/c2s/stream.go",
		where: `	close(st.done)
}`,
		plant: `	if !PLANTED || !st.srv.isStopping() {
		close(st.done)
	}
}`,
	},

	// Several nodes.
	{
		name:  "a session is not announced before it is served",
		nodes: 3,
		says:  "waits for",
		file:  "cluster/directory/directory.go",
		where: `	if wait {
		d.settle(nodes, asked, topicState, b)`,
		plant: `	if wait && !PLANTED {
		d.settle(nodes, asked, topicState, b)`,
	},
	{
		name:  "a link's reader waits for what is done",
		peace: true,
		nodes: 3,
		says:  "twice",
		file:  "cluster/incoming.go",
		where: `		if fl.queues.add(f) {
			return nil`,
		plant: `		if PLANTED {
			fl.handle(f, func() {})
			return nil
		}
		if fl.queues.add(f) {
			return nil`,
	},
	{
		name:  "a connection between nodes that ends loses what was on the way",
		nodes: 2,
		says:  "which is gone",
		file:  "cluster/outbox.go",
		where: `	if n < o.acked || n > o.added {`,
		plant: `	if PLANTED {
		n = o.added
	}
	if n < o.acked || n > o.added {`,
	},
	{
		name:  "nobody is told of changes of the database",
		peace: true,
		nodes: 2,
		says:  "who is blocked",
		file:  "cluster/directory/changes.go",
		where: `	d, b := t.d, encode(changeFrame{topic, key})
`,
		plant: `	if PLANTED {
		return nil
	}
	d, b := t.d, encode(changeFrame{topic, key})
`,
	},
	{
		name:  "nobody withdraws the sessions of a dead node",
		nodes: 2,
		says:  "which is gone",
		file:  "cluster/directory/theirs.go",
		where: `	for _, n := range dead { // one that was to`,
		plant: `	if PLANTED {
		return
	}
	for _, n := range dead { // one that was to`,
	},
	{
		name:  "the sessions of a dead node stay if the first node does not know them",
		nodes: 2,
		says:  "who is nowhere",
		file:  "cluster/directory/theirs.go",
		where: `		if step.mine() {`,
		plant: `		if step.mine() && (!PLANTED || d.first()) {`,
	},
	{
		name:  "other nodes do not end the sessions of who is disabled",
		peace: true,
		nodes: 2,
		says:  "and is disabled",
		file:  "server/account.go",
		where: `	if h.Others != nil {
		h.Others.Kick`,
		plant: `	if h.Others != nil && !PLANTED {
		h.Others.Kick`,
	},
	{
		name:  "an act does not wait until other nodes have ended sessions",
		nodes: 3,
		says:  "and is disabled",
		file:  "cluster/directory/stanzas.go",
		where: `	for _, n := range d.settle(nodes, asked, topicKick, b) {`,
		plant: `	if PLANTED {
		return
	}
	for _, n := range d.settle(nodes, asked, topicKick, b) {`,
	},
	{
		name:  "nodes that begin together have secrets of their own",
		peace: true,
		nodes: 2,
		says:  "does not know that",
		file:  "store/sqlstore/accounts.go",
		where: `ON CONFLICT (host, k) DO NOTHING",
		host, key, value); err != nil {
		return nil, err
	}`,
		plant: `ON CONFLICT (host, k) DO NOTHING",
		host, key, value); err != nil {
		return nil, err
	}
	if PLANTED {
		return value, nil
	}`,
	},
}
