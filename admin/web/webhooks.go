package web

import (
	"net/http"

	"parley/admin"
)

func adminRules(domain, action, note string) []admin.DomainRule {
	return []admin.DomainRule{{Domain: domain, Action: action, Note: note}}
}

func (s *Server) webhooks() {
	s.handle("GET /admin/webhooks", runs, (*ctx).webhookList)
	s.handle("POST /admin/webhooks", runs, (*ctx).createWebhook)
	s.handle("GET /admin/webhooks/{id}", runs, (*ctx).webhookPage)
	s.handle("POST /admin/webhooks/{id}/{act}", runs, (*ctx).webhookAct)
}

func (c *ctx) webhookData() (map[string]any, error) {
	ws, err := c.s.Ops.Webhooks(c.r.Context(), c.host(), "")
	if err != nil {
		return nil, err
	}
	gs, err := c.s.Org.Groups(c.r.Context(), c.host(), "", 500)
	return map[string]any{"Webhooks": ws, "Groups": gs, "Events": []string{"message", "theme", "member", "group"}}, err
}

func (c *ctx) webhookList() error {
	d, err := c.webhookData()
	if err != nil {
		return err
	}
	return c.show("webhooks", c.T("Webhooks"), d)
}

// createWebhook shows the secret, or the address to post to, in the answer itself: this once.
func (c *ctx) createWebhook() error {
	if err := c.r.ParseForm(); err != nil {
		return badForm
	}
	n := admin.NewWebhook{Host: c.host(), Group: c.form("group"), Name: c.form("name"), URL: c.form("url"), Events: c.r.Form["event"]}
	if c.form("direction") == "in" {
		n.URL, n.Events = "", nil
	}
	w, err := c.s.Ops.CreateWebhook(c.r.Context(), n)
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
	c.P.Audit(c.r.Context(), c.Actor, "system.webhook", w.ID, map[string]any{"name": w.Name, "direction": w.Direction, "group": w.Group})
	d["Made"] = w
	return c.show("webhooks", c.T("Webhooks"), d)
}

// webhook gives the one in the path.
func (c *ctx) webhook() (admin.Webhook, error) {
	ws, err := c.s.Ops.Webhooks(c.r.Context(), c.host(), "")
	for _, w := range ws {
		if w.ID == c.r.PathValue("id") {
			return w, nil
		}
	}
	if err == nil {
		err = notFound
	}
	return admin.Webhook{}, err
}

func (c *ctx) webhookPage() error {
	w, err := c.webhook()
	if err != nil {
		return err
	}
	var ds []admin.Delivery
	if w.Direction == "out" {
		if ds, err = c.s.Ops.Deliveries(c.r.Context(), c.host(), w.ID, "", 50); err != nil {
			return err
		}
	}
	return c.show("webhook", w.Name, map[string]any{"Webhook": w, "Deliveries": ds})
}

func (c *ctx) webhookAct() error {
	w, err := c.webhook()
	if err != nil {
		return err
	}
	ctx, page, act := c.r.Context(), "/admin/webhooks/"+w.ID, c.r.PathValue("act")
	switch act {
	case "enable", "disable":
		err = c.s.Ops.SetWebhookDisabled(ctx, c.host(), w.ID, act == "disable")
	case "redeliver":
		_, err = c.s.Ops.Redeliver(ctx, c.host(), w.ID)
	case "delete":
		page = "/admin/webhooks"
		err = c.s.Ops.DeleteWebhook(ctx, c.host(), w.ID)
	default:
		return notFound
	}
	if err != nil {
		return c.oops(page, err)
	}
	c.P.Audit(ctx, c.Actor, "system.webhook", w.ID, map[string]any{"do": act, "name": w.Name})
	if back := map[string]string{"enable": "disable", "disable": "enable"}[act]; back != "" {
		return c.undoable(page, undo(page+"/"+back), "Saved")
	}
	return c.done(page, "Saved")
}
