package layers

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// allowed is how often a file may do something, and why.
type allowed struct {
	n   int
	why string
}

// The reasons why a file asks the process's time: what it measures does not outlive the process, and nobody is shown
// it as a time of day.
const (
	deadline = "deadlines of connections and of waiting"
	rates    = "rates within the process"
	known    = "for how long something is remembered in memory"
	lasts    = "how long something takes"
	silence  = "for how long another node was not heard, which no clock that jumps may change"
)

// timers names the files that ask time.Now, time.Since or time.Until, and how often. Everything else asks the clock
// that it was given (internal/clock).
var timers = map[string]allowed{
	"admin/api/events.go":                  {1, deadline},
	"admin/counts.go":                      {2, known},
	"admin/writable.go":                    {2, known},
	"auth/throttle.go":                     {3, rates},
	"cluster/ask.go":                       {1, deadline},
	"cluster/bus.go":                       {3, silence + ", and for how long an answer takes"},
	"cluster/directory/changes.go":         {5, silence},
	"cluster/directory/rooms.go":           {1, "for how long a client of a dead node counts as one"},
	"cluster/incoming.go":                  {1, deadline},
	"cluster/link.go":                      {3, silence + ", and for how long an answer takes"},
	"cluster/members.go":                   {1, silence},
	"cluster/seat.go":                      {4, "leases, which are measured from before they were asked for"},
	"feature/bookmarks/setting.go":         {2, known},
	"feature/lastactivity/lastactivity.go": {2, "how long the server has been running"},
	"feature/previews/previews.go":         {3, known},
	"feature/proxy65/relay.go":             {3, deadline},
	"feature/serverinfo/serverinfo.go":     {2, known},
	"feature/serviceadmin/lists.go":        {2, known},
	"feature/upload/disk.go":               {1, "the times of files are the machine's"},
	"feature/webpush/queue.go":             {1, "when the next attempt is due; attempts are in memory"},
	"federation/acks.go":                   {1, deadline},
	"federation/in.go":                     {4, deadline},
	"federation/out.go":                    {1, "whether the next attempt is due; attempts are in memory"},
	"federation/probe.go":                  {13, lasts},
	"federation/state.go":                  {1, "how long to wait before the next attempt"},
	"internal/background/background.go":    {2, lasts},
	"internal/clock/clock.go":              {1, "the nil Clock is the machine's"},
	"internal/door/body.go":                {4, deadline},
	"internal/door/conn.go":                {2, deadline},
	"internal/door/door.go":                {3, deadline},
	"internal/limit/limit.go":              {2, rates},
	"muc/activity.go":                      {2, known},
	"muc/away.go":                          {5, "how long an order has waited"},
	"muc/disco.go":                         {1, "when a room was last used, to unload it"},
	"muc/elsewhere.go":                     {1, rates},
	"muc/ghosts.go":                        {5, "how long people of other servers have been silent"},
	"muc/nick.go":                          {1, known},
	"muc/room.go":                          {2, "when a room was last used, to unload it"},
	"muc/service.go":                       {1, "when a room was last used, to unload it"},
	"muc/several.go":                       {1, rates},
	"muc/several/several.go":               {1, rates},
	"muc/slow.go":                          {1, rates},
	"muc/speak.go":                         {1, known},
	"muc/versions.go":                      {2, known},
	"node/doctor/health.go":                {2, lasts},
	"node/node.go":                         {2, lasts},
	"org/mail/relay.go":                    {2, known},
	"people/digest.go":                     {2, "how often new people are looked for"},
	"people/quiet.go":                      {2, known},
	"server/c2s/bosh.go":                   {1, deadline},
	"server/c2s/bosh_session.go":           {1, deadline},
	"server/c2s/keepalive.go":              {2, "how long a stream has been silent"},
	"server/c2s/rawconn.go":                {1, rates},
	"server/c2s/register.go":               {1, deadline},
	"server/c2s/sm.go":                     {4, "deadlines, and for how long an ended session is remembered"},
	"server/c2s/stream.go":                 {5, "deadlines, and how long a stream lasted"},
	"server/c2s/websocket.go":              {3, deadline},
	"server/component/component.go":        {1, deadline},
	"server/session.go":                    {1, "in which order sessions became available"},
	"server/shares.go":                     {7, rates},
	"store/sqlstore/attempt.go":            {3, "how long the database has refused"},
	"store/sqlstore/cluster.go":            {1, "the leases of a shared file of SQLite; its nodes are in one process"},
	"store/sqlstore/commit.go":             {2, lasts},
	"store/sqlstore/hosts.go":              {3, "the silence of a database node, and the age of a connection"},
	"transfer/backup/keeper.go":            {2, lasts},
	"turn/relays.go":                       {1, rates},
	"webchat/awake.go":                     {1, "how long a browser has been silent"},
	"webchat/browser.go":                   {6, "how long a browser has been silent"},
	"webchat/quiet.go":                     {1, "how often a browser looks for quiet hours"},
	"wire/build.go":                        {1, rates},
	"wire/conn.go":                         {3, deadline},
	"wire/reader.go":                       {1, rates},
	"wire/window.go":                       {5, deadline},
}

