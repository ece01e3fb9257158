package web

import (
	"net/http"
	"slices"

	"parley/feature/webhooks"
	"parley/store"
)

func (s *Server) webhooks() {
	s.handle("GET /admin/webhooks", runs, (*request).webhookList)
	s.handle("POST /admin/webhooks", runs, (*request).createWebhook)
	s.handle("GET /admin/webhooks/{id}", runs, (*request).webhookPage)
	s.handle("POST /admin/webhooks/{id}/{act}", runs, (*request).webhookAct)
}

// hooks are the webhooks of the host.
func (c *request) hooks() *webhooks.Webhooks { return c.s.Hooks[c.host()] }

func (c *request) webhookData() (map[string]any, error) {
	ws, err := c.hooks().List(c.r.Context(), "")
	if err != nil {
		return nil, err
	}
	chosen := c.r.Form["group"]
	if c.r.Method == http.MethodGet {
		chosen = nil
	}
	groups, err := c.allGroupsPicker("group", chosen)
	groups.One = true
	q, words, page := c.form("q"), c.words("q"), c.pageNumber()
	ws = slices.DeleteFunc(ws, func(w webhooks.Hook) bool { return !hasWords(w.Name+" "+w.Slug+" "+w.URL, words) })
	total := len(ws)
	ws = ws[min(total, (page-1)*perPage):min(total, page*perPage)]
	return map[string]any{
		"Webhooks": ws,
		"Pager":    c.pager(page, total),
		"Q":        q,
		"Groups":   groups,
		"Events":   []string{"message", "theme", "member", "group"},
	}, err
}

func (c *request) webhookList() error {
	d, err := c.webhookData()
	if err != nil {
		return err
	}
	return c.show("webhooks", c.T("Webhooks"), d)
}

// createWebhook shows the secret, or the address to post to, in the answer itself: this once.
func (c *request) createWebhook() error {
	if err := c.r.ParseForm(); err != nil {
		return badForm
	}
	n := webhooks.NewHook{Name: c.form("name"), URL: c.form("url"), Events: c.r.Form["event"]}
	if c.picks("group") {
		d, err := c.webhookData()
		if err != nil {
			return err
		}
		d["New"] = n
		return c.page(http.StatusOK, "webhooks", c.T("Webhooks"), d)
	}
	if c.form("direction") == "in" {
		n.URL, n.Events = "", nil
	}
	w, err := c.hooks().Make(c.r.Context(), c.Actor, c.form("group"), n)
	d, derr := c.webhookData()
	if derr != nil {
		return derr
	}
	if err != nil {
		text, field, ok := c.explain(err)
		if !ok {
			return err
		}
		d["Error"], d["Field"], d["New"] = text, field, n
		return c.page(http.StatusUnprocessableEntity, "webhooks", c.T("Webhooks"), d)
	}
	d["Made"] = w
	return c.show("webhooks", c.T("Webhooks"), d)
}

const logPage = 50 // lines of a log

// webhook returns the webhook in the path.
func (c *request) webhook() (webhooks.Hook, error) {
	return c.hooks().Find(c.r.Context(), c.r.PathValue("id"))
}

func (c *request) webhookPage() error {
	w, err := c.webhook()
	if err != nil {
		return err
	}
	var ds []store.Delivery
	older := ""
	if w.Direction == "out" {
		var before store.ID
		if b := c.form("before"); b != "" {
			if before, err = store.ParseID(b); err != nil {
				return notFound
			}
		}
		if ds, err = c.hooks().Log(c.r.Context(), w.ID, "", before, logPage+1); err != nil {
			return err
		}
		if len(ds) > logPage {
			ds = ds[:logPage]
			older = ds[logPage-1].ID.String()
		}
	}
	return c.show("webhook", w.Name, map[string]any{"Webhook": w, "Deliveries": ds, "Older": older})
}

func (c *request) webhookAct() error {
	w, err := c.webhook()
	if err != nil {
		return err
	}
	ctx, page, act := c.r.Context(), "/admin/webhooks/"+w.ID, c.r.PathValue("act")
	switch act {
	case "enable", "disable":
		err = c.hooks().SetDisabled(ctx, c.Actor, w.ID, act == "disable")
	case "redeliver":
		_, err = c.hooks().Redeliver(ctx, c.Actor, w.ID)
	case "delete":
		page = "/admin/webhooks"
		err = c.hooks().Delete(ctx, c.Actor, w.ID)
	default:
		return notFound
	}
	if err != nil {
		return c.oops(page, err)
	}
	if back := map[string]string{"enable": "disable", "disable": "enable"}[act]; back != "" {
		return c.undoable(page, undo(page+"/"+back), "Saved")
	}
	return c.done(page, "Saved")
}
