package web

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"parley/people"
	"parley/settings"
)

func (s *Server) settings() {
	s.handle("GET /admin/settings", runs, (*request).settingsPage)
	s.handle("POST /admin/settings/{section}", runs, (*request).saveSettings)
	s.handle("POST /admin/settings/default", runs, (*request).resetSetting)
	s.handle("POST /admin/settings/tokens/revoke", runs, (*request).revokeAnyToken)
}

// settingField is a setting as a part of a form.
type settingField struct {
	settings.State
	Input        string // of the part of the template that shows it
	Shown        string // the value in the form: the value in force, or a sent value that is wrong
	N, Unit      string // of a duration
	Options      []option
	DefaultText  string
	Error        string
	Label, Hint  string
	Configurable bool // the configuration has a key for the setting
}

// settingsSection is a form of its own.
type settingsSection struct {
	Name   string
	Fields []settingField
}

func (c *request) settingsPage() error { return c.showSettings(http.StatusOK, "", nil, nil) }

// showSettings shows all settings, and one section with the sent values and their errors.
func (c *request) showSettings(status int, section string, sent map[string]string, wrong settings.Mistakes) error {
	all, err := c.P.Settings(c.Actor)
	if err != nil {
		return err
	}
	page := c.pageNumber()
	tokens, total, err := c.P.Tokens(c.r.Context(), c.Actor, (page-1)*perPage, perPage)
	if err != nil {
		return err
	}
	var sections []settingsSection
	for _, name := range settings.Sections {
		s := settingsSection{Name: name}
		for _, st := range all {
			if st.Section() == name {
				f := c.settingField(st)
				if v, ok := sent[st.Name]; ok && section == name {
					f.Shown = v
				}
				c.fill(&f)
				for _, m := range wrong {
					if m.Field == st.Name {
						f.Error = c.T(m.Text, c.spelled(m.Args)...)
					}
				}
				s.Fields = append(s.Fields, f)
			}
		}
		sections = append(sections, s)
	}
	return c.page(status, "settings", c.T("Settings"),
		map[string]any{"Sections": sections, "Tokens": tokens, "Pager": c.pager(page, total), "Wrong": len(wrong)})
}

// spelled writes the durations among a message's arguments as people say them.
func (c *request) spelled(args []any) []any {
	out := slices.Clone(args)
	for i := 1; i < len(out); i += 2 {
		if s, ok := out[i].(string); ok {
			if d, ok := settings.ParseDuration(s); ok {
				out[i] = c.span(d)
			}
		}
	}
	return out
}

func (c *request) settingField(st settings.State) settingField {
	inputs := []string{"", "text", "choice", "several", "duration", "number", "switch"} // in the order of the kinds
	f := settingField{
		State:        st,
		Input:        inputs[st.Kind],
		Shown:        st.Value,
		DefaultText:  c.settingText(st, st.Default),
		Label:        c.T("setting " + st.Name),
		Configurable: st.Key != "",
	}
	if hint := "hint " + st.Name; c.T(hint) != hint {
		f.Hint = c.T(hint)
	}
	return f
}

// fill sets what the form shows from the value.
func (c *request) fill(f *settingField) {
	switch f.Kind {
	case settings.Duration:
		f.N, f.Unit = f.Shown, "d"
		if n := len(f.Shown); n > 0 && strings.ContainsAny(f.Shown[n-1:], "dhms") {
			f.N, f.Unit = f.Shown[:n-1], f.Shown[n-1:]
		}
		if f.Unit == "s" { // a configured number of seconds shows as minutes: pages do not offer seconds
			if d, ok := settings.ParseDuration(f.Shown); ok {
				f.N, f.Unit = strconv.Itoa(int(d/time.Minute)), "m"
			}
		}
	case settings.Choice:
		for _, v := range f.Choices {
			f.Options = append(f.Options, option{Value: v, Text: c.choiceText(f.Name, v), Picked: v == f.Shown})
		}
	case settings.Several:
		picked := strings.Split(f.Shown, ",")
		for _, v := range f.Choices {
			f.Options = append(f.Options,
				option{Value: v, Text: c.choiceText(f.Name, v), Picked: slices.Contains(picked, v)})
		}
	}
}

