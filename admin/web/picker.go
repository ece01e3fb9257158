package web

import (
	"errors"
	"slices"
	"strings"

	"parley/internal/fault"
	"parley/org"
	"parley/store"
	"parley/wire/jid"
)

// offered is how many a picker shows at once; the others are found by searching.
const offered = 50

// picker is a field of a form that chooses people or groups from many: it shows the chosen ones, and of the others
// those that match the words. With scripts the list follows the words. Without scripts a button sends the form, which
// comes back as it was filled in.
type picker struct {
	Name   string // of the field
	Find   string // address of the list that scripts load while a person types
	Q      string
	One    bool // only one can be chosen
	Chosen []choice
	Found  []choice
	More   int // there are more of these than Found shows
}

// choice is somebody, or a group, in a picker.
type choice struct{ Value, Text, Note string }

func (s *Server) pickers() {
	s.handle("GET /pick/people", runs, (*request).pickPeople)
	s.handle("GET /pick/groups", console, (*request).pickGroups)
	s.handle("GET /g/{slug}/pick", member, (*request).pickMembers)
}

// words are the words in a search field, at most eight.
func (c *request) words(field string) []string {
	w := strings.Fields(c.form(field))
	return w[:min(len(w), 8)]
}

// picks says whether a form was sent to search in a picker and not to be carried out: by its button, or by Enter after
// words whose results the person has not seen.
func (c *request) picks(name string) bool {
	return c.form("find") == name || c.r.Form.Has("find_"+name) && c.form("find_"+name) != c.form("shown_"+name)
}

// picker begins a picker, with the words that were sent.
func (c *request) picker(name, find string) picker {
	return picker{Name: name, Find: find, Q: c.form("find_" + name)}
}

// fill adds the found entries that are not chosen yet.
func (p *picker) fill(found []choice, total int) {
	p.More = max(0, total-len(found))
	for _, f := range found {
		if !slices.ContainsFunc(p.Chosen, func(c choice) bool { return c.Value == f.Value }) {
			p.Found = append(p.Found, f)
		}
	}
}

// found answers a picker's search with the list alone.
func (c *request) found(p picker) error {
	c.part("pickerfound", p)
	return nil
}

// peoplePicker offers colleagues who can sign in, or who are invited, but not the asker.
func (c *request) peoplePicker(chosen []string) (p picker, err error) {
	p = c.picker("member", "/pick/people")
	for _, name := range chosen {
		u, err := c.s.Store.Person(c.r.Context(), c.host(), name)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return p, err
		}
		p.Chosen = append(p.Chosen, c.person2choice(u))
	}
	ps, total, err := c.colleagues(store.PeopleFilter{
		Words: c.words("find_member"),
		Here:  true,
		But:   c.Me.Name,
		Limit: offered,
	})
	var found []choice
	for _, u := range ps {
		found = append(found, c.person2choice(u))
	}
	p.fill(found, total)
	return p, err
}

func (c *request) person2choice(u store.Person) choice {
	note := u.Department
	if note == "" {
		note = u.Address()
	}
	return choice{u.Name, u.Display(), note}
}

func (c *request) pickPeople() error {
	p, err := c.peoplePicker(nil)
	if err != nil {
		return err
	}
	return c.found(p)
}

// placesPicker offers the groups that a new colleague can be put into.
func (c *request) placesPicker(chosen []string) (picker, error) {
	return c.groupPicker("groups", "/pick/groups?for=colleague", chosen,
		func(f store.GroupFilter) ([]store.Group, int, error) {
			return c.P.Places(c.r.Context(), c.Actor, f)
		})
}

// allGroupsPicker offers all groups of the organization to people who run it.
func (c *request) allGroupsPicker(name string, chosen []string) (picker, error) {
	return c.groupPicker(name, "/pick/groups?for="+name, chosen, func(f store.GroupFilter) ([]store.Group, int, error) {
		return c.s.Org.FindGroups(c.r.Context(), c.host(), jid.JID{}, f)
	})
}

func (c *request) groupPicker(name, find string, chosen []string,
	list func(store.GroupFilter) ([]store.Group, int, error)) (p picker, err error) {
	p = c.picker(name, find)
	for part := range slices.Chunk(chosen, 100) {
		gs, _, err := list(store.GroupFilter{Slugs: part, Limit: len(part)})
		if err != nil {
			return p, err
		}
		p.Chosen = append(p.Chosen, groupChoices(gs)...)
	}
	gs, total, err := list(store.GroupFilter{Words: c.words("find_" + name), Limit: offered})
	p.fill(groupChoices(gs), total)
	return p, err
}

