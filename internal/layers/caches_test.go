package layers

import (
	"go/ast"
	"go/types"
	"maps"
	"slices"
	"strings"
	"testing"
)

// The reasons why something that is remembered in memory need not be told of changes of the database.
const (
	here      = "what happens on this node: sessions, connections, what is under way"
	room      = "of a loaded room, which one node owns"
	waits     = "what waits to be written or sent"
	pace      = "paces and rates of this node"
	elsewhere = "what other servers or programs say"
	made      = "made of its key alone, or of files; nothing that is kept changes it"
	counted   = "numbers and states that are shown, some minutes old at most"
	startup   = "made when the node is built, and never changed"
	oneAct    = "of one act or request"
	same      = "never changes once it is kept"
)

// told says of which topics of package changes a cache is told.
func told(topics ...string) []string { return topics }

// caches are the fields that remember something between calls. A cache of what is in the database has the topics by
// which it is told of changes: its package registers them with On or Follow (package changes). Others have the reason.
var caches = map[string]any{
	"admin.Counts.of":                      counted,
	"admin/web.Server.thumbs":              made,
	"admin/web.assets.icons":               made,
	"admin/web.assets.pictures":            made,
	"admin/web.assets.zipped":              made,
	"admin/web.views.of":                   made,
	"auth.Places.m":                        "where people have signed in: it gives nobody a right; feature/places forgets those of deleted accounts",
	"auth.Throttle.m":                      pace,
	"feature/blocking.blocking.lists":      told("Blocklist", "Account", "Deleted"),
	"feature/bookmarks.Bookmarks.settings": told("Own", "Account"),
	"feature/inbox.notes.waiting":          waits,
	"feature/lastactivity.last.gone":       waits,
	"feature/mam.archive.prefs":            told("Own", "Account"),
	"feature/offline.offline.now":          here,
	"feature/previews.Service.known":       elsewhere,
	"feature/proxy65.Relay.conns":          here,
	"feature/proxy65.Relay.waiting":        here,
	"feature/push.Push.busy":               here,
	"feature/push.Push.called":             here,
	"feature/push.Push.kept":               here,
	"feature/push.Push.known":              told("Push", "Deleted"),
	"feature/push.Push.later":              waits,
	"feature/push.Push.on":                 told("Push"),
	"feature/push.Push.told":               here,
	"feature/push.Push.waiting":            waits,
	"feature/serverinfo.info.known":        elsewhere,
	"feature/upload.Service.coming":        here,
	"feature/vcard.Cards.hashes":           told("Own", "Account"),
	"feature/vcard.Cards.said":             told("Own", "Account"),
	"feature/webhooks.Webhooks.lanes":      here,
	"feature/webhooks.Webhooks.out":        told("Webhooks"),
	"feature/webhooks.Webhooks.paces":      pace,
	"feature/webhooks.backlog.gaps":        waits,
	"feature/webhooks.seats.hosts":         here,
	"feature/webpush.WebPush.on":           told("Push"),
	"feature/webpush.WebPush.piles":        waits,
	"feature/webpush.WebPush.retries":      waits,
	"federation.Server.back":               here,
	"federation.Server.claimed":            here,
	"federation.Server.peers":              here,
	"federation.Server.rules":              told("Rules"),
	"federation.Server.streams":            here,
	"federation.backoffs.of":               elsewhere,
	"federation.incoming.asked":            elsewhere,
	"federation.incoming.proofs":           elsewhere,
	"federation.incoming.status":           here,
	"federation.rates.of":                  pace,
	"federation.states.of":                 here,
	"muc.Room.cfg.Worn":                    room,
	"muc.Room.keys":                        room,
	"muc.Room.nicks":                       room,
	"muc.Room.sessions":                    room,
	"muc.Room.speakers.keys":               room,
	"muc.Room.speakers.of":                 room,
	"muc.Service.cfg.Defaults.Worn":        startup,
	"muc.Service.aways":                    here,
	"muc.Service.calls":                    startup,
	"muc.Service.loading":                  here,
	"muc.Service.rooms":                    here,
	"muc.ghosts.rooms":                     here,
	"muc.places.of":                        here,
	"muc/groups.Hats.roles":                told("Account"),
	"muc/notices.Notices.waiting":          waits,
	"node.Node.addrs":                      here,
	"node.Node.cards":                      startup,
	"node.Node.chats":                      startup,
	"node.Node.invitations":                startup,
	"node.Node.notices":                    startup,
	"node.Node.pushes":                     startup,
	"node.Node.spaces":                     startup,
	"org.Org.jobs":                         here,
	"org.Org.rooms":                        told("Group"),
	"org.Org.states":                       told("Group", "Deleted"),
	"org.Org.teams":                        told("Teams", "Account", "Deleted"),
	"org.tiles.m":                          made,
	"org.turns.open":                       oneAct,
	"people.People.quiet":                  told("Own", "Account"),
	"people/departed.Departures.lives":     told("Deleted"),
	"pubsub.Spaces.asked":                  oneAct,
	"pubsub.Spaces.engine.virtual":         startup,
	"server.Account.contacts":              told("Roster", "Account", "Teams", "Deleted"),
	"server.Account.sessions":              here,
	"server.Host.accounts":                 here,
	"server.Host.exists":                   told("Account"),
	"server.Host.iq":                       startup,
	"server.Host.items":                    startup,
	"server.Host.known":                    made,
	"server.Host.responders":               startup,
	"server.Host.shares":                   pace,
	"server.Router.remote":                 startup,
	"server.Router.table":                  here,
	"server.Session.arrival":               here,
	"server.Session.asking":                here,
	"server.Session.directed":              here,
	"server.Session.told":                  here,
	"server.Session.values":                here,
	"server.Session.wants":                 here,
	"server.asks.m":                        here,
	"server.kicks.of":                      here,
	"server.watchers.by":                   elsewhere,
	"server/c2s.Certs.now":                 made,
	"server/c2s.Server.streams":            here,
	"server/c2s.bosh.sessions":             here,
	"server/c2s.boshSession.answers":       here,
	"server/c2s.resumables.ended":          here,
	"server/c2s.resumables.m":              here,
	"server/component.Server.conns":        here,
	"server/component.Server.domains":      startup,
	"server/component.Component.at":        here,
	"settings.host.now":                    told("Settings"),
	"turn.Server.mine":                     made,
	"turn.Server.open":                     here,
	"turn.Server.people":                   here,
	"turn.Server.users":                    here,
	"webchat.Browser.answers":              here,
	"webchat.Browser.kept":                 here,
	"webchat.Browser.people":               here,
	"webchat.Browser.told":                 here,
	"webchat.Service.browsers":             here,
	"webchat.Service.names":                told("Account", "Own"),
	"webchat.Service.pinned.of":            told("Pins"),
	"webchat.Service.rooms":                here,
	"webchat.Service.sent":                 same,
	"webchat.Service.watchers":             here,
}

