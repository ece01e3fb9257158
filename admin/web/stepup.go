package web

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"parley/auth"
	"parley/internal/fault"
	"parley/store"
)

// dangerous are the requests that need a proof that is not old, besides the session: a password or a code, so that a
// browser that was left open, or a cookie that was stolen, is not enough for them. The function, where there is one,
// says which of a pattern's requests it is.
var dangerous = map[string]func(c *request) bool{
	"POST /me/factor":           nil,
	"POST /me/apps":             nil,
	"POST /me/tokens":           nil,
	"POST /me/data":             nil,
	"GET /admin/people.csv":     nil,
	"GET /admin/people/import":  nil,
	"POST /admin/people/import": nil,
	"POST /admin/people/new":    (*request).givesRole,
	"POST /admin/people/{name}": (*request).changesPerson,
	"POST /admin/people/{name}/{act}": func(c *request) bool {
		return slices.Contains([]string{"delete", "reset", "factor"}, c.r.PathValue("act"))
	},
	"POST /admin/people/fields/{key}/{act}": func(c *request) bool { // with everybody's values
		return c.r.PathValue("act") == "delete"
	},
	"POST /admin/invitations/{id}/{act}": func(c *request) bool {
		i, err := c.oneInvitation()
		return err == nil && i.Kind == store.KindReset && c.r.PathValue("act") != "revoke"
	},
	"POST /admin/system/backup":    nil, // it has everything
	"POST /admin/federation/rules": nil,
	"POST /admin/webhooks":         nil,
	// Programs elsewhere are told what people say.
	"POST /admin/settings/actions":          nil,
	"POST /admin/settings/actions/{action}": nil,
	"POST /admin/settings/actions/{action}/{act}": func(c *request) bool {
		return c.r.PathValue("act") == "secret"
	},
	// How people sign in, which roles need the second step, and deletions for good.
	"POST /admin/settings/{section}": func(c *request) bool {
		return slices.Contains([]string{"signin", "retention"}, c.r.PathValue("section"))
	},
	"POST /admin/settings/default": func(c *request) bool {
		return strings.HasPrefix(c.form("name"), "signin.") || strings.HasPrefix(c.form("name"), "retention.")
	},
	"POST /g/{slug}/delete": nil,
}

// givesRole says whether somebody is created with a role above member.
func (c *request) givesRole() bool { return c.form("role") != "" && c.form("role") != store.RoleMember }

// changesPerson says that somebody's role changes, or the address that links for a new password go to.
func (c *request) changesPerson() bool {
	u, err := c.person()
	if err != nil {
		return false // it fails anyhow
	}
	role, email := c.form("role"), c.form("email")
	return role != "" && role != u.Role || c.r.Form.Has("email") && !strings.EqualFold(email, u.Email)
}

func (s *Server) steppingUp() {
	s.handle("POST /me/prove", member, (*request).proveFirst)
}

// enrolling are the pages for people who first have to set up the second step.
var enrolling = []string{
	"GET /me/security", "POST /me/prove", "POST /me/factor", "GET /me/factor.png", "POST /logout", "POST /lang",
}

// enrols redirects people who have to set up the second step to the page for that.
func (c *request) enrols(pattern string) (bool, error) {
	if slices.Contains(enrolling, pattern) {
		return false, nil
	}
	needs, err := c.P.NeedsFactor(c.r.Context(), *c.Me)
	if err != nil || !needs {
		return false, err
	}
	return true, c.to("/me/security#factor")
}

// proofField is a field that a form has besides its own when the proof comes with it.
const proofField = "proof"

// stepUp lets a request through that is not dangerous, or has its proof; otherwise it asks for one, with all that was
// sent in the form that asks, and done is true.
func (c *request) stepUp(pattern string) (done bool, err error) {
	which, listed := dangerous[pattern]
	if !listed {
		return false, nil
	}
	if !strings.HasPrefix(c.r.Header.Get("Content-Type"), "multipart/form-data") {
		if err := c.r.ParseForm(); err != nil {
			return true, badForm
		}
	}
	if which != nil && !which(c) || c.fresh() {
		c.forgetProof()
		return false, nil
	}
	given := c.r.PostFormValue(proofField)
	if given == "" || c.r.Method != http.MethodPost {
		return true, c.askProof(http.StatusForbidden, "")
	}
	if err := c.prove(given); err != nil {
		text, _, ok := c.explain(err)
		if !ok {
			return true, err
		}
		return true, c.askProof(http.StatusUnprocessableEntity, text)
	}
	c.forgetProof()
	return false, nil
}

