package bookmarks

import "testing"

func TestLevel(t *testing.T) {
	const open, end = "<extensions xmlns='urn:xmpp:bookmarks:1'><notify xmlns='urn:xmpp:notification-settings:1'>",
		"</notify></extensions>"
	for inside, want := range map[string]Level{
		"":                                   Unset,
		"<never/>":                           Never,
		"<on-mention/>":                      OnMention,
		"<always/>":                          Always,
		"<sometimes/>":                       Unset,
		"<never xmlns='urn:example:other'/>": Unset,
		"<never identity-category='client' identity-type='pc'/><on-mention identity-category='client' identity-type='phone'/><always/>": OnMention,
		"<always/><never identity-category='client'/>":                                                  Never,
		"<never identity-category='gateway'/><always><advanced><x xmlns='y'/></advanced></always>":      Always,
		"<never identity-type='phone'/>":                                                                Unset,
		"<always identity-category='client' identity-type='phone'/><never identity-category='client'/>": Always,
	} {
		if got := level([]byte(open + inside + end)); got != want {
			t.Errorf("%s: %v, not %v", inside, got, want)
		}
	}
	for _, bad := range []string{"", "<extensions xmlns='urn:xmpp:bookmarks:1'/>", "<"} {
		if level([]byte(bad)) != Unset {
			t.Errorf("%q says something", bad)
		}
	}
}
