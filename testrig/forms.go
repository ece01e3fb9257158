package testrig

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"sync"
)

//go:embed testdata/registries.txt
var registries string

// registered holds the types of fields in the XMPP registries, by the form's type and the field's name.
var registered = sync.OnceValue(func() map[string]map[string]string {
	m := make(map[string]map[string]string)
	for line := range strings.Lines(registries) {
		fs := strings.Fields(line)
		if len(fs) != 4 || fs[0] == "#" {
			continue
		}
		if m[fs[0]] == nil {
			m[fs[0]] = make(map[string]string)
		}
		m[fs[0]][fs[1]] = fs[2]
	}
	return m
})

// unregistered are fields that forms of a registered type have here though no registry names them, and why.
var unregistered = map[string]string{
	"http://jabber.org/protocol/muc#roominfo muc#roominfo_changesubject": "Prosody and ejabberd " +
		"say it, clients read it",
	"http://jabber.org/protocol/muc#roominfo muc#roomconfig_changesubject": "so do others, by the " +
		"name in the configuration",
	"http://jabber.org/protocol/muc#roominfo muc#roomconfig_roomname":     "Conversations reads it",
	"http://jabber.org/protocol/muc#roominfo muc#roomconfig_allowpm":      "Conversations reads it",
	"http://jabber.org/protocol/muc#roominfo muc#roomconfig_allowinvites": "Conversations reads it",
	"http://jabber.org/protocol/pubsub#meta-data pubsub#num_items":        "Movim reads it",
	"urn:xmpp:mam:2 withtext": "the search of servers before XEP-0431",
}

// besides are types that a field also has in the examples of its XEP.
var besides = map[string]string{
	"http://jabber.org/protocol/pubsub#subscribe_authorization pubsub#subid": "hidden", // XEP-0060, section 8.6
	// section 8.7: which to look at
	"http://jabber.org/protocol/pubsub#subscribe_authorization pubsub#node": "list-single",
	"urn:xmpp:hats:commands hats#jid":                                       "jid-single",  // XEP-0317, section 6.4
	"urn:xmpp:hats:commands hats#uri":                                       "list-single", // those there are
	// XEP-0133, section 4.10, has several
	"http://jabber.org/protocol/admin onlineresources": "text-multi",
}

// Forms returns the types of forms that the clients of all rigs of this process have got, with the number of registered
// fields in each.
func Forms() map[string]int {
	seenForms.Lock()
	defer seenForms.Unlock()
	m := make(map[string]int)
	for k, v := range seenForms.of {
		m[k] = v
	}
	return m
}

var seenForms = struct {
	sync.Mutex
	of map[string]int
}{of: make(map[string]int)}

// OddForms returns fields that differ from their registration, in the forms within an element that a server has sent.
func OddForms(e *Element) (odd []string) {
	if e.Name.Local != "x" || e.Name.Space != "jabber:x:data" {
		for _, c := range e.Children {
			odd = append(odd, OddForms(c)...)
		}
		return odd
	}
	typ, about := e.Attr("type"), ""
	if typ != "form" && typ != "result" { // clients may submit what they like
		return nil
	}
	fields := e.Children
	for _, c := range e.Children {
		if c.Name.Local == "reported" {
			fields = append(slices.Clone(fields), c.Children...)
		}
		if v := c.Find("value"); c.Attr("var") == "FORM_TYPE" && v != nil {
			if about = v.Text; c.Attr("type") != "hidden" {
				odd = append(odd, fmt.Sprintf("FORM_TYPE of %s is %q, not hidden (XEP-0068)", about, c.Attr("type")))
			}
		}
	}
	types := registered()[about]
	if types == nil {
		return odd
	}
	for _, fd := range fields {
		name := fd.Attr("var")
		want, ok := types[name]
		switch {
		case fd.Name.Local != "field" || name == "" || name == "FORM_TYPE":
		case ok && fd.Attr("type") != want && fd.Attr("type") != besides[about+" "+name] &&
			!(fd.Attr("type") == "" && want == "text-single"):
			odd = append(odd, fmt.Sprintf("%s of %s is %q, registered as %q", name, about, fd.Attr("type"), want))
		case ok:
			seenForms.Lock()
			seenForms.of[about]++
			seenForms.Unlock()
		// XEP-0068, section 3.2: others have a namespace, or begin with x-.
		case !strings.HasPrefix(name, "{") && !strings.HasPrefix(name, "x-") && !strings.HasPrefix(name, "https://") &&
			unregistered[about+" "+name] == "":
			odd = append(odd, fmt.Sprintf("%s of %s is not registered", name, about))
		}
	}
	return odd
}
