package web

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"parley/acts"
	"parley/store"
)

func (s *Server) console() {
	s.handle("GET /admin", console, (*request).overview)
	s.handle("GET /admin/people", console, (*request).peopleList)
	s.handle("POST /admin/people", console, (*request).bulk)
	s.handle("GET /admin/people.csv", runs, (*request).export)
	s.handle("GET /admin/people/new", console, (*request).newPage)
	s.handle("POST /admin/people/new", console, (*request).create)
	s.handle("POST /admin/people/new/preview", console, (*request).previewMail)
	s.handle("GET /admin/people/import", runs, (*request).importPage)
	s.handle("POST /admin/people/import", runs, (*request).importFile)
	s.fields()
	s.handle("GET /admin/people/{name}", console, (*request).personPage)
	s.handle("POST /admin/people/{name}", console, (*request).personSave)
	s.handle("POST /admin/people/{name}/{act}", console, (*request).personAct)
	s.handle("GET /admin/invitations", console, (*request).invitationList)
	s.handle("POST /admin/invitations", console, (*request).openLink)
	s.handle("GET /admin/invitations/{id}", console, (*request).invitationPage)
	s.handle("GET /admin/invitations/{id}/qr.png", console, (*request).qr)
	s.handle("POST /admin/invitations/{id}/{act}", console, (*request).invitationAct)
	s.handle("GET /admin/audit", runs, (*request).auditPage)
	s.handle("GET /admin/system", runs, (*request).systemPage)
	s.handle("POST /admin/system/backup", runs, (*request).backup)
	s.handle("POST /admin/system/mail", runs, (*request).testMail)
	s.handle("POST /admin/system/mail/{id}", runs, (*request).mailAct)
}

// step is a line of the checklist for a new organization.
type step struct {
	Done             bool
	Text, Link, Verb string
}

func (c *request) overview() error {
	ctx := c.r.Context()
	counts, err := c.s.Store.CountPeople(ctx, c.host(), c.Actor.Filter(store.PeopleFilter{}))
	if err != nil {
		return err
	}
	groups, err := c.s.Org.CountGroups(ctx, c.host())
	if err != nil {
		return err
	}
	waiting, _, err := c.s.Store.People(ctx, c.host(),
		c.Actor.Filter(store.PeopleFilter{State: store.StateInvited, Limit: 5}))
	if err != nil {
		return err
	}
	d := map[string]any{"Counts": counts, "Groups": groups, "Waiting": waiting, "Sessions": 0}
	if c.Actor.Runs() {
		audit, err := c.s.Store.AuditEntries(ctx, c.host(), store.AuditFilter{Limit: 8})
		if err != nil {
			return err
		}
		mails, err := c.s.Store.CountMails(ctx, c.host())
		if err != nil {
			return err
		}
		total := 0
		for _, n := range counts {
			total += n
		}
		info := c.s.System.Info(ctx, c.host())
		d["Audit"], d["Mails"], d["Checks"], d["Info"], d["Sessions"] = c.entries(audit), mails,
			c.s.System.Health(ctx), info, info.Sessions
		steps := []step{
			{total > 1, c.T("Invite your first colleagues"), "/admin/people/new", c.T("New colleague")},
			{groups > 0, c.T("Create a group to talk in"), "/groups/new", c.T("New group")},
			{c.Me.Email != "", c.T("Add a work e-mail address to your own account"),
				"/admin/people/" + c.Me.Name, c.T("Your page")},
			{c.P.Mails(), c.T("Set up e-mail, so that invitations are sent"), "/admin/system", c.T("System")},
		}
		open := 0
		for _, s := range steps {
			if !s.Done {
				open++
			}
		}
		d["Steps"], d["OpenSteps"] = steps, open
	}
	return c.show("overview", c.T("Overview"), d)
}

const perPage = 25

// pager leads through a long list.
type pager struct {
	Page, Pages, Total, From, To int
	Query                        url.Values
}

func (c *request) pageNumber() int {
	n, err := strconv.Atoi(c.r.FormValue("page"))
	if err != nil || n < 1 || n > 1_000_000 {
		return 1
	}
	return n
}

func (c *request) pager(page, total int) pager {
	p := pager{Page: page, Pages: max(1, (total+perPage-1)/perPage), Total: total, Query: c.r.URL.Query()}
	if total > 0 {
		p.From, p.To = (page-1)*perPage+1, min(page*perPage, total)
	}
	return p
}

// Has says whether there is a page of this number.
func (p pager) Has(page int) bool { return page >= 1 && page <= p.Pages }

func (c *request) peopleFilter() store.PeopleFilter {
	words := strings.Fields(c.form("q"))
	if len(words) > 8 {
		words = words[:8]
	}
	return c.Actor.Filter(store.PeopleFilter{
		Words:      words,
		State:      c.form("state"),
		Role:       c.form("role"),
		Department: c.form("department"),
		Limit:      perPage,
	})
}

// tab narrows a list to one state.
type tab struct {
	State, Text string
	Count       int
	Here        bool
}