func groupChoices(gs []store.Group) (out []choice) {
	for _, g := range gs {
		out = append(out, choice{Value: g.Slug, Text: strings.TrimSpace(g.Emoji + " " + g.Name)})
	}
	return out
}

func (c *request) pickGroups() error {
	var p picker
	var err error
	switch what := c.form("for"); {
	case what == "colleague":
		p, err = c.placesPicker(nil)
	case (what == "defaults" || what == "group" || what == "groups") && c.Actor.Runs():
		p, err = c.allGroupsPicker(what, nil)
		p.One = what == "group"
	default:
		err = notFound
	}
	if err != nil {
		return err
	}
	return c.found(p)
}

// membersPicker offers members of a group who can be chosen for a restricted theme: not its owners and moderators, who
// are in all, and not those who are in it already.
func (c *request) membersPicker(r room, chosen []string, without map[string]bool) (picker, error) {
	find := "/g/" + r.Group.Slug + "/pick"
	if r.Theme != nil {
		find += "?theme=" + r.Theme.Key
	}
	p := c.picker("person", find)
	if !org.ShowsAddresses(r.Group, r.Access) {
		return p, nil
	}
	self := c.self().String()
	words := c.words("find_person")
	ms, err := c.s.Org.Members(c.r.Context(), c.host(), r.Group.ID)
	if err != nil {
		return p, err
	}
	var far []choice
	roles := make(map[string]string, len(ms))
	for _, m := range ms {
		roles[m.JID] = m.Role
		if m.Role == store.RoleMember && !without[m.JID] &&
			!strings.HasSuffix(m.JID, "@"+c.host()) && hasWords(m.JID, words) {
			far = append(far, choice{m.JID, m.JID, ""})
		}
	}
	for _, address := range chosen {
		if roles[address] != store.RoleMember || without[address] {
			continue
		}
		one := choice{address, address, ""}
		if name, ok := strings.CutSuffix(address, "@"+c.host()); ok {
			if u, err := c.s.Store.Person(c.r.Context(), c.host(), name); err == nil {
				one = choice{address, u.Display(), address}
			}
		}
		p.Chosen = append(p.Chosen, one)
	}
	f := store.PeopleFilter{
		Words:     words,
		Group:     r.Group.ID,
		GroupRole: store.RoleMember,
		Limit:     offered + len(without) + 1,
	}
	ps, total, err := c.colleagues(f)
	if err != nil {
		return p, err
	}
	var found []choice
	for _, u := range ps {
		if without[u.Address()] || u.Address() == self {
			total--
		} else if len(found) < offered {
			found = append(found, choice{u.Address(), u.Display(), u.Address()})
		}
	}
	total += len(far)
	found = append(found, far[:min(len(far), offered-len(found))]...)
	p.fill(found, total)
	return p, nil
}

// hasWords says whether all of some words are in a text, whatever the case.
func hasWords(text string, words []string) bool {
	text = strings.ToLower(text)
	for _, w := range words {
		if !strings.Contains(text, strings.ToLower(w)) {
			return false
		}
	}
	return true
}

func (c *request) pickMembers() error {
	r, err := c.room()
	if err != nil {
		return err
	}
	var without map[string]bool
	if key := c.form("theme"); key != "" {
		t, err := c.s.Org.Theme(c.r.Context(), c.host(), key)
		if err != nil || t.Group != r.Group.ID {
			return notFound
		}
		if !r.Manages() {
			return fault.ErrRole
		}
		r.Theme = &t
		ms, err := c.s.Org.ThemePeople(c.r.Context(), c.host(), key)
		if err != nil {
			return err
		}
		without = addressSet(ms)
	} else if !r.mayStart() {
		return fault.ErrRole
	}
	p, err := c.membersPicker(r, nil, without)
	if err != nil {
		return err
	}
	return c.found(p)
}

func addressSet(ms []store.Member) map[string]bool {
	set := make(map[string]bool, len(ms))
	for _, m := range ms {
		set[m.JID] = true
	}
	return set
}

// mandatoryFor are the groups that everybody is in: the first of them, and how many they are.
func (c *request) mandatoryFor() ([]store.Group, int, error) {
	return c.s.Org.FindGroups(c.r.Context(), c.host(), jid.JID{},
		store.GroupFilter{Mandatory: org.Everyone, Limit: offered})
}
