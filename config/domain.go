package config

import (
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"unicode"

	"golang.org/x/net/idna"

	"parley/wire/jid"
)

// nameRules are the rules for names in DNS (RFC 5891), but not those of registries: some names have hyphens in the
// third and fourth position.
var nameRules = idna.New(idna.MapForLookup(), idna.StrictDomainName(true), idna.CheckHyphens(false), idna.BidiRule(),
	idna.VerifyDNSLength(true))

// inContext are characters that are not letters but may stand beside some letters of a name (RFC 5892, appendix A).
const inContext = "\u00B7\u0375\u05F3\u05F4\u30FB\u200C\u200D"

// domainName returns a domain in canonical form. The error names the character that no domain may have, since text
// copied from a document contains quotes, dashes and spaces that look right. also lists further characters that are
// allowed.
func domainName(text, also string) (string, error) {
	for _, r := range text {
		if r != '.' && r != '-' && !unicode.In(r, unicode.L, unicode.M, unicode.Nd) &&
			!strings.ContainsRune(inContext+also, r) {
			return "", fmt.Errorf("%q is not a domain: the character %s is not allowed: write it like example.org",
				text, sign(r))
		}
	}
	j, err := jid.Parse(text)
	if err != nil || j.Local() != "" || !j.IsBare() {
		return "", fmt.Errorf("%q is not a domain: write it like example.org", text)
	}
	if also == "" {
		if _, err := nameRules.ToASCII(j.Domain()); err != nil {
			return "", fmt.Errorf("%q is not a valid domain in DNS (%v): write it like example.org", text, err)
		}
	}
	return j.Domain(), nil
}

// sign makes a character visible, even one that is normally invisible.
func sign(r rune) string {
	if unicode.IsPrint(r) && r != ' ' {
		return fmt.Sprintf("%c (%U)", r, r)
	}
	return fmt.Sprintf("%U, which is hard to see", r)
}

// checkHostName checks the name or IP address of a machine. Names of machines in an internal network may contain
// underscores.
func checkHostName(text string) error {
	if _, err := netip.ParseAddr(text); err == nil {
		return nil
	}
	_, err := domainName(text, "_")
	return err
}

// placeholders replaces the placeholders of groups.meeting_url.
var placeholders = strings.NewReplacer("{room}", "x", "{secret}", "x")

// webAddress checks an address that begins with http:// or https://. wrong completes the error "is not an address …".
func (v *checker) webAddress(key, text, wrong string, fits func(*url.URL) bool) {
	u, err := url.Parse(placeholders.Replace(text))
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || !fits(u) {
		v.add(key, "%q is not an address %s", text, wrong)
	} else if err := checkHostName(u.Hostname()); err != nil {
		v.add(key, "%q: %v", text, err)
	}
}

func anyAddress(*url.URL) bool { return true }
