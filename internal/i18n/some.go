package i18n

// Forms are a text, or its forms for numbers, as scripts of pages take them.
type Forms struct {
	One   string `json:"one,omitempty"`
	Many  string `json:"many,omitempty"`
	Other string `json:"other"`
}

// Some gives messages in the language for a script, by their names: each is a text or Forms. Messages that the
// catalogue lacks are left out: they are shown in English.
func (l *Lang) Some(ids []string) map[string]any {
	all := make(map[string]any)
	for _, id := range ids {
		m, ok := l.known[id]
		switch {
		case !ok:
		case m.One == "" && m.Many == "":
			all[id] = m.Other
		default:
			all[id] = Forms(m)
		}
	}
	return all
}
