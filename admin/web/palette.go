package web

import (
	"net/http"
	"net/url"
	"strings"

	"parley/people"
	"parley/store"
)

// pageLink is a page that people can find by its name.
type pageLink struct{ To, Icon, Text string }

// places are the pages of the menu, as far as somebody may open them.
func (c *request) places() []pageLink {
	out := []pageLink{{"/", "house", c.T("Home")}, {"/groups", "hash", c.T("Groups")}}
	if c.s.Chat != nil {
		out = append(out, pageLink{"/chat", "message-circle", c.T("Chat")})
	}
	out = append(out, pageLink{"/people", "users", c.T("Colleagues")}, pageLink{"/me", "user", c.T("Profile")},
		pageLink{"/me/security", "shield-check", c.T("Security")}, pageLink{"/me/notifications", "bell",
			c.T("Notifications")}, pageLink{"/me/tokens", "key-round", c.T("API tokens")},
		pageLink{savedPath, "reply", c.T("Saved replies and contacts")})
	if c.Actor.Console() {
		out = append(out, pageLink{"/admin", "building-2", c.T("Overview")},
			pageLink{"/admin/people", "user-plus", c.T("People")}, pageLink{"/admin/people/new", "plus",
				c.T("New colleague")}, pageLink{"/admin/invitations", "mail", c.T("Invitations")})
	}
	if c.mayCreate() {
		out = append(out, pageLink{"/groups/new", "plus", c.T("New group")})
	}
	if c.Actor.Runs() {
		out = append(out, pageLink{"/admin/teams", "users", c.T("Teams")},
			pageLink{"/admin/federation", "globe", c.T("Federation")},
			pageLink{"/admin/webhooks", "webhook", c.T("Webhooks")}, pageLink{"/admin/audit",
				"scroll-text", c.T("Audit log")}, pageLink{"/admin/system", "server", c.T("System")},
			pageLink{"/admin/settings", "settings", c.T("Settings")}, pageLink{linksPath, "link", c.T("Links")},
			pageLink{actionsPath, "zap", c.T("Actions on messages")})
	}
	return out
}

const paletteMost = 6 // of each kind

// personLink is somebody with the page about them.
type personLink struct {
	store.Person
	To string
}

// palette answers the dialog that goes anywhere: pages, groups and people whose name has the words.
func (c *request) palette(q string) error {
	ctx, words := c.r.Context(), strings.Fields(strings.ToLower(q))
	words = words[:min(len(words), 8)]
	var pages []pageLink
	for _, p := range c.places() {
		if hasWords(p.Text, words) {
			pages = append(pages, p)
		}
	}
	f := store.GroupFilter{Words: words, Whose: store.OwnGroups, Limit: paletteMost}
	groups, _, err := c.s.Org.FindGroups(ctx, c.host(), c.self(), f)
	if err == nil && len(words) > 0 && len(groups) < paletteMost { // the person's own come first
		var more []store.Group
		f.Whose, f.Limit = store.OtherGroups, paletteMost-len(groups)
		more, _, err = c.s.Org.FindGroups(ctx, c.host(), c.self(), f)
		groups = append(groups, more...)
	}
	if err != nil {
		return err
	}
	var found []personLink
	if len(words) > 0 {
		pages = pages[:min(len(pages), paletteMost)]
		ps, _, err := c.s.Store.People(ctx, c.host(),
			store.PeopleFilter{Words: words, State: store.StateActive, Limit: paletteMost})
		if err != nil {
			return err
		}
		for _, p := range ps {
			to := "/people?q=" + url.QueryEscape(p.Name)
			if c.Actor.May(people.See, p) {
				to = "/admin/people/" + url.PathEscape(p.Name)
			}
			found = append(found, personLink{p, to})
		}
	}
	return c.panel(http.StatusOK, "search", "palettelist", c.T("Search"),
		map[string]any{"Pages": pages, "Groups": groups, "People": found, "Q": q})
}
