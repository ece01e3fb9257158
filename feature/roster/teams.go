package roster

import (
	"context"
	"slices"

	"parley/org"
	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// People of a team have each other as contacts, in a roster group with the team's name. These items are not stored;
// they are derived from the teams whenever a roster is read.

const maxEvents = 4096 // changes of teams that may wait to be pushed

// withTeams adds teams to the feature.
func (r *roster) withTeams(f *server.Feature) {
	o, host := r.cfg.Org, r.h.Domain
	r.h.SetTeammates(func(ctx context.Context, account string) ([]server.Teammate, string, error) {
		ms, version, err := o.Teammates(ctx, host, account)
		out := make([]server.Teammate, 0, len(ms))
		for _, m := range ms {
			if j, err := jid.New(m.Name, host, ""); err == nil {
				out = append(out, server.Teammate{JID: j, Name: m.FullName, Groups: m.Teams})
			}
		}
		return out, version, err
	})
	events := make(chan *org.TeamEvent, maxEvents)
	o.Subscribe(func(e org.Event) {
		if e.Kind != org.TeamChanged || e.Host != host {
			return
		}
		select {
		case events <- &e.Team:
		default:
			r.h.Log.Warn("too many changes of teams at once: some clients learn of theirs at their next sign-in")
		}
	})
	f.Run = func(ctx context.Context) error {
		for {
			select {
			case <-ctx.Done():
				return nil
			case e := <-events:
				r.teamChanged(ctx, *e)
			}
		}
	}
}

// teamChanged pushes the changes of rosters, and tells people who see each other from now on, or no longer, the
// presence.
func (r *roster) teamChanged(ctx context.Context, e org.TeamEvent) {
	in := func(list []string, name string) bool { return slices.Contains(list, name) }
	everyone := slices.Compact(slices.Sorted(slices.Values(slices.Concat(e.Before, e.Now))))
	renamed := org.TeamLabel(e.Was) != org.TeamLabel(e.Is)
	for _, name := range everyone {
		if len(r.h.Account(name).Sessions()) == 0 {
			continue
		}
		cs, err := r.h.Contacts(ctx, name)
		if ctx.Err() != nil { // the server stops: clients ask again when they come back
			return
		}
		if err != nil {
			r.h.Log.Error("cannot tell of a team", "account", name, "err", err)
			continue
		}
		_, kept := cs.All()
		stays := in(e.Before, name) && in(e.Now, name)
		for _, other := range everyone {
			if other == name || stays && !renamed && other != e.Person && in(e.Before, other) == in(e.Now, other) {
				continue
			}
			j, err := jid.New(other, r.h.Domain, "")
			if err != nil {
				continue
			}
			r.push(name, itemOrKept(cs, j), verOf(kept, cs.TeamVersion))
			was := in(e.Before, name) && in(e.Before, other)
			is := in(e.Now, name) && in(e.Now, other)
			if was != is {
				r.showMate(ctx, name, j, cs.SubscribedTo(j))
			}
		}
	}
}

// itemOrKept gives a contact's item as it is in the roster now, or its removal.
func itemOrKept(cs *server.Contacts, j jid.JID) *wire.Element {
	all, _ := cs.All()
	i := slices.IndexFunc(all, func(c store.Contact) bool { return c.JID == j.String() })
	if i >= 0 && all[i].InRoster {
		return item(all[i])
	}
	return removedItem(j.String())
}

// showMate gives an account the presence of a teammate or, if visible is false, makes the teammate unavailable.
func (r *roster) showMate(ctx context.Context, account string, who jid.JID, visible bool) {
	a := r.h.Account(account)
	self, err := jid.New(account, r.h.Domain, "")
	if err != nil || r.h.Blocked(ctx, who.Local(), self) {
		return
	}
	for _, s := range r.h.Account(who.Local()).Sessions() {
		pr, _ := s.Presence()
		if pr == nil {
			continue
		}
		if !visible {
			pr = about("unavailable", s.JID, who, "")
		}
		if r.h.MayReceive(ctx, pr, self) {
			r.h.Shown(a, pr)
		}
	}
}