// forgetProof keeps a password out of what handlers see, and repeat.
func (c *request) forgetProof() {
	delete(c.r.Form, proofField)
	delete(c.r.PostForm, proofField)
}

type proofForm struct {
	Action string
	Fields [][2]string
	Codes  bool // a code of the authenticator is enough too
	Error  string
}

// askProof asks. A form comes back with what it had; a page is opened again when the proof was given, and a file
// has to be chosen once more.
func (c *request) askProof(status int, text string) error {
	f := proofForm{Action: c.r.URL.RequestURI(), Error: text}
	var err error
	if f.Codes, err = c.P.HasFactor(c.r.Context(), c.Me.Name); err != nil {
		return err
	}
	if c.r.Method != http.MethodPost {
		f.Action, f.Fields = "/me/prove", [][2]string{{"back", c.r.URL.RequestURI()}}
	} else {
		f.Fields = hidden(c.r.PostForm)
	}
	return c.panel(status, "prove", "panel", c.T("Is it you?"), f)
}

// hidden are the fields of a form in an order that stays.
func hidden(form url.Values) (out [][2]string) {
	for name, values := range form {
		for _, v := range values {
			if name != proofField {
				out = append(out, [2]string{name, v})
			}
		}
	}
	slices.SortStableFunc(out, func(a, b [2]string) int { return strings.Compare(a[0], b[0]) })
	return out
}

// proveFirst is where a page that is dangerous to open is opened from.
func (c *request) proveFirst() error {
	back := c.back("/me/security")
	if err := c.prove(c.r.PostFormValue(proofField)); err != nil {
		text, _, ok := c.explain(err)
		if !ok {
			return err
		}
		on, err := c.P.HasFactor(c.r.Context(), c.Me.Name)
		if err != nil {
			return err
		}
		return c.page(http.StatusUnprocessableEntity, "prove", c.T("Is it you?"), proofForm{
			Action: "/me/prove",
			Fields: [][2]string{{"back", back}},
			Codes:  on,
			Error:  text,
		})
	}
	return c.to(back)
}

// prove takes a password, or a code of the authenticator, for the proof that it is the person who has signed in.
func (c *request) prove(given string) error {
	good, err := false, error(nil)
	if code := strings.ReplaceAll(given, " ", ""); len(code) == 6 && strings.Trim(code, "0123456789") == "" {
		if good, err = c.ownCode(code); err != nil {
			return err
		}
	}
	if !good {
		if err := c.ownPassword(given); err != nil {
			return err
		}
	}
	w := c.Session
	w.Seen, w.Expires, w.Proven = c.now, c.now.Add(c.P.Policy().SessionIdle), c.now
	if err := c.s.Store.TouchWebSession(c.r.Context(), w); err != nil {
		return err
	}
	c.Session = w
	return nil
}

var tooMany = fault.New(fault.Limit, "current", "Too many attempts: try again in a few minutes")

// ownCode says whether this is a code of the signed-in person. A wrong code counts only once it is not the password
// either.
func (c *request) ownCode(code string) (bool, error) {
	at := c.s.Throttle.Again(c.addr(), auth.Code, c.Me.Address())
	if at.Shut {
		return false, tooMany
	}
	on, err := c.P.HasFactor(c.r.Context(), c.Me.Name)
	if err != nil || !on {
		return false, err
	}
	good, err := c.s.useCode(c.r.Context(), *c.Me, code)
	if err != nil {
		return false, err
	}
	in, crowded := at.Done(good)
	if crowded {
		return false, tooMany
	}
	return in, nil
}

// ownPassword checks the password of the signed-in person.
func (c *request) ownPassword(password string) error {
	at := c.s.Throttle.Again(c.addr(), auth.Password, c.Me.Address())
	if at.Shut {
		return tooMany
	}
	right := false
	if at.Worth(password, c.Me.Keys) {
		var err error
		if right, err = c.s.verify(c.P, *c.Me, true, password); err != nil {
			return err
		}
	}
	switch in, crowded := at.Done(right); {
	case in:
		return nil
	case crowded:
		return tooMany
	}
	c.failed("pages", "wrong password of a signed-in person", c.Me.Address())
	return fault.New(fault.Invalid, "current", "This is not your password")
}
