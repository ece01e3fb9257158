package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"parley/internal/fault"
	"parley/people"
)

// Setting is a decision of the organization about itself.
type Setting struct {
	Name    string    `json:"name"`
	Value   string    `json:"value"`
	Default string    `json:"default" doc:"value in force while the setting is not set"`
	Source  string    `json:"source" enum:"set,configuration,built-in"`
	Since   time.Time `json:"since,omitzero"`
	By      string    `json:"by,omitempty"`
}

// SettingChanges are values by name; nil: as the configuration says.
type SettingChanges struct {
	Body map[string]*string `doc:"values by name; null: as the configuration says"`
}

// Operations on settings. How people sign in can be changed only on the page, which asks the person for a proof.
var (
	ListSettings = op[None, []Setting](
		"list-settings", http.MethodGet, "/settings", "system:read",
		"Settings as they are in force",
	)
	ChangeSettings = op[SettingChanges, []Setting](
		"change-settings", http.MethodPatch, "/settings", "system:write",
		"Change settings; how people sign in is changed on the page only",
	)
)

func (s *Server) settings(d *doors) {
	serve(s, d, ListSettings, runsIt, func(_ context.Context, c caller, _ *None) ([]Setting, error) {
		return c.settings()
	})
	serve(s, d, ChangeSettings, runsIt, func(ctx context.Context, c caller, in *SettingChanges) ([]Setting, error) {
		for name := range in.Body {
			if strings.HasPrefix(name, "signin.") {
				return nil, fault.New(
					fault.Forbidden, name,
					"Change how people sign in on the settings page, which asks for your password",
				)
			}
		}
		if _, err := c.p.ChangeSettings(ctx, c.actor, in.Body); err != nil {
			if ms := people.Mistaken(err); ms != nil {
				return nil, fault.New(fault.Invalid, "", "{{.Why}}", "Why", ms.Error())
			}
			return nil, err
		}
		return c.settings()
	})
}

func (c caller) settings() ([]Setting, error) {
	all, err := c.p.Settings(c.actor)
	out := []Setting{}
	for _, x := range all {
		out = append(out, Setting{x.Name, x.Value, x.Default, x.Source, x.Since, x.By})
	}
	return out, err
}