func (c *request) peopleList() error {
	f := c.peopleFilter()
	page := c.pageNumber()
	f.Offset = (page - 1) * perPage
	ps, total, err := c.s.Store.People(c.r.Context(), c.host(), f)
	if err != nil {
		return err
	}
	counts, err := c.s.Store.CountPeople(c.r.Context(), c.host(), f)
	if err != nil {
		return err
	}
	departments, err := c.s.Store.Departments(c.r.Context(), c.host())
	if err != nil {
		return err
	}
	listed, err := c.listed()
	if err != nil {
		return err
	}
	values := make(map[string][]fieldRow, len(ps))
	for _, p := range ps {
		values[p.Name] = cells(listed, p)
	}
	all := 0
	for _, n := range counts {
		all += n
	}
	tabs := []tab{{"", c.T("All"), all, f.State == ""}}
	for _, s := range []string{store.StateActive, store.StateInvited, store.StateDisabled, store.StateArchived} {
		tabs = append(tabs, tab{s, c.T("state " + s), counts[s], f.State == s})
	}
	d := map[string]any{
		"People":      ps,
		"Pager":       c.pager(page, total),
		"Tabs":        tabs,
		"Departments": departments,
		"Roles":       roles,
		"Online":      c.online(ps),
		"Q":           c.form("q"),
		"Role":        f.Role,
		"Department":  c.form("department"),
		"Listed":      listed,
		"Cells":       values,
		"State":       f.State,
		"Filtered":    len(f.Words) > 0 || f.State != "" || f.Role != "" || c.form("department") != "",
	}
	return c.panel(200, "people", "list", c.T("People"), d)
}

var roles = []string{store.RoleMember, store.RoleSupervisor, store.RoleAdmin, store.RoleOwner}

// online returns the number of sessions of each person.
func (c *request) online(ps []store.Person) map[string]int {
	m := make(map[string]int)
	for _, p := range ps {
		m[p.Name] = len(c.P.Sessions(p.Name))
	}
	return m
}

// entry is a line of the audit log as people read it.
type entry struct {
	store.AuditEntry
	Who, What, Link string
	By, From        string // the door in words, and the address where it says more than the door
	Changes         []change
	At              time.Time
}

func (c *request) entries(es []store.AuditEntry) []entry {
	out, own := make([]entry, len(es)), c.ownNames()
	for i, e := range es {
		out[i] = entry{AuditEntry: e, Who: e.Actor, What: c.T("audit " + e.Action), At: e.ID.Time()}
		out[i].Changes = c.changes(e.Detail, own)
		if e.Door != "" {
			out[i].By = c.T("door " + e.Door)
		}
		if e.Remote != acts.ByCommandLine {
			out[i].From = e.Remote
		}
		switch {
		case e.Actor != "":
		case e.Remote == acts.ByCommandLine:
			out[i].Who = c.T("The command line")
		case e.Door == string(acts.Federation): // of another server, and known by the address only
			out[i].Who, out[i].From = e.Remote, ""
		default:
			out[i].Who = c.T("The server")
		}
		if name, host, ok := strings.Cut(e.Target, "@"); ok && host == c.host() {
			out[i].Link = "/admin/people/" + name
		}
	}
	return out
}

// change is a part of an entry: a value before and after, or only a fact.
type change struct{ Name, Was, Is string }

// fieldsOfLists are the fields of a detail whose lists of two values are not a value before and a value now.
var fieldsOfLists = []string{"members", "groups", "removed", "scopes"}

// changes reads the detail of an audit entry, which is JSON, as changes in words. own are the names of the
// organization's profile fields, by key.
func (c *request) changes(detail string, own map[string]string) (out []change) {
	var d map[string]any
	if detail == "" || json.Unmarshal([]byte(detail), &d) != nil {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(d)) {
		ch := change{Name: c.changedName(name, own), Is: c.detailText(d[name])}
		if pair, ok := d[name].([]any); ok && len(pair) == 2 && !slices.Contains(fieldsOfLists, name) {
			ch.Was = cmp.Or(c.detailText(pair[0]), none)
			ch.Is = cmp.Or(c.detailText(pair[1]), none)
		}
		if ch.Is != "" && name != "id" {
			out = append(out, ch)
		}
	}
	return out
}

// changedName returns the words for a field of an audit entry.
func (c *request) changedName(name string, own map[string]string) string {
	if strings.Contains(name, ".") {
		return c.T("setting " + name)
	}
	if own[name] != "" {
		return own[name]
	}
	return c.fieldName(name)
}

// detailText returns a value of an audit entry in words.
func (c *request) detailText(v any) string {
	switch x := v.(type) {
	case nil:
		return ""
	case map[string]any: // people with their roles
		parts := make([]string, 0, len(x))
		for _, who := range slices.Sorted(maps.Keys(x)) {
			parts = append(parts, strings.TrimSuffix(fmt.Sprint(who, ": ", x[who]), ": "))
		}
		return strings.Join(parts, ", ")
	case bool:
		if x {
			return c.T("yes")
		}
		return c.T("no")
	case []any:
		parts := make([]string, len(x))
		for i, p := range x {
			parts[i] = fmt.Sprint(p)
		}
		return strings.Join(parts, ", ")
	case float64:
		return strconv.FormatFloat(x, 'f', -1, 64)
	}
	return fmt.Sprint(v)
}

// auditKinds are the things that the page can narrow the log to, by the first words of the verbs.
var auditKinds = []string{
	"person",
	"field",
	"link",
	"action",
	"invitation",
	"group",
	"theme",
	"team",
	"message",
	"room",
	"node",
	"session",
	"settings",
	"system",
	"token",
}

func (c *request) auditPage() error {
	f := store.AuditFilter{Actor: c.form("actor"), Target: c.form("target"), Action: c.form("action"), Limit: 51}
	if b := c.form("before"); b != "" {
		id, err := store.ParseID(b)
		if err != nil {
			return notFound
		}
		f.Before = id
	}
	es, err := c.s.Store.AuditEntries(c.r.Context(), c.host(), f)
	if err != nil {
		return err
	}
	next := ""
	if len(es) > 50 {
		es = es[:50]
		next = es[49].ID.String()
	}
	return c.show("audit", c.T("Audit log"), map[string]any{
		"Entries": c.entries(es),
		"Next":    next,
		"Actor":   f.Actor,
		"Target":  f.Target,
		"Action":  f.Action,
		"Actions": auditKinds,
	})
}