func (c *request) choiceText(name, v string) string {
	if slices.Contains(roles, v) {
		return c.P.RoleName(c.Lang, v)
	}
	return c.T("choice " + name + " " + v)
}

// settingText says a value as people do.
func (c *request) settingText(st settings.State, v string) string {
	switch st.Kind {
	case settings.Duration:
		d, _ := settings.ParseDuration(v)
		return c.span(d)
	case settings.Choice:
		return c.choiceText(st.Name, v)
	case settings.Several:
		if v == "" {
			return c.T("nobody")
		}
		var out []string
		for _, one := range strings.Split(v, ",") {
			out = append(out, c.choiceText(st.Name, one))
		}
		return strings.Join(out, ", ")
	case settings.Switch:
		if v == "true" {
			return c.T("yes")
		}
		return c.T("no")
	}
	if v == "" {
		return "—"
	}
	return v
}

// span says a duration in days, hours or minutes.
func (c *request) span(d time.Duration) string {
	switch {
	case d == 0:
		return c.T("forever")
	case d%(24*time.Hour) == 0:
		return c.T("{{.Count}} days", "Count", int(d/(24*time.Hour)))
	case d%time.Hour == 0:
		return c.T("{{.Count}} hours", "Count", int(d/time.Hour))
	}
	return c.T("{{.Count}} minutes", "Count", int(d/time.Minute))
}

// sentSettings returns the values of a section's form that differ from the form as it was shown. A setting that the
// sender has not touched does not undo somebody else's change.
func (c *request) sentSettings(all []settings.State, section string) (sent map[string]string, to map[string]*string) {
	sent, to = make(map[string]string), make(map[string]*string)
	for _, st := range all {
		if st.Section() != section {
			continue
		}
		v := c.form(st.Name)
		switch st.Kind {
		case settings.Duration:
			if v = c.form(st.Name + ".n"); v != "" {
				v += c.form(st.Name + ".unit")
			}
		case settings.Several:
			v = strings.Join(c.r.Form[st.Name], ",")
		case settings.Switch:
			v = strconv.FormatBool(v != "")
		}
		sent[st.Name] = v
		if v != c.form("was:"+st.Name) {
			to[st.Name] = &v
		}
	}
	return sent, to
}

func (c *request) saveSettings() error {
	section := c.r.PathValue("section")
	if err := c.r.ParseForm(); err != nil {
		return badForm
	}
	if !slices.Contains(settings.Sections, section) {
		return notFound
	}
	all, err := c.P.Settings(c.Actor)
	if err != nil {
		return err
	}
	sent, to := c.sentSettings(all, section)
	changed, err := c.P.ChangeSettings(c.r.Context(), c.Actor, to)
	if wrong := people.Mistaken(err); wrong != nil {
		return c.showSettings(http.StatusUnprocessableEntity, section, sent, wrong)
	}
	if err != nil {
		return err
	}
	if len(changed) == 0 {
		return c.done("/admin/settings#"+section, "Nothing has changed")
	}
	return c.done("/admin/settings#"+section, "Saved")
}

// resetSetting takes one back, so that the configuration holds again.
func (c *request) resetSetting() error {
	name := c.form("name")
	_, err := c.P.ChangeSettings(c.r.Context(), c.Actor, map[string]*string{name: nil})
	if people.Mistaken(err) != nil {
		return notFound
	}
	if err != nil {
		return err
	}
	section, _, _ := strings.Cut(name, ".")
	return c.done("/admin/settings#"+section, "The default applies again")
}

func (c *request) revokeAnyToken() error {
	if err := c.P.RevokeToken(c.r.Context(), c.Actor, c.form("owner"), c.form("token")); err != nil {
		return c.oops("/admin/settings#tokens", err)
	}
	return c.done("/admin/settings#tokens", "The token no longer works")
}
