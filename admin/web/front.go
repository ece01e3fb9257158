package web

import (
	"encoding/json"
	"html/template"
	"net/http"
	"net/url"
	"strings"

	"parley/admin/api"
	"parley/front"
	"parley/people"
	"parley/webchat"
)

// chatFront serves the chat in the browser (package front). All its addresses are one page: the script reads which
// conversation is meant.
func (s *Server) chatFront() {
	s.handle("GET /chat", member, (*request).frontPage)
	s.handle("GET /chat/c/{id}", member, (*request).frontPage)
	s.handle("GET /chat/c/{id}/{message}", member, (*request).frontPage)
	s.handle("GET /chat/tasks/{task}", member, (*request).frontPage)
	s.handle("GET /chat/{view}", member, (*request).frontPage)
	s.frontWorker()
	s.mux.HandleFunc("GET /front/{version}/{name...}", s.front.serve)
	s.routes = append(s.routes, "GET /front/{version}/{name...}")
}

// frontViews are the pages of the front that are no conversation.
var frontViews = map[string]bool{"missed": true, "search": true, "saved": true, "new": true, "tasks": true,
	"scheduled": true}

// boot is what the front begins with, in the page.
type boot struct {
	Me      webchat.Me     `json:"me"`
	Lang    string         `json:"lang"`
	Words   map[string]any `json:"words"` // of the front's texts, where they are not as in English
	Name    string         `json:"name"`  // of the organization
	Version string         `json:"version"`
	Files   []string       `json:"files"`    // origins from which pictures are shown
	MaxFile int64          `json:"maxFile"`  // bytes; 0: files cannot be sent
	Creates bool           `json:"creates"`  // the person may make groups
	Several bool           `json:"several"`  // people may begin conversations of several people
	Search  bool           `json:"search"`   // messages are found by their words
	Keeps   bool           `json:"keeps"`    // the browser may keep messages
	Links   []ownLink      `json:"links"`    // that the organization shows to the person
	Preview bool           `json:"previews"` // the server describes links
	Seen    bool           `json:"seen"`     // in rooms, the author of a message sees its readers

	Actions []api.OwnAction `json:"actions"` // on messages, that the person may use
}

// frontPage shows the chat.
func (c *request) frontPage() error {
	if view := c.r.PathValue("view"); view != "" && !frontViews[view] {
		return notFound
	}
	w := c.s.Chats[c.host()]
	if w == nil {
		return notFound
	}
	b := boot{
		Me:      w.Self(c.r.Context(), c.Me.Name, c.Session.Hash),
		Lang:    c.Lang.Code,
		Words:   c.Lang.Some(front.Words()),
		Name:    c.P.Title(),
		Version: front.Version(),
		Files:   c.fileOrigins(),
		MaxFile: w.MaxFile(),
		Creates: c.s.Org.MayCreateGroup(c.r.Context(), c.Actor, c.host()),
		Several: w.Converses(),
		Search:  c.s.Find != nil,
		Keeps:   w.Keeps(),
		Preview: w.Previews(),
		Seen:    w.ShowsSeen(),
	}
	var err error
	if b.Links, err = c.ownLinks(); err != nil {
		return err
	}
	acts, err := c.P.ActionsFor(c.r.Context(), *c.Me)
	if err != nil {
		return err
	}
	b.Actions = api.OwnActions(acts)
	begin, err := json.Marshal(b) // escapes <, > and &, so that no text ends the script
	if err != nil {
		return err
	}
	c.w.Header().Set("Content-Security-Policy", frontPolicy(b.Files))
	c.w.Header().Set(versionHeader, b.Version)
	for _, path := range firstAsked(c.r) {
		c.w.Header().Add("Link", "<"+path+`>; rel=preload; as=fetch; crossorigin`)
	}
	if !b.Keeps {
		c.w.Header().Set(keepsHeader, "no")
	}
	return c.render(http.StatusOK, "front", "front", c.view(c.T("Chat"), map[string]any{
		"Boot":  template.JS(begin),
		"Files": "/front/" + front.Version() + "/",
		"First": front.Preload(),
	}))
}

// firstAsked gives the addresses that the script of the front asks for first, so that a browser can load them beside
// the script. On a slow line that is as long as the script takes.
func firstAsked(r *http.Request) []string {
	id := r.PathValue("id")
	if id == "" {
		return nil
	}
	at := "/api/v1/conversations/" + encodeComponent(id)
	where := "?limit=50"
	if m := r.PathValue("message"); m != "" {
		where = "?around=" + url.QueryEscape(m) + "&limit=50"
	}
	return []string{at, at + "/messages" + where}
}

// encodeComponent escapes a text as encodeURIComponent does in a browser: a browser uses what was loaded before for the
// very same address.
func encodeComponent(text string) string {
	return strings.NewReplacer("+", "%20", "%21", "!", "%27", "'", "%28", "(", "%29", ")", "%2A", "*").Replace(
		url.QueryEscape(text))
}

// fileOrigins gives the origins of the files that people of the host send, besides that of the pages.
func (c *request) fileOrigins() []string {
	out := []string{}
	if c.s.UploadURL == nil {
		return out
	}
	u, err := url.Parse(c.s.UploadURL(c.host()))
	if err == nil && u.Host != "" && !strings.ContainsAny(u.Host, " ;,'") {
		out = append(out, u.Scheme+"://"+u.Host)
	}
	return out
}

// frontPolicy is the content security policy of the front: that of other pages, with a worker, a manifest, and pictures
// and sounds of the host's own files.
func frontPolicy(files []string) string {
	own := strings.Join(append([]string{"'self'", "blob:"}, files...), " ")
	return "default-src 'none'; script-src 'self'; style-src 'self'; img-src " + own + "; media-src " + own +
		"; font-src 'self'; connect-src 'self'; worker-src 'self'; manifest-src 'self'; form-action 'self'; " +
		"base-uri 'none'; frame-ancestors 'none'"
}

// Browser gives the browser of somebody who is signed in, for the API (api.Config.Browser).
func (s *Server) Browser(w http.ResponseWriter, r *http.Request) (*api.Browser, error) {
	c := s.begin(w, r)
	if err := c.signedIn(); err != nil || c.Me == nil {
		return nil, err
	}
	if needs, err := c.P.NeedsFactor(r.Context(), *c.Me); err != nil || needs {
		return nil, err
	}
	return &api.Browser{
		People:     c.P,
		Me:         *c.Me,
		Actor:      people.As(*c.Me, c.Actor.Door, c.remote()),
		Credential: c.credential(),
		Say:        c.refusal,
	}, nil
}

// credential is what tells the person's browser from others, in the chat.
func (c *request) credential() webchat.Credential {
	return webchat.Credential{ID: c.Session.Hash, Remote: c.remote(), Agent: device(c.Lang, c.Session.Agent)}
}
