package admin

import "net/http"

func (c *control) groups(op Groups) {
	c.handle("POST /v1/groups", func(r *http.Request) (any, error) {
		g, err := read[NewGroup](r)
		if err != nil {
			return nil, err
		}
		return op.CreateGroup(r.Context(), g)
	})
	c.handle("GET /v1/groups", func(r *http.Request) (any, error) {
		after, limit, err := page(r)
		if err != nil {
			return nil, err
		}
		return op.Groups(r.Context(), r.FormValue("host"), after, limit)
	})
	c.handle("GET /v1/groups/{slug}", func(r *http.Request) (any, error) {
		return op.Group(r.Context(), r.FormValue("host"), r.PathValue("slug"))
	})
	c.handle("PATCH /v1/groups/{slug}", func(r *http.Request) (any, error) {
		ch, err := read[GroupChange](r)
		if err != nil {
			return nil, err
		}
		return op.ChangeGroup(r.Context(), r.FormValue("host"), r.PathValue("slug"), ch)
	})
	c.handle("PUT /v1/groups/{slug}/photo", func(r *http.Request) (any, error) {
		p, err := read[photo](r)
		if err != nil {
			return nil, err
		}
		return nil, op.SetPhoto(r.Context(), r.FormValue("host"), r.PathValue("slug"), p.Image)
	})
	c.handle("GET /v1/deleted-groups", func(r *http.Request) (any, error) {
		return op.DeletedGroups(r.Context(), r.FormValue("host"))
	})
	c.handle("POST /v1/deleted-groups/{slug}/restore", func(r *http.Request) (any, error) {
		return op.RestoreGroup(r.Context(), r.FormValue("host"), r.PathValue("slug"))
	})
	c.handle("DELETE /v1/groups/{slug}", func(r *http.Request) (any, error) {
		return nil, op.DeleteGroup(r.Context(), r.FormValue("host"), r.PathValue("slug"))
	})
	c.handle("PUT /v1/groups/{slug}/members/{address}", func(r *http.Request) (any, error) {
		m, err := read[role](r)
		if err != nil {
			return nil, err
		}
		return op.SetMember(r.Context(), r.FormValue("host"), r.PathValue("slug"), r.PathValue("address"), m.Role)
	})
	c.handle("DELETE /v1/groups/{slug}/members/{address}", func(r *http.Request) (any, error) {
		return nil, op.RemoveMember(r.Context(), r.FormValue("host"), r.PathValue("slug"), r.PathValue("address"))
	})
	c.handle("PUT /v1/groups/{slug}/mandatory", func(r *http.Request) (any, error) {
		w, err := read[whom](r)
		if err != nil {
			return nil, err
		}
		return nil, op.SetMandatory(r.Context(), r.FormValue("host"), r.PathValue("slug"), w.Whom)
	})
	c.handle("PUT /v1/groups/{slug}/teams/{team}", func(r *http.Request) (any, error) {
		m, err := read[role](r)
		if err != nil {
			return nil, err
		}
		return nil, op.SetGroupTeam(r.Context(), r.FormValue("host"), r.PathValue("slug"), r.PathValue("team"), m.Role)
	})
	c.handle("GET /v1/groups/{slug}/requests", func(r *http.Request) (any, error) {
		return op.Requests(r.Context(), r.FormValue("host"), r.PathValue("slug"))
	})
	c.handle("PUT /v1/groups/{slug}/requests/{address}", func(r *http.Request) (any, error) {
		y, err := read[answer](r)
		if err != nil {
			return nil, err
		}
		return nil, op.AnswerRequest(r.Context(), r.FormValue("host"), r.PathValue("slug"), r.PathValue("address"), y.Yes)
	})
	c.handle("PATCH /v1/groups/{slug}/themes/{theme}", func(r *http.Request) (any, error) {
		ch, err := read[ThemeChange](r)
		if err != nil {
			return nil, err
		}
		return op.ChangeTheme(r.Context(), r.FormValue("host"), r.PathValue("slug"), r.PathValue("theme"), ch)
	})
	c.handle("PUT /v1/groups/{slug}/themes/{theme}/people/{address}", func(r *http.Request) (any, error) {
		m, err := read[role](r)
		if err != nil {
			return nil, err
		}
		return nil, op.SetThemePerson(r.Context(), r.FormValue("host"), r.PathValue("slug"), r.PathValue("theme"), r.PathValue("address"), m.Role)
	})
	c.handle("POST /v1/groups/{slug}/themes", func(r *http.Request) (any, error) {
		t, err := read[NewTheme](r)
		if err != nil {
			return nil, err
		}
		return op.CreateTheme(r.Context(), r.FormValue("host"), r.PathValue("slug"), t)
	})
	c.handle("DELETE /v1/groups/{slug}/themes/{theme}", func(r *http.Request) (any, error) {
		return nil, op.CloseTheme(r.Context(), r.FormValue("host"), r.PathValue("slug"), r.PathValue("theme"))
	})
}

type photo struct {
	Image []byte `json:"image"`
}

type whom struct {
	Whom string `json:"whom"`
}

type answer struct {
	Yes bool `json:"yes"`
}