// Every cache of the database is told of changes, on whatever node they are made.
func TestCachesAreTold(t *testing.T) {
	all, found := sources(t), make(map[string]bool)
	for _, path := range slices.Sorted(maps.Keys(all)) {
		if !hasCaches(path) {
			continue
		}
		registered := topicsOf(all[path])
		for _, name := range all[path].remembering() {
			name = path + "." + name
			found[name] = true
			switch why := caches[name].(type) {
			case nil:
				t.Errorf("%s remembers something: have it told of changes (internal/changes), and add it to caches with "+
					"its topics; or, if it holds nothing of the database, with the reason", name)
			case []string:
				for _, topic := range why {
					if !registered[topic] {
						t.Errorf("%s is to be told of %s, and its package does not register that topic", name, topic)
					}
				}
			}
		}
	}
	for name := range caches {
		if !found[name] {
			t.Errorf("%s is in caches, and remembers nothing: remove it", name)
		}
	}
}

// hasCaches says whether a package is looked at: those below the store are not, nor the links between nodes.
func hasCaches(path string) bool {
	top, _, _ := strings.Cut(path, "/")
	return !slices.Contains([]string{"internal", "wire", "store", "cluster", "front", "bench", "cmd", "config"}, top)
}

// topicsOf gives the topics for which a package calls On or Follow: they stand in the call, or in a list that is gone
// through.
func topicsOf(s *source) map[string]bool {
	topics, calls := make(map[string]bool), false
	for _, f := range s.files {
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				if sel, ok := n.Fun.(*ast.SelectorExpr); ok && (sel.Sel.Name == "On" || sel.Sel.Name == "Follow") {
					calls = true
					addTopics(topics, n.Args)
				}
			case *ast.RangeStmt:
				if l, ok := n.X.(*ast.CompositeLit); ok && types.ExprString(l.Type) == "[]changes.Topic" {
					addTopics(topics, l.Elts)
				}
			}
			return true
		})
	}
	if !calls {
		return nil
	}
	return topics
}

func addTopics(topics map[string]bool, list []ast.Expr) {
	for _, e := range list {
		if name, ok := strings.CutPrefix(types.ExprString(e), "changes."); ok {
			topics[name] = true
		}
	}
}

// remembering gives the fields of a package's types that remember something: of type memo.Map, sync.Map, atomic.Pointer
// or atomic.Value, and maps beside a mutex or a slot, also in a struct beside it.
func (s *source) remembering() (names []string) {
	for _, name := range slices.Sorted(maps.Keys(s.types)) {
		if d, ok := s.types[name].expr.(*ast.StructType); ok {
			s.fieldsOf(d, name, s.guarded(d), func(field string) { names = append(names, field) })
		}
	}
	return names
}

func (s *source) fieldsOf(d *ast.StructType, name string, guarded bool, found func(string)) {
	for _, f := range d.Fields.List {
		typ := types.ExprString(f.Type)
		for _, n := range f.Names {
			switch {
			case strings.HasPrefix(typ, "memo.Map["), typ == "sync.Map", typ == "atomic.Value",
				strings.HasPrefix(typ, "atomic.Pointer["), guarded && strings.HasPrefix(typ, "map["):
				found(name + "." + n.Name)
			case guarded:
				if inner, ok := s.types[typ].expr.(*ast.StructType); ok && !s.guarded(inner) {
					s.fieldsOf(inner, name+"."+n.Name, true, found)
				}
			}
		}
	}
}

// guarded says whether a struct has something that keeps others out.
func (s *source) guarded(d *ast.StructType) bool {
	return slices.ContainsFunc(d.Fields.List, func(f *ast.Field) bool {
		typ := types.ExprString(f.Type)
		return typ == "sync.Mutex" || typ == "sync.RWMutex" || typ == "slot.Slot"
	})
}