// dice names the files that import math/rand, whose numbers no seed of a simulation decides.
var dice = map[string]allowed{
	"feature/webhooks/deliver.go": {1, "when the next attempt is made"},
	"federation/resolve.go":       {1, "which of several targets is tried first (RFC 2782)"},
	"turn/turn.go":                {1, "the port of a relay"},
}

// What is kept, shown or sent as a time goes by the clock of the node.
func TestClockIsHandedIn(t *testing.T) {
	found := make(map[string]int)
	eachSource(t, func(name string, f *ast.File) {
		ast.Inspect(f, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok {
				x, ok := s.X.(*ast.Ident)
				if ok && x.Name == "time" && slices.Contains([]string{"Now", "Since", "Until"}, s.Sel.Name) {
					found[name]++
				}
			}
			return true
		})
	})
	compare(t, found, timers, "asks the time of the process %d times",
		"what is kept, shown or sent as a time, and what is compared with it, comes from the clock of the host or of "+
			"the Config (internal/clock); a function of a package takes \"now time.Time\"; only what is measured "+
			"within the process may be added to timers, with the reason")
}

// What is random can be repeated by a simulation (testing/cryptotest).
func TestRandomIsOfCrypto(t *testing.T) {
	found := make(map[string]int)
	eachSource(t, func(name string, f *ast.File) {
		for _, spec := range f.Imports {
			if p, err := strconv.Unquote(spec.Path.Value); err == nil && strings.HasPrefix(p, "math/rand") {
				found[name]++
			}
		}
	})
	compare(t, found, dice, "imports math/rand %d times", "use crypto/rand")
}

// compare fails where a file does something more or less often than it may.
func compare(t *testing.T, found map[string]int, may map[string]allowed, does, todo string) {
	t.Helper()
	for name, n := range found {
		if n > may[name].n {
			t.Errorf("%s %s, %d of which are allowed: %s", name, fmt.Sprintf(does, n), may[name].n, todo)
		}
	}
	for name, a := range may {
		if found[name] < a.n {
			t.Errorf("%s %s, and %d are allowed (%s): correct the table", name, fmt.Sprintf(does, found[name]), a.n,
				a.why)
		}
	}
}

// eachSource calls f for every Go file of the server. Tests, programs and what only they use are left out.
func eachSource(t *testing.T, f func(name string, file *ast.File)) {
	t.Helper()
	eachFile(t, ".go", func(name, text string) {
		if strings.HasSuffix(name, "_test.go") || slices.ContainsFunc([]string{
			"bench/", "cmd/", "muc/muctest/", "store/storetest/", "testrig/",
		}, func(dir string) bool { return strings.HasPrefix(name, dir) }) {
			return
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, text, 0)
		if err != nil {
			t.Error(err)
			return
		}
		f(name, file)
	})
}
