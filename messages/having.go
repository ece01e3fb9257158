package messages

import "strings"

// Traces gives texts of which a stanza has one if its message has what a search asks for: see Has.
func Traces(what string) []string {
	switch what {
	case "file":
		return []string{nsSharing, "jabber:x:oob"}
	case "link":
		return []string{"https://", "http://"}
	case "mention":
		return []string{nsReference, nsMentions}
	}
	return nil
}

// Has says whether a message has a "file", a "link" in its text, or a "mention" of the bare address who. For "" it
// returns true.
func (m *Message) Has(what, who string) bool {
	switch what {
	case "file":
		return len(m.Files) > 0
	case "link":
		return strings.Contains(m.Text, "https://") || strings.Contains(m.Text, "http://")
	case "mention":
		for _, x := range m.Mentions {
			if x.Everyone || x.Address == who {
				return true
			}
		}
		return false
	}
	return true
}
